#include "eval/compare.h"

#include <map>
#include <set>

namespace slipway::eval {

Comparison compare(const std::vector<store::Case>& first, const std::vector<store::Case>& second) {
  std::map<std::string, const store::Case*> others;
  for (const auto& c : second) others[c.example_id] = &c;
  Comparison result;
  for (const auto& a : first) {
    const auto found = others.find(a.example_id);
    if (found == others.end()) {
      result.unmatched += 1;
      continue;
    }
    const auto& b = *found->second;
    others.erase(found);
    if (a.passed && b.passed) result.pairs.both += 1;
    if (!a.passed && !b.passed) result.pairs.neither += 1;
    if (a.passed == b.passed) continue;
    (a.passed ? result.pairs.only_first : result.pairs.only_second) += 1;
    result.flips.push_back({a.example_id, a.passed, a.detail.text("expected"), a.output, b.output});
  }
  result.unmatched += static_cast<int64_t>(others.size());
  result.difference = paired_difference(result.pairs);
  result.p_value = mcnemar_exact(result.pairs.only_first, result.pairs.only_second);
  return result;
}

std::vector<store::Case> shared_cases(std::vector<store::Case> cases,
                                      const std::vector<store::Case>& others) {
  std::set<std::string> ids;
  for (const auto& other : others) ids.insert(other.example_id);
  std::erase_if(cases, [&](const store::Case& one) { return !ids.contains(one.example_id); });
  return cases;
}

json::Value Comparison::to_json() const {
  auto list = json::Value::array();
  for (const auto& flip : flips) {
    auto f = json::Value::object();
    f.set("example", flip.example_id)
        .set("first_passed", flip.first_passed)
        .set("expected", flip.expected)
        .set("first_output", flip.first_output)
        .set("second_output", flip.second_output);
    list.push_back(std::move(f));
  }
  auto value = json::Value::object();
  value.set("both", pairs.both)
      .set("only_first", pairs.only_first)
      .set("only_second", pairs.only_second)
      .set("neither", pairs.neither)
      .set("unmatched", unmatched)
      .set("difference_low", difference.low)
      .set("difference_high", difference.high)
      .set("p_value", p_value)
      .set("flips", std::move(list));
  return value;
}

}  // namespace slipway::eval
