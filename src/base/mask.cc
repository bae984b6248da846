// mask_secrets: one pass over the text, looking at every word for (a) a key of well-known shape
// ("sk-...") and (b) a secret-looking name followed by a value. It rather masks once too often, but
// knows the innocent words of this trade: max_tokens, eos_token, tokenizer, "unexpected token".
#include <algorithm>
#include <array>

#include "base/text.h"

namespace slipway {
namespace {

constexpr std::string_view mask = "***";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z'); }
bool is_word(char c) { return is_alnum(c) || c == '_' || c == '-'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

template <size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "X-Api-Key", "FOO_API_KEY" and "apiKey" all end in {"api", "key"}.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < name.size(); ++i) {
    const bool hump = i > 0 && is_upper(name[i]) && is_alnum(name[i - 1]) && !is_upper(name[i - 1]);
    if ((!is_alnum(name[i]) || hump) && !words.back().empty()) words.emplace_back();
    if (is_alnum(name[i])) words.back() += name[i];
  }
  if (words.back().empty()) words.pop_back();
  for (std::string& word : words) word = to_lower(word);
  return words;
}

enum class Secrecy { none, secret, authorization };

Secrecy secrecy_of(std::string_view name, std::string_view word_before, bool in_url) {
  static constexpr std::array<std::string_view, 11> always = {
      "secret", "password", "passwd", "passphrase", "passcode", "apikey", "secretkey",
      "privatekey", "accesskey", "authtoken", "accesstoken"};
  static constexpr std::array<std::string_view, 12> before_key = {
      "api", "access", "secret", "private", "signing", "encryption", "auth", "account", "master",
      "service", "shared", "subscription"};
  static constexpr std::array<std::string_view, 24> plain_tokens = {
      "bos", "eos", "pad", "unk", "sep", "cls", "mask", "eot", "eom", "stop", "start", "end",
      "special", "next", "first", "last", "max", "per", "unexpected", "invalid", "unknown",
      "prefix", "suffix", "expected"};
  const auto words = words_of(name);
  if (words.empty()) return Secrecy::none;
  const std::string& last = words.back();
  const std::string before = words.size() > 1 ? words[words.size() - 2] : to_lower(word_before);
  if (last == "authorization") return Secrecy::authorization;
  if (is_one_of(last, always)) return Secrecy::secret;
  if (last == "token" && !is_one_of(before, plain_tokens)) return Secrecy::secret;
  if (last == "key" && words.size() > 1 && is_one_of(before, before_key)) return Secrecy::secret;
  if (last == "pass" && words.size() == 2 && (before == "db" || before == "user")) {
    return Secrecy::secret;
  }
  if (in_url && (last == "sig" || last == "signature")) return Secrecy::secret;
  return Secrecy::none;
}

// Keys whose issuer gave them a recognizable head; the rest must look random.
bool is_known_key(std::string_view word) {
  static constexpr std::array<std::string_view, 15> heads = {
      "sk-", "pk-", "rk-", "hf_", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "glpat-",
      "xoxb-", "xoxp-", "AKIA", "AIza"};
  for (const std::string_view head : heads) {
    if (!word.starts_with(head)) continue;
    const std::string_view rest = word.substr(head.size());
    const bool digits = std::any_of(rest.begin(), rest.end(), is_digit);
    const bool mixed = std::any_of(rest.begin(), rest.end(), is_upper) && rest.size() >= 20;
    if (rest.size() >= 8 && (digits || mixed)) return true;
  }
  return false;
}

class Masker {
 public:
  explicit Masker(std::string_view text) : text_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (!is_word(text_[at_])) {
        if (!skip_url_password()) copy_to(at_ + 1);
        continue;
      }
      size_t end = at_;
      while (end < text_.size() && is_word(text_[end])) ++end;
      mask_word(end);
    }
    return std::move(out_);
  }

 private:
  char peek(size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  std::string_view from_to(size_t start, size_t end) const {
    return text_.substr(start, end - start);
  }

  void copy_to(size_t end) {
    out_ += from_to(at_, end);
    at_ = end;
  }

  void mask_to(size_t end) {
    if (end > at_) out_ += mask;
    at_ = end;
  }

  size_t skip_blanks(size_t at) const {
    while (is_blank(peek(at))) ++at;
    return at;
  }

  // "://user:password@host"
  bool skip_url_password() {
    if (!text_.substr(at_).starts_with("://")) return false;
    const size_t start = at_ + 3;
    const size_t stop = text_.find_first_of("/?# \t\r\n\"'`<>", start);
    const std::string_view authority = from_to(start, std::min(stop, text_.size()));
    const size_t host = authority.rfind('@');
    const size_t colon = authority.find(':');
    if (host == std::string_view::npos || colon == std::string_view::npos || colon > host) {
      return false;
    }
    copy_to(start + colon + 1);
    mask_to(start + host);
    return true;
  }

  void mask_word(size_t end) {
    const std::string_view word = from_to(at_, end);
    if (mask_pem()) return;
    const size_t dashes = std::min(word.find_first_not_of('-'), word.size());
    const std::string_view name = word.substr(dashes);
    if (is_known_key(name)) {
      copy_to(at_ + dashes);
      mask_to(end);
      return;
    }
    if (mask_jwt(end) || mask_bearer(word, end)) return;
    const char before = at_ > 0 ? text_[at_ - 1] : '\0';
    const bool in_url = before == '?' || before == '&';
    const Secrecy secrecy = secrecy_of(name, word_before(), in_url);
    if (secrecy == Secrecy::none) {
      copy_to(end);
      return;
    }
    const bool is_flag = dashes > 0 && dashes <= 2 && !(dashes == 1 && at_ > 0 && before != ' ');
    mask_value(word, end, secrecy, in_url, is_flag);
  }

  // The word one space before this one, for "unexpected token: x".
  std::string_view word_before() const {
    if (at_ < 2 || text_[at_ - 1] != ' ') return {};
    size_t start = at_ - 1;
    while (start > 0 && is_alnum(text_[start - 1])) --start;
    return from_to(start, at_ - 1);
  }

  // "-----BEGIN RSA PRIVATE KEY-----" up to its end line, or to the end of the text.
  bool mask_pem() {
    constexpr std::string_view head = "PRIVATE KEY-----";
    if (!text_.substr(at_).starts_with(head)) return false;
    copy_to(at_ + head.size());
    mask_to(std::min(text_.find("-----END", at_), text_.size()));
    const size_t line = std::min(text_.find_first_of("\n\"'", at_), text_.size());
    copy_to(line);
    return true;
  }

  bool mask_jwt(size_t end) {
    if (!from_to(at_, end).starts_with("eyJ") || peek(end) != '.') return false;
    if (!text_.substr(end).starts_with(".eyJ")) return false;
    while (is_word(peek(end)) || peek(end) == '.') ++end;
    mask_to(end);
    return true;
  }

  // "Bearer abc123..." without its header; not "Bearer tokens".
  bool mask_bearer(std::string_view word, size_t end) {
    if (to_lower(word) != "bearer" || peek(end) != ' ') return false;
    const size_t start = skip_blanks(end);
    const size_t stop = unquoted_end(start, " \t\r\n\"'`,;<>()[]{}");
    const std::string_view value = from_to(start, stop);
    const bool random = std::any_of(value.begin(), value.end(), is_digit) || value.size() >= 20;
    if (value.size() < 8 || !random) return false;
    copy_to(start);
    mask_to(stop);
    return true;
  }

  size_t unquoted_end(size_t start, std::string_view stops) const {
    return std::min(text_.find_first_of(stops, start), text_.size());
  }

  // The quote at `at`, with the backslashes before it when it is quoted inside a string: `\"`.
  std::string_view quote_at(size_t at) const {
    size_t end = at;
    while (peek(end) == '\\') ++end;
    return is_quote(peek(end)) ? from_to(at, end + 1) : std::string_view();
  }

  size_t closing_quote(size_t at, std::string_view quote) const {
    for (; at < text_.size(); ++at) {
      if (text_.substr(at).starts_with(quote)) return at;
      if (text_[at] == '\\') {
        size_t end = at;
        while (peek(end) == '\\') ++end;
        if (quote.size() > 1 && is_quote(peek(end)) && end - at + 1 < quote.size()) return at;
        at = end;  // the escaped character is part of the value
      }
    }
    return text_.size();
  }

  void mask_value(std::string_view word, size_t end, Secrecy secrecy, bool in_url, bool is_flag) {
    const char opening = at_ > 0 ? text_[at_ - 1] : '\0';
    const std::string_view key_quote = is_quote(opening) ? quote_at(end) : std::string_view();
    size_t at = skip_blanks(end + key_quote.size());
    const char separator = peek(at);
    if (separator == ':' || separator == '=') {
      ++at;
      if (separator == ':' && peek(at) == '=') ++at;
      if (separator == '=' && (peek(at) == '=' || peek(at) == '>')) ++at;
    } else if (is_flag && separator == ',' && !key_quote.empty()) {
      ++at;  // ["--api-key", "X"]
    } else if (!is_flag || at == end || (!key_quote.empty() && quote_at(at).empty())) {
      copy_to(end);
      return;
    }
    const bool tight = separator == '=' && at == end + key_quote.size() + 1 && !is_blank(peek(at));
    const size_t start = skip_blanks(at);
    if (const auto quote = quote_at(start); !quote.empty() && !closes_argument(start, at)) {
      mask_quoted(start, quote, secrecy);
    } else if (secrecy == Secrecy::authorization && !in_url && key_quote.empty()) {
      mask_header(start, opening);
    } else {
      const bool env = std::none_of(word.begin(), word.end(),
                                    [](char c) { return c >= 'a' && c <= 'z'; });
      mask_unquoted(start, {tight, in_url, is_flag || env, !key_quote.empty()}, word);
    }
  }

  // An empty value: the quote at `start` closes the argument, as in -H "X-Api-Key:".
  bool closes_argument(size_t start, size_t at) const {
    return at_ > 0 && is_quote(text_[at_ - 1]) && start == at && peek(at - 1) == ':' &&
           peek(start) == text_[at_ - 1] && peek(at - 2) != text_[at_ - 1];
  }

  void mask_quoted(size_t start, std::string_view quote, Secrecy secrecy) {
    copy_to(start + quote.size());
    const size_t end = closing_quote(at_, quote);
    if (secrecy == Secrecy::authorization) copy_to(after_scheme(at_, end));
    mask_to(end);
  }

  // "Bearer " stays readable.
  size_t after_scheme(size_t start, size_t end) const {
    static constexpr std::array<std::string_view, 7> schemes = {
        "bearer", "basic", "token", "digest", "apikey", "negotiate", "aws4-hmac-sha256"};
    size_t scheme_end = start;
    while (scheme_end < end && is_word(text_[scheme_end])) ++scheme_end;
    if (!is_one_of(to_lower(from_to(start, scheme_end)), schemes)) return start;
    const size_t value = skip_blanks(scheme_end);
    return value > scheme_end && value < end ? value : start;
  }

  // A header's value goes to the end of its line, or of the quoted argument it stands in.
  void mask_header(size_t start, char opening) {
    size_t end = unquoted_end(start, "\r\n");
    if (is_quote(opening)) end = std::min(end, text_.find(opening, start));
    if (is_quote(opening) && end > start && text_[end - 1] == '\\') --end;
    copy_to(after_scheme(start, end));
    mask_to(end);
  }

  struct Place {
    bool tight;       // key=value, no blanks
    bool in_url;      // after ? or &
    bool argument;    // --key or KEY: the value runs to the next blank or quote
    bool quoted_key;  // "key": value, so the value is no text
  };

  void mask_unquoted(size_t start, const Place& place, std::string_view word) {
    std::string_view stops = " \t\r\n\"'`&,;)}]<>";
    if (place.in_url) stops = " \t\r\n\"'`&#<>";
    if (place.argument && !place.in_url) stops = " \t\r\n\"'`";
    const size_t end = unquoted_end(start, stops);
    std::string_view value = from_to(start, end);
    const auto is_tail = [](char c) { return c == '\\' || c == ';' || c == ','; };  // x\" x; x,
    while (!value.empty() && is_tail(value.back())) value.remove_suffix(1);
    copy_to(start);
    if (is_plain(value, place, word)) {
      copy_to(start + value.size());
    } else {
      mask_to(start + value.size());
    }
  }

  // Values that are no secret: literals, types, variables, calls, JSON numbers and containers.
  bool is_plain(std::string_view value, const Place& place, std::string_view word) const {
    static constexpr std::array<std::string_view, 12> literals = {
        "null", "none", "nil", "true", "false", "undefined", "str", "string", "optional", "***",
        "std::string", "nullptr"};
    if (value.empty() || value == "-" || value.starts_with("--")) return true;
    if (is_one_of(to_lower(value), literals)) return true;
    if (value.front() == '$' && is_variable(value.substr(1))) return true;
    if (value.front() == '[' || value.front() == '{') return true;
    const bool number = std::all_of(value.begin(), value.end(),
                                    [](char c) { return is_digit(c) || c == '.' || c == '-'; });
    if (place.quoted_key) return !number || to_lower(word).find("token") != std::string::npos;
    return !place.tight && !place.argument && is_call(value);
  }

  static bool is_variable(std::string_view name) {
    if (name.starts_with('{') && name.ends_with('}')) name = name.substr(1, name.size() - 2);
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return is_upper(c) || is_digit(c) || c == '_';
    });
  }

  // `get_token(`, `config.load(`: code, as in diffs.
  static bool is_call(std::string_view value) {
    const size_t open = value.find('(');
    if (open == 0 || open == std::string_view::npos) return false;
    const std::string_view name = value.substr(0, open);
    return std::all_of(name.begin(), name.end(), [](char c) {
      return is_alnum(c) || c == '_' || c == '.' || c == ':';
    });
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string out_;
};

}  // namespace

std::string mask_secrets(std::string_view text) { return Masker(text).run(); }

}  // namespace slipway
