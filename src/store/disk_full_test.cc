// A disk that fills up: a tiny tmpfs where we may mount one, else a limit on the size of files.
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <random>

#include "store/test_folder.h"

namespace slipway::store {
namespace {

class TinyDisk {
 public:
  explicit TinyDisk(std::string path) : path_(std::move(path)) {
    mounted_ = ::geteuid() == 0 && ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=3m") == 0;
    if (mounted_) return;
    old_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_limit_);
    const rlimit limit{1 << 20, old_limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~TinyDisk() {
    if (mounted_)
      ::umount2(path_.c_str(), MNT_DETACH);
    else
      enlarge();
  }
  void enlarge() {
    if (mounted_) {
      ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, "size=64m");
    } else {
      ::setrlimit(RLIMIT_FSIZE, &old_limit_);
      ::signal(SIGXFSZ, old_handler_);
    }
  }

 private:
  std::string path_;
  bool mounted_ = false;
  rlimit old_limit_{};
  void (*old_handler_)(int) = SIG_DFL;
};

std::string noise(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(size, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>('!' + random() % 90); });
  return bytes;
}

TEST_CASE(
    "a full disk is an error of its own; what was acknowledged stays, and room makes it go on") {
  TestFolder folder;
  TinyDisk disk(folder.path());
  auto store = folder.open();
  const Run run = new_run(*store);
  int64_t acknowledged = 0;
  std::optional<Error> error;
  while (!error && acknowledged < 10'000) {
    const Status done = store->put_cases(run.id, {{acknowledged, "e", true, noise(20'000, 1)}});
    if (done.ok())
      ++acknowledged;
    else
      error = done.error();
  }
  REQUIRE(error.has_value());
  const std::string failure = error->to_string();
  INFO(failure);
  CHECK(error->code() == ErrorCode::exhausted);
  CHECK(acknowledged > 5);
  CHECK(store->put_object(noise(4 << 20, 2)).error().code() == ErrorCode::exhausted);
  CHECK(store->cases(run.id)->size() == static_cast<size_t>(acknowledged));
  CHECK(files::list(folder.store_path() + "/objects/tmp").empty());

  disk.enlarge();
  CHECK(store->put_cases(run.id, {{acknowledged, "after", true, "out"}}).ok());
  CHECK(store->put_object(noise(4 << 20, 2)).ok());
  store.reset();
  store = folder.open();
  CHECK(store->cases(run.id)->size() == static_cast<size_t>(acknowledged) + 1);
  CHECK(store->verify()->empty());
}

}  // namespace
}  // namespace slipway::store
