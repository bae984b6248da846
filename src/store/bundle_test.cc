#include "store/bundle.h"

#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <random>
#include <sstream>

#include "base/hash.h"
#include "store/artifacts.h"
#include "store/bundle_frames.h"
#include "store/experiments.h"
#include "store/logged_models.h"
#include "store/objects.h"
#include "store/registry.h"
#include "store/test_folder.h"
#include "store/tracking.h"
#include "store/transfer.h"

namespace slipway::store {
namespace {

// An Importer that also keeps files, in memory.
struct Taker : BundleSink {
  explicit Taker(Store& to, ImportOptions options = {}) : importer(to, std::move(options)) {}
  bool wants_object(const std::string& sha) const override { return importer.wants_object(sha); }
  Status object(const std::string& bytes) override { return importer.object(bytes); }
  Status record(const json::Value& record) override { return importer.record(record); }
  Status end() override { return importer.end(); }
  Result<bool> file(const BundledFile& file) override { return file.name != "unwanted"; }
  Status part(const std::string& bytes) override {
    files += bytes;
    return {};
  }
  Status file_end() override {
    ++ended;
    return {};
  }
  Importer importer;
  std::string files;
  int ended = 0;
};

struct Nothing : BundleSink {
  Status object(const std::string&) override { return {}; }
  Status record(const json::Value&) override { return {}; }
  Result<bool> file(const BundledFile&) override { return true; }
  Status part(const std::string&) override { return {}; }
  Status file_end() override { return {}; }
};

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A store with one of everything, of values that are hard to carry.
Run fill(Store& store) {
  const auto object = *store.put_object("rows");
  auto nested = json::Value::object();
  nested.set("rows_object", object);
  const auto described = *store.put_object(nested.dump());
  auto inputs = json::Value::object();
  inputs.set("zeta", 1).set("alpha", 1.5).set("candidate_object", described);
  auto parent = store.create_run({.experiment = "home", .kind = "ladder", .name = "climb"});
  Run run{.experiment = "home", .kind = "eval", .name = "naive", .parent_id = parent->id};
  run.inputs = inputs;
  run.user = "ada";
  run = *store.create_run(run);
  REQUIRE(Tracking(store)
              .add_links(run.id, {{RunLink::Kind::output_model, "m-1", nested},
                                  {RunLink::Kind::dataset, "rows\n5f", nested}})
              .ok());
  REQUIRE(store.log_params(run.id, {{"rank", "16"}, {"bytes", "\xff\xfe"}}).ok());
  REQUIRE(store.set_tags(run.id, {{"verdict", "pass"}}).ok());
  REQUIRE(store
              .log_metrics(run.id, {{"loss", kNan, 1, 5},
                                    {"loss", -0.0, 2, 6},
                                    {"loss", std::numeric_limits<double>::infinity(), 3, 7},
                                    {"loss", 0.1, 4, 8},
                                    {"acc", 1.0, 0, 9}})
              .ok());
  REQUIRE(store
              .put_cases(run.id, {{0, "a", true, "play(title='\xc3\xa4')", 1.25, false, nested},
                                  {1, "b", false, "broken \xff text", kNan, true, {}}})
              .ok());
  REQUIRE(store.put_spans(run.id, {{"t1", "s1", "", "root", 1, 2, true, "", {{"n", 1.0}}}}).ok());
  REQUIRE(store.put_spans("", {{"t2", "s1", "", "alone", 1, 2, false, "no", {}}}).ok());
  auto prompt = json::Value::object();
  prompt.set("source", "{{ input }}");
  REQUIRE(store.put_entity("prompt", "plain", prompt).ok());
  REQUIRE(store.finish_run(run.id, RunStatus::failed, "it did").ok());
  REQUIRE(store.finish_run(parent->id, RunStatus::finished).ok());
  return *store.find_run(run.id);
}

std::string bundled(const TestFolder& folder, const Store& store, const Selection& selection) {
  const auto path = folder.path() + "/x.slipway";
  auto writer = BundleWriter::create(path);
  REQUIRE(writer.ok());
  REQUIRE(hand_over(store, selection, **writer).ok());
  REQUIRE((*writer)->finish().ok());
  return *files::read(path);
}

Status read(const std::string& bytes, BundleSink& sink, const BundleLimits& limits = {}) {
  std::istringstream in(bytes);
  return read_bundle(in, limits, sink);
}

std::string frame(char kind, const std::string& payload) {
  return frame_head(kind, payload.size()) + payload;
}

std::string ended(const std::string& frames) {
  const auto all = std::string(bundle_magic) + frames;
  return all + frame(frame_end, sha256_bytes_of(sha256_hex(all)));
}

TEST_CASE("a store that came out of a bundle gives the very same bundle") {
  TestFolder here, there;
  auto from = here.open();
  const Run run = fill(*from);
  const auto bytes = bundled(here, *from, {.all = true});
  auto to = there.open();
  Taker taker(*to, {.from = "here", .releases = true});
  const auto taken = read(bytes, taker);
  INFO((taken.ok() ? "" : taken.error().to_string()));
  REQUIRE(taken.ok());
  CHECK(bundled(there, *to, {.all = true}) == bytes);
  CHECK(to->verify()->empty());
  const auto back = to->find_run(run.id);
  REQUIRE(back.ok());
  CHECK(back->status == RunStatus::failed);
  CHECK(back->end_ms == run.end_ms);
  CHECK(back->inputs.dump() == run.inputs.dump());
  CHECK(to->cases(run.id)->at(1).output == "broken \xff text");
  CHECK(to->params(run.id)->at("bytes") == "\xff\xfe");
  CHECK(to->tags(run.id)->at("imported") == "here");
  CHECK(std::signbit(to->metric_history(run.id, "loss")->at(1).value));
  CHECK(to->trace("t2").ok());
}

TEST_CASE("who started a run comes with it, and what it read and made, in its order") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  const Run run = fill(*from);
  Taker taker(*to, {.from = "here"});
  REQUIRE(read(bundled(here, *from, {.runs = {run.id}}), taker).ok());
  const auto back = Tracking(*to).run(run.id);
  REQUIRE(back.ok());
  CHECK(back->user == "ada");
  REQUIRE(back->links.size() == 2);
  CHECK(back->links[0].kind == RunLink::Kind::output_model);
  CHECK(back->links[1].key == "rows\n5f");
  CHECK(back->links[1].content.text("rows_object") == sha256_hex("rows"));
}

TEST_CASE("the same bundle twice: nothing is doubled, nothing is added") {
  TestFolder here, there;
  auto from = here.open();
  const Run run = fill(*from);
  const auto bytes = bundled(here, *from, {.all = true});
  auto to = there.open();
  Taker first(*to, {.from = "here"}), second(*to, {.from = "here"});
  REQUIRE(read(bytes, first).ok());
  REQUIRE(read(bytes, second).ok());
  CHECK(first.importer.taken().runs.size() == 2);
  CHECK(second.importer.taken().runs.empty());
  CHECK(second.importer.taken().known_runs == 2);
  CHECK(to->list_runs({})->size() == 2);
  CHECK(to->cases(run.id)->size() == 2);
  CHECK(to->metric_history(run.id, "loss")->size() == 4);
  CHECK(bundled(there, *to, {.all = true}) == bytes);
}

TEST_CASE("a run brings what is above and below it, and no stranger") {
  TestFolder here, there;
  auto from = here.open();
  const Run run = fill(*from);
  const Run other = new_run(*from);
  const auto stranger = *from->put_object("not of this run");
  auto to = there.open();
  Taker taker(*to);
  REQUIRE(read(bundled(here, *from, {.runs = {run.id}}), taker).ok());
  CHECK(to->find_run(run.id).ok());
  CHECK(to->find_run(run.parent_id).ok());
  CHECK_FALSE(to->find_run(other.id).ok());
  CHECK(to->has_object(sha256_hex("rows")));  // named by an object that the run names
  CHECK_FALSE(to->has_object(stranger));
  CHECK_FALSE(to->find_entity("prompt", "plain").ok());
  CHECK(hand_over(*from, {.runs = {std::string(32, '0')}}, taker).error().code() ==
        ErrorCode::not_found);
}

TEST_CASE("a run whose parent was deleted travels without it, again and again") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  const auto parent = new_run(*from);
  auto child = from->create_run({.kind = "eval", .name = "child", .parent_id = parent.id});
  REQUIRE(child.ok());
  REQUIRE(Tracking(*from).delete_run(parent.id).ok());
  const auto bytes = bundled(here, *from, {.all = true});
  for (int i = 0; i < 2; ++i) {
    Taker taker(*to, {.from = "here"});
    const auto taken = read(bytes, taker);
    CHECK_MESSAGE(taken.ok(), (taken.ok() ? "" : taken.error().to_string()));
  }
  REQUIRE(to->find_run(child->id).ok());
  CHECK(to->find_run(child->id)->parent_id.empty());
  CHECK(check_same_runs(*from, *to).ok());
}

