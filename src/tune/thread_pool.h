// A few threads that run the same small function over a range of indices, again and again.
//
//     ThreadPool pool(2);
//     pool.run(rows, [&](int row, int worker) { ... });   // returns when every index is done
//
// Which worker takes which index is left to chance, so a task must write only what belongs to its
// index: then results do not depend on the number of threads. `run` is called from one thread at a
// time and is not re-entrant. Who waits for a job, or for its end, stays awake for some
// microseconds and sleeps then: a step has thousands of jobs, and most come at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace slipway::tune {

class ThreadPool {
 public:
  explicit ThreadPool(int threads = 0);  // 0: those that may be used; at most 256
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  template <typename F>
  void run(int count, F&& task) {
    run_erased(
        count,
        [](void* context, int index, int worker) { (*static_cast<F*>(context))(index, worker); },
        &task);
  }
  // Splits [0, count) into pieces of at most `grain`; task(begin, end).
  template <typename F>
  void run_ranges(int count, int grain, F&& task) {
    run((count + grain - 1) / grain, [&](int piece, int) {
      const int begin = piece * grain;
      task(begin, begin + grain < count ? begin + grain : count);
    });
  }

 private:
  // A number for whose change threads wait.
  struct Watched {
    std::atomic<uint32_t> number{0};
    std::atomic<int> sleepers{0};
    void wait_while(uint32_t old);
    void wake();  // after a change
  };

  using Erased = void (*)(void* context, int index, int worker);
  void run_erased(int count, Erased task, void* context);
  void work(int worker);
  void drain(int worker);

  Erased task_ = nullptr;
  void* context_ = nullptr;
  int count_ = 0;
  std::atomic<int> next_{0};
  Watched pending_;     // workers that have not finished the present job
  Watched generation_;  // one per job
  std::atomic<bool> stopping_{false};
  std::vector<std::jthread> workers_;
};

}  // namespace slipway::tune
