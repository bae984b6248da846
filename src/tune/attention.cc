#include "tune/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <vector>

#include "tune/kernels.h"

namespace slipway::tune {
namespace {

constexpr int block_queries = 64;
constexpr int chunks = 16;  // pieces of the backward pass, each with its own dk and dv; their
                            // number fixes the order of sums

// Some queries of one segment.
struct Block {
  int segment = 0;
  int first_query = 0, queries = 0;  // rows of q
  int first_position = 0;            // of the keys they see between them
  int end_position = 0;
  int64_t cost() const { return int64_t{queries} * (end_position - first_position); }
};

// Buffers of one thread.
struct Scratch {
  Buffer<float> keys, values, query, scores, result, d_result, d_scores, d_query, d_keys, d_values;
  PackedRows packed;
};

Scratch& scratch() {
  static thread_local Scratch own;
  return own;
}

class Layout {
 public:
  Layout(const AttentionShape& shape, const Packed& batch) : shape_(shape), batch_(batch) {
    for (size_t s = 0; s < batch.segments.size(); ++s) {
      const Segment& part = batch.segments[s];
      const int first = shape.queries_are_losses ? part.first_loss : part.first_row;
      const int count = shape.queries_are_losses ? part.losses : part.rows;
      for (int i = 0; i < count; i += block_queries)
        add_block(static_cast<int>(s), first + i, std::min(block_queries, count - i));
    }
  }

  const std::vector<Block>& blocks() const { return blocks_; }
  int group() const { return shape_.heads / shape_.kv_heads; }
  int64_t q_stride() const { return int64_t{shape_.heads} * shape_.head; }
  int64_t kv_stride() const { return int64_t{shape_.kv_heads} * shape_.head; }

  int position(int query) const {
    const int row =
        shape_.queries_are_losses ? batch_.loss_rows[static_cast<size_t>(query)] : query;
    return batch_.positions[static_cast<size_t>(row)];
  }
  int first_seen(int position) const {
    return shape_.window > 0 ? std::max(0, position - shape_.window + 1) : 0;
  }

  // Calls f(row, position, count) for the runs of rows that hold a block's keys, the segment's own
  // first.
  template <typename F>
  void for_runs(const Block& b, F&& f) const {
    for (int s = b.segment; s >= 0; s = batch_.segments[static_cast<size_t>(s)].parent) {
      const Segment& part = batch_.segments[static_cast<size_t>(s)];
      const int from = std::max(part.first_position, b.first_position);
      const int to = std::min(part.first_position + part.rows, b.end_position);
      if (from < to)
        f(part.first_row + from - part.first_position, from - b.first_position, to - from, s);
    }
  }

 private:
  void add_block(int segment, int first, int count) {
    blocks_.push_back(
        {segment, first, count, first_seen(position(first)), position(first + count - 1) + 1});
  }

