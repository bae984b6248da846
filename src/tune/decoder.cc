#include "tune/decoder.h"

#include <algorithm>
#include <cstring>

namespace slipway::tune {
namespace {

size_t size_of(int rows, int width) {
  return static_cast<size_t>(rows) * static_cast<size_t>(width);
}

}  // namespace

Decoder::Decoder(const BaseModel& base, Adapter& adapter, ThreadPool& pool, size_t frozen_bytes)
    : base_(base),
      adapter_(adapter),
      pool_(pool),
      rope_all_(base.shape.head, base.shape.rope_base, base.shape.rope_scale,
                base.shape.interleaved_rope, base.rope_factors),
      rope_window_(base.shape.head, base.shape.rope_base_window, 1, base.shape.interleaved_rope,
                   base.rope_factors),
      kept_(static_cast<size_t>(base.shape.layers)) {
  if (frozen_bytes > 0 && adapter.lowest_layer() > 0) frozen_.emplace(frozen_bytes);
}

AttentionShape Decoder::attention_shape(int layer) const {
  const Shape& s = base_.shape;
  const bool windowed = s.windowed[static_cast<size_t>(layer)];
  return {s.heads, s.kv_heads, s.head, s.attention_scale, windowed ? s.window : 0, last(layer)};
}

const RopeTable& Decoder::rope(int layer) const {
  return base_.shape.windowed[static_cast<size_t>(layer)] ? rope_window_ : rope_all_;
}

int Decoder::queries(int layer, const Packed& batch) const {
  return last(layer) ? static_cast<int>(batch.loss_rows.size()) : batch.rows();
}

std::span<const int32_t> Decoder::query_positions(int layer, const Packed& batch) {
  if (!last(layer)) return batch.positions;
  loss_positions_.clear();
  for (const int32_t row : batch.loss_rows)
    loss_positions_.push_back(batch.positions[static_cast<size_t>(row)]);
  return loss_positions_;
}

// The rows of x that predict something.
const float* Decoder::loss_rows(const Packed& batch, const float* x, int width,
                                Buffer<float>& into) {
  const int rows = static_cast<int>(batch.loss_rows.size());
  float* out = into.resize(size_of(rows, width));
  for (int64_t r = 0; r < rows; ++r) {
    std::memcpy(out + r * width, x + int64_t{batch.loss_rows[static_cast<size_t>(r)]} * width,
                static_cast<size_t>(width) * 4);
  }
  return out;
}

void Decoder::embed(const Packed& batch) {
  const int width = base_.shape.width;
  float* x = x_.resize(size_of(batch.rows(), width));
  pool_.run_ranges(batch.rows(), 8, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      float* row = x + r * width;
      dequantize(base_.embedding.type, base_.embedding.row(batch.tokens[static_cast<size_t>(r)]),
                 width, row);
      for (int i = 0; i < width; ++i) row[i] *= base_.shape.embedding_scale;
    }
  });
}

const float* Decoder::forward(const Packed& batch, const PassOptions& options) {
  options_ = options;
  const int positions = 1 + *std::max_element(batch.positions.begin(), batch.positions.end());
  rope_all_.reserve(positions);
  rope_window_.reserve(positions);
  const int below = frozen_layers(batch, positions);
  for (int layer = below; layer < base_.shape.layers; ++layer) forward_layer(layer, batch);
  const int rows = static_cast<int>(batch.loss_rows.size()), width = base_.shape.width;
  float* hidden = hidden_.resize(size_of(rows, width));
  rmsnorm(pool_, rows, width, x_.data(), base_.final_norm.data(), base_.shape.norm_epsilon, hidden);
  return hidden;
}

