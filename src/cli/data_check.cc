#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "base/hash.h"
#include "base/text.h"
#include "candidate/interpret.h"
#include "cli/data.h"
#include "cli/session.h"
#include "cli/table.h"
#include "dataset/check.h"
#include "eval/runner.h"
#include "eval/scorer.h"
#include "lab/provenance.h"
#include "skill/call.h"
#include "skill/said.h"

namespace slipway::cli {
namespace {

constexpr size_t kShownErrors = 8, kShownPairs = 12, kShownCounts = 40;

struct Loaded {
  std::vector<dataset::Dataset> datasets;
  std::map<const dataset::Dataset*, std::unique_ptr<eval::Scorer>> scorers;
};

Result<std::vector<lab::DatasetSpec>> chosen(const lab::Project& project,
                                             const Arguments& arguments) {
  std::vector<lab::DatasetSpec> specs;
  for (const auto& name : arguments.list("name")) {
    SLIPWAY_TRY(spec, project.dataset(name));
    specs.push_back(std::move(spec));
  }
  if (specs.empty()) specs = project.datasets;
  if (!specs.empty()) return specs;
  return Error::invalid_input("the project has no dataset", "add [datasets.NAME] to slipway.toml");
}

// Broken rows are what the check is there to find: they end no load.
Status load(const lab::Project& project, const std::vector<lab::DatasetSpec>& specs,
            Loaded& loaded) {
  loaded.datasets.reserve(specs.size());
  for (const auto& spec : specs) {
    SLIPWAY_TRY(rows, dataset::load_dataset(project.path(spec.path), {.strict = false}));
    rows.name = spec.name;
    if (!spec.split.empty()) rows.split = spec.split;
    loaded.datasets.push_back(std::move(rows));
    SLIPWAY_TRY(scorer, eval::make_scorer(spec.scorer, project.skills));
    loaded.scorers[&loaded.datasets.back()] = std::move(scorer);
  }
  return Status::success();
}

// A row of a text task calls nothing, whatever the project's skills.
std::vector<std::string> functions_of(const lab::Project& project, const Loaded& loaded) {
  std::vector<std::string> names;
  const bool calls = std::any_of(loaded.scorers.begin(), loaded.scorers.end(),
                                 [](const auto& s) { return s.second->id().starts_with("call/"); });
  if (!calls) return names;
  for (const auto* function : project.skills->functions())
    names.push_back(function->qualified_name());
  return names;
}

// Of calls by the project's skills: what a candidate that constrains can never answer.
class Undecodable {
 public:
  explicit Undecodable(const lab::Project& project)
      : skills_(project.skills), grammar_(skill::call_grammar(*skills_, {.max_calls = 16})) {}

  std::string operator()(const dataset::Example& example) const {
    if (example.context.get("functions")) return {};  // it brings a language of its own
    const auto calls = candidate::interpret(example.output, *skills_);
    if (!calls.ok()) return {};
    const auto text = skill::print_calls(*calls, *skills_);
    const auto line = join(split(text, '\n'), "; ");
    const auto said = candidate::said_in(eval::input_of(example));
    if (model::fits(*skill::as_said(grammar_, said), text)) return {};
    if (!model::fits(*grammar_, text)) return "no text of the call language: " + line;
    return "not in the words of the request: " + line;
  }

