// Opens what llama.cpp calls a model and a context, and says in one line what was wrong with a
// file.
//
//     SLIPWAY_TRY(loaded, load_llama(options));   // Errors: not_found, corrupt, exhausted,
//     invalid_input (adapter)
//
// Internal to src/model. llama.cpp's log is silenced; its last error line ends in the Error. Not
// thread-safe per object.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model.h"

struct llama_adapter_lora;
struct llama_context;
struct llama_model;

namespace slipway::model {

struct LlamaModelFree {
  void operator()(llama_model* model) const;
};
using LlamaModelPointer = std::unique_ptr<llama_model, LlamaModelFree>;

struct LoadedLlama {
  LlamaModelPointer model;
  std::vector<llama_adapter_lora*> adapters;  // freed with the model
};

Result<LoadedLlama> load_llama(const OpenOptions& options);
// A new context with the adapters set on it; the caller frees it (LlamaEngine does).
Result<llama_context*> make_context(const LoadedLlama& loaded, const OpenOptions& options);
std::string llama_engine_id();

}  // namespace slipway::model
