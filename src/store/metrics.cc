#include <algorithm>
#include <cmath>
#include <tuple>

#include "base/clock.h"
#include "store/chunks.h"
#include "store/pieces.h"
#include "store/records.h"
#include "store/store.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr std::string_view kInsertChunk = R"sql(
INSERT INTO metric_chunks (run_id, key, first_step, last_step, points, sha256, payload)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run_id, key, first_step, sha256) DO NOTHING)sql";

constexpr std::string_view kUpsertLatest = R"sql(
INSERT INTO metrics_latest (run_id, key, value, step, unix_ms) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (run_id, key) DO UPDATE
SET value = excluded.value, step = excluded.step, unix_ms = excluded.unix_ms
WHERE (excluded.step, excluded.unix_ms, ifnull(excluded.value, 0)) >=
      (metrics_latest.step, metrics_latest.unix_ms, ifnull(metrics_latest.value, 0)))sql";

constexpr size_t kMostPointsPerCall = 1'000'000;

// Later, or at the same time and greater; NaN counts as 0.
bool is_later(const Point& a, const Point& b) {
  const auto order = [](const Point& p) {
    return std::make_tuple(p.step, p.unix_ms, std::isnan(p.value) ? 0.0 : p.value);
  };
  return order(b) < order(a);
}

Status insert_points(Statement& chunk, Statement& latest, Database& database,
                     const std::string& run_id, const std::string& key,
                     const std::vector<Point>& points) {
  const std::string payload = encode_points(points);
  SLIPWAY_CHECK(chunk
                    .bind(run_id, key, points.front().step, points.back().step,
                          static_cast<int64_t>(points.size()), Blob{sha256_bytes(payload)},
                          Blob{payload})
                    .run());
  if (database.changes() == 0) return {};  // this very chunk was written before
  const Point& last = *std::max_element(
      points.begin(), points.end(), [](const Point& a, const Point& b) { return is_later(b, a); });
  return latest.bind(run_id, key, last.value, last.step, last.unix_ms).run();
}

}  // namespace

Result<Series> series_of(const std::vector<Metric>& metrics) {
  if (metrics.size() > kMostPointsPerCall) {
    return Error::exhausted(std::to_string(metrics.size()) + " metric points at once",
                            "log at most 1,000,000 in one call");
  }
  const int64_t now_ms = now_unix_ms();
  Series series;
  for (const auto& metric : metrics) {
    SLIPWAY_CHECK(check_key("metric key", metric.key));
    series[metric.key].push_back(
        {metric.step, metric.unix_ms == 0 ? now_ms : metric.unix_ms, metric.value});
  }
  for (auto& [key, points] : series) sort_unique(points);
  return series;
}

Status insert_series(Database& database, const std::string& run_id, const Series& series) {
  SLIPWAY_TRY(chunk, database.prepare(kInsertChunk));
  SLIPWAY_TRY(latest, database.prepare(kUpsertLatest));
  for (const auto& [key, points] : series) {
    for (size_t at = 0; at < points.size(); at += most_points_per_chunk) {
      const auto first = points.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = std::min(most_points_per_chunk, points.size() - at);
      SLIPWAY_CHECK(insert_points(chunk, latest, database, run_id, key,
                                  {first, first + static_cast<std::ptrdiff_t>(count)}));
    }
  }
  return {};
}

Status Store::log_metrics(const std::string& run_id, const std::vector<Metric>& metrics) {
  SLIPWAY_TRY(series, series_of(metrics));
  return impl_->writer.write([&](Database& db) -> Status {
    SLIPWAY_CHECK(require_run(db, run_id));
    return insert_series(db, run_id, series);
  });
}

Result<std::map<std::string, double>> Store::latest_metrics(const std::string& run_id) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare("SELECT key, value FROM metrics_latest WHERE run_id = ?"));
  query.bind(run_id);
  std::map<std::string, double> latest;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return latest;
    latest[query.text(0)] = query.real(1);
  }
}

Result<std::vector<Metric>> Store::metric_history(const std::string& run_id,
                                                  const std::string& key) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query,
              reader->prepare("SELECT payload FROM metric_chunks WHERE run_id = ? AND key = ?"));
  query.bind(run_id, key);
  std::vector<Point> points;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) break;
    SLIPWAY_TRY(chunk, decode_points(query.blob(0)));
    points.insert(points.end(), chunk.begin(), chunk.end());
  }
  sort_unique(points);  // a retry may have packed the same points otherwise
  std::vector<Metric> history;
  for (const auto& point : points) history.push_back({key, point.value, point.step, point.unix_ms});
  return history;
}

}  // namespace slipway::store
