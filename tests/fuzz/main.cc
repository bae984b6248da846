// Random changes of what others write, until one crashes a reader, hangs it, or breaks a property.
//
//     slipway_fuzz --count 100000 [--seed 1] [--target call-qwen] [--only 4711]
//
// Each case depends on seed and its number alone: `--only` repeats one. Prints the seed, and per
// target how many cases were read and how many refused. Exit code 1: a property is broken; a crash
// or a case of more than a minute ends the program with its number.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>

#include "base/clock.h"
#include "mutator.h"
#include "targets.h"

// A sanitizer's report shall end in SIGABRT, so that the case is named.
extern "C" const char* __asan_default_options() { return "abort_on_error=1:handle_abort=0"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1:print_stacktrace=1"; }

namespace slipway::fuzz {
namespace {

constexpr unsigned hang_seconds = 60;

volatile std::sig_atomic_t current_case = 0;

// Only what a signal handler may call.
void name_case(int signal) {
  char text[96] = "slipway_fuzz: ended in case ";
  size_t at = std::strlen(text);
  char digits[24];
  size_t count = 0;
  for (auto n = static_cast<unsigned long>(current_case); n > 0 || count == 0; n /= 10)
    digits[count++] = static_cast<char>('0' + n % 10);
  while (count > 0) text[at++] = digits[--count];
  const char* why = signal == SIGALRM ? ", which hangs\n" : ", which crashes\n";
  for (; *why != '\0'; ++why) text[at++] = *why;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, at);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

struct Settings {
  uint64_t count = 2000, seed = 1;
  long only = -1;
  std::string target;
};

struct Tally {
  uint64_t read = 0, refused = 0;
  double slowest_ms = 0;
};

// False when a property is broken.
bool run_case(const Target& target, uint64_t seed, uint64_t number, Tally& tally) {
  Mutator mutator(seed * 0x9e3779b97f4a7c15ull + number);
  const auto& start = target.corpus[mutator.below(target.corpus.size())];
  const auto text = mutator.mutate(start, target.corpus, target.dictionary);
  current_case = static_cast<std::sig_atomic_t>(number);
  alarm(hang_seconds);
  const double start_ms = steady_ms();
  bool accepted = false;
  const auto fault = target.run(text, accepted);
  tally.slowest_ms = std::max(tally.slowest_ms, steady_ms() - start_ms);
  ++(accepted ? tally.read : tally.refused);
  if (!fault) return true;
  std::printf("case %llu of %s: %s\n--- text\n%s\n---\n", static_cast<unsigned long long>(number),
              target.name.c_str(), fault->c_str(), text.c_str());
  return false;
}

int run(const Settings& settings) {
  auto all = call_targets();
  for (auto& target : document_targets()) all.push_back(std::move(target));
  for (auto& target : mcp_targets()) all.push_back(std::move(target));
  if (!settings.target.empty())
    std::erase_if(all, [&](const Target& t) { return t.name != settings.target; });
  if (all.empty()) {
    std::fprintf(stderr, "no target '%s'\n", settings.target.c_str());
    return 2;
  }
  std::printf("seed %llu, %llu mutations, %zu targets\n",
              static_cast<unsigned long long>(settings.seed),
              static_cast<unsigned long long>(settings.count), all.size());
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM})
    std::signal(signal, name_case);
  std::vector<Tally> tallies(all.size());
  uint64_t broken = 0;
  const double start_ms = steady_ms();
  for (uint64_t number = 0; number < settings.count && broken < 10; ++number) {
    if (settings.only >= 0 && number != static_cast<uint64_t>(settings.only)) continue;
    const auto at = number % all.size();
    if (!run_case(all[at], settings.seed, number, tallies[at])) ++broken;
  }
  alarm(0);
  for (size_t i = 0; i < all.size(); ++i) {
    std::printf("%-18s read %8llu  refused %8llu  slowest %8.1f ms\n", all[i].name.c_str(),
                static_cast<unsigned long long>(tallies[i].read),
                static_cast<unsigned long long>(tallies[i].refused), tallies[i].slowest_ms);
  }
  std::printf("%llu broken, %.1f s\n", static_cast<unsigned long long>(broken),
              (steady_ms() - start_ms) / 1000);
  return broken == 0 ? 0 : 1;
}

bool read_arguments(int count, char** arguments, Settings& settings) {
  for (int i = 1; i < count; i += 2) {
    const std::string name = arguments[i];
    if (i + 1 >= count) return false;
    const char* value = arguments[i + 1];
    if (name == "--target") {
      settings.target = value;
      continue;
    }
    char* end = nullptr;
    const auto number = std::strtoull(value, &end, 10);
    if (*value == '\0' || *end != '\0') return false;
    if (name == "--count")
      settings.count = number;
    else if (name == "--seed")
      settings.seed = number;
    else if (name == "--only")
      settings.only = static_cast<long>(number);
    else
      return false;
  }
  return true;
}

}  // namespace
}  // namespace slipway::fuzz

int main(int count, char** arguments) {
  slipway::fuzz::Settings settings;
  if (!slipway::fuzz::read_arguments(count, arguments, settings)) {
    std::fprintf(stderr, "slipway_fuzz [--count N] [--seed N] [--target NAME] [--only N]\n");
    return 2;
  }
  return slipway::fuzz::run(settings);
}
