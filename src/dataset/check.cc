#include "dataset/check.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/hash.h"
#include "dataset/minhash.h"

namespace slipway::dataset {
namespace {

constexpr size_t max_errors = 1000;

struct Row {
  const Dataset* dataset;
  const Example* example;
  std::string context;  // canonical
};

// All that was said, as one text.
std::string words_of(const Example& example) {
  std::string words = example.input;
  for (const auto& message : example.messages) words += message.content + "\n";
  return normalised(words);
}

class PairFinder {
 public:
  PairFinder(CheckReport& report, const CheckOptions& options)
      : report_(report), options_(options) {}

  void add(const Dataset& dataset, const Example& example) {
    auto words = words_of(example);
    Row row{&dataset, &example,
            example.context.is_null() ? std::string() : sha256_hex(example.context.canonical())};
    auto& same = groups_[words];
    for (const auto& earlier : same) note(earlier, row, 1);
    if (same.size() < most_compared_) same.push_back(row);
    if (same.size() > 1) return;  // its near ones are those of the first
    auto set = shingles(words);
    for (auto number : index_.add(set)) {
      const auto similarity = jaccard(sets_[number], set);
      if (similarity < options_.threshold) continue;
      for (const auto& earlier : groups_[words_[number]]) note(earlier, row, similarity);
    }
    sets_.push_back(std::move(set));
    words_.push_back(std::move(words));
  }

 private:
  // A row repeated a thousand times is compared with this many of them.
  static constexpr size_t most_compared_ = 8;

  static Place place_of(const Row& row) {
    return {row.dataset->name, row.dataset->split, row.example->id, row.example->text(),
            row.example->line};
  }

  void note(const Row& first, const Row& second, double similarity) {
    const bool same_output = first.example->output == second.example->output;
    const bool same_context = first.context == second.context;
    if (!same_context && !same_output) return;
    const bool within = first.dataset == second.dataset;
    auto& count = within ? report_.duplicate_count : report_.leak_count;
    auto& kept = within ? report_.duplicates : report_.leaks;
    ++count;
    report_.conflict_count += similarity == 1 && same_context && !same_output;
    if (kept.size() < options_.max_pairs)
      kept.push_back({place_of(first), place_of(second), similarity, same_output});
  }

  CheckReport& report_;
  const CheckOptions& options_;
  NearIndex index_;
  std::vector<std::vector<uint64_t>> sets_;
  std::vector<std::string> words_;
  std::unordered_map<std::string, std::vector<Row>> groups_;
};

void read_output(const Dataset& dataset, const Example& example, const CheckOptions& options,
                 CheckedDataset& checked) {
  if (!options.read) return;
  auto functions = options.read(dataset, example);
  if (!functions.ok()) {
    ++checked.unreadable_count;
    if (checked.unreadable.size() < max_errors)
      checked.unreadable.push_back({example.line, functions.error().to_string()});
    return;
  }
  const auto never = options.undecodable ? options.undecodable(dataset, example) : std::string();
  if (!never.empty() && ++checked.undecodable_count <= max_errors)
    checked.undecodable.push_back({example.line, never});
  std::set<std::string> once(functions->begin(), functions->end());
  if (once.empty()) once.insert("none()");
  for (const auto& function : once) ++checked.functions[function];
}

json::Value counts_json(const std::map<std::string, size_t>& counts) {
  auto value = json::Value::object();
  for (const auto& [name, count] : counts) value.set(name, count);
  return value;
}

json::Value errors_json(const std::vector<RowError>& errors) {
  auto list = json::Value::array();
  for (const auto& error : errors) {
    auto one = json::Value::object();
    list.push_back(one.set("line", error.line).set("message", error.message));
  }
  return list;
}

json::Value place_json(const Place& place) {
  auto value = json::Value::object();
  return value.set("dataset", place.dataset)
      .set("split", place.split)
      .set("line", place.line)
      .set("id", place.id)
      .set("text", place.text);
}

json::Value pairs_json(const std::vector<Pair>& pairs) {
  auto list = json::Value::array();
  for (const auto& pair : pairs) {
    auto one = json::Value::object();
    list.push_back(one.set("similarity", pair.similarity)
                       .set("same_output", pair.same_output)
                       .set("first", place_json(pair.first))
                       .set("second", place_json(pair.second)));
  }
  return list;
}

json::Value dataset_json(const CheckedDataset& checked) {
  auto value = json::Value::object();
  return value.set("name", checked.name)
      .set("split", checked.split)
      .set("path", checked.path)
      .set("sha256", checked.sha256)
      .set("rows", checked.rows)
      .set("broken", checked.broken_count)
      .set("broken_rows", errors_json(checked.broken))
      .set("unreadable", checked.unreadable_count)
      .set("unreadable_rows", errors_json(checked.unreadable))
      .set("undecodable", checked.undecodable_count)
      .set("undecodable_rows", errors_json(checked.undecodable))
      .set("functions", counts_json(checked.functions))
      .set("tags", counts_json(checked.tags));
}

}  // namespace

size_t CheckReport::broken() const {
  size_t count = 0;
  for (const auto& dataset : datasets) count += dataset.broken_count + dataset.unreadable_count;
  return count;
}

json::Value CheckReport::to_json() const {
  auto list = json::Value::array();
  for (const auto& dataset : datasets) list.push_back(dataset_json(dataset));
  auto names = json::Value::array();
  for (const auto& name : unused) names.push_back(name);
  auto value = json::Value::object();
  return value.set("threshold", threshold)
      .set("datasets", std::move(list))
      .set("leak_count", leak_count)
      .set("leaks", pairs_json(leaks))
      .set("duplicate_count", duplicate_count)
      .set("duplicates", pairs_json(duplicates))
      .set("conflict_count", conflict_count)
      .set("unused_functions", std::move(names));
}

CheckReport check(const std::vector<const Dataset*>& datasets, const CheckOptions& options) {
  CheckReport report;
  report.threshold = options.threshold;
  PairFinder finder(report, options);
  std::set<std::string> used;
  for (const auto* dataset : datasets) {
    CheckedDataset checked{dataset->name,
                           dataset->split,
                           dataset->path,
                           dataset->sha256,
                           dataset->examples.size(),
                           dataset->errors,
                           dataset->error_count,
                           {},
                           0,
                           {},
                           {}};
    for (const auto& example : dataset->examples) {
      read_output(*dataset, example, options, checked);
      for (const auto& tag : example.tags) ++checked.tags[tag];
      finder.add(*dataset, example);
    }
    for (const auto& [function, count] : checked.functions) used.insert(function);
    report.datasets.push_back(std::move(checked));
  }
  for (const auto& function : options.functions) {
    if (!used.contains(function)) report.unused.push_back(function);
  }
  const auto nearest_first = [](const Pair& a, const Pair& b) {
    return a.similarity > b.similarity;
  };
  std::stable_sort(report.leaks.begin(), report.leaks.end(), nearest_first);
  std::stable_sort(report.duplicates.begin(), report.duplicates.end(), nearest_first);
  return report;
}

}  // namespace slipway::dataset
