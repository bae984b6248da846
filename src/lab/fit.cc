#include "lab/fit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "tune/philox.h"
#include "store/held_run.h"
#include "store/objects.h"

namespace slipway::lab {
namespace {

constexpr uint64_t kOrderStream = uint64_t{0x6f72646572} << 24;  // apart from the trainer's own
constexpr double kFlushMs = 1'000;
constexpr size_t kFrozenBytes = size_t{1} << 30;  // some 700,000 rows of a 270M model

// Where each example stands in an epoch (Fisher-Yates).
std::vector<size_t> order_of(size_t count, uint64_t seed, int64_t epoch) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = count; i > 1; --i) {
    const auto bits = tune::philox(seed, kOrderStream + static_cast<uint64_t>(epoch), i)[0];
    std::swap(order[i - 1], order[static_cast<size_t>((uint64_t{bits} * i) >> 32)]);
  }
  return order;
}

double rss_mb() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double peak_rss_mb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

class Fitting {
 public:
  explicit Fitting(const Fit& fit) : f_(fit) {}

  Result<Fitted> run() {
    SLIPWAY_CHECK(open_trainer());
    if (const auto opened = open_run(); !opened.ok()) {
      if (held_) SLIPWAY_CHECK(close_run(opened));
      return opened.error();
    }
    if (f_.on_run) f_.on_run(result_.run_id);
    auto outcome = train();
    if (outcome.ok()) outcome = deliver();
    const auto closed = close_run(outcome);
    if (!outcome.ok()) return outcome.error();
    SLIPWAY_CHECK(closed);
    SLIPWAY_CHECK(files::remove_all(folder()));
    return std::move(result_);
  }

 private:
  Status open_trainer() {
    const auto& s = f_.settings;
    if (!f_.examples || f_.examples->empty()) return Error::invalid_input("nothing to learn from");
    if (!(s.epochs > 0) || s.batch < 1) {
      return Error::invalid_input("epochs must be above 0, batch at least 1");
    }
    const auto count = static_cast<int64_t>(f_.examples->size());
    per_epoch_ = (count + s.batch - 1) / s.batch;
    total_ = std::max<int64_t>(1, std::llround(static_cast<double>(per_epoch_) * s.epochs));
    auto config = s.train;
    config.optimizer.total_steps = total_;
    config.frozen_bytes = s.epochs > 1 ? kFrozenBytes : 0;
    config.optimizer.warmup_steps = s.warmup_steps < 0 ? total_ / 10 : s.warmup_steps;
    SLIPWAY_TRY(trainer, tune::Trainer::open(f_.weights_path, config));
    trainer_ = std::move(trainer);
    constexpr uint64_t said = 1 << 20;  // in the file beside the numbers, at most
    const uint64_t bytes = trainer_->adapter().parameters.size() * sizeof(float) + said;
    if (bytes > store::ObjectFolder::most_bytes) {
      return Error::exhausted("an adapter of this rank is above the 1 GiB that the store keeps",
                              "lower --rank, or adapt fewer --layers");
    }
    for (const auto& example : *f_.examples) SLIPWAY_CHECK(trainer_->check(example));
    blind_loss_ = std::log(static_cast<double>(trainer_->base().shape.vocabulary));
    return {};
  }

  std::string folder() const { return files::join(f_.store->folder(), "tune/" + result_.run_id); }
  std::string checkpoint_path() const { return files::join(folder(), "state.ckpt"); }
  std::string epoch_path(int64_t epoch) const {
    return files::join(folder(), "epoch-" + std::to_string(epoch) + ".gguf");
  }

  json::Value inputs() const {
    auto inputs = f_.inputs;
    inputs.set("settings", f_.settings.to_json())
        .set("examples", f_.examples->size())
        .set("steps", total_);
    return inputs;
  }

  Status open_run() {
    if (!f_.resume) return begin_run();
    const store::RunQuery trainings{.experiment = f_.experiment, .kind = "tune", .limit = 1000};
    SLIPWAY_TRY(left, store::take_unfinished(*f_.store, trainings, inputs()));
    if (left) {
      held_ = std::move(left);
      return continue_run(held_->run.id);
    }
    return Error::not_found("no unfinished training with these inputs and settings",
                            "leave --resume out to begin one, or give the settings it began with");
  }

