#include "store/experiments.h"

#include "base/clock.h"
#include "store/artifacts.h"
#include "store/records.h"
#include "store/search.h"
#include "store/search_page.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr size_t kMostTagBytes = 20'000;
const std::string kColumns =
    "SELECT e.number, e.name, " + std::string(location_of_experiment) +
    ", e.created_ms, e.updated_ms, e.deleted_ms IS NOT NULL FROM experiments e ";

Status check_tag(const std::string& key, const std::string& value) {
  SLIPWAY_CHECK(check_key("experiment tag key", key));
  if (value.size() <= kMostTagBytes) return {};
  return Error::invalid_input("the value of experiment tag '" + key + "' is above 20,000 bytes",
                              "shorten it");
}

Error missing(int64_t id) {
  return Error::not_found("no experiment '" + std::to_string(id) + "'",
                          "search the experiments, the deleted ones too, to see their ids");
}

Result<Pairs> tags_of(Database& database, int64_t id) {
  SLIPWAY_TRY(query, database.prepare("SELECT key, value FROM experiment_tags "
                                      "WHERE experiment = ? ORDER BY key"));
  query.bind(id);
  Pairs tags;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return tags;
    tags.emplace_back(query.text(0), query.text(1));
  }
}

Experiment experiment_of(const Statement& row) {
  return {.id = row.integer(0),
          .name = row.text(1),
          .artifact_location = row.text(2),
          .created_ms = row.integer(3),
          .updated_ms = row.integer(4),
          .deleted = row.integer(5) != 0,
          .tags = {}};
}

// Exactly one row changed, else there is no such experiment in that state.
Status change(Database& database, std::string_view sql, int64_t id, int64_t now_ms) {
  SLIPWAY_TRY(update, database.prepare(sql));
  SLIPWAY_CHECK(update.bind(id, now_ms).run());
  return database.changes() == 1 ? Status() : missing(id);
}

Status require_active(Database& database, int64_t id) {
  SLIPWAY_TRY(query, database.prepare("SELECT deleted_ms FROM experiments WHERE number = ?"));
  SLIPWAY_TRY(found, query.bind(id).step());
  if (!found) return missing(id);
  if (query.is_null(0)) return {};
  return Error::invalid_input("experiment '" + std::to_string(id) + "' is deleted",
                              "restore it first");
}

Status insert_tag(Database& database, int64_t id, const std::string& key,
                  const std::string& value) {
  SLIPWAY_TRY(insert, database.prepare("INSERT INTO experiment_tags VALUES (?, ?, ?) "
                                       "ON CONFLICT DO UPDATE SET value = excluded.value"));
  return insert.bind(id, key, value).run();
}

Error name_taken(const std::string& name) {
  return Error::already_exists("experiment '" + name + "' exists",
                               "take another name, or restore it when it was deleted");
}

}  // namespace

Result<int64_t> Experiments::create(const Experiment& wanted) {
  SLIPWAY_CHECK(check_key("experiment name", wanted.name));
  for (const auto& [key, value] : wanted.tags) SLIPWAY_CHECK(check_tag(key, value));
  const int64_t now_ms = now_unix_ms();
  int64_t id = 0;
  const auto written = store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert, db.prepare("INSERT INTO experiments (name, artifact_location, created_ms, "
                                   "updated_ms) VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO NOTHING"));
    SLIPWAY_CHECK(insert.bind(wanted.name, wanted.artifact_location, now_ms).run());
    if (db.changes() == 0) return name_taken(wanted.name);
    id = db.last_insert_id();
    for (const auto& [key, value] : wanted.tags) SLIPWAY_CHECK(insert_tag(db, id, key, value));
    return {};
  });
  SLIPWAY_CHECK(written);
  return id;
}

Result<Experiment> Experiments::get(int64_t id) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare(kColumns + "WHERE e.number = ?"));
  SLIPWAY_TRY(found, query.bind(id).step());
  if (!found) return missing(id);
  auto experiment = experiment_of(query);
  SLIPWAY_TRY(tags, tags_of(*reader, experiment.id));
  experiment.tags = std::move(tags);
  return experiment;
}