  AttentionShape shape_;
  const Packed& batch_;
  std::vector<Block> blocks_;
};

// keys[position - first][head] of key head h, from k[rows, kv_heads, head].
const float* gather(const Layout& layout, const AttentionShape& shape, const Block& b, int h,
                    const float* k, Buffer<float>& into) {
  const int64_t head = shape.head;
  float* out = into.resize(static_cast<size_t>((b.end_position - b.first_position) * head));
  layout.for_runs(b, [&](int row, int position, int count, int) {
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(out + (position + i) * head, k + (row + i) * layout.kv_stride() + h * head,
                  static_cast<size_t>(head) * 4);
    }
  });
  return out;
}

// The block's rows of q (or out, or d_out) for the query heads that read key head h: [queries,
// group, head].
const float* gather_queries(const Layout& layout, const AttentionShape& shape, const Block& b,
                            int h, const float* q, Buffer<float>& into) {
  const int64_t run = int64_t{layout.group()} * shape.head;
  float* out = into.resize(static_cast<size_t>(b.queries * run));
  for (int64_t i = 0; i < b.queries; ++i) {
    std::memcpy(out + i * run, q + (b.first_query + i) * layout.q_stride() + h * run,
                static_cast<size_t>(run) * 4);
  }
  return out;
}

void scatter_queries(const Layout& layout, const AttentionShape& shape, const Block& b, int h,
                     const float* from, float* q) {
  const int64_t run = int64_t{layout.group()} * shape.head;
  for (int64_t i = 0; i < b.queries; ++i) {
    std::memcpy(q + (b.first_query + i) * layout.q_stride() + h * run, from + i * run,
                static_cast<size_t>(run) * 4);
  }
}

// c[rows, cols] = scale · a[rows, depth] · b, on this thread; b is [cols, depth] if b_transposed,
// else [depth, cols].
void product(Scratch& s, const float* a, int rows, int depth, float scale, const float* b,
             bool b_transposed, int cols, float* c) {
  s.packed.pack_here(a, rows, depth, depth, scale);
  const Operand right = b_transposed ? transposed(float_matrix(b, cols, depth, depth))
                                     : plain(float_matrix(b, depth, cols, cols));
  multiply_here({cols, c, cols, {{&s.packed, right}}});
}

// c[cols_a, cols] = aᵀ · b for a[rows, cols_a] and b[rows, cols].
void product_transposed(Scratch& s, const float* a, int rows, int cols_a, const float* b, int cols,
                        float* c) {
  s.packed.pack_transposed_here(a, cols_a, rows, cols_a);
  multiply_here({cols, c, cols, {{&s.packed, plain(float_matrix(b, rows, cols, cols))}}});
}

// Scores become probabilities in place, zero where the mask hides a key; returns log Σ exp.
float softmax_row(float* scores, int width, int from, int to) {
  float most = scores[from];
  for (int i = from; i < to; ++i) most = std::max(most, scores[i]);
  float lane[16] = {};
  int i = from;
  for (; i + 16 <= to; i += 16) {
    for (int j = 0; j < 16; ++j) {
      scores[i + j] = fast_exp(scores[i + j] - most);
      lane[j] += scores[i + j];
    }
  }
  for (int j = 0; i < to; ++i, ++j) {
    scores[i] = fast_exp(scores[i] - most);
    lane[j] += scores[i];
  }
  float sum = 0;
  for (const float part : lane) sum += part;
  const float inverse = 1.0f / sum;
  std::fill(scores, scores + from, 0.0f);
  for (i = from; i < to; ++i) scores[i] *= inverse;
  std::fill(scores + to, scores + width, 0.0f);
  return most + std::log(sum);
}

// Scores become probabilities again, given their log Σ exp.
void probabilities_row(float* scores, int width, int from, int to, float lse) {
  std::fill(scores, scores + from, 0.0f);
  for (int i = from; i < to; ++i) scores[i] = fast_exp(scores[i] - lse);
  std::fill(scores + to, scores + width, 0.0f);
}

// What one piece of the backward pass sends to keys and values: rows of the segments it touches.
struct Piece {
  size_t first_block = 0, end_block = 0;
  std::map<int, int64_t> place;  // segment -> its first row here
  int64_t rows = 0;
  Buffer<float> dk, dv;  // [kv_heads, rows, head]
};

std::vector<Piece> divide(const Layout& layout) {
  int64_t total = 0;
  for (const Block& b : layout.blocks()) total += b.cost();
  std::vector<Piece> pieces;
  int64_t done = 0;
  for (size_t i = 0; i < layout.blocks().size(); ++i) {
    if (pieces.empty() || done * chunks >= total * static_cast<int64_t>(pieces.size()))
      pieces.push_back({i, i, {}, 0, {}, {}});
    Piece& piece = pieces.back();
    piece.end_block = i + 1;
    done += layout.blocks()[i].cost();
  }
  return pieces;
}

class Backward {
 public:
  Backward(const AttentionShape& shape, const Packed& batch, const float* q, const float* k,
           const float* v, const float* out, const float* lse, const float* d_out, float* dq)
      : shape_(shape),
        batch_(batch),
        layout_(shape, batch),
        pieces_(divide(layout_)),
        q_(q),
        k_(k),
        v_(v),
        out_(out),
        lse_(lse),
        d_out_(d_out),
        dq_(dq) {}