TEST_CASE("the files that clients logged to a run come with it, whatever its experiment's number") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  const Run run = fill(*from);
  REQUIRE(Experiments(*to).create({.name = "other"}).ok());
  const auto folder = [&](Store& store) {
    const auto number = Experiments(store).get_by_name("home")->id;
    return std::to_string(number) + "/" + run.id + "/artifacts/";
  };
  REQUIRE(Artifacts(*from).put(folder(*from) + "plots/loss.png", "a plot").ok());
  REQUIRE(Artifacts(*from).put(folder(*from) + "notes.txt", "notes").ok());
  REQUIRE(Artifacts(*from).put("1/somebody/artifacts/x", "of another run").ok());
  Taker taker(*to, {.from = "here"});
  REQUIRE(read(bundled(here, *from, {.runs = {run.id}}), taker).ok());
  CHECK(folder(*to) != folder(*from));
  CHECK(*Artifacts(*to).get(folder(*to) + "plots/loss.png") == "a plot");
  CHECK(*Artifacts(*to).get(folder(*to) + "notes.txt") == "notes");
  CHECK_FALSE(to->has_object(sha256_hex("of another run")));
}

TEST_CASE("registered and logged models travel with a whole store; what stands there stays") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  const Run run = fill(*from);
  REQUIRE(Experiments(*to).create({.name = "other"}).ok());
  const auto number = Experiments(*from).get_by_name("home")->id;
  const auto folder = std::to_string(number) + "/" + run.id + "/artifacts/";
  LoggedModels logged(*from);
  const auto tree = logged.create({.experiment_id = number, .name = "tree", .run_id = run.id,
                                   .params = {{"depth", "3"}}});
  REQUIRE(tree.ok());
  const auto file = "/models/" + tree->id + "/artifacts/MLmodel";
  REQUIRE(Artifacts(*from).put(std::to_string(number) + file, "flavors:").ok());
  Registry registry(*from);
  REQUIRE(registry.create({.name = "greeting", .description = "says hello"}).ok());
  for (int i = 0; i < 2; ++i) {
    REQUIRE(registry
                .create_version({.name = "greeting", .source = "mlflow-artifacts:/" + folder + "m",
                                 .run_id = run.id, .tags = {{"text", "hi"}}})
                .ok());
  }
  REQUIRE(registry.set_alias("greeting", "production", 2).ok());
  const auto bytes = bundled(here, *from, {.all = true});
  Registry taken(*to);
  for (int again = 0; again < 2; ++again) {
    Taker taker(*to, {.from = "here"});
    REQUIRE(read(bytes, taker).ok());
    const auto version = taken.version("greeting", 2);
    REQUIRE(version.ok());
    const auto there_id = Experiments(*to).get_by_name("home")->id;
    CHECK(there_id != number);
    CHECK(version->source ==
          "mlflow-artifacts:/" + std::to_string(there_id) + "/" + run.id + "/artifacts/m");
    CHECK(version->tags == Pairs{{"text", "hi"}});
    CHECK(LoggedModels(*to).get(tree->id)->params == Pairs{{"depth", "3"}});
    CHECK(*Artifacts(*to).get(std::to_string(there_id) + file) == "flavors:");
    CHECK(taken.get("greeting")->description == "says hello");
    // An alias that was moved since stays where it is.
    CHECK(taken.by_alias("greeting", "production")->version == (again == 0 ? 2 : 1));
    REQUIRE(taken.set_alias("greeting", "production", 1).ok());
  }
}

