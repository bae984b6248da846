// Our forward pass against llama.cpp on the same file, with and without an adapter that it loads
// from our GGUF.
#include <doctest/doctest.h>
#include <llama.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/files.h"
#include "tune/adapter_file.h"
#include "tune/decoder.h"
#include "tune/merge.h"
#include "tune/testing.h"
#include "tune/trainer.h"

using namespace slipway;
using namespace slipway::tune;

namespace {

struct FreeModel {
  void operator()(llama_model* m) const { llama_model_free(m); }
};
struct FreeContext {
  void operator()(llama_context* c) const { llama_free(c); }
};

// One vector of logits per token.
using Logits = std::vector<std::vector<float>>;

Logits llama_logits(const std::string& model_path, const std::string& adapter_path,
                    std::vector<int32_t> tokens) {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_model_params model_params = llama_model_default_params();
  model_params.n_gpu_layers = 0;
  const std::unique_ptr<llama_model, FreeModel> model(
      llama_model_load_from_file(model_path.c_str(), model_params));
  REQUIRE(model);
  llama_context_params params = llama_context_default_params();
  params.n_ctx = 256;
  params.n_batch = params.n_ubatch = 256;
  params.n_threads = params.n_threads_batch = 2;
  params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.type_k = params.type_v = GGML_TYPE_F32;
  const std::unique_ptr<llama_context, FreeContext> context(
      llama_init_from_model(model.get(), params));
  REQUIRE(context);
  if (!adapter_path.empty()) {
    llama_adapter_lora* adapter = llama_adapter_lora_init(model.get(), adapter_path.c_str());
    REQUIRE(adapter);
    float scale = 1;
    REQUIRE(llama_set_adapters_lora(context.get(), &adapter, 1, &scale) == 0);
  }
  const auto count = static_cast<int32_t>(tokens.size());
  llama_batch batch = llama_batch_init(count, 0, 1);
  batch.n_tokens = count;
  for (int32_t i = 0; i < count; ++i) {
    batch.token[i] = tokens[size_t(i)];
    batch.pos[i] = i;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = 1;
  }
  REQUIRE(llama_decode(context.get(), batch) == 0);
  const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model.get()));
  Logits out;
  for (int32_t i = 0; i < count; ++i) {
    const float* row = llama_get_logits_ith(context.get(), i);
    out.emplace_back(row, row + vocabulary);
  }
  llama_batch_free(batch);
  return out;
}

Logits our_logits(const BaseModel& base, Adapter& adapter, const std::vector<int32_t>& tokens) {
  ThreadPool pool(2);
  Decoder decoder(base, adapter, pool);
  Example example{{tokens[0]}, {tokens.begin() + 1, tokens.end()}};
  example.completion.push_back(0);  // predicted by the last token
  const Packed batch = pack({&example, 1}, true);
  const float* hidden = decoder.forward(batch, {.exact = true});
  PackedRows rows;
  rows.pack(pool, hidden, batch.rows(), base.shape.width, base.shape.width);
  std::vector<float> flat(size_t(batch.rows()) * size_t(base.shape.vocabulary));
  const Product product{base.shape.vocabulary,
                        flat.data(),
                        base.shape.vocabulary,
                        {{&rows, transposed(base.head)}},
                        false};
  multiply(pool, {&product, 1});
  Logits out;
  for (size_t i = 0; i < flat.size(); i += size_t(base.shape.vocabulary)) {
    out.emplace_back(flat.begin() + long(i), flat.begin() + long(i) + base.shape.vocabulary);
  }
  return out;
}

// The cosine of all logits taken as one vector.
double whole_cosine(const Logits& a, const Logits& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < a[i].size(); ++j) {
      ab += double(a[i][j]) * b[i][j], aa += double(a[i][j]) * a[i][j],
          bb += double(b[i][j]) * b[i][j];
    }
  }
  return ab / std::sqrt(aa * bb);
}

