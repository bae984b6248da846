#include <fmt/core.h>

#include <ostream>

#include "base/clock.h"
#include "base/hash.h"
#include "cli/figures.h"
#include "cli/hearing.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "dataset/dataset.h"
#include "eval/runner.h"

namespace slipway::cli {
namespace {

void show_failures(Context& context, store::Store& store, const std::string& run_id) {
  auto cases = store.cases(run_id);
  if (!cases.ok()) return;
  Table table({"row", "expected", "got", "why"});
  int shown = 0, failed = 0;
  for (const auto& c : *cases) {
    if (c.passed) continue;
    if (++failed > 8) continue;
    ++shown;
    table.row({shorten(c.example_id, 16), shorten(c.detail.text("expected"), 44),
               shorten(c.output, 44), shorten(c.detail.text("reason"), 40)});
  }
  if (failed == 0) return;
  context.out << fmt::format("\n{} of {} failed{}:\n", failed, cases->size(),
                             failed > shown ? fmt::format("; the first {}", shown) : "")
              << table.text();
}

void print_report(Context& context, store::Store& store, const eval::EvaluationResult& result,
                  const store::Looks& looks) {
  print_figures(context.out, result.report);
  if (looks.runs > 0) {
    context.out << fmt::format("{:<18} {} evaluations of {} candidates on these test rows so far\n",
                               "looks", looks.runs, looks.candidates);
  }
  context.out << fmt::format(
      "{:<18} {}{}\n", "run", short_id(result.run_id),
      result.resumed ? fmt::format(" (continued: {} were done)", result.already_done) : "");
  show_failures(context, store, result.run_id);
  context.out << fmt::format("\nNext: slipway show {}\n", short_id(result.run_id));
}

// What the model would read, a JSON line for each row.
Status print_prompts(Context& context, const lab::Ready& ready, const dataset::Dataset& rows) {
  for (const auto& example : rows.examples) {
    SLIPWAY_TRY(request,
                candidate::make_request(ready.candidate, eval::input_of(example), nullptr));
    SLIPWAY_TRY(prompt, ready.model->render(request.messages));
    auto line = json::Value::object();
    line.set("id", example.id).set("prompt", prompt);
    context.out << line.dump() << "\n";
  }
  return Status();
}

CommandResult run_eval(Context& context, const Arguments& arguments) {
  if (arguments.has("audio")) return eval_audio(context, arguments);
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_TRY(spec, chosen_candidate(bench.project(), arguments));
  SLIPWAY_TRY(dataset_spec, bench.project().dataset(arguments.text("dataset")));
  dataset::LoadOptions load;
  if (arguments.has("limit")) {
    SLIPWAY_TRY(limit, arguments.integer("limit", 1, 1'000'000'000));
    load.max_rows = static_cast<size_t>(limit);
  }
  SLIPWAY_TRY(rows, dataset::load_dataset(bench.project().path(dataset_spec.path), load));
  if (!dataset_spec.split.empty()) rows.split = dataset_spec.split;
  if (rows.examples.empty()) return Error::invalid_input(dataset_spec.path + " has no rows");
  if (arguments.flag("logprobs")) spec.decoding.logprobs = true;
  SLIPWAY_TRY(ready, bench.prepare(spec));
  if (arguments.flag("prompts")) {
    SLIPWAY_CHECK(print_prompts(context, ready, rows));
    return 0;
  }
  const auto scorer_name = arguments.has("scorer") ? arguments.text("scorer") : dataset_spec.scorer;
  SLIPWAY_TRY(scorer, eval::make_scorer(scorer_name, ready.candidate.skills));

  ProgressLine progress(context, spec.name);
  auto evaluation = bench.evaluation(ready, rows, *scorer);
  evaluation.use_answers = !arguments.flag("fresh");
  evaluation.resume = !arguments.flag("fresh");
  evaluation.cancel = context.cancel;
  evaluation.on_progress = [&](const eval::Progress& p) {
    const auto fraction = static_cast<double>(p.done) / static_cast<double>(p.total);
    progress.update(fmt::format("{} of {}, {} right", p.done, p.total, p.passed), fraction,
                    p.eta_ms);
  };
  auto result = eval::evaluate(evaluation);
  progress.clear();
  if (!result.ok()) {
    if (result.error().code() == ErrorCode::cancelled) {
      return Error(ErrorCode::cancelled, "stopped; finished cases are kept",
                   "the same command continues where this one stopped");
    }
    return result.error();
  }
  store::Looks looks;
  if (rows.split == "test") {
    SLIPWAY_TRY(seen, bench.store()->looks(rows.sha256));
    looks = seen;
  }
  if (arguments.flag("json")) {
    auto value = result->report.to_json();
    value.set("looks", looks.runs).set("looks_candidates", looks.candidates);
    value.set("run_id", result->run_id)
        .set("candidate", ready.candidate.id())
        .set("resumed", result->resumed)
        .set("already_done", result->already_done)
        .set("wall_ms", result->wall_ms);
    context.out << value.pretty() << "\n";
  } else {
    print_report(context, *bench.store(), *result, looks);
  }
  return 0;
}

}  // namespace

Command eval_command() {
  std::vector<Option> options = {
      {"candidate", "which candidate of slipway.toml", "NAME", ""},
      {"dataset", "of slipway.toml, or a JSON Lines file", "NAME", "test"},
      {"audio", "on recordings instead: a manifest of clips (docs/speech.md)", "FILE", ""},
      {"scorer", "call, fields, json or bfcl, if not the dataset's own", "NAME", ""},
      {"limit", "only the first N rows", "N", ""},
      {"prompts", "print what the model would read, as JSON Lines, and evaluate nothing", "", ""},
      {"fresh", "compute every answer anew, in a new run", "", ""},
      {"sequences", "answers computed side by side; changes no bit of them", "N", ""},
      {"no-fast-forward", "ask the model also for text that the call language forces", "", ""},
      {"logprobs", "keep a hash of the log probabilities with every case", "", ""},
      project_option(),
      json_option()};
  for (auto& option : hearing_options()) options.push_back(option);
  for (auto& option : candidate_options()) options.push_back(option);
  return {.name = "eval",
          .summary = "Measure a candidate on a dataset, with intervals, as a recorded run",
          .details =
              "Answers are remembered by everything that decides them and never counted as "
              "latency. A run that was\n"
              "stopped is continued by the same command.",
          .examples = {{"slipway eval --candidate formatted", "on the project's test rows"},
                       {"slipway eval --dataset dev --model qwen2.5-coder-0.5b-instruct",
                        "the same prompt, another model"},
                       {"slipway eval --audio clips/manifest.jsonl",
                        "word, sentence and call errors on spoken requests"},
                       {"slipway eval --fresh --json", "nothing remembered, for a script"}},
          .options = options,
          .run = run_eval};
}

}  // namespace slipway::cli
