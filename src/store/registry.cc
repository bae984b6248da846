#include "store/registry.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/records.h"
#include "store/registry_rows.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr size_t kMostTagBytes = 100'000;

Status check_name(const std::string& name) {
  SLIPWAY_CHECK(check_key("a model's name", name));
  if (!trim(name).empty() && name.find_first_of("/:") == std::string::npos) return {};
  return Error::invalid_input("'" + name + "' is no name of a registered model",
                              "leave out '/' and ':'");
}

Status check_tag(const std::string& key, const std::string& value) {
  SLIPWAY_CHECK(check_key("model tag key", key));
  if (value.size() <= kMostTagBytes) return {};
  return Error::invalid_input("the value of model tag '" + key + "' is above 100,000 bytes",
                              "shorten it");
}

Status check_alias(const std::string& alias) {
  bool sound = !alias.empty() && alias.size() <= 255 && to_lower(alias) != "latest";
  for (const char c : alias)
    sound &= std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  const bool like_version = alias.size() > 1 && (alias[0] == 'v' || alias[0] == 'V') &&
                            alias.find_first_not_of("0123456789", 1) == std::string::npos;
  if (sound && !like_version) return {};
  return Error::invalid_input("'" + alias + "' is no alias",
                              "use letters, digits, _ and -; not 'latest', nor 'v1'");
}

Error taken(const std::string& name) {
  return Error::already_exists("registered model '" + name + "' exists", "take another name");
}

Status touch(Database& database, int64_t model, int64_t number, int64_t now_ms) {
  SLIPWAY_TRY(of_model,
              database.prepare("UPDATE registered_models SET updated_ms = ? WHERE number = ?"));
  SLIPWAY_CHECK(of_model.bind(now_ms, model).run());
  if (number == 0) return {};
  SLIPWAY_TRY(of_version, database.prepare("UPDATE model_versions SET updated_ms = ? "
                                           "WHERE model = ? AND version = ?"));
  return of_version.bind(now_ms, model, number).run();
}

Status insert_tag(Database& database, int64_t model, int64_t number, const std::string& key,
                  const std::string& value) {
  SLIPWAY_TRY(insert, database.prepare("INSERT OR REPLACE INTO model_tags VALUES (?, ?, ?, ?)"));
  return insert.bind(model, number, key, value).run();
}

// The model, and that it has this version (0: the model itself).
Result<int64_t> model_with(Database& database, const std::string& name, int64_t number) {
  SLIPWAY_TRY(model, model_number(database, name));
  if (number == 0) return model;
  SLIPWAY_TRY(query,
              database.prepare("SELECT 1 FROM model_versions WHERE model = ? AND version = ? "
                               "AND stage != ?"));
  SLIPWAY_TRY(found, query.bind(model, number, deleted_stage).step());
  if (!found) return no_version(name, number);
  return model;
}

}  // namespace

Result<RegisteredModel> Registry::create(const RegisteredModel& wanted) {
  SLIPWAY_CHECK(check_name(wanted.name));
  for (const auto& [key, value] : wanted.tags) SLIPWAY_CHECK(check_tag(key, value));
  const int64_t now_ms = now_unix_ms();
  const auto written = store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert, db.prepare("INSERT INTO registered_models (name, description, created_ms, "
                                   "updated_ms) VALUES (?1, ?2, ?3, ?3) ON CONFLICT DO NOTHING"));
    SLIPWAY_CHECK(insert.bind(wanted.name, wanted.description, now_ms).run());
    if (db.changes() == 0) return taken(wanted.name);
    const int64_t model = db.last_insert_id();
    for (const auto& [key, value] : wanted.tags)
      SLIPWAY_CHECK(insert_tag(db, model, 0, key, value));
    return {};
  });
  SLIPWAY_CHECK(written);
  return get(wanted.name);
}

Status Registry::rename(const std::string& name, const std::string& new_name) {
  SLIPWAY_CHECK(check_name(new_name));
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_number(db, name));
    if (model_number(db, new_name).ok()) return taken(new_name);
    SLIPWAY_TRY(update, db.prepare("UPDATE registered_models SET name = ? WHERE number = ?"));
    SLIPWAY_CHECK(update.bind(new_name, model).run());
    return touch(db, model, 0, now_ms);
  });
}

Status Registry::describe(const std::string& name, const std::string& description) {
  SLIPWAY_CHECK(check_text("a description", description));
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_number(db, name));
    SLIPWAY_TRY(update,
                db.prepare("UPDATE registered_models SET description = ? WHERE number = ?"));
    SLIPWAY_CHECK(update.bind(description, model).run());
    return touch(db, model, 0, now_ms);
  });
}

Status Registry::remove(const std::string& name) {
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_number(db, name));
    for (const char* table : {"model_aliases", "model_tags", "model_versions"}) {
      SLIPWAY_TRY(rows, db.prepare(std::string("DELETE FROM ") + table + " WHERE model = ?"));
      SLIPWAY_CHECK(rows.bind(model).run());
    }
    SLIPWAY_TRY(remove, db.prepare("DELETE FROM registered_models WHERE number = ?"));
    return remove.bind(model).run();
  });
}

