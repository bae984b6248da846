// Objects: immutable bytes named by their SHA-256, each a zstd frame in `objects/ab/abcdef...`
// (docs/format/store.md#objects).
//
//     ObjectFolder objects(".slipway/objects");
//     SLIPWAY_TRY(sha, objects.put(bytes));   // on disk when it returns; again costs no space
//     SLIPWAY_TRY(same, objects.get(sha));    // verified against its name
//
// Thread-safe, also between processes: a file is written under tmp/, synced and renamed, so a name
// never leads to half an object. Putting the bytes of a damaged object repairs it. Errors:
// not_found, corrupt, exhausted (disk full; an object above 1 GiB), unavailable, invalid_input (no
// SHA-256).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace slipway::store {

class ObjectFolder {
 public:
  static constexpr uint64_t most_bytes = uint64_t{1} << 30;  // of one object, expanded

  explicit ObjectFolder(std::string folder) : folder_(std::move(folder)) {}
  Status create();  // the folder; also sweeps what a killed process left in tmp/
  Result<std::string> put(std::string_view bytes);
  Result<std::string> get(std::string_view sha256) const;
  bool has(std::string_view sha256) const;
  // Every name under the folder that could be an object, in order, also misnamed ones.
  void for_each(const std::function<void(const std::string& name)>& use) const;

 private:
  std::string path_of(std::string_view sha256) const;
  Status write_object(const std::string& sha256, std::string_view frame);
  std::string folder_;
};

bool is_sha256(std::string_view text);  // 64 lower-case hex characters

// One zstd frame at level 3, with the size of its content. `expand` refuses more than `most_bytes`.
std::string compress(std::string_view bytes);
Result<std::string> expand(std::string_view frame, uint64_t most_bytes);

}  // namespace slipway::store
