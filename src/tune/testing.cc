#include "tune/testing.h"

#include <ggml.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <random>

namespace slipway::tune::testing {
namespace {

class ModelMaker {
 public:
  ModelMaker(std::string architecture, const TinyShape& shape)
      : a_(std::move(architecture)), s_(shape), random_(shape.seed) {}

  GgufWriter make() {
    const bool gemma = a_ == "gemma3";
    describe(gemma);
    matrix("token_embd.weight", s_.vocabulary, s_.width, gemma ? 0.2f : 1.0f);
    if (!s_.tied) matrix("output.weight", s_.vocabulary, s_.width, 0.3f);
    norm("output_norm.weight", s_.width);
    for (int l = 0; l < s_.layers; ++l) layer("blk." + std::to_string(l) + ".", gemma);
    return std::move(file_);
  }

 private:
  void describe(bool gemma) {
    const auto number = [&](const std::string& key, int value) {
      file_.add(a_ + "." + key, static_cast<uint32_t>(value));
    };
    file_.add("general.architecture", a_);
    file_.add("tokenizer.ggml.model", std::string_view("none"));
    number("vocab_size", s_.vocabulary);
    number("context_length", 256);
    number("block_count", s_.layers);
    number("embedding_length", s_.width);
    number("feed_forward_length", s_.ff);
    number("attention.head_count", s_.heads);
    number("attention.head_count_kv", s_.kv_heads);
    number("attention.key_length", s_.head);
    number("attention.value_length", s_.head);
    number("rope.dimension_count", s_.head);
    file_.add(a_ + ".attention.layer_norm_rms_epsilon", 1e-6f);
    file_.add(a_ + ".rope.freq_base", gemma ? 1e6f : 1e4f);
    if (gemma) number("attention.sliding_window", s_.window);
    if (gemma) number("attention.sliding_window_pattern", 3);
  }

  void layer(const std::string& p, bool gemma) {
    const int q = s_.heads * s_.head, kv = s_.kv_heads * s_.head;
    norm(p + "attn_norm.weight", s_.width);
    projection(p + "attn_q", q, s_.width);
    projection(p + "attn_k", kv, s_.width);
    projection(p + "attn_v", kv, s_.width);
    matrix(p + "attn_output.weight", s_.width, q, 0.3f);
    norm(p + "ffn_norm.weight", s_.width);
    matrix(p + "ffn_gate.weight", s_.ff, s_.width, 0.3f);
    matrix(p + "ffn_up.weight", s_.ff, s_.width, 0.3f);
    matrix(p + "ffn_down.weight", s_.width, s_.ff, 0.3f);
    if (gemma || a_ == "qwen3") {
      norm(p + "attn_q_norm.weight", s_.head);
      norm(p + "attn_k_norm.weight", s_.head);
    }
    if (!gemma) return;
    norm(p + "post_attention_norm.weight", s_.width);
    norm(p + "post_ffw_norm.weight", s_.width);
  }

  void projection(const std::string& name, int out, int in) {
    matrix(name + ".weight", out, in, 0.3f);
    if (a_ == "qwen2")
      file_.add_floats(name + ".bias", {out}, floats(static_cast<size_t>(out), 0.5f, 0));
  }

  void matrix(const std::string& name, int rows, int cols, float size) {
    const std::vector<float> x =
        floats(static_cast<size_t>(rows) * static_cast<size_t>(cols), size, 0);
    const auto id = static_cast<ggml_type>(traits(s_.type).ggml_id);
    std::vector<std::byte> bytes(ggml_row_size(id, cols) * static_cast<size_t>(rows));
    ggml_quantize_chunk(id, x.data(), bytes.data(), 0, rows, cols, nullptr);
    file_.add_tensor(name, s_.type, {cols, rows}, bytes);
  }

  void norm(const std::string& name, int width) {
    file_.add_floats(name, {width}, floats(static_cast<size_t>(width), 0.3f, 1));
  }

  std::vector<float> floats(size_t count, float size, float around) {
    std::normal_distribution<float> normal(around, size);
    std::vector<float> out(count);
    for (float& x : out) x = normal(random_);
    return out;
  }