Result<ModelVersion> Registry::create_version(ModelVersion wanted) {
  for (const auto& [key, value] : wanted.tags) SLIPWAY_CHECK(check_tag(key, value));
  SLIPWAY_CHECK(check_text("a description", wanted.description));
  SLIPWAY_CHECK(check_text("a source", wanted.source));
  const int64_t now_ms = now_unix_ms();
  const auto written = store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_number(db, wanted.name));
    SLIPWAY_TRY(insert,
                db.prepare("INSERT INTO model_versions (model, version, description, source, "
                           "run_id, run_link, model_id, stage, user, created_ms, updated_ms) "
                           "VALUES (?1, (SELECT ifnull(max(version), 0) + 1 FROM model_versions "
                           "WHERE model = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) "
                           "RETURNING version"));
    insert.bind(model, wanted.description, wanted.source, wanted.run_id, wanted.run_link,
                wanted.model_id, wanted.stage, wanted.user, now_ms);
    SLIPWAY_TRY(row, insert.step());
    if (row) wanted.version = insert.integer(0);
    SLIPWAY_CHECK(insert.run());
    for (const auto& [key, value] : wanted.tags)
      SLIPWAY_CHECK(insert_tag(db, model, wanted.version, key, value));
    return touch(db, model, 0, now_ms);
  });
  SLIPWAY_CHECK(written);
  return version(wanted.name, wanted.version);
}

Status Registry::describe_version(const std::string& name, int64_t number,
                                  const std::string& description) {
  SLIPWAY_CHECK(check_text("a description", description));
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_with(db, name, number));
    SLIPWAY_TRY(update, db.prepare("UPDATE model_versions SET description = ? "
                                   "WHERE model = ? AND version = ?"));
    SLIPWAY_CHECK(update.bind(description, model, number).run());
    return touch(db, model, number, now_ms);
  });
}

Status Registry::set_stage(const std::string& name, int64_t number, const std::string& stage,
                           bool archive) {
  std::string known;
  for (const char* each : {"None", "Staging", "Production", "Archived"}) {
    if (to_lower(each) == to_lower(stage)) known = each;
  }
  if (known.empty())
    return Error::invalid_input("no stage '" + stage + "'",
                                "known are None, Staging, Production, Archived");
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_with(db, name, number));
    if (archive) {
      SLIPWAY_TRY(others, db.prepare("UPDATE model_versions SET stage = 'Archived', updated_ms = ? "
                                     "WHERE model = ? AND stage = ? AND version != ?"));
      SLIPWAY_CHECK(others.bind(now_ms, model, known, number).run());
    }
    SLIPWAY_TRY(update,
                db.prepare("UPDATE model_versions SET stage = ? WHERE model = ? AND version = ?"));
    SLIPWAY_CHECK(update.bind(known, model, number).run());
    return touch(db, model, number, now_ms);
  });
}

Status Registry::remove_version(const std::string& name, int64_t number) {
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_with(db, name, number));
    for (const char* table : {"model_aliases", "model_tags"}) {
      SLIPWAY_TRY(rows, db.prepare(std::string("DELETE FROM ") + table +
                                   " WHERE model = ? AND version = ?"));
      SLIPWAY_CHECK(rows.bind(model, number).run());
    }
    SLIPWAY_TRY(update, db.prepare("UPDATE model_versions SET stage = ?, description = '', "
                                   "source = '', run_id = '', run_link = '', model_id = '', "
                                   "user = '' WHERE model = ? AND version = ?"));
    SLIPWAY_CHECK(update.bind(deleted_stage, model, number).run());
    return touch(db, model, 0, now_ms);
  });
}

Status Registry::set_tag(const std::string& name, int64_t number, const std::string& key,
                         const std::string& value) {
  SLIPWAY_CHECK(check_tag(key, value));
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_with(db, name, number));
    return insert_tag(db, model, number, key, value);
  });
}

Status Registry::delete_tag(const std::string& name, int64_t number, const std::string& key) {
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_with(db, name, number));
    SLIPWAY_TRY(remove, db.prepare("DELETE FROM model_tags WHERE model = ? AND version = ? "
                                   "AND key = ?"));
    return remove.bind(model, number, key).run();
  });
}

Status Registry::set_alias(const std::string& name, const std::string& alias, int64_t number) {
  SLIPWAY_CHECK(check_alias(alias));
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_with(db, name, number));
    if (number == 0) return no_version(name, number);
    SLIPWAY_TRY(insert, db.prepare("INSERT OR REPLACE INTO model_aliases VALUES (?, ?, ?)"));
    return insert.bind(model, alias, number).run();
  });
}

Status Registry::delete_alias(const std::string& name, const std::string& alias) {
  SLIPWAY_CHECK(check_alias(alias));
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, model_number(db, name));
    SLIPWAY_TRY(remove, db.prepare("DELETE FROM model_aliases WHERE model = ? AND alias = ?"));
    return remove.bind(model, alias).run();
  });
}

}  // namespace slipway::store