TEST_CASE("files of a run that lead elsewhere, or come without their bytes, are refused") {
  TestFolder here;
  auto store = here.open();
  const auto object = *store->put_object("x");
  Taker taker(*store, {.from = "a stranger"});
  const std::string run(32, 'a');
  REQUIRE(taker
              .record(*json::parse(R"({"record": "run", "id": ")" + run +
                                   R"(", "experiment": "e", "kind": "eval", "name": "",
                                      "parent": "", "start_ms": 1, "inputs": {}, "environment": {}})"))
              .ok());
  const auto file = [&](const std::string& path, const std::string& sha256) {
    return taker.record(*json::parse(R"({"record": "artifacts", "run": ")" + run +
                                     R"(", "files": [{"path": ")" + path + R"(", "sha256": ")" +
                                     sha256 + R"("}]})"));
  };
  CHECK(file("a/b", object).ok());
  for (const auto* path : {"../b", "", "a//b", "/a"})
    CHECK(file(path, object).error().code() == ErrorCode::corrupt);
  CHECK(file("c", sha256_hex("nowhere")).error().code() == ErrorCode::corrupt);
  CHECK(file("c", "no hash").error().code() == ErrorCode::corrupt);
}

TEST_CASE("an import that was killed half-way is finished by the next") {
  TestFolder here, there;
  auto from = here.open();
  const Run run = fill(*from);
  auto to = there.open();
  struct Stopping : Importer {
    using Importer::Importer;
    Status record(const json::Value& record) override {
      if (record.text("record") == "cases") return Error::cancelled();
      return Importer::record(record);
    }
  } stopping(*to, {.from = "here"});
  CHECK_FALSE(hand_over(*from, {.all = true}, stopping).ok());
  CHECK(to->find_run(run.id)->status == RunStatus::running);
  Importer whole(*to, {.from = "here"});
  REQUIRE(hand_over(*from, {.all = true}, whole).ok());
  CHECK(to->find_run(run.id)->status == RunStatus::failed);
  CHECK(to->cases(run.id)->size() == 2);
}

