#include "tune/trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

#include "base/files.h"
#include "base/hash.h"
#include "tune/testing.h"

using namespace slipway;
using namespace slipway::tune;

namespace {

TrainConfig exact_config() {
  TrainConfig c;
  c.lora.rank = 3;
  c.lora.alpha = 5;
  c.exact = true;
  c.threads = 2;
  return c;
}

std::unique_ptr<Trainer> open(const std::string& model, const TrainConfig& config) {
  auto trainer = Trainer::open(model, config);
  REQUIRE_MESSAGE(trainer.ok(), (trainer.ok() ? "" : trainer.error().to_string()));
  return std::move(trainer).value();
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i)
    ab += double(a[i]) * b[i], aa += double(a[i]) * a[i], bb += double(b[i]) * b[i];
  return ab / std::sqrt(aa * bb);
}

double relative_error(const std::vector<float>& got, const std::vector<float>& want) {
  double error = 0, size = 0;
  for (size_t i = 0; i < want.size(); ++i)
    error += std::pow(double(got[i]) - want[i], 2), size += std::pow(double(want[i]), 2);
  return std::sqrt(error / size);
}

std::vector<float> gradients_of(Trainer& trainer, const std::vector<Example>& batch) {
  REQUIRE(trainer.gradients(batch).ok());
  return trainer.adapter().gradients;
}

std::string temporary(const std::string& name) {
  return (std::filesystem::temp_directory_path() /
          ("slipway-tune-" + std::to_string(::getpid()) + "-" + name))
      .string();
}

}  // namespace

TEST_CASE("loss and gradients of whole models equal finite differences of the double reference") {
  for (const std::string architecture : {"gemma3", "llama", "qwen2", "qwen3"}) {
    CAPTURE(architecture);
    const std::string path = testing::tiny_model(architecture, {.tied = architecture != "qwen2"});
    auto trainer = open(path, exact_config());
    testing::randomize(trainer->adapter(), 11);
    const std::vector<Example> batch = testing::random_examples(5, 61, 5, {7, 8, 9, 10, 11, 12});
    testing::Reference reference(trainer->base(), trainer->adapter());
    int targets = 0;
    const auto reference_loss = [&] {
      double sum = 0;
      for (const Example& e : batch) sum += reference.loss(e);
      return sum / targets;
    };
    for (const Example& e : batch) targets += int(e.completion.size());
    const auto loss = trainer->gradients(batch);
    REQUIRE(loss.ok());
    CHECK(*loss == doctest::Approx(reference_loss()).epsilon(1e-5));
    CHECK(*trainer->loss(batch) == doctest::Approx(*loss).epsilon(1e-6));

    std::mt19937 random(1);
    for (const AdaptedWeight& w : trainer->adapter().weights()) {
      CAPTURE(w.layer);
      CAPTURE(short_name(w.module));
      for (const bool in_b : {false, true}) {
        const int64_t begin = in_b ? w.b : w.a, count = 3 * int64_t{in_b ? w.out : w.in};
        double scale = 0;
        for (int64_t i = begin; i < begin + count; ++i)
          scale = std::max(scale, std::abs(double(trainer->adapter().gradients[size_t(i)])));
        for (int sample = 0; sample < 3; ++sample) {
          const auto i = size_t(begin + int64_t(random() % uint64_t(count)));
          const double saved = reference.parameters[i], step = 1e-5;
          reference.parameters[i] = saved + step;
          const double above = reference_loss();
          reference.parameters[i] = saved - step;
          const double below = reference_loss();
          reference.parameters[i] = saved;
          CHECK(std::abs((above - below) / (2 * step) - double(trainer->adapter().gradients[i])) <
                1e-4 * scale + 1e-9);
        }
      }
    }
    std::filesystem::remove(path);
  }
}

TEST_CASE("an adapter on some modules of some layers has the gradients it has in a whole one") {
  const std::string path = testing::tiny_model("gemma3", {});
  auto whole = open(path, exact_config());
  TrainConfig config = exact_config();
  config.lora.modules = {Module::q, Module::down};
  config.lora.first_layer = 1;
  config.lora.layer_end = 2;
  auto part = open(path, config);
  REQUIRE(part->adapter().weights().size() == 2);
  testing::randomize(part->adapter(), 11);
  // The whole one's others have B = 0 and change nothing.
  for (const AdaptedWeight& w : part->adapter().weights()) {
    const AdaptedWeight& same = *whole->adapter().find(w.layer, w.module);
    std::copy_n(part->adapter().parameters.begin() + w.a, 3 * (w.in + w.out),
                whole->adapter().parameters.begin() + same.a);
  }
  const std::vector<Example> batch = testing::random_examples(5, 61, 5);
  const auto expected = gradients_of(*whole, batch), got = gradients_of(*part, batch);
  for (const AdaptedWeight& w : part->adapter().weights()) {
    const auto begin = expected.begin() + whole->adapter().find(w.layer, w.module)->a;
    const std::vector<float> want(begin, begin + 3 * (w.in + w.out));
    const std::vector<float> have(got.begin() + w.a, got.begin() + w.a + 3 * (w.in + w.out));
    CHECK(relative_error(have, want) < 1e-5);
  }
  std::filesystem::remove(path);
}

