// For tests of this layer: small random models as GGUF files, and the decoder once more, in double
// precision, written as plainly as it can be: one example, one loop per formula, no packing, no
// tiles. What the fast code is held against.
//
//     const std::string path = testing::tiny_model("gemma3", {});
//     testing::Reference reference(*base, adapter);
//     double loss = reference.loss(example);            // the sum over completion tokens
#pragma once

#include <string>
#include <vector>

#include "tune/adapter.h"
#include "tune/base_model.h"
#include "tune/batch.h"

namespace slipway::tune::testing {

struct TinyShape {
  int layers = 3, width = 32, ff = 64, heads = 4, kv_heads = 2, head = 16, vocabulary = 61,
      window = 5;
  WeightType type = WeightType::f32;
  bool tied = true;
  uint32_t seed = 3;
};
// Writes the model into the temporary folder and returns its path.
std::string tiny_model(const std::string& architecture, const TinyShape& shape);

std::vector<Example> random_examples(int count, int vocabulary, uint32_t seed,
                                     const std::vector<int32_t>& prefix = {});
// B is zero at first: half the gradients would be, too.
void randomize(Adapter& adapter, uint32_t seed, float size = 0.1f);

class Reference {
 public:
  Reference(const BaseModel& base, const Adapter& adapter);
  // A and Bᵀ as the adapter lays them out; change them for finite differences.
  std::vector<double> parameters;
  double loss(const Example& example) const;
  // [tokens][vocabulary]
  std::vector<std::vector<double>> logits(const std::vector<int32_t>& tokens) const;

 private:
  using Matrix = std::vector<std::vector<double>>;
  Matrix linear(int layer, Module m, const Matrix& x) const;
  Matrix attention(int layer, const Matrix& q, const Matrix& k, const Matrix& v) const;
  void rope(int layer, Matrix& x, int heads, const std::vector<float>& norm) const;

  const BaseModel& base_;
  const Adapter& adapter_;
  std::vector<std::array<Matrix, module_count>> weights_;
  Matrix embedding_, head_;
};

}  // namespace slipway::tune::testing