TEST_CASE("releases are taken once the whole bundle was read, and not from a part of one") {
  TestFolder here, there;
  auto from = here.open(), to = there.open();
  Release release{.candidate = std::string(64, 'a'), .candidate_name = "plain"};
  release.candidate_object = *from->put_object("{}");
  release.because = "the first";
  REQUIRE(from->promote(release).ok());
  const auto bytes = bundled(here, *from, {.all = true});
  Taker cut(*to, {.releases = true}), whole(*to, {.releases = true});
  CHECK_FALSE(read(bytes.substr(0, bytes.size() - 1), cut).ok());
  CHECK(to->releases()->empty());
  REQUIRE(read(bytes, whole).ok());
  CHECK(to->releases()->size() == 1);
}

TEST_CASE("files: their parts come in order, the unwanted are read over, a hash decides") {
  TestFolder here;
  auto store = here.open();
  const std::string weights(9'000'000, 'w');
  REQUIRE(files::write_atomic(here.path() + "/w.gguf", weights).ok());
  const auto with = [&](const std::string& name, const std::string& sha) {
    auto writer = BundleWriter::create(here.path() + "/w.slipway");
    REQUIRE((*writer)->file({name, sha, weights.size()}, here.path() + "/w.gguf").ok());
    REQUIRE((*writer)->finish().ok());
    return *files::read(here.path() + "/w.slipway");
  };
  Taker taker(*store), unwanted(*store), wrong(*store);
  REQUIRE(read(with("gemma", sha256_hex(weights)), taker).ok());
  CHECK(taker.files == weights);
  CHECK(taker.ended == 1);
  REQUIRE(read(with("unwanted", sha256_hex(weights)), unwanted).ok());
  CHECK(unwanted.files.empty());
  CHECK(read(with("gemma", sha256_hex("other")), wrong).error().code() == ErrorCode::corrupt);
  CHECK(wrong.ended == 0);
}

TEST_CASE("what a reader would refuse is not written") {
  TestFolder here;
  const auto path = here.path() + "/x.slipway";
  const auto refused = [&](const BundleLimits& limits, auto give) {
    const auto writer = BundleWriter::create(path, limits);
    REQUIRE(writer.ok());
    const Status given = give(**writer);
    if (given.ok()) return std::string();
    CHECK(given.error().code() == ErrorCode::exhausted);
    return given.error().message();
  };
  const auto record = *json::parse(R"({"record": "a"})");  // 15 bytes with its line feed
  const auto object = [](BundleWriter& writer) { return writer.object("0123456789"); };
  const auto two = [&](BundleWriter& writer) -> Status {
    SLIPWAY_CHECK(writer.record(record));
    SLIPWAY_CHECK(writer.record(record));
    return writer.finish();
  };
  CHECK(refused({.most_object_bytes = 9}, object) == "an object above a bundle's limit of 9 bytes");
  CHECK(refused({.most_object_bytes = 10}, object).empty());
  CHECK(refused({.most_records_bytes = 14}, two) == "a record above a bundle's limit of 14 bytes");
  CHECK(refused({.most_expanded_bytes = 29}, two) ==
        "records and objects above a bundle's limit of 29 bytes");
  CHECK(refused({.most_file_bytes = 1}, [](BundleWriter& writer) {
          return writer.file({"w", std::string(64, 'a'), 2}, "w.gguf");
        }) == "weights above a bundle's limit of 1 bytes");
  auto deep = json::Value::object();
  for (int i = 0; i < 128; ++i) deep = json::Value::object().set("in", deep);
  CHECK(refused({}, [&](BundleWriter& writer) { return writer.record(deep); }) ==
        "a record is nested deeper than 128 levels");
  const BundleLimits exact{.most_records_bytes = 15, .most_expanded_bytes = 30};
  CHECK(refused(exact, two).empty());
  Nothing nothing;
  CHECK(read(*files::read(path), nothing, exact).ok());
}

