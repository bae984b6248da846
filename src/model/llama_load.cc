#include "model/llama_load.h"

#include <ggml.h>
#include <llama.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <mutex>

#include "base/files.h"
#include "base/processors.h"
#include "base/text.h"
#include "model/llama_engine.h"
#include "model/packed_buffer.h"

namespace slipway::model {
namespace {

thread_local std::string last_error;  // of llama.cpp's log, one line

void keep_errors(ggml_log_level level, const char* text, void*) {
  if (level != GGML_LOG_LEVEL_ERROR) return;
  auto line = trim(text);
  if (!line.empty()) last_error = std::string(line.substr(0, 300));
}

void start_backend() {
  static std::once_flag once;
  std::call_once(once, [] {
    // ggml's only switch for its tiled K-quant product, which rounds otherwise from 8 rows on.
    ::setenv("GGML_CPU_TILED_MM", "0", 1);
    use_packed_weights();
    llama_log_set(keep_errors, nullptr);
    llama_backend_init();
  });
}

std::string why() { return last_error.empty() ? "" : ": " + split(last_error, '\n').front(); }

Status check_magic(const std::string& path) {
  if (!files::exists(path) || files::is_directory(path)) {
    return Error::not_found("no model file '" + path + "'",
                            "`slipway models list` shows the models at hand");
  }
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  if (!file.read(magic, 4) || std::string_view(magic, 4) != "GGUF") {
    return Error::corrupt("'" + path + "' is not a GGUF file",
                          "fetch it again with `slipway models pull`");
  }
  return {};
}

int thread_count(const OpenOptions& options) {
  const int cores = usable_processors();
  return options.threads > 0 ? std::min(options.threads, 256) : cores;
}

}  // namespace

void LlamaModelFree::operator()(llama_model* model) const { llama_model_free(model); }

Result<LoadedLlama> load_llama(const OpenOptions& options) {
  start_backend();
  SLIPWAY_CHECK(check_magic(options.path));
  last_error.clear();
  LoadedLlama loaded;
  try {
    auto parameters = llama_model_default_params();
    parameters.n_gpu_layers = 0;
    parameters.use_extra_bufts = true;  // ours alone, see packed_buffer.h
    loaded.model.reset(llama_model_load_from_file(options.path.c_str(), parameters));
  } catch (const std::exception& e) {
    last_error = e.what();
  }
  if (!loaded.model) {
    return Error::corrupt("cannot load '" + options.path + "'" + why(),
                          "fetch it again with `slipway models pull`");
  }
  if (!llama_model_has_decoder(loaded.model.get()) || llama_model_has_encoder(loaded.model.get())) {
    return Error::unsupported("'" + options.path + "' is no decoder-only language model");
  }
  for (const auto& path : options.adapters) {
    if (!files::exists(path)) return Error::not_found("no adapter file '" + path + "'");
    auto* adapter = llama_adapter_lora_init(loaded.model.get(), path.c_str());
    if (!adapter)
      return Error::invalid_input("adapter '" + path + "' does not fit this model" + why());
    loaded.adapters.push_back(adapter);
  }
  return loaded;
}

Result<llama_context*> make_context(const LoadedLlama& loaded, const OpenOptions& options) {
  auto parameters = llama_context_default_params();
  const int sequences = options.max_sequences + LlamaEngine::kPrefixes;
  parameters.n_ctx = static_cast<uint32_t>(options.context_tokens * sequences);
  parameters.n_batch = parameters.n_ubatch = LlamaEngine::kBatch;
  parameters.n_seq_max = static_cast<uint32_t>(sequences);
  parameters.n_outputs_max = static_cast<uint32_t>(LlamaEngine::max_outputs(options.max_sequences));
  parameters.n_threads = parameters.n_threads_batch = thread_count(options);
  parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  parameters.swa_full = true;    // prefixes can be copied in sliding-window models too
  parameters.kv_unified = false;  // a stream for each sequence: sums in the same order always
  parameters.no_perf = true;
  last_error.clear();
  auto* context = llama_init_from_model(loaded.model.get(), parameters);
  if (!context) {
    return Error::exhausted(
        "no memory for " + std::to_string(sequences) + " contexts of " +
            std::to_string(options.context_tokens) + " tokens" + why(),
        "ask for fewer context_tokens or sequences");
  }
  auto adapters = loaded.adapters;
  std::vector<float> scales(adapters.size(), 1.0f);
  if (!adapters.empty() &&
      llama_set_adapters_lora(context, adapters.data(), adapters.size(), scales.data()) != 0) {
    llama_free(context);
    return Error::invalid_input("the adapters do not fit together" + why());
  }
  return context;
}

// "llama.cpp 0.5.0 ggml 0.25.3 AVX AVX2 F16C FMA fa=off ...": whatever may change a bit of a logit.
std::string llama_engine_id() {
  start_backend();
  std::string id = std::string("llama.cpp ") + llama_version() + " ggml " + ggml_version();
  std::string_view info = llama_print_system_info();
  for (const auto& part : split(info, '|')) {
    auto text = trim(part);
    if (auto colon = text.rfind(':'); colon != std::string_view::npos)
      text = trim(text.substr(colon + 1));
    auto equals = text.find(" = ");
    if (equals == std::string_view::npos || text.substr(equals + 3) != "1") continue;
    id += " " + std::string(text.substr(0, equals));
  }
  return id + " fa=off packed=1 tiled=off streams ubatch=" + std::to_string(LlamaEngine::kBatch);
}

}  // namespace slipway::model
