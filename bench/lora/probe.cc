// The trainer without a project around it, for scripts that hold it against a peer: tokens in,
// losses, gradients and adapters out. One JSON object per line on standard input, one answer per
// line on standard output (with "error" when it failed).
//
//     slipway-tune-probe gemma-3-270m.gguf
//     {"do": "tokenize", "rows": [["request: stop\ncall:", "media.stop()"]]}
//     {"do": "open", "rank": 16, "alpha": 32, "learning_rate": 5e-4, "threads": 2, "exact": false}
//     {"do": "step", "examples": [[[2, 818], [5279, 1]]]}
//     {"do": "gradients", "examples": [...], "out": "g.gguf"}   as an adapter whose A, B are theirs
//     {"do": "load", "from": "a.gguf"}   {"do": "save", "out": "a.gguf"}
//
// Tokenizing opens the engine, which counts as memory: a script that measures memory tokenizes in a
// process of its own.
#include <sys/resource.h>

#include <iostream>
#include <string>

#include "base/clock.h"
#include "json/value.h"
#include "model/model.h"
#include "tune/adapter_file.h"
#include "tune/trainer.h"

namespace {

using namespace slipway;

double peak_rss_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double cpu_ms() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

json::Value numbers(const std::vector<int32_t>& tokens) {
  auto out = json::Value::array();
  for (const auto token : tokens) out.push_back(token);
  return out;
}

Result<std::vector<int32_t>> tokens_of(const json::Value& value) {
  if (!value.is_array()) return Error::invalid_input("tokens are an array");
  std::vector<int32_t> out;
  for (const auto& token : value.as_array()) {
    if (!token.is_integer()) return Error::invalid_input("a token is a number");
    out.push_back(static_cast<int32_t>(token.as_integer()));
  }
  return out;
}

Result<std::vector<tune::Example>> examples_of(const json::Value& request) {
  const auto* list = request.get("examples");
  if (!list || !list->is_array()) return Error::invalid_input("examples: an array");
  std::vector<tune::Example> out;
  for (const auto& pair : list->as_array()) {
    if (!pair.is_array() || pair.size() != 2) return Error::invalid_input("[prompt, completion]");
    SLIPWAY_TRY(prompt, tokens_of(pair.as_array()[0]));
    SLIPWAY_TRY(completion, tokens_of(pair.as_array()[1]));
    out.push_back({std::move(prompt), std::move(completion)});
  }
  return out;
}

tune::TrainConfig config_of(const json::Value& r) {
  tune::TrainConfig c;
  const auto whole = [&](const char* key, auto otherwise) {
    return static_cast<decltype(otherwise)>(r.number(key, static_cast<double>(otherwise)));
  };
  c.lora.rank = whole("rank", c.lora.rank);
  c.lora.alpha = static_cast<float>(r.number("alpha", c.lora.alpha));
  c.lora.first_layer = whole("first_layer", 0);
  c.optimizer.learning_rate = r.number("learning_rate", c.optimizer.learning_rate);
  c.optimizer.schedule = tune::Schedule::constant;
  c.optimizer.clip_norm = r.number("clip_norm", c.optimizer.clip_norm);
  c.dropout = static_cast<float>(r.number("dropout", 0));
  c.seed = whole("seed", c.seed);
  c.threads = whole("threads", 0);
  c.exact = r.flag("exact");
  c.epsilon = static_cast<float>(r.number("epsilon", c.epsilon));
  c.share_prefixes = r.flag("share_prefixes", true);
  c.max_rows = whole("max_rows", c.max_rows);
  c.max_tokens = whole("max_tokens", c.max_tokens);
  return c;
}

class Probe {
 public:
  explicit Probe(std::string path) : path_(std::move(path)) {}