  Status begin_run() {
    store::Run run;
    run.experiment = f_.experiment;
    run.kind = "tune";
    run.name = f_.name;
    run.parent_id = f_.parent_run_id;
    run.inputs = inputs();
    run.environment = f_.environment;
    SLIPWAY_TRY(begun, store::create_held(*f_.store, std::move(run)));
    held_ = std::move(begun);
    result_.run_id = held_->run.id;
    std::vector<std::pair<std::string, std::string>> params;
    const auto settings = f_.settings.to_json();
    for (const auto& [key, value] : settings.as_object())
      params.emplace_back(key, value.is_string() ? value.as_string() : value.dump());
    return f_.store->log_params(result_.run_id, params);
  }

  Status continue_run(const std::string& run_id) {
    result_.run_id = run_id;
    result_.resumed = true;
    SLIPWAY_CHECK(f_.store->finish_run(run_id, store::RunStatus::running));
    SLIPWAY_TRY(tags, f_.store->tags(run_id));
    if (tags.contains(diverged_tag))
      SLIPWAY_CHECK(f_.store->set_tags(run_id, {{diverged_tag, "0"}}));
    SLIPWAY_TRY(history, f_.store->metric_history(run_id, "loss"));
    for (const auto& metric : history) logged_ = std::max(logged_, metric.step);
    if (!files::exists(checkpoint_path())) return {};  // it was stopped before the first
    const auto text = trainer_->load_checkpoint(checkpoint_path());
    if (!text.ok()) {
      const auto code = text.error().code();  // damaged, or of a version whose settings differ
      if (code != ErrorCode::corrupt && code != ErrorCode::invalid_input) return text.error();
      return files::remove_all(folder());  // from the first step, then
    }
    SLIPWAY_TRY(cursor, json::parse(*text));
    result_.resumed_at = trainer_->steps();
    judged_ = static_cast<int64_t>(cursor.number("judged"));
    result_.best_epoch = static_cast<int>(cursor.number("best_epoch"));
    if (const auto* best = cursor.get("best_score")) result_.best_score = best->as_number();
    result_.tokens = static_cast<int64_t>(cursor.number("tokens"));
    result_.train_ms = cursor.number("train_ms");
    result_.losses.assign(static_cast<size_t>(trainer_->steps()), 0);
    for (const auto& metric : history) {
      if (metric.step >= 1 && metric.step <= trainer_->steps())
        result_.losses[static_cast<size_t>(metric.step - 1)] = metric.value;
    }
    return {};
  }

  Status train() {
    while (true) {
      const auto steps = trainer_->steps();
      if (steps == std::min((judged_ + 1) * per_epoch_, total_) && steps > judged_ * per_epoch_)
        SLIPWAY_CHECK(end_epoch());
      if (steps == total_ || out_of_patience()) break;
      if (f_.cancel.cancelled()) {
        SLIPWAY_CHECK(save());
        return cancelled();
      }
      SLIPWAY_CHECK(step());
      const bool good = result_.losses.back() <= worst_loss();
      if (good && trainer_->steps() % f_.checkpoint_steps == 0) SLIPWAY_CHECK(save());
    }
    return flush();
  }

  Error cancelled() const {
    return Error(
        ErrorCode::cancelled,
        "stopped after step " + std::to_string(trainer_->steps()) + "; a checkpoint is kept",
        "the same command with --resume continues it");
  }

  bool out_of_patience() const {
    return f_.settings.patience > 0 && result_.best_score && judged_ > 0 &&
           judged_ - result_.best_epoch >= f_.settings.patience;
  }

  Status step() {
    const auto epoch = trainer_->steps() / per_epoch_;
    const auto count = f_.examples->size();
    if (epoch != ordered_epoch_) {
      order_ = order_of(count, f_.settings.train.seed, epoch);
      ordered_epoch_ = epoch;
    }
    const auto size = static_cast<size_t>(f_.settings.batch);
    const auto begin = static_cast<size_t>(trainer_->steps() % per_epoch_) * size;
    std::vector<tune::Example> batch;
    for (size_t i = begin; i < std::min(begin + size, count); ++i)
      batch.push_back((*f_.examples)[order_[i]]);
    auto stepped = trainer_->step(batch);
    if (!stepped.ok()) return stop_at_step(stepped.error());
    SLIPWAY_CHECK(note(*stepped));
    if (lately() <= worst_loss()) return {};
    return stop_at_step(Error::exhausted(
        "training diverged at step " + std::to_string(stepped->step) + ": a loss of " +
            json::Value(std::round(lately() * 100) / 100).dump() + " is worse than guessing",
        "lower the learning rate"));
  }