Result<Experiment> Experiments::get_by_name(const std::string& name) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare(kColumns + "WHERE e.name = ?"));
  SLIPWAY_TRY(found, query.bind(name).step());
  if (!found) {
    return Error::not_found("no experiment named '" + name + "'",
                            "create it, or search the experiments to see their names");
  }
  auto experiment = experiment_of(query);
  SLIPWAY_TRY(tags, tags_of(*reader, experiment.id));
  experiment.tags = std::move(tags);
  return experiment;
}

Status Experiments::rename(int64_t id, const std::string& name) {
  SLIPWAY_CHECK(check_key("experiment name", name));
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_active(db, id));
    SLIPWAY_TRY(taken, db.prepare("SELECT 1 FROM experiments WHERE name = ? AND number != ?"));
    SLIPWAY_TRY(found, taken.bind(name, id).step());
    if (found) return name_taken(name);
    SLIPWAY_TRY(runs, db.prepare("UPDATE runs SET experiment = ?1 WHERE experiment = "
                                 "(SELECT name FROM experiments WHERE number = ?2)"));
    SLIPWAY_CHECK(runs.bind(name, id).run());
    SLIPWAY_TRY(update, db.prepare("UPDATE experiments SET name = ?, updated_ms = ? "
                                   "WHERE number = ?"));
    return update.bind(name, now_ms, id).run();
  });
}

Status Experiments::remove(int64_t id) {
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(change(db,
                         "UPDATE experiments SET deleted_ms = ?2, updated_ms = ?2 "
                         "WHERE number = ?1 AND deleted_ms IS NULL",
                         id, now_ms));
    SLIPWAY_TRY(runs, db.prepare("UPDATE runs SET deleted_ms = ?2 WHERE deleted_ms IS NULL AND "
                                 "experiment = (SELECT name FROM experiments WHERE number = ?1)"));
    return runs.bind(id, now_ms).run();
  });
}

Status Experiments::restore(int64_t id) {
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(runs, db.prepare("UPDATE runs SET deleted_ms = NULL FROM experiments e "
                                 "WHERE e.number = ? AND runs.experiment = e.name "
                                 "AND runs.deleted_ms = e.deleted_ms"));
    SLIPWAY_CHECK(runs.bind(id).run());
    return change(db,
                  "UPDATE experiments SET deleted_ms = NULL, updated_ms = ?2 "
                  "WHERE number = ?1 AND deleted_ms IS NOT NULL",
                  id, now_ms);
  });
}

Status Experiments::set_tag(int64_t id, const std::string& key, const std::string& value) {
  SLIPWAY_CHECK(check_tag(key, value));
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_active(db, id));
    return insert_tag(db, id, key, value);
  });
}

Status Experiments::delete_tag(int64_t id, const std::string& key) {
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_active(db, id));
    SLIPWAY_TRY(remove, db.prepare("DELETE FROM experiment_tags WHERE experiment = ? AND key = ?"));
    SLIPWAY_CHECK(remove.bind(id, key).run());
    if (db.changes() == 1) return {};
    return Error::not_found("experiment '" + std::to_string(id) + "' has no tag '" + key + "'");
  });
}

Result<Page<Experiment>> Experiments::search(const Search& search) const {
  SLIPWAY_TRY(sql, page_sql(experiment_fields(), search, "e.deleted_ms",
                            "e.created_ms DESC, e.number ASC", "e.number DESC"));
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare(kColumns + sql.text));
  query.bind_all(sql.values);
  Page<Experiment> page;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) break;
    if (std::ssize(page.items) == search.limit) {
      page.more = true;
      break;
    }
    page.items.push_back(experiment_of(query));
  }
  for (auto& experiment : page.items) {
    SLIPWAY_TRY(tags, tags_of(*reader, experiment.id));
    experiment.tags = std::move(tags);
  }
  return page;
}

}  // namespace slipway::store
