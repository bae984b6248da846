// SQLite as values and Errors: a connection, a prepared statement, a transaction.
//
//     SLIPWAY_TRY(db, Database::open(path, Database::Mode::write));
//     SLIPWAY_TRY(query, db.prepare("SELECT value FROM params WHERE run_id = ?"));
//     query.bind(run_id);
//     while (true) {
//       SLIPWAY_TRY(row, query.step());
//       if (!row) break;
//       use(query.text(0));
//     }
//
// One thread at a time; a Statement ends before its Database. Every connection checks foreign keys,
// waits up to 30 s for another process, syncs each commit (WAL, synchronous=FULL) and trusts no
// schema found in the file. Errors: exhausted (disk full, too large), corrupt, unavailable (busy,
// I/O), internal (our SQL).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace slipway::store {

struct Blob {
  std::string_view bytes;
};
struct Null {};
using Bound = std::variant<int64_t, double, std::string>;

class Statement {
 public:
  // Binds all parameters, first to last, and rewinds. Texts are copied. A failure is reported by
  // the next step.
  template <typename... Values>
  Statement& bind(const Values&... values) {
    rewind();
    int index = 0;
    (bind_one(++index, values), ...);
    return *this;
  }
  // The same for values whose number is known at run time only.
  Statement& bind_all(const std::vector<Bound>& values);
  Result<bool> step();  // true: a row is there
  // Steps to the end and rewinds; for statements that return no rows.
  Status run();

  bool is_null(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;  // NULL is NaN, which SQLite cannot hold
  std::string text(int column) const;
  std::string blob(int column) const { return text(column); }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void rewind();
  void bind_one(int index, int64_t value);
  void bind_one(int index, int value) { bind_one(index, int64_t{value}); }
  void bind_one(int index, bool value) { bind_one(index, int64_t{value}); }
  void bind_one(int index, double value);  // NaN becomes NULL
  void bind_one(int index, std::string_view value);
  void bind_one(int index, const std::string& value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, const char* value) { bind_one(index, std::string_view(value)); }
  void bind_one(int index, Blob value);
  void bind_one(int index, Null);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_code_ = 0;
};

class Database {
 public:
  enum class Mode { write, read };
  // Both modes expect the folder to exist; only `write` creates the file.
  static Result<Database> open(const std::string& path, Mode mode);

  Result<Statement> prepare(std::string_view sql);
  Status execute(const std::string& sql);  // one or several statements without parameters
  // The single integer of a query such as "PRAGMA user_version".
  Result<int64_t> query_integer(std::string_view sql);
  int64_t changes() const;  // rows changed by the last statement
  int64_t last_insert_id() const;
  bool in_transaction() const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

// BEGIN IMMEDIATE now; ROLLBACK at the end of the scope unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace slipway::store
