// An adapter becomes a part of the weights: W' = W + scale · alpha / rank · B·A, written as a
// GGUF of its own.
//
//     SLIPWAY_TRY(merged, merge(*base, adapter, "merged.gguf", {.type = MergeType::f16}));
//     merged.kept        // 1: the adapter is in the file as it was; less: rounding took some of it
//
// Everything else of the base file, metadata and tensors, is copied as it is. Adapted weights are
// dequantised, added to and stored as F16, or quantised again as they were: a difference smaller
// than a step of the quantisation then rounds away, which is why F16 is the default. Memory: the
// new file's size. Deterministic. Errors: invalid_input (another model), unsupported, those of
// writing.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "tune/adapter_file.h"
#include "tune/base_model.h"

namespace slipway::tune {

enum class MergeType { f16, same };

struct MergeOptions {
  MergeType type = MergeType::f16;
  float scale = 1;   // of the whole adapter
  std::string name;  // general.name; empty: as it was
};

struct Merged {
  int tensors = 0;                   // of the file
  int changed = 0;                   // of these, adapted
  std::map<std::string, int> types;  // what the changed ones are stored as
  double kept = 0;            // <W'' - W, D> / <D, D> for D = W' - W and W'' = what is stored
  double relative_error = 0;  // ‖W'' - W'‖ / ‖W'‖ over all changed ones
  uint64_t bytes = 0;
};

Result<Merged> merge(const BaseModel& base, const AdapterFile& adapter, const std::string& path,
                     const MergeOptions& options);

}  // namespace slipway::tune
