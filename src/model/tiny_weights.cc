#include "model/tiny_weights.h"

#include <ggml.h>
#include <gguf.h>

#include <cstdio>
#include <memory>
#include <random>
#include <vector>

namespace slipway::model {
namespace {

constexpr int kWidth = 64, kInner = 128, kLayers = 2, kHeads = 2, kRank = 4;

class File {
 public:
  explicit File(uint32_t seed) : random_(seed) {}
  gguf_context* header() { return header_.get(); }

  void matrix(const std::string& name, int columns, int rows, float size,
              ggml_type type = GGML_TYPE_Q8_0) {
    std::normal_distribution<float> normal(0, size);
    std::vector<float> values(static_cast<size_t>(columns) * static_cast<size_t>(rows));
    for (auto& value : values) value = normal(random_);
    auto* tensor = ggml_new_tensor_2d(tensors_.get(), type, columns, rows);
    ggml_quantize_chunk(type, values.data(), tensor->data, 0, rows, columns, nullptr);
    add(tensor, name);
  }
  void ones(const std::string& name, int width) {
    auto* tensor = ggml_new_tensor_1d(tensors_.get(), GGML_TYPE_F32, width);
    for (int i = 0; i < width; ++i) static_cast<float*>(tensor->data)[i] = 1;
    add(tensor, name);
  }
  std::string write(const std::string& path) {
    return gguf_write_to_file(header(), path.c_str(), false) ? path : "";
  }

 private:
  void add(ggml_tensor* tensor, const std::string& name) {
    ggml_set_name(tensor, name.c_str());
    gguf_add_tensor(header(), tensor);
  }

  std::mt19937 random_;
  std::unique_ptr<gguf_context, decltype(&gguf_free)> header_{gguf_init_empty(), gguf_free};
  std::unique_ptr<ggml_context, decltype(&ggml_free)> tensors_{
      ggml_init({.mem_size = 4 << 20, .mem_buffer = nullptr, .no_alloc = false}), ggml_free};
};

// <unk>, <s>, </s> and the 256 bytes; returns how many.
int add_tokenizer(gguf_context* header) {
  std::vector<std::string> words = {"<unk>", "<s>", "</s>"};
  std::vector<int32_t> types = {2, 3, 3};  // unknown, control
  for (int byte = 0; byte < 256; ++byte) {
    char word[8];
    std::snprintf(word, sizeof word, "<0x%02X>", byte);
    words.emplace_back(word);
    types.push_back(6);  // byte
  }
  std::vector<const char*> pointers;
  for (const auto& word : words) pointers.push_back(word.c_str());
  const std::vector<float> scores(words.size());
  gguf_set_val_str(header, "tokenizer.ggml.model", "llama");
  gguf_set_arr_str(header, "tokenizer.ggml.tokens", pointers.data(), words.size());
  gguf_set_arr_data(header, "tokenizer.ggml.scores", GGUF_TYPE_FLOAT32, scores.data(),
                    scores.size());
  gguf_set_arr_data(header, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, types.data(),
                    types.size());
  gguf_set_val_u32(header, "tokenizer.ggml.bos_token_id", 1);
  gguf_set_val_u32(header, "tokenizer.ggml.eos_token_id", 2);
  return static_cast<int>(words.size());
}

void add_layer(File& file, const std::string& layer) {
  file.ones(layer + "attn_norm.weight", kWidth);
  for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output"})
    file.matrix(layer + name + ".weight", kWidth, kWidth, 0.3f);
  file.ones(layer + "ffn_norm.weight", kWidth);
  file.matrix(layer + "ffn_gate.weight", kWidth, kInner, 0.3f);
  file.matrix(layer + "ffn_up.weight", kWidth, kInner, 0.3f);
  file.matrix(layer + "ffn_down.weight", kInner, kWidth, 0.3f);
}

std::string layer_name(int layer) { return "blk." + std::to_string(layer) + "."; }

}  // namespace

std::string tiny_weights(const std::string& path, uint32_t seed) {
  File file(seed);
  auto* header = file.header();
  gguf_set_val_str(header, "general.architecture", "llama");
  gguf_set_val_u32(header, "llama.context_length", 512);
  gguf_set_val_u32(header, "llama.embedding_length", kWidth);
  gguf_set_val_u32(header, "llama.feed_forward_length", kInner);
  gguf_set_val_u32(header, "llama.block_count", kLayers);
  gguf_set_val_u32(header, "llama.attention.head_count", kHeads);
  gguf_set_val_f32(header, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
  const int words = add_tokenizer(header);
  file.matrix("token_embd.weight", kWidth, words, 1.0f);
  file.ones("output_norm.weight", kWidth);
  file.matrix("output.weight", kWidth, words, 0.3f);
  for (int layer = 0; layer < kLayers; ++layer) add_layer(file, layer_name(layer));
  return file.write(path);
}

std::string tiny_adapter(const std::string& path, uint32_t seed) {
  File file(seed);
  auto* header = file.header();
  gguf_set_val_str(header, "general.type", "adapter");
  gguf_set_val_str(header, "general.architecture", "llama");
  gguf_set_val_str(header, "adapter.type", "lora");
  gguf_set_val_f32(header, "adapter.lora.alpha", kRank);
  for (int layer = 0; layer < kLayers; ++layer) {
    const auto query = layer_name(layer) + "attn_q.weight.lora_";
    file.matrix(query + "a", kWidth, kRank, 0.3f, GGML_TYPE_F32);
    file.matrix(query + "b", kRank, kWidth, 0.3f, GGML_TYPE_F32);
    const auto value = layer_name(layer) + "attn_v.weight.lora_";
    file.matrix(value + "a", kWidth, kRank, 0.3f, GGML_TYPE_F32);
    file.matrix(value + "b", kRank, kWidth, 0.3f, GGML_TYPE_F32);
  }
  return file.write(path);
}

}  // namespace slipway::model
