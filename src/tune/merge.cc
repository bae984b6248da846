#include "tune/merge.h"

#include <ggml.h>
#include <gguf.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "base/files.h"

namespace slipway::tune {
namespace {

struct FreeGguf {
  void operator()(gguf_context* context) const { gguf_free(context); }
};
struct FreeGgml {
  void operator()(ggml_context* context) const { ggml_free(context); }
};
using Gguf = std::unique_ptr<gguf_context, FreeGguf>;
using Ggml = std::unique_ptr<ggml_context, FreeGgml>;

class Merging {
 public:
  Merging(const BaseModel& base, const AdapterFile& adapter, const MergeOptions& options)
      : base_(base), adapter_(adapter), options_(options) {}

  Result<Merged> run(const std::string& path) {
    SLIPWAY_CHECK(check_fits(adapter_, base_.shape, "the adapter"));
    SLIPWAY_CHECK(read_header());
    for (const auto& pair : adapter_.pairs) {
      pairs_["blk." + std::to_string(pair.layer) + "." + std::string(module_name(pair.module)) +
             ".weight"] = &pair;
    }
    for (int64_t i = 0; i < gguf_get_n_tensors(in_.get()); ++i) SLIPWAY_CHECK(add_tensor(i));
    const auto bytes = lay_out();
    SLIPWAY_CHECK(files::write_atomic(path, bytes));
    result_.bytes = bytes.size();
    result_.kept = wanted_ > 0 ? got_ / wanted_ : 1;
    result_.relative_error = whole_ > 0 ? std::sqrt(error_ / whole_) : 0;
    return std::move(result_);
  }

 private:
  Status read_header() {
    ggml_context* tensors = nullptr;
    in_.reset(gguf_init_from_file(base_.file->path().c_str(), {.no_alloc = true, .ctx = &tensors}));
    tensors_.reset(tensors);
    if (!in_) return Error::corrupt("'" + base_.file->path() + "' is not a sound GGUF file");
    out_.reset(gguf_init_empty());
    gguf_set_kv(out_.get(), in_.get());
    gguf_remove_key(out_.get(), "general.alignment");  // what is written is laid out at the default
    if (!options_.name.empty()) gguf_set_val_str(out_.get(), "general.name", options_.name.c_str());
    return {};
  }

  Status add_tensor(int64_t i) {
    const std::string name = gguf_get_tensor_name(in_.get(), i);
    const ggml_tensor* tensor = ggml_get_tensor(tensors_.get(), name.c_str());
    const auto* ours = base_.file->tensor(name);
    if (!tensor || !ours) return Error::corrupt("tensor '" + name + "' is missing");
    gguf_add_tensor(out_.get(), tensor);
    ++result_.tensors;
    auto& bytes = data_.emplace_back();
    const auto found = pairs_.find(name);
    if (found == pairs_.end()) {
      if (ggml_nbytes(tensor) > ours->left)
        return Error::corrupt("the base model ends inside its tensor '" + name + "'",
                              "fetch it again");
      bytes.assign(reinterpret_cast<const char*>(ours->data), ggml_nbytes(tensor));
      return {};
    }
    SLIPWAY_TRY(weight, base_.file->matrix(name));
    const auto type = options_.type == MergeType::same ? weight.type : WeightType::f16;
    const auto id = static_cast<ggml_type>(traits(type).ggml_id);
    bytes = merged(weight, *found->second, type);
    gguf_set_tensor_type(out_.get(), name.c_str(), id);
    ++result_.changed;
    ++result_.types[std::string(traits(type).name)];
    return {};
  }

  std::string merged(const WeightMatrix& weight, const LoraPair& pair, WeightType type) {
    const auto cols = static_cast<size_t>(weight.cols);
    const auto id = static_cast<ggml_type>(traits(type).ggml_id);
    const size_t row_bytes = ggml_row_size(id, weight.cols);
    std::string out(row_bytes * static_cast<size_t>(weight.rows), '\0');
    const float scale = options_.scale * adapter_.alpha / static_cast<float>(pair.rank);
    std::vector<float> row(cols), difference(cols), stored(cols);
    for (int r = 0; r < weight.rows; ++r) {
      dequantize(weight.type, weight.row(r), weight.cols, row.data());
      difference_of_row(pair, r, scale, difference);
      for (size_t i = 0; i < cols; ++i) row[i] += difference[i];
      char* to = out.data() + row_bytes * static_cast<size_t>(r);
      ggml_quantize_chunk(id, row.data(), to, 0, 1, weight.cols, nullptr);
      dequantize(type, reinterpret_cast<const std::byte*>(to), weight.cols, stored.data());
      for (size_t i = 0; i < cols; ++i) {
        const double d = double{difference[i]}, off = double{stored[i]} - double{row[i]};
        wanted_ += d * d;
        got_ += d * (d + off);
        error_ += off * off;
        whole_ += double{row[i]} * double{row[i]};
      }
    }
    return out;
  }

  // scale · B[r]·A
  static void difference_of_row(const LoraPair& pair, int r, float scale,
                                std::vector<float>& into) {
    std::fill(into.begin(), into.end(), 0.0f);
    for (int k = 0; k < pair.rank; ++k) {
      const float b = scale * pair.b[static_cast<size_t>(int64_t{r} * pair.rank + k)];
      const float* a = pair.a.data() + int64_t{k} * pair.in;
      for (size_t i = 0; i < into.size(); ++i) into[i] += b * a[i];
    }
  }

  std::string lay_out() {
    std::string bytes(gguf_get_meta_size(out_.get()), '\0');
    gguf_get_meta_data(out_.get(), bytes.data());
    const size_t alignment = gguf_get_alignment(out_.get());
    for (auto& data : data_) {
      bytes += data;
      bytes.resize((bytes.size() + alignment - 1) / alignment * alignment, '\0');
      data = {};
    }
    return bytes;
  }

  const BaseModel& base_;
  const AdapterFile& adapter_;
  const MergeOptions& options_;
  Gguf in_, out_;
  Ggml tensors_;
  std::map<std::string, const LoraPair*> pairs_;
  std::vector<std::string> data_;  // per tensor, in the file's order
  Merged result_;
  double wanted_ = 0, got_ = 0, error_ = 0, whole_ = 0;
};

}  // namespace

Result<Merged> merge(const BaseModel& base, const AdapterFile& adapter, const std::string& path,
                     const MergeOptions& options) {
  return Merging(base, adapter, options).run(path);
}

}  // namespace slipway::tune