TEST_CASE("layers below the adapter are computed once, and change nothing when they are not") {
  const std::string path = testing::tiny_model("gemma3", {.window = 64});
  const std::string checkpoint = temporary("frozen");
  const std::vector<Example> batch = testing::random_examples(9, 61, 5, {7, 8, 9, 10, 11});
  for (const bool exact : {true, false}) {
    CAPTURE(exact);
    TrainConfig config = exact_config();
    config.exact = exact;
    config.lora.first_layer = 2;
    config.optimizer.total_steps = 6;
    auto plain = open(path, config);
    config.frozen_bytes = 1 << 20;
    auto frozen = open(path, config);
    config.frozen_bytes = 1000;  // some rows only: each pass is computed whole
    auto narrow = open(path, config);
    // Other halves of the examples meet in each step.
    const auto half = [&](int i) { return std::span(batch).subspan(size_t(i % 3) * 3, 3); };
    for (int i = 0; i < 6; ++i) {
      const auto step = frozen->step(half(i));
      REQUIRE(step.ok());
      CHECK(step->layers == (i < 3 ? 3 : 1));
      CHECK(narrow->step(half(i))->layers == 3);
      REQUIRE(plain->step(half(i)).ok());
      if (i == 3) REQUIRE(frozen->save_checkpoint(checkpoint, "").ok());
    }
    CHECK(frozen->adapter().parameters == narrow->adapter().parameters);
    CHECK((frozen->adapter().parameters == plain->adapter().parameters) == exact);
    CHECK(relative_error(frozen->adapter().parameters, plain->adapter().parameters) < 0.01);
    config.frozen_bytes = 1 << 20;
    auto resumed = open(path, config);
    REQUIRE(resumed->load_checkpoint(checkpoint).ok());
    for (int i = 4; i < 6; ++i) CHECK(resumed->step(half(i))->layers == 3);
    CHECK(resumed->adapter().parameters == frozen->adapter().parameters);
    std::filesystem::remove(checkpoint);
  }
  std::filesystem::remove(path);
}

TEST_CASE("packed, one by one and with shared prefixes: the same loss and gradients") {
  const std::string path = testing::tiny_model("gemma3", {});
  std::vector<Example> batch = testing::random_examples(6, 61, 5, {7, 8, 9, 10, 11, 12, 13, 14});
  const std::vector<Example> other = testing::random_examples(4, 61, 6);
  batch.insert(batch.end(), other.begin(), other.end());
  batch.push_back(batch.front());                   // the same row twice
  batch.push_back({batch.front().prompt, {1, 2}});  // the same prompt, another answer
  TrainConfig config = exact_config();
  std::vector<std::vector<float>> gradients;
  std::vector<double> losses;
  struct Way {
    bool share;
    int max_rows;
  };
  for (const Way way : {Way{false, 1}, Way{false, 1000}, Way{true, 1000}, Way{true, 40}}) {
    config.share_prefixes = way.share;
    config.max_rows = way.max_rows;
    auto trainer = open(path, config);
    testing::randomize(trainer->adapter(), 11);
    losses.push_back(*trainer->gradients(batch));
    gradients.push_back(trainer->adapter().gradients);
  }
  for (size_t i = 1; i < gradients.size(); ++i) {
    CAPTURE(i);
    CHECK(losses[i] == doctest::Approx(losses[0]).epsilon(1e-6));
    CHECK(relative_error(gradients[i], gradients[0]) < 1e-5);
  }
  CHECK(pack(batch, true).rows() < pack(batch, false).rows());
  std::filesystem::remove(path);
}

TEST_CASE("the default mode's gradients stay close to the exact ones, for quantised weights too") {
  for (const WeightType type : {WeightType::f32, WeightType::q5_0, WeightType::q8_0}) {
    const std::string path = testing::tiny_model("gemma3", {.type = type});
    TrainConfig config = exact_config();
    const std::vector<Example> batch = testing::random_examples(8, 61, 5);
    auto exact = open(path, config);
    config.exact = false;
    auto fast = open(path, config);
    testing::randomize(exact->adapter(), 11);
    testing::randomize(fast->adapter(), 11);
    const std::vector<float> want = gradients_of(*exact, batch), got = gradients_of(*fast, batch);
    CHECK(cosine(got, want) > 0.9998);  // so few rows average little rounding
    CHECK(relative_error(got, want) < 0.02);
    CHECK(relative_error(got, want) > 0);
    std::filesystem::remove(path);
  }
}

