#include "speech/speaker.h"

#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/process.h"

namespace slipway::speech {
namespace {

constexpr size_t most_characters = 2000;
constexpr int ms_per_byte = 200;  // the slowest speech is faster

}  // namespace

bool Speaker::available() const {
  const auto ran = run_process({program_, "--version"}, {.timeout_ms = 2000});
  return ran.ok() && ran->exit_code == 0;
}

Status Speaker::say(const std::string& text, CancelToken cancel) {
  constexpr auto poll = std::chrono::milliseconds(10);
  stopped_ = false;
  const auto spoken = text.substr(0, most_characters);
  // "--": a reply that begins with a dash is no option.
  auto process = BackgroundProcess::start({program_, "--", spoken}, {}, "/dev/null");
  if (!process.ok()) return process.error();
  const double patience_ms = patience_ms_ + ms_per_byte * static_cast<double>(spoken.size());
  const double deadline = steady_ms() + patience_ms;
  speaking_ = true;
  const auto told = [&] { return stopped_ || cancel.cancelled(); };
  while (process->running() && !told() && steady_ms() < deadline)
    std::this_thread::sleep_for(poll);
  const bool ended_early = process->running();
  process->stop();
  speaking_ = false;
  if (!ended_early) return {};
  return told() ? Error::cancelled("stopped speaking")
                : Error::timeout("'" + program_ + "' did not finish speaking");
}

}  // namespace slipway::speech
