// Our statistics without a project around them, for a script that holds them against exact
// enumeration and other people's packages. One JSON object per line on standard input, one answer
// per line on standard output.
//
//     {"do": "wilson", "rows": [[98, 100, 1.96]]}                    [[low, high], ...]
//     {"do": "mcnemar", "rows": [[9, 1]]}                            [[p], ...]
//     {"do": "paired", "rows": [[180, 2, 6, 12, 1.96]]}              [[low, high], ...]
//     {"do": "tango", "rows": [[180, 2, 6, 12, 1.64]]}               [[low, high], ...]
//     {"do": "tango_statistic", "rows": [[180, 2, 6, 12, -0.02]]}    [[value], ...]
//     {"do": "non_inferiority", "rows": [[180, 2, 6, 12, 0.02]]}     [[p], ...]
//     {"do": "quantile", "rows": [[0.95]]}                           [[z], ...]
#include <iostream>
#include <map>
#include <string>

#include "eval/noninferiority.h"
#include "json/value.h"

namespace {

using namespace slipway;
using Row = std::vector<double>;

int64_t count(const Row& row, size_t at) { return static_cast<int64_t>(row[at]); }

eval::Pairs pairs(const Row& row) {
  return {count(row, 0), count(row, 1), count(row, 2), count(row, 3)};
}

Row both(const eval::Interval& interval) { return {interval.low, interval.high}; }

struct Task {
  size_t columns;
  Row (*run)(const Row&);
};

const std::map<std::string, Task> tasks = {
    {"wilson",
     {3, [](const Row& r) { return both(eval::wilson(count(r, 0), count(r, 1), r[2])); }}},
    {"mcnemar",
     {2, [](const Row& r) { return Row{eval::mcnemar_exact(count(r, 0), count(r, 1))}; }}},
    {"paired", {5, [](const Row& r) { return both(eval::paired_difference(pairs(r), r[4])); }}},
    {"tango", {5, [](const Row& r) { return both(eval::tango_interval(pairs(r), r[4])); }}},
    {"tango_statistic",
     {5, [](const Row& r) { return Row{eval::tango_statistic(pairs(r), r[4])}; }}},
    {"non_inferiority",
     {5, [](const Row& r) { return Row{eval::non_inferiority_p(pairs(r), r[4])}; }}},
    {"quantile", {1, [](const Row& r) { return Row{eval::normal_quantile(r[0])}; }}}};

json::Value answer(const json::Value& request) {
  const auto task = tasks.find(request.text("do"));
  const auto* rows = request.get("rows");
  auto out = json::Value::array();
  if (task == tasks.end() || !rows || !rows->is_array()) return nullptr;
  for (const auto& row : rows->as_array()) {
    if (row.size() != task->second.columns) return nullptr;
    Row numbers;
    for (const auto& value : row.as_array()) numbers.push_back(value.as_number());
    auto made = json::Value::array();
    for (const double value : task->second.run(numbers)) made.push_back(value);
    out.push_back(std::move(made));
  }
  return out;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = json::parse(line);
    std::cout << (request.ok() ? answer(*request) : json::Value()).dump() << std::endl;
  }
  return 0;
}
