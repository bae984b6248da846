#include <algorithm>
#include <limits>
#include <set>

#include "store/chunks.h"
#include "store/records.h"
#include "store/store.h"
#include "store/store_impl.h"

namespace slipway::store {
namespace {

constexpr size_t kMostSpansPerCall = 100'000;
constexpr size_t kMostSpanBytes = size_t{16} << 20;
constexpr size_t kFullChunkBytes = size_t{8} << 20;

struct TraceEntry {
  std::string root_name;  // empty: the root is in another chunk
  int64_t start_unix_ns = std::numeric_limits<int64_t>::max();
};

struct SpanChunk {
  std::string payload;
  int64_t spans = 0;
  std::map<std::string, TraceEntry> traces;
};

size_t bytes_of(const SpanRecord& span) {
  size_t bytes = span.name.size() + span.status_message.size();
  for (const auto& [key, value] : span.attributes) {
    bytes += key.size();
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
  }
  return bytes;
}

Status check_span(const SpanRecord& span) {
  SLIPWAY_CHECK(check_key("trace id", span.trace_id));
  SLIPWAY_CHECK(check_key("span id", span.span_id));
  if (bytes_of(span) <= kMostSpanBytes) return {};
  return Error::exhausted("span '" + span.span_id + "' is above the limit of 16 MiB",
                          "put large values into objects");
}

SpanChunk pack(const std::vector<SpanRecord>& spans) {
  SpanChunk chunk;
  chunk.payload = encode_spans(spans);
  chunk.spans = static_cast<int64_t>(spans.size());
  for (const auto& span : spans) {
    TraceEntry& entry = chunk.traces[span.trace_id];
    entry.start_unix_ns = std::min(entry.start_unix_ns, span.start_unix_ns);
    if (span.parent_span_id.empty()) entry.root_name = span.name;
  }
  return chunk;
}

Result<std::vector<SpanChunk>> chunks_of(const std::vector<SpanRecord>& spans) {
  if (spans.size() > kMostSpansPerCall) {
    return Error::exhausted(std::to_string(spans.size()) + " spans at once",
                            "put at most 100,000 in one call");
  }
  std::vector<SpanChunk> chunks;
  std::vector<SpanRecord> open;
  size_t bytes = 0;
  for (const auto& span : spans) {
    SLIPWAY_CHECK(check_span(span));
    open.push_back(span);
    bytes += bytes_of(span);
    if (open.size() < most_spans_per_chunk && bytes < kFullChunkBytes) continue;
    chunks.push_back(pack(open));
    open.clear();
    bytes = 0;
  }
  if (!open.empty()) chunks.push_back(pack(open));
  return chunks;
}

Status insert_chunk(Database& database, const std::string& run_id, const SpanChunk& chunk) {
  SLIPWAY_TRY(insert,
              database.prepare("INSERT INTO span_chunks (run_id, spans, sha256, payload) "
                               "VALUES (nullif(?, ''), ?, ?, ?) ON CONFLICT (sha256) DO NOTHING"));
  SLIPWAY_CHECK(
      insert.bind(run_id, chunk.spans, Blob{sha256_bytes(chunk.payload)}, Blob{chunk.payload})
          .run());
  if (database.changes() == 0) return {};  // a retry
  const int64_t number = database.last_insert_id();
  SLIPWAY_TRY(index,
              database.prepare(
                  "INSERT INTO trace_index (trace_id, chunk, run_id, root_name, start_unix_ns) "
                  "VALUES (?, ?, nullif(?, ''), nullif(?, ''), ?)"));
  for (const auto& [trace_id, entry] : chunk.traces) {
    SLIPWAY_CHECK(index.bind(trace_id, number, run_id, entry.root_name, entry.start_unix_ns).run());
  }
  return {};
}

}  // namespace

Status Store::put_spans(const std::string& run_id, const std::vector<SpanRecord>& spans) {
  SLIPWAY_TRY(chunks, chunks_of(spans));
  return impl_->writer.write([&](Database& db) -> Status {
    if (!run_id.empty()) SLIPWAY_CHECK(require_run(db, run_id));
    for (const auto& chunk : chunks) SLIPWAY_CHECK(insert_chunk(db, run_id, chunk));
    return {};
  });
}

Result<std::vector<SpanRecord>> Store::trace(const std::string& trace_id) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query,
              reader->prepare("SELECT payload FROM trace_index JOIN span_chunks ON number = chunk "
                              "WHERE trace_id = ? ORDER BY chunk"));
  query.bind(trace_id);
  std::vector<SpanRecord> spans;
  std::set<std::string> seen;  // the first record of a span stands
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) break;
    SLIPWAY_TRY(chunk, decode_spans(query.blob(0)));
    for (auto& span : chunk) {
      if (span.trace_id == trace_id && seen.insert(span.span_id).second)
        spans.push_back(std::move(span));
    }
  }
  if (spans.empty())
    return Error::not_found("no trace '" + trace_id + "'", "give its full id of 32 characters");
  std::stable_sort(spans.begin(), spans.end(),
                   [](const auto& a, const auto& b) { return a.start_unix_ns < b.start_unix_ns; });
  return spans;
}

Result<std::vector<std::string>> Store::traces_of_run(const std::string& run_id) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query,
              reader->prepare(
                  "SELECT trace_id, min(start_unix_ns) AS start FROM trace_index WHERE run_id = ? "
                  "GROUP BY trace_id ORDER BY start, trace_id"));
  query.bind(run_id);
  std::vector<std::string> ids;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return ids;
    ids.push_back(query.text(0));
  }
}

Result<int64_t> Store::count_traces(const std::string& run_id) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare(
                         "SELECT count(DISTINCT trace_id) FROM trace_index WHERE run_id = ?"));
  query.bind(run_id);
  SLIPWAY_TRY(row, query.step());
  return row ? query.integer(0) : 0;
}

// In the order of trace_index_by_run, so that a page reads no more than itself and what is newer. A
// trace in several chunks counts where it starts; the + keeps the inner query on trace_id's index.
Result<std::vector<std::string>> Store::newest_traces(const std::string& run_id, int64_t limit,
                                                      int64_t offset) const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare(
                         "SELECT trace_id FROM trace_index AS t WHERE run_id = ? AND NOT EXISTS "
                         "(SELECT 1 FROM trace_index AS e WHERE e.trace_id = t.trace_id AND "
                         "+e.run_id = t.run_id AND (e.start_unix_ns < t.start_unix_ns OR "
                         "(e.start_unix_ns = t.start_unix_ns AND e.chunk < t.chunk))) "
                         "ORDER BY start_unix_ns DESC, trace_id DESC LIMIT ? OFFSET ?"));
  query.bind(run_id, limit, offset);
  std::vector<std::string> ids;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return ids;
    ids.push_back(query.text(0));
  }
}

Result<std::vector<std::string>> Store::traces_without_run() const {
  SLIPWAY_TRY(reader, impl_->readers.take());
  SLIPWAY_TRY(query, reader->prepare("SELECT trace_id, min(start_unix_ns) AS start FROM "
                                     "trace_index GROUP BY trace_id HAVING max(run_id) IS NULL "
                                     "ORDER BY start, trace_id"));
  std::vector<std::string> ids;
  while (true) {
    SLIPWAY_TRY(row, query.step());
    if (!row) return ids;
    ids.push_back(query.text(0));
  }
}

}  // namespace slipway::store
