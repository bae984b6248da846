#include "lab/handover.h"

#include <doctest/doctest.h>

#include "base/hash.h"
#include "base/temporary_folder_test.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

struct Fixture {
  Fixture() {
    const auto store = store::Store::open(folder / ".slipway");
    REQUIRE(store.ok());
    place.store = *store;
    place.models_folder = folder / "models";
    place.environment = json::Value::object();
  }

  // With weights that are said to have this hash.
  std::string bundle(const std::string& weights, const std::string& sha256) const {
    REQUIRE(files::write_atomic(folder / "w.gguf", weights).ok());
    const auto writer = store::BundleWriter::create(folder / "x.slipway");
    REQUIRE(writer.ok());
    REQUIRE((*writer)->file({"w", sha256, weights.size()}, folder / "w.gguf").ok());
    REQUIRE((*writer)->finish().ok());
    return folder / "x.slipway";
  }

  const TemporaryFolder folder{"handover"};
  Place place;
};

}  // namespace

TEST_CASE("weights of a bundle get their name once they are whole") {
  Fixture f;
  const auto sha256 = sha256_hex("weights");
  const auto taken = take_bundle(f.bundle("weights", sha256), f.place, {});
  REQUIRE(taken.ok());
  const auto path = files::join(f.place.models_folder, sha256 + ".gguf");
  CHECK(taken->weights == std::vector<std::string>{path});
  CHECK(*files::read(path) == "weights");
  CHECK_FALSE(files::exists(path + ".unbundled"));
}

TEST_CASE("weights that cannot be taken leave nothing behind") {
  Fixture f;
  const auto taken = take_bundle(f.bundle("weights", sha256_hex("others")), f.place, {});
  CHECK(taken.error().code() == ErrorCode::corrupt);
  CHECK(files::list(f.place.models_folder).empty());
}

TEST_CASE("a file that cannot be opened is told from a full disk") {
  Fixture f;
  const auto sha256 = sha256_hex("weights");
  const auto beside = files::join(f.place.models_folder, sha256 + ".gguf.unbundled");
  REQUIRE(files::make_directories(beside).ok());
  const auto refused = take_bundle(f.bundle("weights", sha256), f.place, {}).error();
  CHECK(refused.code() == ErrorCode::unavailable);
  CHECK(refused.message().find(beside) != std::string::npos);
  CHECK(files::is_directory(beside));
}

TEST_CASE("more models than a bundle holds are refused before anything is written") {
  Fixture f;
  for (size_t i = 0; i <= most_bundled_models; ++i) {
    store::Run run{.kind = "eval", .name = "r"};
    const auto name = "m" + std::to_string(i);
    run.inputs = json::Value::object().set("model", name).set("weights_sha256", sha256_hex(name));
    REQUIRE(f.place.store->create_run(run).ok());
  }
  const auto out = f.folder / "x.slipway";
  const auto refused = make_bundle(f.place, {.all = true, .weights = true, .out = out}).error();
  CHECK(refused.code() == ErrorCode::exhausted);
  CHECK(refused.message().find("at most 16") != std::string::npos);
  CHECK(make_bundle(f.place, {.all = true, .out = out}).ok());
}
