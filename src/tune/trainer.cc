#include "tune/trainer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "tune/adapter_file.h"
#include "tune/decoder.h"
#include "tune/losses.h"

namespace slipway::tune {
namespace {

constexpr std::string_view checkpoint_magic = "slipway-tune-checkpoint-1\n";
constexpr size_t hash_size = 64;  // of its end, hexadecimal
constexpr uint64_t most_checkpoint = uint64_t{64} << 30;  // its hash says whether it is whole

Status check_config(const BaseModel& base, const TrainConfig& c) {
  const auto refuse = [](const std::string& what) {
    return Error::invalid_input(what, "see tune/trainer.h for the ranges");
  };
  const OptimizerConfig& o = c.optimizer;
  if (c.lora.rank < 1 || c.lora.rank > 1024) return refuse("rank must be 1 to 1024");
  if (!(c.lora.alpha > 0) || !std::isfinite(c.lora.alpha)) return refuse("alpha must be above 0");
  if (c.lora.modules.empty()) return refuse("no module is adapted");
  const int end = c.lora.layer_end;
  if (c.lora.first_layer < 0 || c.lora.first_layer >= base.shape.layers || end < 0 ||
      (end > 0 && end <= c.lora.first_layer) || end > base.shape.layers) {
    return Error::invalid_input("these layers are not in the model, which has " +
                                    std::to_string(base.shape.layers),
                                "they are counted from 0");
  }
  if (!(c.dropout >= 0) || c.dropout >= 1) return refuse("dropout must be at least 0 and below 1");
  if (!(c.epsilon >= 0) || c.epsilon >= 1) return refuse("epsilon must be at least 0 and below 1");
  if (c.max_rows < 1 || c.max_rows > 1 << 20) return refuse("max_rows must be 1 to 1048576");
  if (c.max_tokens < 2 || c.max_tokens > 1 << 20) return refuse("max_tokens must be 2 to 1048576");
  if (!(o.learning_rate >= 0) || !std::isfinite(o.learning_rate))
    return refuse("the learning rate must be at least 0");
  if (!(o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1 && o.epsilon > 0 &&
        o.b_ratio > 0)) {
    return refuse("the optimizer's constants are out of range");
  }
  return {};
}

Status check_choices(const Example& e, int vocabulary) {
  if (e.choices.empty()) return {};
  if (e.choices.size() != e.completion.size())
    return Error::invalid_input("an example has lists of choices for some tokens of its answer");
  for (size_t i = 0; i < e.choices.size(); ++i) {
    const auto& list = e.choices[i];
    const auto known = [&](int32_t token) { return token >= 0 && token < vocabulary; };
    if (!list.empty() && (std::find(list.begin(), list.end(), e.completion[i]) == list.end() ||
                          !std::all_of(list.begin(), list.end(), known)))
      return Error::invalid_input("an example's answer is not among the choices it is made from");
  }
  return {};
}

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_floats(std::string& out, const std::vector<float>& values) {
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

}  // namespace

struct Trainer::Impl {
  Impl(std::shared_ptr<const BaseModel> model, const TrainConfig& c)
      : base(std::move(model)),
        config(c),
        pool(c.threads),
        adapter(base->shape, c.lora, c.seed),
        optimizer(adapter, c.optimizer),
        decoder(*base, adapter, pool, c.frozen_bytes),
        losses(base->head, pool) {}

  Status check_all(std::span<const Example> examples) const;
  Status check(const Example& example) const;
  // Sum of losses over targets; adds to the gradients when `train`.
  double run(std::span<const Example> examples, bool train, StepResult& counts);
  std::string settings() const;

