#include "serve/metrics.h"

#include <algorithm>

#include "base/clock.h"
#include "json/value.h"

namespace slipway::serve {
namespace {

std::string number(double value) { return json::Value(value).dump(); }

void head(std::string& text, const std::string& name, const char* type, const char* help) {
  text += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

template <typename Value>
void gauge(std::string& text, const std::string& name, const char* help, Value value) {
  head(text, name, "gauge", help);
  text += name + " " + std::to_string(value) + "\n";
}

void counter(std::string& text, const std::string& name, const char* help, int64_t value) {
  head(text, name, "counter", help);
  text += name + " " + std::to_string(value) + "\n";
}

}  // namespace

Exchange::Exchange(Metrics& metrics, std::string route, bool asks_model)
    : metrics_(metrics),
      route_(std::move(route)),
      asks_model_(asks_model),
      start_ms_(steady_ms()) {}

Exchange::~Exchange() { metrics_.leave(*this); }

std::shared_ptr<Exchange> Metrics::enter(const std::string& route, bool asks_model) {
  auto& taken = asks_model ? asking_ : others_;
  if (taken.fetch_add(1) >= most_each_) {
    taken -= 1;
    const std::lock_guard lock(mutex_);
    refused_ += 1;
    return nullptr;
  }
  return std::make_shared<Exchange>(*this, route, asks_model);
}

void Metrics::leave(const Exchange& exchange) {
  (exchange.asks_model_ ? asking_ : others_) -= 1;
  const double seconds = (steady_ms() - exchange.start_ms_) / 1000;
  const std::lock_guard lock(mutex_);
  requests_[{exchange.route_, exchange.status}] += 1;
  auto& histogram = seconds_[exchange.route_];
  const auto bucket = std::lower_bound(bounds_s.begin(), bounds_s.end(), seconds);
  histogram.counts[static_cast<size_t>(bucket - bounds_s.begin())] += 1;
  histogram.sum_s += seconds;
}

void Metrics::add_completion(const model::Completion& completion) {
  const std::lock_guard lock(mutex_);
  prompt_tokens_ += completion.prompt_tokens;
  cached_tokens_ += completion.cached_prompt_tokens;
  completion_tokens_ += completion.completion_tokens;
  forced_tokens_ += completion.forced_tokens;
}

void Metrics::add_turn(bool acted) {
  const std::lock_guard lock(mutex_);
  (acted ? acted_ : not_acted_) += 1;
}

void Metrics::add_feedback(bool correct) {
  const std::lock_guard lock(mutex_);
  (correct ? right_ : wrong_) += 1;
}

int64_t Metrics::answered() const {
  const std::lock_guard lock(mutex_);
  int64_t all = 0;
  for (const auto& [key, count] : requests_) all += count;
  return all;
}

std::string Metrics::text(const ShelfUse& models, int64_t spans_lost) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  head(text, "slipway_requests_total", "counter", "Requests answered, by route and status.");
  for (const auto& [key, count] : requests_) {
    text += "slipway_requests_total{route=\"" + key.first + "\",status=\"" +
            std::to_string(key.second) + "\"} " + std::to_string(count) + "\n";
  }
  counter(text, "slipway_requests_refused_total", "Requests refused because a model had too many.",
          refused_);
  gauge(text, "slipway_requests_in_flight", "Requests being answered.",
        asking_.load() + others_.load());
  gauge(text, "slipway_models_open", "Candidates ready to answer.", models.open);
  gauge(text, "slipway_model_memory_bytes", "Memory of their weights, contexts and buffers.",
        models.bytes);
  counter(text, "slipway_spans_lost_total", "Spans of traces that could not be written.",
          spans_lost);
  head(text, "slipway_request_seconds", "histogram", "From arrival to the answer's last byte.");
  for (const auto& [route, histogram] : seconds_) {
    const auto name = "slipway_request_seconds_bucket{route=\"" + route + "\",le=\"";
    int64_t total = 0;
    for (size_t i = 0; i < histogram.counts.size(); ++i) {
      total += histogram.counts[i];
      const auto bound = i < bounds_s.size() ? number(bounds_s[i]) : "+Inf";
      text += name + bound + "\"} " + std::to_string(total) + "\n";
    }
    text += "slipway_request_seconds_sum{route=\"" + route + "\"} " + number(histogram.sum_s) +
            "\nslipway_request_seconds_count{route=\"" + route + "\"} " + std::to_string(total) +
            "\n";
  }
  counter(text, "slipway_prompt_tokens_total", "Tokens of prompts.", prompt_tokens_);
  counter(text, "slipway_cached_prompt_tokens_total", "Of these, read before (shared beginnings).",
          cached_tokens_);
  counter(text, "slipway_completion_tokens_total", "Tokens written.", completion_tokens_);
  counter(text, "slipway_forced_tokens_total", "Of these, written without asking the model.",
          forced_tokens_);
  head(text, "slipway_turns_total", "counter", "Turns of the assistant, by whether they acted.");
  text += "slipway_turns_total{acted=\"true\"} " + std::to_string(acted_) +
          "\nslipway_turns_total{acted=\"false\"} " + std::to_string(not_acted_) + "\n";
  head(text, "slipway_feedback_total", "counter", "Feedback received, by what it said.");
  text += "slipway_feedback_total{correct=\"true\"} " + std::to_string(right_) +
          "\nslipway_feedback_total{correct=\"false\"} " + std::to_string(wrong_) + "\n";
  return text;
}

}  // namespace slipway::serve
