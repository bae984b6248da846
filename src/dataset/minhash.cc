#include "dataset/minhash.h"

#include <algorithm>
#include <limits>

namespace slipway::dataset {
namespace {

constexpr size_t shingle_bytes = 4;

// SplitMix64's finaliser (Steele et al. 2014): a bijection, so that equal inputs alone give equal
// hashes.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

uint64_t hash_of(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (unsigned char c : bytes) hash = (hash ^ c) * 0x100000001b3;
  return mix(hash);
}

uint64_t least(const std::vector<uint64_t>& shingles, uint64_t seed) {
  uint64_t lowest = std::numeric_limits<uint64_t>::max();
  for (auto shingle : shingles) lowest = std::min(lowest, mix(shingle ^ seed));
  return lowest;
}

bool is_word_byte(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
}

}  // namespace

std::string normalised(std::string_view text) {
  std::string clean;
  for (unsigned char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<unsigned char>(c - 'A' + 'a');
    if (c == '\'') continue;  // "what's" is "whats"
    if (is_word_byte(c)) {
      clean += static_cast<char>(c);
    } else if (!clean.empty() && clean.back() != ' ') {
      clean += ' ';
    }
  }
  if (!clean.empty() && clean.back() == ' ') clean.pop_back();
  return clean;
}

std::vector<uint64_t> shingles(std::string_view text) {
  std::vector<uint64_t> set;
  if (!text.empty() && text.size() < shingle_bytes) set.push_back(hash_of(text));
  for (size_t i = 0; i + shingle_bytes <= text.size(); ++i)
    set.push_back(hash_of(text.substr(i, shingle_bytes)));
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  return set;
}

double jaccard(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  if (a.empty() && b.empty()) return 1;
  size_t common = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    common += a[i] == b[j];
    const bool first = a[i] <= b[j], second = b[j] <= a[i];
    i += first;
    j += second;
  }
  return static_cast<double>(common) / static_cast<double>(a.size() + b.size() - common);
}

std::vector<uint32_t> NearIndex::add(const std::vector<uint64_t>& shingles) {
  std::vector<uint32_t> near;
  for (size_t band = 0; band < bands; ++band) {
    uint64_t key = 0;
    for (size_t row = 0; row < rows; ++row)
      key = mix(key ^ least(shingles, mix(band * rows + row + 1)));
    auto& bucket = buckets_[band][key];
    const auto first = bucket.size() > most_per_bucket ? bucket.size() - most_per_bucket : 0;
    near.insert(near.end(), bucket.begin() + static_cast<std::ptrdiff_t>(first), bucket.end());
    bucket.push_back(size_);
  }
  ++size_;
  std::sort(near.begin(), near.end());
  near.erase(std::unique(near.begin(), near.end()), near.end());
  return near;
}

}  // namespace slipway::dataset