  Result<json::Value> answer(const json::Value& request) {
    const auto what = request.text("do");
    if (what == "tokenize") return tokenize(request);
    if (what == "open") return open(request);
    if (!trainer_) return Error::invalid_input("open first");
    if (what == "step") return step(request);
    if (what == "gradients") return gradients(request);
    auto done = json::Value::object();
    if (what == "load") {
      SLIPWAY_TRY(file, tune::read_gguf(request.text("from")));
      SLIPWAY_CHECK(tune::fill(trainer_->adapter(), file));
      return done;
    }
    if (what != "save") return Error::invalid_input("unknown: '" + what + "'");
    SLIPWAY_CHECK(trainer_->save_adapter(request.text("out"), {}));
    return done;
  }

 private:
  Result<json::Value> tokenize(const json::Value& request) {
    SLIPWAY_TRY(engine, model::open_llama({.name = path_, .path = path_}));
    auto examples = json::Value::array();
    const auto* rows = request.get("rows");
    if (!rows || !rows->is_array()) return Error::invalid_input("rows: an array");
    for (const auto& row : rows->as_array()) {
      SLIPWAY_TRY(prompt, engine->prompt_tokens({{"user", row.as_array()[0].as_string()}}));
      SLIPWAY_TRY(completion, engine->answer_tokens(row.as_array()[1].as_string()));
      auto pair = json::Value::array();
      pair.push_back(numbers(prompt));
      pair.push_back(numbers(completion));
      examples.push_back(std::move(pair));
    }
    auto out = json::Value::object();
    out.set("examples", std::move(examples)).set("engine", engine->info().engine_id);
    return out;
  }

  Result<json::Value> open(const json::Value& request) {
    const double begin = steady_ms();
    SLIPWAY_TRY(trainer, tune::Trainer::open(path_, config_of(request)));
    trainer_ = std::move(trainer);
    const auto& s = trainer_->base().shape;
    auto out = json::Value::object();
    out.set("milliseconds", steady_ms() - begin)
        .set("parameters", trainer_->adapter().parameters.size())
        .set("architecture", s.architecture)
        .set("layers", s.layers)
        .set("width", s.width)
        .set("ff", s.ff)
        .set("q_width", s.q_width())
        .set("kv_width", s.kv_width())
        .set("vocabulary", s.vocabulary);
    return out;
  }

  Result<json::Value> step(const json::Value& request) {
    SLIPWAY_TRY(examples, examples_of(request));
    const double before = cpu_ms();
    SLIPWAY_TRY(r, trainer_->step(examples));
    auto out = json::Value::object();
    out.set("loss", r.loss)
        .set("gradient_norm", r.gradient_norm)
        .set("tokens", r.tokens)
        .set("learnt_tokens", r.learnt_tokens)
        .set("rows", r.rows)
        .set("loss_rows", r.loss_rows)
        .set("head_entries", r.head_entries)
        .set("milliseconds", r.milliseconds)
        .set("cpu_ms", cpu_ms() - before)
        .set("peak_rss_mb", peak_rss_mb())
        .set("buffer_mb", static_cast<double>(trainer_->buffer_bytes()) / (1 << 20));
    return out;
  }

  Result<json::Value> gradients(const json::Value& request) {
    SLIPWAY_TRY(examples, examples_of(request));
    SLIPWAY_TRY(loss, trainer_->gradients(examples));
    auto& adapter = trainer_->adapter();
    std::swap(adapter.parameters, adapter.gradients);
    const auto saved = trainer_->save_adapter(request.text("out"), {});
    std::swap(adapter.parameters, adapter.gradients);
    SLIPWAY_CHECK(saved);
    auto out = json::Value::object();
    out.set("loss", loss);
    return out;
  }

  std::string path_;
  std::unique_ptr<tune::Trainer> trainer_;
};

json::Value reply(Probe& probe, const std::string& line) {
  auto request = json::parse(line);
  auto answer = request.ok() ? probe.answer(*request) : Result<json::Value>(request.error());
  if (answer.ok()) return std::move(*answer);
  auto out = json::Value::object();
  out.set("error", answer.error().to_string());
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: slipway-tune-probe MODEL.gguf\n";
    return 2;
  }
  Probe probe(argv[1]);
  for (std::string line; std::getline(std::cin, line);)
    std::cout << reply(probe, line).dump() << std::endl;
  return 0;
}
