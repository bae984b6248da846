#include "base/files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/ids.h"

using namespace slipway;

namespace {
struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / ("files-" + new_run_id())).string();
  ~Folder() { std::filesystem::remove_all(path); }
};
}  // namespace

TEST_CASE("files: write_atomic creates folders, replaces, and leaves nothing beside") {
  const Folder folder;
  const auto path = files::join(folder.path, "a/b/c.txt");
  REQUIRE(files::write_atomic(path, "one").ok());
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  REQUIRE(files::write_atomic(path, std::string("t\0wo", 4)).ok());
  CHECK(*files::read(path) == std::string("t\0wo", 4));
  CHECK(*files::size(path) == 4);
  CHECK(files::list(files::parent(path)) == std::vector<std::string>{"c.txt"});
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("files: a failed write_atomic says so and cleans up") {
  const Folder folder;
  REQUIRE(files::make_directories(files::join(folder.path, "taken/full")).ok());
  CHECK_FALSE(files::write_atomic(files::join(folder.path, "taken"), "x").ok());
  CHECK(files::list(folder.path) == std::vector<std::string>{"taken"});
  REQUIRE(files::write_atomic(files::join(folder.path, "file"), "x").ok());
  CHECK_FALSE(files::write_atomic(files::join(folder.path, "file/below"), "x").ok());
}

TEST_CASE("files: read is bounded and names the path that is missing") {
  const Folder folder;
  const auto path = files::join(folder.path, "f");
  REQUIRE(files::write_atomic(path, "12345").ok());
  CHECK(files::read(path, 5).ok());
  CHECK(files::read(path, 4).error().code() == ErrorCode::exhausted);
  const auto missing = files::read(path + "x");
  CHECK(missing.error().code() == ErrorCode::not_found);
  CHECK(missing.error().message().find(path + "x") != std::string::npos);
  CHECK(files::read(folder.path).error().code() == ErrorCode::unavailable);
  CHECK_FALSE(files::read("/proc/self/status")->empty());  // its size is said to be 0
}

TEST_CASE("files: folders") {
  const Folder folder;
  CHECK(files::list(folder.path).empty());
  CHECK_FALSE(files::exists(folder.path));
  REQUIRE(files::make_directories(folder.path).ok());
  REQUIRE(files::make_directories(folder.path).ok());
  CHECK(files::is_directory(folder.path));
  REQUIRE(files::write_atomic(files::join(folder.path, "b"), "").ok());
  REQUIRE(files::write_atomic(files::join(folder.path, "a"), "").ok());
  CHECK(files::list(folder.path) == std::vector<std::string>{"a", "b"});
  CHECK(files::remove_all(folder.path).ok());
  CHECK(files::remove_all(folder.path).ok());
  CHECK(files::size(folder.path).error().code() == ErrorCode::not_found);
}

TEST_CASE("files: path arithmetic") {
  CHECK(files::join("a", "b") == "a/b");
  CHECK(files::join("a/", "b") == "a/b");
  CHECK(files::join("a", "/b") == "/b");
  CHECK(files::join("", "b") == "b");
  CHECK(files::parent("a/b/c") == "a/b");
  CHECK(files::parent("a/b/") == "a");
  CHECK(files::parent("/a") == "/");
  CHECK(files::parent("a") == ".");
  CHECK(files::filename("a/b.txt") == "b.txt");
  CHECK(files::filename("a/b/") == "b");
  CHECK(files::filename("/") == "/");
  CHECK(files::absolute("/a/./b/../c/") == "/a/c");
  CHECK(files::absolute("x").front() == '/');
}
