// Reading connections, opened when first needed and shared by all threads; a reader never waits for
// the writer (WAL).
//
//     ReadPool pool(path);
//     SLIPWAY_TRY(reader, pool.take());         // waits while all are in use
//     SLIPWAY_TRY(query, reader->prepare("SELECT ..."));
//
// Thread-safe; a Lease belongs to one thread and returns its connection at the end of its scope,
// after its statements. What a call that returned success wrote is visible to every later read.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace slipway::store {

class ReadPool {
 public:
  static constexpr size_t most_connections = 4;

  class Lease {
   public:
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), database_(std::move(other.database_)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Database* operator->() { return &database_; }
    Database& operator*() { return database_; }

   private:
    friend class ReadPool;
    Lease(ReadPool* pool, Database database) : pool_(pool), database_(std::move(database)) {}
    ReadPool* pool_;
    Database database_;
  };

  explicit ReadPool(std::string path) : path_(std::move(path)) {}
  Result<Lease> take();

 private:
  void give_back(Database database);

  std::string path_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<Database> idle_;
  size_t in_use_ = 0;
};

}  // namespace slipway::store
