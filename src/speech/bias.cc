#include "speech/bias.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace slipway::speech {
namespace {

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

std::string words_of(std::string text) {
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

class Collector {
 public:
  void add(const std::string& text) {
    auto phrase = to_lower(trim(words_of(text)));
    if (phrase.empty() || phrases.size() >= most_phrases || !seen_.insert(phrase).second) return;
    phrases.push_back(std::move(phrase));
  }
  std::vector<std::string> phrases;

 private:
  std::set<std::string> seen_;
};

}  // namespace

Bias bias_from(const skill::SkillSet& skills) {
  Collector collector, others;
  Bias bias;
  std::set<std::string> words;
  for (const auto* function : skills.functions()) {
    std::vector<std::string> names, examples;
    for (const auto& parameter : function->parameters) {
      add_values(parameter.schema, names);
      add_quoted(parameter.description, examples);
    }
    for (const auto& name : names) collector.add(name);
    for (const auto& example : examples) others.add(example);
    for (const auto& text : {words_of(function->name), function->description}) {
      for (const auto& word : split(to_lower(text), ' ')) words.insert(word);
    }
  }
  bias.words.assign(words.begin(), words.end());
  bias.names = collector.phrases;
  for (const auto& example : others.phrases) collector.add(example);
  bias.phrases = std::move(collector.phrases);
  return bias;
}

}  // namespace slipway::speech
