// The decoder's linear maps with their adapters: y = x·Wᵀ + b + s·(x·Aᵀ)·Bᵀ, forward and backward.
//
//     forward    XA   = X·Aᵀ                    [rows, rank]
//                Y    = X·Wᵀ + (s·XA)·Bᵀ        one product over in + rank
//     backward   dXA  = dY·B                    [rows, rank]
//                dX   = dY·W + (s·dXA)·A        one product over out + rank, of all projections
//                                               that read X
//                dBᵀ += (s·XA)ᵀ·dY              [rank, out]
//                dA  += (s·dXA)ᵀ·X              [rank, in]
//
// With dropout the adapters read X∘M instead of X, M being 0 or 1/(1 - p), one mask for all
// projections of one input.
#include <algorithm>

#include "tune/decoder.h"
#include "tune/philox.h"

namespace slipway::tune {
namespace {

size_t size_of(int rows, int width) {
  return static_cast<size_t>(rows) * static_cast<size_t>(width);
}

WeightMatrix matrix_a(const Adapter& adapter, const AdaptedWeight& w) {
  return float_matrix(adapter.parameters.data() + w.a, adapter.config().rank, w.in, w.in);
}
WeightMatrix matrix_b(const Adapter& adapter, const AdaptedWeight& w) {  // transposed: [rank, out]
  return float_matrix(adapter.parameters.data() + w.b, adapter.config().rank, w.out, w.out);
}

}  // namespace

// Calls f(flat index, factor) for rows of the mask, four random numbers at a time.
template <typename F>
static void for_mask(uint64_t seed, uint64_t stream, float dropout, int64_t begin, int64_t end,
                     F&& f) {
  const float keep = 1.0f / (1.0f - dropout);
  for (int64_t i = begin / 4 * 4; i < end; i += 4) {
    const auto random = philox(seed, stream, static_cast<uint64_t>(i / 4));
    for (int64_t j = std::max(begin, i); j < std::min(end, i + 4); ++j) {
      f(j, uniform(random[static_cast<size_t>(j - i)]) < dropout ? 0.0f : keep);
    }
  }
}

static uint64_t mask_stream(const PassOptions& options, int layer, int kind) {
  return (options.step + 1) << 16 | static_cast<uint64_t>(layer) << 4 |
         static_cast<uint64_t>(kind) << 1 | 1;
}

// X∘M, or X itself.
const float* Decoder::dropped_input(const Input& in) {
  if (options_.dropout <= 0) return in.x;
  float* out = dropped_.resize(size_of(in.rows, in.width));
  pool_.run_ranges(in.rows, 8, [&](int begin, int end) {
    for_mask(options_.seed, mask_stream(options_, in.layer, in.kind), options_.dropout,
             int64_t{begin} * in.width, int64_t{end} * in.width,
             [&](int64_t i, float factor) { out[i] = in.x[i] * factor; });
  });
  return out;
}

// dx += M∘d
void Decoder::add_dropped(const Input& in, const float* d, float* dx) {
  pool_.run_ranges(in.rows, 8, [&](int begin, int end) {
    for_mask(options_.seed, mask_stream(options_, in.layer, in.kind), options_.dropout,
             int64_t{begin} * in.width, int64_t{end} * in.width,
             [&](int64_t i, float factor) { dx[i] += d[i] * factor; });
  });
}

void Decoder::add_biases(int layer, int rows, std::span<const Projection> out) {
  for (const Projection& p : out) {
    const std::vector<float>& bias =
        base_.layers[static_cast<size_t>(layer)].bias[static_cast<size_t>(p.module)];
    if (!bias.empty()) add_bias(pool_, rows, static_cast<int>(bias.size()), bias.data(), p.y);
  }
}

void Decoder::project(const Input& in, std::span<const Projection> out, KeptLayer& kept) {
  const LayerWeights& weights = base_.layers[static_cast<size_t>(in.layer)];
  const int rank = adapter_.config().rank;
  packed_in_.set_precision(forward_precision(in.layer));
  packed_in_.pack(pool_, in.x, in.rows, in.width, in.width);
  const float* dropped = nullptr;
  std::vector<Product> narrow, wide;
  for (const Projection& p : out) {
    const auto m = static_cast<size_t>(p.module);
    wide.push_back({weights[p.module].rows,
                    p.y,
                    weights[p.module].rows,
                    {{&packed_in_, transposed(weights[p.module])}}});
    const AdaptedWeight* w = adapter_.find(in.layer, p.module);
    if (!w) continue;
    if (!dropped && (dropped = dropped_input(in)) != in.x) {
      packed_dropped_.pack(pool_, dropped, in.rows, in.width, in.width);
    }
    const PackedRows& x = dropped == in.x ? packed_in_ : packed_dropped_;
    narrow.push_back({rank,
                      kept.xa[m].resize(size_of(in.rows, rank)),
                      rank,
                      {{&x, transposed(matrix_a(adapter_, *w))}}});
    wide.back().terms.push_back({&packed_xa_[m], plain(matrix_b(adapter_, *w))});
  }
  multiply(pool_, narrow);
  for (const Projection& p : out) {
    const auto m = static_cast<size_t>(p.module);
    if (adapter_.find(in.layer, p.module)) {
      packed_xa_[m].pack(pool_, kept.xa[m].data(), in.rows, rank, rank, adapter_.scale());
    }
  }
  multiply(pool_, wide);
  add_biases(in.layer, in.rows, out);
}

// Adds the products for dA and dBᵀ of one projection, whose dXA is ready.
void Decoder::adapter_gradients(const Input& in, const Projection& p, const float* dropped,
                                std::vector<Product>& products, KeptLayer& kept) {
  const auto m = static_cast<size_t>(p.module);
  const AdaptedWeight& w = *adapter_.find(in.layer, p.module);
  const int rank = adapter_.config().rank;
  packed_xa_across_[m].pack_transposed(pool_, kept.xa[m].data(), rank, in.rows, rank,
                                       adapter_.scale());
  packed_dxa_across_[m].pack_transposed(pool_, d_xa_[m].data(), rank, in.rows, rank,
                                        adapter_.scale());
  const WeightMatrix dy = float_matrix(p.y, in.rows, w.out, w.out),
                     x = float_matrix(dropped, in.rows, w.in, w.in);
  float* gradients = adapter_.gradients.data();
  products.push_back({w.out, gradients + w.b, w.out, {{&packed_xa_across_[m], plain(dy)}}, true});
  products.push_back({w.in, gradients + w.a, w.in, {{&packed_dxa_across_[m], plain(x)}}, true});
}

// dx may be null: nobody needs it.
void Decoder::project_backward(const Input& in, std::span<const Projection> d_out, float* dx,
                               KeptLayer& kept) {
  const LayerWeights& weights = base_.layers[static_cast<size_t>(in.layer)];
  const int rank = adapter_.config().rank;
  std::vector<Product> narrow, wide;
  Product to_x{in.width, dx, in.width, {}, false},
      to_dropped{in.width, nullptr, in.width, {}, false};
  for (const Projection& p : d_out) {
    const auto m = static_cast<size_t>(p.module);
    const AdaptedWeight* w = adapter_.find(in.layer, p.module);
    packed_dy_[m].set_precision(precision());
    if (w || dx)
      packed_dy_[m].pack(pool_, p.y, in.rows, weights[p.module].rows, weights[p.module].rows);
    if (dx) to_x.terms.push_back({&packed_dy_[m], plain(weights[p.module])});
    if (!w) continue;
    narrow.push_back({rank,
                      d_xa_[m].resize(size_of(in.rows, rank)),
                      rank,
                      {{&packed_dy_[m], transposed(matrix_b(adapter_, *w))}}});
  }
  multiply(pool_, narrow);
  const float* dropped = narrow.empty() ? in.x : dropped_input(in);
  for (const Projection& p : d_out) {
    const auto m = static_cast<size_t>(p.module);
    const AdaptedWeight* w = adapter_.find(in.layer, p.module);
    if (!w) continue;
    adapter_gradients(in, p, dropped, wide, kept);
    if (!dx) continue;
    packed_dxa_[m].pack(pool_, d_xa_[m].data(), in.rows, rank, rank, adapter_.scale());
    (dropped == in.x ? to_x : to_dropped)
        .terms.push_back({&packed_dxa_[m], plain(matrix_a(adapter_, *w))});
  }
  if (dx) wide.push_back(to_x);
  if (dx && !to_dropped.terms.empty()) {
    to_dropped.c = d_dropped_.resize(size_of(in.rows, in.width));
    wide.push_back(to_dropped);
  }
  multiply(pool_, wide);
  if (dx && !to_dropped.terms.empty()) add_dropped(in, to_dropped.c, dx);
}

}  // namespace slipway::tune
