#include "skill/redact.h"

#include <algorithm>

#include "base/text.h"
#include "http/client.h"

namespace slipway::skill {
namespace {

constexpr size_t max_line_bytes = 200;

// The escape of JSON at the beginning ("\/", "\u0026", a pair of surrogates): its length, and what
// it stands for; 0: none.
size_t read_escape(std::string_view text, std::string& bytes) {
  if (text[0] != '\\') return 0;
  for (const size_t length : {2, 6, 12}) {
    if ((length == 2) == text.starts_with("\\u")) continue;
    const auto read = json::parse("\"" + std::string(text.substr(0, length)) + "\"");
    if (!read.ok()) continue;
    bytes = read->as_string();
    return length;
  }
  return 0;
}

// A text as a reader of JSON strings takes it.
struct Unescaped {
  std::string plain;
  std::vector<size_t> from;  // where each byte of it begins in the text; last: the text's end
};

Unescaped unescape(std::string_view text) {
  Unescaped out;
  for (size_t at = 0; at < text.size();) {
    std::string bytes(1, text[at]);
    const auto length = std::max<size_t>(read_escape(text.substr(at), bytes), 1);
    out.plain += bytes;
    out.from.resize(out.plain.size(), at);
    at += length;
  }
  out.from.push_back(text.size());
  return out;
}

// As a service escapes it that echoes it in JSON: ab\/cd, a\u0026b.
std::string without_escaped(const std::string& text, const std::string& secret) {
  if (secret.empty() || text.find('\\') == std::string::npos) return text;
  const auto read = unescape(text);
  std::string out;
  size_t copied = 0;
  for (size_t at = 0; (at = read.plain.find(secret, at)) != std::string::npos;) {
    out.append(text, copied, read.from[at] - copied) += "***";
    at += secret.size();
    copied = read.from[at];
  }
  return out.append(text, copied);
}

}  // namespace

std::vector<std::string> values_of(const std::map<std::string, std::string>& secrets) {
  std::vector<std::string> values;
  for (const auto& [name, value] : secrets) values.push_back(value);
  std::sort(values.begin(), values.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return values;
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
  for (const auto& secret : secrets) {
    text = replace_all(text, secret, "***");
    text = replace_all(text, http::percent_encode(secret), "***");
    text = without_escaped(text, secret);
  }
  return text;
}

json::Value without_secrets(json::Value value, const std::vector<std::string>& secrets) {
  if (value.is_string()) return without_secrets(value.as_string(), secrets);
  if (value.is_array()) {
    for (auto& element : value.as_array()) element = without_secrets(std::move(element), secrets);
  }
  if (value.is_object()) {
    for (auto& [key, member] : value.as_object()) {
      key = without_secrets(key, secrets);
      member = without_secrets(std::move(member), secrets);
    }
  }
  return value;
}

std::string bounded_line(std::string text, const std::vector<std::string>& secrets) {
  return one_line(without_secrets(std::move(text), secrets), max_line_bytes);
}

}  // namespace slipway::skill
