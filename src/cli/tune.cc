#include "cli/tune.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lab/tuning.h"

namespace slipway::cli {
namespace {

constexpr size_t kLiveSpark = 8, kWholeSpark = 32;
constexpr size_t kShownRows = 5;

Result<int> whole(const Arguments& arguments, const std::string& name, int lowest, int highest) {
  SLIPWAY_TRY(value, arguments.integer(name, lowest, highest));
  return static_cast<int>(value);
}

Result<tune::Schedule> schedule_of(const std::string& name) {
  if (name == "linear") return tune::Schedule::linear;
  if (name == "cosine") return tune::Schedule::cosine;
  if (name == "constant") return tune::Schedule::constant;
  return Error::invalid_input("--schedule '" + name + "' is not linear, cosine or constant");
}

// "q,v,down", or all.
Result<std::vector<tune::Module>> modules_of(const std::string& names) {
  if (names == "all") return tune::all_modules();
  std::vector<tune::Module> modules;
  for (const auto& name : split(names, ',')) {
    const auto all = tune::all_modules();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](tune::Module m) { return tune::short_name(m) == name; });
    if (found == all.end()) {
      return Error::invalid_input("--modules '" + names + "': there is no '" + name + "'",
                                  "choose from q,k,v,o,gate,up,down, or say all");
    }
    modules.push_back(*found);
  }
  return modules;
}

// "12-": from the thirteenth on; "0-5": the first six.
Status layers_of(const std::string& text, tune::LoraConfig& lora) {
  if (text == "all") return {};
  const auto number = [](const std::string& digits, int& into) {
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return error == std::errc() && end == digits.data() + digits.size() && into >= 0 &&
           into < 100'000;
  };
  const auto dash = text.find('-');
  int last = 0;
  const bool open = dash != std::string::npos && dash + 1 == text.size();
  if (dash == std::string::npos || !number(text.substr(0, dash), lora.first_layer) ||
      (!open && !number(text.substr(dash + 1), last))) {
    return Error::invalid_input("--layers '" + text + "' is not all, FIRST- or FIRST-LAST",
                                "layers are counted from 0");
  }
  lora.layer_end = open ? 0 : last + 1;
  return {};
}

Status lora_and_optimizer(const Arguments& arguments, tune::TrainConfig& train) {
  SLIPWAY_TRY(modules, modules_of(arguments.text("modules")));
  SLIPWAY_TRY(ratio, arguments.number("lora-plus", 1e-3, 1e3));
  SLIPWAY_TRY(decay, arguments.number("weight-decay", 0, 1));
  SLIPWAY_TRY(clip, arguments.number("clip", 0, 1e9));
  SLIPWAY_CHECK(layers_of(arguments.text("layers"), train.lora));
  train.lora.modules = modules;
  train.lora.rank_stabilised = arguments.flag("rslora");
  train.optimizer.b_ratio = ratio;
  train.optimizer.weight_decay = decay;
  train.optimizer.clip_norm = clip;
  return {};
}

