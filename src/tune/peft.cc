// adapter_file.h's other format: a PEFT folder.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "base/files.h"
#include "base/text.h"
#include "json/value.h"
#include "tune/adapter_file.h"
#include "tune/safetensors.h"

namespace slipway::tune {
namespace {

constexpr std::string_view peft_names[] = {
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj"};

std::string_view peft_name(Module m) { return peft_names[static_cast<size_t>(m)]; }

struct Place {
  int layer = 0;
  Module module = Module::q;
  bool is_a = false;
};

// "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight"
std::optional<Place> place_of(std::string_view name) {
  constexpr std::string_view layers = ".layers.";
  const auto at = name.find(layers);
  if (at == std::string_view::npos) return {};
  Place place;
  const char* last = name.data() + name.size();
  const char* digits = name.data() + at + layers.size();
  const auto [end, error] = std::from_chars(digits, last, place.layer);
  if (error != std::errc() || end == last || *end != '.' || place.layer < 0) return {};
  const auto rest = name.substr(static_cast<size_t>(end + 1 - name.data()));
  for (const Module m : all_modules()) {
    place.module = m;
    for (const bool is_a : {true, false}) {
      place.is_a = is_a;
      if (rest == std::string(peft_name(m)) + (is_a ? ".lora_A.weight" : ".lora_B.weight"))
        return place;
    }
  }
  return {};
}

// rows[out, rank]: for each head, dimension (half, i) <-> (i, half).
void reorder(std::vector<float>& b, int rank, int heads, bool to_gguf) {
  const std::vector<float> from = b;
  const auto rows = static_cast<int64_t>(b.size()) / rank, half = rows / heads / 2;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t head = row / (2 * half), in_head = row % (2 * half);
    const int64_t side = in_head / half, i = in_head % half;  // as PyTorch has it
    const int64_t paired = head * 2 * half + 2 * i + side;
    const int64_t source = to_gguf ? row : paired, target = to_gguf ? paired : row;
    std::copy_n(from.begin() + source * rank, rank, b.begin() + target * rank);
  }
}

void reorder_pair(LoraPair& pair, const Shape& shape, bool to_gguf) {
  if (shape.architecture != "llama") return;
  if (pair.module == Module::q) reorder(pair.b, pair.rank, shape.heads, to_gguf);
  if (pair.module == Module::k) reorder(pair.b, pair.rank, shape.kv_heads, to_gguf);
}

// A pattern's key is the end of a module's whole name; PEFT's regular expressions are not known.
bool names(const std::string& key, const LoraPair& pair) {
  const auto whole =
      "model.layers." + std::to_string(pair.layer) + "." + std::string(peft_name(pair.module));
  return whole == key || whole.ends_with("." + key);
}

using Pairs = std::map<std::pair<int, Module>, LoraPair>;

// A key that no pair answers to may be a regular expression, whose scale would be lost.
Result<json::Value> alpha_pattern(const json::Value& config, const Pairs& pairs,
                                  const std::string& path) {
  const auto* pattern = config.get("alpha_pattern");
  if (!pattern || !pattern->is_object()) return json::Value::object();
  for (const auto& [key, alpha] : pattern->as_object()) {
    const bool known =
        std::ranges::any_of(pairs, [&](const auto& pair) { return names(key, pair.second); });
    if (known && alpha.is_number()) continue;
    return Error::unsupported("'" + path + "': alpha_pattern '" + key + "' is no map's name",
                              "name each map, as in \"layers.0.self_attn.q_proj\"");
  }
  return *pattern;
}

Status check_config(const json::Value& config, const std::string& path) {
  const auto refuse = [&](const std::string& what) {
    return Error::unsupported("'" + path + "': " + what + " cannot be said in a GGUF adapter",
                              "train without it");
  };
  if (config.text("peft_type") != "LORA")
    return refuse("an adapter of type " + config.text("peft_type", "unknown"));
  if (config.flag("use_dora")) return refuse("DoRA");
  if (config.flag("fan_in_fan_out")) return refuse("fan_in_fan_out");
  if (config.text("bias", "none") != "none") return refuse("a trained bias");
  // Begun from parts of the weights, whose rest is the base that it belongs to.
  const auto init = config.text("init_lora_weights");
  for (const char* of_weights : {"pissa", "olora", "corda"}) {
    if (init.starts_with(of_weights)) return refuse("an adapter begun with '" + init + "'");
  }
  const auto* saved = config.get("modules_to_save");
  if (saved && saved->is_array() && saved->size() > 0) return refuse("a module trained as a whole");
  if (!(config.number("r") >= 1) || !(config.number("lora_alpha") > 0)) {
    return Error::corrupt("'" + path + "' states no rank or alpha", "save the adapter again");
  }
  return {};
}

Result<Pairs> pairs_of(FloatTensors tensors, const std::string& path) {
  Pairs pairs;
  for (auto& [name, tensor] : tensors) {
    const auto place = place_of(name);
    if (!place || tensor.shape.size() != 2) {
      return Error::unsupported("'" + path + "' adapts '" + name + "'",
                                "only the seven linear maps of a layer are known");
    }
    auto& pair = pairs[{place->layer, place->module}];
    pair.layer = place->layer;
    pair.module = place->module;
    const auto rows = static_cast<int>(tensor.shape[0]), cols = static_cast<int>(tensor.shape[1]);
    (place->is_a ? pair.in : pair.out) = place->is_a ? cols : rows;
    const int rank = place->is_a ? rows : cols;
    if (rank < 1 || (pair.rank != 0 && pair.rank != rank))
      return Error::corrupt("'" + path + "': " + name + " has another rank than its partner");
    pair.rank = rank;
    (place->is_a ? pair.a : pair.b) = std::move(tensor.values);
  }
  return pairs;
}

}  // namespace

Result<AdapterFile> read_peft(const std::string& folder, const Shape& shape) {
  const auto config_path = files::join(folder, "adapter_config.json");
  SLIPWAY_TRY(text, files::read(config_path, 1 << 20));
  auto config = json::parse(text);
  if (!config.ok() || !config->is_object())
    return Error::corrupt("'" + config_path + "' is no JSON object", "save the adapter again");
  SLIPWAY_CHECK(check_config(*config, config_path));
  const auto path = files::join(folder, "adapter_model.safetensors");
  SLIPWAY_TRY(tensors, read_safetensors(path));
  SLIPWAY_TRY(pairs, pairs_of(std::move(tensors), path));
  AdapterFile out;
  out.architecture = shape.architecture;
  const double rank = config->number("r"), alpha = config->number("lora_alpha");
  const bool stabilised = config->flag("use_rslora");
  out.alpha = static_cast<float>(stabilised ? alpha * std::sqrt(rank) : alpha);
  SLIPWAY_TRY(pattern, alpha_pattern(*config, pairs, config_path));
  for (auto& [where, pair] : pairs) {
    if (pair.a.empty() || pair.b.empty())
      return Error::corrupt("'" + path + "' has half a pair in layer " +
                            std::to_string(pair.layer));
    const auto stated = std::ranges::find_if(  // the first that fits, as PEFT has it
        pattern.as_object(), [&](const auto& member) { return names(member.first, pair); });
    const double own = stated == pattern.as_object().end() ? alpha : stated->second.as_number();
    const double wanted = own / (stabilised ? std::sqrt(double(pair.rank)) : double(pair.rank));
    const auto factor = static_cast<float>(wanted / (double{out.alpha} / pair.rank));
    if (std::fabs(factor - 1) > 1e-6f)
      for (float& x : pair.a) x *= factor;
    out.pairs.push_back(std::move(pair));
  }
  SLIPWAY_CHECK(check_fits(out, shape, folder));
  for (auto& pair : out.pairs) reorder_pair(pair, shape, true);
  return out;
}

Status write_peft(const AdapterFile& adapter, const Shape& shape, const std::string& folder,
                  const std::string& base_name) {
  SLIPWAY_CHECK(check_fits(adapter, shape, "the adapter"));
  FloatTensors tensors;
  std::map<Module, std::vector<std::string>> targets;
  auto ranks = json::Value::object(), alphas = json::Value::object();
  const int rank = adapter.rank();
  for (LoraPair pair : adapter.pairs) {
    reorder_pair(pair, shape, false);
    const auto layer =
        "layers." + std::to_string(pair.layer) + "." + std::string(peft_name(pair.module));
    const auto name = "base_model.model.model." + layer;
    tensors[name + ".lora_A.weight"] = {{pair.rank, pair.in}, std::move(pair.a)};
    tensors[name + ".lora_B.weight"] = {{pair.out, pair.rank}, std::move(pair.b)};
    targets[pair.module].push_back("model." + layer);
    if (pair.rank != rank) ranks.set("model." + layer, pair.rank);
  }
  auto modules = json::Value::array();
  for (const auto& [module, names] : targets) {
    // In every layer: the last word says it.
    const auto short_name = std::string(peft_name(module));
    if (std::ssize(names) == shape.layers) {
      modules.push_back(short_name.substr(short_name.find('.') + 1));
    } else {
      for (const auto& name : names) modules.push_back(name);
    }
  }
  auto config = json::Value::object();
  config.set("peft_type", "LORA")
      .set("task_type", "CAUSAL_LM")
      .set("base_model_name_or_path", base_name)
      .set("r", rank)
      .set("lora_alpha", adapter.alpha)
      .set("lora_dropout", 0.0)
      .set("bias", "none")
      .set("fan_in_fan_out", false)
      .set("use_rslora", false)
      .set("use_dora", false)
      .set("inference_mode", true)
      .set("target_modules", std::move(modules))
      .set("rank_pattern", std::move(ranks))
      .set("alpha_pattern", std::move(alphas));
  SLIPWAY_CHECK(files::make_directories(folder));
  SLIPWAY_CHECK(write_safetensors(files::join(folder, "adapter_model.safetensors"), tensors));
  return files::write_atomic(files::join(folder, "adapter_config.json"), config.pretty() + "\n");
}

}  // namespace slipway::tune
