// AVX2 with FMA: a vector is a register.
#include "model/attention_step.inc"

namespace slipway::model::attention {

void avx2_step(const Tile& tile, const float* keys, const float* values, const float* bias) {
  step(tile, keys, values, bias);
}

}  // namespace slipway::model::attention
