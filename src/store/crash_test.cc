// Several processes on one store, and processes that die in the middle of a write.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <random>

#include "store/test_folder.h"

namespace slipway::store {
namespace {

// The child runs `body` with the writing end of a pipe and never returns to the tests.
struct Child {
  pid_t pid = -1;
  int acknowledgements = -1;
};

Child start(const std::function<bool(int)>& body) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::close(ends[0]);
    ::_exit(body(ends[1]) ? 0 : 1);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

int wait_for(const Child& child) {
  int status = -1;
  REQUIRE(::waitpid(child.pid, &status, 0) == child.pid);
  ::close(child.acknowledgements);
  return status;
}

Case numbered(int64_t n) {
  auto detail = json::Value::object();
  detail.set("n", n);
  return {n,     "example" + std::to_string(n), n % 3 == 0, "out" + std::to_string(n), 1.0, false,
          detail};
}

std::string object_of(int64_t round, int64_t n) {
  return std::to_string(round) + "/" + std::to_string(n) + std::string(2000, 'x');
}

// Writes an object, a case, a metric point; tells the number once all three are acknowledged.
bool write_for_ever(const std::string& folder, const std::string& run_id, int64_t round,
                    int acknowledge) {
  auto store = Store::open(folder);
  if (!store.ok()) return false;
  for (int64_t n = 0;; ++n) {
    const bool written =
        (*store)->put_object(object_of(round, n)).ok() &&
        (*store)->put_cases(run_id, {numbered(n)}).ok() &&
        (*store)->log_metrics(run_id, {{"loss", 1.0 * static_cast<double>(n), n, 7}}).ok();
    if (!written || ::write(acknowledge, &n, sizeof n) != sizeof n) return false;
  }
}

// Reads acknowledgements, kills the child after about `after` of them, returns the last that
// arrived.
int64_t kill_after(const Child& child, int64_t after, useconds_t extra_us) {
  int64_t last = -1;
  int64_t n = 0;
  while (last + 1 < after && ::read(child.acknowledgements, &n, sizeof n) == sizeof n) last = n;
  ::usleep(extra_us);  // somewhere inside the next writes
  ::kill(child.pid, SIGKILL);
  while (::read(child.acknowledgements, &n, sizeof n) == sizeof n) last = n;
  return last;
}

TEST_CASE("killed in the middle of writes, twenty times: what was acknowledged is there") {
  TestFolder folder;
  std::mt19937_64 random(20);
  for (int64_t round = 0; round < 20; ++round) {
    CAPTURE(round);
    const std::string run_id = new_run(*folder.open()).id;
    const Child child =
        start([&](int pipe) { return write_for_ever(folder.store_path(), run_id, round, pipe); });
    const int64_t last = kill_after(child, static_cast<int64_t>(random() % 6),
                                    static_cast<useconds_t>(random() % 8000));
    CHECK(WIFSIGNALED(wait_for(child)));
    auto store = folder.open();
    const auto cases = store->cases(run_id);
    const auto points = store->metric_history(run_id, "loss");
    REQUIRE(cases.ok());
    REQUIRE(points.ok());
    REQUIRE(static_cast<int64_t>(cases->size()) > last);
    REQUIRE(static_cast<int64_t>(points->size()) > last);
    for (int64_t n = 0; n <= last; ++n) {
      CHECK((*cases)[static_cast<size_t>(n)].detail.number("n") == static_cast<double>(n));
      CHECK((*points)[static_cast<size_t>(n)].step == n);
    }
    if (last >= 0) CHECK(store->put_object(object_of(round, last)).ok());
    const auto problems = store->verify();
    REQUIRE(problems.ok());
    CHECK(problems->empty());
  }
}

TEST_CASE("processes create one store and write to it at once") {
  TestFolder folder;
  constexpr int processes = 3;
  constexpr int64_t writes = 15;
  std::vector<Child> children;
  for (int p = 0; p < processes; ++p) {
    children.push_back(start([&](int) {
      auto store = Store::open(folder.store_path());
      if (!store.ok()) return false;
      auto run = (*store)->create_run({.kind = "eval", .name = "p"});
      if (!run.ok() || !(*store)->put_object("the same object").ok()) return false;
      for (int64_t n = 0; n < writes; ++n) {
        if (!(*store)->put_cases(run->id, {numbered(n)}).ok()) return false;
        if (!(*store)->put_answers({{"answer" + std::to_string(n), n}}).ok()) return false;
      }
      return (*store)->finish_run(run->id, RunStatus::finished).ok();
    }));
  }
  for (const auto& child : children) CHECK(wait_for(child) == 0);
  auto store = folder.open();
  const auto runs = store->list_runs({.status = RunStatus::finished});
  REQUIRE(runs->size() == processes);
  for (const auto& run : *runs) CHECK(store->cases(run.id)->size() == writes);
  CHECK(store->cached_answer("answer7")->has_value());
  CHECK(store->verify()->empty());
}

}  // namespace
}  // namespace slipway::store
