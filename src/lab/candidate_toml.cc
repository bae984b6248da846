#include <algorithm>

#include "lab/project.h"
#include "skill/call_form.h"

namespace slipway::lab {
namespace {

std::string quoted(const std::string& text) { return json::Value(text).dump(); }

// A key that is no bare one would be read as a path of tables ("v1.2") or not at all.
std::string key_of(const std::string& name) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), bare) ? name : quoted(name);
}

json::Value list_of(const std::vector<std::string>& texts) {
  auto list = json::Value::array();
  for (const auto& text : texts) list.push_back(text);
  return list;
}

// The lines of what is not as it would be without them.
class Lines {
 public:
  void put(const char* key, const json::Value& now) {
    text_ += std::string(key) + " = " + now.dump() + "\n";
  }
  void put(const char* key, const json::Value& now, const json::Value& usual) {
    if (!(now == usual)) put(key, now);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void put_decoding(const model::Decoding& now, Lines& lines) {
  const model::Decoding usual;
  lines.put("max_tokens", now.max_tokens);
  lines.put("temperature", now.temperature, usual.temperature);
  lines.put("top_p", now.top_p, usual.top_p);
  lines.put("top_k", now.top_k, usual.top_k);
  lines.put("seed", static_cast<int64_t>(now.seed), static_cast<int64_t>(usual.seed));
  lines.put("stop", list_of(now.stop), list_of(usual.stop));
  lines.put("tries", now.tries, usual.tries);
  lines.put("end_bias", now.end_bias, usual.end_bias);
}

}  // namespace

std::string to_toml(const CandidateSpec& spec) {
  const CandidateSpec usual;
  Lines lines;
  lines.put("model", spec.model);
  lines.put("adapters", list_of(spec.adapters), list_of({}));
  lines.put("prompt", spec.prompt);
  lines.put("tune", spec.tune, usual.tune);
  lines.put("tune_epochs", spec.tune_epochs, usual.tune_epochs);
  lines.put("tune_copies", spec.tune_copies, usual.tune_copies);
  lines.put("tune_members", spec.tune_members, usual.tune_members);
  lines.put("skills", spec.use_skills, usual.use_skills);
  lines.put("constrain", spec.constrain, usual.constrain);
  put_decoding(spec.decoding, lines);
  lines.put("max_calls", spec.grammar.max_calls, usual.grammar.max_calls);
  lines.put("call_form", std::string(skill::form_name(spec.grammar.form)),
            std::string(skill::form_name(usual.grammar.form)));
  lines.put("list_functions", spec.list_functions, usual.list_functions);
  lines.put("leave_out_unsaid", spec.leave_out_unsaid, usual.leave_out_unsaid);
  lines.put("min_confidence", spec.min_confidence, usual.min_confidence);
  return "[candidates." + key_of(spec.name) + "]\n" + lines.text();
}

}  // namespace slipway::lab