  void run(ThreadPool& pool, float* dk, float* dv) {
    for (Piece& p : pieces_) prepare(p);
    pool.run(static_cast<int>(pieces_.size()) * shape_.kv_heads, [&](int i, int) {
      Piece& piece = pieces_[static_cast<size_t>(i / shape_.kv_heads)];
      for (size_t b = piece.first_block; b < piece.end_block; ++b)
        block(piece, layout_.blocks()[b], i % shape_.kv_heads);
    });
    pool.run(static_cast<int>(batch_.segments.size()), [&](int s, int) {
      gather_segment(s, &Piece::dk, dk);
      gather_segment(s, &Piece::dv, dv);
    });
  }

 private:
  void prepare(Piece& piece) {
    for (size_t b = piece.first_block; b < piece.end_block; ++b) {
      for (int s = layout_.blocks()[b].segment; s >= 0;
           s = batch_.segments[static_cast<size_t>(s)].parent) {
        if (piece.place.try_emplace(s, piece.rows).second)
          piece.rows += batch_.segments[static_cast<size_t>(s)].rows;
      }
    }
    const auto size = static_cast<size_t>(piece.rows * layout_.kv_stride());
    std::memset(piece.dk.resize(size), 0, size * sizeof(float));
    std::memset(piece.dv.resize(size), 0, size * sizeof(float));
  }

  void block(Piece& piece, const Block& b, int h) {
    Scratch& s = scratch();
    const int group = layout_.group(), head = shape_.head, rows = b.queries * group;
    const int width = b.end_position - b.first_position;
    const float* keys = gather(layout_, shape_, b, h, k_, s.keys);
    const float* values = gather(layout_, shape_, b, h, v_, s.values);
    const float* query = gather_queries(layout_, shape_, b, h, q_, s.query);
    const float* result = gather_queries(layout_, shape_, b, h, out_, s.result);
    const float* d_result = gather_queries(layout_, shape_, b, h, d_out_, s.d_result);
    const size_t size = static_cast<size_t>(rows) * static_cast<size_t>(width);
    float* p = s.scores.resize(size);
    float* ds = s.d_scores.resize(size);
    product(s, query, rows, head, shape_.scale, keys, true, width, p);
    product(s, d_result, rows, head, 1, values, true, width, ds);
    for (int64_t r = 0; r < rows; ++r) {  // dS = scale · P ∘ (dP - rowsum(dO ∘ O))
      const int query_row = b.first_query + static_cast<int>(r) / group;
      const int position = layout_.position(query_row),
                from = layout_.first_seen(position) - b.first_position;
      probabilities_row(p + r * width, width, from, position + 1 - b.first_position,
                        lse_[int64_t{query_row} * shape_.heads + h * group + r % group]);
      const float mean = dot(d_result + r * head, result + r * head, head);
      for (int64_t i = r * width; i < (r + 1) * width; ++i)
        ds[i] = shape_.scale * p[i] * (ds[i] - mean);
    }
    float* dq = s.d_query.resize(static_cast<size_t>(rows) * static_cast<size_t>(head));
    product(s, ds, rows, width, 1, keys, false, head, dq);
    scatter_queries(layout_, shape_, b, h, dq, dq_);
    const size_t kv_size = static_cast<size_t>(width) * static_cast<size_t>(head);
    float* dk = s.d_keys.resize(kv_size);
    float* dv = s.d_values.resize(kv_size);
    product_transposed(s, ds, rows, width, query, head, dk);
    product_transposed(s, p, rows, width, d_result, head, dv);
    add_runs(piece, b, h, dk, piece.dk);
    add_runs(piece, b, h, dv, piece.dv);
  }

