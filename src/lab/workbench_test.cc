#include "lab/workbench.h"

#include <doctest/doctest.h>

#include "base/temporary_folder_test.h"
#include "model/tiny_weights.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

// Candidates on one file of weights: `again` has another prompt than `plain`, `tuned` an adapter.
struct Lab {
  Lab() {
    model::tiny_weights(folder / "tiny.gguf");
    put_adapter(7);
    write("plain.jinja", "{{ input }}");
    write("again.jinja", "again: {{ input }}");
    const std::string tiny = "model = \"tiny.gguf\"\n";  // beside slipway.toml
    write("slipway.toml", "slipway = 1\n[candidates.plain]\n" + tiny +
                              "prompt = \"plain.jinja\"\n[candidates.again]\n" + tiny +
                              "prompt = \"again.jinja\"\n[candidates.tuned]\n" + tiny +
                              "prompt = \"plain.jinja\"\nadapters = [\"lora.gguf\"]\n");
    auto project = load_project(folder.path());
    REQUIRE(project.ok());
    Settings settings;
    settings.config_folder = folder.path();
    settings.environment = [](const std::string&) { return std::nullopt; };
    settings.max_sequences = 1;
    auto opened = Workbench::open(std::move(*project), std::move(settings));
    REQUIRE(opened.ok());
    bench.emplace(std::move(*opened));
  }
  void write(const std::string& name, const std::string& text) const {
    REQUIRE(files::write_atomic(folder / name, text).ok());
  }
  void put_adapter(uint32_t seed) const {
    model::tiny_adapter(folder / "lora.gguf", seed);
  }
  Ready prepare(const std::string& name) {
    auto spec = bench->project().candidate(name);
    REQUIRE(spec.ok());
    auto ready = bench->prepare(*spec);
    const auto failure = ready.ok() ? "" : ready.error().to_string();
    INFO(failure);
    REQUIRE(ready.ok());
    return *ready;
  }
  TemporaryFolder folder{"workbench"};
  std::optional<Workbench> bench;
};

}  // namespace

TEST_CASE("the next candidate on the same weights finds them in memory") {
  Lab lab;
  const std::weak_ptr<model::Model> plain = lab.prepare("plain").model;
  const std::weak_ptr<const void> weights = plain.lock()->memory().weights;
  const auto tuned = lab.prepare("tuned");
  CHECK(plain.expired());
  CHECK_FALSE(weights.expired());
  CHECK(tuned.model->memory().weights == weights.lock());
  lab.bench->close_model();
  CHECK(tuned.model->memory().weights == weights.lock());
}

TEST_CASE("candidates that differ in the prompt alone have one model, whoever holds it") {
  Lab lab;
  const auto plain = lab.prepare("plain");
  const auto tuned = lab.prepare("tuned");
  CHECK(lab.prepare("again").model == plain.model);
  CHECK(tuned.model != plain.model);
  CHECK(lab.prepare("tuned").model == tuned.model);
}

TEST_CASE("an adapter made anew is opened anew") {
  Lab lab;
  const auto before = lab.prepare("tuned");
  lab.put_adapter(8);
  const auto after = lab.prepare("tuned");
  CHECK(before.model != after.model);
  CHECK(before.candidate.model.adapter_sha256 != after.candidate.model.adapter_sha256);
}
