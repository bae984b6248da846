#include "tune/frozen.h"

#include <algorithm>
#include <cstring>

namespace slipway::tune {
namespace {

constexpr size_t entry_bytes = 48;  // of the table, about

// SplitMix64's finisher over a chain.
uint64_t chained(uint64_t hash, int32_t token) {
  uint64_t x = hash ^ (static_cast<uint64_t>(static_cast<uint32_t>(token)) + 0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

void FrozenRows::hash_rows(const Packed& batch) {
  keys_.resize(static_cast<size_t>(batch.rows()));
  for (const Segment& segment : batch.segments) {
    uint64_t hash = 0;
    if (segment.parent >= 0) {
      const Segment& parent = batch.segments[static_cast<size_t>(segment.parent)];
      hash = keys_[static_cast<size_t>(parent.first_row + parent.rows - 1)];
    }
    for (int r = segment.first_row; r < segment.first_row + segment.rows; ++r) {
      hash = chained(hash, batch.tokens[static_cast<size_t>(r)]);
      keys_[static_cast<size_t>(r)] = hash;
    }
  }
}

bool FrozenRows::load(ThreadPool& pool, const Packed& batch, int width, float* x) {
  hash_rows(batch);
  std::vector<Place> places;
  for (const uint64_t key : keys_) {
    const auto found = places_.find(key);
    if (found == places_.end()) return false;
    places.push_back(found->second);
  }
  pool.run_ranges(batch.rows(), 8, [&](int begin, int end) {
    for (int64_t r = begin; r < end; ++r) {
      const Place& place = places[static_cast<size_t>(r)];
      blocks_[place.block].load_row(place.row, x + r * width);
    }
  });
  return true;
}

void FrozenRows::keep(ThreadPool& pool, const Packed& batch, int width, bool exact, float* x) {
  const auto size = static_cast<size_t>(width);
  std::vector<size_t> unknown;
  const size_t row_bytes = size * (exact ? 4 : 2) + entry_bytes;
  for (size_t r = 0; r < keys_.size() && bytes_ + row_bytes <= most_bytes_; ++r) {
    const Place place{static_cast<uint32_t>(blocks_.size()), static_cast<int32_t>(unknown.size())};
    if (!places_.try_emplace(keys_[r], place).second) continue;
    unknown.push_back(r);
    bytes_ += row_bytes;
  }
  if (!unknown.empty()) {
    float* rows = new_rows_.resize(unknown.size() * size);
    for (size_t i = 0; i < unknown.size(); ++i)
      std::memcpy(rows + i * size, x + unknown[i] * size, size * sizeof(float));
    blocks_.emplace_back().store(pool, rows, static_cast<int>(unknown.size()), width, exact);
  }
  all_.store(pool, x, batch.rows(), width, exact);
  all_.load(pool, x);
}

}  // namespace slipway::tune
