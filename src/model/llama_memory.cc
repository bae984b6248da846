#include <llama.h>

#include <map>

#include "base/files.h"
#include "model/llama_engine.h"
#include "model/llama_load.h"

// As in llama.cpp's staging header llama-ext.h, which it does not install.
struct llama_memory_breakdown_data {
  size_t model = 0;
  size_t context = 0;
  size_t compute = 0;
};
std::map<ggml_backend_buffer_type_t, llama_memory_breakdown_data> llama_get_memory_breakdown(
    const llama_context* context);

namespace slipway::model {

Memory memory_of(const LoadedLlama& loaded, const llama_context* context,
                 const OpenOptions& options) {
  Memory memory{.weights = loaded.weights};
  for (const auto& [type, bytes] : llama_get_memory_breakdown(context)) {
    memory.weights_bytes += bytes.model;
    memory.own_bytes += bytes.context + bytes.compute;
  }
  // Not in the breakdown: the logits of a batch, and what each adapter's file holds.
  const auto words = static_cast<uint64_t>(
      llama_vocab_n_tokens(llama_model_get_vocab(loaded.weights->model.get())));
  memory.own_bytes += words * sizeof(float) *
                      static_cast<uint64_t>(LlamaEngine::max_outputs(options.max_sequences));
  for (const auto& path : options.adapters) {
    if (const auto bytes = files::size(path); bytes.ok()) memory.own_bytes += *bytes;
  }
  return memory;
}

}  // namespace slipway::model
