#include "dataset/bfcl.h"

#include <algorithm>
#include <map>

#include "base/files.h"
#include "base/text.h"
#include "skill/signature.h"

namespace slipway::dataset {
namespace {

using json::Value;

constexpr std::string_view ending = ".jsonl";

// Their names of types are Python's.
std::string type_of(const std::string& theirs) {
  static const std::map<std::string, std::string> names = {
      {"dict", "object"}, {"float", "number"}, {"tuple", "array"}, {"list", "array"}, {"any", ""}};
  const auto found = names.find(theirs);
  return found == names.end() ? theirs : found->second;
}

// A default that the schema itself refuses says something to a reader and nothing to a checker.
bool keeps_default(const Value& value, Value schema) {
  if (value.is_null() || value.is_object()) return false;
  auto properties = Value::object(), parameters = Value::object(), function = Value::object(),
       tool = Value::object(), tools = Value::array();
  properties.set("x", std::move(schema.set("default", value)));
  parameters.set("type", "object").set("properties", std::move(properties));
  function.set("name", "f").set("parameters", std::move(parameters));
  tools.push_back(tool.set("function", std::move(function)));
  return skill::parse_tools(tools).ok();
}

// Argument names are ASCII in the call language: the other bytes become '_'.
std::string argument_name(const std::string& theirs) {
  std::string name = theirs;
  for (auto& c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') c = '_';
  }
  return name;
}

Value schema_of(const Value& theirs, bool is_parameters);

Value properties_of(const Value& theirs, bool are_parameters) {
  auto properties = Value::object();
  if (!theirs.is_object()) return properties;
  for (const auto& [name, inner] : theirs.as_object()) {
    properties.set(are_parameters ? argument_name(name) : name, schema_of(inner, false));
  }
  return properties;
}

Value required_of(const Value& theirs, const Value& properties, bool are_parameters) {
  auto required = Value::array();
  for (const auto& name : theirs.as_array()) {
    if (!name.is_string()) continue;
    auto ours = are_parameters ? argument_name(name.as_string()) : name.as_string();
    if (properties.get(ours)) required.push_back(std::move(ours));
  }
  return required;
}

Value schema_of(const Value& theirs, bool is_parameters) {
  auto schema = Value::object();
  const auto type = type_of(theirs.text("type"));
  if (!type.empty()) schema.set("type", type);
  if (const auto text = theirs.text("description"); !text.empty() && !is_parameters)
    schema.set("description", text);
  if (const auto* choices = theirs.get("enum"); choices && choices->size() > 0)
    schema.set("enum", *choices);
  if (const auto* items = theirs.get("items"); items && items->is_object())
    schema.set("items", schema_of(*items, false));
  if (const auto* properties = theirs.get("properties")) {
    auto ours = properties_of(*properties, is_parameters);
    const auto* required = theirs.get("required");
    if (required && required->is_array() && required->size() > 0)
      schema.set("required", required_of(*required, ours, is_parameters));
    schema.set("properties", std::move(ours));
  }
  const auto* otherwise = theirs.get("default");
  if (otherwise && keeps_default(*otherwise, schema)) schema.set("default", *otherwise);
  return schema;
}

Value tool_of(const Value& theirs) {
  auto function = Value::object();
  function.set("name", theirs.text("name")).set("description", theirs.text("description"));
  if (const auto* parameters = theirs.get("parameters"))
    function.set("parameters", schema_of(*parameters, true));
  auto tool = Value::object();
  return tool.set("type", "function").set("function", std::move(function));
}

Status read_question(const Value& row, Example& example) {
  const auto* turns = row.get("question");
  if (!turns || !turns->is_array() || turns->size() != 1 || !turns->as_array()[0].is_array())
    return Error::unsupported("'question' must have one turn", "multi-turn cases are not imported");
  for (const auto& message : turns->as_array()[0].as_array())
    example.messages.push_back({message.text("role"), message.text("content")});
  if (example.messages.empty() || example.messages.back().role != "user")
    return Error::unsupported("the last message of 'question' must be the user's");
  if (example.messages.size() > 1) return Status::success();
  example.input = example.messages[0].content;
  example.messages.clear();
  return Status::success();
}

Result<std::string> output_of(const std::string& category, const Value& answer) {
  if (answer.is_array()) {
    auto calls = Value::array();
    for (const auto& call : answer.as_array()) {
      auto ours = Value::object();
      for (const auto& [function, arguments] : call.as_object()) {
        auto named = Value::object();
        for (const auto& [name, values] : arguments.as_object())
          named.set(argument_name(name), values);
        ours.set(function, std::move(named));
      }
      calls.push_back(std::move(ours));
    }
    return calls.dump();
  }
  if (category.find("irrelevance") != std::string::npos) return std::string("none()");
  if (category.find("relevance") != std::string::npos) return std::string("any()");
  return Error::invalid_input("there is no accepted answer for it",
                              "its file belongs into possible_answer/");
}

Result<std::vector<Value>> read_lines(const std::string& path) {
  SLIPWAY_TRY(text, files::read(path, uint64_t{256} << 20));
  std::vector<Value> rows;
  size_t number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    auto row = json::parse(line);
    if (!row.ok()) return row.error().in(path + " line " + std::to_string(number));
    rows.push_back(std::move(*row));
  }
  return rows;
}

Result<std::map<std::string, Value>> read_answers(const std::string& path) {
  std::map<std::string, Value> answers;
  if (!files::exists(path)) return answers;
  SLIPWAY_TRY(rows, read_lines(path));
  for (const auto& row : rows) {
    const auto* truth = row.get("ground_truth");
    if (truth && truth->is_array()) answers[row.text("id")] = *truth;
  }
  return answers;
}

Result<ImportedFile> import_category(const std::string& folder, const std::string& name) {
  const auto path = files::join(folder, name + std::string(ending));
  SLIPWAY_TRY(answers, read_answers(files::join(folder, "possible_answer/" + name + ".jsonl")));
  SLIPWAY_TRY(rows, read_lines(path));
  ImportedFile file{name, {}};
  for (const auto& row : rows) {
    const auto answer = answers.find(row.text("id"));
    auto example = bfcl_example(name, row, answer == answers.end() ? Value() : answer->second);
    if (!example.ok()) return example.error().in(path + ", " + row.text("id"));
    file.examples.push_back(std::move(*example));
  }
  return file;
}

}  // namespace

