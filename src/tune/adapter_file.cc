#include "tune/adapter_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "tune/gguf.h"

namespace slipway::tune {
namespace {

constexpr std::string_view a_suffix = ".weight.lora_a", b_suffix = ".weight.lora_b";

// "blk.3.attn_q.weight.lora_a"
std::optional<std::pair<int, Module>> place_of(std::string_view name) {
  if (!name.starts_with("blk.")) return {};
  int layer = 0;
  const char* last = name.data() + name.size();
  const auto [end, error] = std::from_chars(name.data() + 4, last, layer);
  if (error != std::errc() || end == last || *end != '.' || layer < 0) return {};
  const auto rest = name.substr(static_cast<size_t>(end + 1 - name.data()));
  for (const Module m : all_modules()) {
    const auto module = module_name(m);
    if (rest.starts_with(module) && rest.substr(module.size()).starts_with(".weight.lora_"))
      return std::pair{layer, m};
  }
  return {};
}

Result<std::vector<float>> floats_of(const GgufFile& file, const std::string& name, int64_t& rows,
                                     int64_t& cols) {
  SLIPWAY_TRY(matrix, file.matrix(name));
  rows = matrix.rows;
  cols = matrix.cols;
  std::vector<float> out(static_cast<size_t>(rows * cols));
  dequantize(matrix.type, matrix.data, rows * cols, out.data());
  return out;
}

Error other_model(const std::string& path, const std::string& what) {
  return Error::invalid_input("'" + path + "' does not fit the model: " + what,
                              "name the model that it was trained on");
}

}  // namespace

int AdapterFile::rank() const {
  int most = 0;
  for (const auto& pair : pairs) most = std::max(most, pair.rank);
  return most;
}

Result<AdapterFile> read_gguf(const std::string& path) {
  SLIPWAY_TRY(file, GgufFile::open(path));
  if (file->text("general.type").value_or("") != "adapter") {
    return Error::invalid_input("'" + path + "' is no adapter", "give a LoRA adapter in GGUF");
  }
  AdapterFile out;
  SLIPWAY_TRY(architecture, file->text("general.architecture"));
  out.architecture = architecture;
  const auto type = file->text("adapter.type").value_or("");
  if (type != "lora") return Error::unsupported("'" + path + "' is an adapter of type " + type);
  std::map<std::pair<int, Module>, LoraPair> pairs;
  for (const auto& [name, tensor] : file->tensors()) {
    const auto place = place_of(name);
    if (!place) {
      return Error::unsupported("'" + path + "' adapts '" + name + "'",
                                "only the seven linear maps of a layer are known");
    }
    auto& pair = pairs[*place];
    pair.layer = place->first;
    pair.module = place->second;
    const bool is_a = name.ends_with(a_suffix);
    if (!is_a && !name.ends_with(b_suffix)) return Error::unsupported("tensor '" + name + "'");
    int64_t rows = 0, cols = 0;
    SLIPWAY_TRY(values, floats_of(*file, name, rows, cols));
    (is_a ? pair.in : pair.out) = static_cast<int>(is_a ? cols : rows);
    const auto rank = static_cast<int>(is_a ? rows : cols);
    if (pair.rank != 0 && pair.rank != rank) return other_model(path, name + " has another rank");
    pair.rank = rank;
    (is_a ? pair.a : pair.b) = std::move(values);
  }
  for (auto& [place, pair] : pairs) {
    if (pair.a.empty() || pair.b.empty())
      return Error::corrupt("'" + path + "' has half a pair in layer " +
                            std::to_string(place.first));
    out.pairs.push_back(std::move(pair));
  }
  if (out.pairs.empty()) return Error::invalid_input("'" + path + "' adapts nothing");
  // Without one, readers take the product as it is.
  const double alpha = file->number("adapter.lora.alpha", 0);
  out.alpha = static_cast<float>(alpha > 0 ? alpha : out.rank());
  return out;
}

Status write_gguf(const AdapterFile& adapter, const std::string& path, const Metadata& metadata) {
  GgufWriter file;
  file.add("general.type", std::string_view("adapter"));
  file.add("general.architecture", adapter.architecture);
  file.add("adapter.type", std::string_view("lora"));
  file.add("adapter.lora.alpha", adapter.alpha);
  for (const auto& [key, value] : metadata) file.add(key, value);
  for (const auto& pair : adapter.pairs) {
    const auto name =
        "blk." + std::to_string(pair.layer) + "." + std::string(module_name(pair.module));
    file.add_floats(name + std::string(a_suffix), {pair.in, pair.rank}, pair.a);
    file.add_floats(name + std::string(b_suffix), {pair.rank, pair.out}, pair.b);
  }
  return file.write(path);
}

Status check_fits(const AdapterFile& adapter, const Shape& shape, const std::string& path) {
  if (adapter.architecture != shape.architecture) {
    return other_model(path, "it is for " + adapter.architecture + ", not " + shape.architecture);
  }
  const Adapter whole(shape, {.rank = 1}, 0);
  for (const auto& pair : adapter.pairs) {
    const auto name =
        "layer " + std::to_string(pair.layer) + " " + std::string(module_name(pair.module));
    if (pair.layer >= shape.layers) return other_model(path, "it adapts " + name);
    const auto* weight = whole.find(pair.layer, pair.module);
    if (pair.in != weight->in || pair.out != weight->out) {
      return other_model(
          path, name + " is " + std::to_string(pair.in) + " to " + std::to_string(pair.out) +
                    ", not " + std::to_string(weight->in) + " to " + std::to_string(weight->out));
    }
  }
  return {};
}

}  // namespace slipway::tune
