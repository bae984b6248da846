// A folder of a test's own, gone with it.
//
//     const TemporaryFolder folder("fit");      // /tmp/slipway-fit-XXXXXX
//     write(folder / "a.txt");
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <string>

#include "base/files.h"

namespace slipway {

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name) : path_("/tmp/slipway-" + name + "-XXXXXX") {
    REQUIRE(::mkdtemp(path_.data()) != nullptr);
  }
  ~TemporaryFolder() { (void)files::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return files::join(path_, name); }

 private:
  std::string path_;
};

}  // namespace slipway
