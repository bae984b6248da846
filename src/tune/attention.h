// Causal attention over a packed batch: a row sees the rows before it in its own sequence, through
// shared prefixes, and in windowed layers only the nearest ones. Grouped heads (several query heads
// read one key head).
//
//     attention(pool, shape, packed, q, k, v, out, lse)
//     S = scale · Q·Kᵀ;  P = softmax(S, masked);  out = P·V
//
// `queries_are_losses`: q, out and lse have one row per loss row instead of one per row (the last
// layer needs no other). No mask and no score matrix of the whole batch ever exist: a task takes 64
// queries of one segment and one key head. The backward pass recomputes P from lse (as
// FlashAttention does, arXiv 2205.14135) and adds what each segment sends to its ancestors' keys
// and values in a fixed order, so bits do not depend on threads.
#pragma once

#include "tune/batch.h"
#include "tune/buffer.h"
#include "tune/gemm.h"
#include "tune/thread_pool.h"

namespace slipway::tune {

struct AttentionShape {
  int heads = 1, kv_heads = 1, head = 1;
  float scale = 1;
  int window = 0;  // 0: everything
  bool queries_are_losses = false;
};

// q, out: [queries, heads, head]; k, v: [rows, kv_heads, head]; lse: [queries, heads].
void attention(ThreadPool& pool, const AttentionShape& shape, const Packed& batch, const float* q,
               const float* k, const float* v, float* out, float* lse);

// Gradients of q, k and v, given d_out = the gradient of out. dq, dk, dv are written, not added to.
void attention_backward(ThreadPool& pool, const AttentionShape& shape, const Packed& batch,
                        const float* q, const float* k, const float* v, const float* out,
                        const float* lse, const float* d_out, float* dq, float* dk, float* dv);

}  // namespace slipway::tune
