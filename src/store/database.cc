#include "store/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <limits>

namespace slipway::store {
namespace {

constexpr int kBusyTimeoutMs = 30'000;
constexpr std::string_view kKept =
    "free some disk space and repeat; everything acknowledged is kept";

// The errno of the last failed write, to the log or to the main file; sqlite3_system_errno often
// misses it.
int last_errno(sqlite3* handle) {
  sqlite3_file* log = nullptr;
  int code = 0;
  sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &code);
  }
  if (code == 0) sqlite3_file_control(handle, "main", SQLITE_FCNTL_LAST_ERRNO, &code);
  return code != 0 ? code : sqlite3_system_errno(handle);
}

Error io_failure(sqlite3* handle) {
  const int code = last_errno(handle);
  if (code == ENOSPC || code == EFBIG || code == EDQUOT) {
    return Error::exhausted("the store's disk is full", std::string(kKept));
  }
  return Error::unavailable(
      "the store's file cannot be read or written: " +
          std::string(code != 0 ? std::strerror(code) : sqlite3_errmsg(handle)),
      "check the disk and the permissions of the store's folder");
}

Error failure(sqlite3* handle, int code) {
  const std::string message = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_FULL: return Error::exhausted("the store's disk is full", std::string(kKept));
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
      return Error::exhausted("a record is too large for the store: " + message,
                              "put large parts into objects");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error::corrupt("the store's records.db is damaged: " + message,
                            "restore it from a backup");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error::unavailable("the store is busy: another process has been writing for long",
                                "repeat later");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return io_failure(handle);
    default: return Error::internal("SQLite: " + message);
  }
}

// A project folder may come from a stranger: nothing in its schema may run.
Status harden(sqlite3* handle) {
  const std::pair<int, int> settings[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},
                                          {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                          {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                          {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                          {SQLITE_DBCONFIG_ENABLE_FKEY, 1}};
  for (const auto& [option, value] : settings) {
    const int code = sqlite3_db_config(handle, option, value, nullptr);
    if (code != SQLITE_OK) return failure(handle, code);
  }
  return {};
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

void Statement::rewind() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bind_code_ = SQLITE_OK;
}

void Statement::bind_one(int index, int64_t value) {
  bind_code_ |= sqlite3_bind_int64(statement_.get(), index, value);
}
void Statement::bind_one(int index, double value) {
  bind_code_ |= sqlite3_bind_double(statement_.get(), index, value);
}
void Statement::bind_one(int index, Null) {
  bind_code_ |= sqlite3_bind_null(statement_.get(), index);
}

void Statement::bind_one(int index, std::string_view value) {
  const char* text = value.empty() ? "" : value.data();  // a null pointer would be NULL
  const int code = sqlite3_bind_text64(statement_.get(), index, text, value.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
}

void Statement::bind_one(int index, Blob value) {
  const char* bytes = value.bytes.empty() ? "" : value.bytes.data();
  const int code =
      sqlite3_bind_blob64(statement_.get(), index, bytes, value.bytes.size(), SQLITE_TRANSIENT);
  if (bind_code_ == SQLITE_OK) bind_code_ = code;
}

Statement& Statement::bind_all(const std::vector<Bound>& values) {
  rewind();
  int index = 0;
  for (const auto& bound : values)
    std::visit([&](const auto& value) { bind_one(++index, value); }, bound);
  return *this;
}

Result<bool> Statement::step() {
  sqlite3* handle = sqlite3_db_handle(statement_.get());
  if (bind_code_ != SQLITE_OK) return failure(handle, bind_code_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const Error error = failure(handle, code);
  sqlite3_reset(statement_.get());
  return error;
}

Status Statement::run() {
  while (true) {
    SLIPWAY_TRY(row, step());
    if (!row) break;
  }
  sqlite3_reset(statement_.get());
  return {};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const {
  if (is_null(column)) return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<size_t>(size)};
}

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Result<Database> Database::open(const std::string& path, Mode mode) {
  const int create = mode == Mode::write ? SQLITE_OPEN_CREATE : 0;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | create, nullptr);
  Database database(handle);
  if (code != SQLITE_OK) return failure(handle, code).in("'" + path + "'");
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  SLIPWAY_CHECK(harden(handle));
  SLIPWAY_CHECK(database.execute(
      "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON"));
  if (mode == Mode::read) SLIPWAY_CHECK(database.execute("PRAGMA query_only=ON"));
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return failure(handle_.get(), code);
  return Statement(statement);
}

Status Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return failure(handle_.get(), code);
  return {};
}

Result<int64_t> Database::query_integer(std::string_view sql) {
  SLIPWAY_TRY(query, prepare(sql));
  SLIPWAY_TRY(row, query.step());
  return row ? query.integer(0) : int64_t{0};
}

int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }
int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

Result<Transaction> Transaction::begin(Database& database) {
  SLIPWAY_CHECK(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr && database_->in_transaction()) (void)database_->execute("ROLLBACK");
}

Status Transaction::commit() { return database_->execute("COMMIT"); }

}  // namespace slipway::store
