// An advisory lock between processes, released when the holder dies, however it dies (flock(2)).
//
//     SLIPWAY_TRY(lock, FileLock::try_lock(path));  // std::optional: empty when somebody holds it
//
// Movable; one owner.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace slipway {

class FileLock {
 public:
  static Result<std::optional<FileLock>> try_lock(const std::string& path);  // creates the file
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace slipway
