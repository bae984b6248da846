#include "store/group_commit.h"

#include <utility>

namespace slipway::store {

GroupCommit::GroupCommit(Database database)
    : database_(std::move(database)),
      thread_([this](const std::stop_token& stop) { write_until_stopped(stop); }) {}

GroupCommit::~GroupCommit() = default;

Status GroupCommit::write(const Operation& operation) {
  Pending pending{&operation, {}};
  std::unique_lock lock(mutex_);
  taken_.wait(lock, [&] { return queue_.size() < most_waiting; });
  queue_.push_back(&pending);
  queued_.notify_one();
  acknowledged_.wait(lock, [&] { return pending.done; });
  return pending.result;
}

size_t GroupCommit::transactions() const {
  std::lock_guard lock(mutex_);
  return transactions_;
}

size_t GroupCommit::waiting() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

void GroupCommit::write_until_stopped(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    queued_.wait(lock, stop, [&] { return !queue_.empty(); });
    if (queue_.empty()) return;
    const std::vector<Pending*> batch(queue_.begin(), queue_.end());
    queue_.clear();
    taken_.notify_all();
    lock.unlock();
    apply(batch);
    lock.lock();
    for (Pending* pending : batch) pending->done = true;
    ++transactions_;
    acknowledged_.notify_all();
  }
}

void GroupCommit::apply(const std::vector<Pending*>& batch) {
  const Status together = apply_together(batch);
  if (together.ok()) return;
  const bool full = together.error().code() == ErrorCode::exhausted;
  for (Pending* pending : batch) {
    if (!full || batch.size() == 1) {
      pending->result = together;
      continue;
    }
    // A full disk undid all of them, also those that fit: each on its own, then.
    if (const Status alone = apply_together({pending}); !alone.ok()) pending->result = alone;
  }
}

// An error means that nothing of the batch is written; else every operation has its own result.
Status GroupCommit::apply_together(const std::vector<Pending*>& batch) {
  SLIPWAY_TRY(transaction, Transaction::begin(database_));
  for (Pending* pending : batch) SLIPWAY_CHECK(apply_in_savepoint(*pending));
  return transaction.commit();
}

Status GroupCommit::apply_in_savepoint(Pending& pending) {
  SLIPWAY_CHECK(database_.execute("SAVEPOINT operation"));
  pending.result = (*pending.operation)(database_);
  if (pending.result.ok()) return database_.execute("RELEASE operation");
  if (!database_.in_transaction()) return pending.result;  // SQLite rolled everything back
  return database_.execute("ROLLBACK TO operation; RELEASE operation");
}

}  // namespace slipway::store
