// From dataset rows to what a trainer reads: each row's prompt in the very tokens that the engine
// reads at inference, its answer in the tokens that the engine writes.
//
//     const auto held_out = HeldOut({&dev, &test});
//     SLIPWAY_TRY(data, tuning_data(candidate, *model, train, held_out, {.calls = true}));
//     data.examples, data.skipped   // and why: empty, too long, no valid call, a row of the test
//
// Calls are learnt in canonical form, each token among those that constrained decoding would choose
// it from (tune/losses.h). A row whose text (lower case, punctuation and spaces folded),
// conversation and context equal a held-out row's is left out: what is measured is not learnt.
// Pure, apart from the model's tokenizer. Errors: invalid_input (no row is left, prompt template),
// unsupported (the model does not tell its tokens).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "candidate/candidate.h"
#include "dataset/dataset.h"
#include "tune/batch.h"

namespace slipway::lab {

struct SkippedRow {
  std::string id;
  size_t line = 0;  // in the dataset's file
  std::string reason;
};

struct TuningData {
  std::vector<tune::Example> examples;
  std::vector<SkippedRow> skipped;
  std::string sha256;  // of all tokens in order: what was learnt, however it was written down
  int64_t prompt_tokens = 0;
  int64_t answer_tokens = 0;  // with the ends
};

class HeldOut {
 public:
  HeldOut() = default;
  explicit HeldOut(const std::vector<const dataset::Dataset*>& datasets);
  bool contains(const dataset::Example& row) const;

 private:
  std::set<std::string> keys_;
};

struct TuningDataOptions {
  bool calls = false;     // outputs are calls: checked, and printed canonically
  bool choices = true;    // of a candidate that constrains: only what decoding leaves is learnt
  int max_tokens = 2048;  // of prompt and answer; longer rows are left out, never cut
};

Result<TuningData> tuning_data(const candidate::Candidate& candidate, const model::Model& model,
                               const dataset::Dataset& rows, const HeldOut& held_out,
                               const TuningDataOptions& options);

}  // namespace slipway::lab
