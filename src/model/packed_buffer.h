// Puts packed_matrix.h under llama.cpp: a ggml buffer type whose weights are packed as they are
// loaded and whose matrix products are ours; attention.h comes with it. One of the files that know
// ggml's inner headers.
//
//     use_packed_weights();      // once, before the first model is opened
//
// After it, models opened with `use_extra_bufts` hold their quantised matrices (the token table for
// looking up excepted) in packed form and all models' flash attention is attention.h's; other types
// and operations stay ggml's.
// Not thread-safe: called once, from start-up.
//
//     WantedRows wanted(vocabulary);
//     wanted.add(token);                 // for each token that may come next
//     const OnlyRows only(wanted);       // while it lives
//     llama_decode(...);                 // in this thread
//
// Then products with a matrix of so many rows (the vocabulary's head, most of a small model) are
// done for the wanted rows and their neighbours alone; the other results are left undefined.
#pragma once

#include <cstdint>
#include <vector>

namespace slipway::model {

void use_packed_weights();

class WantedRows {
 public:
  explicit WantedRows(int64_t rows);
  void add(int64_t row);
  void clear();
  int64_t rows() const { return rows_; }
  const std::vector<int64_t>& panels() const { return panels_; }

 private:
  int64_t rows_;
  std::vector<bool> has_;  // by panel
  std::vector<int64_t> panels_;
};

class OnlyRows {
 public:
  explicit OnlyRows(const WantedRows& wanted);
  ~OnlyRows();
  OnlyRows(const OnlyRows&) = delete;
  OnlyRows& operator=(const OnlyRows&) = delete;
};

}  // namespace slipway::model
