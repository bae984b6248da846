#include "skill/request.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "skill/binding.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

using Kind = TemplatePiece::Kind;

std::string identity(std::string_view text) { return std::string(text); }

std::string text_of(const json::Value& value) {
  return value.is_string() ? value.as_string() : value.dump();
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    const auto count = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? letters[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

bool sends_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

const Argument* argument_of(const Call& call, const Function& function, size_t parameter) {
  const auto& name = function.parameters[parameter].name;
  const Argument* given = nullptr;
  for (size_t k = 0; k < call.arguments.size(); ++k) {
    const auto& argument = call.arguments[k];
    if (argument.name == name || (argument.name.empty() && k == parameter)) given = &argument;
  }
  return given;
}

class Renderer {
 public:
  using Encode = std::string (*)(std::string_view);

  Renderer(const Function& function, const Skill& skill, json::Value arguments,
           const std::map<std::string, std::string>* secrets)
      : function_(function), skill_(skill), arguments_(std::move(arguments)), secrets_(secrets) {}

  Status render(RenderedRequest& out) {
    const auto& http = function_.http;
    out.request.method = http.method;
    out.request.timeout_ms = http.timeout_ms;
    out.request.max_response_bytes = http.max_response_bytes;
    SLIPWAY_TRY(path, render_path());
    SLIPWAY_TRY(query, render_query());
    out.request.url = out.origin + path + query.text;
    out.masked_url = mask_secrets(out.origin + path + query.masked);
    SLIPWAY_CHECK(render_headers(out.request));
    SLIPWAY_CHECK(render_body(out.request));
    out.secrets = used_secrets_;
    return Status::success();
  }

 private:
  struct Expanded {
    std::string text;
    std::string masked;   // the same with "***" for secrets
    bool absent = false;  // names an argument that was not given
  };

  Result<Expanded> expand(const std::string& source, Encode encode, bool literal_too) {
    Expanded out;
    for (const auto& piece : parse_template(source)) {
      if (piece.kind == Kind::secret) {
        SLIPWAY_TRY(value, secret(piece.text));
        out.text += encode(value);
        out.masked += "***";
        continue;
      }
      std::string text = piece.text;
      if (piece.kind == Kind::argument) {
        const auto* value = arguments_.get(piece.text);
        if (!value) {
          out.absent = true;
          continue;
        }
        if (const auto* separator = separator_of(piece.text); separator && value->is_array()) {
          const auto joined = join_list(*value, *separator, encode);
          out.text += joined;
          out.masked += joined;
          continue;
        }
        text = text_of(*value);
      }
      const auto encoded = piece.kind == Kind::argument || literal_too ? encode(text) : text;
      out.text += encoded;
      out.masked += encoded;
    }
    return out;
  }

  const std::string* separator_of(const std::string& argument) const {
    for (const auto& [name, separator] : function_.http.join) {
      if (name == argument) return &separator;
    }
    return nullptr;
  }

  // Each item is encoded; of the separator only what no URL may hold.
  static std::string join_list(const json::Value& list, const std::string& separator,
                               Encode encode) {
    std::vector<std::string> items;
    for (const auto& item : list.as_array()) items.push_back(encode(text_of(item)));
    return join(items, separator == "," ? separator : encode(separator));
  }

  Result<std::string> secret(const std::string& name) {
    const auto found =
        secrets_ ? secrets_->find(name) : std::map<std::string, std::string>::const_iterator{};
    if (!secrets_ || found == secrets_->end()) {
      return Error::permission_denied("skill '" + skill_.name + "' wants ${" + name + "} for " +
                                          skill_.base_url + ", which is not bound to it",
                                      "if you trust it, bind " + name + " to " + origin() +
                                          " in your own configuration, outside the project folder");
    }
    if (has_control(found->second))
      return Error::invalid_input("the value bound to " + name + " holds a control character");
    used_secrets_.push_back(found->second);
    return found->second;
  }

  std::string origin() const {
    const auto url = http::parse_url(skill_.base_url);
    return url.ok() ? url->origin() : skill_.base_url;
  }

  Error bad_argument(const std::string& name, const std::string& what) const {
    return Error::invalid_input(function_.qualified_name() + ", argument '" + name + "': " + what);
  }

  Result<std::string> render_path() {
    std::string encoded, plain;
    for (const auto& piece : parse_template(function_.http.path)) {
      if (piece.kind == Kind::secret)
        return Error::invalid_input("a path cannot hold ${" + piece.text + "}");
      if (piece.kind == Kind::literal) {
        encoded += piece.text;
        plain += piece.text;
        continue;
      }
      const auto* value = arguments_.get(piece.text);
      const auto* separator = separator_of(piece.text);
      const bool joined = value && separator && value->is_array();
      const auto text = joined  ? join_list(*value, *separator, identity)
                        : value ? text_of(*value)
                                : "";
      if (text.empty())
        return bad_argument(piece.text, "it is part of the path and cannot be empty");
      encoded +=
          joined ? join_list(*value, *separator, http::percent_encode) : http::percent_encode(text);
      plain += text;
    }
    // Encoded or not, some services resolve dot segments after decoding.
    std::replace(plain.begin(), plain.end(), '\\', '/');
    for (const auto& segment : split(plain, '/')) {
      if (segment == "." || segment == "..") {
        return Error::invalid_input(function_.qualified_name() +
                                    ": an argument would change the path ('" + segment + "')");
      }
    }
    return encoded;
  }

  Result<Expanded> render_query() {
    Expanded all;
    const auto add = [&](const std::string& name, const std::string& text,
                         const std::string& masked) {
      const std::string start = (all.text.empty() ? "?" : "&") + http::percent_encode(name) + "=";
      all.text += start + text;
      all.masked += start + masked;
    };
    for (const auto& [name, source] : function_.http.query) {
      const auto* list = whole_argument(source);
      if (list && list->is_array() && !separator_of(whole_name(source))) {
        for (const auto& item : list->as_array()) {
          const auto text = http::percent_encode(text_of(item));
          add(name, text, text);
        }
        continue;
      }
      SLIPWAY_TRY(value, expand(source, http::percent_encode, true));
      if (!value.absent) add(name, value.text, value.masked);
    }
    if (sends_body(function_.http.method)) return all;
    for (const auto& [name, value] : unused()) {
      const auto text = http::percent_encode(text_of(value));
      add(name, text, text);
    }
    return all;
  }

  Status render_headers(http::Request& request) {
    for (const auto& [name, source] : function_.http.headers) {
      SLIPWAY_TRY(value, expand(source, identity, false));
      if (value.absent) continue;
      if (has_control(value.text)) {
        return Error::invalid_input(function_.qualified_name() + ": header " + name +
                                    " would hold a line break or control character");
      }
      request.headers.emplace_back(name, value.text);
    }
    if (!function_.http.basic_auth.empty()) {
      SLIPWAY_TRY(login, secret(function_.http.basic_auth));
      const auto encoded = base64(login);
      used_secrets_.push_back(encoded);
      const auto password = login.substr(std::min(login.find(':') + 1, login.size()));
      if (password.size() >= 4) used_secrets_.push_back(password);  // shorter: any text holds it
      request.headers.emplace_back("Authorization", "Basic " + encoded);
    }
    if (!http::find_header(request.headers, "Accept"))
      request.headers.emplace_back("Accept", "application/json");
    return Status::success();
  }

  Status render_body(http::Request& request) {
    const auto& http = function_.http;
    if (!http.body && !sends_body(http.method)) return Status::success();
    json::Value body;
    if (http.body) {
      SLIPWAY_TRY(filled, fill(*http.body, 0));
      body = filled.value_or(json::Value());
    } else {
      body = json::Value(unused());
    }
    request.body = body.dump();
    if (!http::find_header(request.headers, "Content-Type")) {
      request.headers.emplace_back("Content-Type", "application/json");
    }
    return Status::success();
  }

  // Nothing when the template names an argument that was not given.
  Result<std::optional<json::Value>> fill(const json::Value& body, int depth) {
    using Filled = std::optional<json::Value>;
    if (depth > 32)
      return Error::exhausted("the body of " + function_.qualified_name() + " is nested too deep");
    if (body.is_array()) {
      auto array = json::Value::array();
      for (const auto& item : body.as_array()) {
        SLIPWAY_TRY(filled, fill(item, depth + 1));
        if (filled) array.push_back(std::move(*filled));
      }
      return Filled(std::move(array));
    }
    if (body.is_object()) {
      auto object = json::Value::object();
      for (const auto& [name, item] : body.as_object()) {
        SLIPWAY_TRY(filled, fill(item, depth + 1));
        if (filled) object.set(name, std::move(*filled));
      }
      return Filled(std::move(object));
    }
    if (!body.is_string()) return Filled(body);
    if (const auto* whole = whole_argument(body.as_string())) return Filled(*whole);
    SLIPWAY_TRY(text, expand(body.as_string(), identity, false));
    if (text.masked != text.text) return Error::invalid_input("a body cannot hold ${...}");
    return text.absent ? Filled() : Filled(json::Value(text.text));
  }

  // The argument's name when `source` is exactly "{name}".
  static std::string whole_name(const std::string& source) {
    const auto pieces = parse_template(source);
    return pieces.size() == 1 && pieces[0].kind == Kind::argument ? pieces[0].text : "";
  }
  const json::Value* whole_argument(const std::string& source) const {
    const auto name = whole_name(source);
    return name.empty() ? nullptr : arguments_.get(name);
  }

  json::Object unused() const {
    const auto named = bound_arguments(function_.http);
    json::Object rest;
    for (const auto& member : arguments_.as_object()) {
      if (std::find(named.begin(), named.end(), member.first) == named.end())
        rest.push_back(member);
    }
    return rest;
  }

  const Function& function_;
  const Skill& skill_;
  const json::Value arguments_;
  const std::map<std::string, std::string>* secrets_;
  std::vector<std::string> used_secrets_;
};

// The 16 or 4 bytes of a literal address; empty for a name.
std::string literal_address(const std::string& text) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {bytes.data(), 4};
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.data(), 16};
  return {};
}

}  // namespace

