#include "skill/binding.h"

#include <algorithm>

#include "base/text.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

constexpr int max_body_depth = 16;

Error wrong(const std::string& where, const std::string& what) {
  return Error::invalid_input(where + " must be " + what);
}

bool is_token(std::string_view name) {  // RFC 9110
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Status check_template(const std::string& text, const std::string& where, const Function& function,
                      bool secrets) {
  for (const auto& piece : parse_template(text)) {
    if (piece.kind == TemplatePiece::Kind::secret && !secrets) {
      return Error::invalid_input(where + ": ${" + piece.text +
                                  "} may stand in headers and query only");
    }
    if (piece.kind != TemplatePiece::Kind::argument || function.find(piece.text)) continue;
    std::vector<std::string> names;
    for (const auto& parameter : function.parameters) names.push_back(parameter.name);
    const auto near = nearest(piece.text, names);
    return Error::invalid_input(
        where + ": {" + piece.text + "} is no parameter of " + function.qualified_name(),
        near ? "did you mean {" + *near + "}?" : "");
  }
  return Status::success();
}

Status read_method(const json::Value& value, const std::string& where, HttpBinding& http) {
  static const std::vector<std::string> methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  if (const auto* method = value.get("method")) {
    if (!method->is_string() ||
        std::find(methods.begin(), methods.end(), method->as_string()) == methods.end()) {
      return wrong(where + ".method", "one of " + join(methods, ", "));
    }
    http.method = method->as_string();
  }
  http.idempotent = http.method == "GET" || http.method == "HEAD";
  return Status::success();
}

Status read_path(const json::Value& value, const std::string& where, Function& function) {
  const auto* path = value.get("path");
  if (!path)
    return Error::invalid_input(where + ": 'path' is missing",
                                "for example \"/weather/{location}\"");
  if (!path->is_string() || !path->as_string().starts_with('/'))
    return wrong(where + ".path", "text that starts with '/'");
  const auto& text = path->as_string();
  const auto foreign = [](unsigned char c) {
    return c <= 0x20 || c >= 0x7f || c == '?' || c == '#' || c == '\\';
  };
  if (text.starts_with("//") || std::any_of(text.begin(), text.end(), foreign)) {
    return Error::invalid_input(
        where + ".path starts with '//' or holds '?', '#', '\\', a space or other than ASCII",
        "query parameters belong into 'query'; percent-encode the rest");
  }
  function.http.path = text;
  return check_template(text, where + ".path", function, false);
}

Status read_pairs(const json::Value& object, const std::string& where, const Function& function,
                  std::vector<std::pair<std::string, std::string>>& pairs) {
  if (!object.is_object()) return wrong(where, "an object of texts");
  for (const auto& [name, value] : object.as_object()) {
    const auto inner = where + "." + name;
    if (!value.is_string()) return wrong(inner, "text");
    if (has_control(value.as_string()))
      return Error::invalid_input(inner + " holds a control character");
    SLIPWAY_CHECK(check_template(value.as_string(), inner, function, true));
    pairs.emplace_back(name, value.as_string());
  }
  return Status::success();
}

Status read_join(const json::Value& object, const std::string& where, Function& function) {
  if (!object.is_object()) return wrong(where, "an object of texts");
  for (const auto& [name, separator] : object.as_object()) {
    if (!function.find(name))
      return Error::invalid_input(where + ": '" + name + "' is no parameter of " +
                                  function.qualified_name());
    if (!separator.is_string() || separator.as_string().empty() ||
        separator.as_string().size() > 8 || has_control(separator.as_string())) {
      return wrong(where + "." + name, "text of 1 to 8 bytes, such as \",\"");
    }
    function.http.join.emplace_back(name, separator.as_string());
  }
  return Status::success();
}

Status read_basic_auth(const json::Value& name, const std::string& where, HttpBinding& http) {
  if (!name.is_string() || !is_identifier(name.as_string()))
    return wrong(where, "the name of a secret, such as \"HOME_LOGIN\"");
  for (const auto& [header, value] : http.headers) {
    if (to_lower(header) == "authorization")
      return Error::invalid_input(where + ": there is an Authorization header already");
  }
  http.basic_auth = name.as_string();
  return Status::success();
}

Status check_body(const json::Value& body, const std::string& where, const Function& function,
                  int depth) {
  if (depth > max_body_depth) return Error::exhausted(where + ": a body may nest 16 deep");
  if (body.is_string()) return check_template(body.as_string(), where, function, false);
  if (body.is_array()) {
    for (size_t i = 0; i < body.size(); ++i) {
      SLIPWAY_CHECK(check_body(body.as_array()[i], where + "[" + std::to_string(i) + "]", function,
                               depth + 1));
    }
  }
  if (body.is_object()) {
    for (const auto& [name, value] : body.as_object()) {
      SLIPWAY_CHECK(check_body(value, where + "." + name, function, depth + 1));
    }
  }
  return Status::success();
}

void collect(std::string_view text, std::vector<std::string>& names) {
  for (const auto& piece : parse_template(text)) {
    if (piece.kind == TemplatePiece::Kind::argument) names.push_back(piece.text);
  }
}

void collect_body(const json::Value& body, std::vector<std::string>& names) {
  if (body.is_string()) collect(body.as_string(), names);
  if (body.is_array()) {
    for (const auto& item : body.as_array()) collect_body(item, names);
  }
  if (body.is_object()) {
    for (const auto& [name, value] : body.as_object()) collect_body(value, names);
  }
}

}  // namespace