double least_cosine(const Logits& a, const Logits& b) {
  REQUIRE(a.size() == b.size());
  double least = 1;
  for (size_t i = 0; i < a.size(); ++i) least = std::min(least, whole_cosine({a[i]}, {b[i]}));
  return least;
}

std::string adapter_file() {
  return (std::filesystem::temp_directory_path() /
          ("slipway-engine-" + std::to_string(::getpid()) + ".gguf"))
      .string();
}

}  // namespace

TEST_CASE(
    "small models of every architecture: llama.cpp computes the same logits, with our adapter "
    "too") {
  llama_backend_init();
  for (const std::string architecture : {"gemma3", "llama", "qwen2", "qwen3"}) {
    CAPTURE(architecture);
    const std::string path =
        testing::tiny_model(architecture, {.width = 64, .tied = architecture != "llama"});
    auto base = BaseModel::open(path);
    REQUIRE(base.ok());
    std::vector<int32_t> tokens;
    for (int i = 0; i < 40; ++i) tokens.push_back((i * i + 3) % 61);
    Adapter adapter((*base)->shape, {.rank = 4, .alpha = 6, .rank_stabilised = true}, 1);
    CHECK(least_cosine(our_logits(**base, adapter, tokens), llama_logits(path, "", tokens)) >
          0.99999);
    testing::randomize(adapter, 5, 0.2f);
    const auto saved = file_of(adapter, architecture);
    REQUIRE(write_gguf(saved, adapter_file(), {{"general.name", "a test"}}).ok());
    const Logits ours = our_logits(**base, adapter, tokens);
    CHECK(least_cosine(ours, llama_logits(path, adapter_file(), tokens)) > 0.99999);
    CHECK(least_cosine(ours, llama_logits(path, "", tokens)) < 0.999);
    Adapter again((*base)->shape, {.rank = 4, .alpha = 6, .rank_stabilised = true}, 2);
    auto read = read_gguf(adapter_file());
    REQUIRE(read.ok());
    REQUIRE(fill(again, *read).ok());
    CHECK(again.parameters == adapter.parameters);
    Adapter wider((*base)->shape, {.rank = 8}, 2);
    CHECK(fill(wider, *read).error().code() == ErrorCode::invalid_input);
    const std::string merged = path + ".merged.gguf";
    REQUIRE(merge(**base, *read, merged, {.type = MergeType::same}).ok());
    CHECK(least_cosine(ours, llama_logits(merged, "", tokens)) > 0.99999);
    // llama.cpp rounds activations to halves before products with F16 weights.
    REQUIRE(merge(**base, *read, merged, {}).ok());
    CHECK(least_cosine(ours, llama_logits(merged, "", tokens)) > 0.999);
    std::filesystem::remove(merged);
    std::filesystem::remove(adapter_file());
    std::filesystem::remove(path);
  }
}

TEST_CASE("gemma-3-270m, when it is on this machine: llama.cpp computes the same logits") {
  const char* home = std::getenv("HOME");
  const std::string path =
      std::string(home ? home : "") + "/.cache/slipway/models/gemma-3-270m-q4_k_m.gguf";
  if (!files::exists(path)) return;
  auto base = BaseModel::open(path);
  REQUIRE(base.ok());
  const std::vector<int32_t> tokens{2,   818, 5279, 529, 7001, 563, 9079,  236764,
                                    532, 506, 5279, 529, 9405, 563, 20103, 236761};
  Adapter adapter((*base)->shape, {}, 1);
  // llama.cpp rounds activations to eight bits before products with quantised weights; we do not.
  // (Against an F32 copy of this file it agrees to 0.9999998 at every token.)
  const Logits ours = our_logits(**base, adapter, tokens), theirs = llama_logits(path, "", tokens);
  CHECK(whole_cosine(ours, theirs) > 0.999);
  CHECK(least_cosine(ours, theirs) > 0.997);
}
