// What an attempt changes; an implementation detail of lab/optimize.h. Pure: the same arguments
// give the same attempts.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "dataset/dataset.h"
#include "lab/optimize.h"

namespace slipway::lab {

// Worked examples by the function that they call first, each list shuffled by the seed.
class ExamplePool {
 public:
  ExamplePool(const std::vector<dataset::Example>& rows, uint64_t seed);
  size_t size() const { return size_; }
  // `count` different ones, a function each in turn; of `wanted` functions first.
  std::vector<WorkedExample> draw(std::mt19937_64& random, size_t count,
                                  const std::vector<std::string>& wanted = {}) const;

 private:
  std::map<std::string, std::vector<WorkedExample>> by_function_;
  size_t size_ = 0;
};

// "lights.turn_on" of "lights.turn_on(room='hall')".
std::string function_of(const std::string& output);

struct Move {
  std::string what;
  PromptParts parts;
};

// The `index`-th attempt of a generation. `failing`: functions that the best gets wrong.
Move make_move(const PromptParts& best, const ExamplePool& pool,
               const std::vector<std::string>& instructions,
               const std::vector<std::string>& failing, uint64_t seed, int generation, int index);

}  // namespace slipway::lab
