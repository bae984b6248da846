#include "speech/bias.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace slipway::speech {
namespace {

// Whisper reads at most 224 tokens before a request; English has about four characters to one.
constexpr size_t most_prompt_characters = 760;
constexpr size_t most_phrases = 4000;

void add_values(const json::Value& schema, std::vector<std::string>& values) {
  if (const auto* list = schema.get("enum"); list && list->is_array()) {
    for (const auto& value : list->as_array()) {
      if (value.is_string()) values.push_back(value.as_string());
    }
  }
  for (const auto* inner : {schema.get("items"), schema.get("properties")}) {
    if (!inner) continue;
    add_values(*inner, values);
    if (!inner->is_object()) continue;
    for (const auto& [name, member] : inner->as_object()) {
      if (member.is_object()) add_values(member, values);
    }
  }
}

// "'living room'" in a description is something people say.
void add_quoted(const std::string& description, std::vector<std::string>& values) {
  const auto pieces = split(description, '\'');
  for (size_t i = 1; i + 1 < pieces.size(); i += 2) {
    if (!pieces[i].empty() && pieces[i].size() <= 40) values.push_back(pieces[i]);
  }
}

std::vector<std::string> values_of(const skill::Function& function) {
  std::vector<std::string> values;
  for (const auto& parameter : function.parameters) {
    add_values(parameter.schema, values);
    add_quoted(parameter.description, values);
  }
  return values;
}

std::string words_of(std::string text) {
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

class Collector {
 public:
  bool add(const std::string& text) {
    auto phrase = to_lower(trim(words_of(text)));
    if (phrase.empty() || phrases.size() >= most_phrases || !seen_.insert(phrase).second)
      return false;
    phrases.push_back(std::move(phrase));
    return true;
  }
  std::vector<std::string> phrases;

 private:
  std::set<std::string> seen_;
};

void add_words(const std::string& sentence, Collector& collector) {
  std::string word;
  for (const char c : to_lower(sentence) + " ") {
    if ((c >= 'a' && c <= 'z') || (!word.empty() && c == '-')) {
      word += c;
      continue;
    }
    if (word.size() > 2) collector.add(word);
    word.clear();
  }
}

}  // namespace

Bias bias_from(const skill::SkillSet& skills) {
  Bias bias;
  Collector collector;
  for (const auto* function : skills.functions()) {
    std::string line(trim(function->description));
    while (!line.empty() && line.back() == '.') line.pop_back();
    if (line.empty()) line = words_of(function->name);
    std::vector<std::string> fresh;
    for (const auto& value : values_of(*function)) {
      if (collector.add(value)) fresh.push_back(words_of(value));
    }
    line += (fresh.empty() ? "" : ": " + join(fresh, ", ")) + ". ";
    if (bias.prompt.size() + line.size() <= most_prompt_characters) bias.prompt += line;
    add_words(words_of(function->name), collector);
    add_words(function->description, collector);
  }
  bias.prompt = trim(bias.prompt);
  bias.phrases = std::move(collector.phrases);
  return bias;
}

}  // namespace slipway::speech
