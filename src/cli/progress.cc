#include "cli/progress.h"

#include <algorithm>
#include <ostream>

#include "base/clock.h"
#include "cli/table.h"

namespace slipway::cli {
namespace {

constexpr double kSilentMs = 2'000;
constexpr double kRedrawMs = 100;
constexpr double kLineMs = 10'000;
constexpr int kBarWidth = 16;

std::string bar(double fraction) {
  const int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kBarWidth);
  std::string text;
  for (int i = 0; i < kBarWidth; ++i) text += i < filled ? "█" : "░";
  return text;
}

}  // namespace

ProgressLine::ProgressLine(Context& context, std::string what)
    : context_(context), what_(std::move(what)), started_ms_(steady_ms()) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::update(const std::string& detail, double fraction, double eta_ms) {
  std::lock_guard lock(mutex_);
  const double now = steady_ms();
  const double interval = context_.err_is_terminal ? kRedrawMs : kLineMs;
  if (now - started_ms_ < kSilentMs || now - shown_ms_ < interval) return;
  shown_ms_ = now;
  const auto left = eta_ms > 0 ? ", " + duration(eta_ms) + " left" : std::string();
  if (context_.err_is_terminal) {
    context_.err << "\r\x1b[2K" << what_ << " " << bar(fraction) << " " << detail << left
                 << std::flush;
    drawn_ = true;
  } else {
    context_.err << what_ << ": " << detail << left << "\n" << std::flush;
  }
}

void ProgressLine::clear() {
  std::lock_guard lock(mutex_);
  if (drawn_) context_.err << "\r\x1b[2K" << std::flush;
  drawn_ = false;
}

}  // namespace slipway::cli
