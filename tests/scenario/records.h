// The store's records read by hand, with SQLite alone: what the program prints is compared with it.
//
//     Records records(box.path(".slipway"));
//     records.integer("SELECT count(*) FROM cases");
//     records.rows("SELECT idx, output FROM cases ORDER BY idx");     // every value as text
//
// Read only. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace slipway::scenario {

class Records {
 public:
  using Row = std::vector<std::string>;
  explicit Records(const std::string& store_folder);

  std::vector<Row> rows(const std::string& sql) const;
  std::string text(const std::string& sql) const;  // the first value; fails the test without one
  int64_t integer(const std::string& sql) const;
  double real(const std::string& sql) const;
  bool sound() const;  // PRAGMA integrity_check

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

// Cases on disk at this moment; 0 while there is no store yet.
int64_t cases_on_disk(const std::string& store_folder);

// The bytes, decompressed when they are a zstd frame.
std::string unpacked(std::string_view bytes);

}  // namespace slipway::scenario
