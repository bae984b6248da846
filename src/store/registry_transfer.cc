#include "store/registry_transfer.h"

#include <span>

#include "store/records.h"
#include "store/registry_rows.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

struct Column {
  const char* name;
  bool is_text = true;
};
constexpr Column kVersions[] = {{"version", false},   {"description"}, {"source"},
                                {"run_id"},           {"run_link"},    {"model_id"},
                                {"stage"},            {"user"},        {"created_ms", false},
                                {"updated_ms", false}};
constexpr Column kTags[] = {{"version", false}, {"key"}, {"value"}};
constexpr Column kAliases[] = {{"alias"}, {"version", false}};
constexpr Column kLogged[] = {{"id"},
                              {"run_id"},
                              {"name"},
                              {"type"},
                              {"status"},
                              {"created_ms", false},
                              {"updated_ms", false},
                              {"params"},
                              {"tags"}};

std::string names_of(std::span<const Column> columns, const char* before = "") {
  std::string names;
  for (const auto& column : columns)
    names += (names.empty() ? "" : ", ") + std::string(before) + column.name;
  return names;
}

json::Value row_json(const Statement& row, std::span<const Column> columns) {
  auto value = json::Value::object();
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto at = static_cast<int>(i);
    value.set(columns[i].name,
              columns[i].is_text ? text_json(row.text(at)) : json::Value(row.integer(at)));
  }
  return value;
}

// The rows of one registered model, in the order of their keys.
Result<json::Value> rows_of(Database& db, const char* table, int64_t model,
                            std::span<const Column> columns) {
  const auto names = names_of(columns);
  SLIPWAY_TRY(query, db.prepare("SELECT " + names + " FROM " + table +
                                " WHERE model = ? ORDER BY " + names));
  query.bind(model);
  auto list = json::Value::array();
  while (true) {
    SLIPWAY_TRY(found, query.step());
    if (!found) return list;
    list.push_back(row_json(query, columns));
  }
}

Result<std::vector<Bound>> bound_of(const json::Value& row, std::span<const Column> columns) {
  std::vector<Bound> values;
  for (const auto& column : columns) {
    if (column.is_text) {
      SLIPWAY_TRY(text, text_member(row, column.name));
      values.emplace_back(std::move(text));
      continue;
    }
    const auto* number = row.get(column.name);
    if (!number || !number->is_integer())
      return Error::corrupt("a model's '" + std::string(column.name) + "' is no whole number");
    values.emplace_back(number->as_integer());
  }
  return values;
}

Status add_rows(Database& db, const char* table, int64_t model, const json::Value& record,
                const char* member, std::span<const Column> columns) {
  const auto* list = record.get(member);
  if (!list || !list->is_array())
    return Error::corrupt("a registered model without '" + std::string(member) + "'");
  std::string marks;
  for (size_t i = 0; i < columns.size(); ++i) marks += "?, ";
  SLIPWAY_TRY(insert, db.prepare("INSERT OR IGNORE INTO " + std::string(table) + " (" +
                                 names_of(columns) + ", model) VALUES (" + marks + "?)"));
  for (const auto& row : list->as_array()) {
    SLIPWAY_TRY(values, bound_of(row, columns));
    values.emplace_back(model);
    SLIPWAY_CHECK(insert.bind_all(values).run());
  }
  return {};
}

// A version's files stand below its run's folder, whose number is another in every store.
Status note_sources(const Store& store, json::Value& versions) {
  for (auto& version : versions.as_array()) {
    SLIPWAY_TRY(folder, folder_of_run(store, version.text("run_id")));
    const auto prefix = std::string(own_artifacts) + folder + "/", source = version.text("source");
    if (!folder.empty() && source.starts_with(prefix))
      version.set("run_path", source.substr(prefix.size()));
  }
  return {};
}

Status set_sources(const Store& store, json::Value& versions) {
  for (auto& version : versions.as_array()) {
    if (!version.get("run_path")) continue;
    SLIPWAY_TRY(folder, folder_of_run(store, version.text("run_id")));
    if (folder.empty()) continue;
    version.set("source", std::string(own_artifacts) + folder + "/" + version.text("run_path"));
  }
  return {};
}

std::string folder_of_model(const std::string& experiment_folder, const std::string& id) {
  return experiment_folder + "/models/" + id + "/artifacts";
}

}  // namespace

Status give_registered_models(const Store& store, Sink& sink) {
  std::vector<json::Value> records;
  {
    SLIPWAY_TRY(reader, store.parts().readers.take());
    SLIPWAY_TRY(models, reader->prepare("SELECT number, name, description, created_ms, updated_ms "
                                        "FROM registered_models ORDER BY name"));
    while (true) {
      SLIPWAY_TRY(found, models.step());
      if (!found) break;
      SLIPWAY_TRY(versions, rows_of(*reader, "model_versions", models.integer(0), kVersions));
      SLIPWAY_TRY(tags, rows_of(*reader, "model_tags", models.integer(0), kTags));
      SLIPWAY_TRY(aliases, rows_of(*reader, "model_aliases", models.integer(0), kAliases));
      auto record = json::Value::object();
      record.set("record", "registered_model")
          .set("name", text_json(models.text(1)))
          .set("description", text_json(models.text(2)))
          .set("created_ms", models.integer(3))
          .set("updated_ms", models.integer(4))
          .set("versions", std::move(versions))
          .set("tags", std::move(tags))
          .set("aliases", std::move(aliases));
      records.push_back(std::move(record));
    }
  }
  for (auto& record : records) {
    auto versions = *record.get("versions");
    SLIPWAY_CHECK(note_sources(store, versions));
    record.set("versions", std::move(versions));
    SLIPWAY_CHECK(sink.record(record));
  }
  return {};
}

