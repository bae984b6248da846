#include "tune/gguf.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "base/files.h"
#include "tune/base_model.h"
#include "tune/testing.h"

using namespace slipway;
using namespace slipway::tune;

namespace {

std::string temporary() {
  return (std::filesystem::temp_directory_path() /
          ("slipway-gguf-" + std::to_string(::getpid()) + ".gguf"))
      .string();
}

ErrorCode open_error(const std::string& bytes) {
  REQUIRE(files::write_atomic(temporary(), bytes).ok());
  const auto file = BaseModel::open(temporary());
  std::filesystem::remove(temporary());
  REQUIRE(!file.ok());
  return file.error().code();
}

}  // namespace

TEST_CASE("what was written is read") {
  GgufWriter writer;
  writer.add("a.text", std::string_view("hello"));
  writer.add("a.number", 1.5f);
  writer.add("a.count", uint32_t{7});
  writer.add("a.flag", true);
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  writer.add_floats("m", {3, 2}, values);
  writer.add_floats("v", {6}, values);
  REQUIRE(writer.write(temporary()).ok());
  const auto file = GgufFile::open(temporary());
  REQUIRE(file.ok());
  const GgufFile& f = **file;
  CHECK(*f.text("a.text") == "hello");
  CHECK(f.number("a.number", 0) == 1.5);
  CHECK(*f.integer("a.count") == 7);
  CHECK(std::get<bool>(*f.find("a.flag")));
  CHECK(f.integer("missing").error().code() == ErrorCode::not_found);
  const auto m = f.matrix("m");
  REQUIRE(m.ok());
  CHECK(m->rows == 2);
  CHECK(m->cols == 3);
  CHECK(std::memcmp(m->row(1), values.data() + 3, 12) == 0);
  CHECK(*f.vector("v", 6) == values);
  CHECK(f.vector("v", 5).error().code() == ErrorCode::corrupt);
  CHECK(f.matrix("v").error().code() == ErrorCode::corrupt);
  CHECK(f.matrix("missing").error().code() == ErrorCode::not_found);
  std::filesystem::remove(temporary());
}

TEST_CASE(
    "a file cut anywhere, or with a byte changed, is refused or read, never believed beyond its "
    "end") {
  const std::string path =
      testing::tiny_model("qwen2", {.layers = 1, .width = 32, .ff = 32, .heads = 2, .kv_heads = 1});
  const std::string bytes = *files::read(path);
  std::filesystem::remove(path);
  for (size_t cut = 0; cut < bytes.size(); cut += 1 + cut / 50)
    CHECK(open_error(bytes.substr(0, cut)) == ErrorCode::corrupt);
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string changed = bytes;
    changed[random() % 2500] = static_cast<char>(random());
    REQUIRE(files::write_atomic(temporary(), changed).ok());
    refused += !BaseModel::open(temporary()).ok();
  }
  CHECK(refused > 50);
  std::filesystem::remove(temporary());
}

TEST_CASE("models that cannot be trained are refused by name") {
  CHECK(GgufFile::open("/nowhere.gguf").error().code() == ErrorCode::not_found);
  CHECK(open_error("GGUX" + std::string(100, '\0')) == ErrorCode::corrupt);
  GgufWriter writer;
  writer.add("general.architecture", std::string_view("mamba"));
  REQUIRE(writer.write(temporary()).ok());
  const auto model = BaseModel::open(temporary());
  CHECK(model.error().code() == ErrorCode::unsupported);
  CHECK(model.error().message().find("mamba") != std::string::npos);
  std::filesystem::remove(temporary());
}
