// ggml's flash attention computed by us: a row's result does not depend on what else is in the
// batch (docs/decisions/0006-batch-invariance.md), and queries that look at the same cells share
// the work of reading them (0023-own-attention.md). One of the files that know ggml inside.
//
//     if (auto* traits = attention_traits(op)) {
//       traits->compute_forward(params, op);  // by each thread of ggml's
//     }
//
// Takes GGML_OP_FLASH_ATTN_EXT over half-precision keys and values whose sizes are multiples of 16,
// with mask, sinks, soft cap and ALiBi; what else there is, ggml does. Queries [K, tokens, heads,
// streams], keys [K, cells, key heads, streams], values [V, cells, ...], mask [cells, tokens, 1 or
// heads, 1 or streams], result [V, heads, tokens, streams], the first number being the inner one.
#pragma once

struct ggml_tensor;
namespace ggml::cpu {
class tensor_traits;
}

namespace slipway::model {

// Null for what is not ours.
ggml::cpu::tensor_traits* attention_traits(const ggml_tensor* op);

}  // namespace slipway::model
