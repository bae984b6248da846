#include "model/packed_matrix.h"

#include <doctest/doctest.h>
#include <ggml.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

using namespace slipway::model;

namespace {

struct Case {
  PackedType packed;
  ggml_type ggml;
};
const Case kCases[] = {{PackedType::q4_0, GGML_TYPE_Q4_0}, {PackedType::q5_0, GGML_TYPE_Q5_0},
                       {PackedType::q8_0, GGML_TYPE_Q8_0}, {PackedType::q4_k, GGML_TYPE_Q4_K},
                       {PackedType::q5_k, GGML_TYPE_Q5_K}, {PackedType::q6_k, GGML_TYPE_Q6_K}};
constexpr int64_t kRows = 37, kColumns = 512;  // the last panel is not full
constexpr PackedKernel kKernels[] = {PackedKernel::portable, PackedKernel::avx2,
                                     PackedKernel::avx512_vnni};

std::vector<float> random_values(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (auto& x : out) x = normal(random);
  return out;
}

struct Matrix {
  std::vector<std::byte> gguf, packed;
  PackedShape shape;
};

Matrix random_matrix(const Case& c) {
  const auto values = random_values(kRows * kColumns, 1);
  Matrix m{std::vector<std::byte>(ggml_row_size(c.ggml, kColumns) * kRows),
           {},
           {c.packed, kRows, kColumns}};
  ggml_quantize_chunk(c.ggml, values.data(), m.gguf.data(), 0, kRows, kColumns, nullptr);
  m.packed.resize(packed_bytes(m.shape));
  pack(m.shape, m.gguf.data(), 0, 1, m.packed.data());
  pack(m.shape, m.gguf.data(), 1, panel_count(m.shape), m.packed.data());
  return m;
}

std::vector<float> product(const Matrix& m, const std::vector<float>& x, int64_t tokens) {
  std::vector<std::byte> activations(activation_bytes(kColumns, tokens));
  for (int64_t t = 0; t < tokens; ++t) {
    quantise(m.shape, x.data() + t * kColumns, t, tokens, activations.data());
  }
  std::vector<float> out(static_cast<size_t>(kRows * tokens), -1.0f);
  multiply(m.shape, m.packed.data(), 0, panel_count(m.shape), activations.data(), tokens,
           out.data(), kRows);
  return out;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("packed matrix: the product is that of the file's own numbers") {
  for (const auto& c : kCases) {
    CAPTURE(ggml_type_name(c.ggml));
    const auto m = random_matrix(c);
    std::vector<float> weights(static_cast<size_t>(kRows * kColumns));
    ggml_get_type_traits(c.ggml)->to_float(m.gguf.data(), weights.data(), kRows * kColumns);
    const auto x = random_values(kColumns * 3, 2);
    const auto y = product(m, x, 3);
    for (int64_t t = 0; t < 3; ++t) {
      for (int64_t r = 0; r < kRows; ++r) {
        double expected = 0;
        for (int64_t k = 0; k < kColumns; ++k) {
          expected += static_cast<double>(weights[static_cast<size_t>(r * kColumns + k)]) *
                      x[static_cast<size_t>(t * kColumns + k)];
        }
        // Rounding activations to 8 bits: about 0.4 % of the products, in random directions.
        CHECK(std::fabs(y[static_cast<size_t>(t * kRows + r)] - expected) <
              0.02 * std::sqrt(static_cast<double>(kColumns)));
      }
    }
  }
}

TEST_CASE("packed matrix: whole numbers come out whole") {
  // Activations that 8 bits hold exactly, so any slip of a bit or an index shows.
  for (const auto& c : kCases) {
    CAPTURE(ggml_type_name(c.ggml));
    const auto m = random_matrix(c);
    std::vector<float> weights(static_cast<size_t>(kRows * kColumns));
    ggml_get_type_traits(c.ggml)->to_float(m.gguf.data(), weights.data(), kRows * kColumns);
    std::mt19937 random(3);
    std::vector<float> x(kColumns);
    for (size_t k = 0; k < x.size(); ++k) {
      x[k] = k % 32 == 0 ? 127.0f : static_cast<float>(static_cast<int>(random() % 255) - 127);
    }
    const auto y = product(m, x, 1);
    for (size_t r = 0; r < static_cast<size_t>(kRows); ++r) {
      double expected = 0, size = 0;
      for (size_t k = 0; k < x.size(); ++k) {
        const double term = static_cast<double>(weights[r * kColumns + k]) * x[k];
        expected += term;
        size += std::fabs(term);
      }
      CHECK(std::fabs(y[r] - expected) < 1e-6 * size);
    }
  }
}

TEST_CASE("packed matrix: every kernel gives the same bits, alone and together") {
  constexpr int64_t kTokens = 15;  // leaves every remainder of the kernels' widths
  const auto x = random_values(kColumns * kTokens, 4);
  for (const auto& c : kCases) {
    CAPTURE(ggml_type_name(c.ggml));
    const auto m = random_matrix(c);
    use_kernel(PackedKernel::portable);
    const auto reference = product(m, x, kTokens);
    for (auto kernel : kKernels) {
      if (!can_run(kernel)) {
        MESSAGE("this processor has no such kernel: " << static_cast<int>(kernel));
        continue;
      }
      use_kernel(kernel);
      CHECK(same_bits(product(m, x, kTokens), reference));
      for (int64_t t = 0; t < kTokens; ++t) {
        const std::vector<float> one(x.begin() + t * kColumns, x.begin() + (t + 1) * kColumns);
        const std::vector<float> row(reference.begin() + t * kRows,
                                     reference.begin() + (t + 1) * kRows);
        CHECK(same_bits(product(m, one, 1), row));
      }
    }
  }
  use_kernel(can_run(PackedKernel::avx512_vnni) ? PackedKernel::avx512_vnni
             : can_run(PackedKernel::avx2)      ? PackedKernel::avx2
                                                : PackedKernel::portable);
}

TEST_CASE("packed matrix: a row of zeros and one huge value") {
  const auto m = random_matrix(kCases[2]);
  std::vector<float> x(kColumns, 0.0f);
  for (float y : product(m, x, 1)) CHECK(y == 0.0f);
  x[5] = 1e30f;
  for (float y : product(m, x, 1)) CHECK(std::isfinite(y));
  CHECK_FALSE(supported({PackedType::q8_0, 4, 40}));
  CHECK_FALSE(supported({PackedType::q6_k, 4, 64}));
}