TEST_CASE("one thread, two or four: the same bits, with dropout, in both modes") {
  const std::string path = testing::tiny_model("qwen3", {.type = WeightType::q8_0});
  const std::vector<Example> batch = testing::random_examples(12, 61, 5, {1, 2, 3, 4, 5});
  for (const bool exact : {false, true}) {
    TrainConfig config = exact_config();
    config.exact = exact;
    config.dropout = 0.1f;
    std::vector<std::string> hashes;
    for (const int threads : {1, 2, 4}) {
      config.threads = threads;
      auto trainer = open(path, config);
      for (int step = 0; step < 3; ++step) REQUIRE(trainer->step(batch).ok());
      const std::string adapter = temporary("threads.gguf");
      REQUIRE(trainer->save_adapter(adapter, {}).ok());
      hashes.push_back(*sha256_file(adapter));
      std::filesystem::remove(adapter);
    }
    CHECK(hashes[0] == hashes[1]);
    CHECK(hashes[0] == hashes[2]);
  }
  std::filesystem::remove(path);
}

TEST_CASE("a training that stops and resumes ends with the same bits") {
  const std::string path = testing::tiny_model("llama", {}), checkpoint = temporary("ckpt");
  const std::vector<Example> batch = testing::random_examples(4, 61, 5);
  TrainConfig config = exact_config();
  config.dropout = 0.2f;
  config.optimizer.total_steps = 6;
  config.optimizer.warmup_steps = 2;
  auto whole = open(path, config);
  for (int i = 0; i < 6; ++i) REQUIRE(whole->step(batch).ok());
  auto first = open(path, config);
  for (int i = 0; i < 4; ++i) REQUIRE(first->step(batch).ok());
  REQUIRE(first->save_checkpoint(checkpoint, "epoch 1, row 7").ok());
  auto second = open(path, config);
  const auto cursor = second->load_checkpoint(checkpoint);
  REQUIRE(cursor.ok());
  CHECK(*cursor == "epoch 1, row 7");
  CHECK(second->steps() == 4);
  for (int i = 0; i < 2; ++i) REQUIRE(second->step(batch).ok());
  CHECK(second->adapter().parameters == whole->adapter().parameters);

  config.lora.alpha = 6;
  CHECK(open(path, config)->load_checkpoint(checkpoint).error().code() == ErrorCode::invalid_input);
  std::string bytes = *files::read(checkpoint);
  bytes[bytes.size() / 2] ^= 1;
  REQUIRE(files::write_atomic(checkpoint, bytes).ok());
  CHECK(second->load_checkpoint(checkpoint).error().code() == ErrorCode::corrupt);
  std::filesystem::remove(checkpoint);
  std::filesystem::remove(path);
}

TEST_CASE("a few examples are learnt by heart, in the default mode") {
  const std::string path = testing::tiny_model("qwen3", {});
  TrainConfig config;
  config.lora.rank = 8;
  config.lora.alpha = 16;
  config.optimizer.learning_rate = 3e-2;
  config.optimizer.total_steps = 100;
  config.threads = 2;
  auto trainer = open(path, config);
  const std::vector<Example> batch = testing::random_examples(6, 61, 9);
  const double before = *trainer->loss(batch);
  double last = 0;
  for (int i = 0; i < 100; ++i) {
    const auto result = trainer->step(batch);
    REQUIRE(result.ok());
    CHECK(result->step == i + 1);
    last = result->loss;
  }
  CHECK(before > 3);
  CHECK(last < 0.1);
  std::filesystem::remove(path);
}

TEST_CASE(
    "what cannot be trained is refused, and a divergence stops with the parameters unharmed") {
  const std::string path = testing::tiny_model("llama", {});
  TrainConfig config = exact_config();
  config.max_tokens = 10;
  auto trainer = open(path, config);
  using Examples = std::vector<Example>;
  CHECK(trainer->step({}).error().code() == ErrorCode::invalid_input);
  for (const Examples& bad :
       {Examples{{{1, 2}, {}}}, Examples{{{}, {1}}}, Examples{{{61}, {1}}}, Examples{{{1}, {-1}}},
        Examples{{std::vector<int32_t>(10, 1), {1}}}}) {
    CHECK(trainer->step(bad).error().code() == ErrorCode::invalid_input);
  }
  CHECK(trainer->step(Examples{{{}, {1, 2}}}).ok());
  CHECK(trainer->step(Examples{{{1}, {2}}, {{1}, {2}}, {{1}, {2}}}).ok());
  config.lora.rank = 0;
  CHECK(Trainer::open(path, config).error().code() == ErrorCode::invalid_input);

  config = exact_config();
  config.optimizer.learning_rate = 1e30;
  config.optimizer.clip_norm = 0;
  trainer = open(path, config);
  const std::vector<Example> batch = testing::random_examples(3, 61, 9);
  bool stopped = false;
  for (int i = 0; i < 10 && !stopped; ++i) {
    const std::vector<float> before = trainer->adapter().parameters;
    const auto result = trainer->step(batch);
    stopped = !result.ok();
    if (stopped) CHECK(result.error().code() == ErrorCode::exhausted);
    if (stopped)
      CHECK(std::memcmp(before.data(), trainer->adapter().parameters.data(), before.size() * 4) ==
            0);
  }
  CHECK(stopped);
  std::filesystem::remove(path);
}
