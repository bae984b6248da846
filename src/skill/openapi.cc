#include "skill/openapi.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "http/client.h"
#include "skill/binding.h"
#include "skill/foreign_schema.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

constexpr size_t max_functions = 256;
constexpr size_t max_operations = 4096;
constexpr size_t max_notes = 500;

struct Operation {
  std::string method, path, where;
  const json::Value* path_item = nullptr;
  const json::Value* value = nullptr;
  std::string name;  // the function's

  std::string title() const { return method + " " + path; }
};

struct Server {
  std::string origin, path;  // "https://api.example.com", "/v1"
};

bool fits(const std::string& pattern, const Operation& operation) {
  for (const auto& name :
       {operation.name, operation.value->text("operationId"), operation.title()}) {
    if (name.empty()) continue;
    if (pattern == name) return true;
    if (pattern.ends_with('*') && name.starts_with(pattern.substr(0, pattern.size() - 1)))
      return true;
  }
  return false;
}

bool any_fits(const std::vector<std::string>& patterns, const Operation& operation) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return fits(pattern, operation); });
}

std::string secret_name(const std::string& scheme, const OpenApiSelection& selection) {
  if (const auto found = selection.secrets.find(scheme); found != selection.secrets.end())
    return found->second;
  auto name = make_identifier(scheme, {});
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? '_' : c;
  });
  return name;
}

class Reader {
 public:
  Reader(const json::Value& document, const OpenApiSelection& selection, Skill& skill)
      : document_(document), selection_(selection), skill_(skill) {}

  Status read() {
    SLIPWAY_CHECK(check_version());
    SLIPWAY_CHECK(read_servers());
    if (skill_.description.empty() && document_.get("info"))
      skill_.description = document_.get("info")->text("title");
    SLIPWAY_TRY(operations, collect());
    SLIPWAY_CHECK(check_selection(selection_.include, "include", operations));
    SLIPWAY_CHECK(check_selection(selection_.exclude, "exclude", operations));
    for (const auto& operation : operations) {
      if (any_fits(selection_.exclude, operation)) continue;
      const bool named = any_fits(selection_.include, operation);
      if (!named && !selection_.include.empty()) continue;
      std::vector<std::string> notes;
      auto function = read_operation(operation, notes);
      if (!function.ok()) {
        // Who asks for an operation by name learns why it cannot be.
        if (named) return function.error();
        note(operation.title() + " is left out: " + function.error().message());
        continue;
      }
      if (skill_.functions.size() == max_functions) {
        return Error::exhausted("the document has more than 256 operations",
                                "choose among them with 'include' or 'exclude'");
      }
      for (const auto& one : notes) note(one);
      skill_.functions.push_back(std::move(*function));
    }
    return Status::success();
  }

 private:
  void note(std::string text) {
    if (skill_.notes.size() < max_notes) skill_.notes.push_back(std::move(text));
  }

  Status check_version() const {
    const auto version = document_.text("openapi");
    if (version.starts_with("3.0.") || version.starts_with("3.1.") || version == "3.0" ||
        version == "3.1") {
      return Status::success();
    }
    const auto* number = document_.get("openapi");
    if (number && number->is_number() &&
        (*number == json::Value(3.0) || *number == json::Value(3.1)))
      return Status::success();  // YAML reads an unquoted 3.1 as a number
    if (document_.get("swagger") || number)
      return Error::unsupported("this is no OpenAPI 3.0 or 3.1 document", "convert it to 3.x");
    return Error::invalid_input("not an OpenAPI document: 'openapi' is missing");
  }

  // `url` with its variables' defaults.
  static Result<std::string> expand(const json::Value& server, const std::string& where) {
    std::string text;
    for (const auto& piece : parse_template(server.text("url"))) {
      if (piece.kind == TemplatePiece::Kind::literal) {
        text += piece.text;
        continue;
      }
      const auto* variables = server.get("variables");
      const auto* variable = variables ? variables->get(piece.text) : nullptr;
      if (piece.kind == TemplatePiece::Kind::secret || !variable ||
          variable->text("default").empty())
        return Error::invalid_input(where + ".url: {" + piece.text + "} has no default");
      text += variable->text("default");
    }
    return text;
  }

