#include "tune/weights.h"

#include <doctest/doctest.h>
#include <ggml.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tune/gemm.h"

using namespace slipway::tune;

namespace {

std::vector<float> random_floats(size_t count) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> out(count);
  for (float& x : out) x = normal(random);
  return out;
}

std::vector<std::byte> quantize(WeightType type, const std::vector<float>& x, int64_t row) {
  const auto id = static_cast<ggml_type>(traits(type).ggml_id);
  const auto rows = static_cast<int64_t>(x.size()) / row;
  std::vector<std::byte> out(ggml_row_size(id, row) * static_cast<size_t>(rows));
  ggml_quantize_chunk(id, x.data(), out.data(), 0, rows, row, nullptr);
  return out;
}

constexpr WeightType all_types[] = {WeightType::f32,  WeightType::f16,  WeightType::bf16,
                                    WeightType::q4_0, WeightType::q5_0, WeightType::q8_0,
                                    WeightType::q4_k, WeightType::q5_k, WeightType::q6_k};

}  // namespace

TEST_CASE("every weight type turns into the floats that ggml makes of it") {
  const std::vector<float> x = random_floats(1024);
  for (const WeightType type : all_types) {
    CAPTURE(traits(type).name);
    const auto id = static_cast<ggml_type>(traits(type).ggml_id);
    CHECK(traits(type).name == ggml_type_name(traits(type).ggml_id));
    CHECK(traits(type).block_bytes == static_cast<int>(ggml_type_size(id)));
    CHECK(traits(type).block_size == static_cast<int>(ggml_blck_size(id)));
    const std::vector<std::byte> blocks = quantize(type, x, 1024);
    std::vector<float> want(1024), fast(1024), slow(1024);
    if (type == WeightType::f32) {
      want = x;
    } else {
      ggml_get_type_traits(id)->to_float(blocks.data(), want.data(), 1024);
    }
    dequantize(type, blocks.data(), 1024, fast.data());
    portable::dequantize(type, blocks.data(), 1024, slow.data());
    for (size_t i = 0; i < 1024; ++i) {
      REQUIRE(fast[i] == doctest::Approx(want[i]).epsilon(1e-6));
      REQUIRE(slow[i] == doctest::Approx(want[i]).epsilon(1e-6));
    }
  }
}

TEST_CASE("products with quantised weights, as they lie and transposed") {
  const int rows = 40, cols = 512, tokens = 9;
  const std::vector<float> w = random_floats(size_t(rows) * cols),
                           x = random_floats(size_t(tokens) * cols);
  for (const WeightType type : all_types) {
    CAPTURE(traits(type).name);
    const std::vector<std::byte> blocks = quantize(type, w, cols);
    const WeightMatrix m{type, blocks.data(), rows, cols,
                         static_cast<int64_t>(blocks.size()) / rows};
    std::vector<float> floats(w.size());
    dequantize(type, blocks.data(), static_cast<int64_t>(floats.size()), floats.data());
    const WeightMatrix f = float_matrix(floats.data(), rows, cols, cols);
    PackedRows in, back;
    in.pack_here(x.data(), tokens, cols, cols);
    back.pack_here(x.data(), tokens, rows, cols);
    std::vector<float> y1(9 * 40), y2(9 * 40), g1(9 * 512), g2(9 * 512);
    multiply_here({rows, y1.data(), rows, {{&in, transposed(m)}}});
    multiply_here({rows, y2.data(), rows, {{&in, transposed(f)}}});
    multiply_here({cols, g1.data(), cols, {{&back, plain(m)}}});
    multiply_here({cols, g2.data(), cols, {{&back, plain(f)}}});
    CHECK(y1 == y2);
    CHECK(g1 == g2);
  }
}

TEST_CASE("half precision: every half survives the round trip, and rounding is to nearest even") {
  for (uint32_t h = 0; h < 65536; ++h) {
    const float f = half_to_float(static_cast<uint16_t>(h));
    REQUIRE((std::isnan(f) || float_to_half(f) == h));
    const float want = ggml_fp16_to_fp32(static_cast<ggml_fp16_t>(h));
    REQUIRE((f == want || (std::isnan(f) && std::isnan(want))));
  }
  for (const float x :
       {1.00048828125f, 1.0009765625f, 65519.0f, 65520.0f, 1e-8f, 6e-8f, -0.1f, 1e10f}) {
    CHECK(float_to_half(x) == ggml_fp32_to_fp16(x));
  }
}
