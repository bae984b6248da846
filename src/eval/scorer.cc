#include "eval/scorer.h"

#include "base/text.h"
#include "candidate/interpret.h"
#include "json/value.h"
#include "skill/call.h"

namespace slipway::eval {
namespace {

class CallScorer : public Scorer {
 public:
  explicit CallScorer(std::shared_ptr<const skill::SkillSet> skills) : skills_(std::move(skills)) {}

  Score score(const dataset::Example& example, std::string_view output) const override {
    auto calls = candidate::interpret(output, *skills_);
    if (!calls.ok()) return {false, false, "", calls.error().message()};
    const auto got = skill::print_calls(*calls, *skills_);
    const auto wanted = canonical(example.output);
    if (got == wanted) return {true, true, got, ""};
    return {false, true, got, "expected " + wanted};
  }

  std::string id() const override { return "call/1"; }

 private:
  std::string canonical(const std::string& expected) const {
    auto calls = candidate::interpret(expected, *skills_);
    return calls.ok() ? skill::print_calls(*calls, *skills_) : expected;
  }

  std::shared_ptr<const skill::SkillSet> skills_;
};

class FieldsScorer : public Scorer {
 public:
  Score score(const dataset::Example& example, std::string_view output) const override {
    const auto wanted = fields(example.output);
    const auto got = fields(output);
    Score result;
    result.valid = got.size() >= wanted.size();
    for (size_t i = 0; i < wanted.size() && result.valid; ++i) {
      result.valid = got[i].first == wanted[i].first;
    }
    if (!result.valid) {
      result.reason = "not in the stated format: expected the lines " + keys(wanted);
      return result;
    }
    result.passed = true;
    for (size_t i = 0; i < wanted.size(); ++i) {
      result.normalised += (i ? "\n" : "") + got[i].first + ": " + got[i].second;
      if (got[i].second == wanted[i].second || !result.passed) continue;
      result.passed = false;
      result.reason =
          wanted[i].first + ": expected '" + wanted[i].second + "', got '" + got[i].second + "'";
    }
    return result;
  }

  std::string id() const override { return "fields/1"; }

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  static Fields fields(std::string_view text) {
    Fields found;
    for (const auto& line : split(text, '\n')) {
      const auto colon = line.find(':');
      if (colon == std::string::npos) continue;
      auto value = to_lower(trim(std::string_view(line).substr(colon + 1)));
      while (!value.empty() && value.back() == '.') value.pop_back();
      found.emplace_back(to_lower(trim(std::string_view(line).substr(0, colon))), value);
    }
    return found;
  }

  static std::string keys(const Fields& list) {
    std::vector<std::string> names;
    for (const auto& [key, value] : list) names.push_back(key + ":");
    return join(names, ", ");
  }
};

class JsonScorer : public Scorer {
 public:
  Score score(const dataset::Example& example, std::string_view output) const override {
    auto got = json::parse(trim(output));
    if (!got.ok()) return {false, false, "", got.error().message()};
    auto wanted = json::parse(example.output);
    if (!wanted.ok()) return {false, true, got->canonical(), "the expected output is no JSON"};
    const bool equal = *got == *wanted;
    return {equal, true, got->canonical(), equal ? "" : "expected " + wanted->canonical()};
  }

  std::string id() const override { return "json/1"; }
};

}  // namespace

Result<std::unique_ptr<Scorer>> make_scorer(std::string_view name,
                                            std::shared_ptr<const skill::SkillSet> skills) {
  if (name == "call")
    return std::unique_ptr<Scorer>(std::make_unique<CallScorer>(std::move(skills)));
  if (name == "fields") return std::unique_ptr<Scorer>(std::make_unique<FieldsScorer>());
  if (name == "json") return std::unique_ptr<Scorer>(std::make_unique<JsonScorer>());
  return Error::not_found("no scorer '" + std::string(name) + "'",
                          "the scorers are call, fields and json");
}

}  // namespace slipway::eval