  Result<Server> read_server(const json::Value& list, const std::string& where) const {
    if (!list.is_array()) return Error::invalid_input(where + " must be a list");
    if (list.size() == 0) return Server{};
    const auto at = where + "[0]";
    SLIPWAY_TRY(text, expand(list.as_array()[0], at));
    while (text.ends_with('/')) text.pop_back();
    if (text.empty() || text.starts_with('/')) return Server{"", text};
    auto url = http::parse_url(text);
    if (!url.ok()) return url.error().in(at + ".url");
    if (url->scheme != "http" && url->scheme != "https")
      return Error::unsupported(at + ".url must be http or https");
    const auto start = text.find("://") + 3;
    const auto slash = std::min(text.find_first_of("/?#", start), text.size());
    auto path = text.substr(slash);
    if (path.find_first_of("?#") != std::string::npos)
      return Error::unsupported(at + ".url has a query");
    return Server{text.substr(0, slash), std::move(path)};
  }

  Status read_servers() {
    if (const auto* list = document_.get("servers")) {
      SLIPWAY_TRY(server, read_server(*list, "servers"));
      base_path_ = server.path;
      if (skill_.base_url.empty()) skill_.base_url = server.origin;
    }
    if (!skill_.base_url.empty()) return Status::success();
    return Error::invalid_input("the document's servers[0].url names no host",
                                "write \"base_url\" into the skill file");
  }

  // An operation's own servers may change the path, never the origin.
  Result<std::string> base_path(const Operation& operation) const {
    for (const auto* owner : {operation.value, operation.path_item}) {
      const auto* list = owner->get("servers");
      if (!list) continue;
      SLIPWAY_TRY(server, read_server(*list, operation.where + ".servers"));
      if (server.origin.empty()) return server.path;
      SLIPWAY_TRY(theirs, http::parse_url(server.origin));
      SLIPWAY_TRY(ours, http::parse_url(skill_.base_url));
      if (theirs.origin() != ours.origin())
        return Error::unsupported(operation.where + ".servers: another host than base_url");
      return server.path;
    }
    return base_path_;
  }

  Result<std::vector<Operation>> collect() const {
    std::vector<Operation> all;
    std::vector<std::string> taken;
    const auto* paths = document_.get("paths");
    if (!paths) return all;
    if (!paths->is_object()) return Error::invalid_input("paths must be an object");
    for (const auto& [path, source] : paths->as_object()) {
      if (!path.starts_with('/')) continue;  // x-...
      const auto at = "paths." + path;
      SLIPWAY_TRY(item, follow_refs(source, document_, at));
      if (!item->is_object()) return Error::invalid_input(at + " must be an object");
      for (const char* method : {"get", "head", "post", "put", "patch", "delete"}) {
        const auto* value = item->get(method);
        if (!value) continue;
        if (!value->is_object())
          return Error::invalid_input(at + "." + method + " must be an object");
        if (all.size() == max_operations)
          return Error::exhausted("the document has more than 4096 operations");
        Operation one{upper(method), path, at + "." + method, item, value, ""};
        const auto id = value->text("operationId");
        one.name = make_identifier(id.empty() ? method + ("_" + path) : id, taken);
        taken.push_back(one.name);
        all.push_back(std::move(one));
      }
    }
    return all;
  }

