#include "lab/tuning_data.h"

#include "base/hash.h"
#include "base/text.h"
#include "candidate/interpret.h"
#include "eval/runner.h"
#include "skill/call.h"

namespace slipway::lab {
namespace {

// Lower case, and whatever is no letter or digit of ASCII or beyond is one space.
std::string folded(std::string_view text) {
  std::string out;
  for (const char c : to_lower(text)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || byte >= 0x80;
    if (word)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string key_of(const dataset::Example& row) {
  std::string key = folded(row.text());
  for (const auto& message : row.messages)
    key += "\n" + message.role + " " + folded(message.content);
  if (!row.context.is_null()) key += "\n" + row.context.canonical();
  return key;
}

std::string hash_of(const std::vector<tune::Example>& examples) {
  Sha256 hasher;
  const auto add = [&](const std::vector<int32_t>& tokens) {
    const auto size = static_cast<uint32_t>(tokens.size());
    hasher.update({reinterpret_cast<const char*>(&size), sizeof size});
    hasher.update({reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(int32_t)});
  };
  for (const auto& example : examples) {
    add(example.prompt), add(example.completion);
    for (const auto& list : example.choices) add(list);
  }
  return hasher.hex();
}

// The text to be learnt, or why there is none.
Result<std::string> answer_of(const dataset::Example& row, const skill::SkillSet& skills,
                              skill::CallForm form, bool calls) {
  if (trim(row.text()).empty()) return Error::invalid_input("the input is empty");
  if (trim(row.output).empty()) return Error::invalid_input("the output is empty");
  if (!calls) return row.output;
  auto read = candidate::interpret(row.output, skills);
  if (!read.ok()) return read.error().in("the output is no valid call");
  return skill::print_form(*read, skills, form);
}

}  // namespace

HeldOut::HeldOut(const std::vector<const dataset::Dataset*>& datasets) {
  for (const auto* dataset : datasets) {
    for (const auto& row : dataset->examples) keys_.insert(key_of(row));
  }
}

bool HeldOut::contains(const dataset::Example& row) const { return keys_.contains(key_of(row)); }

Result<TuningData> tuning_data(const candidate::Candidate& candidate, const model::Model& model,
                               const dataset::Dataset& rows, const HeldOut& held_out,
                               const TuningDataOptions& options) {
  TuningData data;
  const auto constraint = options.choices ? candidate::constraint_of(candidate) : nullptr;
  for (const auto& row : rows.examples) {
    const auto skip = [&](std::string reason) {
      data.skipped.push_back({row.id, row.line, std::move(reason)});
    };
    if (held_out.contains(row)) {
      skip("it is also a row of dev or test");
      continue;
    }
    auto text = answer_of(row, *candidate.skills, candidate.grammar.form, options.calls);
    if (!text.ok()) {
      skip(text.error().message());
      continue;
    }
    SLIPWAY_TRY(request, candidate::make_request(candidate, eval::input_of(row), constraint));
    tune::Example example;
    SLIPWAY_TRY(prompt, model.prompt_tokens(request.messages));
    SLIPWAY_TRY(answer, model.answer_tokens(*text));
    example.prompt = std::move(prompt);
    example.completion = std::move(answer);
    if (options.choices && request.constraint)
      example.choices = model.choices(*request.constraint, example.completion);
    const size_t tokens = example.prompt.size() + example.completion.size();
    if (tokens > static_cast<size_t>(options.max_tokens)) {
      skip("it has " + std::to_string(tokens) + " tokens, more than " +
           std::to_string(options.max_tokens));
      continue;
    }
    data.prompt_tokens += static_cast<int64_t>(example.prompt.size());
    data.answer_tokens += static_cast<int64_t>(example.completion.size());
    data.examples.push_back(std::move(example));
  }
  if (data.examples.empty()) {
    const auto why = data.skipped.empty() ? "" : "; the first: " + data.skipped[0].reason;
    return Error::invalid_input(rows.path + " has no row to learn from" + why,
                                "give rows with an input and an output");
  }
  data.sha256 = hash_of(data.examples);
  return data;
}

}  // namespace slipway::lab