 private:
  std::shared_ptr<const skill::SkillSet> skills_;
  std::shared_ptr<const model::Constraint> grammar_;
};

Result<std::string> record(const lab::Project& project, store::Store& store, const Context& context,
                           const dataset::CheckReport& report) {
  store::Run run;
  run.experiment = project.name;
  run.kind = "check";
  run.name = "data check";
  run.inputs = json::Value::object();
  run.inputs.set("threshold", report.threshold);
  auto list = json::Value::array();
  for (const auto& dataset : report.datasets) {
    auto one = json::Value::object();
    list.push_back(one.set("dataset", dataset.name).set("dataset_sha256", dataset.sha256));
  }
  run.inputs.set("datasets", std::move(list));
  run.environment = lab::capture_provenance(project.folder, context.argv, store);
  SLIPWAY_TRY(created, store.create_run(std::move(run)));
  SLIPWAY_TRY(object, store.put_object(report.to_json().pretty()));
  SLIPWAY_CHECK(store.log_params(created.id, {{"report_sha256", object}}));
  size_t rows = 0;
  for (const auto& dataset : report.datasets) rows += dataset.rows;
  SLIPWAY_CHECK(store.log_metrics(
      created.id, {{"rows", static_cast<double>(rows)},
                   {"broken_rows", static_cast<double>(report.broken())},
                   {"duplicates", static_cast<double>(report.duplicate_count)},
                   {"conflicts", static_cast<double>(report.conflict_count)},
                   {"leaks", static_cast<double>(report.leak_count)},
                   {"unused_functions", static_cast<double>(report.unused.size())}}));
  SLIPWAY_CHECK(store.finish_run(created.id, store::RunStatus::finished));
  return created.id;
}

void print_errors(Context& context, const dataset::CheckedDataset& dataset,
                  const std::vector<dataset::RowError>& errors, size_t count, const char* what) {
  if (count == 0) return;
  context.out << fmt::format("\n{}: {} rows {}\n", dataset.path, count, what);
  for (size_t i = 0; i < std::min(kShownErrors, errors.size()); ++i)
    context.out << printable(fmt::format("  line {}: {}\n", errors[i].line, errors[i].message));
  if (count > kShownErrors) context.out << fmt::format("  and {} more\n", count - kShownErrors);
}

void print_pairs(Context& context, const std::vector<dataset::Pair>& pairs, size_t count,
                 const char* what) {
  if (count == 0) return;
  context.out << fmt::format("\n{} {}\n", count, what);
  Table table({">similarity", "row", "", "row", ""});
  for (size_t i = 0; i < std::min(kShownPairs, pairs.size()); ++i) {
    const auto& [first, second, similarity, same] = pairs[i];
    table.row({fmt::format("{:.2f}{}", similarity, same ? "" : " ≠"),
               fmt::format("{}:{}", first.dataset, first.line), shorten(first.text, 40),
               fmt::format("{}:{}", second.dataset, second.line), shorten(second.text, 40)});
  }
  context.out << table.text();
  if (count > kShownPairs) context.out << "the rest is in --json\n";
}

// Rows by function or tag, one column a dataset, the rarest first.
void print_balance(Context& context, const dataset::CheckReport& report, const char* what,
                   std::map<std::string, size_t> dataset::CheckedDataset::* counts) {
  std::map<std::string, size_t> totals;
  for (const auto& dataset : report.datasets)
    for (const auto& [name, count] : dataset.*counts) totals[name] += count;
  if (totals.empty()) return;
  std::vector<std::pair<size_t, std::string>> order;
  for (const auto& [name, count] : totals) order.emplace_back(count, name);
  std::sort(order.begin(), order.end());
  std::vector<std::string> headers = {what};
  for (const auto& dataset : report.datasets) headers.push_back(">" + dataset.name);
  Table table(headers);
  for (size_t i = 0; i < std::min(kShownCounts, order.size()); ++i) {
    std::vector<std::string> cells = {order[i].second};
    for (const auto& dataset : report.datasets) {
      const auto found = (dataset.*counts).find(order[i].second);
      cells.push_back(found == (dataset.*counts).end() ? "0" : std::to_string(found->second));
    }
    table.row(std::move(cells));
  }
  context.out << "\n" << table.text();
  if (order.size() > kShownCounts)
    context.out << fmt::format("and {} more; --json has all\n", order.size() - kShownCounts);
}

void print_report(Context& context, const dataset::CheckReport& report) {
  Table table({"dataset", "split", ">rows", ">broken", ">unreadable", ">undecodable", "sha256"});
  for (const auto& d : report.datasets) {
    table.row({d.name, d.split, std::to_string(d.rows), std::to_string(d.broken_count),
               std::to_string(d.unreadable_count), std::to_string(d.undecodable_count),
               short_id(d.sha256)});
  }
  context.out << table.text();
  for (const auto& d : report.datasets) {
    print_errors(context, d, d.broken, d.broken_count, "are broken");
    print_errors(context, d, d.unreadable, d.unreadable_count,
                 "expect an output that cannot be read or made");
    print_errors(context, d, d.undecodable, d.undecodable_count,
                 "expect what constrained decoding cannot write");
  }
  print_balance(context, report, "function", &dataset::CheckedDataset::functions);
  print_balance(context, report, "tag", &dataset::CheckedDataset::tags);
  if (!report.unused.empty()) {
    context.out << "\nno row calls";
    for (const auto& name : report.unused) context.out << " " << name;
    context.out << "\n";
  }
  const auto from =
      fmt::format("(similarity {:.2f} and above; ≠: another output)", report.threshold);
  print_pairs(context, report.duplicates, report.duplicate_count,
              ("duplicates within a dataset " + from).c_str());
  print_pairs(context, report.leaks, report.leak_count, ("leaks between splits " + from).c_str());
}

}  // namespace

CommandResult check_data(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(bench, open_workbench(context, arguments));
  SLIPWAY_TRY(threshold, arguments.number("threshold", 0.01, 1));
  SLIPWAY_TRY(pairs, arguments.integer("pairs", 0, 1'000'000));
  SLIPWAY_TRY(specs, chosen(bench.project(), arguments));
  Loaded loaded;
  SLIPWAY_CHECK(load(bench.project(), specs, loaded));
  dataset::CheckOptions options;
  options.threshold = threshold;
  options.max_pairs = static_cast<size_t>(pairs);
  options.functions = functions_of(bench.project(), loaded);
  options.read = [&](const dataset::Dataset& dataset, const dataset::Example& example) {
    return loaded.scorers.at(&dataset)->expected(example);
  };
  const Undecodable undecodable(bench.project());
  options.undecodable = [&](const dataset::Dataset& dataset, const dataset::Example& example) {
    const bool calls = loaded.scorers.at(&dataset)->id().starts_with("call/");
    return calls ? undecodable(example) : std::string();
  };
  std::vector<const dataset::Dataset*> datasets;
  for (const auto& dataset : loaded.datasets) datasets.push_back(&dataset);
  const auto report = dataset::check(datasets, options);
  SLIPWAY_TRY(run_id, record(bench.project(), *bench.store(), context, report));
  if (arguments.flag("json")) {
    auto value = report.to_json();
    context.out << value.set("run_id", run_id).pretty() << "\n";
  } else {
    print_report(context, report);
    context.out << fmt::format("\n{}; run {}\n",
                               report.leak_count ? "splits leak into each other" : "no leaks",
                               short_id(run_id));
  }
  return report.leak_count > 0 ? 1 : 0;
}

}  // namespace slipway::cli
