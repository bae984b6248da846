#include "store/logged_models.h"

#include <functional>
#include <iterator>

#include "base/clock.h"
#include "base/ids.h"
#include "store/artifacts.h"
#include "store/pieces.h"
#include "store/records.h"
#include "store/search_page.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

const std::string kColumns =
    "SELECT l.id, l.experiment, l.name, l.type, l.run_id, l.status, l.created_ms, l.updated_ms, "
    "l.deleted_ms IS NOT NULL, l.params, l.tags, " +
    std::string(location_of_experiment) +
    " FROM logged_models l JOIN experiments e ON e.number = l.experiment ";

Error missing(const std::string& id) {
  return Error::not_found("no logged model '" + id + "'", "search the models to see their ids");
}

std::string json_of(const Pairs& pairs) {
  auto object = json::Value::object();
  for (const auto& [key, value] : pairs) object.set(key, value);
  return object.dump();
}

Result<Pairs> pairs_of(const Statement& row, int column) {
  SLIPWAY_TRY(value, json_column(row, column));
  Pairs pairs;
  if (!value.is_object()) return pairs;
  for (const auto& [key, text] : value.as_object())
    pairs.emplace_back(key, text.is_string() ? text.as_string() : text.dump());
  return pairs;
}

Result<LoggedModel> model_of(const Statement& row) {
  LoggedModel model;
  model.id = row.text(0);
  model.experiment_id = row.integer(1);
  model.name = row.text(2);
  model.type = row.text(3);
  model.run_id = row.text(4);
  model.status = row.text(5);
  model.created_ms = row.integer(6);
  model.updated_ms = row.integer(7);
  model.deleted = row.integer(8) != 0;
  SLIPWAY_TRY(params, pairs_of(row, 9));
  SLIPWAY_TRY(tags, pairs_of(row, 10));
  model.params = std::move(params);
  model.tags = std::move(tags);
  model.artifact_uri = row.text(11) + "/models/" + model.id + "/artifacts";
  return model;
}

Result<LoggedModel> find(Database& database, const std::string& id) {
  SLIPWAY_TRY(query, database.prepare(kColumns + "WHERE l.id = ?"));
  SLIPWAY_TRY(found, query.bind(id).step());
  if (!found) return missing(id);
  return model_of(query);
}

// Reads the model, lets `edit` change it, and writes what may change, in one transaction.
Status change(Store& store, const std::string& id,
              const std::function<Status(LoggedModel&)>& edit) {
  const int64_t now_ms = now_unix_ms();
  return store.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(model, find(db, id));
    if (model.deleted) return missing(id);
    SLIPWAY_CHECK(edit(model));
    SLIPWAY_TRY(update, db.prepare("UPDATE logged_models SET status = ?, params = ?, tags = ?, "
                                   "updated_ms = ?, deleted_ms = nullif(?, 0) WHERE id = ?"));
    return update
        .bind(model.status, json_of(model.params), json_of(model.tags), now_ms,
              model.deleted ? now_ms : int64_t{0}, id)
        .run();
  });
}

void put(Pairs& pairs, const std::string& key, const std::string& value) {
  for (auto& [known, text] : pairs) {
    if (known == key) {
      text = value;
      return;
    }
  }
  pairs.emplace_back(key, value);
}

}  // namespace

Result<LoggedModel> LoggedModels::create(LoggedModel model) {
  SLIPWAY_CHECK(check_pairs("param", model.params));
  SLIPWAY_CHECK(check_pairs("tag", model.tags));
  SLIPWAY_CHECK(check_text("a model's name", model.name));
  model.id = "m-" + new_run_id();
  if (model.name.empty()) model.name = model.id;
  const int64_t now_ms = now_unix_ms();
  const auto written = store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(known, db.prepare("SELECT 1 FROM experiments WHERE number = ?"));
    SLIPWAY_TRY(found, known.bind(model.experiment_id).step());
    if (!found)
      return Error::not_found("no experiment '" + std::to_string(model.experiment_id) + "'",
                              "create it first");
    SLIPWAY_TRY(insert, db.prepare("INSERT INTO logged_models (id, experiment, run_id, name, type, "
                                   "status, created_ms, updated_ms, params, tags) VALUES "
                                   "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9)"));
    return insert
        .bind(model.id, model.experiment_id, model.run_id, model.name, model.type, model.status,
              now_ms, json_of(model.params), json_of(model.tags))
        .run();
  });
  SLIPWAY_CHECK(written);
  return get(model.id);
}

Result<LoggedModel> LoggedModels::get(const std::string& id, bool also_deleted) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(model, find(*reader, id));
  if (model.deleted && !also_deleted) return missing(id);
  return model;
}

Status LoggedModels::set_status(const std::string& id, const std::string& status) {
  return change(store_, id, [&](LoggedModel& model) -> Status {
    model.status = status;
    return {};
  });
}

Status LoggedModels::log_params(const std::string& id, const Pairs& params) {
  SLIPWAY_CHECK(check_pairs("param", params));
  return change(store_, id, [&](LoggedModel& model) -> Status {
    for (const auto& [key, value] : params) put(model.params, key, value);
    return {};
  });
}

Status LoggedModels::set_tags(const std::string& id, const Pairs& tags) {
  SLIPWAY_CHECK(check_pairs("tag", tags));
  return change(store_, id, [&](LoggedModel& model) -> Status {
    for (const auto& [key, value] : tags) put(model.tags, key, value);
    return {};
  });
}

Status LoggedModels::delete_tag(const std::string& id, const std::string& key) {
  return change(store_, id, [&](LoggedModel& model) -> Status {
    if (std::erase_if(model.tags, [&](const auto& tag) { return tag.first == key; }) > 0) return {};
    return Error::not_found("logged model '" + id + "' has no tag '" + key + "'");
  });
}

Status LoggedModels::remove(const std::string& id) {
  return change(store_, id, [&](LoggedModel& model) -> Status {
    model.deleted = true;
    return {};
  });
}

Result<Page<LoggedModel>> LoggedModels::search(const std::vector<int64_t>& experiment_ids,
                                               const Search& search) const {
  Page<LoggedModel> page;
  if (experiment_ids.empty()) return page;
  Sql among{"l.experiment IN (", {}};
  for (const int64_t id : experiment_ids) {
    among.text += among.values.empty() ? "?" : ", ?";
    among.values.emplace_back(id);
  }
  among.text += ")";
  SLIPWAY_TRY(sql, page_sql(logged_model_fields(), search, "l.deleted_ms", "",
                            "l.created_ms DESC, l.number DESC", among));
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare(kColumns + sql.text));
  query.bind_all(sql.values);
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return page;
    page.more = std::ssize(page.items) == search.limit;
    if (page.more) return page;
    SLIPWAY_TRY(model, model_of(query));
    page.items.push_back(std::move(model));
  }
}

}  // namespace slipway::store