  // Well above that of a model that knows nothing, and of this one at its first step.
  double worst_loss() const { return 1.2 * std::max(blind_loss_, result_.losses.front()); }
  double lately() const {
    const auto few = std::clamp<std::ptrdiff_t>(total_ / 2, 1, 8);  // less in a short training
    if (std::ssize(result_.losses) < few) return 0;
    return std::accumulate(result_.losses.end() - few, result_.losses.end(), 0.0) /
           static_cast<double>(few);
  }

  // The parameters may be bad: they do not replace the last checkpoint.
  Status stop_at_step(const Error& error) {
    if (error.code() == ErrorCode::exhausted)
      SLIPWAY_CHECK(f_.store->set_tags(result_.run_id, {{diverged_tag, "1"}}));
    const auto kept = saved_ ? *saved_ : result_.resumed_at;
    if (kept == 0) return error;
    return Error(error.code(), error.message(),
                 error.hint() + "; the checkpoint of step " + std::to_string(kept) +
                     " is kept in " + folder());
  }

  Status note(const tune::StepResult& r) {
    result_.losses.push_back(r.loss);
    result_.tokens += r.tokens;
    result_.train_ms += r.milliseconds;
    recent_ms_ = recent_ms_ * 0.9 + r.milliseconds;
    recent_tokens_ = recent_tokens_ * 0.9 + r.tokens;
    recent_steps_ = recent_steps_ * 0.9 + 1;
    const double tokens_per_s = r.tokens / std::max(r.milliseconds, 1e-3) * 1000;
    if (r.step > logged_) {  // a resumed run has them already
      const auto now = now_unix_ms();
      for (const auto& [key, value] : {std::pair{"loss", r.loss},
                                       {"learning_rate", r.learning_rate},
                                       {"gradient_norm", r.gradient_norm},
                                       {"tokens_per_s", tokens_per_s},
                                       {"rss_mb", rss_mb()}}) {
        metrics_.push_back({key, value, r.step, now});
      }
    }
    if (steady_ms() - flushed_ms_ > kFlushMs) SLIPWAY_CHECK(flush());
    tell();
    return {};
  }

  void tell() const {
    if (!f_.on_progress) return;
    FitProgress p;
    p.step = trainer_->steps();
    p.total_steps = total_;
    p.losses = &result_.losses;
    p.tokens_per_s = recent_ms_ > 0 ? recent_tokens_ / recent_ms_ * 1000 : 0;
    p.eta_ms =
        recent_steps_ > 0 ? recent_ms_ / recent_steps_ * static_cast<double>(total_ - p.step) : 0;
    f_.on_progress(p);
  }

  Status flush() {
    flushed_ms_ = steady_ms();
    if (metrics_.empty()) return {};
    SLIPWAY_CHECK(f_.store->log_metrics(result_.run_id, metrics_));
    metrics_.clear();
    return {};
  }

  // Metrics first: what a checkpoint stands for is in the store.
  Status save() {
    SLIPWAY_CHECK(flush());
    auto cursor = json::Value::object();
    cursor.set("judged", judged_)
        .set("best_epoch", result_.best_epoch)
        .set("tokens", result_.tokens)
        .set("train_ms", result_.train_ms);
    if (result_.best_score) cursor.set("best_score", *result_.best_score);
    SLIPWAY_CHECK(files::make_directories(folder()));
    SLIPWAY_CHECK(trainer_->save_checkpoint(checkpoint_path(), cursor.dump()));
    saved_ = trainer_->steps();
    return {};
  }

