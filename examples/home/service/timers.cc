#include "timers.h"

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "words.h"

namespace slipway::home {
namespace {

json::Value timer_json(const Timer& timer) {
  json::Value value = json::Value::object();
  value.set("id", timer.id).set("label", timer.label);
  value.set("duration_ms", timer.duration_ms).set("due_unix_ms", timer.due_unix_ms);
  return value;
}

json::Value timers_json(const std::vector<Timer>& timers) {
  json::Value array = json::Value::array();
  for (const auto& timer : timers) array.push_back(timer_json(timer));
  return array;
}

std::vector<Timer> timers_from(const json::Value* array) {
  std::vector<Timer> timers;
  if (!array || !array->is_array()) return timers;
  for (const auto& value : array->as_array()) {
    timers.push_back({static_cast<int64_t>(value.number("id")), value.text("label"),
                      static_cast<int64_t>(value.number("duration_ms")),
                      static_cast<int64_t>(value.number("due_unix_ms"))});
  }
  return timers;
}

std::string summary_of(const std::vector<Timer>& running, int64_t now) {
  if (running.empty()) return "No timer is running.";
  std::vector<std::string> parts;
  for (const auto& timer : running) {
    std::string name = timer.label.empty() ? "a timer" : "the " + timer.label + " timer";
    parts.push_back(name + " with " +
                    speak_duration(std::max<int64_t>(0, timer.due_unix_ms - now)) + " left");
  }
  return "There is " + join(parts, ", and ") + ".";
}

}  // namespace

Timers::Timers(std::string state_path, std::function<void(const Timer&)> on_fire)
    : state_path_(std::move(state_path)), on_fire_(std::move(on_fire)) {}

Timers::~Timers() = default;

Status Timers::load() {
  if (files::exists(state_path_)) {
    SLIPWAY_TRY(text, files::read(state_path_, 1 << 20));
    auto state = json::parse(text);
    if (!state.ok())
      return Error::corrupt(state_path_ + ": " + state.error().message(), "remove the file");
    std::lock_guard lock(mutex_);
    running_ = timers_from(state->get("running"));
    fired_ = timers_from(state->get("fired"));
    fired_count_ = static_cast<int64_t>(state->number("fired_count"));
    next_id_ = static_cast<int64_t>(state->number("next_id", 1));
  }
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
  return Status::success();
}

Result<Timer> Timers::set(int64_t duration_ms, const std::string& label) {
  std::lock_guard lock(mutex_);
  if (running_.size() >= max_running) {
    return Error::exhausted(std::to_string(max_running) + " timers are running",
                            "cancel one first");
  }
  Timer timer{next_id_, label, duration_ms, now_unix_ms() + duration_ms};
  running_.push_back(timer);
  ++next_id_;
  if (auto saved = save(); !saved.ok()) {
    running_.pop_back();
    return saved.error();
  }
  changed_.notify_all();
  return timer;
}

Result<Timer> Timers::cancel(const std::string& label) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> labels;
  for (const auto& timer : running_) labels.push_back(timer.label);
  if (running_.empty()) return Error::not_found("no timer is running");
  size_t index = running_.size() - 1;
  if (!label.empty()) {
    auto found = find_title(label, labels);
    if (!found) return Error::not_found("no timer is called '" + label + "'");
    index = static_cast<size_t>(std::find(labels.begin(), labels.end(), *found) - labels.begin());
  }
  Timer timer = running_[index];
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
  if (auto saved = save(); !saved.ok()) {
    running_.insert(running_.begin() + static_cast<std::ptrdiff_t>(index), timer);
    return saved.error();
  }
  changed_.notify_all();
  return timer;
}

json::Value Timers::to_json() {
  std::lock_guard lock(mutex_);
  const int64_t now = now_unix_ms();
  json::Value running = timers_json(running_);
  for (auto& timer : running.as_array()) {
    auto due = static_cast<int64_t>(timer.number("due_unix_ms"));
    timer.set("remaining_ms", std::max<int64_t>(0, due - now));
  }
  json::Value value = json::Value::object();
  value.set("running", std::move(running)).set("fired", timers_json(fired_));
  value.set("fired_count", fired_count_).set("summary", summary_of(running_, now));
  return value;
}

Status Timers::save() {
  json::Value state = json::Value::object();
  state.set("running", timers_json(running_)).set("fired", timers_json(fired_));
  state.set("fired_count", fired_count_).set("next_id", next_id_);
  return files::write_atomic(state_path_, state.pretty() + "\n");
}

void Timers::fire_due(std::unique_lock<std::mutex>& lock) {
  const int64_t now = now_unix_ms();
  auto due = std::stable_partition(running_.begin(), running_.end(),
                                   [now](const Timer& timer) { return timer.due_unix_ms > now; });
  if (due == running_.end()) return;
  const std::vector<Timer> firing(due, running_.end());
  running_.erase(due, running_.end());
  fired_.insert(fired_.end(), firing.begin(), firing.end());
  if (fired_.size() > max_fired_kept) {
    fired_.erase(fired_.begin(), fired_.end() - static_cast<std::ptrdiff_t>(max_fired_kept));
  }
  fired_count_ += static_cast<int64_t>(firing.size());
  // When the disk is full the alarm still sounds; after a restart it would sound again, which is
  // the safer side.
  (void)save();
  lock.unlock();
  for (const auto& timer : firing) on_fire_(timer);
  lock.lock();
}

void Timers::run(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    fire_due(lock);
    // An hour at most, so that a changed wall clock is noticed.
    int64_t next = now_unix_ms() + 3'600'000;
    for (const auto& timer : running_) next = std::min(next, timer.due_unix_ms);
    const std::chrono::system_clock::time_point wake{std::chrono::milliseconds(next)};
    const int64_t seen = next_id_;
    const size_t count = running_.size();
    changed_.wait_until(lock, stop, wake,
                        [&] { return next_id_ != seen || running_.size() != count; });
  }
}

}  // namespace slipway::home
