// An adapter apart from any training: what a GGUF file or a PEFT folder holds, read, converted and
// written.
//
//     SLIPWAY_TRY(adapter, read_peft("my-lora", base->shape));   // adapter_model.safetensors
//     SLIPWAY_CHECK(write_gguf(adapter, "my-lora.gguf", {}));
//     SLIPWAY_TRY(back, read_gguf("my-lora.gguf"));
//     SLIPWAY_CHECK(write_peft(back, base->shape, "folder", "google/gemma-3-270m"));
//
// GGUF knows one alpha and computes alpha / rank of each pair; PEFT knows rank-stabilised scales
// and patterns of ranks and alphas. Both ways the product scale · B·A stays what it was: what
// differs goes into A. In llama's GGUF a head's rotated dimensions are paired (2i, 2i + 1), in
// PyTorch (i, i + head/2): rows of B for q and k change places. Pure but for the files. Errors:
// not_found, corrupt, unsupported (DoRA, embeddings, biases, other modules: by name), invalid_input
// (another model's shapes). Formats: PEFT 0.21, safetensors 0.x, GGUF as tune/gguf.h has it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "tune/adapter.h"
#include "tune/base_model.h"

namespace slipway::tune {

struct LoraPair {
  int layer = 0;
  Module module = Module::q;
  int in = 0, out = 0, rank = 0;
  std::vector<float> a;  // [rank, in]
  std::vector<float> b;  // [out, rank]
};

struct AdapterFile {
  std::string architecture;
  float alpha = 1;              // a pair counts alpha / rank
  std::vector<LoraPair> pairs;  // by layer and module
  int rank() const;             // the largest
};

// What an adapter in training holds, and back: of the same modules and rank. Errors: invalid_input.
AdapterFile file_of(const Adapter& adapter, const std::string& architecture);
Status fill(Adapter& adapter, const AdapterFile& file);

Result<AdapterFile> read_gguf(const std::string& path);
// The same adapter gives the same bytes.
Status write_gguf(const AdapterFile& adapter, const std::string& path, const Metadata& metadata);

// `folder` holds adapter_config.json and adapter_model.safetensors.
Result<AdapterFile> read_peft(const std::string& folder, const Shape& shape);
// `base_name` is what PEFT will look for: a hub's name or a folder.
Status write_peft(const AdapterFile& adapter, const Shape& shape, const std::string& folder,
                  const std::string& base_name);

// Errors: invalid_input when a pair does not fit a weight of this shape.
Status check_fits(const AdapterFile& adapter, const Shape& shape, const std::string& path);

}  // namespace slipway::tune
