#include "tune/gemm.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "tune/brain.h"

using namespace slipway::tune;

namespace {

std::vector<float> random_floats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> out(count);
  for (float& x : out) x = uniform(random);
  return out;
}

struct Shape {
  int rows, cols, depth;
};

// |got - want| against the rounding that a sum of `depth` products of numbers below 1 may show.
void check_close(const std::vector<float>& got, const std::vector<double>& want, int depth) {
  double worst = 0;
  for (size_t i = 0; i < want.size(); ++i)
    worst = std::max(worst, std::abs(double(got[i]) - want[i]));
  CHECK(worst < 1e-6 * (2 + std::sqrt(double(depth))));
}

}  // namespace

TEST_CASE("products equal a double reference in every orientation and at every edge") {
  ThreadPool pool(2);
  for (const Shape s : {Shape{1, 1, 1}, Shape{6, 16, 8}, Shape{7, 17, 33}, Shape{50, 100, 70},
                        Shape{13, 64, 700}, Shape{250, 20, 9}, Shape{3, 130, 641}}) {
    CAPTURE(s.rows);
    CAPTURE(s.cols);
    CAPTURE(s.depth);
    const auto m = size_t(s.rows), n = size_t(s.cols), k = size_t(s.depth);
    const std::vector<float> a = random_floats(m * k, 1), b = random_floats(n * k, 2),
                             c0 = random_floats(m * n, 3);
    for (int variant = 0; variant < 8; ++variant) {
      const bool a_transposed = variant & 1, b_transposed = variant & 2, accumulate = variant & 4;
      PackedRows packed;
      if (a_transposed) {
        packed.pack_transposed(pool, a.data(), s.rows, s.depth, s.rows, 0.5f);
      } else {
        packed.pack(pool, a.data(), s.rows, s.depth, s.depth, 0.5f);
      }
      const Operand right = b_transposed
                                ? transposed(float_matrix(b.data(), s.cols, s.depth, s.depth))
                                : plain(float_matrix(b.data(), s.depth, s.cols, s.cols));
      std::vector<float> c = c0;
      const Product product{s.cols, c.data(), s.cols, {{&packed, right}}, accumulate};
      multiply(pool, std::span(&product, 1));
      std::vector<double> want(m * n);
      for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) {
          double sum = accumulate ? c0[i * n + j] : 0;
          for (size_t x = 0; x < k; ++x) {
            sum += 0.5 * double(a_transposed ? a[x * m + i] : a[i * k + x]) *
                   double(b_transposed ? b[j * k + x] : b[x * n + j]);
          }
          want[i * n + j] = sum;
        }
      }
      check_close(c, want, s.depth);
      std::vector<float> here = c0;
      multiply_here({s.cols, here.data(), s.cols, {{&packed, right}}, accumulate});
      CHECK(std::memcmp(here.data(), c.data(), c.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("bfloat16 products equal a double reference of the rounded numbers") {
  ThreadPool pool(2);
  for (const Shape s : {Shape{1, 1, 1}, Shape{12, 16, 8}, Shape{7, 17, 33}, Shape{50, 100, 701},
                        Shape{13, 64, 700}, Shape{250, 20, 9}}) {
    const auto m = size_t(s.rows), n = size_t(s.cols), k = size_t(s.depth);
    std::vector<float> a = random_floats(m * k, 1), b = random_floats(n * k, 2);
    PackedRows packed(Precision::brain);
    packed.pack(pool, a.data(), s.rows, s.depth, s.depth);
    for (float& x : a) x = high_brain(rounded_to_brain(x));
    for (const bool b_transposed : {false, true}) {
      const Operand right = b_transposed
                                ? transposed(float_matrix(b.data(), s.cols, s.depth, s.depth))
                                : plain(float_matrix(b.data(), s.depth, s.cols, s.cols));
      std::vector<float> c(m * n, 1);
      const Product product{s.cols, c.data(), s.cols, {{&packed, right}}, true};
      multiply(pool, std::span(&product, 1));
      std::vector<double> want(m * n, 1);
      for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) {
          for (size_t x = 0; x < k; ++x) {
            const float y = b_transposed ? b[j * k + x] : b[x * n + j];
            want[i * n + j] += double(a[i * k + x]) * double(high_brain(rounded_to_brain(y)));
          }
        }
      }
      check_close(c, want, s.depth);
    }
  }
}

TEST_CASE("rounding to bfloat16: nearest, ties to even, not-a-numbers stay") {
  CHECK(brain_pair(1.0f, -2.5f) == 0xc020'3f80);
  CHECK(high_brain(rounded_to_brain(std::bit_cast<float>(0x3f80'8000u))) == 1.0f);
  CHECK(high_brain(rounded_to_brain(std::bit_cast<float>(0x3f81'8000u))) ==
        std::bit_cast<float>(0x3f82'0000u));
  CHECK(high_brain(rounded_to_brain(INFINITY)) == INFINITY);
  CHECK(std::isnan(high_brain(rounded_to_brain(std::bit_cast<float>(0x7f80'0001u)))));
}

TEST_CASE("this processor's bfloat16 kernel gives the portable one's bits") {
  const std::vector<float> a = random_floats(24 * 77, 1), b = random_floats(32 * 77, 2);
  std::vector<uint32_t> a0(6 * 77), a1(6 * 77), bs(16 * 77);
  neighbours_to_pairs(a.data(), 6 * 77, a0.data());
  neighbours_to_pairs(a.data() + 12 * 77, 6 * 77, a1.data());
  neighbours_to_pairs(b.data(), 16 * 77, bs.data());
  std::vector<float> got(12 * 20, 3), want(12 * 20, 3);
  brain_kernel()(77, a0.data(), a1.data(), bs.data(), got.data(), 20, true);
  portable::brain_12x16(77, a0.data(), a1.data(), bs.data(), want.data(), 20, true);
  CHECK(std::memcmp(got.data(), want.data(), got.size() * sizeof(float)) == 0);
}

TEST_CASE("a sum of products of different depths lands in one result") {
  ThreadPool pool(1);
  const int rows = 20, cols = 48;
  const std::vector<float> a1 = random_floats(20 * 100, 1), b1 = random_floats(48 * 100, 2);
  const std::vector<float> a2 = random_floats(20 * 16, 3), b2 = random_floats(16 * 48, 4);
  PackedRows p1, p2;
  p1.pack_here(a1.data(), rows, 100, 100);
  p2.pack_here(a2.data(), rows, 16, 16);
  std::vector<float> c(20 * 48);
  const Product product{cols,
                        c.data(),
                        cols,
                        {{&p1, transposed(float_matrix(b1.data(), 48, 100, 100))},
                         {&p2, plain(float_matrix(b2.data(), 16, 48, 48))}}};
  multiply(pool, std::span(&product, 1));
  std::vector<double> want(20 * 48);
  for (size_t i = 0; i < 20; ++i) {
    for (size_t j = 0; j < 48; ++j) {
      for (size_t k = 0; k < 100; ++k)
        want[i * 48 + j] += double(a1[i * 100 + k]) * double(b1[j * 100 + k]);
      for (size_t k = 0; k < 16; ++k)
        want[i * 48 + j] += double(a2[i * 16 + k]) * double(b2[k * 48 + j]);
    }
  }
  check_close(c, want, 116);
}

TEST_CASE("bits do not depend on threads, nor a row on its neighbours") {
  const int rows = 61, cols = 200, depth = 700;
  const std::vector<float> a = random_floats(61 * 700, 1), b = random_floats(200 * 700, 2);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    PackedRows packed;
    packed.pack(pool, a.data(), rows, depth, depth);
    std::vector<float> c(61 * 200);
    const Product product{
        cols, c.data(), cols, {{&packed, transposed(float_matrix(b.data(), cols, depth, depth))}}};
    multiply(pool, std::span(&product, 1));
    results.push_back(c);
  }
  CHECK(std::memcmp(results[0].data(), results[1].data(), results[0].size() * 4) == 0);
  CHECK(std::memcmp(results[0].data(), results[2].data(), results[0].size() * 4) == 0);

  PackedRows one;
  one.pack_here(a.data() + 40 * 700, 1, depth, depth);
  std::vector<float> row(200);
  multiply_here(
      {cols, row.data(), cols, {{&one, transposed(float_matrix(b.data(), cols, depth, depth))}}});
  CHECK(std::memcmp(row.data(), results[0].data() + 40 * 200, 200 * 4) == 0);
}

TEST_CASE("the kernel equals its portable twin") {
  const std::vector<float> a = random_floats(6 * 100, 1), b = random_floats(100 * 40, 2),
                           c0 = random_floats(6 * 30, 3);
  for (const bool accumulate : {false, true}) {
    std::vector<float> fast = c0, slow = c0;
    kernel_6x16(100, a.data(), b.data(), 40, fast.data(), 30, accumulate);
    portable::kernel_6x16(100, a.data(), b.data(), 40, slow.data(), 30, accumulate);
    check_close(fast, std::vector<double>(slow.begin(), slow.end()), 100);
  }
}

TEST_CASE("a pool runs every index once") {
  ThreadPool pool(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<int> hits(static_cast<size_t>(round), 0);
    pool.run(round, [&](int i, int worker) {
      CHECK_MESSAGE(worker < 3, worker);
      ++hits[static_cast<size_t>(i)];
    });
    for (const int h : hits) REQUIRE(h == 1);
  }
}
