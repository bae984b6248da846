#include "eval/scorer.h"

#include <algorithm>

#include "base/text.h"
#include "candidate/candidate.h"
#include "candidate/interpret.h"
#include "eval/accepted.h"
#include "json/value.h"
#include "skill/call.h"

namespace slipway::eval {
namespace {

using Calls = std::vector<skill::Call>;
using Names = std::vector<std::string>;
using Skills = std::shared_ptr<const skill::SkillSet>;

class CallScorer : public Scorer {
 public:
  explicit CallScorer(Skills skills) : skills_(std::move(skills)) {}

  Score score(const dataset::Example& example, std::string_view output) const override {
    auto skills = candidate::functions_for(skills_, example.context);
    if (!skills.ok()) return {false, false, "", skills.error().message()};
    const auto expected = candidate::interpret(example.output, **skills);
    const auto calls = candidate::interpret(output, **skills);
    if (!calls.ok()) {
      Score unread{false, false, "", calls.error().message()};
      if (expected.ok()) unread.calls = count_nothing(*expected, **skills);
      return unread;
    }
    const auto got = skill::print_calls(*calls, **skills);
    const auto wanted = expected.ok() ? skill::print_calls(*expected, **skills) : example.output;
    Score score{got == wanted, true, got, got == wanted ? "" : "expected " + wanted};
    if (expected.ok()) score.calls = count_calls(*expected, *calls, **skills);
    return score;
  }

  Result<Names> expected(const dataset::Example& example) const override {
    SLIPWAY_TRY(skills, candidate::functions_for(skills_, example.context));
    SLIPWAY_TRY(calls, candidate::interpret(example.output, *skills));
    Names names;
    for (const auto& call : calls) names.push_back(call.function);
    return names;
  }

  std::string id() const override { return "call/2"; }

 private:
  Skills skills_;
};

class BfclScorer : public Scorer {
 public:
  explicit BfclScorer(Skills skills) : skills_(std::move(skills)) {}

  Score score(const dataset::Example& example, std::string_view output) const override {
    auto skills = candidate::functions_for(skills_, example.context);
    if (!skills.ok()) return {false, false, "", skills.error().message()};
    const auto accepted = parse_accepted(example.output);
    if (!accepted.ok()) return {false, false, "", accepted.error().message()};
    auto read = candidate::interpret(output, **skills);
    // The leaderboard takes whatever cannot be read as calls for no call.
    auto calls = read.ok() ? as_written(output, **skills) : Calls{};
    auto found = match(*accepted, calls, **skills);
    found.counts.no_call_given = found.counts.no_call_given && read.ok();
    if (!read.ok() && !found.passed) found.reason = read.error().message();
    return {found.passed, read.ok(), read.ok() ? skill::print_calls(*read, **skills) : "",
            found.reason, found.counts};
  }

  Result<Names> expected(const dataset::Example& example) const override {
    SLIPWAY_TRY(skills, candidate::functions_for(skills_, example.context));
    SLIPWAY_TRY(accepted, parse_accepted(example.output));
    SLIPWAY_CHECK(check_accepted(accepted, *skills));
    Names names;
    for (const auto& call : accepted.calls) names.push_back(call.function);
    return names;
  }

  std::string id() const override { return "bfcl/1"; }

 private:
  // Values before coercion, so that "3" for an integer stays a text; positional arguments named.
  static Calls as_written(std::string_view output, const skill::SkillSet& skills) {
    auto calls = skill::parse_calls(output);
    if (!calls.ok()) return {};
    for (auto& call : *calls) {
      const auto* function = skills.find(call.function);
      for (size_t i = 0; i < call.arguments.size() && function; ++i) {
        auto& name = call.arguments[i].name;
        if (name.empty() && i < function->parameters.size()) name = function->parameters[i].name;
      }
    }
    return std::move(calls).value();
  }

  Skills skills_;
};

class FieldsScorer : public Scorer {
  static constexpr std::string_view kNoLine = "the expected output has no `key: value` line";

 public:
  Score score(const dataset::Example& example, std::string_view output) const override {
    const auto wanted = fields(example.output);
    auto left = fields(output);
    if (wanted.empty()) return {false, false, "", std::string(kNoLine)};
    Score result{true, true, "", ""};
    for (const auto& field : wanted) {
      const auto& [key, value] = field;
      auto line = std::find(left.begin(), left.end(), field);  // the very line, else one of its key
      if (line == left.end()) {
        line = std::find_if(left.begin(), left.end(),
                            [&](const auto& other) { return other.first == field.first; });
      }
      if (line == left.end())
        return {false, false, "", "not in the stated format: expected the lines " + keys(wanted)};
      result.normalised += (result.normalised.empty() ? "" : "\n") + key + ": " + line->second;
      if (line->second != value && result.passed) {
        result.passed = false;
        result.reason = key + ": expected '" + value + "', got '" + line->second + "'";
      }
      left.erase(line);
    }
    return result;
  }

  Result<Names> expected(const dataset::Example& example) const override {
    if (!fields(example.output).empty()) return Names{};
    return Error::invalid_input(std::string(kNoLine));
  }

  std::string id() const override { return "fields/2"; }

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

  Result<Names> expected(const dataset::Example& example) const override {
    SLIPWAY_TRY(value, json::parse(example.output));
    return Names{};
  }

  std::string id() const override { return "json/1"; }
};

}  // namespace

Result<std::unique_ptr<Scorer>> make_scorer(std::string_view name, Skills skills) {
  if (name == "call")
    return std::unique_ptr<Scorer>(std::make_unique<CallScorer>(std::move(skills)));
  if (name == "bfcl")
    return std::unique_ptr<Scorer>(std::make_unique<BfclScorer>(std::move(skills)));
  if (name == "fields") return std::unique_ptr<Scorer>(std::make_unique<FieldsScorer>());
  if (name == "json") return std::unique_ptr<Scorer>(std::make_unique<JsonScorer>());
  return Error::not_found("no scorer '" + std::string(name) + "'",
                          "the scorers are call, fields, json and bfcl");
}

}  // namespace slipway::eval
