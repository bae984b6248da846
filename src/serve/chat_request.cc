#include "serve/chat_request.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "skill/grammar.h"

namespace slipway::serve {
namespace {

constexpr size_t most_messages = 1000;
constexpr size_t most_stops = 16;

Error wrong(const std::string& where, const std::string& expected) {
  return Error::invalid_input("'" + where + "' must be " + expected);
}

Error refused(const std::string& what, const std::string& hint = {}) {
  return Error::unsupported(what + " is not supported by this server", hint);
}

// Present and not null.
const json::Value* given(const json::Value& body, std::string_view key) {
  const auto* value = body.get(key);
  return value && !value->is_null() ? value : nullptr;
}

Result<std::string> text_of(const json::Value& message, const std::string& where) {
  const auto* content = given(message, "content");
  if (!content) return std::string();
  if (content->is_string()) return content->as_string();
  if (!content->is_array()) return wrong(where + ".content", "text or an array of parts");
  std::string text;
  for (const auto& part : content->as_array()) {
    if (part.text("type") != "text")
      return refused("'" + where + ".content' of the type '" + part.text("type") + "'");
    text += part.text("text");
  }
  return text;
}

// A call as a message of the assistant holds it.
Result<skill::Call> call_of(const json::Value& tool_call, const std::string& where) {
  const auto* function = tool_call.get("function");
  if (!function || function->text("name").empty())
    return wrong(where + ".tool_calls", "calls with an id and a function");
  auto arguments = json::parse(function->text("arguments", "{}"));
  if (!arguments.ok() || !arguments->is_object())
    return wrong(where + ".tool_calls arguments", "the text of a JSON object");
  skill::Call call{function->text("name"), {}};
  for (auto& [name, value] : arguments->as_object()) call.arguments.push_back({name, value});
  return call;
}

class MessageReader {
 public:
  explicit MessageReader(ChatRequest& request) : request_(request) {}

  Status read(const json::Value& messages) {
    if (!messages.is_array() || messages.size() == 0 || messages.size() > most_messages)
      return wrong("messages", "an array of 1 to 1000 messages");
    const auto& list = messages.as_array();
    const auto last_user = std::find_if(list.rbegin(), list.rend(), [](const auto& message) {
      return message.text("role") == "user";
    });
    if (last_user == list.rend()) return wrong("messages", "with one of the role 'user'");
    const auto asked_at = static_cast<size_t>(list.rend() - last_user) - 1;
    for (size_t i = 0; i < list.size(); ++i) {
      const auto where = "messages[" + std::to_string(i) + "]";
      if (i > asked_at) {
        SLIPWAY_CHECK(after(list[i], where));
      } else {
        SLIPWAY_CHECK(before(list[i], where, i == asked_at));
      }
    }
    if (!asked_.empty()) return wrong("messages", "with the result of every call of the last turn");
    return Status::success();
  }

 private:
  Status before(const json::Value& message, const std::string& where, bool last) {
    auto role = message.text("role");
    if (role == "developer") role = "system";
    constexpr std::array<std::string_view, 4> roles = {"system", "user", "assistant", "tool"};
    if (std::find(roles.begin(), roles.end(), role) == roles.end())
      return wrong(where + ".role", "system, developer, user, assistant or tool");
    SLIPWAY_TRY(text, text_of(message, where));
    if (const auto* calls = given(message, "tool_calls"); calls && text.empty()) {
      SLIPWAY_TRY(made, calls_text(*calls, where));
      text = std::move(made);
    }
    if (last) {
      if (trim(text).empty()) return wrong(where + ".content", "not empty");
      request_.input.text = std::move(text);
    } else if (!text.empty()) {
      request_.input.history.push_back({role, std::move(text)});
    }
    return Status::success();
  }

  // Calls of earlier turns, as the model would have written them.
  static Result<std::string> calls_text(const json::Value& calls, const std::string& where) {
    if (!calls.is_array()) return wrong(where + ".tool_calls", "an array");
    std::vector<skill::Call> made;
    for (const auto& tool_call : calls.as_array()) {
      SLIPWAY_TRY(call, call_of(tool_call, where));
      made.push_back(std::move(call));
    }
    return skill::print_calls(made, {});
  }

