#include <algorithm>
#include <cmath>
#include <iterator>
#include <unordered_map>

#include "store/pieces.h"
#include "store/records.h"
#include "store/search.h"
#include "store/search_page.h"
#include "store/store_impl.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

constexpr int64_t kMostHistory = 1'000'000;
constexpr size_t kReadTogether = 256;  // runs whose params, tags and metrics one query each reads

// `inputs` is last: most runs have none.
constexpr std::string_view kColumns =
    "SELECT r.id, r.experiment, r.kind, r.name, ifnull(r.parent_id, ''), r.status, r.start_ms, "
    "ifnull(r.end_ms, 0), r.error, r.user, r.deleted_ms IS NOT NULL, x.number, "
    "iif(x.artifact_location = '', 'mlflow-artifacts:/' || x.number, x.artifact_location), "
    "r.inputs FROM runs r JOIN experiments x ON x.name = r.experiment ";

std::string tag_text(const json::Value& value) {
  return value.is_string() ? value.as_string() : value.dump();
}

// What decided one of Slipway's own runs, as tags: those that a search knows.
Status append_own_tags(TrackedRun& run, const std::string& inputs_text) {
  if (run.info.kind == client_run_kind) return {};
  run.tags.emplace_back("slipway.kind", run.info.kind);
  if (inputs_text.size() <= 4) return {};  // {} or null
  SLIPWAY_TRY(inputs, json::parse(inputs_text));
  constexpr std::string_view prefix = "slipway.";
  for (const auto& [key, sql] : run_fields().computed_tags) {
    const auto* value = key.starts_with(prefix) ? inputs.get(key.substr(prefix.size())) : nullptr;
    if (value != nullptr && !value->is_null() && !value->is_object() && !value->is_array())
      run.tags.emplace_back(key, tag_text(*value));
  }
  return {};
}

Result<TrackedRun> run_of(const Statement& row) {
  TrackedRun run;
  run.info.id = row.text(0);
  run.info.experiment = row.text(1);
  run.info.kind = row.text(2);
  run.info.name = row.text(3);
  run.info.parent_id = row.text(4);
  SLIPWAY_TRY(status, run_status_of(row.text(5)));
  run.info.status = status;
  run.info.start_ms = row.integer(6);
  run.info.end_ms = row.integer(7);
  run.info.error = row.text(8);
  run.user = row.text(9);
  run.deleted = row.integer(10) != 0;
  run.experiment_id = row.integer(11);
  run.artifact_uri = row.text(12) + "/" + run.info.id + "/artifacts";
  if (!run.info.name.empty()) run.tags.emplace_back("mlflow.runName", run.info.name);
  SLIPWAY_CHECK(append_own_tags(run, row.text(13)));
  return run;
}

// Fills what hangs on the runs of one page, table by table.
class PageReader {
 public:
  PageReader(Database& database, std::vector<TrackedRun>& runs) : database_(database), runs_(runs) {
    auto ids = json::Value::array();
    for (size_t i = 0; i < runs.size(); ++i) {
      places_[runs[i].info.id] = i;
      ids.push_back(runs[i].info.id);
    }
    ids_ = ids.dump();
  }

  Status read() {
    SLIPWAY_CHECK(each("SELECT run_id, key, value, step, unix_ms FROM metrics_latest",
                       [](TrackedRun& run, const Statement& row) -> Status {
                         run.metrics.push_back(
                             {row.text(1), row.real(2), row.integer(3), row.integer(4)});
                         return {};
                       }));
    SLIPWAY_CHECK(each("SELECT run_id, key, value FROM params",
                       [](TrackedRun& run, const Statement& row) -> Status {
                         run.params.emplace_back(row.text(1), row.text(2));
                         return {};
                       }));
    SLIPWAY_CHECK(each("SELECT run_id, key, value FROM tags",
                       [](TrackedRun& run, const Statement& row) -> Status {
                         run.tags.emplace_back(row.text(1), row.text(2));
                         return {};
                       }));
    return each("SELECT run_id, kind, key, content FROM run_links", add_link, " ORDER BY number");
  }

 private:
  static Status add_link(TrackedRun& run, const Statement& row) {
    const std::string kind = row.text(1);
    RunLink link;
    link.kind = kind == "dataset"       ? RunLink::Kind::dataset
                : kind == "input_model" ? RunLink::Kind::input_model
                                        : RunLink::Kind::output_model;
    link.key = row.text(2);
    SLIPWAY_TRY(content, json_column(row, 3));
    link.content = std::move(content);
    run.links.push_back(std::move(link));
    return {};
  }

