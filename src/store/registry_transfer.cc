#include "store/registry_transfer.h"

#include <set>
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
constexpr Column kLinks[] = {{"kind"}, {"key"}, {"content"}};
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

// What of a registered model's record is the very same here: what is said of anything else is not
// taken, and no model that was here becomes a prompt.
struct Same {
  bool is_new = false;        // the model
  std::set<int64_t> numbers;  // of versions; 0: the model

  bool takes(const json::Value& row) const {
    const auto number = row.get("version")->as_integer();
    const bool makes_prompt = number == 0 && row.text("key") == "mlflow.prompt.is_prompt";
    return numbers.contains(number) && (is_new || !makes_prompt);
  }
};

Status add_rows(Database& db, const char* table, int64_t model, const json::Value& record,
                const char* member, std::span<const Column> columns, const Same* same = nullptr) {
  const auto* list = record.get(member);
  if (!list || !list->is_array())
    return Error::corrupt("a registered model without '" + std::string(member) + "'");
  std::string marks;
  for (size_t i = 0; i < columns.size(); ++i) marks += "?, ";
  SLIPWAY_TRY(insert, db.prepare("INSERT OR IGNORE INTO " + std::string(table) + " (" +
                                 names_of(columns) + ", model) VALUES (" + marks + "?)"));
  for (const auto& row : list->as_array()) {
    SLIPWAY_TRY(values, bound_of(row, columns));
    if (same && !same->takes(row)) continue;
    values.emplace_back(model);
    SLIPWAY_CHECK(insert.bind_all(values).run());
  }
  return {};
}

// `versions` are rows that were added, or whose number was taken.
Result<Same> same_here(Database& db, int64_t model, int64_t created_ms,
                       const json::Value& versions) {
  Same same;
  SLIPWAY_TRY(whole, db.prepare("SELECT 1 FROM registered_models WHERE number = ? AND "
                                "created_ms = ?"));
  SLIPWAY_TRY(same_model, whole.bind(model, created_ms).step());
  if (same_model) same.numbers.insert(0);
  SLIPWAY_TRY(query, db.prepare("SELECT 1 FROM model_versions WHERE model = ? AND version = ? AND "
                                "created_ms = ? AND source = ? AND run_id = ? AND stage != ?"));
  for (const auto& row : versions.as_array()) {
    const auto number = row.get("version")->as_integer();
    const auto created = row.get("created_ms")->as_integer();
    SLIPWAY_TRY(source, text_member(row, "source"));
    SLIPWAY_TRY(run_id, text_member(row, "run_id"));
    query.bind(model, number, created, source, run_id, deleted_stage);
    SLIPWAY_TRY(found, query.step());
    if (found && number > 0) same.numbers.insert(number);
  }
  return same;
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

// In SQL: a logged model that is here takes what was said of it by then. One that is ready stays.
std::string gains(const std::string& updated_ms) {
  return "logged_models.status = 'LOGGED_MODEL_PENDING' AND logged_models.deleted_ms IS NULL AND "
         "logged_models.updated_ms <= " +
         updated_ms;
}

// Where a logged model is or will be.
struct ModelPlace {
  int64_t experiment = 0;
  std::string folder;  // of its files; empty: its experiment keeps them elsewhere
  bool known = false;  // it is here
  bool takes = true;   // it is not, or is not ready here
};

Result<ModelPlace> place_of(Store& store, const json::Value& record,
                            const std::string& experiment) {
  const auto id = record.text("id");
  const auto created = record.get("created_ms")->as_integer();
  const auto updated = record.get("updated_ms")->as_integer();
  const auto columns = "SELECT e.number, " + std::string(location_of_experiment);
  ModelPlace place;
  const auto looked = store.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(find, db.prepare(columns + ", " + gains("?1") + " FROM logged_models JOIN "
                                 "experiments e ON e.number = experiment WHERE id = ?2"));
    SLIPWAY_TRY(known, find.bind(updated, id).step());
    if (known) {
      place = {find.integer(0), own_folder(find.text(1)), true, find.integer(2) != 0};
      return {};
    }
    SLIPWAY_CHECK(ensure_experiment(db, experiment, created));
    SLIPWAY_TRY(named, db.prepare(columns + " FROM experiments e WHERE e.name = ?"));
    SLIPWAY_CHECK(named.bind(experiment).step());
    place = {named.integer(0), own_folder(named.text(1)), false, true};
    return {};
  });
  SLIPWAY_CHECK(looked);
  if (!place.folder.empty()) place.folder = folder_of_model(place.folder, id);
  return place;
}