// x_: what goes into the first layer that is left, whose number is returned.
int Decoder::frozen_layers(const Packed& batch, int positions) {
  const int rows = batch.rows(), width = base_.shape.width;
  layers_computed_ = base_.shape.layers;
  // Beyond a window, how a row's sums are grouped depends on its company, to the last bit.
  if (!frozen_ || (base_.shape.window > 0 && positions > base_.shape.window)) {
    embed(batch);
    return 0;
  }
  const int lowest = adapter_.lowest_layer();
  if (frozen_->load(pool_, batch, width, x_.resize(size_of(rows, width)))) {
    layers_computed_ -= lowest;
    return lowest;
  }
  embed(batch);
  for (int layer = 0; layer < lowest; ++layer) forward_layer(layer, batch);
  frozen_->keep(pool_, batch, width, options_.exact, x_.data());
  return lowest;
}

// x_ in: [rows, width]; out: [queries, width].
void Decoder::forward_layer(int layer, const Packed& batch) {
  const bool keep = options_.keep && layer >= adapter_.lowest_layer();
  KeptLayer& kept = keep ? kept_[static_cast<size_t>(layer)] : spare_;
  if (keep) kept.x.store(pool_, x_.data(), batch.rows(), base_.shape.width, true);
  forward_attention(layer, batch, kept);
  const int rows = queries(layer, batch), width = base_.shape.width;
  const LayerWeights& w = base_.layers[static_cast<size_t>(layer)];
  const float* x = last(layer) ? loss_rows(batch, x_.data(), width, x_loss_) : x_.data();
  float* middle = middle_.resize(size_of(rows, width));
  if (w.post_attention_norm.empty()) {
    sum(pool_, rows, width, x, o_.data(), middle);
  } else {
    rmsnorm_residual(pool_, rows, width, o_.data(), w.post_attention_norm.data(),
                     base_.shape.norm_epsilon, x, middle);
  }
  forward_ffn(layer, rows, kept);
  float* out = x_.resize(size_of(rows, width));
  if (w.post_ffn_norm.empty()) {
    sum(pool_, rows, width, middle, down_.data(), out);
  } else {
    rmsnorm_residual(pool_, rows, width, down_.data(), w.post_ffn_norm.data(),
                     base_.shape.norm_epsilon, middle, out);
  }
}

// x_ -> o_ [queries, width]
void Decoder::forward_attention(int layer, const Packed& batch, KeptLayer& kept) {
  const Shape& s = base_.shape;
  const LayerWeights& w = base_.layers[static_cast<size_t>(layer)];
  const int rows = batch.rows(), wanted = queries(layer, batch);
  float* h = h_.resize(size_of(rows, s.width));
  rmsnorm(pool_, rows, s.width, x_.data(), w.attention_norm.data(), s.norm_epsilon, h);
  float* q = q_.resize(size_of(wanted, s.q_width()));
  float* k = k_.resize(size_of(rows, s.kv_width()));
  float* v = v_.resize(size_of(rows, s.kv_width()));
  const Projection qkv[] = {{Module::q, q}, {Module::k, k}, {Module::v, v}};
  if (last(layer)) {
    project({loss_rows(batch, h, s.width, h_loss_), wanted, s.width, layer, 4},
            std::span(qkv).first(1), kept);
    project({h, rows, s.width, layer, 0}, std::span(qkv).subspan(1), kept);
  } else {
    project({h, rows, s.width, layer, 0}, qkv, kept);
  }
  float* q_turned = q_turned_.resize(size_of(wanted, s.q_width()));
  float* k_turned = k_turned_.resize(size_of(rows, s.kv_width()));
  const auto norm = [](const std::vector<float>& n) { return n.empty() ? nullptr : n.data(); };
  head_norm_rope(pool_, rope(layer), query_positions(layer, batch), s.heads, q, norm(w.q_norm),
                 s.norm_epsilon, q_turned);
  head_norm_rope(pool_, rope(layer), batch.positions, s.kv_heads, k, norm(w.k_norm), s.norm_epsilon,
                 k_turned);
  float* out = attention_.resize(size_of(wanted, s.q_width()));
  float* lse = kept.lse.resize(size_of(wanted, s.heads));
  attention(pool_, attention_shape(layer), batch, q_turned, k_turned, v, out, lse);
  const Projection o[] = {{Module::o, o_.resize(size_of(wanted, s.width))}};
  project({out, wanted, s.q_width(), layer, 1}, o, kept);
  if (&kept == &spare_) return;
  kept.q.store(pool_, q, wanted, s.q_width(), options_.exact);
  kept.k.store(pool_, k, rows, s.kv_width(), options_.exact);
  kept.v.store(pool_, v, rows, s.kv_width(), options_.exact);
  kept.attention.store(pool_, out, wanted, s.q_width(), options_.exact);
  kept.o.store(pool_, o_.data(), wanted, s.width, options_.exact);
}

