#include <algorithm>

#include "base/clock.h"
#include "base/hash.h"
#include "base/text.h"
#include "store/records.h"
#include "store/store.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr std::string_view kUpsert = R"sql(
INSERT INTO entities (kind, id, name, created_ms, put_ms, content)
VALUES (?1, ?2, ?3, ?4,
        max(?4, (SELECT ifnull(max(put_ms), 0) + 1 FROM entities WHERE kind = ?1 AND name = ?3)), ?5)
ON CONFLICT (kind, id, name) DO UPDATE SET put_ms = excluded.put_ms
RETURNING created_ms)sql";

constexpr std::string_view kColumns =
    "SELECT kind, id, name, created_ms, content, put_ms FROM entities ";

Result<Entity> entity_of(const Statement& row) {
  Entity entity;
  entity.kind = row.text(0);
  entity.id = row.text(1);
  entity.name = row.text(2);
  entity.created_ms = row.integer(3);
  SLIPWAY_TRY(content, json_column(row, 4));
  entity.content = std::move(content);
  entity.put_ms = row.integer(5);
  return entity;
}

// The entity was put now; later than what bears its name already, also within one millisecond.
Status upsert_entity(Database& database, Entity& entity, const std::string& content) {
  SLIPWAY_TRY(upsert, database.prepare(kUpsert));
  SLIPWAY_TRY(row,
              upsert.bind(entity.kind, entity.id, entity.name, entity.created_ms, content).step());
  if (row) entity.created_ms = upsert.integer(0);
  return upsert.run();
}

Error missing(Database& database, const std::string& kind, const std::string& name) {
  std::vector<std::string> names;
  auto query = database.prepare("SELECT DISTINCT name FROM entities WHERE kind = ? LIMIT 1000");
  if (query.ok()) {
    query->bind(kind);
    for (auto row = query->step(); row.ok() && *row; row = query->step())
      names.push_back(query->text(0));
  }
  const auto near = nearest(name, names);
  return Error::not_found(
      "no " + kind + " '" + name + "' in the store",
      near ? "did you mean '" + *near + "'?" : "give its name, or 4 or more characters of its id");
}

}  // namespace

Result<Entity> Store::put_entity(const std::string& kind, const std::string& name,
                                 const json::Value& content) {
  SLIPWAY_CHECK(check_key("entity kind", kind));
  SLIPWAY_CHECK(check_key("entity name", name));
  SLIPWAY_TRY(text, json_text("an entity's content", content));
  const std::string canonical = content.canonical();
  Entity entity{kind, sha256_hex(canonical), name, now_unix_ms(), content, 0};
  const int64_t now_ms = entity.created_ms;
  SLIPWAY_CHECK(impl_->writer.write([&](Database& db) {
    entity.created_ms = now_ms;
    return upsert_entity(db, entity, canonical);
  }));
  return entity;
}

Result<Entity> Store::find_entity(const std::string& kind,
                                  std::string_view id_prefix_or_name) const {
  const std::string wanted(id_prefix_or_name);
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(by_name, reader->prepare(std::string(kColumns) +
                                       "WHERE kind = ? AND name = ? ORDER BY put_ms DESC LIMIT 1"));
  SLIPWAY_TRY(named, by_name.bind(kind, wanted).step());
  if (named) return entity_of(by_name);
  if (!is_hex_prefix(wanted)) return missing(*reader, kind, wanted);
  SLIPWAY_TRY(
      ids, reader->prepare(
               "SELECT DISTINCT id FROM entities WHERE kind = ?1 AND id >= ?2 AND id < ?2 || 'g' "
               "ORDER BY id LIMIT 5"));
  SLIPWAY_TRY(id, unique_id(ids.bind(kind, wanted), kind, wanted));
  SLIPWAY_TRY(by_id, reader->prepare(std::string(kColumns) +
                                     "WHERE kind = ? AND id = ? ORDER BY put_ms DESC LIMIT 1"));
  SLIPWAY_TRY(found, by_id.bind(kind, id).step());
  if (!found) return missing(*reader, kind, wanted);
  return entity_of(by_id);
}

Result<std::vector<Entity>> Store::list_entities(const std::string& kind) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare(std::string(kColumns) +
                                     "WHERE kind = ? ORDER BY put_ms DESC, number DESC"));
  query.bind(kind);
  std::vector<Entity> entities;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return entities;
    SLIPWAY_TRY(entity, entity_of(query));
    entities.push_back(std::move(entity));
  }
}

Result<std::vector<Entity>> Store::all_entities() const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare(std::string(kColumns) + "ORDER BY put_ms, number"));
  std::vector<Entity> entities;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return entities;
    SLIPWAY_TRY(entity, entity_of(query));
    entities.push_back(std::move(entity));
  }
}

// Not later than now: what is put here afterwards is newer.
Status Store::take_entity(const Entity& entity) {
  SLIPWAY_CHECK(check_key("entity kind", entity.kind));
  SLIPWAY_CHECK(check_key("entity name", entity.name));
  SLIPWAY_TRY(text, json_text("an entity's content", entity.content));
  const std::string canonical = entity.content.canonical();
  const int64_t now_ms = now_unix_ms();
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert, db.prepare("INSERT INTO entities (kind, id, name, created_ms, put_ms, "
                                   "content) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"));
    return insert
        .bind(entity.kind, sha256_hex(canonical), entity.name, std::min(entity.created_ms, now_ms),
              std::min(entity.put_ms, now_ms), canonical)
        .run();
  });
}

}  // namespace slipway::store
