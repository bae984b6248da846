// Text helpers shared by every layer. All are pure and thread-safe; texts are UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// Every `what`, from left to right, becomes `with`; an empty one nothing. Linear.
std::string replace_all(std::string_view text, std::string_view what, std::string_view with);
std::string_view trim(std::string_view text);
std::string to_lower(std::string_view text);  // ASCII
bool starts_with(std::string_view text, std::string_view prefix);
bool is_valid_utf8(std::string_view text);
// For people's eyes: what a terminal would obey (C0 but tab and new line, DEL, U+0080 to U+009F)
// becomes a space; in a line those two do, too.
std::string printable(std::string_view text);
std::string printable_line(std::string_view text);
// One printable line of at most `most_bytes` (50 or more), cut between code points, with "..." at
// the cut. Secrets are masked before it: half of one would not be found any more.
std::string one_line(std::string_view text, size_t most_bytes);
// The nearest of `names` by edit distance, when near enough to be a typing error: "did you mean?"
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& names);
// Replaces values of secret-looking keys (api_key=, token=, Authorization: ...), keys of known
// shape (sk-..., ghp_..., JWT, PEM) and passwords in URLs by "***"; for argv, diffs, URLs, headers.
// An argv is joined first: in `--api-key X` only the name gives X away.
std::string mask_secrets(std::string_view text);
// 1-based line and column (in code points) of a byte offset.
struct Position {
  size_t line = 1;
  size_t column = 1;
};
Position position_at(std::string_view text, size_t offset);

}  // namespace slipway