  // The calls of the last answer, and what came of them.
  Status after(const json::Value& message, const std::string& where) {
    const auto role = message.text("role");
    const auto* calls = given(message, "tool_calls");
    if (role == "assistant" && calls && calls->is_array()) return take_calls(*calls, where);
    if (role != "tool")
      return refused("'" + where + "' after the last message of the user",
                     "end with a user message, or with results of tools");
    const auto found = asked_.find(message.text("tool_call_id"));
    if (found == asked_.end())
      return wrong(where + ".tool_call_id", "an id of the calls before it");
    SLIPWAY_TRY(text, text_of(message, where));
    auto parsed = json::parse(text);
    request_.results.push_back(
        {std::move(found->second), parsed.ok() ? std::move(*parsed) : json::Value(text)});
    asked_.erase(found);
    return Status::success();
  }

  Status take_calls(const json::Value& calls, const std::string& where) {
    for (const auto& tool_call : calls.as_array()) {
      const auto id = tool_call.text("id");
      if (id.empty() || asked_.contains(id))
        return wrong(where + ".tool_calls", "calls with different ids");
      SLIPWAY_TRY(call, call_of(tool_call, where));
      asked_[id] = std::move(call);
    }
    return Status::success();
  }

  ChatRequest& request_;
  std::map<std::string, skill::Call> asked_;  // without a result yet, by id
};

Result<std::optional<double>> number_in(const json::Value& body, const std::string& key, double low,
                                        double high) {
  const auto* value = given(body, key);
  if (!value) return std::optional<double>();
  if (!value->is_number() || !(value->as_number() >= low && value->as_number() <= high))
    return wrong(key,
                 "a number from " + json::Value(low).dump() + " to " + json::Value(high).dump());
  return std::optional(value->as_number());
}

Status read_numbers(const json::Value& body, ChatRequest& request) {
  SLIPWAY_TRY(temperature, number_in(body, "temperature", 0, 2));
  SLIPWAY_TRY(top_p, number_in(body, "top_p", 0, 1));
  if (top_p && *top_p == 0) return wrong("top_p", "above 0");
  request.temperature = temperature;
  request.top_p = top_p;
  // The newer name wins.
  for (const char* key : {"max_tokens", "max_completion_tokens"}) {
    SLIPWAY_TRY(tokens, number_in(body, key, 1, 1'000'000));
    if (tokens) request.max_tokens = static_cast<int>(*tokens);
  }
  if (const auto* seed = given(body, "seed")) {
    if (!seed->is_integer()) return wrong("seed", "a whole number");
    request.seed = static_cast<uint64_t>(seed->as_integer());
  }
  return Status::success();
}

Status read_stop(const json::Value& body, ChatRequest& request) {
  const auto* stop = given(body, "stop");
  if (!stop) return Status::success();
  const auto list = stop->is_array() ? stop->as_array() : json::Array{*stop};
  if (list.size() > most_stops) return wrong("stop", "at most 16 texts");
  request.stop.emplace();
  for (const auto& text : list) {
    if (!text.is_string() || text.as_string().empty()) return wrong("stop", "a text or texts");
    request.stop->push_back(text.as_string());
  }
  return Status::success();
}

Status read_tools(const json::Value& body, ChatRequest& request) {
  if (const auto* tools = given(body, "tools"); tools && tools->size() > 0)
    request.input.context.set("functions", *tools);
  const auto* choice = given(body, "tool_choice");
  if (!choice) return Status::success();
  const auto word = choice->is_string() ? choice->as_string() : std::string();
  const auto* function = choice->get("function");
  if (word == "none") {
    request.choice = ToolChoice::none;
  } else if (word == "required") {
    request.choice = ToolChoice::required;
  } else if (function && !function->text("name").empty()) {
    request.choice = ToolChoice::named;
    request.chosen = function->text("name");
  } else if (word != "auto") {
    return wrong("tool_choice", "none, auto, required or a function");
  }
  return Status::success();
}

// What would change the answer and cannot be honoured.
Status refuse_unknown(const json::Value& body) {
  for (const char* key : {"frequency_penalty", "presence_penalty", "top_logprobs"}) {
    if (body.number(key) != 0) return refused("'" + std::string(key) + "' other than 0");
  }
  if (body.number("n", 1) != 1)
    return refused("'n' other than 1", "send the request several times, with different seeds");
  if (const auto* bias = given(body, "logit_bias"); bias && bias->size() > 0)
    return refused("'logit_bias'");
  for (const char* key : {"functions", "function_call"}) {
    if (given(body, key)) return refused("'" + std::string(key) + "'", "send 'tools'");
  }
  if (given(body, "audio")) return refused("'audio'");
  return Status::success();
}

// A JSON Schema becomes the language of the answer.
Status read_format(const json::Value& body, ChatRequest& request) {
  const auto* format = given(body, "response_format");
  const auto type = format ? format->text("type") : std::string("text");
  if (type == "text") return Status::success();
  if (type != "json_object" && type != "json_schema")
    return wrong("response_format.type", "text, json_object or json_schema");
  if (request.input.context.get("functions") && request.choice != ToolChoice::none)
    return refused("'response_format' together with 'tools'", "send one of them");
  auto schema = json::Value::object();
  schema.set("type", "object");
  const auto* described = format->get("json_schema");
  if (type == "json_schema") {
    const auto* theirs = described ? described->get("schema") : nullptr;
    if (!theirs) return wrong("response_format.json_schema.schema", "a JSON Schema");
    schema = *theirs;
  }
  auto grammar = skill::value_grammar(schema);
  if (!grammar.ok()) return grammar.error().in("response_format");
  if (described && described->flag("strict") && !grammar->notes.empty())
    return refused("a strict 'response_format' with " + grammar->notes[0],
                   "leave that out, or send \"strict\": false");
  request.format = std::move(grammar->constraint);
  return Status::success();
}

}  // namespace

Result<ChatRequest> parse_chat_request(const json::Value& body) {
  ChatRequest request;
  request.input.context = json::Value::object();
  if (const auto* model = given(body, "model")) {
    if (!model->is_string()) return wrong("model", "a text");
    request.model = model->as_string();
  }
  if (const auto* context = given(body, "context")) {
    if (!context->is_object()) return wrong("context", "an object");
    request.input.context = *context;
  }
  const auto* messages = given(body, "messages");
  if (!messages) return Error::invalid_input("'messages' is missing");
  SLIPWAY_CHECK(refuse_unknown(body));
  SLIPWAY_CHECK(MessageReader(request).read(*messages));
  SLIPWAY_CHECK(read_numbers(body, request));
  SLIPWAY_CHECK(read_stop(body, request));
  SLIPWAY_CHECK(read_tools(body, request));
  SLIPWAY_CHECK(read_format(body, request));
  request.logprobs = body.flag("logprobs");
  request.stream = body.flag("stream");
  if (const auto* options = given(body, "stream_options"))
    request.include_usage = options->flag("include_usage");
  return request;
}

namespace {

// The functions with only the chosen one, as a `tools` array.
Result<json::Value> only(const json::Value& tools, const std::string& name) {
  for (const auto& tool : tools.as_array()) {
    const auto* function = tool.get("function");
    if (!function || function->text("name") != name) continue;
    auto one = json::Value::array();
    one.push_back(tool);
    return one;
  }
  return Error::invalid_input("'tool_choice' names '" + name + "', which is no function here");
}

}  // namespace

Result<candidate::Candidate> changed(const candidate::Candidate& candidate,
                                     const ChatRequest& request) {
  auto c = candidate;
  if (request.max_tokens) c.decoding.max_tokens = *request.max_tokens;
  if (request.temperature) c.decoding.temperature = *request.temperature;
  if (request.top_p) c.decoding.top_p = *request.top_p;
  if (request.seed) c.decoding.seed = *request.seed;
  if (request.stop) c.decoding.stop = *request.stop;
  c.decoding.logprobs = c.decoding.logprobs || request.logprobs;
  if (request.choice == ToolChoice::automatic && !request.format) return c;
  if (request.choice == ToolChoice::none || request.format) {
    c.skills = std::make_shared<skill::SkillSet>();
    c.constrain = false;
    return c;
  }
  const auto* own = request.input.context.get("functions");
  if (!own && c.skills->functions().empty())
    return Error::invalid_input("'tool_choice' requires a call, but there are no functions",
                                "send 'tools'");
  c.constrain = true;
  c.grammar.allow_no_call = false;
  c.min_confidence = 0;
  if (request.choice == ToolChoice::required) return c;
  SLIPWAY_TRY(one, only(own ? *own : c.skills->to_tools(), request.chosen));
  auto chosen = skill::parse_tools(one);
  if (!chosen.ok()) return chosen.error();
  auto skills = std::make_shared<skill::SkillSet>();
  SLIPWAY_CHECK(skills->add(std::move(*chosen)));
  c.skills = std::move(skills);
  return c;
}

}  // namespace slipway::serve