  template <typename F>
  Status each(const std::string& select, F add, const std::string& order = {}) {
    SLIPWAY_TRY(query, database_.prepare(select +
                                         " WHERE run_id IN (SELECT value FROM "
                                         "json_each(?))" +
                                         order));
    query.bind(ids_);
    TrackedRun* run = nullptr;  // rows of one run mostly follow each other
    while (true) {
      SLIPWAY_TRY(row, query.step());
      if (!row) return {};
      if (const std::string id = query.text(0); run == nullptr || run->info.id != id)
        run = &runs_[places_.at(id)];
      SLIPWAY_CHECK(add(*run, query));
    }
  }

  Database& database_;
  std::vector<TrackedRun>& runs_;
  std::unordered_map<std::string, size_t> places_;
  std::string ids_;
};

Result<Sql> names_of(Database& database, const std::vector<int64_t>& experiment_ids) {
  SLIPWAY_TRY(query, database.prepare("SELECT name FROM experiments WHERE number = ?"));
  Sql names;
  for (const int64_t id : experiment_ids) {
    SLIPWAY_TRY(found, query.bind(id).step());
    if (!found) continue;
    names.text += names.values.empty() ? "?" : ", ?";
    names.values.emplace_back(query.text(0));
  }
  names.text = "r.experiment IN (" + names.text + ")";
  return names;
}

}  // namespace

Result<TrackedRun> Tracking::run(const std::string& id) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare(std::string(kColumns) + "WHERE r.id = ?"));
  SLIPWAY_TRY(found, query.bind(id).step());
  if (!found) return Error::not_found("no run '" + id + "'", "search the runs to see their ids");
  std::vector<TrackedRun> runs;
  SLIPWAY_TRY(run, run_of(query));
  runs.push_back(std::move(run));
  SLIPWAY_CHECK(PageReader(*reader, runs).read());
  return std::move(runs.front());
}

Result<bool> Tracking::search_each(const std::vector<int64_t>& experiment_ids, const Search& search,
                                   const Each& each) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(names, names_of(*reader, experiment_ids));
  SLIPWAY_TRY(sql,
              page_sql(run_fields(), search, "r.deleted_ms", "", "r.start_ms DESC, r.id", names));
  if (names.values.empty()) return false;
  SLIPWAY_TRY(query, reader->prepare(std::string(kColumns) + sql.text));
  query.bind_all(sql.values);
  std::vector<TrackedRun> some;
  const auto pass_on = [&]() -> Status {
    SLIPWAY_CHECK(PageReader(*reader, some).read());
    for (const auto& run : some) each(run);
    some.clear();
    return {};
  };
  bool more = false;
  for (int64_t count = 0; !more; ++count) {
    SLIPWAY_TRY(row, query.step());
    if (!row) break;
    more = count == search.limit;
    if (more) break;
    SLIPWAY_TRY(run, run_of(query));
    some.push_back(std::move(run));
    if (some.size() == kReadTogether) SLIPWAY_CHECK(pass_on());
  }
  SLIPWAY_CHECK(pass_on());
  return more;
}

Result<Page<TrackedRun>> Tracking::search(const std::vector<int64_t>& experiment_ids,
                                          const Search& search) const {
  Page<TrackedRun> page;
  SLIPWAY_TRY(more, search_each(experiment_ids, search,
                                [&](const TrackedRun& run) { page.items.push_back(run); }));
  page.more = more;
  return page;
}

Result<Page<Metric>> Tracking::history(const std::string& run_id, const std::string& key,
                                       int64_t limit, int64_t offset) const {
  if (limit < 1 || limit > kMostHistory || offset < 0)
    return Error::invalid_input("a page of " + std::to_string(limit) + " points",
                                "ask for 1 to 1,000,000 at a time");
  SLIPWAY_TRY(all, store_.metric_history(run_id, key));
  const auto size = static_cast<int64_t>(all.size());
  const auto first = std::min(offset, size);
  const auto last = std::min(first + limit, size);
  return Page<Metric>{{all.begin() + first, all.begin() + last}, last < size};
}

Result<json::Value> Tracking::trace_info(const std::string& id) const {
  SLIPWAY_TRY(reader, store_.parts().readers.take());
  SLIPWAY_TRY(query, reader->prepare("SELECT content FROM trace_infos WHERE id = ?"));
  SLIPWAY_TRY(found, query.bind(id).step());
  if (!found) return Error::not_found("no trace '" + id + "'", "give its whole id");
  return json_column(query, 0);
}

}  // namespace slipway::store