  std::shared_ptr<const BaseModel> base;
  TrainConfig config;
  ThreadPool pool;
  Adapter adapter;
  Optimizer optimizer;
  Decoder decoder;
  Losses losses;
  Buffer<float> d_hidden;
};

Status Trainer::Impl::check(const Example& e) const {
  const size_t tokens = e.prompt.size() + e.completion.size();
  if (e.completion.empty())
    return Error::invalid_input("an example has an empty answer", "leave it out");
  if (tokens < 2) return Error::invalid_input("an example has a single token", "leave it out");
  if (tokens > static_cast<size_t>(config.max_tokens)) {
    return Error::invalid_input("an example has " + std::to_string(tokens) + " tokens, more than " +
                                    std::to_string(config.max_tokens),
                                "shorten it, or allow more");
  }
  SLIPWAY_CHECK(check_choices(e, base->shape.vocabulary));
  for (const auto* part : {&e.prompt, &e.completion}) {
    for (const int32_t token : *part) {
      if (token < 0 || token >= base->shape.vocabulary) {
        return Error::invalid_input("token " + std::to_string(token) + " is not in the vocabulary");
      }
    }
  }
  return {};
}

Status Trainer::Impl::check_all(std::span<const Example> examples) const {
  if (examples.empty()) return Error::invalid_input("no examples", "give at least one");
  for (size_t i = 0; i < examples.size(); ++i) {
    if (const Status s = check(examples[i]); !s.ok())
      return s.error().in("example " + std::to_string(i));
  }
  return {};
}

double Trainer::Impl::run(std::span<const Example> examples, bool train, StepResult& counts) {
  int targets = 0;
  const std::vector<Packed> passes =
      pack_in_passes(examples, config.share_prefixes, config.max_rows);
  for (const Packed& p : passes) targets += static_cast<int>(p.targets.size());
  PassOptions pass;
  pass.keep = train;
  pass.exact = config.exact;
  pass.dropout = train ? config.dropout : 0;
  pass.seed = config.seed;
  HeadOptions loss;
  loss.gradient = train;
  loss.dense = config.exact || config.epsilon == 0;
  loss.epsilon = config.epsilon;
  loss.precision = config.exact ? Precision::single : fastest_precision();
  loss.gradient_scale = 1.0f / static_cast<float>(std::max(targets, 1));
  double total = 0;
  for (size_t i = 0; i < passes.size(); ++i) {
    const Packed& p = passes[i];
    counts.rows += p.rows();
    counts.loss_rows += static_cast<int>(p.loss_rows.size());
    counts.tokens += p.given_tokens;
    if (p.targets.empty()) continue;  // there was no choice anywhere
    pass.step = static_cast<uint64_t>(optimizer.steps) << 16 | i;
    const float* hidden = decoder.forward(p, pass);
    counts.layers = std::max(counts.layers, decoder.layers_computed());
    const size_t size = p.loss_rows.size() * static_cast<size_t>(base->shape.width);
    total += losses.run(p, hidden, loss, d_hidden.resize(size));
    if (train) decoder.backward(p, d_hidden.data());
    counts.head_entries += losses.entries();
  }
  counts.learnt_tokens = targets;
  return targets > 0 ? total / targets : 0;
}

// What must agree for a checkpoint to continue the same training.
std::string Trainer::Impl::settings() const {
  const OptimizerConfig& o = config.optimizer;
  std::string s = base->shape.architecture + " " + std::to_string(base->file->size()) + " " +
                  std::to_string(base->shape.layers) + "x" + std::to_string(base->shape.width) +
                  " rank " + std::to_string(config.lora.rank) + " modules";
  for (const Module m : config.lora.modules) s += " " + std::string(short_name(m));
  s += " from " + std::to_string(config.lora.first_layer);
  if (config.lora.layer_end > 0) s += " to " + std::to_string(config.lora.layer_end);
  s += " seed " + std::to_string(config.seed);
  std::string numbers;
  for (const float x : {config.lora.alpha, config.dropout, config.epsilon}) append(numbers, x);
  for (const bool x : {config.lora.rank_stabilised, config.exact, config.share_prefixes})
    append(numbers, x);
  if (config.frozen_bytes > 0) append(numbers, true);  // what is remembered is rounded
  for (const int64_t x : {int64_t{config.max_rows}, static_cast<int64_t>(o.schedule), o.total_steps,
                          o.warmup_steps}) {
    append(numbers, x);
  }
  for (const double x : {o.learning_rate, o.final_fraction, o.b_ratio, o.beta1, o.beta2, o.epsilon,
                         o.weight_decay, o.clip_norm}) {
    append(numbers, x);
  }
  return s + " " + sha256_hex(numbers);
}

Trainer::Trainer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Trainer::~Trainer() = default;

Result<std::unique_ptr<Trainer>> Trainer::open(const std::string& gguf_path,
                                               const TrainConfig& config) {
  SLIPWAY_TRY(base, BaseModel::open(gguf_path));
  return open(std::move(base), config);
}

Result<std::unique_ptr<Trainer>> Trainer::open(std::shared_ptr<const BaseModel> base,
                                               const TrainConfig& config) {
  SLIPWAY_CHECK(check_config(*base, config));
  return std::unique_ptr<Trainer>(new Trainer(std::make_unique<Impl>(std::move(base), config)));
}

Status Trainer::check(const Example& example) const { return impl_->check(example); }
const BaseModel& Trainer::base() const { return *impl_->base; }
const TrainConfig& Trainer::config() const { return impl_->config; }
Adapter& Trainer::adapter() { return impl_->adapter; }
int64_t Trainer::steps() const { return impl_->optimizer.steps; }
size_t Trainer::buffer_bytes() const { return impl_->decoder.bytes() + impl_->losses.bytes(); }

Result<double> Trainer::gradients(std::span<const Example> batch) {
  SLIPWAY_CHECK(impl_->check_all(batch));
  std::fill(impl_->adapter.gradients.begin(), impl_->adapter.gradients.end(), 0.0f);
  StepResult counts;
  return impl_->run(batch, true, counts);
}

Result<StepResult> Trainer::step(std::span<const Example> batch) {
  SLIPWAY_CHECK(impl_->check_all(batch));
  const double begin = steady_ms();
  StepResult result;
  std::fill(impl_->adapter.gradients.begin(), impl_->adapter.gradients.end(), 0.0f);
  result.loss = impl_->run(batch, true, result);
  result.gradient_norm = global_norm(impl_->adapter.gradients);
  if (!std::isfinite(result.loss) || !std::isfinite(result.gradient_norm)) {
    return Error::exhausted("training diverged at step " + std::to_string(steps() + 1) +
                                ": the loss is no longer a number",
                            "lower the learning rate and start from the last checkpoint");
  }
  result.learning_rate = learning_rate(impl_->config.optimizer, steps());
  impl_->optimizer.step(impl_->adapter, result.gradient_norm, impl_->pool);
  result.step = steps();
  result.milliseconds = steady_ms() - begin;
  return result;
}

Result<double> Trainer::loss(std::span<const Example> examples) {
  SLIPWAY_CHECK(impl_->check_all(examples));
  StepResult counts;
  return impl_->run(examples, false, counts);
}

Status Trainer::save_adapter(const std::string& path, const Metadata& metadata) const {
  return write_gguf(file_of(impl_->adapter, impl_->base->shape.architecture), path, metadata);
}

Status Trainer::save_checkpoint(const std::string& path, std::string_view cursor) const {
  const std::string settings = impl_->settings();
  constexpr size_t numbers = 3 * sizeof(uint64_t);
  std::string out;
  out.reserve(checkpoint_magic.size() + settings.size() + cursor.size() + numbers + hash_size +
              3 * sizeof(float) * impl_->adapter.parameters.size());
  out += checkpoint_magic;
  append(out, static_cast<uint64_t>(settings.size()));
  out += settings;
  append(out, static_cast<uint64_t>(cursor.size()));
  out += cursor;
  append(out, impl_->optimizer.steps);
  append_floats(out, impl_->adapter.parameters);
  append_floats(out, impl_->optimizer.first);
  append_floats(out, impl_->optimizer.second);
  out += sha256_hex(out);
  return files::write_atomic(path, out);
}

Result<std::string> Trainer::load_checkpoint(const std::string& path) {
  SLIPWAY_TRY(bytes, files::read(path, most_checkpoint));
  const auto damaged = [&] {
    return Error::corrupt("'" + path + "' is not a sound checkpoint",
                          "use an older one, or start again");
  };
  const std::string_view all = bytes;
  if (all.size() < checkpoint_magic.size() + hash_size || !all.starts_with(checkpoint_magic) ||
      sha256_hex(all.substr(0, all.size() - hash_size)) != all.substr(all.size() - hash_size)) {
    return damaged();
  }
  std::string_view rest = all.substr(0, all.size() - hash_size).substr(checkpoint_magic.size());
  const auto take = [&](void* to, size_t size) {
    if (rest.size() < size) return false;
    std::memcpy(to, rest.data(), size);
    rest.remove_prefix(size);
    return true;
  };
  const auto take_text = [&](std::string& to) {
    uint64_t size = 0;
    if (!take(&size, sizeof size) || size > rest.size()) return false;
    to.assign(rest.substr(0, size));
    rest.remove_prefix(size);
    return true;
  };
  std::string settings, cursor;
  if (!take_text(settings) || !take_text(cursor)) return damaged();
  if (settings != impl_->settings()) {
    return Error::invalid_input("'" + path + "' was made by a training with other settings",
                                "resume with the settings it was started with");
  }
  int64_t steps = 0;
  const size_t floats = impl_->adapter.parameters.size() * sizeof(float);
  if (!take(&steps, sizeof steps) || rest.size() != 3 * floats) return damaged();
  take(impl_->adapter.parameters.data(), floats);
  take(impl_->optimizer.first.data(), floats);
  take(impl_->optimizer.second.data(), floats);
  impl_->optimizer.steps = steps;
  return cursor;
}

}  // namespace slipway::tune
