// Opens what llama.cpp calls a model and a context, and says in one line what was wrong with a
// file.
//
//     SLIPWAY_TRY(loaded, load_llama(options));   // Errors: not_found, corrupt, exhausted,
//                                                 // invalid_input (adapter)
//
// Who opens a file that is open already gets the weights that are in memory, by device, inode, size
// and time of change; the last to let go frees them. Adapters and contexts are each opener's own.
//
// Internal to src/model. llama.cpp's log is silenced; its last error line ends in the Error.
// load_llama and make_context are thread-safe, and so is the end of what they made.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/llama_vocab.h"
#include "model/model.h"

struct llama_adapter_lora;
struct llama_context;
struct llama_model;

namespace slipway::model {

struct LlamaModelFree {
  void operator()(llama_model* model) const;
};
using LlamaModelPointer = std::unique_ptr<llama_model, LlamaModelFree>;

// What one file holds. Constant, but for llama.cpp's list of the adapters made for it.
struct LlamaWeights {
  explicit LlamaWeights(LlamaModelPointer loaded) : model(std::move(loaded)), vocab(model.get()) {}
  const LlamaModelPointer model;
  const LlamaVocab vocab;
  std::mutex adapters;  // held while that list is written, or read for a context's graph
};

struct LlamaAdapterFree {
  std::shared_ptr<LlamaWeights> weights;  // outlive it
  void operator()(llama_adapter_lora* adapter) const;
};
using LlamaAdapter = std::unique_ptr<llama_adapter_lora, LlamaAdapterFree>;

struct LoadedLlama {
  std::shared_ptr<LlamaWeights> weights;
  std::vector<LlamaAdapter> adapters;  // outlive the contexts they are set on
};

Result<LoadedLlama> load_llama(const OpenOptions& options);
// A new context with the adapters set on it; the caller frees it (LlamaEngine does).
Result<llama_context*> make_context(const LoadedLlama& loaded, const OpenOptions& options);
Memory memory_of(const LoadedLlama& loaded, const llama_context* context,
                 const OpenOptions& options);
std::string llama_engine_id();

}  // namespace slipway::model
