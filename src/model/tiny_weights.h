// For tests: a small random model whose tokens are bytes, and adapters for it, as GGUF files.
//
//     const auto weights = tiny_weights(folder + "/a.gguf");          // gives the path back
//     const auto adapter = tiny_adapter(folder + "/a-lora.gguf", 7);  // for every tiny_weights
#pragma once

#include <cstdint>
#include <string>

namespace slipway::model {

std::string tiny_weights(const std::string& path, uint32_t seed = 1);
std::string tiny_adapter(const std::string& path, uint32_t seed);

}  // namespace slipway::model
