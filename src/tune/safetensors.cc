#include "tune/safetensors.h"

#include <cstring>

#include "base/files.h"
#include "json/value.h"
#include "tune/weights.h"

namespace slipway::tune {
namespace {

constexpr uint64_t most_bytes = uint64_t{4} << 30;
constexpr uint64_t most_header = 100 << 20;  // as the reference reader allows

Error corrupt(const std::string& path, const std::string& what) {
  return Error::corrupt("'" + path + "' is not a sound safetensors file: " + what,
                        "export it again");
}

// The number of elements, or -1.
int64_t count_of(const json::Value& shape, std::vector<int64_t>& into) {
  if (!shape.is_array() || shape.size() > 8) return -1;
  int64_t count = 1;
  for (const auto& n : shape.as_array()) {
    if (!n.is_integer() || n.as_integer() < 0 || n.as_integer() > (int64_t{1} << 32)) return -1;
    into.push_back(n.as_integer());
    count *= n.as_integer();
    if (count > (int64_t{1} << 32)) return -1;
  }
  return count;
}

Result<FloatTensor> tensor_of(const std::string& path, const std::string& name,
                              const json::Value& info, std::string_view data) {
  const auto type = info.text("dtype");
  const auto* shape = info.get("shape");
  const auto* place = info.get("data_offsets");
  const auto kind = type == "F32"    ? WeightType::f32
                    : type == "F16"  ? WeightType::f16
                    : type == "BF16" ? WeightType::bf16
                                     : WeightType::q4_0;
  if (kind == WeightType::q4_0) {
    return Error::unsupported("tensor '" + name + "' of '" + path + "' is stored as " + type,
                              "save it as F32, F16 or BF16");
  }
  FloatTensor out;
  const auto count = shape ? count_of(*shape, out.shape) : -1;
  const auto offset = [&](size_t i) {
    const bool there =
        place && place->is_array() && place->size() == 2 && place->as_array()[i].is_integer();
    return there ? place->as_array()[i].as_integer() : int64_t{-1};
  };
  const int64_t begin = offset(0), end = offset(1);
  if (count < 0 || begin < 0 || end < begin || end > std::ssize(data) ||
      end - begin != count * traits(kind).block_bytes) {
    return corrupt(path, "the place of " + name);
  }
  out.values.resize(static_cast<size_t>(count));
  // A copy first: the bytes may lie at any address.
  const std::string bytes(
      data.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  dequantize(kind, reinterpret_cast<const std::byte*>(bytes.data()), count, out.values.data());
  return out;
}

}  // namespace

Result<FloatTensors> read_safetensors(const std::string& path) {
  SLIPWAY_TRY(bytes, files::read(path, most_bytes));
  uint64_t header = 0;
  if (bytes.size() < sizeof header) return corrupt(path, "it is too short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header > most_header || header > bytes.size() - sizeof header)
    return corrupt(path, "its header is longer than the file");
  const std::string_view all = bytes;
  auto parsed = json::parse(all.substr(sizeof header, header));
  if (!parsed.ok() || !parsed->is_object()) return corrupt(path, "its header is no JSON object");
  FloatTensors tensors;
  size_t values = 0;
  for (const auto& [name, info] : parsed->as_object()) {
    if (name == "__metadata__") continue;
    SLIPWAY_TRY(tensor, tensor_of(path, name, info, all.substr(sizeof header + header)));
    values += tensor.values.size();
    if (values > bytes.size() / 2)  // none is smaller than two bytes
      return corrupt(path, "its tensors lie over each other");
    tensors[name] = std::move(tensor);
  }
  return tensors;
}

Status write_safetensors(const std::string& path, const FloatTensors& tensors) {
  auto header = json::Value::object();
  auto metadata = json::Value::object();
  header.set("__metadata__", metadata.set("format", "pt"));
  int64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    auto shape = json::Value::array(), place = json::Value::array();
    for (const auto n : tensor.shape) shape.push_back(n);
    place.push_back(at);
    at += std::ssize(tensor.values) * int64_t{sizeof(float)};
    place.push_back(at);
    auto info = json::Value::object();
    header.set(name, info.set("dtype", "F32")
                         .set("shape", std::move(shape))
                         .set("data_offsets", std::move(place)));
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const auto size = static_cast<uint64_t>(text.size());
  std::string out(reinterpret_cast<const char*>(&size), sizeof size);
  out += text;
  for (const auto& [name, tensor] : tensors)
    out.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * 4);
  return files::write_atomic(path, out);
}

}  // namespace slipway::tune
