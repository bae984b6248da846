#include "model/packed_buffer.h"

#include <ggml-backend-impl.h>
#include <ggml-cpu.h>
#include <sys/mman.h>
#include <traits.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

#include "base/processors.h"
#include "model/attention.h"
#include "model/packed_matrix.h"

namespace slipway::model {
namespace {

constexpr size_t kAlignment = 64;
constexpr int64_t kChunkPanels = 4;  // what one thread takes at a time
constexpr size_t kHeader = 64;       // of the work buffer: which rows are wanted

thread_local const WantedRows* only_rows = nullptr;  // of the thread that asks ggml to compute

std::optional<PackedType> packed_type(ggml_type type) {
  switch (type) {
    case GGML_TYPE_Q4_0:
      return PackedType::q4_0;
    case GGML_TYPE_Q5_0:
      return PackedType::q5_0;
    case GGML_TYPE_Q8_0:
      return PackedType::q8_0;
    case GGML_TYPE_Q4_K:
      return PackedType::q4_k;
    case GGML_TYPE_Q5_K:
      return PackedType::q5_k;
    case GGML_TYPE_Q6_K:
      return PackedType::q6_k;
    default:
      return std::nullopt;
  }
}

std::optional<PackedShape> shape_of(const ggml_tensor* weights) {
  const auto type = packed_type(weights->type);
  if (!type || ggml_n_dims(weights) != 2) return std::nullopt;
  const PackedShape shape{*type, weights->ne[1], weights->ne[0]};
  return supported(shape) ? std::optional(shape) : std::nullopt;
}

ggml_backend_buffer_type_t buffer_type();

bool is_ours(const ggml_tensor* weights) {
  return weights && weights->buffer && weights->buffer->buft == buffer_type();
}

size_t work_bytes(const ggml_tensor* op) {
  return activation_bytes(op->src[1]->ne[0], ggml_nrows(op->src[1]));
}

class MatrixProduct : public ggml::cpu::tensor_traits {
 public:
  bool work_size(int, const ggml_tensor* op, size_t& size) override {
    if (op->op != GGML_OP_MUL_MAT || !is_ours(op->src[0])) return false;
    size = kHeader + work_bytes(op);
    return true;
  }

  // Called by every thread of ggml's pool with its own `ith`.
  bool compute_forward(ggml_compute_params* params, ggml_tensor* op) override {
    if (op->op != GGML_OP_MUL_MAT || !is_ours(op->src[0])) return false;
    const ggml_tensor* x = op->src[1];
    const auto shape = *shape_of(op->src[0]);
    const int64_t tokens = ggml_nrows(x);
    auto* activations = static_cast<std::byte*>(params->wdata) + kHeader;
    auto* wanted = static_cast<const WantedRows**>(params->wdata);
    for (int64_t t = params->ith; t < tokens; t += params->nth) {
      quantise(shape, row_of(x, t), t, tokens, activations);
    }
    if (params->ith == 0) {  // ggml's number 0 is the thread that asked
      *wanted = only_rows && only_rows->rows() == shape.rows ? only_rows : nullptr;
      ggml_threadpool_chunk_set(params->threadpool, params->nth);
    }
    ggml_barrier(params->threadpool);
    const auto panels = [&](int64_t first, int64_t last) {
      multiply(shape, op->src[0]->data, first, last, activations, tokens,
               static_cast<float*>(op->data), static_cast<int64_t>(op->nb[1] / sizeof(float)));
    };
    *wanted ? share(params, **wanted, panels) : share(params, panel_count(shape), panels);
    return true;
  }

 private:
  template <typename Panels>
  static void share(ggml_compute_params* params, int64_t count, const Panels& panels) {
    const int64_t chunks = (count + kChunkPanels - 1) / kChunkPanels;
    for (int64_t chunk = params->ith; chunk < chunks;
         chunk = ggml_threadpool_chunk_add(params->threadpool, 1)) {
      panels(chunk * kChunkPanels, std::min((chunk + 1) * kChunkPanels, count));
    }
  }

  template <typename Panels>
  static void share(ggml_compute_params* params, const WantedRows& wanted, const Panels& panels) {
    share(params, static_cast<int64_t>(wanted.panels().size()), [&](int64_t first, int64_t last) {
      for (; first < last; ++first) {
        const auto panel = wanted.panels()[static_cast<size_t>(first)];
        panels(panel, panel + 1);
      }
    });
  }