Result<Example> bfcl_example(const std::string& category, const Value& row, const Value& answer) {
  Example example;
  example.id = row.text("id");
  example.tags = {category};
  SLIPWAY_CHECK(read_question(row, example));
  SLIPWAY_TRY(output, output_of(category, answer));
  example.output = std::move(output);
  const auto* functions = row.get("function");
  if (!functions || !functions->is_array())
    return Error::invalid_input("'function' must be a list of functions");
  auto tools = Value::array();
  for (const auto& function : functions->as_array()) tools.push_back(tool_of(function));
  SLIPWAY_TRY(checked, skill::parse_tools(tools));
  example.context = Value::object();
  example.context.set("functions", std::move(tools));
  return parse_row(row_json(example).dump());
}

Result<std::vector<ImportedFile>> import_bfcl(const std::string& folder) {
  std::vector<ImportedFile> imported;
  for (const auto& file : files::list(folder)) {
    if (!file.ends_with(ending)) continue;
    SLIPWAY_TRY(category, import_category(folder, file.substr(0, file.size() - ending.size())));
    imported.push_back(std::move(category));
  }
  if (!imported.empty()) return imported;
  return Error::not_found("no category (*.jsonl) in '" + folder + "'",
                          "name the folder that has live_simple.jsonl and possible_answer/");
}

}  // namespace slipway::dataset