// middle_ -> down_ [rows, width]
void Decoder::forward_ffn(int layer, int rows, KeptLayer& kept) {
  const Shape& s = base_.shape;
  const LayerWeights& w = base_.layers[static_cast<size_t>(layer)];
  float* h = h_.resize(size_of(rows, s.width));
  rmsnorm(pool_, rows, s.width, middle_.data(), w.ffn_norm.data(), s.norm_epsilon, h);
  float* gate = gate_.resize(size_of(rows, s.ff));
  float* up = up_.resize(size_of(rows, s.ff));
  const Projection both[] = {{Module::gate, gate}, {Module::up, up}};
  project({h, rows, s.width, layer, 2}, both, kept);
  float* act = act_.resize(size_of(rows, s.ff));
  glu(pool_, s.gelu, rows, s.ff, gate, up, act);
  const Projection down[] = {{Module::down, down_.resize(size_of(rows, s.width))}};
  project({act, rows, s.ff, layer, 3}, down, kept);
  if (&kept == &spare_) return;
  kept.gate.store(pool_, gate, rows, s.ff, options_.exact);
  kept.up.store(pool_, up, rows, s.ff, options_.exact);
  if (!w.post_ffn_norm.empty()) kept.down.store(pool_, down_.data(), rows, s.width, options_.exact);
}

void Decoder::backward(const Packed& batch, const float* d_hidden) {
  const int rows = static_cast<int>(batch.loss_rows.size()), width = base_.shape.width;
  float* g = g_.resize(size_of(rows, width));
  rmsnorm_backward(pool_, rows, width, x_.data(), base_.final_norm.data(), base_.shape.norm_epsilon,
                   d_hidden, g, false);
  for (int layer = base_.shape.layers - 1; layer >= adapter_.lowest_layer(); --layer)
    backward_layer(layer, batch);
}

// g_ in: the gradient of the layer's output [queries, width]; out: that of its input [rows, width].
void Decoder::backward_layer(int layer, const Packed& batch) {
  KeptLayer& kept = kept_[static_cast<size_t>(layer)];
  const Shape& s = base_.shape;
  const LayerWeights& w = base_.layers[static_cast<size_t>(layer)];
  const int rows = queries(layer, batch), width = s.width;
  kept.x.load(pool_, x_.resize(size_of(batch.rows(), width)));
  kept.o.load(pool_, o_.resize(size_of(rows, width)));
  const float* x = last(layer) ? loss_rows(batch, x_.data(), width, x_loss_) : x_.data();
  float* middle = middle_.resize(size_of(rows, width));
  if (w.post_attention_norm.empty()) {
    sum(pool_, rows, width, x, o_.data(), middle);
  } else {
    rmsnorm_residual(pool_, rows, width, o_.data(), w.post_attention_norm.data(), s.norm_epsilon, x,
                     middle);
  }
  backward_ffn(layer, rows, kept);
  backward_attention(layer, batch, kept);
  backward_qkv(layer, batch);
}