// A model that is here keeps the files it has.
Status take_model_files(Store& store, const ModelPlace& place, const json::Value& record) {
  const auto* files = record.get("files");
  if (!files || !files->is_array() || place.folder.empty()) return {};
  std::set<std::string> here;
  if (place.known) {
    SLIPWAY_TRY(kept, files_below(store, place.folder));
    for (const auto& file : kept) here.insert(file.path);
  }
  for (const auto& value : files->as_array()) {
    const KeptFile file{value.text("path"), value.text("sha256")};
    if (!here.contains(file.path)) SLIPWAY_CHECK(take_file(store, place.folder, file));
  }
  return {};
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
    const bool is_new = db.changes() == 1;
    SLIPWAY_TRY(model, model_number(db, name));
    SLIPWAY_CHECK(add_rows(db, "model_versions", model, taken, "versions", kVersions));
    SLIPWAY_TRY(same, same_here(db, model, created, *taken.get("versions")));
    same.is_new = is_new;
    SLIPWAY_CHECK(add_rows(db, "model_tags", model, taken, "tags", kTags, &same));
    return add_rows(db, "model_aliases", model, taken, "aliases", kAliases, &same);
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
  for (const char* key : {"params", "tags"})
    if (auto pairs = json::parse(record.text(key)); !pairs.ok() || !pairs->is_object())
      return Error::corrupt("the " + std::string(key) + " of a logged model are none");
  SLIPWAY_TRY(place, place_of(store, record, experiment));
  if (!place.takes) return {};
  // Its files first: one whose import was killed is taken again.
  SLIPWAY_CHECK(take_model_files(store, place, record));
  values.emplace_back(place.experiment);
  return store.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert,
                db.prepare("INSERT INTO logged_models (" + names_of(kLogged) +
                           ", experiment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) "
                           "DO UPDATE SET status = excluded.status, updated_ms = "
                           "excluded.updated_ms, params = json_patch(params, excluded.params), "
                           "tags = json_patch(tags, excluded.tags) WHERE " +
                           gains("excluded.updated_ms")));
    return insert.bind_all(values).run();
  });
}

Status give_links(const Store& store, const std::string& run_id, Sink& sink) {
  std::vector<json::Value> records;
  {
    SLIPWAY_TRY(reader, store.parts().readers.take());
    SLIPWAY_TRY(query, reader->prepare("SELECT " + names_of(kLinks) +
                                       " FROM run_links WHERE run_id = ? ORDER BY number"));
    query.bind(run_id);
    while (true) {
      SLIPWAY_TRY(found, query.step());
      if (!found) break;
      auto record = row_json(query, kLinks);
      records.push_back(record.set("record", "link").set("run", run_id));
    }
  }
  for (const auto& record : records) SLIPWAY_CHECK(sink.record(record));
  return {};
}

// OR IGNORE: also a kind of a later version.
Status take_link(Store& store, const json::Value& record) {
  SLIPWAY_TRY(values, bound_of(record, kLinks));
  const auto content = record.text("content");
  SLIPWAY_CHECK(check_text("an input of a run", content));
  if (!json::parse(content).ok()) return Error::corrupt("what a run read or made is no JSON");
  values.emplace_back(record.text("run"));
  return store.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(insert, db.prepare("INSERT OR IGNORE INTO run_links (" + names_of(kLinks) +
                                   ", run_id, number) VALUES (?1, ?2, ?3, ?4, (SELECT count(*) "
                                   "FROM run_links WHERE run_id = ?4))"));
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
