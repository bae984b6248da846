#include "tune/gguf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/files.h"

namespace slipway::tune {
namespace {

static_assert(std::endian::native == std::endian::little,
              "GGUF is read in place, as little endian");

constexpr uint64_t max_entries = 1 << 20;  // keys, tensors
constexpr uint64_t max_text = 64 << 20;    // a chat template is some kilobytes
constexpr uint64_t max_kept_array = 4096;
constexpr uint64_t default_alignment = 32;

enum ValueType : uint32_t {
  t_u8,
  t_i8,
  t_u16,
  t_i16,
  t_u32,
  t_i32,
  t_f32,
  t_bool,
  t_text,
  t_array,
  t_u64,
  t_i64,
  t_f64
};
constexpr uint64_t value_bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

Error corrupt(const std::string& path, const std::string& what) {
  return Error::corrupt("'" + path + "' is not a sound GGUF file: " + what, "fetch the file again");
}

}  // namespace

// Walks the header; `fine_` turns false at the first length that leads outside the file.
class GgufParser {
 public:
  explicit GgufParser(GgufFile& file) : file_(file) {}

  Status parse() {
    if (file_.size_ < 24 || std::memcmp(file_.data_, "GGUF", 4) != 0) return fail("no GGUF header");
    at_ = 4;
    const auto version = take<uint32_t>();
    if (version != 2 && version != 3)
      return fail("version " + std::to_string(version) + " is unknown");
    const auto tensors = take<uint64_t>(), keys = take<uint64_t>();
    if (tensors > max_entries || keys > max_entries) return fail("too many entries");
    for (uint64_t i = 0; i < keys && fine_; ++i) {
      std::string key = take_text();
      const auto type = take<uint32_t>();
      file_.values_[std::move(key)] = take_value(type);
    }
    for (uint64_t i = 0; i < tensors && fine_; ++i) take_tensor();
    if (!fine_) return fail("it ends too early");
    return place_tensors();
  }

 private:
  Status fail(const std::string& what) const { return corrupt(file_.path_, what); }