  // The score decides; of equals the later epoch, whose loss is lower.
  Status end_epoch() {
    const auto number = judged_ + 1;
    SLIPWAY_CHECK(save());  // judging takes a while
    SLIPWAY_CHECK(trainer_->save_adapter(epoch_path(number), f_.metadata));
    FitEpoch epoch{result_.run_id, static_cast<int>(number), epoch_path(number)};
    const auto steps = trainer_->steps() - (number - 1) * per_epoch_;  // the last may be a part
    const auto begin = result_.losses.end() - steps;
    epoch.loss = std::accumulate(begin, result_.losses.end(), 0.0) / static_cast<double>(steps);
    metrics_.push_back({"epoch_loss", epoch.loss, number});
    if (f_.judge) {
      auto score = f_.judge(epoch);
      if (!score.ok() && score.error().code() == ErrorCode::cancelled) return cancelled();
      SLIPWAY_CHECK(score.ok() ? Status() : Status(score.error()));
      epoch.score = *score;
      metrics_.push_back({"dev_exact_match", *score, number});
    }
    const auto before = result_.best_epoch;
    epoch.best = !epoch.score || !result_.best_score || *epoch.score >= *result_.best_score;
    if (epoch.best) result_.best_epoch = epoch.epoch, result_.best_score = epoch.score;
    judged_ = number;
    SLIPWAY_CHECK(save());
    if (f_.on_epoch) f_.on_epoch(epoch);
    // Only now is the other one never asked for again.
    if (!epoch.best) return files::remove_all(epoch_path(number));
    return before > 0 ? files::remove_all(epoch_path(before)) : Status();
  }

  Status deliver() {
    SLIPWAY_TRY(bytes, files::read(epoch_path(result_.best_epoch)));
    SLIPWAY_TRY(sha, f_.store->put_object(bytes));
    SLIPWAY_CHECK(files::make_directories(files::parent(f_.adapter_path)));
    SLIPWAY_CHECK(files::write_atomic(f_.adapter_path, bytes));
    result_.adapter_path = f_.adapter_path;
    result_.adapter_sha256 = sha;
    result_.steps = trainer_->steps();
    result_.peak_rss_mb = peak_rss_mb();
    SLIPWAY_CHECK(f_.store->log_metrics(result_.run_id,
                                        {{"best_epoch", static_cast<double>(result_.best_epoch)},
                                         {"peak_rss_mb", result_.peak_rss_mb},
                                         {"train_s", result_.train_ms / 1000}}));
    return f_.store->set_tags(result_.run_id,
                              {{"adapter_sha256", sha}, {"adapter_path", f_.adapter_path}});
  }

  Status close_run(const Status& outcome) {
    if (!outcome.ok()) SLIPWAY_CHECK(flush());
    return f_.store->end_run(result_.run_id, outcome);
  }

  const Fit& f_;
  std::unique_ptr<tune::Trainer> trainer_;
  Fitted result_;
  std::optional<store::HeldRun> held_;
  int64_t per_epoch_ = 0, total_ = 0;
  double blind_loss_ = 0;  // of guessing each token at random
  int64_t judged_ = 0;     // epochs
  int64_t logged_ = 0;     // steps whose metrics an earlier sitting put into the store
  std::optional<int64_t> saved_;
  std::vector<size_t> order_;
  int64_t ordered_epoch_ = -1;
  std::vector<store::Metric> metrics_;
  double flushed_ms_ = 0;
  double recent_ms_ = 0, recent_tokens_ = 0, recent_steps_ = 0;
};

std::string schedule_name(tune::Schedule schedule) {
  switch (schedule) {
    case tune::Schedule::constant:
      return "constant";
    case tune::Schedule::linear:
      return "linear";
    case tune::Schedule::cosine:
      return "cosine";
  }
  return {};
}

}  // namespace

json::Value FitSettings::to_json() const {
  std::vector<std::string> modules;
  for (const auto module : train.lora.modules) modules.emplace_back(tune::short_name(module));
  const bool whole = epochs == std::floor(epochs);
  auto value = json::Value::object();
  value.set("rank", train.lora.rank)
      .set("alpha", train.lora.alpha)
      .set("rank_stabilised", train.lora.rank_stabilised)
      .set("modules", join(modules, " "))
      .set("first_layer", train.lora.first_layer)
      .set("layer_end", train.lora.layer_end)
      .set("epochs", whole ? json::Value(static_cast<int64_t>(epochs)) : json::Value(epochs))
      .set("batch", batch)
      .set("learning_rate", train.optimizer.learning_rate)
      .set("schedule", schedule_name(train.optimizer.schedule))
      .set("warmup_steps", warmup_steps)
      .set("b_ratio", train.optimizer.b_ratio)
      .set("weight_decay", train.optimizer.weight_decay)
      .set("clip_norm", train.optimizer.clip_norm)
      .set("dropout", train.dropout)
      .set("seed", train.seed)
      .set("exact", train.exact)
      .set("epsilon", train.epsilon)
      .set("max_rows", train.max_rows)
      .set("patience", patience);
  return value;
}

Result<Fitted> run_fit(const Fit& fit) { return Fitting(fit).run(); }

}  // namespace slipway::lab