  static const float* row_of(const ggml_tensor* x, int64_t t) {
    const int64_t i1 = t % x->ne[1], i2 = t / x->ne[1] % x->ne[2], i3 = t / (x->ne[1] * x->ne[2]);
    return reinterpret_cast<const float*>(
        static_cast<const std::byte*>(x->data) + static_cast<size_t>(i1) * x->nb[1] +
        static_cast<size_t>(i2) * x->nb[2] + static_cast<size_t>(i3) * x->nb[3]);
  }
};

MatrixProduct& product() {
  static MatrixProduct instance;
  return instance;
}

class PackedWeights : public ggml::cpu::extra_buffer_type {
 public:
  bool supports_op(ggml_backend_dev_t, const ggml_tensor* op) override {
    return op->op == GGML_OP_MUL_MAT && is_ours(op->src[0]) && shape_of(op->src[0]) &&
           op->src[1]->type == GGML_TYPE_F32 && ggml_is_contiguous(op) &&
           (!op->src[1]->buffer || ggml_backend_buft_is_host(op->src[1]->buffer->buft));
  }
  ggml::cpu::tensor_traits* get_tensor_traits(const ggml_tensor* op) override {
    if (op->op == GGML_OP_FLASH_ATTN_EXT) return attention_traits(op);
    return op->op == GGML_OP_MUL_MAT && is_ours(op->src[0]) ? &product() : nullptr;
  }
};

void set_tensor(ggml_backend_buffer_t, ggml_tensor* tensor, const void* data, size_t offset,
                size_t size) {
  GGML_ASSERT(offset == 0 && size == ggml_nbytes(tensor));
  const auto shape = *shape_of(tensor);
  const int64_t panels = panel_count(shape);
  const int64_t threads = std::clamp<int64_t>(usable_processors(), 1, 8);
  std::vector<std::jthread> workers;
  for (int64_t i = 0; i < threads; ++i) {
    workers.emplace_back(
        [=] { pack(shape, data, panels * i / threads, panels * (i + 1) / threads, tensor->data); });
  }
}

const char* get_name(ggml_backend_buffer_type_t) { return "CPU_SLIPWAY"; }
size_t get_alignment(ggml_backend_buffer_type_t) { return kAlignment; }

size_t get_alloc_size(ggml_backend_buffer_type_t, const ggml_tensor* tensor) {
  const auto shape = shape_of(tensor);
  return shape ? packed_bytes(*shape) : ggml_nbytes(tensor);
}

ggml_backend_buffer_t alloc_buffer(ggml_backend_buffer_type_t type, size_t size) {
  auto* buffer = ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), size);
  if (!buffer) return nullptr;
  // Every step reads all of it: large pages save most of the address look-ups. A wish, no
  // condition.
  (void)::madvise(ggml_backend_buffer_get_base(buffer), size, MADV_HUGEPAGE);
  buffer->buft = type;
  buffer->iface.init_tensor = nullptr;
  buffer->iface.set_tensor = set_tensor;
  buffer->iface.get_tensor = nullptr;
  buffer->iface.cpy_tensor = nullptr;
  return buffer;
}

ggml_backend_buffer_type_t buffer_type() {
  static PackedWeights operations;
  static ggml_backend_buffer_type type = {
      {get_name, alloc_buffer, get_alignment, nullptr, get_alloc_size, nullptr},
      ggml_backend_reg_dev_get(ggml_backend_cpu_reg(), 0),
      &operations,
  };
  return &type;
}

}  // namespace

WantedRows::WantedRows(int64_t rows)
    : rows_(rows), has_(static_cast<size_t>((rows + kPanelRows - 1) / kPanelRows)) {}

void WantedRows::add(int64_t row) {
  const auto panel = row / kPanelRows;
  if (has_[static_cast<size_t>(panel)]) return;
  has_[static_cast<size_t>(panel)] = true;
  panels_.push_back(panel);
}

void WantedRows::clear() {
  for (const auto panel : panels_) has_[static_cast<size_t>(panel)] = false;
  panels_.clear();
}

OnlyRows::OnlyRows(const WantedRows& wanted) { only_rows = &wanted; }
OnlyRows::~OnlyRows() { only_rows = nullptr; }

void use_packed_weights() {
  // ggml's own repacked types would round by the number of rows; ours take their place.
  ggml_backend_cpu_get_extra_buffer_types() = {buffer_type()};
}

}  // namespace slipway::model
