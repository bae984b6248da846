// SNIPS (Coucke et al. 2018) as dataset rows and a skill file, and back: each intent is a function,
// each slot an argument that keeps the speaker's words (docs/format/dataset.md#snips).
//
//     SLIPWAY_TRY(mapping, SnipsMapping::learn(train));    // rows {"text", "intent", "slots"}
//     mapping.call(row)       // GetWeather(city='boston', timeRange='tomorrow')
//     mapping.row(call)       // and back: intent and slots
//
// A slot that occurs twice becomes a list in the order of the text. Lossless but for the order of
// different slots, which is the signature's. A plain value; const access is thread-safe. Errors:
// not_found, invalid_input with file and line.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataset/bfcl.h"
#include "dataset/row.h"
#include "skill/call.h"
#include "skill/signature.h"

namespace slipway::dataset {

struct SnipsSlot {
  std::string slot, value;
  friend bool operator==(const SnipsSlot&, const SnipsSlot&) = default;
  friend auto operator<=>(const SnipsSlot&, const SnipsSlot&) = default;
};

struct SnipsRow {
  std::string text, intent;
  std::vector<SnipsSlot> slots;
};

class SnipsMapping {
 public:
  // Arguments in the order in which their slots stand in the texts, on average, so that a call
  // mostly copies from left to right; a slot that is ever repeated accepts a list.
  static Result<SnipsMapping> learn(const std::vector<SnipsRow>& train);
  const skill::SkillSet& skills() const { return skills_; }
  Result<std::string> call(const SnipsRow& row) const;
  // Without the text. Errors: those of parse_calls and check_call; invalid_input unless one call.
  Result<SnipsRow> row(std::string_view call) const;

 private:
  skill::SkillSet skills_;
};

Result<std::vector<SnipsRow>> read_snips(const std::string& path);

struct SnipsImport {
  skill::Skill skill;
  std::vector<ImportedFile> files;  // train, and dev and test where they are
};
// train.jsonl, and dev.jsonl and test.jsonl where they are.
Result<SnipsImport> import_snips(const std::string& folder);

}  // namespace slipway::dataset