TEST_CASE("what expands too far is refused before it does") {
  TestFolder here;
  auto store = here.open();
  Taker taker(*store);
  const auto bomb = compress(std::string(1 << 20, '\0'));
  const auto bytes = ended(frame(frame_object, bomb) + frame(frame_object, bomb));
  CHECK(read(bytes, taker).ok());
  CHECK_FALSE(read(bytes, taker, {.most_object_bytes = 1 << 19}).ok());
  CHECK_FALSE(read(bytes, taker, {.most_expanded_bytes = (1 << 20) + 5}).ok());
  CHECK_FALSE(read(std::string(bundle_magic) + frame_head(frame_part, 1 << 20), taker).ok());
  CHECK_FALSE(read(std::string(bundle_magic) + frame_head(frame_object, 0xFFFFFFFF), taker).ok());
  const auto head = R"({"name": "w", "sha256": ")" + std::string(64, 'a') + R"(", "bytes": 9})";
  CHECK_FALSE(read(ended(frame(frame_file, head) + frame(frame_object, bomb)), taker).ok());
  CHECK_FALSE(read(ended(frame(frame_file, head)), taker).ok());
  CHECK_FALSE(read(ended(frame('?', "")), taker).ok());
  CHECK(read(ended(""), taker).ok());
  CHECK_FALSE(read(ended("") + "x", taker).ok());
  CHECK(read("SLIPWAY BUNDLE 2\n", taker).error().code() == ErrorCode::unsupported);
  CHECK(read("SQLite format 3\0 and so on", taker).error().code() == ErrorCode::corrupt);
}

TEST_CASE("records: any change of a whole one is taken or refused, never more") {
  TestFolder here, there;
  auto from = here.open();
  fill(*from);
  struct Keeper : Sink {
    bool wants_object(const std::string&) const override { return false; }
    Status object(const std::string&) override { return {}; }
    Status record(const json::Value& record) override {
      all.push_back(record);
      return {};
    }
    std::vector<json::Value> all;
  } keeper;
  REQUIRE(hand_over(*from, {.all = true}, keeper).ok());
  auto to = there.open();
  std::mt19937_64 random(7);
  for (const auto& record : keeper.all) {
    for (const auto& member : record.as_object()) {
      CAPTURE(member.first);
      Importer importer(*to, {.from = "x", .releases = true});
      auto changed = record;
      const json::Value others[] = {
          nullptr, -1, 1e300, "text", json::Value::array(), true, json::Value::object()};
      changed.set(member.first, others[random() % std::size(others)]);
      (void)importer.record(changed).ok();
      changed.erase(member.first);
      (void)importer.record(changed).ok();
    }
  }
  CHECK(to->verify()->empty());
}

TEST_CASE("no bytes at all crash the reader, and no changed bundle passes for a whole one") {
  TestFolder here;
  auto from = here.open();
  fill(*from);
  const auto whole = bundled(here, *from, {.all = true});
  Nothing nothing;
  const BundleLimits small{1 << 20, 1 << 20, 4 << 20, 1 << 20};
  CHECK(rc::check("one byte changed, or cut off", [&] {
    auto bytes = whole;
    const auto at = *rc::gen::inRange<size_t>(0, bytes.size());
    if (*rc::gen::arbitrary<bool>()) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ *rc::gen::inRange(1, 256));
    }
    RC_ASSERT(!read(bytes, nothing, small).ok());
  }));
  CHECK(rc::check("any bytes behind the magic", [&](const std::string& tail) {
    RC_ASSERT(!read(std::string(bundle_magic) + tail, nothing, small).ok());
  }));
  CHECK(rc::check("any payload in a frame that is well ended", [&](const std::string& payload) {
    const char kind = *rc::gen::element(frame_records, frame_object, frame_file, frame_part);
    const auto packed = *rc::gen::arbitrary<bool>() ? compress(payload) : payload;
    (void)read(ended(frame(kind, packed)), nothing, small).ok();
  }));
}

TEST_CASE("a bundle that was not finished leaves nothing behind") {
  TestFolder here;
  {
    auto writer = BundleWriter::create(here.path() + "/x.slipway");
    REQUIRE((*writer)->object("bytes").ok());
  }
  CHECK(files::list(here.path()).empty());
  CHECK_FALSE(BundleWriter::create(here.path() + "/no/such/folder/x").ok());
}

}  // namespace
}  // namespace slipway::store
