// Reproduce: an evaluation computed again from what its run recorded, and how equal the result is.
//
//     SLIPWAY_TRY(again, reproduce(bench, "3f2a", {}));
//     again.grade              // bit, token, replay, failed
//     again.first_difference   // "weights_sha256", "engine_id", ... or a row
//
// bit: every output is equal, and every recorded hash of log probabilities. token: every output is
// equal; hashes were not recorded, or differ. replay: the weights are unknown (an endpoint), and
// the recorded outputs get their recorded scores again. failed: an input is not what it was, or an
// output differs. The candidate and the rows come from the store, so that files may have changed.
// No program is started. One thread. Errors: not_found, invalid_input (not a finished evaluation).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/workbench.h"

namespace slipway::lab {

enum class Grade { failed, replay, token, bit };  // in order
std::string_view grade_name(Grade grade);

struct InputCheck {
  std::string input;  // a key of the run's inputs
  std::string recorded, found;
  bool same() const { return recorded == found; }
};

struct Reproduction {
  Grade grade = Grade::failed;
  bool computed = false;  // false: only the inputs were looked at
  std::string of_run, run_id;
  std::vector<InputCheck> checks;  // in the order in which they decide
  std::string first_difference;    // an input, or "row ID"; empty: none
  std::string why;                 // of a failure, for people
  int64_t cases = 0, equal_outputs = 0, hashes = 0, equal_hashes = 0;
  json::Value to_json() const;
};

struct ReproduceOptions {
  bool verify_only = false;  // look at the inputs, compute nothing
  std::function<void(const eval::Progress&)> on_progress;
  CancelToken cancel;
};

Result<Reproduction> reproduce(Workbench& bench, const std::string& run,
                               const ReproduceOptions& options);

}  // namespace slipway::lab
