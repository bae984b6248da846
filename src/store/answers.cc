#include "base/clock.h"
#include "store/records.h"
#include "store/store.h"
#include "store/store_impl.h"

namespace slipway::store {

Result<std::optional<json::Value>> Store::cached_answer(std::string_view key) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare("SELECT answer FROM answers WHERE key = ?"));
  SLIPWAY_TRY(found, query.bind(key).step());
  if (!found) return std::optional<json::Value>();
  SLIPWAY_TRY(answer, json_column(query, 0));
  return std::optional<json::Value>(std::move(answer));
}

// The first answer stands: what decides it is in the key, so a second one says the same.
Status Store::put_answers(const std::vector<std::pair<std::string, json::Value>>& answers) {
  std::vector<std::string> texts;
  for (const auto& [key, answer] : answers) {
    SLIPWAY_CHECK(check_key("answer key", key));
    SLIPWAY_TRY(text, json_text("an answer", answer));
    texts.push_back(std::move(text));
  }
  const int64_t now_ms = now_unix_ms();
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert, db.prepare("INSERT INTO answers (key, created_ms, answer) VALUES (?, ?, ?) "
                                   "ON CONFLICT (key) DO NOTHING"));
    for (size_t i = 0; i < answers.size(); ++i)
      SLIPWAY_CHECK(insert.bind(answers[i].first, now_ms, texts[i]).run());
    return {};
  });
}

}  // namespace slipway::store