  std::string a_;
  TinyShape s_;
  std::mt19937 random_;
  GgufWriter file_;
};

std::vector<std::vector<double>> doubles(const WeightMatrix& w) {
  std::vector<std::vector<double>> out;
  std::vector<float> row(static_cast<size_t>(w.cols));
  for (int r = 0; r < w.rows; ++r) {
    dequantize(w.type, w.row(r), w.cols, row.data());
    out.emplace_back(row.begin(), row.end());
  }
  return out;
}

std::vector<double> rmsnorm(const std::vector<double>& x, const std::vector<float>& weight,
                            double epsilon) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    y[i] = x[i] / std::sqrt(sum / double(x.size()) + epsilon) * double(weight[i]);
  return y;
}

double activate(bool gelu, double x) {
  if (gelu) return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return x / (1 + std::exp(-x));
}

}  // namespace

std::string tiny_model(const std::string& architecture, const TinyShape& shape) {
  const std::string path =
      (std::filesystem::temp_directory_path() /
       ("slipway-tiny-" + architecture + "-" + std::to_string(shape.width) + "-" +
        std::string(traits(shape.type).name) + "-" + std::to_string(::getpid()) + ".gguf"))
          .string();
  return ModelMaker(architecture, shape).make().write(path).ok() ? path : "";
}

std::vector<Example> random_examples(int count, int vocabulary, uint32_t seed,
                                     const std::vector<int32_t>& prefix) {
  std::mt19937 random(seed);
  const auto below = [&](int n) {
    return static_cast<int32_t>(random() % static_cast<uint32_t>(n));
  };
  std::vector<Example> out;
  for (int i = 0; i < count; ++i) {
    Example e{prefix, {}};
    for (int n = 1 + below(9); n > 0; --n) e.prompt.push_back(below(vocabulary));
    for (int n = 1 + below(6); n > 0; --n) e.completion.push_back(below(vocabulary));
    out.push_back(e);
  }
  return out;
}

void randomize(Adapter& adapter, uint32_t seed, float size) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, size);
  for (float& p : adapter.parameters) p = normal(random);
}

Reference::Reference(const BaseModel& base, const Adapter& adapter)
    : parameters(adapter.parameters.begin(), adapter.parameters.end()),
      base_(base),
      adapter_(adapter),
      embedding_(doubles(base.embedding)),
      head_(doubles(base.head)) {
  for (const LayerWeights& layer : base.layers) {
    auto& out = weights_.emplace_back();
    for (size_t m = 0; m < module_count; ++m) out[m] = doubles(layer.weight[m]);
  }
}

Reference::Matrix Reference::linear(int layer, Module m, const Matrix& x) const {
  const Matrix& w = weights_[size_t(layer)][size_t(m)];
  const std::vector<float>& bias = base_.layers[size_t(layer)].bias[size_t(m)];
  const AdaptedWeight* lora = adapter_.find(layer, m);
  const auto rank = size_t(adapter_.config().rank);
  Matrix y;
  for (const std::vector<double>& row : x) {
    std::vector<double>& out = y.emplace_back(w.size());
    for (size_t o = 0; o < w.size(); ++o)
      out[o] = std::inner_product(row.begin(), row.end(), w[o].begin(),
                                  bias.empty() ? 0.0 : double(bias[o]));
    for (size_t r = 0; lora && r < rank; ++r) {
      const double* a = parameters.data() + size_t(lora->a) + r * row.size();
      const double* b = parameters.data() + size_t(lora->b) + r * w.size();
      const double xa =
          double(adapter_.scale()) * std::inner_product(row.begin(), row.end(), a, 0.0);
      for (size_t o = 0; o < w.size(); ++o) out[o] += xa * b[o];
    }
  }
  return y;
}

void Reference::rope(int layer, Matrix& x, int heads, const std::vector<float>& norm) const {
  const Shape& s = base_.shape;
  const bool windowed = s.windowed[size_t(layer)];
  const double base = windowed ? s.rope_base_window : s.rope_base,
               scale = windowed ? 1 : s.rope_scale;
  const auto head = size_t(s.head);
  for (size_t t = 0; t < x.size(); ++t) {
    for (size_t h = 0; h < size_t(heads); ++h) {
      std::vector<double> part(x[t].begin() + long(h * head), x[t].begin() + long((h + 1) * head));
      if (!norm.empty()) part = rmsnorm(part, norm, s.norm_epsilon);
      for (size_t i = 0; i < head / 2; ++i) {
        const double angle = double(t) * scale * std::pow(base, -2.0 * double(i) / double(head));
        double& a = part[s.interleaved_rope ? 2 * i : i];
        double& b = part[s.interleaved_rope ? 2 * i + 1 : i + head / 2];
        const double turned = a * std::cos(angle) - b * std::sin(angle);
        b = a * std::sin(angle) + b * std::cos(angle);
        a = turned;
      }
      std::copy(part.begin(), part.end(), x[t].begin() + long(h * head));
    }
  }
}