Status check_header_names(const std::vector<std::pair<std::string, std::string>>& headers,
                          const std::string& where) {
  static const std::vector<std::string> ours{
      "host",    "content-length", "transfer-encoding",   "connection",      "upgrade", "te",
      "trailer", "expect",         "proxy-authorization", "proxy-connection"};
  for (const auto& [name, value] : headers) {
    if (!is_token(name))
      return Error::invalid_input(where + ".headers: '" + name + "' is no header name");
    if (std::find(ours.begin(), ours.end(), to_lower(name)) != ours.end()) {
      return Error::invalid_input(where + ".headers: '" + name +
                                  "' is set by the client and cannot be written here");
    }
  }
  return Status::success();
}

Status read_limits(const json::Value& value, const std::string& where, HttpBinding& http) {
  if (const auto* timeout = value.get("timeout_ms")) {
    if (!timeout->is_integer() || timeout->as_integer() < 1 || timeout->as_integer() > 600'000) {
      return wrong(where + ".timeout_ms", "a number of milliseconds from 1 to 600000");
    }
    http.timeout_ms = static_cast<int>(timeout->as_integer());
  }
  if (const auto* bytes = value.get("max_response_bytes")) {
    if (!bytes->is_integer() || bytes->as_integer() < 1 || bytes->as_integer() > (64 << 20)) {
      return wrong(where + ".max_response_bytes", "a number of bytes from 1 to 67108864");
    }
    http.max_response_bytes = static_cast<size_t>(bytes->as_integer());
  }
  if (const auto* idempotent = value.get("idempotent")) {
    if (!idempotent->is_bool()) return wrong(where + ".idempotent", "true or false");
    if (http.idempotent && !idempotent->as_bool()) {
      return Error::invalid_input(where + ".idempotent: a " + http.method + " request always is");
    }
    http.idempotent = idempotent->as_bool();
  }
  return Status::success();
}

Status check_keys(const json::Value& object, const std::vector<std::string>& known,
                  const std::string& where) {
  for (const auto& [key, value] : object.as_object()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const auto near = nearest(key, known);
    return Error::invalid_input(
        (where.empty() ? "" : where + ": ") + "unknown key '" + key + "'",
        near ? "did you mean '" + *near + "'?" : "known keys: " + join(known, ", "));
  }
  return Status::success();
}

std::vector<std::string> bound_arguments(const HttpBinding& http) {
  std::vector<std::string> names;
  collect(http.path, names);
  for (const auto& [name, text] : http.query) collect(text, names);
  for (const auto& [name, text] : http.headers) collect(text, names);
  if (http.body) collect_body(*http.body, names);
  return names;
}

Status read_binding(const json::Value& value, const std::string& where, Function& function) {
  if (!value.is_object()) return wrong(where, "an object");
  SLIPWAY_CHECK(check_keys(value,
                           {"method", "path", "query", "headers", "join", "basic_auth", "body",
                            "timeout_ms", "idempotent", "max_response_bytes"},
                           where));
  auto& http = function.http;
  SLIPWAY_CHECK(read_method(value, where, http));
  SLIPWAY_CHECK(read_path(value, where, function));
  if (const auto* query = value.get("query"))
    SLIPWAY_CHECK(read_pairs(*query, where + ".query", function, http.query));
  if (const auto* headers = value.get("headers")) {
    SLIPWAY_CHECK(read_pairs(*headers, where + ".headers", function, http.headers));
    SLIPWAY_CHECK(check_header_names(http.headers, where));
  }
  if (const auto* join = value.get("join"))
    SLIPWAY_CHECK(read_join(*join, where + ".join", function));
  if (const auto* name = value.get("basic_auth"))
    SLIPWAY_CHECK(read_basic_auth(*name, where + ".basic_auth", http));
  if (const auto* body = value.get("body")) {
    if (http.method == "GET" || http.method == "HEAD") {
      return Error::invalid_input(where + ".body: a " + http.method + " request has no body");
    }
    SLIPWAY_CHECK(check_body(*body, where + ".body", function, 0));
    http.body = *body;
  }
  return read_limits(value, where, http);
}

}  // namespace slipway::skill
