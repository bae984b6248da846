#include "base/hash.h"
#include "store/chunks.h"
#include "store/records.h"
#include "store/store.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

using Problems = std::vector<std::string>;

// Damage is what we look for; any other failure ends the search.
Status note(Problems& problems, const Status& status) {
  if (status.ok() || status.error().code() != ErrorCode::corrupt) return status;
  problems.push_back(status.error().message());
  return {};
}

Status check_sqlite(Database& database, Problems& problems) {
  SLIPWAY_TRY(integrity, database.prepare("PRAGMA integrity_check"));
  while (true) {
    SLIPWAY_TRY(row, integrity.step());
    if (!row) break;
    if (integrity.text(0) != "ok") problems.push_back("records.db: " + integrity.text(0));
  }
  SLIPWAY_TRY(keys, database.prepare("PRAGMA foreign_key_check"));
  while (true) {
    SLIPWAY_TRY(row, keys.step());
    if (!row) return {};
    problems.push_back("records.db: a row of " + keys.text(0) + " names a missing row of " +
                       keys.text(2));
  }
}

Status check_metrics(Database& database, Problems& problems) {
  SLIPWAY_TRY(query, database.prepare("SELECT number, points, sha256, payload FROM metric_chunks"));
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return {};
    const std::string payload = query.blob(3);
    const auto points = decode_points(payload);
    const bool sound = sha256_bytes(payload) == query.blob(2) && points.ok() &&
                       static_cast<int64_t>(points->size()) == query.integer(1);
    if (!sound) problems.push_back("metric chunk " + query.text(0) + " is damaged");
  }
}

Status check_spans(Database& database, Problems& problems) {
  SLIPWAY_TRY(query, database.prepare("SELECT number, spans, sha256, payload FROM span_chunks"));
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return {};
    const std::string payload = query.blob(3);
    const auto spans = decode_spans(payload);
    const bool sound = sha256_bytes(payload) == query.blob(2) && spans.ok() &&
                       static_cast<int64_t>(spans->size()) == query.integer(1);
    if (!sound) problems.push_back("span chunk " + query.text(0) + " is damaged");
  }
}

Status check_entities(Database& database, Problems& problems) {
  SLIPWAY_TRY(query, database.prepare("SELECT kind, id, content FROM entities"));
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return {};
    if (sha256_hex(query.text(2)) == query.text(1)) continue;
    problems.push_back(query.text(0) + " " + query.text(1) + " does not match its hash");
  }
}

Status check_artifacts(Database& database, const ObjectFolder& objects, Problems& problems) {
  SLIPWAY_TRY(query, database.prepare("SELECT path, sha256 FROM artifacts"));
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return {};
    if (!objects.has(query.text(1)))
      problems.push_back("the object of artifact '" + query.text(0) + "' is missing");
  }
}

Status check_objects(const ObjectFolder& objects, Problems& problems) {
  Status status;
  objects.for_each([&](const std::string& name) {
    if (!status.ok()) return;
    if (!is_sha256(name)) {
      problems.push_back("'" + name + "' among the objects is none");
      return;
    }
    const auto bytes = objects.get(name);
    if (bytes.ok()) return;
    const bool misplaced = bytes.error().code() == ErrorCode::not_found;
    status = note(problems, misplaced ? Error::corrupt("object " + name + " is in the wrong folder")
                                      : bytes.error());
  });
  return status;
}

}  // namespace

Result<std::vector<std::string>> Store::verify() const {
  Problems problems;
  SLIPWAY_TRY(reader, impl_->readers.take());
  for (const auto check : {check_sqlite, check_metrics, check_spans, check_entities}) {
    SLIPWAY_CHECK(note(problems, check(*reader, problems)));
  }
  SLIPWAY_CHECK(note(problems, check_artifacts(*reader, impl_->objects, problems)));
  SLIPWAY_CHECK(check_objects(impl_->objects, problems));
  return problems;
}

}  // namespace slipway::store