  template <typename T>
  T take() {
    T value{};
    if (!fine_ || file_.size_ - at_ < sizeof(T)) {
      fine_ = false;
      return value;
    }
    std::memcpy(&value, file_.data_ + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::string take_text() {
    const auto length = take<uint64_t>();
    if (!fine_ || length > max_text || length > file_.size_ - at_) {
      fine_ = false;
      return {};
    }
    std::string text(reinterpret_cast<const char*>(file_.data_ + at_), length);
    at_ += length;
    return text;
  }

  GgufValue take_value(uint32_t type) {
    switch (type) {
      case t_u8:
        return int64_t{take<uint8_t>()};
      case t_i8:
        return int64_t{take<int8_t>()};
      case t_u16:
        return int64_t{take<uint16_t>()};
      case t_i16:
        return int64_t{take<int16_t>()};
      case t_u32:
        return int64_t{take<uint32_t>()};
      case t_i32:
        return int64_t{take<int32_t>()};
      case t_u64:
        return static_cast<int64_t>(take<uint64_t>());
      case t_i64:
        return take<int64_t>();
      case t_f32:
        return double{take<float>()};
      case t_f64:
        return take<double>();
      case t_bool:
        return take<uint8_t>() != 0;
      case t_text:
        return take_text();
      case t_array:
        return take_array();
      default:
        fine_ = false;
        return int64_t{0};
    }
  }

  GgufArray take_array() {
    const auto type = take<uint32_t>();
    GgufArray array{take<uint64_t>(), {}};
    if (!fine_ || type > t_f64 || type == t_array || array.count > file_.size_) {
      fine_ = false;
    } else if (type == t_text) {
      for (uint64_t i = 0; i < array.count && fine_; ++i) {
        const auto length = take<uint64_t>();
        fine_ = fine_ && length <= file_.size_ - at_;
        if (fine_) at_ += length;
      }
    } else if (array.count > max_kept_array) {
      fine_ = array.count * value_bytes[type] <= file_.size_ - at_;
      if (fine_) at_ += array.count * value_bytes[type];
    } else {
      for (uint64_t i = 0; i < array.count && fine_; ++i)
        array.numbers.push_back(as_number(take_value(type)));
    }
    return array;
  }

  static double as_number(const GgufValue& value) {
    if (const auto* i = std::get_if<int64_t>(&value)) return static_cast<double>(*i);
    if (const auto* d = std::get_if<double>(&value)) return *d;
    const auto* b = std::get_if<bool>(&value);
    return b && *b ? 1 : 0;
  }

  void take_tensor() {
    std::string name = take_text();
    const auto dimensions = take<uint32_t>();
    if (dimensions > 4) fine_ = false;
    GgufTensor tensor;
    for (uint32_t i = 0; i < dimensions && fine_; ++i) tensor.shape.push_back(take<int64_t>());
    tensor.ggml_type = take<uint32_t>();
    offsets_[name] = take<uint64_t>();
    file_.tensors_[std::move(name)] = std::move(tensor);
  }

  Status place_tensors() {
    const auto alignment =
        static_cast<uint64_t>(file_.integer("general.alignment", int64_t{default_alignment}));
    if (alignment == 0 || alignment > 65536 || !std::has_single_bit(alignment))
      return fail("an odd alignment");
    const uint64_t base = (at_ + alignment - 1) / alignment * alignment;
    uint64_t all = 0;
    for (auto& [name, tensor] : file_.tensors_) {
      uint64_t count = 1;
      for (const int64_t n : tensor.shape) {
        if (n <= 0 || static_cast<uint64_t>(n) > (uint64_t{1} << 40) / count)
          return fail("the shape of " + name);
        count *= static_cast<uint64_t>(n);
      }
      uint64_t bytes = 0;  // of types we cannot read: they are refused when asked for
      if (const auto type = weight_type(tensor.ggml_type)) {
        const TypeTraits& t = traits(*type);
        if (tensor.shape.empty() || tensor.shape[0] % t.block_size != 0)
          return fail("the shape of " + name);
        bytes = count / static_cast<uint64_t>(t.block_size) * static_cast<uint64_t>(t.block_bytes);
      }
      const uint64_t offset = offsets_[name];
      if (offset % alignment != 0) return fail("the place of " + name);
      if (base > file_.size_ || offset > file_.size_ - base ||
          bytes > file_.size_ - base - offset) {
        return fail("it ends before the tensor " + name);
      }
      // Each may be read as floats, so that many in one place would be more than any memory.
      if (bytes > file_.size_ - all) return fail("its tensors lie over each other");
      all += bytes;
      tensor.data = file_.data_ + base + offset;
      tensor.left = file_.size_ - base - offset;
    }
    return {};
  }

  GgufFile& file_;
  uint64_t at_ = 0;
  bool fine_ = true;
  std::map<std::string, uint64_t, std::less<>> offsets_;
};

Result<std::shared_ptr<const GgufFile>> GgufFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const std::string message = "cannot read '" + path + "': " + std::strerror(errno);
    return errno == ENOENT ? Error::not_found(message, "check the path")
                           : Error::unavailable(message);
  }
  struct stat info{};
  const bool sized = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
  void* map = sized
                  ? ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_SHARED, fd, 0)
                  : MAP_FAILED;
  ::close(fd);
  if (!sized) return corrupt(path, "it is empty or no file");
  if (map == MAP_FAILED)
    return Error::unavailable("cannot map '" + path + "': " + std::strerror(errno));
  std::shared_ptr<GgufFile> file(new GgufFile());
  file->path_ = path;
  file->data_ = static_cast<const std::byte*>(map);
  file->size_ = static_cast<uint64_t>(info.st_size);
  SLIPWAY_CHECK(GgufParser(*file).parse());
  return std::shared_ptr<const GgufFile>(std::move(file));
}

GgufFile::~GgufFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

const GgufTensor* GgufFile::tensor(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

Result<int64_t> GgufFile::integer(std::string_view key) const {
  const GgufValue* value = find(key);
  if (const auto* i = value ? std::get_if<int64_t>(value) : nullptr) return *i;
  return Error::not_found("'" + path_ + "' has no number '" + std::string(key) + "'");
}

int64_t GgufFile::integer(std::string_view key, int64_t otherwise) const {
  const GgufValue* value = find(key);
  const auto* i = value ? std::get_if<int64_t>(value) : nullptr;
  return i ? *i : otherwise;
}

Result<std::string> GgufFile::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (const auto* text = value ? std::get_if<std::string>(value) : nullptr) return *text;
  return Error::not_found("'" + path_ + "' has no text '" + std::string(key) + "'");
}

