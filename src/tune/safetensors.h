// safetensors files: a JSON header with names, types and places, then the bytes.
//
//     SLIPWAY_TRY(tensors, read_safetensors("adapter_model.safetensors"));
//     tensors["base_model...lora_A.weight"].values      // F32, F16 and BF16 become floats
//     SLIPWAY_CHECK(write_safetensors("out.safetensors", tensors));    // F32
//
// A file from a stranger is bounded: at most 4 GiB, every place checked. Errors: not_found,
// corrupt, unsupported (another type, by name). Format: https://github.com/huggingface/safetensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace slipway::tune {

struct FloatTensor {
  std::vector<int64_t> shape;  // rows first
  std::vector<float> values;
};
using FloatTensors = std::map<std::string, FloatTensor>;

Result<FloatTensors> read_safetensors(const std::string& path);
Status write_safetensors(const std::string& path, const FloatTensors& tensors);

}  // namespace slipway::tune
