// A background program that is spoken to line by line, as JSON-RPC servers over standard input and
// output are.
//
//     SLIPWAY_TRY(peer, LineProcess::start({"python3", "server.py"}, {}, 1 << 20));
//     SLIPWAY_CHECK(peer->write_line(R"({"id": 1})", 1000));
//     SLIPWAY_TRY(line, peer->read_line(1000));       // nothing when none came in time
//
// Bounded: a line has at most `max_line_bytes`, unread lines 256 (then the program waits), and of
// its standard error the last 2 KiB are kept. Times are milliseconds. Thread-safe. With the
// object its input ends; it has a second to end by itself before its whole process group is ended.
// When we crash the kernel ends the program.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "base/result.h"

namespace slipway {

class LineProcess {
 public:
  // Of the options only working_directory and the environment count. Errors: not_found (no such
  // program).
  static Result<std::unique_ptr<LineProcess>> start(std::vector<std::string> argv,
                                                    ProcessOptions options, size_t max_line_bytes);
  struct Impl;
  explicit LineProcess(std::unique_ptr<Impl> impl);  // for start()
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  // `line` without its line end. Errors: unavailable (the program has gone), timeout.
  Status write_line(std::string_view line, int timeout_ms);
  // Errors: unavailable (the program has gone and said no more), exhausted (a line too long; the
  // program is then stopped).
  Result<std::optional<std::string>> read_line(int timeout_ms);
  bool running() const;
  std::string last_words() const;  // the end of what it wrote to standard error

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway
