#include "base/text.h"

#include <algorithm>
#include <cstdint>

namespace slipway {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Length of the well-formed sequence at the start of `text`, or 0 (Unicode, table 3-7).
size_t utf8_length(std::string_view text) {
  const auto a = static_cast<unsigned char>(text[0]);
  if (a < 0x80) return 1;
  const size_t length = a < 0xC2 ? 0 : a < 0xE0 ? 2 : a < 0xF0 ? 3 : a < 0xF5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  const auto b = static_cast<unsigned char>(text[1]);
  const bool refused = (a == 0xE0 && b < 0xA0) || (a == 0xED && b > 0x9F) ||  // overlong, surrogate
                       (a == 0xF0 && b < 0x90) || (a == 0xF4 && b > 0x8F);    // overlong, > 10FFFF
  return refused ? 0 : length;
}

// The character of this length at the beginning; 0: a byte that belongs to none.
bool is_control(std::string_view text, size_t length) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte < 0x20 || byte == 0x7f) return true;
  if (length == 2) return byte == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
  return length == 0 && byte >= 0x80 && byte < 0xa0;
}

std::string without_controls(std::string_view text, std::string_view kept) {
  std::string out;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    const auto character = text.substr(0, std::max<size_t>(length, 1));
    const bool blank = is_control(text, length) && kept.find(text[0]) == std::string_view::npos;
    out += blank ? " " : character;
    text.remove_prefix(character.size());
  }
  return out;
}

// Optimal string alignment: Levenshtein, where swapping two neighbours is one edit.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> two_up, up(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) up[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({up[j] + 1, row[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], two_up[j - 2] + 1);
      }
    }
    two_up = up;
    std::swap(up, row);
  }
  return up[b.size()];
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t start = 0;;) {
    const size_t end = text.find(separator, start);
    parts.emplace_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string replace_all(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  size_t at = 0;
  while (!what.empty()) {
    const size_t hit = text.find(what, at);
    if (hit == std::string_view::npos) break;
    out.append(text, at, hit - at).append(with);
    at = hit + what.size();
  }
  return out.append(text, at);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix);
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) { return without_controls(text, "\n\t"); }
std::string printable_line(std::string_view text) { return without_controls(text, {}); }

std::string one_line(std::string_view text, size_t most_bytes) {
  const size_t said = text.size();
  text = trim(text);
  const bool is_cut = text.size() > most_bytes;
  if (is_cut) {
    size_t end = most_bytes - 3;
    while (end > 0 && is_continuation(text[end])) --end;
    text = text.substr(0, end);
  }
  if (!is_valid_utf8(text)) return "(" + std::to_string(said) + " bytes that are no text)";
  return std::string(trim(printable_line(text))) + (is_cut ? "..." : "");
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& names) {
  constexpr size_t longest = 100;  // edit distance is quadratic, and nobody types longer names
  if (name.empty() || name.size() > longest) return std::nullopt;
  const std::string wanted = to_lower(name);
  const std::string* best = nullptr;
  size_t best_distance = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : names) {
    if (candidate.size() > longest) continue;
    const size_t distance = edit_distance(wanted, to_lower(candidate));
    if (distance >= std::min(best_distance, std::max(wanted.size(), candidate.size()))) continue;
    best = &candidate;
    best_distance = distance;
  }
  if (!best) return std::nullopt;
  return *best;
}

Position position_at(std::string_view text, size_t offset) {
  Position at;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++at.line;
      at.column = 1;
    } else if (!is_continuation(c)) {
      ++at.column;
    }
  }
  return at;
}

}  // namespace slipway