http::AddressPolicy address_policy_for(const std::string& host) {
  const bool local = host == "localhost" || host.ends_with(".localhost");
  return [local, listed = literal_address(host)](const std::string& ip) {
    if (!http::is_private_address(ip)) return true;
    if (local && (ip == "::1" || ip.starts_with("127."))) return true;
    return !listed.empty() && literal_address(ip) == listed;
  };
}

// The call's arguments and the defaults of those it leaves out (canonical text omits what equals a
// default), normalised.
Result<json::Value> effective_arguments(const Call& call, const Function& function,
                                        const CallContext& context) {
  auto arguments = json::Value::object();
  for (size_t i = 0; i < function.parameters.size(); ++i) {
    const auto& parameter = function.parameters[i];
    const auto* given = argument_of(call, function, i);
    if (!given && !parameter.default_value) continue;
    auto value = given ? given->value : *parameter.default_value;
    if (!parameter.normaliser.empty()) {
      auto normal = normalise(parameter.normaliser, value, context.clock);
      if (!normal.ok()) {
        return normal.error().in(function.qualified_name() + ", argument '" + parameter.name + "'");
      }
      value = std::move(*normal);
    }
    arguments.set(parameter.name, std::move(value));
  }
  return arguments;
}

Result<RenderedRequest> render_request(const Call& call, const Function& function,
                                       const Skill& skill, const DispatchOptions& options,
                                       const CallContext& context) {
  if (function.http.path.empty() || skill.base_url.empty()) {
    return Error::unsupported(function.qualified_name() + " is not bound to an HTTP request",
                              "add functions." + function.name + ".http to the skill file");
  }
  SLIPWAY_TRY(url, http::parse_url(skill.base_url));
  RenderedRequest out;
  out.origin = url.origin();
  const auto bound = options.secrets.find(out.origin);
  SLIPWAY_TRY(arguments, effective_arguments(call, function, context));
  Renderer renderer(function, skill, std::move(arguments),
                    bound == options.secrets.end() ? nullptr : &bound->second);
  SLIPWAY_CHECK(renderer.render(out));
  out.request.address_policy = address_policy_for(url.host);
  out.request.cancel = context.cancel;
  return out;
}

Result<http::Request> build_request(const Call& call, const Function& function, const Skill& skill,
                                    const DispatchOptions& options, const CallContext& context) {
  SLIPWAY_TRY(rendered, render_request(call, function, skill, options, context));
  return rendered.request;
}

}  // namespace slipway::skill
