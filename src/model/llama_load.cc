#include "model/llama_load.h"

#include <ggml.h>
#include <llama.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <tuple>

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

Result<std::shared_ptr<LlamaWeights>> load_weights(const std::string& path, bool vocabulary_only) {
  last_error.clear();
  LlamaModelPointer model;
  try {
    auto parameters = llama_model_default_params();
    parameters.n_gpu_layers = 0;
    parameters.vocab_only = vocabulary_only;
    parameters.use_extra_bufts = true;  // ours alone, see packed_buffer.h
    model.reset(llama_model_load_from_file(path.c_str(), parameters));
  } catch (const std::exception& e) {
    last_error = e.what();
  }
  if (!model) {
    return Error::corrupt("cannot load '" + path + "'" + why(),
                          "fetch it again with `slipway models pull`");
  }
  if (!llama_model_has_decoder(model.get()) || llama_model_has_encoder(model.get())) {
    return Error::unsupported("'" + path + "' is no decoder-only language model");
  }
  try {
    return std::make_shared<LlamaWeights>(std::move(model));
  } catch (const std::exception& e) {
    return Error::corrupt("cannot read the vocabulary of '" + path + "': " + e.what());
  }
}

// A file as it is now: another one under the same path is not the one in memory.
using FileState = std::tuple<dev_t, ino_t, off_t, time_t, long, bool>;

// The lock is held while loading: who asks for the same file meanwhile gets it, too.
Result<std::shared_ptr<LlamaWeights>> shared_weights(const std::string& path,
                                                     bool vocabulary_only) {
  static std::mutex mutex;
  static std::map<FileState, std::weak_ptr<LlamaWeights>> in_memory;
  const std::lock_guard lock(mutex);
  std::erase_if(in_memory, [](const auto& entry) { return entry.second.expired(); });
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0) return Error::not_found("no model file '" + path + "'");
  const FileState state{file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec,
                        file.st_mtim.tv_nsec, vocabulary_only};
  if (const auto found = in_memory.find(state); found != in_memory.end()) {
    if (auto weights = found->second.lock()) return weights;
  }
  SLIPWAY_TRY(weights, load_weights(path, vocabulary_only));
  in_memory[state] = weights;
  return weights;
}

// The first batch makes the context's graph: here, where no other opener changes the adapters.
bool settle(llama_context* context) {
  llama_token any = 0;
  const bool decoded = llama_decode(context, llama_batch_get_one(&any, 1)) == 0;
  llama_memory_clear(llama_get_memory(context), true);
  return decoded;
}

}  // namespace

void LlamaModelFree::operator()(llama_model* model) const { llama_model_free(model); }

void LlamaAdapterFree::operator()(llama_adapter_lora* adapter) const {
  const std::lock_guard lock(weights->adapters);
  llama_adapter_lora_free(adapter);
}

Result<LoadedLlama> load_llama(const OpenOptions& options) {
  start_backend();
  SLIPWAY_CHECK(check_magic(options.path));
  SLIPWAY_TRY(weights, shared_weights(options.path, options.vocabulary_only));
  LoadedLlama loaded{std::move(weights), {}};
  for (const auto& path : options.adapters) {
    if (!files::exists(path)) return Error::not_found("no adapter file '" + path + "'");
    last_error.clear();
    std::unique_lock lock(loaded.weights->adapters);
    auto* adapter = llama_adapter_lora_init(loaded.weights->model.get(), path.c_str());
    lock.unlock();
    if (!adapter)
      return Error::invalid_input("adapter '" + path + "' does not fit this model" + why());
    loaded.adapters.emplace_back(adapter, LlamaAdapterFree{loaded.weights});
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
  parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;  // ours: attention.h
  parameters.swa_full = true;    // prefixes can be copied in sliding-window models too
  parameters.kv_unified = false;  // a stream for each sequence: sums in the same order always
  parameters.no_perf = true;
  last_error.clear();
  const std::lock_guard lock(loaded.weights->adapters);
  auto* context = llama_init_from_model(loaded.weights->model.get(), parameters);
  if (!context) {
    return Error::exhausted(
        "no memory for " + std::to_string(sequences) + " contexts of " +
            std::to_string(options.context_tokens) + " tokens" + why(),
        "ask for fewer context_tokens or sequences");
  }
  if (loaded.adapters.empty()) return context;
  std::vector<llama_adapter_lora*> adapters;
  for (const auto& adapter : loaded.adapters) adapters.push_back(adapter.get());
  std::vector<float> scales(adapters.size(), 1.0f);
  if (llama_set_adapters_lora(context, adapters.data(), adapters.size(), scales.data()) != 0 ||
      !settle(context)) {
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
  return id + " fa=own packed=1 tiled=off streams ubatch=" + std::to_string(LlamaEngine::kBatch);
}

}  // namespace slipway::model
