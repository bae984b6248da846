// Group commit: writes of several threads become durable together. One thread owns the writing
// connection; whatever has queued up while it waited for the disk goes into its next transaction,
// so N writers share one fsync and a single writer waits for nobody.
//
//     GroupCommit writer(std::move(database));
//     // Once this returns, the row is on disk.
//     Status done = writer.write([&](Database& db) { return insert(db, row); });
//
// Thread-safe; an operation runs on the writer's thread while its caller waits, so it may use the
// caller's locals. It must only touch the database and may run twice, after a rollback. An
// operation that fails is undone alone (savepoint); the others of its transaction stand. Source:
// DeWitt et al. 1984, "Implementation techniques for main memory database systems", section 5.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/result.h"
#include "store/database.h"

namespace slipway::store {

class GroupCommit {
 public:
  using Operation = std::function<Status(Database&)>;
  static constexpr size_t most_waiting = 256;  // further callers wait for a place

  explicit GroupCommit(Database database);
  ~GroupCommit();  // after the last write has returned
  Status write(const Operation& operation);
  size_t transactions() const;  // so far
  size_t waiting() const;       // queued now

 private:
  struct Pending {
    const Operation* operation;
    Status result;      // the writer's until `done`
    bool done = false;  // under the mutex
  };
  void write_until_stopped(const std::stop_token& stop);
  void apply(const std::vector<Pending*>& batch);
  Status apply_together(const std::vector<Pending*>& batch);
  Status apply_in_savepoint(Pending& pending);

  Database database_;
  mutable std::mutex mutex_;
  std::condition_variable_any queued_;
  std::condition_variable taken_;
  std::condition_variable acknowledged_;
  std::deque<Pending*> queue_;
  size_t transactions_ = 0;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace slipway::store
