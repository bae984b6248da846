#include "store/read_pool.h"

namespace slipway::store {

ReadPool::Lease::~Lease() {
  if (pool_ != nullptr) pool_->give_back(std::move(database_));
}

Result<ReadPool::Lease> ReadPool::take() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [&] { return in_use_ < most_connections; });
  if (idle_.empty()) {
    SLIPWAY_TRY(opened, Database::open(path_, Database::Mode::read));
    idle_.push_back(std::move(opened));
  }
  Lease lease(this, std::move(idle_.back()));
  idle_.pop_back();
  ++in_use_;
  return lease;
}

void ReadPool::give_back(Database database) {
  std::lock_guard lock(mutex_);
  idle_.push_back(std::move(database));
  --in_use_;
  returned_.notify_one();
}

}  // namespace slipway::store
