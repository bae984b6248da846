#include "records.h"

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <zstd.h>

#include <cstdlib>

#include "base/files.h"

namespace slipway::scenario {
namespace {

constexpr int patience_ms = 10'000;

std::string column_text(sqlite3_stmt* row, int column) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(row, column));
  return bytes ? std::string(bytes, size) : std::string();
}

sqlite3* open_records(const std::string& store_folder) {
  sqlite3* database = nullptr;
  const auto path = files::join(store_folder, "records.db");
  const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr);
  sqlite3_busy_timeout(database, patience_ms);
  if (code == SQLITE_OK) return database;
  sqlite3_close(database);
  return nullptr;
}

}  // namespace

void Records::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Records::Records(const std::string& store_folder) : database_(open_records(store_folder)) {
  INFO(store_folder);
  REQUIRE(database_);
}

std::vector<Records::Row> Records::rows(const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  INFO(sql, ": ", sqlite3_errmsg(database_.get()));
  REQUIRE(sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  std::vector<Row> found;
  int code = 0;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    Row row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      row.push_back(column_text(statement, i));
    }
    found.push_back(std::move(row));
  }
  sqlite3_finalize(statement);
  REQUIRE(code == SQLITE_DONE);
  return found;
}

std::string Records::text(const std::string& sql) const {
  const auto found = rows(sql);
  INFO(sql);
  REQUIRE(found.size() == 1);
  return found[0].at(0);
}

int64_t Records::integer(const std::string& sql) const { return std::atoll(text(sql).c_str()); }
double Records::real(const std::string& sql) const { return std::atof(text(sql).c_str()); }
bool Records::sound() const { return text("PRAGMA integrity_check") == "ok"; }

int64_t cases_on_disk(const std::string& store_folder) {
  sqlite3* database = open_records(store_folder);
  if (!database) return 0;
  int64_t count = 0;
  sqlite3_stmt* statement = nullptr;
  const char* sql = "SELECT count(*) FROM cases";
  if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    count = sqlite3_column_int64(statement, 0);
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return count;
}

std::string unpacked(std::string_view bytes) {
  constexpr std::string_view magic("\x28\xB5\x2F\xFD", 4);
  if (!bytes.starts_with(magic)) return std::string(bytes);
  const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  REQUIRE(size < (uint64_t{1} << 30));
  std::string content(size, '\0');
  const size_t got = ZSTD_decompress(content.data(), size, bytes.data(), bytes.size());
  REQUIRE(got == size);
  return content;
}

}  // namespace slipway::scenario
