// The end of a large file that is written piece by piece beside its name; small ones:
// files::write_atomic.
//
//     std::ofstream out(path + ".part");  // ... written, closed
//     SLIPWAY_CHECK(name_durably(path + ".part", path));
//     if (!out) return cannot_write(path);
//
// Thread-safe. Errors: exhausted (a full disk, a quota), unavailable.
#pragma once

#include <string>

#include "base/result.h"

namespace slipway {

// Synced before it gets its name, and its folder after.
Status name_durably(const std::string& written, const std::string& path);
Error cannot_write(const std::string& path);  // as errno says

}  // namespace slipway