  static std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    return text;
  }

  static Status check_selection(const std::vector<std::string>& patterns, const std::string& key,
                                const std::vector<Operation>& operations) {
    for (const auto& pattern : patterns) {
      std::vector<std::string> names;
      bool found = false;
      for (const auto& operation : operations) {
        found |= fits(pattern, operation);
        names.push_back(operation.name);
      }
      if (found) continue;
      const auto near = nearest(pattern, names);
      return Error::not_found(key + ": no operation '" + pattern + "'",
                              near ? "did you mean '" + *near + "'?"
                                   : "an operationId, \"GET /path\", or a beginning with *");
    }
    return Status::success();
  }

  Result<Function> read_operation(const Operation& operation, std::vector<std::string>& notes) {
    Function function;
    function.skill = skill_.name;
    function.name = operation.name;
    function.description = short_description(*operation.value);
    const bool reads = operation.method == "GET" || operation.method == "HEAD";
    function.permission = reads ? Permission::allow : Permission::confirm;
    SLIPWAY_TRY(base, base_path(operation));
    auto http = json::Value::object();
    http.set("method", operation.method).set("path", operation.path);
    SLIPWAY_CHECK(read_operation_inputs(document_, *operation.path_item, *operation.value,
                                        operation.where, function, http, notes));
    http.set("path", base + http.text("path"));
    if (reads && http.get("body"))
      return Error::unsupported(operation.where + ": a GET with a body");
    SLIPWAY_CHECK(authenticate(operation, http));
    SLIPWAY_CHECK(read_binding(http, operation.where, function));
    return function;
  }

  // The first alternative that we can honour; none when one of them asks for nothing.
  Status authenticate(const Operation& operation, json::Value& http) const {
    const auto* list = operation.value->get("security");
    if (!list) list = document_.get("security");
    if (!list) return Status::success();
    if (!list->is_array())
      return Error::invalid_input(operation.where + ".security must be a list");
    const auto& all = list->as_array();
    const bool optional = all.empty() || std::any_of(all.begin(), all.end(), [](const auto& one) {
                            return one.size() == 0;
                          });
    std::optional<Error> first;
    for (const auto& alternative : all) {
      if (optional && !bound(alternative)) continue;
      auto with = http;
      auto status = apply(alternative, operation.where + ".security", with);
      if (status.ok()) {
        http = std::move(with);
        return status;
      }
      if (!first) first = status.error();
    }
    return first && !optional ? Status(*first) : Status::success();
  }

  // Whether the user's file names a secret for it, so that an optional login is wanted.
  bool bound(const json::Value& alternative) const {
    if (!alternative.is_object()) return false;
    const auto& schemes = alternative.as_object();
    return std::any_of(schemes.begin(), schemes.end(), [&](const auto& scheme) {
      return selection_.secrets.contains(scheme.first);
    });
  }

  Status apply(const json::Value& alternative, const std::string& where, json::Value& http) const {
    if (!alternative.is_object()) return Error::invalid_input(where + " must list objects");
    const auto* components = document_.get("components");
    const auto* schemes = components ? components->get("securitySchemes") : nullptr;
    for (const auto& [name, scopes] : alternative.as_object()) {
      const auto* source = schemes ? schemes->get(name) : nullptr;
      if (!source) return Error::invalid_input(where + ": no security scheme '" + name + "'");
      SLIPWAY_TRY(scheme, follow_refs(*source, document_, where));
      SLIPWAY_CHECK(apply_scheme(name, *scheme, where, http));
    }
    return Status::success();
  }

  Status apply_scheme(const std::string& name, const json::Value& scheme, const std::string& where,
                      json::Value& http) const {
    const auto type = scheme.text("type"), in = scheme.text("in");
    const auto kind = to_lower(scheme.text("scheme"));
    const auto secret = secret_name(name, selection_);
    const auto put = [&](const char* part, const std::string& key, const std::string& value) {
      if (!http.get(part)) http.set(part, json::Value::object());
      http.get(part)->set(key, value);
    };
    const auto reference = "${" + secret + "}";
    if (type == "apiKey" && in == "header") {
      put("headers", scheme.text("name"), reference);
    } else if (type == "apiKey" && in == "query") {
      put("query", scheme.text("name"), reference);
    } else if (type == "http" && kind == "basic") {
      http.set("basic_auth", secret);
    } else if ((type == "http" && kind == "bearer") || type == "oauth2" ||
               type == "openIdConnect") {
      put("headers", "Authorization", "Bearer " + reference);
    } else {
      return Error::unsupported(where + ": the security scheme '" + name + "' (" + type +
                                (in.empty() ? "" : " in " + in) + ") is not supported");
    }
    return Status::success();
  }

  const json::Value& document_;
  const OpenApiSelection& selection_;
  Skill& skill_;
  std::string base_path_;
};

}  // namespace

Status read_openapi(const json::Value& document, const OpenApiSelection& selection, Skill& skill) {
  if (!document.is_object()) return Error::invalid_input("an OpenAPI document is an object");
  return Reader(document, selection, skill).read();
}

}  // namespace slipway::skill
