// Near-duplicate texts among many: shingles, MinHash signatures and locality-sensitive hashing.
//
//     auto a = shingles(normalised("Weather in Boston?")), b = ...;
//     jaccard(a, b)              // 1.0: the same shingles
//     NearIndex index;
//     index.add(a);              // numbers of the earlier texts that are probably near: none
//
// 24 bands of 5 hashes: two texts of similarity 0.85 are found with probability 1 - 1e-6, of 0.8
// with 1 - 7e-5; the caller then computes the true similarity. Deterministic. NearIndex: one
// thread. Source: A. Broder, "On the resemblance and containment of documents", 1997; Leskovec,
// Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace slipway::dataset {

// Lower case, punctuation as space, spaces folded: what makes no difference to a reader.
std::string normalised(std::string_view text);

// Hashes of every four bytes in a row (of the whole when shorter), sorted, each once.
std::vector<uint64_t> shingles(std::string_view text);

// Of two sorted sets: common / all; 1 when both are empty.
double jaccard(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b);

class NearIndex {
 public:
  static constexpr size_t bands = 24, rows = 5;
  // A text with very many near ones is compared with the newest of them only, so that the work
  // stays linear.
  static constexpr size_t most_per_bucket = 64;

  // Takes the next text and tells which earlier ones share a band with it, in order, each once.
  std::vector<uint32_t> add(const std::vector<uint64_t>& shingles);

 private:
  uint32_t size_ = 0;
  std::array<std::unordered_map<uint64_t, std::vector<uint32_t>>, bands> buckets_;
};

}  // namespace slipway::dataset
