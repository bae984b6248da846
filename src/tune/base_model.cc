#include "tune/base_model.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace slipway::tune {
namespace {

constexpr std::array<std::string_view, module_count> module_names{
    "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"};
constexpr std::array<std::string_view, module_count> short_names{"q",    "k",  "v",   "o",
                                                                 "gate", "up", "down"};
constexpr int most_layers = 512, most_width = 1 << 17, most_vocabulary = 1 << 21;

Result<int> bounded(const GgufFile& file, const std::string& key, int most) {
  SLIPWAY_TRY(value, file.integer(key));
  if (value < 1 || value > most) {
    return Error::corrupt("'" + file.path() + "': " + key + " is " + std::to_string(value),
                          "at most " + std::to_string(most) + " is sensible");
  }
  return static_cast<int>(value);
}

Status read_rope(const GgufFile& file, Shape& s) {
  const std::string a = s.architecture + ".";
  const bool gemma = s.architecture == "gemma3";
  s.rope_base = static_cast<float>(file.number(a + "rope.freq_base", 10000));
  s.rope_base_window =
      static_cast<float>(file.number(a + "rope.freq_base_swa", gemma ? 10000 : s.rope_base));
  const GgufValue* scaling = file.find(a + "rope.scaling.type");
  const auto* kind = scaling ? std::get_if<std::string>(scaling) : nullptr;
  if (kind && *kind != "none" && *kind != "linear") {
    return Error::unsupported("rope scaling '" + *kind + "' cannot be trained",
                              "use a model without it");
  }
  if (!kind || *kind == "linear") {
    const double factor =
        file.number(a + "rope.scaling.factor", file.number(a + "rope.scale_linear", 1));
    if (factor > 0) s.rope_scale = static_cast<float>(1 / factor);
  }
  if (file.integer(a + "rope.dimension_count", int64_t{s.head}) != s.head) {
    return Error::unsupported("rope over a part of each head cannot be trained",
                              "use another model");
  }
  return {};
}

void read_window(const GgufFile& file, Shape& s) {
  s.windowed.assign(static_cast<size_t>(s.layers), false);
  const std::string a = s.architecture + ".attention.sliding_window";
  s.window = static_cast<int>(std::clamp<int64_t>(file.integer(a, int64_t{0}), 0, 1 << 24));
  if (s.architecture != "gemma3" || s.window == 0) {
    s.window = 0;
    return;
  }
  const GgufValue* pattern = file.find(a + "_pattern");
  const auto* list = pattern ? std::get_if<GgufArray>(pattern) : nullptr;
  const int64_t every = std::max<int64_t>(1, file.integer(a + "_pattern", int64_t{6}));
  for (size_t l = 0; l < s.windowed.size(); ++l) {
    s.windowed[l] = list && l < list->numbers.size() ? list->numbers[l] != 0
                                                     : static_cast<int64_t>(l) % every < every - 1;
  }
}

Result<Shape> read_shape(const GgufFile& file) {
  Shape s;
  SLIPWAY_TRY(architecture, file.text("general.architecture"));
  s.architecture = architecture;
  const std::vector<std::string> known{"gemma3", "llama", "qwen2", "qwen3"};
  if (std::find(known.begin(), known.end(), architecture) == known.end()) {
    return Error::unsupported("architecture '" + architecture + "' cannot be trained",
                              "these can: " + join(known, ", "));
  }
  const std::string a = architecture + ".";
  if (file.integer(a + "expert_count", int64_t{0}) > 0) {
    return Error::unsupported("a mixture of experts cannot be trained", "use a dense model");
  }
  SLIPWAY_TRY(layers, bounded(file, a + "block_count", most_layers));
  SLIPWAY_TRY(width, bounded(file, a + "embedding_length", most_width));
  SLIPWAY_TRY(ff, bounded(file, a + "feed_forward_length", most_width));
  SLIPWAY_TRY(heads, bounded(file, a + "attention.head_count", 1024));
  s.layers = layers, s.width = width, s.ff = ff, s.heads = heads;
  s.kv_heads = static_cast<int>(file.integer(a + "attention.head_count_kv", int64_t{heads}));
  s.head = static_cast<int>(file.integer(a + "attention.key_length", int64_t{width / heads}));
  s.context = static_cast<int>(
      std::clamp<int64_t>(file.integer(a + "context_length", int64_t{4096}), 1, 1 << 24));
  if (s.kv_heads < 1 || heads % s.kv_heads != 0 || s.head < 2 || s.head % 2 != 0 || s.head > 4096 ||
      file.integer(a + "attention.value_length", int64_t{s.head}) != s.head) {
    return Error::unsupported("its attention heads are shaped in a way that cannot be trained",
                              "use another model");
  }
  s.norm_epsilon = static_cast<float>(file.number(a + "attention.layer_norm_rms_epsilon", 1e-6));
  const bool gemma = architecture == "gemma3";
  // Gemma 3 27B differs.
  const double root = gemma && layers == 62 ? static_cast<double>(width) / heads : s.head;
  const double stated = gemma ? 0 : file.number(a + "attention.scale", 0);
  s.attention_scale = static_cast<float>(stated > 0 ? stated : 1 / std::sqrt(root));
  s.embedding_scale = gemma ? std::sqrt(static_cast<float>(width)) : 1;
  s.gelu = gemma;
  s.interleaved_rope = architecture == "llama";
  if (gemma && file.number(a + "final_logit_softcapping", 0) != 0) {
    return Error::unsupported("soft-capped logits cannot be trained", "use another model");
  }
  SLIPWAY_CHECK(read_rope(file, s));
  read_window(file, s);
  return s;
}

Result<WeightMatrix> shaped(const GgufFile& file, const std::string& name, int rows, int cols) {
  SLIPWAY_TRY(m, file.matrix(name));
  if (m.rows != rows || m.cols != cols)
    return Error::corrupt("'" + file.path() + "': the shape of " + name);
  return m;
}

Result<std::vector<float>> optional_vector(const GgufFile& file, const std::string& name,
                                           int size) {
  if (!file.tensor(name)) return std::vector<float>{};
  return file.vector(name, size);
}

Result<LayerWeights> read_layer(const GgufFile& file, const Shape& s, int layer) {
  LayerWeights out;
  const std::string prefix = "blk." + std::to_string(layer) + ".";
  const std::array<std::pair<int, int>, module_count> sizes{{{s.q_width(), s.width},
                                                             {s.kv_width(), s.width},
                                                             {s.kv_width(), s.width},
                                                             {s.width, s.q_width()},
                                                             {s.ff, s.width},
                                                             {s.ff, s.width},
                                                             {s.width, s.ff}}};
  for (size_t m = 0; m < module_count; ++m) {
    const std::string name = prefix + std::string(module_names[m]);
    SLIPWAY_TRY(weight, shaped(file, name + ".weight", sizes[m].first, sizes[m].second));
    SLIPWAY_TRY(bias, optional_vector(file, name + ".bias", sizes[m].first));
    out.weight[m] = weight;
    out.bias[m] = std::move(bias);
  }
  SLIPWAY_TRY(attention_norm, file.vector(prefix + "attn_norm.weight", s.width));
  SLIPWAY_TRY(ffn_norm, file.vector(prefix + "ffn_norm.weight", s.width));
  SLIPWAY_TRY(q_norm, optional_vector(file, prefix + "attn_q_norm.weight", s.head));
  SLIPWAY_TRY(k_norm, optional_vector(file, prefix + "attn_k_norm.weight", s.head));
  SLIPWAY_TRY(post_attention,
              optional_vector(file, prefix + "post_attention_norm.weight", s.width));
  SLIPWAY_TRY(post_ffn, optional_vector(file, prefix + "post_ffw_norm.weight", s.width));
  out.attention_norm = std::move(attention_norm), out.ffn_norm = std::move(ffn_norm);
  out.q_norm = std::move(q_norm), out.k_norm = std::move(k_norm);
  out.post_attention_norm = std::move(post_attention), out.post_ffn_norm = std::move(post_ffn);
  const bool needs_post = s.architecture == "gemma3",
             needs_head_norm = needs_post || s.architecture == "qwen3";
  if (needs_post != !out.post_attention_norm.empty() || needs_post != !out.post_ffn_norm.empty() ||
      needs_head_norm != !out.q_norm.empty() || needs_head_norm != !out.k_norm.empty()) {
    return Error::corrupt("'" + file.path() + "': the norms of layer " + std::to_string(layer) +
                          " are not those of " + s.architecture);
  }
  return out;
}

}  // namespace