// g_: the gradient of x + ffn(x) becomes that of x, at middle_.
void Decoder::backward_ffn(int layer, int rows, KeptLayer& kept) {
  const Shape& s = base_.shape;
  const LayerWeights& w = base_.layers[static_cast<size_t>(layer)];
  float* d_down = g_.data();
  if (!w.post_ffn_norm.empty()) {
    kept.down.load(pool_, down_.resize(size_of(rows, s.width)));
    d_down = d_h_.resize(size_of(rows, s.width));
    rmsnorm_backward(pool_, rows, s.width, down_.data(), w.post_ffn_norm.data(), s.norm_epsilon,
                     g_.data(), d_down, false);
  }
  float* gate = gate_.resize(size_of(rows, s.ff));
  float* up = up_.resize(size_of(rows, s.ff));
  kept.gate.load(pool_, gate);
  kept.up.load(pool_, up);
  float* act = act_.resize(size_of(rows, s.ff));
  glu(pool_, s.gelu, rows, s.ff, gate, up, act);
  float* d_act = d_wide_.resize(size_of(rows, s.ff));
  const Projection down[] = {{Module::down, d_down}};
  project_backward({act, rows, s.ff, layer, 3}, down, d_act, kept);
  glu_backward(pool_, s.gelu, rows, s.ff, gate, up, d_act);
  float* h = h_.resize(size_of(rows, s.width));
  rmsnorm(pool_, rows, s.width, middle_.data(), w.ffn_norm.data(), s.norm_epsilon, h);
  float* d_h = d_h_.resize(size_of(rows, s.width));
  const Projection both[] = {{Module::gate, gate}, {Module::up, up}};
  project_backward({h, rows, s.width, layer, 2}, both, d_h, kept);
  rmsnorm_backward(pool_, rows, s.width, middle_.data(), w.ffn_norm.data(), s.norm_epsilon, d_h,
                   g_.data(), true);
}

// g_ at middle_ -> d_q_, d_k_, d_v_: the gradients of the three projections' outputs.
void Decoder::backward_attention(int layer, const Packed& batch, KeptLayer& kept) {
  const Shape& s = base_.shape;
  const LayerWeights& w = base_.layers[static_cast<size_t>(layer)];
  const int rows = batch.rows(), wanted = queries(layer, batch);
  float* d_o = g_.data();
  if (!w.post_attention_norm.empty()) {
    d_o = d_h_.resize(size_of(wanted, s.width));
    rmsnorm_backward(pool_, wanted, s.width, o_.data(), w.post_attention_norm.data(),
                     s.norm_epsilon, g_.data(), d_o, false);
  }
  float* out = attention_.resize(size_of(wanted, s.q_width()));
  kept.attention.load(pool_, out);
  float* d_out = d_wide_.resize(size_of(wanted, s.q_width()));
  const Projection o[] = {{Module::o, d_o}};
  project_backward({out, wanted, s.q_width(), layer, 1}, o, d_out, kept);

  float* q = q_.resize(size_of(wanted, s.q_width()));
  float* k = k_.resize(size_of(rows, s.kv_width()));
  float* v = v_.resize(size_of(rows, s.kv_width()));
  kept.q.load(pool_, q);
  kept.k.load(pool_, k);
  kept.v.load(pool_, v);
  float* q_turned = q_turned_.resize(size_of(wanted, s.q_width()));
  float* k_turned = k_turned_.resize(size_of(rows, s.kv_width()));
  const auto norm = [](const std::vector<float>& n) { return n.empty() ? nullptr : n.data(); };
  const std::span<const int32_t> positions = query_positions(layer, batch);
  head_norm_rope(pool_, rope(layer), positions, s.heads, q, norm(w.q_norm), s.norm_epsilon,
                 q_turned);
  head_norm_rope(pool_, rope(layer), batch.positions, s.kv_heads, k, norm(w.k_norm), s.norm_epsilon,
                 k_turned);
  float* d_q = d_q_.resize(size_of(wanted, s.q_width()));
  float* d_k = d_k_.resize(size_of(rows, s.kv_width()));
  float* d_v = d_v_.resize(size_of(rows, s.kv_width()));
  attention_backward(pool_, attention_shape(layer), batch, q_turned, k_turned, v, out,
                     kept.lse.data(), d_out, d_q, d_k, d_v);
  head_norm_rope_backward(pool_, rope(layer), positions, s.heads, q, norm(w.q_norm), s.norm_epsilon,
                          d_q);
  head_norm_rope_backward(pool_, rope(layer), batch.positions, s.kv_heads, k, norm(w.k_norm),
                          s.norm_epsilon, d_k);
}

