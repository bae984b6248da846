// A scorer turns (example, output) into a score. Three are built in:
//
//   call    the output, read as calls and printed canonically, equals the expected calls;
//           `valid`: it could be made at all
//   fields  an answer in a stated format, `key: value` a line: every expected line is there,
//           white space and case folded
//   json    the output is JSON equal to the expected JSON
//
//     auto scorer = make_scorer("call", skills);        // Result<std::unique_ptr<Scorer>>
//     Score s = scorer->score(example, "music.play(title='baby shark')");
//
// Pure; thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dataset/dataset.h"
#include "skill/signature.h"

namespace slipway::eval {

struct Score {
  bool passed = false;
  bool valid = false;      // in the stated format
  std::string normalised;  // the output in canonical form, when valid
  std::string reason;      // why not passed, in one line
};

class Scorer {
 public:
  virtual ~Scorer() = default;
  virtual Score score(const dataset::Example& example, std::string_view output) const = 0;
  // Name and version: part of what decides a run's figures.
  virtual std::string id() const = 0;
};

Result<std::unique_ptr<Scorer>> make_scorer(std::string_view name,
                                            std::shared_ptr<const skill::SkillSet> skills);

}  // namespace slipway::eval