std::string_view module_name(Module m) { return module_names[static_cast<size_t>(m)]; }
std::string_view short_name(Module m) { return short_names[static_cast<size_t>(m)]; }

Result<std::shared_ptr<const BaseModel>> BaseModel::open(const std::string& path) {
  auto model = std::make_shared<BaseModel>();
  SLIPWAY_TRY(file, GgufFile::open(path));
  model->file = file;
  SLIPWAY_TRY(shape, read_shape(*file));
  SLIPWAY_TRY(embedding, file->matrix("token_embd.weight"));
  if (embedding.cols != shape.width || embedding.rows > most_vocabulary) {
    return Error::corrupt("'" + path + "': the shape of token_embd.weight");
  }
  shape.vocabulary = embedding.rows;
  model->embedding = model->head = embedding;
  if (file->tensor("output.weight")) {
    SLIPWAY_TRY(head, shaped(*file, "output.weight", embedding.rows, shape.width));
    model->head = head;
  }
  SLIPWAY_TRY(final_norm, file->vector("output_norm.weight", shape.width));
  SLIPWAY_TRY(factors, optional_vector(*file, "rope_freqs.weight", shape.head / 2));
  model->final_norm = std::move(final_norm);
  model->rope_factors = std::move(factors);
  for (int layer = 0; layer < shape.layers; ++layer) {
    SLIPWAY_TRY(weights, read_layer(*file, shape, layer));
    model->layers.push_back(std::move(weights));
  }
  model->shape = std::move(shape);
  return std::shared_ptr<const BaseModel>(std::move(model));
}

}  // namespace slipway::tune
