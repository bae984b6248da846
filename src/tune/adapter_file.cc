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

// from[rows, cols] -> to[cols, rows]
void transpose(const float* from, int rows, int cols, float* to) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) to[c * rows + r] = from[r * cols + c];
  }
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

AdapterFile file_of(const Adapter& adapter, const std::string& architecture) {
  const int rank = adapter.config().rank;
  // Readers know only alpha / rank, so the rank-stabilised scale is stated through alpha.
  AdapterFile file{architecture, adapter.scale() * static_cast<float>(rank), {}};
  for (const AdaptedWeight& w : adapter.weights()) {
    LoraPair pair{w.layer, w.module, w.in, w.out, rank, {}, {}};
    const float* a = adapter.parameters.data() + w.a;
    pair.a.assign(a, a + int64_t{rank} * w.in);
    pair.b.resize(static_cast<size_t>(rank) * static_cast<size_t>(w.out));
    transpose(adapter.parameters.data() + w.b, rank, w.out, pair.b.data());
    file.pairs.push_back(std::move(pair));
  }
  return file;
}

Status fill(Adapter& adapter, const AdapterFile& file) {
  std::vector<float> filled(adapter.parameters.size());
  const int rank = adapter.config().rank;
  // What the file's alpha asks for beyond ours goes into A: the product stays what it was.
  const auto factor = static_cast<float>(double{file.alpha} / rank / double{adapter.scale()});
  for (const AdaptedWeight& w : adapter.weights()) {
    const auto pair = std::find_if(file.pairs.begin(), file.pairs.end(), [&](const LoraPair& p) {
      return p.layer == w.layer && p.module == w.module;
    });
    if (pair == file.pairs.end() || pair->rank != rank || pair->in != w.in || pair->out != w.out) {
      return Error::invalid_input("the adapter has another rank or is of another model",
                                  "start from an adapter of the same model and rank");
    }
    std::transform(pair->a.begin(), pair->a.end(), filled.begin() + w.a,
                   [&](float x) { return x * factor; });
    transpose(pair->b.data(), w.out, rank, filled.data() + w.b);
  }
  adapter.parameters = std::move(filled);
  return {};
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