Reference::Matrix Reference::attention(int layer, const Matrix& q, const Matrix& k,
                                       const Matrix& v) const {
  const Shape& s = base_.shape;
  const auto head = size_t(s.head), group = size_t(s.heads / s.kv_heads);
  Matrix out(q.size(), std::vector<double>(q[0].size()));
  for (size_t t = 0; t < q.size(); ++t) {
    const bool windowed = s.windowed[size_t(layer)] && s.window > 0;
    const size_t from = windowed && t + 1 > size_t(s.window) ? t + 1 - size_t(s.window) : 0;
    for (size_t h = 0; h < size_t(s.heads); ++h) {
      std::vector<double> p;
      for (size_t j = from; j <= t; ++j) {
        double score = 0;
        for (size_t i = 0; i < head; ++i) score += q[t][h * head + i] * k[j][h / group * head + i];
        p.push_back(std::exp(score * double(s.attention_scale)));
      }
      const double sum = std::accumulate(p.begin(), p.end(), 0.0);
      for (size_t j = from; j <= t; ++j) {
        for (size_t i = 0; i < head; ++i)
          out[t][h * head + i] += p[j - from] / sum * v[j][h / group * head + i];
      }
    }
  }
  return out;
}

std::vector<std::vector<double>> Reference::logits(const std::vector<int32_t>& tokens) const {
  const Shape& s = base_.shape;
  const auto normed = [&](const Matrix& x, const std::vector<float>& weight) {
    Matrix y;
    for (const auto& row : x)
      y.push_back(weight.empty() ? row : rmsnorm(row, weight, s.norm_epsilon));
    return y;
  };
  const auto add = [](Matrix& x, const Matrix& y) {
    for (size_t t = 0; t < x.size(); ++t) {
      for (size_t i = 0; i < x[t].size(); ++i) x[t][i] += y[t][i];
    }
  };
  Matrix x;
  for (const int32_t token : tokens) {
    x.push_back(embedding_[size_t(token)]);
    for (double& v : x.back()) v *= double(s.embedding_scale);
  }
  for (int layer = 0; layer < s.layers; ++layer) {
    const LayerWeights& w = base_.layers[size_t(layer)];
    const Matrix h = normed(x, w.attention_norm);
    Matrix q = linear(layer, Module::q, h), k = linear(layer, Module::k, h);
    rope(layer, q, s.heads, w.q_norm);
    rope(layer, k, s.kv_heads, w.k_norm);
    add(x, normed(linear(layer, Module::o, attention(layer, q, k, linear(layer, Module::v, h))),
                  w.post_attention_norm));
    const Matrix h2 = normed(x, w.ffn_norm), up = linear(layer, Module::up, h2);
    Matrix act = linear(layer, Module::gate, h2);
    for (size_t t = 0; t < act.size(); ++t) {
      for (size_t i = 0; i < act[t].size(); ++i) act[t][i] = activate(s.gelu, act[t][i]) * up[t][i];
    }
    add(x, normed(linear(layer, Module::down, act), w.post_ffn_norm));
  }
  Matrix out;
  for (const auto& row : normed(x, base_.final_norm)) {
    std::vector<double>& y = out.emplace_back();
    for (const auto& e : head_)
      y.push_back(std::inner_product(row.begin(), row.end(), e.begin(), 0.0));
  }
  return out;
}

double Reference::loss(const Example& example) const {
  std::vector<int32_t> tokens = example.prompt;
  tokens.insert(tokens.end(), example.completion.begin(), example.completion.end());
  const Matrix all = logits({tokens.begin(), tokens.end() - 1});
  double sum = 0;
  for (size_t t = example.prompt.empty() ? 0 : example.prompt.size() - 1; t < all.size(); ++t) {
    const double most = *std::max_element(all[t].begin(), all[t].end());
    double total = 0;
    for (const double x : all[t]) total += std::exp(x - most);
    sum += most + std::log(total) - all[t][size_t(tokens[t + 1])];
  }
  return sum;
}

}  // namespace slipway::tune::testing
