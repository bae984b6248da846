// GGUF files: metadata and tensors of a model, read in place (mmap), and small files written whole.
//
//     SLIPWAY_TRY(file, GgufFile::open("model.gguf"));
//     SLIPWAY_TRY(width, file->integer("gemma3.embedding_length"));
//     SLIPWAY_TRY(w, file->matrix("blk.0.attn_q.weight"));     // valid as long as the file is
//
// A file from a stranger is bounded: every length is checked against the file's size before it is
// believed. Thread-safe after open. Errors: not_found, corrupt (not a GGUF, truncated), unsupported
// (a tensor's type, by name). Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md,
// versions 2 and 3, little endian.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "tune/weights.h"

namespace slipway::tune {

// Arrays are kept as their length only, except arrays of booleans, integers and floats of at most
// 4,096 elements.
struct GgufArray {
  uint64_t count = 0;
  std::vector<double> numbers;
};
using GgufValue = std::variant<int64_t, double, bool, std::string, GgufArray>;

struct GgufTensor {
  uint32_t ggml_type = 0;
  std::vector<int64_t> shape;  // the fast dimension first, as ggml has it
  const std::byte* data = nullptr;
  uint64_t left = 0;  // bytes from there to the file's end: not every type's size is known
};

class GgufFile {
 public:
  static Result<std::shared_ptr<const GgufFile>> open(const std::string& path);
  ~GgufFile();
  GgufFile(const GgufFile&) = delete;
  GgufFile& operator=(const GgufFile&) = delete;

  const GgufValue* find(std::string_view key) const;
  const GgufTensor* tensor(std::string_view name) const;

  Result<int64_t> integer(std::string_view key) const;  // not_found when missing
  Result<std::string> text(std::string_view key) const;
  double number(std::string_view key, double otherwise) const;  // integers count as numbers
  int64_t integer(std::string_view key, int64_t otherwise) const;

  // A two-dimensional tensor of a type we can read. Errors: not_found, unsupported, corrupt
  // (shape).
  Result<WeightMatrix> matrix(const std::string& name) const;
  // A one-dimensional tensor as floats.
  Result<std::vector<float>> vector(const std::string& name, int64_t size) const;

  const std::map<std::string, GgufTensor, std::less<>>& tensors() const { return tensors_; }
  const std::string& path() const { return path_; }
  uint64_t size() const { return size_; }

 private:
  friend class GgufParser;
  GgufFile() = default;
  std::string path_;
  const std::byte* data_ = nullptr;  // the mapping
  uint64_t size_ = 0;
  std::map<std::string, GgufValue, std::less<>> values_;
  std::map<std::string, GgufTensor, std::less<>> tensors_;
};

// Collects a file in memory; the same calls give the same bytes.
class GgufWriter {
 public:
  void add(const std::string& key, std::string_view text);
  void add(const std::string& key, float value);
  void add(const std::string& key, uint32_t value);
  void add(const std::string& key, bool value);
  // Bytes as the type lays them out; shape with the fast dimension first.
  void add_tensor(const std::string& name, WeightType type, std::vector<int64_t> shape,
                  std::span<const std::byte> bytes);
  void add_floats(const std::string& name, std::vector<int64_t> shape,
                  std::span<const float> values);
  std::string bytes() const;
  Status write(const std::string& path) const;  // atomic

 private:
  uint64_t keys_ = 0, tensors_ = 0;
  std::string metadata_, infos_, data_;
};

}  // namespace slipway::tune
