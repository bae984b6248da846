// A scorer turns (example, output) into a score. Four are built in:
//
//   call    the output, read as calls and printed canonically, equals the expected calls;
//           `valid`: it could be made at all
//   fields  an answer in a stated format, `key: value` a line: every expected line is there,
//           white space and case folded
//   json    the output is JSON equal to the expected JSON
//   bfcl    the calls are among the accepted ones, by the rules of the Berkeley Function Calling
//           Leaderboard (eval/accepted.h); functions in any order
//
//     auto scorer = make_scorer("call", skills);        // Result<std::unique_ptr<Scorer>>
//     Score s = scorer->score(example, "music.play(title='baby shark')");
//
// A row that brings its own functions (`context.functions`) is scored against those. Pure;
// thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dataset/dataset.h"
#include "eval/call_counts.h"
#include "skill/signature.h"

namespace slipway::eval {

struct Score {
  bool passed = false;
  bool valid = false;                    // in the stated format
  std::string normalised;                // the output in canonical form, when valid
  std::string reason;                    // why not passed, in one line
  std::optional<CallCounts> calls = {};  // of scorers of calls
};

class Scorer {
 public:
  virtual ~Scorer() = default;
  virtual Score score(const dataset::Example& example, std::string_view output) const = 0;
  // The functions that the row's expected output calls; an error when that output cannot be read,
  // or is no call that could be made.
  virtual Result<std::vector<std::string>> expected(const dataset::Example& example) const = 0;
  // Name and version: part of what decides a run's figures.
  virtual std::string id() const = 0;
};

Result<std::unique_ptr<Scorer>> make_scorer(std::string_view name,
                                            std::shared_ptr<const skill::SkillSet> skills);

}  // namespace slipway::eval
