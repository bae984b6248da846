// The SHA-256 of a weights file, remembered beside it, so that opening a model does not read
// gigabytes each time.
//
//     SLIPWAY_TRY(hash, weights_sha256("/models/gemma-3-270m-q4_k_m.gguf"));
//
// The sidecar "<path>.sha256" holds one JSON line, {"bytes", "mtime_ns", "sha256"}, and counts only
// while the file has that size and modification time (nanoseconds). A folder that cannot be written
// costs the memory, not the answer. Thread-safe.
#pragma once

#include <optional>
#include <string>

#include "base/hash.h"
#include "base/result.h"

namespace slipway::model {

// Errors: not_found, unavailable, cancelled.
Result<std::string> weights_sha256(const std::string& path, const ByteProgress& progress = {});

// Reads the whole file, whatever the sidecar says, and renews the sidecar.
Result<std::string> rehash_weights(const std::string& path, const ByteProgress& progress = {});

// What the sidecar knows of the file as it is now; never reads the weights.
std::optional<std::string> remembered_sha256(const std::string& path);

// For who has just written the file and hashed it on the way.
void remember_sha256(const std::string& path, const std::string& sha256);

}  // namespace slipway::model
