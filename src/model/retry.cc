#include "model/retry.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <random>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/text.h"

namespace slipway::model {

double backoff_ms(const RetryPolicy& policy, int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const double whole = std::min<double>(
      policy.max_delay_ms, std::ldexp(policy.first_delay_ms, std::clamp(attempt, 0, 30)));
  return std::uniform_real_distribution<double>(whole / 2, whole)(random);
}

std::optional<double> retry_after_ms(const http::Headers& headers, int64_t now_unix_ms) {
  const std::string* header = http::find_header(headers, "Retry-After");
  if (!header) return std::nullopt;
  const std::string text(trim(*header));
  unsigned seconds = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (code == std::errc() && end == text.data() + text.size()) return 1000.0 * seconds;
  std::tm date{};
  const char* rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (!rest || *rest != '\0') return std::nullopt;
  return std::max(0.0,
                  1000.0 * static_cast<double>(::timegm(&date)) - static_cast<double>(now_unix_ms));
}

bool worth_retrying(int status) {
  if (status == 408 || status == 425 || status == 429) return true;
  return status >= 500 && status != 501 && status != 505;
}

bool retry_pause(double ms, const CancelToken& cancel) {
  constexpr double step_ms = 20;
  const double end = steady_ms() + ms;
  while (!cancel.cancelled()) {
    const double left = end - steady_ms();
    if (left <= 0) return true;
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(std::min(left, step_ms)));
  }
  return false;
}

}  // namespace slipway::model
