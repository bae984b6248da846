// A progress line for people: redrawn in place on a terminal, a line every ten seconds elsewhere,
// silent below two seconds.
//
//     ProgressLine line(context, "evaluating");
//     line.update("37 of 100, 35 passed", 0.37, eta_ms);
//     line.clear();
//
// Thread-safe.
#pragma once

#include <mutex>
#include <string>

#include "cli/command.h"

namespace slipway::cli {

class ProgressLine {
 public:
  ProgressLine(Context& context, std::string what);
  ~ProgressLine();
  void update(const std::string& detail, double fraction, double eta_ms);
  void clear();

 private:
  Context& context_;
  std::string what_;
  std::mutex mutex_;
  double started_ms_;
  double shown_ms_ = 0;
  bool drawn_ = false;
};

}  // namespace slipway::cli
