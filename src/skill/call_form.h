// The forms in which models write calls: our own call language (skill/call.h), and the JSON of
// common model families.
//
//     SLIPWAY_TRY(calls, parse_form("<tool_call>\n{\"name\": ...}\n</tool_call>", CallForm::qwen));
//     print_form(calls, skills, CallForm::llama3)    // for prompts and tuning
//
// docs/format/call.md shows each form. Text without any call is no call in the JSON forms: that is
// how these families answer in words. Pure; thread-safe. Errors carry line and column. Bounds:
// those of skill/call.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"

namespace slipway::skill {

struct Call;
class SkillSet;

enum class CallForm { python, qwen, llama3, mistral, functiongemma };

std::string_view form_name(CallForm form);  // "qwen"
std::optional<CallForm> form_named(std::string_view name);
const std::vector<std::string>& form_names();

Result<std::vector<Call>> parse_form(std::string_view text, CallForm form);
// Canonical text in that form; no call is "" in the JSON forms.
std::string print_form(const std::vector<Call>& calls, const SkillSet& skills, CallForm form);

std::string print_json_value(const json::Value& value);  // JSON as these families space it

}  // namespace slipway::skill
