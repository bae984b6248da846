#include "dataset/snips.h"

#include <algorithm>
#include <map>

#include "base/files.h"
#include "base/text.h"
#include "skill/schema.h"

namespace slipway::dataset {
namespace {

using json::Value;

struct SlotStatistics {
  double places = 0;  // sum of where its values begin, from 0 to 1
  int64_t count = 0;
  bool repeated = false;
  double place() const { return places / static_cast<double>(count); }
};

using IntentSlots = std::map<std::string, std::map<std::string, SlotStatistics>>;

IntentSlots count_slots(const std::vector<SnipsRow>& rows) {
  IntentSlots intents;
  for (const auto& row : rows) {
    auto& slots = intents[row.intent];
    std::map<std::string, int> here;
    for (const auto& [slot, value] : row.slots) {
      auto& s = slots[slot];
      const auto at = std::min(row.text.find(value), row.text.size());
      s.places +=
          static_cast<double>(at) / static_cast<double>(std::max<size_t>(1, row.text.size()));
      s.count += 1;
      s.repeated = s.repeated || ++here[slot] > 1;
    }
  }
  return intents;
}

// "SearchCreativeWork" -> "search creative work", "timeRange" -> "time range".
std::string words_of(std::string_view name) {
  std::string words;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z' && !words.empty()) words += ' ';
    words += c == '_' ? ' ' : c;
  }
  return to_lower(words);
}

Value string_schema() {
  auto schema = Value::object();
  return schema.set("type", "string");
}

skill::Parameter parameter_of(const std::string& slot, bool repeated) {
  auto schema = string_schema();
  if (repeated) {
    auto list = Value::object();
    list.set("type", "array").set("items", string_schema()).set("minItems", 2);
    auto either = Value::array();
    either.push_back(std::move(schema));
    either.push_back(std::move(list));
    schema = Value::object();
    schema.set("anyOf", std::move(either));
  }
  schema.set("description", words_of(slot)).set(skill::said_key, true);
  return {slot, words_of(slot), std::move(schema), false, {}};
}

skill::Function function_of(const std::string& intent,
                            const std::map<std::string, SlotStatistics>& slots) {
  skill::Function function;
  function.name = intent;
  function.description = words_of(intent);
  function.permission = skill::Permission::confirm;
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [slot, statistics] : slots) order.emplace_back(statistics.place(), slot);
  std::sort(order.begin(), order.end());
  for (const auto& [place, slot] : order)
    function.parameters.push_back(parameter_of(slot, slots.at(slot).repeated));
  return function;
}

Result<SnipsRow> parse_snips(const std::string& line) {
  SLIPWAY_TRY(value, json::parse(line));
  SnipsRow row{value.text("text"), value.text("intent"), {}};
  const auto* slots = value.get("slots");
  if (trim(row.text).empty() || row.intent.empty() || !slots || !slots->is_array())
    return Error::invalid_input("a row has 'text', 'intent' and 'slots'");
  for (const auto& slot : slots->as_array()) {
    row.slots.push_back({slot.text("slot"), slot.text("value")});
    if (row.slots.back().slot.empty() || row.slots.back().value.empty())
      return Error::invalid_input("a slot is {\"slot\": name, \"value\": words}");
  }
  return row;
}

Result<ImportedFile> import_split(const SnipsMapping& mapping, const std::string& split,
                                  const std::vector<SnipsRow>& rows) {
  ImportedFile file{split, {}};
  for (size_t i = 0; i < rows.size(); ++i) {
    Example example;
    example.id = split + "-" + std::to_string(i + 1);
    example.input = rows[i].text;
    example.tags = {rows[i].intent};
    auto call = mapping.call(rows[i]);
    if (!call.ok()) return call.error().in(example.id);
    example.output = std::move(*call);
    file.examples.push_back(std::move(example));
  }
  return file;
}

}  // namespace

Result<SnipsMapping> SnipsMapping::learn(const std::vector<SnipsRow>& train) {
  skill::Skill skill;
  skill.description = "the intents of SNIPS";
  for (const auto& [intent, slots] : count_slots(train))
    skill.functions.push_back(function_of(intent, slots));
  // Written and read again: names and schemas are checked as those of any skill file.
  SLIPWAY_TRY(checked, skill::parse_skill(skill::skill_to_json(skill).dump()));
  SnipsMapping mapping;
  SLIPWAY_CHECK(mapping.skills_.add(std::move(checked)));
  return mapping;
}

Result<std::string> SnipsMapping::call(const SnipsRow& row) const {
  skill::Call call{row.intent, {}};
  for (const auto& [slot, value] : row.slots) {
    const auto same = std::find_if(call.arguments.begin(), call.arguments.end(),
                                   [s = &slot](const auto& a) { return a.name == *s; });
    if (same == call.arguments.end()) {
      call.arguments.push_back({slot, value});
      continue;
    }
    if (!same->value.is_array()) same->value = Value(json::Array{same->value});
    same->value.push_back(value);
  }
  SLIPWAY_TRY(checked, skill::check_call(call, skills_));
  return skill::print_call(checked, skills_);
}

Result<SnipsRow> SnipsMapping::row(std::string_view text) const {
  SLIPWAY_TRY(calls, skill::parse_calls(text));
  if (calls.size() != 1)
    return Error::invalid_input("expected one call, got " + std::to_string(calls.size()));
  SLIPWAY_TRY(call, skill::check_call(calls[0], skills_));
  SnipsRow row{"", call.function, {}};
  for (const auto& [slot, value] : call.arguments) {
    if (!value.is_array()) {
      row.slots.push_back({slot, value.as_string()});
      continue;
    }
    for (const auto& one : value.as_array()) row.slots.push_back({slot, one.as_string()});
  }
  return row;
}

Result<std::vector<SnipsRow>> read_snips(const std::string& path) {
  SLIPWAY_TRY(text, files::read(path, uint64_t{256} << 20));
  std::vector<SnipsRow> rows;
  size_t number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    auto row = parse_snips(line);
    if (!row.ok()) return row.error().in(path + " line " + std::to_string(number));
    rows.push_back(std::move(*row));
  }
  return rows;
}

Result<SnipsImport> import_snips(const std::string& folder) {
  SLIPWAY_TRY(train, read_snips(files::join(folder, "train.jsonl")));
  SLIPWAY_TRY(mapping, SnipsMapping::learn(train));
  SnipsImport imported{mapping.skills().skills().at(0), {}};
  for (const std::string split : {"train", "dev", "test"}) {
    const auto path = files::join(folder, split + ".jsonl");
    if (!files::exists(path)) continue;
    SLIPWAY_TRY(rows, read_snips(path));
    auto file = import_split(mapping, split, rows);
    if (!file.ok()) return file.error().in(path);
    imported.files.push_back(std::move(*file));
  }
  return imported;
}

}  // namespace slipway::dataset
