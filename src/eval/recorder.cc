#include "eval/recorder.h"

namespace slipway::eval {
namespace {

constexpr size_t kMostWaiting = 1024;

}  // namespace

Recorder::Recorder(std::shared_ptr<store::Store> store, std::string run_id)
    : store_(std::move(store)),
      run_id_(std::move(run_id)),
      writer_([this] { write_until_stopped(); }) {}

Recorder::~Recorder() { (void)finish(); }

void Recorder::add(store::Case finished, std::string answer_key, json::Value answer) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return cases_.size() < kMostWaiting || !status_.ok(); });
  cases_.push_back(std::move(finished));
  if (!answer_key.empty()) answers_.emplace_back(std::move(answer_key), std::move(answer));
  changed_.notify_all();
}

Status Recorder::finish() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (writer_.joinable()) writer_.join();
  return status_;
}

void Recorder::write_until_stopped() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !cases_.empty(); });
    if (cases_.empty()) return;
    auto cases = std::exchange(cases_, {});
    auto answers = std::exchange(answers_, {});
    lock.unlock();
    auto written = write(std::move(cases), std::move(answers));
    lock.lock();
    if (!written.ok() && status_.ok()) status_ = written;
    changed_.notify_all();
  }
}

// The answers first: a kill between the two leaves an answer that the resumed run finds.
Status Recorder::write(std::vector<store::Case> cases,
                       std::vector<std::pair<std::string, json::Value>> answers) {
  if (!answers.empty()) SLIPWAY_CHECK(store_->put_answers(answers));
  return store_->put_cases(run_id_, cases);
}

}  // namespace slipway::eval
