// For processors without a file of their own; the compiler splits the vectors.
#include "model/attention_step.inc"

namespace slipway::model::attention {

void portable_step(const Tile& tile, const float* keys, const float* values, const float* bias) {
  step(tile, keys, values, bias);
}

}  // namespace slipway::model::attention
