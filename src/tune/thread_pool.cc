#include "tune/thread_pool.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/processors.h"

namespace slipway::tune {
namespace {

constexpr int looks_awake = 2000;  // some 40 microseconds

void rest() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void futex(std::atomic<uint32_t>& word, int operation, uint32_t value) {
  static_assert(sizeof word == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);
  ::syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, nullptr, nullptr, 0);
}

}  // namespace

// Not std::atomic's wait, which soon yields: that gives the core to whatever else is running.
void ThreadPool::Watched::wait_while(uint32_t old) {
  for (int look = 0; look < looks_awake; ++look) {
    if (number != old) return;
    rest();
  }
  ++sleepers;
  while (number == old) futex(number, FUTEX_WAIT, old);
  --sleepers;
}

void ThreadPool::Watched::wake() {
  if (sleepers > 0) futex(number, FUTEX_WAKE, INT_MAX);
}

ThreadPool::ThreadPool(int threads) {
  const int wanted = std::clamp(threads > 0 ? threads : usable_processors(), 1, 256);
  for (int worker = 1; worker < wanted; ++worker) {
    workers_.emplace_back([this, worker] { work(worker); });
  }
}

ThreadPool::~ThreadPool() {
  stopping_ = true;
  ++generation_.number;
  generation_.wake();
}

void ThreadPool::drain(int worker) {
  for (int index = next_++; index < count_; index = next_++) task_(context_, index, worker);
}

void ThreadPool::work(int worker) {
  uint32_t seen = 0;
  for (;;) {
    generation_.wait_while(seen);
    ++seen;  // a job ends only when all have seen it, so generations come one by one
    if (stopping_) return;
    drain(worker);
    if (--pending_.number == 0) pending_.wake();
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
  pending_.number = static_cast<uint32_t>(workers_.size());
  ++generation_.number;
  generation_.wake();
  drain(0);
  for (uint32_t left = pending_.number; left != 0; left = pending_.number)
    pending_.wait_while(left);
}

}  // namespace slipway::tune
