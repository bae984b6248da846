#include "dataset/row.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"

namespace slipway::dataset {
namespace {

constexpr std::array<std::string_view, 6> row_keys = {"input", "output", "context",
                                                      "id",    "tags",   "cluster"};
constexpr std::array<std::string_view, 4> roles = {"system", "user", "assistant", "tool"};

Error wrong(std::string_view key, std::string_view expected) {
  return Error::invalid_input("'" + std::string(key) + "' must be " + std::string(expected));
}

Status check_keys(const json::Value& row) {
  for (const auto& [key, value] : row.as_object()) {
    if (std::find(row_keys.begin(), row_keys.end(), key) != row_keys.end()) continue;
    std::vector<std::string> names(row_keys.begin(), row_keys.end());
    auto near = nearest(key, names);
    return Error::invalid_input(
        "unknown key '" + key + "'",
        near ? "did you mean '" + *near + "'?" : "a row has " + join(names, ", "));
  }
  return Status::success();
}

Result<Message> parse_message(const json::Value& value) {
  const json::Value* role = value.get("role");
  const json::Value* content = value.get("content");
  if (!role || !role->is_string() || !content || !content->is_string() || value.size() != 2) {
    return Error::invalid_input("a message is {\"role\": text, \"content\": text}");
  }
  if (std::find(roles.begin(), roles.end(), role->as_string()) == roles.end()) {
    return Error::invalid_input("unknown role '" + role->as_string() + "'",
                                "the roles are system, user, assistant, tool");
  }
  return Message{role->as_string(), content->as_string()};
}

Status parse_input(const json::Value* input, Example& example) {
  if (!input) return Error::invalid_input("'input' is missing");
  if (input->is_string()) {
    if (trim(input->as_string()).empty()) return Error::invalid_input("'input' is empty");
    example.input = input->as_string();
    return Status::success();
  }
  if (!input->is_array()) return wrong("input", "text or an array of messages");
  if (input->size() == 0 || input->size() > max_messages) {
    return wrong("input", "1 to " + std::to_string(max_messages) + " messages");
  }
  for (const auto& element : input->as_array()) {
    SLIPWAY_TRY(message, parse_message(element));
    example.messages.push_back(std::move(message));
  }
  if (example.messages.back().role != "user") {
    return Error::invalid_input("the last message of 'input' is not of the role 'user'",
                                "what is expected belongs into 'output'");
  }
  return Status::success();
}

Status parse_id(const json::Value* id, Example& example) {
  if (!id) return Status::success();
  if (id->is_integer()) {
    example.id = std::to_string(id->as_integer());
    return Status::success();
  }
  if (!id->is_string()) return wrong("id", "text or an integer");
  if (id->as_string().empty() || id->as_string().size() > max_id_bytes) {
    return wrong("id", "1 to " + std::to_string(max_id_bytes) + " bytes");
  }
  example.id = id->as_string();
  return Status::success();
}

Status parse_tags(const json::Value* tags, Example& example) {
  if (!tags) return Status::success();
  if (!tags->is_array()) return wrong("tags", "an array of texts");
  if (tags->size() > max_tags)
    return wrong("tags", "at most " + std::to_string(max_tags) + " texts");
  for (const auto& tag : tags->as_array()) {
    if (!tag.is_string() || tag.as_string().empty()) return wrong("tags", "an array of texts");
    example.tags.push_back(tag.as_string());
  }
  return Status::success();
}

// The parser's "line 1, column 5" would contradict the line of the file.
Result<json::Value> parse_line(std::string_view text) {
  auto value = json::parse(text);
  constexpr std::string_view first = "line 1, ";
  if (value.ok() || !starts_with(value.error().message(), first)) return value;
  const Error& error = value.error();
  return Error(error.code(), error.message().substr(first.size()), error.hint());
}

json::Value messages_json(const std::vector<Message>& messages) {
  json::Value array = json::Value::array();
  for (const auto& message : messages) {
    json::Value object = json::Value::object();
    object.set("role", message.role);
    object.set("content", message.content);
    array.push_back(std::move(object));
  }
  return array;
}

}  // namespace

const std::string& Example::text() const {
  auto last = std::find_if(messages.rbegin(), messages.rend(),
                           [](const Message& message) { return message.role == "user"; });
  return last == messages.rend() ? input : last->content;
}

Result<Example> parse_row(std::string_view json_text) {
  SLIPWAY_TRY(row, parse_line(json_text));
  if (!row.is_object()) return Error::invalid_input("a row must be a JSON object");
  SLIPWAY_CHECK(check_keys(row));
  Example example;
  SLIPWAY_CHECK(parse_input(row.get("input"), example));
  const json::Value* output = row.get("output");
  if (!output) return Error::invalid_input("'output' is missing");
  if (!output->is_string()) return wrong("output", "text");
  example.output = output->as_string();
  if (const json::Value* context = row.get("context"); context && !context->is_null()) {
    if (!context->is_object()) return wrong("context", "an object");
    example.context = *context;
  }
  SLIPWAY_CHECK(parse_id(row.get("id"), example));
  SLIPWAY_CHECK(parse_tags(row.get("tags"), example));
  if (const json::Value* cluster = row.get("cluster")) {
    if (!cluster->is_string()) return wrong("cluster", "text");
    example.cluster = cluster->as_string();
  }
  if (example.id.empty()) example.id = derived_id(example);
  return example;
}

json::Value row_json(const Example& example) {
  json::Value row = json::Value::object();
  row.set("id", example.id);
  row.set("input",
          example.messages.empty() ? json::Value(example.input) : messages_json(example.messages));
  row.set("output", example.output);
  if (!example.context.is_null()) row.set("context", example.context);
  if (!example.tags.empty()) {
    json::Value tags = json::Value::array();
    for (const auto& tag : example.tags) tags.push_back(tag);
    row.set("tags", std::move(tags));
  }
  if (!example.cluster.empty()) row.set("cluster", example.cluster);
  return row;
}

std::string derived_id(const Example& example) {
  std::string asked =
      example.messages.empty() ? example.input : messages_json(example.messages).canonical();
  // A line feed cannot occur unescaped in canonical JSON, so input and context cannot run into each
  // other.
  if (!example.context.is_null()) asked += "\n" + example.context.canonical();
  return short_id(sha256_hex(asked));
}

}  // namespace slipway::dataset
