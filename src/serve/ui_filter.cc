#include "serve/ui_filter.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace slipway::serve {
namespace {

using Test = RunCondition::Test;

const std::vector<std::string> kFields = {"kind",  "status", "name",       "candidate", "dataset",
                                          "split", "model",  "experiment", "id"};

struct Word {
  std::string text;
  bool quoted = false;  // from its first character: no condition, but words to look for
};

// Split at spaces; quotes hold together what is between them.
Result<std::vector<Word>> words_of(std::string_view text) {
  std::vector<Word> words;
  Word word;
  bool inside = false, any = false;
  for (const char c : text) {
    if (c == '"') {
      if (!any) word.quoted = true;
      inside = !inside;
      any = true;
    } else if (!inside && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      if (any) words.push_back(std::move(word));
      word = {};
      any = false;
    } else {
      word.text += c;
      any = true;
    }
  }
  if (inside) return Error::invalid_input("the filter has an open quote", "close it with \"");
  if (any) words.push_back(std::move(word));
  return words;
}

struct Operator {
  std::string_view sign;
  Test test;
};
constexpr std::array<Operator, 7> kOperators = {{{"<=", Test::at_most},
                                                 {">=", Test::at_least},
                                                 {"!=", Test::is_not},
                                                 {"<", Test::less},
                                                 {">", Test::more},
                                                 {"=", Test::is},
                                                 {":", Test::contains}}};

// Where the first operator stands, and which it is.
std::pair<size_t, const Operator*> first_operator(std::string_view word) {
  for (size_t at = 1; at < word.size(); ++at) {
    for (const auto& candidate : kOperators) {
      if (word.substr(at, candidate.sign.size()) == candidate.sign) return {at, &candidate};
    }
  }
  return {0, nullptr};
}

Result<RunCondition> text_condition(RunCondition condition) {
  if (std::find(kFields.begin(), kFields.end(), condition.key) == kFields.end()) {
    const auto near = nearest(condition.key, kFields);
    return Error::invalid_input(
        "the runs have no '" + condition.key + "' to filter by",
        near ? "did you mean '" + *near + ":'?" : "there are " + join(kFields, ", "));
  }
  if (condition.key == "kind" || condition.key == "status") condition.test = Test::equals;
  if (condition.key == "id") condition.test = Test::starts;
  return condition;
}

Result<RunCondition> condition_of(const Word& word) {
  RunCondition condition;
  std::string_view text = word.text;
  if (!word.quoted && text.size() > 1 && text[0] == '-') {
    condition.turned = true;
    text.remove_prefix(1);
  }
  const auto [at, found] =
      word.quoted ? std::pair<size_t, const Operator*>{0, nullptr} : first_operator(text);
  if (!found) {
    condition.text = to_lower(text);
    return condition;
  }
  condition.key = std::string(text.substr(0, at));
  condition.test = found->test;
  condition.text = to_lower(text.substr(at + found->sign.size()));
  if (found->test == Test::contains) {
    condition.key = to_lower(condition.key);
    return text_condition(std::move(condition));
  }
  const auto& value = condition.text;
  const auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), condition.number);
  if (error == std::errc() && end == value.data() + value.size()) return condition;
  return Error::invalid_input(
      "'" + value + "' is no number to compare '" + condition.key + "' with",
      "write a figure such as exact_match>0.9");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool fits_number(double value, const RunCondition& c) {
  switch (c.test) {
    case Test::less:
      return value < c.number;
    case Test::at_most:
      return value <= c.number;
    case Test::more:
      return value > c.number;
    case Test::at_least:
      return value >= c.number;
    case Test::is_not:
      return value != c.number;
    default:
      return value == c.number;
  }
}

bool fits_text(const RunRow& row, const RunCondition& c) {
  if (c.key.empty()) {
    return std::any_of(row.fields.begin(), row.fields.end(),
                       [&](const auto& field) { return contains(field.second, c.text); });
  }
  const auto found = row.fields.find(c.key);
  const std::string value = found == row.fields.end() ? "" : found->second;
  if (c.test == Test::equals) return value == c.text;
  if (c.test == Test::starts) return starts_with(value, c.text);
  return contains(value, c.text);
}

bool is_figure(const RunCondition& c) {
  return c.test != Test::contains && c.test != Test::equals && c.test != Test::starts;
}

}  // namespace

bool RunFilter::needs_figures() const {
  return std::any_of(conditions.begin(), conditions.end(), is_figure);
}

bool RunFilter::fits(const RunRow& row) const {
  for (const auto& condition : conditions) {
    bool fits = false;
    if (is_figure(condition)) {
      const auto found = row.figures.find(condition.key);
      fits = found != row.figures.end() && fits_number(found->second, condition);
    } else {
      fits = fits_text(row, condition);
    }
    if (fits == condition.turned) return false;
  }
  return true;
}

Result<RunFilter> parse_run_filter(std::string_view text) {
  if (text.size() > most_filter_bytes) {
    return Error::exhausted("the filter is longer than " + std::to_string(most_filter_bytes) +
                            " bytes");
  }
  SLIPWAY_TRY(words, words_of(text));
  if (words.size() > most_filter_conditions) {
    return Error::exhausted("the filter has more than " + std::to_string(most_filter_conditions) +
                            " conditions");
  }
  RunFilter filter;
  for (const auto& word : words) {
    SLIPWAY_TRY(condition, condition_of(word));
    filter.conditions.push_back(std::move(condition));
  }
  return filter;
}

}  // namespace slipway::serve
