// Small file operations with Errors that name the path. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace slipway::files {

bool exists(const std::string& path);
bool is_directory(const std::string& path);
// At most `max_bytes`. Errors: not_found, unavailable, exhausted (larger than that).
Result<std::string> read(const std::string& path, uint64_t max_bytes = uint64_t{1} << 30);
// Writes beside, fsyncs, renames over: a reader sees the old or the new content, never half.
// Creates parent folders; keeps the mode of a file it replaces.
Status write_atomic(const std::string& path, std::string_view bytes);
Status make_directories(const std::string& path);
Status remove_all(const std::string& path);
// Names (not paths), sorted; empty when the folder does not exist.
std::vector<std::string> list(const std::string& folder);
Result<uint64_t> size(const std::string& path);
std::string join(std::string_view folder, std::string_view name);  // an absolute `name` wins
std::string parent(std::string_view path);  // "." when there is no slash, as dirname(1)
std::string filename(std::string_view path);
std::string absolute(const std::string& path);

}  // namespace slipway::files