Result<lab::FitSettings> settings_of(const Arguments& arguments) {
  lab::FitSettings settings;
  auto& train = settings.train;
  SLIPWAY_TRY(rank, whole(arguments, "rank", 1, 1024));
  SLIPWAY_TRY(rate, arguments.number("lr", 0, 1e6));
  SLIPWAY_TRY(dropout, arguments.number("dropout", 0, 0.9));
  SLIPWAY_TRY(schedule, schedule_of(arguments.text("schedule")));
  SLIPWAY_TRY(seed, arguments.integer("seed", 0, std::numeric_limits<int64_t>::max()));
  SLIPWAY_TRY(threads, whole(arguments, "threads", 0, 1024));
  SLIPWAY_TRY(epochs, arguments.number("epochs", 1e-3, 1e5));
  SLIPWAY_TRY(batch, whole(arguments, "batch", 1, 100'000));
  SLIPWAY_TRY(patience, whole(arguments, "patience", 0, 100'000));
  SLIPWAY_TRY(max_tokens, whole(arguments, "max-tokens", 2, 1 << 20));
  train.lora.rank = rank;
  if (arguments.has("alpha")) {
    SLIPWAY_TRY(alpha, arguments.number("alpha", 1e-3, 1e6));
    train.lora.alpha = static_cast<float>(alpha);
  }
  train.optimizer.learning_rate = rate;
  train.optimizer.schedule = schedule;
  train.dropout = static_cast<float>(dropout);
  train.seed = static_cast<uint64_t>(seed);
  train.threads = threads;
  train.exact = arguments.flag("exact");
  train.max_tokens = max_tokens;
  SLIPWAY_CHECK(lora_and_optimizer(arguments, train));
  settings.epochs = epochs;
  settings.batch = batch;
  settings.patience = patience;
  if (arguments.has("warmup")) {
    SLIPWAY_TRY(warmup, arguments.integer("warmup", 0, 1'000'000'000));
    settings.warmup_steps = warmup;
  }
  return settings;
}

// What is named wins; else what the project has.
std::string or_else(const Arguments& arguments, const std::string& option, bool there,
                    const std::string& otherwise, const std::string& none) {
  const auto wanted = arguments.has(option) ? arguments.text(option) : there ? otherwise : "none";
  return wanted == "none" ? none : wanted;
}

// Whatever is not learnt is said before training starts.
void show_data(Context& context, const lab::TuningData& data) {
  context.err << fmt::format("{} examples, {} tokens of prompts, {} of answers\n",
                             data.examples.size(), data.prompt_tokens, data.answer_tokens);
  if (data.skipped.empty()) return;
  context.err << fmt::format("{} rows are left out:\n", data.skipped.size());
  for (size_t i = 0; i < std::min(kShownRows, data.skipped.size()); ++i) {
    const auto& row = data.skipped[i];
    context.err << fmt::format("  line {}: {}\n", row.line, printable_line(row.reason));
  }
  if (data.skipped.size() > kShownRows)
    context.err << fmt::format("  and {} more\n", data.skipped.size() - kShownRows);
}

void show_epoch(Context& context, ProgressLine& line, const lab::FitEpoch& epoch) {
  line.clear();
  const auto score = epoch.score ? fmt::format("  dev {}{}", percent(*epoch.score),
                                               epoch.best ? ", the best so far" : "")
                                 : std::string();
  context.err << fmt::format("epoch {}  loss {:.3f}{}\n", epoch.epoch, epoch.loss, score);
}

std::string next_command(const lab::Tuned& tuned) {
  const auto& spec = tuned.spec;
  return fmt::format("slipway eval --model {} --prompt {} --adapter {}{}", spec.model, spec.prompt,
                     spec.adapters[0], spec.constrain ? " --constrain" : " --no-constrain");
}

void print_tuned(Context& context, const lab::Tuned& tuned) {
  const auto& f = tuned.fitted;
  const auto speed = f.train_ms > 0 ? static_cast<double>(f.tokens) / f.train_ms * 1000 : 0;
  context.out << fmt::format("loss         {:.3f} -> {:.3f}  {}\n", f.losses.front(),
                             f.losses.back(), sparkline(f.losses, kWholeSpark));
  if (f.best_score) {
    context.out << fmt::format("dev          {} exact match, after epoch {}\n",
                               percent(*f.best_score), f.best_epoch);
  }
  context.out << fmt::format("training     {} steps in {}, {:.0f} tokens/s, {:.0f} MB at most\n",
                             f.steps, duration(f.train_ms), speed, f.peak_rss_mb);
  context.out << fmt::format("adapter      {} (SHA-256 {})\n", tuned.spec.adapters[0],
                             short_id(f.adapter_sha256));
  context.out << fmt::format("run          {}{}\n", short_id(f.run_id),
                             f.resumed ? fmt::format(" (continued at step {})", f.resumed_at) : "");
  context.out << "\nTo keep it, put this into slipway.toml:\n\n" << lab::to_toml(tuned.spec);
  context.out << "\nNext: " << next_command(tuned) << "\n";
}

json::Value tuned_json(const lab::Tuned& tuned) {
  const auto& f = tuned.fitted;
  auto losses = json::Value::array(), skipped = json::Value::array();
  for (const double loss : f.losses) losses.push_back(loss);
  for (const auto& row : tuned.skipped) {
    auto value = json::Value::object();
    value.set("id", row.id).set("line", row.line).set("reason", row.reason);
    skipped.push_back(std::move(value));
  }
  auto value = json::Value::object();
  value.set("run_id", f.run_id)
      .set("adapter", f.adapter_path)
      .set("adapter_sha256", f.adapter_sha256)
      .set("candidate", lab::to_toml(tuned.spec))
      .set("examples", tuned.examples)
      .set("skipped", std::move(skipped))
      .set("steps", f.steps)
      .set("losses", std::move(losses))
      .set("best_epoch", f.best_epoch)
      .set("dev_exact_match", f.best_score ? json::Value(*f.best_score) : json::Value())
      .set("tokens", f.tokens)
      .set("train_ms", f.train_ms)
      .set("peak_rss_mb", f.peak_rss_mb)
      .set("resumed", f.resumed)
      .set("resumed_at", f.resumed_at);
  return value;
}

CommandResult run_tune(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_TRY(spec, tune_spec(bench.project(), arguments));
  const bool as_json = arguments.flag("json");
  ProgressLine line(context, "tuning");
  auto tuned = lab::tune_candidate(bench, spec, hooks_of(context, line, as_json));
  line.clear();
  if (!tuned.ok()) return tuned.error();
  if (as_json)
    context.out << tuned_json(*tuned).pretty() << "\n";
  else
    print_tuned(context, *tuned);
  return 0;
}

}  // namespace

Result<lab::TuneSpec> tune_spec(const lab::Project& project, const Arguments& arguments) {
  lab::TuneSpec spec;
  SLIPWAY_TRY(settings, settings_of(arguments));
  spec.settings = settings;
  spec.name = arguments.text("name");
  spec.dataset = arguments.text("dataset");
  spec.out = arguments.text("out");
  spec.model = arguments.text("model");
  if (spec.model.empty()) {
    SLIPWAY_TRY(candidate, project.candidate(project.default_candidate));
    spec.model = candidate.model;
  }
  const std::string prompt = "prompts/short.jinja";
  spec.prompt =
      or_else(arguments, "prompt", files::exists(project.path(prompt)), prompt, "none");
  spec.dev = or_else(arguments, "dev", project.dataset("dev").ok() && spec.dataset != "dev", "dev",
                     "");
  if (arguments.has("limit")) {
    SLIPWAY_TRY(limit, arguments.integer("limit", 1, 1'000'000'000));
    spec.limit = static_cast<size_t>(limit);
  }
  SLIPWAY_TRY(copies, whole(arguments, "copies", 0, 1000));
  spec.copies = copies;
  SLIPWAY_TRY(every, whole(arguments, "checkpoint", 1, 1'000'000'000));
  spec.checkpoint_steps = every;
  spec.resume = arguments.flag("resume");
  spec.whole_vocabulary = arguments.flag("whole-vocabulary");
  return spec;
}

lab::TuneHooks hooks_of(Context& context, ProgressLine& line, bool quiet) {
  lab::TuneHooks hooks;
  hooks.cancel = context.cancel;
  if (!quiet) hooks.on_data = [&](const lab::TuningData& data) { show_data(context, data); };
  hooks.on_progress = [&line](const lab::FitProgress& p) {
    line.update(fmt::format("{}/{}, loss {:.3f} {}, {:.0f} tokens/s", p.step, p.total_steps,
                            p.losses->back(), sparkline(*p.losses, kLiveSpark), p.tokens_per_s),
                static_cast<double>(p.step) / static_cast<double>(p.total_steps), p.eta_ms);
  };
  if (!quiet)
    hooks.on_epoch = [&](const lab::FitEpoch& epoch) { show_epoch(context, line, epoch); };
  hooks.on_dev = [&line](const eval::Progress& p) {
    line.update(fmt::format("dev: {} of {}, {} right", p.done, p.total, p.passed),
                static_cast<double>(p.done) / static_cast<double>(p.total), p.eta_ms);
  };
  return hooks;
}

std::vector<Option> tune_options() {
  return {{"model", "whose weights: a catalog name or a GGUF file; else the default candidate's",
           "NAME", ""},
          {"prompt", "prompt file, or none; else prompts/short.jinja where there is one", "FILE",
           ""},
          {"dev", "evaluate on this dataset after each epoch, or none; else dev", "NAME", ""},
          {"name", "of the candidate", "NAME", "tuned"},
          {"out", "where the adapter goes; else adapters/NAME.gguf", "FILE", ""},
          {"epochs", "how often all rows are read; 0.5: half of them, by the seed", "N", "3"},
          {"lr", "learning rate", "RATE", "5e-4"},
          {"batch", "rows a step", "N", "16"},
          {"rank", "of the adapter", "N", "16"},
          {"alpha", "the adapter counts alpha / rank", "X", "32"},
          {"modules", "which linear maps: all, or some of q,k,v,o,gate,up,down", "LIST", "all"},
          {"layers", "which layers: all, FIRST- or FIRST-LAST, from 0", "RANGE", "all"},
          {"rslora", "the adapter counts alpha / sqrt(rank)", "", ""},
          {"lora-plus", "B learns X times faster than A", "X", "1"},
          {"weight-decay", "of the adapter", "X", "0"},
          {"clip", "longest gradient; 0: any", "X", "1"},
          {"schedule", "of the rate: linear, cosine, constant", "NAME", "linear"},
          {"warmup", "steps in which the rate rises; else a tenth", "N", ""},
          {"dropout", "share of the adapter's inputs left out", "X", "0"},
          {"patience", "end after N epochs without a better dev; 0: never", "N", "0"},
          {"seed", "of the first values and the order", "N", "0"},
          {"whole-vocabulary", "learn calls for decoding without --constrain; slower", "", ""},
          {"exact", "single precision and the whole gradient; slower", "", ""},
          {"resume", "continue the newest unfinished run of these settings", "", ""},
          {"checkpoint", "steps from one checkpoint to the next", "N", "50"},
          {"limit", "only the first N rows", "N", ""},
          {"copies", "read so many copies of each row too, varied as by data vary", "N", "0"},
          {"max-tokens", "leave longer rows out", "N", "2048"},
          {"threads", "0: all cores; changes no bit of the result", "N", "0"},
          project_option(),
          json_option()};
}

Command tune_command() {
  return {.name = "tune",
          .summary = "Train a LoRA adapter on a dataset: a smaller prompt, fewer errors, here",
          .details =
              "The adapter is GGUF: every tool built on llama.cpp loads it. Rows equal to a dev or "
              "test row are left out and\n"
              "named. The same inputs give the same adapter, byte by byte, also after --resume. "
              "docs/tune.md explains the choices.",
          .examples = {{"slipway tune train --model gemma-3-270m", "dev tells the best epoch"},
                       {"slipway tune train --model gemma-3-270m --prompt none --epochs 5",
                        "no prompt at all: the request is enough"},
                       {"slipway tune train --model gemma-3-270m --resume",
                        "after Ctrl-C or a power cut"}},
          .positionals = {{"dataset", "of slipway.toml, or a JSON Lines file", true, false}},
          .options = tune_options(),
          .run = run_tune};
}

}  // namespace slipway::cli
