#include "speech/speaker.h"

#include <chrono>
#include <thread>

#include "base/process.h"

namespace slipway::speech {
namespace {

constexpr size_t most_characters = 2000;

}  // namespace

bool Speaker::available() const {
  const auto ran = run_process({program_, "--version"}, {.timeout_ms = 2000});
  return ran.ok() && ran->exit_code == 0;
}

Status Speaker::say(const std::string& text, CancelToken cancel) {
  constexpr auto poll = std::chrono::milliseconds(10);
  stopped_ = false;
  // "--": a reply that begins with a dash is no option.
  auto process =
      BackgroundProcess::start({program_, "--", text.substr(0, most_characters)}, {}, "/dev/null");
  if (!process.ok()) return process.error();
  speaking_ = true;
  while (process->running() && !stopped_ && !cancel.cancelled()) std::this_thread::sleep_for(poll);
  const bool ended_early = process->running();
  process->stop();
  speaking_ = false;
  return ended_early ? Status(Error::cancelled("stopped speaking")) : Status();
}

}  // namespace slipway::speech
