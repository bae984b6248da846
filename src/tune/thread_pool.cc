#include "tune/thread_pool.h"

#include <algorithm>

namespace slipway::tune {

ThreadPool::ThreadPool(int threads) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int wanted = std::clamp(threads > 0 ? threads : cores, 1, 256);
  for (int worker = 1; worker < wanted; ++worker) {
    workers_.emplace_back([this, worker] { work(worker); });
  }
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  ++generation_;
  generation_.notify_all();
}

void ThreadPool::drain(int worker) {
  for (int index = next_++; index < count_; index = next_++) task_(context_, index, worker);
}

void ThreadPool::work(int worker) {
  uint32_t seen = 0;
  for (;;) {
    generation_.wait(seen);
    ++seen;  // a job ends only when all have seen it, so generations come one by one
    if (stopping_) return;
    drain(worker);
    if (--pending_ == 0) pending_.notify_one();
  }
}

void ThreadPool::run_erased(int count, Erased task, void* context) {
  if (workers_.empty() || count <= 1) {
    for (int index = 0; index < count; ++index) task(context, index, 0);
    return;
  }
  task_ = task;
  context_ = context;
  count_ = count;
  next_ = 0;
  pending_ = static_cast<int>(workers_.size());
  ++generation_;
  generation_.notify_all();
  drain(0);
  for (int left = pending_; left != 0; left = pending_) pending_.wait(left);
}

}  // namespace slipway::tune
