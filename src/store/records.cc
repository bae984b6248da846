#include "store/records.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "base/text.h"

namespace slipway::store {
namespace {

constexpr int kMostDepth = 128;  // the parser's limit

bool deeper_than(const json::Value& value, int levels) {
  const bool nested = value.is_array() || value.is_object();
  if (!nested) return false;
  if (levels == 0) return true;
  if (value.is_array()) {
    const auto& elements = value.as_array();
    return std::any_of(elements.begin(), elements.end(),
                       [&](const auto& e) { return deeper_than(e, levels - 1); });
  }
  const auto& members = value.as_object();
  return std::any_of(members.begin(), members.end(),
                     [&](const auto& m) { return deeper_than(m.second, levels - 1); });
}

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

}  // namespace

Status check_key(std::string_view what, std::string_view key) {
  if (!key.empty() && key.size() <= most_key_bytes) return {};
  return Error::invalid_input(
      "a " + std::string(what) + " of " + std::to_string(key.size()) + " bytes",
      "use 1 to " + std::to_string(most_key_bytes) + " bytes");
}

Status check_text(std::string_view what, std::string_view text) {
  if (text.size() <= most_text_bytes) return {};
  return Error::exhausted(std::string(what) + " of " + std::to_string(text.size()) +
                              " bytes is above the limit of 16 MiB",
                          "put it into an object and name that by its hash");
}

Status check_depth(std::string_view what, const json::Value& value) {
  if (!deeper_than(value, kMostDepth)) return {};
  return Error::exhausted(
      std::string(what) + " is nested deeper than " + std::to_string(kMostDepth) + " levels",
      "flatten it");
}

Result<std::string> json_text(std::string_view what, const json::Value& value) {
  SLIPWAY_CHECK(check_depth(what, value));
  std::string text = value.dump();
  SLIPWAY_CHECK(check_text(what, text));
  return text;
}

Result<json::Value> json_column(const Statement& row, int column) {
  auto value = json::parse(row.text(column));
  if (value.ok()) return value;
  return Error::corrupt("a JSON column of records.db cannot be read: " + value.error().message(),
                        "restore it from a backup");
}

Status require_run(Database& database, const std::string& run_id) {
  SLIPWAY_TRY(query, database.prepare("SELECT 1 FROM runs WHERE id = ?"));
  SLIPWAY_TRY(found, query.bind(run_id).step());
  if (found) return {};
  return Error::not_found("no run '" + run_id + "'", "create the run first");
}

Status ensure_experiment(Database& database, const std::string& name, int64_t now_ms) {
  SLIPWAY_TRY(insert, database.prepare("INSERT INTO experiments (name, artifact_location, "
                                       "created_ms, updated_ms) VALUES (?1, '', ?2, ?2) "
                                       "ON CONFLICT (name) DO NOTHING"));
  return insert.bind(name, now_ms).run();
}

bool is_hex_prefix(std::string_view text) {
  return text.size() >= fewest_prefix_characters &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<std::string> unique_id(Statement& query, std::string_view what, std::string_view prefix) {
  std::vector<std::string> ids;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) break;
    ids.push_back(query.text(0));
  }
  if (ids.empty()) return std::string();
  if (ids.size() == 1) return ids.front();
  return Error::invalid_input(
      "'" + std::string(prefix) + "' begins the id of more than one " + std::string(what),
      "give more of it: " + join(ids, ", "));
}

std::string sha256_bytes(std::string_view bytes) {
  const std::string hex = sha256_hex(bytes);
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return out;
}

}  // namespace slipway::store
