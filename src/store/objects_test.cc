#include "store/objects.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <random>

#include "base/hash.h"
#include "store/test_folder.h"

namespace slipway::store {
namespace {

const std::string kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

void damage(const std::string& path) {
  auto bytes = files::read(path);
  REQUIRE(bytes.ok());
  bytes->back() = static_cast<char>(bytes->back() ^ 1);
  REQUIRE(files::remove_all(path).ok());
  REQUIRE(files::write_atomic(path, *bytes).ok());
}

TEST_CASE("an object is found by the hash of its bytes, whatever they are") {
  TestFolder folder;
  auto store = folder.open();
  CHECK(*store->put_object("abc") == kAbc);
  CHECK(*store->put_object("abc") == kAbc);
  CHECK(*store->get_object(kAbc) == "abc");
  CHECK(store->has_object(kAbc));
  CHECK(files::exists(folder.store_path() + "/objects/ba/" + kAbc));
  std::mt19937_64 random(7);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{3} << 20}) {
    std::string bytes(size, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random()); });
    const auto sha = store->put_object(bytes);
    REQUIRE(sha.ok());
    CHECK(*sha == sha256_hex(bytes));
    CHECK(*store->get_object(*sha) == bytes);
  }
  CHECK(files::list(folder.store_path() + "/objects/tmp").empty());
  CHECK(store->verify()->empty());
}

TEST_CASE("a name that is no hash never becomes a path") {
  TestFolder folder;
  auto store = folder.open();
  CHECK(store->get_object("../records.db").error().code() == ErrorCode::invalid_input);
  CHECK_FALSE(store->has_object("../../../../etc/passwd"));
  CHECK(store->get_object(kAbc).error().code() == ErrorCode::not_found);
}

TEST_CASE("damage is seen on read and by verify, and mended by putting the bytes again") {
  TestFolder folder;
  auto store = folder.open();
  REQUIRE(store->put_object("abc").ok());
  damage(folder.store_path() + "/objects/ba/" + kAbc);
  CHECK(store->get_object(kAbc).error().code() == ErrorCode::corrupt);
  const auto problems = store->verify();
  REQUIRE(problems.ok());
  REQUIRE(problems->size() == 1);
  CHECK(problems->front().find(kAbc) != std::string::npos);
  REQUIRE(store->put_object("abc").ok());
  CHECK(*store->get_object(kAbc) == "abc");
  CHECK(store->verify()->empty());
}

TEST_CASE("a whole object under another's name, or in the wrong folder, is damage too") {
  TestFolder folder;
  auto store = folder.open();
  const std::string other = *store->put_object("other");
  const std::string objects = folder.store_path() + "/objects/";
  const auto frame = files::read(objects + other.substr(0, 2) + "/" + other);
  REQUIRE(files::write_atomic(objects + "ba/" + kAbc, *frame).ok());
  CHECK(store->get_object(kAbc).error().code() == ErrorCode::corrupt);
  REQUIRE(files::write_atomic(objects + "00/" + std::string(64, 'f'), *frame).ok());
  REQUIRE(files::write_atomic(objects + "00/stranger", "x").ok());
  CHECK(store->verify()->size() == 3);
}

TEST_CASE("expand refuses more than it is allowed") {
  const std::string frame = compress(std::string(1 << 20, 'a'));
  CHECK(frame.size() < 1000);
  CHECK(expand(frame, 1 << 20).ok());
  CHECK(expand(frame, (1 << 20) - 1).error().code() == ErrorCode::corrupt);
  CHECK(expand("", 10).error().code() == ErrorCode::corrupt);
}

TEST_CASE("what a killed process left in tmp is swept once it is old") {
  TestFolder folder;
  folder.open();
  const std::string temporary = folder.store_path() + "/objects/tmp/";
  REQUIRE(files::write_atomic(temporary + "old", "half an obj").ok());
  REQUIRE(files::write_atomic(temporary + "new", "half an obj").ok());
  const timespec long_ago[] = {{1'000'000, 0}, {1'000'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, (temporary + "old").c_str(), long_ago, 0) == 0);
  auto store = folder.open();
  CHECK(files::list(temporary) == std::vector<std::string>{"new"});
  CHECK(store->verify()->empty());
}

}  // namespace
}  // namespace slipway::store
