#include "store/tracking.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/clock.h"
#include "base/ids.h"
#include "store/pieces.h"
#include "store/records.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr std::string_view kNameTag = "mlflow.runName";
constexpr std::string_view kParentTag = "mlflow.parentRunId";

const std::string* find(const Pairs& pairs, std::string_view key) {
  const auto found =
      std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == key; });
  return found == pairs.end() ? nullptr : &found->second;
}

Result<std::string> active_experiment(Database& database, int64_t id) {
  SLIPWAY_TRY(query, database.prepare("SELECT name, deleted_ms FROM experiments WHERE number = ?"));
  SLIPWAY_TRY(found, query.bind(id).step());
  if (!found)
    return Error::not_found("no experiment '" + std::to_string(id) + "'", "create it first");
  if (query.is_null(1)) return query.text(0);
  return Error::invalid_input("experiment '" + std::to_string(id) + "' is deleted",
                              "restore it first");
}

Status require_active(Database& database, const std::string& run_id) {
  SLIPWAY_TRY(query, database.prepare("SELECT deleted_ms FROM runs WHERE id = ?"));
  SLIPWAY_TRY(found, query.bind(run_id).step());
  if (!found) return Error::not_found("no run '" + run_id + "'", "create the run first");
  if (query.is_null(0)) return {};
  return Error::invalid_input("run '" + run_id + "' is deleted", "restore it first");
}

Status rename(Database& database, const std::string& run_id, const std::string& name) {
  SLIPWAY_TRY(update, database.prepare("UPDATE runs SET name = ? WHERE id = ?"));
  return update.bind(name, run_id).run();
}

// What a promotion relies on (aliases.cc) is not a client's to say.
Status may_change(Database& database, const std::string& run_id, std::string_view key) {
  if (key != verdict_tag && key != imported_tag) return {};
  SLIPWAY_TRY(query, database.prepare("SELECT kind FROM runs WHERE id = ?"));
  SLIPWAY_TRY(found, query.bind(run_id).step());
  if (!found || query.text(0) == client_run_kind) return {};
  return Error::permission_denied("the tag '" + std::string(key) + "' of Slipway's own runs stays",
                                  "take another key");
}

// The tag of a name is the name.
Status put_tags(Database& database, const std::string& run_id, const Pairs& tags) {
  Pairs others;
  for (const auto& [key, value] : tags) {
    SLIPWAY_CHECK(may_change(database, run_id, key));
    if (key == kNameTag) {
      SLIPWAY_CHECK(rename(database, run_id, value));
    } else {
      others.emplace_back(key, value);
    }
  }
  return insert_tags(database, run_id, others);
}

// A parent that the store knows; the tag says so all the same.
Result<std::string> known_parent(Database& database, const Pairs& tags) {
  const auto* parent = find(tags, kParentTag);
  if (parent == nullptr) return std::string();
  SLIPWAY_TRY(query, database.prepare("SELECT id FROM runs WHERE id = ?"));
  SLIPWAY_TRY(found, query.bind(*parent).step());
  return found ? *parent : std::string();
}

Result<std::string> name_of(const NewRun& run, const std::string& id) {
  const auto* tag = find(run.tags, kNameTag);
  if (tag != nullptr && !run.name.empty() && *tag != run.name) {
    return Error::invalid_input(
        "the run's name is '" + run.name + "', but its tag mlflow.runName is '" + *tag + "'",
        "give one of them");
  }
  if (!run.name.empty()) return run.name;
  return tag != nullptr && !tag->empty() ? *tag : made_up_run_name(id);
}

Status insert_links(Database& database, const std::string& run_id,
                    const std::vector<RunLink>& links) {
  constexpr std::array<std::string_view, 3> kinds = {"dataset", "input_model", "output_model"};
  SLIPWAY_TRY(insert, database.prepare(
                          "INSERT INTO run_links (run_id, kind, key, number, content) VALUES "
                          "(?1, ?2, ?3, (SELECT count(*) FROM run_links WHERE run_id = ?1), ?4) "
                          "ON CONFLICT DO NOTHING"));
  for (const auto& link : links) {
    SLIPWAY_TRY(content, json_text("an input of a run", link.content));
    SLIPWAY_CHECK(
        insert.bind(run_id, kinds[static_cast<size_t>(link.kind)], link.key, content).run());
  }
  return {};
}

}  // namespace

std::string made_up_run_name(std::string_view run_id) {
  constexpr std::array<std::string_view, 16> how = {
      "amber", "bold",  "brisk", "bright", "calm",  "clear",  "deep", "fair",
      "fleet", "grand", "keen",  "quiet",  "swift", "steady", "true", "windy"};
  constexpr std::array<std::string_view, 16> what = {
      "anchor", "beacon", "bow",  "brig", "buoy",   "cutter", "harbour", "keel",
      "mast",   "pilot",  "quay", "reef", "rudder", "sail",   "sloop",   "tide"};
  unsigned bits = 0;
  const size_t digits = std::min<size_t>(run_id.size(), 6);
  std::from_chars(run_id.data(), run_id.data() + digits, bits, 16);
  return std::string(how[bits % 16]) + "-" + std::string(what[bits / 16 % 16]) + "-" +
         std::to_string(bits / 256 % 1000);
}