// g_ [queries, width] at middle_ -> g_ [rows, width] at the layer's input.
void Decoder::backward_qkv(int layer, const Packed& batch) {
  const Shape& s = base_.shape;
  KeptLayer& kept = kept_[static_cast<size_t>(layer)];
  const LayerWeights& w = base_.layers[static_cast<size_t>(layer)];
  const int rows = batch.rows(), wanted = queries(layer, batch), width = s.width;
  const bool needs_dx = layer > adapter_.lowest_layer();
  float* h = h_.resize(size_of(rows, width));
  rmsnorm(pool_, rows, width, x_.data(), w.attention_norm.data(), s.norm_epsilon, h);
  float* d_h = needs_dx ? d_h_.resize(size_of(rows, width)) : nullptr;
  const Projection qkv[] = {
      {Module::q, d_q_.data()}, {Module::k, d_k_.data()}, {Module::v, d_v_.data()}};
  if (!last(layer)) {
    project_backward({h, rows, width, layer, 0}, qkv, d_h, kept);
  } else {
    float* d_h_loss = needs_dx ? d_h_loss_.resize(size_of(wanted, width)) : nullptr;
    project_backward({loss_rows(batch, h, width, h_loss_), wanted, width, layer, 4},
                     std::span(qkv).first(1), d_h_loss, kept);
    project_backward({h, rows, width, layer, 0}, std::span(qkv).subspan(1), d_h, kept);
    if (!needs_dx) return;
    // Rows that predict nothing have had no gradient so far.
    float* g = g_rows_.resize(size_of(rows, width));
    std::memset(g, 0, size_of(rows, width) * sizeof(float));
    for (int64_t r = 0; r < wanted; ++r) {
      const int64_t row = int64_t{batch.loss_rows[static_cast<size_t>(r)]} * width;
      for (int i = 0; i < width; ++i) d_h[row + i] += d_h_loss[r * width + i];
      std::memcpy(g + row, g_.data() + r * width, static_cast<size_t>(width) * sizeof(float));
    }
    std::swap(g_, g_rows_);
  }
  if (needs_dx) {
    rmsnorm_backward(pool_, rows, width, x_.data(), w.attention_norm.data(), s.norm_epsilon, d_h,
                     g_.data(), true);
  }
}

size_t Decoder::bytes() const {
  size_t total = frozen_ ? frozen_->bytes() : 0;
  for (const KeptLayer& k : kept_) {
    for (const Kept* part : {&k.x, &k.q, &k.k, &k.v, &k.attention, &k.o, &k.gate, &k.up, &k.down})
      total += part->bytes();
    for (const Buffer<float>& xa : k.xa) total += xa.capacity_bytes();
  }
  for (const Buffer<float>* b :
       {&x_,   &x_loss_,   &middle_,   &h_,         &h_loss_,  &q_,        &k_,
        &v_,   &q_turned_, &k_turned_, &attention_, &o_,       &gate_,     &up_,
        &act_, &down_,     &g_,        &g_rows_,    &d_h_,     &d_h_loss_, &d_q_,
        &d_k_, &d_v_,      &d_wide_,   &hidden_,    &dropped_, &d_dropped_}) {
    total += b->capacity_bytes();
  }
  return total;
}

}  // namespace slipway::tune
