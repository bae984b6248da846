// home-service: the house that the skills of examples/home act on.
#include <csignal>
#include <cstdio>

#include <charconv>
#include <map>
#include <string>

#include "house.h"

namespace {

using namespace slipway;

constexpr const char* usage =
    "usage: home-service [--port 8765] [--music-folder music] [--state-folder state] [--audio "
    "auto|null]\n"
    "\n"
    "  --port          0 lets the system choose\n"
    "  --music-folder  WAV, FLAC and MP3 files; six tunes are written when it is empty\n"
    "  --state-folder  lights, timers, calendar, lists and the rest, kept over restarts\n"
    "  --audio         auto: the sound card, or silence without one; null: silence\n";

Result<std::map<std::string, std::string>> parse_flags(int argc, char** argv) {
  std::map<std::string, std::string> flags = {{"--port", "8765"},
                                              {"--music-folder", "music"},
                                              {"--state-folder", "state"},
                                              {"--audio", "auto"}};
  for (int i = 1; i < argc; i += 2) {
    auto flag = flags.find(argv[i]);
    if (flag == flags.end())
      return Error::invalid_input(std::string("unknown flag '") + argv[i] + "'");
    if (i + 1 == argc) return Error::invalid_input(flag->first + " needs a value");
    flag->second = argv[i + 1];
  }
  if (flags["--audio"] != "auto" && flags["--audio"] != "null") {
    return Error::invalid_input("--audio is auto or null");
  }
  return flags;
}

Result<int> parse_port(const std::string& text) {
  int port = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port < 0 || port > 65535) {
    return Error::invalid_input("--port must be a number from 0 to 65535");
  }
  return port;
}

Status serve(const std::map<std::string, std::string>& flags, int port, const sigset_t& signals) {
  SLIPWAY_TRY(player,
              home::Player::open(flags.at("--audio") == "null" ? home::AudioMode::null_device
                                                               : home::AudioMode::automatic));
  home::House house({flags.at("--music-folder"), flags.at("--state-folder")}, *player);
  SLIPWAY_CHECK(house.open());
  http::Server server({.port = port});
  house.add_routes(server);
  SLIPWAY_TRY(bound, server.start());
  std::printf("listening on http://127.0.0.1:%d\n", bound);
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  server.stop();
  return Status::success();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--help") return std::fputs(usage, stdout) < 0;
  // Blocked before any thread starts, so that only sigwait sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto flags = parse_flags(argc, argv);
  auto port = flags.ok() ? parse_port(flags->at("--port")) : flags.error();
  if (!port.ok()) {
    std::fprintf(stderr, "home-service: %s\n%s", port.error().to_string().c_str(), usage);
    return exit_code(port.error().code());
  }
  auto served = serve(*flags, *port, signals);
  if (served.ok()) return 0;
  std::fprintf(stderr, "home-service: %s\n", served.error().to_string().c_str());
  return exit_code(served.error().code());
}