Status take_registered_model(Store& store, const json::Value& record) {
  SLIPWAY_TRY(name, text_member(record, "name"));
  SLIPWAY_TRY(description, text_member(record, "description"));
  SLIPWAY_CHECK(check_key("a model's name", name));
  auto taken = record;
  if (const auto* versions = record.get("versions"); versions && versions->is_array()) {
    auto own = *versions;
    SLIPWAY_CHECK(set_sources(store, own));
    taken.set("versions", std::move(own));
  }
  return store.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert, db.prepare("INSERT OR IGNORE INTO registered_models (name, description, "
                                   "created_ms, updated_ms) VALUES (?, ?, ?, ?)"));
    const auto created = static_cast<int64_t>(record.number("created_ms"));
    const auto updated = static_cast<int64_t>(record.number("updated_ms"));
    SLIPWAY_CHECK(insert.bind(name, description, created, updated).run());
    SLIPWAY_TRY(model, model_number(db, name));
    SLIPWAY_CHECK(add_rows(db, "model_versions", model, taken, "versions", kVersions));
    SLIPWAY_CHECK(add_rows(db, "model_tags", model, taken, "tags", kTags));
    return add_rows(db, "model_aliases", model, taken, "aliases", kAliases);
  });
}

Status give_logged_models(const Store& store, const std::string& run_id, Sink& sink) {
  std::vector<json::Value> records;
  std::vector<std::string> folders;
  {
    SLIPWAY_TRY(reader, store.parts().readers.take());
    SLIPWAY_TRY(query, reader->prepare(
                           "SELECT " + names_of(kLogged, "l.") + ", e.name, " +
                           std::string(location_of_experiment) +
                           " FROM logged_models l JOIN experiments e ON e.number = l.experiment "
                           "WHERE l.run_id = ? AND l.deleted_ms IS NULL ORDER BY l.number"));
    query.bind(run_id);
    constexpr int behind = std::size(kLogged);
    while (true) {
      SLIPWAY_TRY(found, query.step());
      if (!found) break;
      auto record = row_json(query, kLogged);
      record.set("record", "logged_model").set("experiment", text_json(query.text(behind)));
      folders.push_back(own_folder(query.text(behind + 1)));
      records.push_back(std::move(record));
    }
  }
  for (size_t i = 0; i < records.size(); ++i) {
    auto files = json::Value::array();
    if (!folders[i].empty()) {
      SLIPWAY_TRY(kept, files_below(store, folder_of_model(folders[i], records[i].text("id"))));
      for (const auto& file : kept) files.push_back(file.to_json());
    }
    SLIPWAY_CHECK(sink.record(records[i].set("files", std::move(files))));
  }
  return {};
}

Status take_logged_model(Store& store, const json::Value& record) {
  SLIPWAY_TRY(values, bound_of(record, kLogged));
  SLIPWAY_TRY(experiment, text_member(record, "experiment"));
  const auto id = record.text("id");
  for (const char* key : {"params", "tags"})
    if (auto pairs = json::parse(record.text(key)); !pairs.ok() || !pairs->is_object())
      return Error::corrupt("the " + std::string(key) + " of a logged model are none");
  const auto created = static_cast<int64_t>(record.number("created_ms"));
  std::string location;
  int64_t number = 0;
  bool known = false;
  const auto looked = store.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(ensure_experiment(db, experiment, created));
    SLIPWAY_TRY(find, db.prepare("SELECT e.number, " + std::string(location_of_experiment) +
                                 ", EXISTS (SELECT 1 FROM logged_models WHERE id = ?) FROM "
                                 "experiments e WHERE e.name = ?"));
    SLIPWAY_CHECK(find.bind(id, experiment).step());
    number = find.integer(0);
    location = own_folder(find.text(1));
    known = find.integer(2) != 0;
    return {};
  });
  SLIPWAY_CHECK(looked);
  if (known) return {};
  // Its files first: one whose import was killed is taken again.
  const auto* files = record.get("files");
  for (size_t i = 0; files && files->is_array() && !location.empty() && i < files->size(); ++i) {
    const auto& file = files->as_array()[i];
    SLIPWAY_CHECK(take_file(store, folder_of_model(location, id),
                            {file.text("path"), file.text("sha256")}));
  }
  values.emplace_back(number);
  return store.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert, db.prepare("INSERT OR IGNORE INTO logged_models (" + names_of(kLogged) +
                                   ", experiment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    return insert.bind_all(values).run();
  });
}

Result<std::vector<KeptFile>> files_of_logged_models(const Store& store,
                                                     const std::string& run_id) {
  struct Collector : Sink {
    Status object(const std::string&) override { return {}; }
    Status record(const json::Value& record) override {
      for (const auto& file : record.get("files")->as_array())
        files.push_back({file.text("path"), file.text("sha256")});
      return {};
    }
    std::vector<KeptFile> files;
  } collector;
  SLIPWAY_CHECK(give_logged_models(store, run_id, collector));
  return std::move(collector.files);
}

}  // namespace slipway::store