Result<TrackedRun> Tracking::create_run(NewRun wanted) {
  Run run;
  run.id = new_run_id();
  run.kind = client_run_kind;
  run.user = wanted.user;
  run.start_ms = wanted.start_ms == 0 ? now_unix_ms() : wanted.start_ms;
  run.inputs = json::Value::object();
  run.environment = json::Value::object();
  SLIPWAY_TRY(name, name_of(wanted, run.id));
  run.name = name;
  SLIPWAY_CHECK(check_run(run));
  SLIPWAY_CHECK(check_pairs("tag", wanted.tags));
  const auto written = store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_TRY(experiment, active_experiment(db, wanted.experiment_id));
    SLIPWAY_TRY(parent, known_parent(db, wanted.tags));
    run.experiment = experiment;
    run.parent_id = parent;
    SLIPWAY_CHECK(insert_run(db, run, "{}", "{}"));
    return put_tags(db, run.id, wanted.tags);
  });
  SLIPWAY_CHECK(written);
  return this->run(run.id);
}

Result<TrackedRun> Tracking::update_run(const std::string& id, const RunUpdate& update) {
  const auto written = store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_active(db, id));
    if (update.name && !update.name->empty()) SLIPWAY_CHECK(rename(db, id, *update.name));
    if (update.status) {
      SLIPWAY_TRY(status, db.prepare("UPDATE runs SET status = ? WHERE id = ?"));
      SLIPWAY_CHECK(status.bind(status_name(*update.status), id).run());
    }
    if (!update.end_ms) return {};
    SLIPWAY_TRY(end, db.prepare("UPDATE runs SET end_ms = nullif(?, 0) WHERE id = ?"));
    return end.bind(*update.end_ms, id).run();
  });
  SLIPWAY_CHECK(written);
  return run(id);
}

Status Tracking::delete_run(const std::string& id) {
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_run(db, id));
    SLIPWAY_TRY(update,
                db.prepare("UPDATE runs SET deleted_ms = ifnull(deleted_ms, ?) WHERE id = ?"));
    return update.bind(now_ms, id).run();
  });
}

Status Tracking::restore_run(const std::string& id) {
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_run(db, id));
    SLIPWAY_TRY(update, db.prepare("UPDATE runs SET deleted_ms = NULL WHERE id = ?"));
    return update.bind(id).run();
  });
}

Status Tracking::log(const Batch& batch) {
  SLIPWAY_CHECK(check_pairs("param", batch.params));
  SLIPWAY_CHECK(check_pairs("tag", batch.tags));
  SLIPWAY_TRY(series, series_of(batch.metrics));
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_active(db, batch.run_id));
    for (const auto& [key, value] : batch.params)
      SLIPWAY_CHECK(insert_param(db, batch.run_id, key, value));
    if (!series.empty()) SLIPWAY_CHECK(insert_series(db, batch.run_id, series));
    return batch.tags.empty() ? Status() : put_tags(db, batch.run_id, batch.tags);
  });
}

Status Tracking::delete_tag(const std::string& run_id, const std::string& key) {
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_active(db, run_id));
    SLIPWAY_CHECK(may_change(db, run_id, key));
    SLIPWAY_TRY(remove, db.prepare("DELETE FROM tags WHERE run_id = ? AND key = ?"));
    SLIPWAY_CHECK(remove.bind(run_id, key).run());
    if (db.changes() == 1) return {};
    return Error::not_found("run '" + run_id + "' has no tag '" + key + "'");
  });
}

Status Tracking::add_links(const std::string& run_id, const std::vector<RunLink>& links) {
  return store_.parts().writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_active(db, run_id));
    return insert_links(db, run_id, links);
  });
}

Status Tracking::put_trace_info(const std::string& id, int64_t experiment_id,
                                const json::Value& content) {
  SLIPWAY_CHECK(check_key("trace id", id));
  SLIPWAY_TRY(text, json_text("what is said of a trace", content));
  const int64_t now_ms = now_unix_ms();
  return store_.parts().writer.write([&](Database& db) -> Status {
    if (const auto known = active_experiment(db, experiment_id); !known.ok()) return known.error();
    SLIPWAY_TRY(insert, db.prepare("INSERT OR REPLACE INTO trace_infos (id, experiment, put_ms, "
                                   "content) VALUES (?, ?, ?, ?)"));
    return insert.bind(id, experiment_id, now_ms, text).run();
  });
}

}  // namespace slipway::store