double GgufFile::number(std::string_view key, double otherwise) const {
  const GgufValue* value = find(key);
  if (!value) return otherwise;
  if (const auto* d = std::get_if<double>(value)) return *d;
  if (const auto* i = std::get_if<int64_t>(value)) return static_cast<double>(*i);
  return otherwise;
}

Result<WeightMatrix> GgufFile::matrix(const std::string& name) const {
  const GgufTensor* t = tensor(name);
  if (!t) return Error::not_found("'" + path_ + "' has no tensor '" + name + "'");
  const auto type = weight_type(t->ggml_type);
  if (!type) {
    return Error::unsupported(
        "tensor '" + name + "' is stored as " + std::string(ggml_type_name(t->ggml_type)),
        "use a file of F32, F16, BF16, Q8_0, Q4_0, Q5_0, Q4_K, Q5_K or Q6_K");
  }
  constexpr int64_t most = std::numeric_limits<int>::max();
  if (t->shape.size() != 2 || t->shape[0] > most || t->shape[1] > most)
    return corrupt(path_, "the shape of " + name);
  const TypeTraits& tr = traits(*type);
  return WeightMatrix{*type, t->data, static_cast<int>(t->shape[1]), static_cast<int>(t->shape[0]),
                      t->shape[0] / tr.block_size * tr.block_bytes};
}

Result<std::vector<float>> GgufFile::vector(const std::string& name, int64_t size) const {
  const GgufTensor* t = tensor(name);
  if (!t) return Error::not_found("'" + path_ + "' has no tensor '" + name + "'");
  const auto type = weight_type(t->ggml_type);
  if (!type)
    return Error::unsupported("tensor '" + name + "' is stored as " +
                              std::string(ggml_type_name(t->ggml_type)));
  if (t->shape.size() != 1 || t->shape[0] != size) return corrupt(path_, "the shape of " + name);
  std::vector<float> out(static_cast<size_t>(size));
  dequantize(*type, t->data, size, out.data());
  return out;
}

namespace {

template <typename T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append(out, static_cast<uint64_t>(text.size()));
  out.append(text);
}

void pad(std::string& out) {
  out.resize((out.size() + default_alignment - 1) / default_alignment * default_alignment);
}

}  // namespace

void GgufWriter::add(const std::string& key, std::string_view text) {
  append_text(metadata_, key);
  append(metadata_, uint32_t{t_text});
  append_text(metadata_, text);
  ++keys_;
}

void GgufWriter::add(const std::string& key, float value) {
  append_text(metadata_, key);
  append(metadata_, uint32_t{t_f32});
  append(metadata_, value);
  ++keys_;
}

void GgufWriter::add(const std::string& key, uint32_t value) {
  append_text(metadata_, key);
  append(metadata_, uint32_t{t_u32});
  append(metadata_, value);
  ++keys_;
}

void GgufWriter::add(const std::string& key, bool value) {
  append_text(metadata_, key);
  append(metadata_, uint32_t{t_bool});
  append(metadata_, static_cast<uint8_t>(value));
  ++keys_;
}

void GgufWriter::add_tensor(const std::string& name, WeightType type, std::vector<int64_t> shape,
                            std::span<const std::byte> bytes) {
  append_text(infos_, name);
  append(infos_, static_cast<uint32_t>(shape.size()));
  for (const int64_t n : shape) append(infos_, n);
  append(infos_, traits(type).ggml_id);
  append(infos_, static_cast<uint64_t>(data_.size()));
  data_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  pad(data_);
  ++tensors_;
}

void GgufWriter::add_floats(const std::string& name, std::vector<int64_t> shape,
                            std::span<const float> values) {
  add_tensor(name, WeightType::f32, std::move(shape), std::as_bytes(values));
}

std::string GgufWriter::bytes() const {
  std::string out = "GGUF";
  append(out, uint32_t{3});
  append(out, tensors_);
  append(out, keys_);
  out += metadata_ + infos_;
  pad(out);
  return out + data_;
}

Status GgufWriter::write(const std::string& path) const {
  return files::write_atomic(path, bytes());
}

}  // namespace slipway::tune