  void add_runs(Piece& piece, const Block& b, int h, const float* from, Buffer<float>& to) {
    const int64_t head = shape_.head;
    layout_.for_runs(b, [&](int row, int position, int count, int segment) {
      const int64_t place =
          piece.place.at(segment) + row - batch_.segments[static_cast<size_t>(segment)].first_row;
      float* out = to.data() + (h * piece.rows + place) * head;
      for (int64_t i = 0; i < count * head; ++i) out[i] += from[position * head + i];
    });
  }

  // Sums, in the order of pieces, what they hold for one segment.
  void gather_segment(int s, Buffer<float> Piece::* part, float* out) {
    const Segment& segment = batch_.segments[static_cast<size_t>(s)];
    const int64_t head = shape_.head;
    float* rows = out + segment.first_row * layout_.kv_stride();
    std::memset(rows, 0, static_cast<size_t>(segment.rows * layout_.kv_stride()) * sizeof(float));
    for (const Piece& piece : pieces_) {
      const auto place = piece.place.find(s);
      if (place == piece.place.end()) continue;
      for (int64_t r = 0; r < segment.rows; ++r) {
        for (int64_t h = 0; h < shape_.kv_heads; ++h) {
          const float* from = (piece.*part).data() + (h * piece.rows + place->second + r) * head;
          float* to = rows + r * layout_.kv_stride() + h * head;
          for (int64_t i = 0; i < head; ++i) to[i] += from[i];
        }
      }
    }
  }

  const AttentionShape& shape_;
  const Packed& batch_;
  Layout layout_;
  std::vector<Piece> pieces_;
  const float *q_, *k_, *v_, *out_, *lse_, *d_out_;
  float* dq_;
};

}  // namespace

void attention(ThreadPool& pool, const AttentionShape& shape, const Packed& batch, const float* q,
               const float* k, const float* v, float* out, float* lse) {
  const Layout layout(shape, batch);
  pool.run(static_cast<int>(layout.blocks().size()) * shape.kv_heads, [&](int task, int) {
    const Block& b = layout.blocks()[static_cast<size_t>(task / shape.kv_heads)];
    const int h = task % shape.kv_heads, group = layout.group(), rows = b.queries * group;
    const int width = b.end_position - b.first_position;
    Scratch& s = scratch();
    const float* keys = gather(layout, shape, b, h, k, s.keys);
    const float* values = gather(layout, shape, b, h, v, s.values);
    const float* query = gather_queries(layout, shape, b, h, q, s.query);
    float* scores = s.scores.resize(static_cast<size_t>(rows) * static_cast<size_t>(width));
    product(s, query, rows, shape.head, shape.scale, keys, true, width, scores);
    for (int64_t r = 0; r < rows; ++r) {
      const int row = b.first_query + static_cast<int>(r) / group, position = layout.position(row);
      lse[int64_t{row} * shape.heads + h * group + r % group] =
          softmax_row(scores + r * width, width, layout.first_seen(position) - b.first_position,
                      position + 1 - b.first_position);
    }
    float* result = s.result.resize(static_cast<size_t>(rows) * static_cast<size_t>(shape.head));
    product(s, scores, rows, width, 1, values, false, shape.head, result);
    scatter_queries(layout, shape, b, h, result, out);
  });
}

void attention_backward(ThreadPool& pool, const AttentionShape& shape, const Packed& batch,
                        const float* q, const float* k, const float* v, const float* out,
                        const float* lse, const float* d_out, float* dq, float* dk, float* dv) {
  Backward(shape, batch, q, k, v, out, lse, d_out, dq).run(pool, dk, dv);
}

}  // namespace slipway::tune
