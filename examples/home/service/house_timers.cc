// The house's timers and alarms.
#include "base/clock.h"
#include "base/text.h"
#include "body.h"
#include "house.h"
#include "when.h"
#include "words.h"

namespace slipway::home {
namespace {

constexpr size_t max_label_bytes = 200;

json::Value timer_answer(const Timer& timer) {
  json::Value value = json::Value::object();
  value.set("id", timer.id).set("label", timer.label).set("duration_ms", timer.duration_ms);
  value.set("spoken", speak_duration(timer.duration_ms));
  return value;
}

// An alarm is kept as a timer of this label, by which it is also found: "gym at 6:20".
std::string alarm_label(const std::string& label, const std::string& time) {
  return label.empty() ? "at " + time : label + " at " + time;
}

struct Due {
  int64_t unix_ms = 0;
  std::string spoken;
};

// The next such moment; today's times that are over are tomorrow's.
Result<Due> due_of(const std::string& time, const std::string& date) {
  const LocalTime now = local_now();
  SLIPWAY_TRY(parsed, parse_time(time, date));
  SLIPWAY_TRY(day, parse_date(date.empty() ? "today" : date, now.date));
  const bool today = day.date == now.date;
  const int minutes = settle_minutes(parsed, today ? now.minutes : -1);
  if (!today || minutes > now.minutes) {
    return Due{unix_ms_of(day.date, minutes), speak_time(minutes) + " " + day.spoken};
  }
  return Due{unix_ms_of(now.date + 1, minutes), speak_time(minutes) + " tomorrow"};
}

}  // namespace

Result<json::Value> House::set_timer(const json::Value& body) {
  const std::string label(trim(body.text("label")));
  if (label.size() > max_label_bytes) return Error::invalid_input("the label is too long");
  SLIPWAY_TRY(duration_ms, parse_duration_ms(body.text("duration")));
  SLIPWAY_TRY(timer, timers_.set(duration_ms, label));
  return timer_answer(timer);
}

Result<json::Value> House::cancel_timer(const json::Value& body) {
  SLIPWAY_TRY(timer, timers_.cancel(std::string(trim(body.text("label")))));
  return timer_answer(timer);
}

Result<json::Value> House::set_alarm(const json::Value& body) {
  const std::string label(trim(body.text("label")));
  if (label.size() > max_label_bytes) return Error::invalid_input("the label is too long");
  SLIPWAY_TRY(time, text_of(body, "time"));
  SLIPWAY_TRY(due, due_of(time, std::string(trim(body.text("date")))));
  SLIPWAY_TRY(alarm, alarms_.set(due.unix_ms - now_unix_ms(), alarm_label(label, time)));
  return timer_answer(alarm).set("label", label).set("spoken", due.spoken);
}

Result<json::Value> House::cancel_alarm(const json::Value& body) {
  const std::string time(trim(body.text("time")));
  const std::string label(trim(body.text("label")));
  SLIPWAY_TRY(alarm, alarms_.cancel(label.empty() ? time : label));
  return timer_answer(alarm).set("label", label);
}

json::Value House::timers() {
  json::Value value = timers_.to_json();
  json::Value alarms = alarms_.to_json();
  std::vector<std::string> labels;
  for (const auto& alarm : alarms.get("running")->as_array()) labels.push_back(alarm.text("label"));
  if (!labels.empty()) {
    const std::string spoken = (labels.size() == 1 ? " Alarm: " : " Alarms: ") + listed(labels);
    value.set("summary", value.text("summary") + spoken + ".");
  }
  return value.set("alarms", std::move(alarms));
}

}  // namespace slipway::home
