#include "speech/ctranslate2.h"

#include <ggml.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "json/value.h"
#include "speech/byte_text.h"
#include "speech/mel.h"

namespace slipway::speech {
namespace {

constexpr uint32_t format_version = 6;
constexpr uint32_t most_variables = 100'000;
constexpr int type_f32 = 0, type_f16 = 4;  // CTranslate2's numbers
constexpr int32_t ggml_f32 = 0, ggml_f16 = 1;
constexpr uint32_t ggml_magic = 0x67676d6c;

Error broken(const std::string& what) {
  return Error::corrupt("no CTranslate2 model of Whisper: " + what,
                        "`slipway models verify` checks the file");
}

struct Variable {
  std::vector<uint32_t> shape;
  int type = type_f32;
  std::string_view data;
  size_t count() const {
    size_t n = 1;
    for (const uint32_t d : shape) n *= d;
    return n;
  }
};

struct Model {
  std::map<std::string, Variable, std::less<>> variables;
  std::string_view rest;  // after the model: the tokenizer
};

// Reads little-endian values; after one that is not there, everything is zero and `ok` false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  std::string_view rest() const { return bytes_; }
  std::string_view take(size_t n) {
    if (n > bytes_.size()) ok_ = false;
    if (!ok_) return {};
    const auto taken = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return taken;
  }
  template <typename T>
  T number() {
    T value{};
    const auto bytes = take(sizeof(T));
    if (ok_) std::memcpy(&value, bytes.data(), sizeof(T));
    return value;
  }
  std::string text() {  // its length counts the NUL at its end
    auto taken = take(number<uint16_t>());
    if (!taken.empty() && taken.back() == '\0') taken.remove_suffix(1);
    return std::string(taken);
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

Result<Variable> read_variable(Reader& reader, const std::string& name) {
  Variable variable;
  const auto rank = reader.number<uint8_t>();
  size_t count = 1;
  for (int i = 0; i < rank && reader.ok(); ++i) {
    variable.shape.push_back(reader.number<uint32_t>());
    count *= variable.shape.back();
    if (count > (size_t{1} << 32)) return broken("'" + name + "' is too large");
  }
  variable.type = reader.number<uint8_t>();
  variable.data = reader.take(reader.number<uint32_t>());
  if (!reader.ok()) return broken("it ends inside '" + name + "'");
  const size_t width = variable.type == type_f32 ? 4 : variable.type == type_f16 ? 2 : 0;
  if (width && variable.data.size() != count * width)
    return broken("'" + name + "' has " + std::to_string(variable.data.size()) + " bytes");
  return variable;
}

Result<Model> read_model(std::string_view bytes) {
  Reader reader(bytes);
  if (reader.number<uint32_t>() != format_version) return broken("its version is not 6");
  if (const auto spec = reader.text(); spec != "WhisperSpec")
    return Error::unsupported("a CTranslate2 model of '" + spec.substr(0, 40) + "'",
                              "only Whisper's can be read");
  reader.number<uint32_t>();  // revision of the specification
  const auto count = reader.number<uint32_t>();
  if (!reader.ok() || count > most_variables) return broken("its list of weights is wrong");
  Model model;
  for (uint32_t i = 0; i < count; ++i) {
    const auto name = reader.text();
    SLIPWAY_TRY(variable, read_variable(reader, name));
    model.variables[name] = std::move(variable);
  }
  const auto aliases = reader.number<uint32_t>();
  if (aliases > most_variables) return broken("its list of aliases is wrong");
  for (uint32_t i = 0; i < aliases && reader.ok(); ++i) {
    const auto alias = reader.text(), of = reader.text();
    if (const auto at = model.variables.find(of); at != model.variables.end())
      model.variables[alias] = at->second;
  }
  if (!reader.ok()) return broken("it ends too early");
  model.rest = reader.rest();
  return model;
}

class Writer {
 public:
  void number(int32_t value) { raw(&value, sizeof value); }
  void text(std::string_view text) { out_.append(text); }
  void raw(const void* bytes, size_t n) { out_.append(static_cast<const char*>(bytes), n); }
  std::string take() { return std::move(out_); }
  void reserve(size_t n) { out_.reserve(n); }

 private:
  std::string out_;
};

void write_numbers(Writer& writer, std::string_view data, int type, bool half) {
  if (half == (type == type_f16)) return writer.text(data);
  const size_t n = data.size() / (type == type_f16 ? 2 : 4);
  std::vector<float> floats(n);
  std::vector<ggml_fp16_t> halves(n);
  if (half) {
    std::memcpy(floats.data(), data.data(), data.size());
    ggml_fp32_to_fp16_row(floats.data(), halves.data(), static_cast<int64_t>(n));
    writer.raw(halves.data(), n * sizeof(ggml_fp16_t));
  } else {
    std::memcpy(halves.data(), data.data(), data.size());
    ggml_fp16_to_fp32_row(halves.data(), floats.data(), static_cast<int64_t>(n));
    writer.raw(floats.data(), n * sizeof(float));
  }
}

// How one tensor is written: which rows of a variable, and whether it stays in halves.
struct Piece {
  std::string name;         // OpenAI's
  std::string variable;     // CTranslate2's
  int part = 0, parts = 1;  // of a stacked projection
  bool half = false;
  bool column = false;  // a vector as an n x 1 matrix
};

Status write_piece(Writer& writer, const Model& model, const Piece& piece) {
  const auto at = model.variables.find(piece.variable);
  if (at == model.variables.end()) return broken("there is no '" + piece.variable + "'");
  const Variable& whole = at->second;
  if (whole.type != type_f32 && whole.type != type_f16)
    return Error::unsupported("'" + piece.variable + "' is quantised",
                              "take the model in fp16 (CTranslate2's `--quantization float16`)");
  if (whole.shape.empty() || whole.shape.size() > 3 || whole.shape[0] % piece.parts != 0)
    return broken("'" + piece.variable + "' has a strange shape");
  std::vector<uint32_t> shape = whole.shape;
  shape[0] /= piece.parts;
  if (piece.column) shape.push_back(1);
  const size_t bytes = whole.data.size() / piece.parts;
  const auto data = whole.data.substr(bytes * piece.part, bytes);
  writer.number(static_cast<int32_t>(shape.size()));
  writer.number(static_cast<int32_t>(piece.name.size()));
  writer.number(piece.half ? ggml_f16 : ggml_f32);
  for (size_t i = shape.size(); i-- > 0;) writer.number(static_cast<int32_t>(shape[i]));
  writer.text(piece.name);
  write_numbers(writer, data, whole.type, piece.half);
  return {};
}

void add_norm(std::vector<Piece>& pieces, const std::string& ours, const std::string& theirs) {
  pieces.push_back({ours + ".weight", theirs + "/gamma"});
  pieces.push_back({ours + ".bias", theirs + "/beta"});
}

void add_linear(std::vector<Piece>& pieces, const std::string& ours, const std::string& theirs,
                int part = 0, int parts = 1, bool bias = true) {
  pieces.push_back({ours + ".weight", theirs + "/weight", part, parts, true});
  if (bias) pieces.push_back({ours + ".bias", theirs + "/bias", part, parts});
}

void add_block(std::vector<Piece>& pieces, const std::string& ours, const std::string& theirs,
               bool decoder) {
  const std::string self = theirs + "/self_attention", cross = theirs + "/attention";
  add_norm(pieces, ours + ".attn_ln", self + "/layer_norm");
  add_linear(pieces, ours + ".attn.query", self + "/linear_0", 0, 3);
  add_linear(pieces, ours + ".attn.key", self + "/linear_0", 1, 3, false);
  add_linear(pieces, ours + ".attn.value", self + "/linear_0", 2, 3);
  add_linear(pieces, ours + ".attn.out", self + "/linear_1");
  if (decoder) {
    add_norm(pieces, ours + ".cross_attn_ln", cross + "/layer_norm");
    add_linear(pieces, ours + ".cross_attn.query", cross + "/linear_0");
    add_linear(pieces, ours + ".cross_attn.key", cross + "/linear_1", 0, 2, false);
    add_linear(pieces, ours + ".cross_attn.value", cross + "/linear_1", 1, 2);
    add_linear(pieces, ours + ".cross_attn.out", cross + "/linear_2");
  }
  add_norm(pieces, ours + ".mlp_ln", theirs + "/ffn/layer_norm");
  add_linear(pieces, ours + ".mlp.0", theirs + "/ffn/linear_0");
  add_linear(pieces, ours + ".mlp.2", theirs + "/ffn/linear_1");
}

std::vector<Piece> pieces_of(int encoder_layers, int decoder_layers) {
  std::vector<Piece> pieces = {
      {"encoder.positional_embedding", "encoder/position_encodings/encodings"},
      {"encoder.conv1.weight", "encoder/conv1/weight", 0, 1, true},
      {"encoder.conv1.bias", "encoder/conv1/bias", 0, 1, false, true},
      {"encoder.conv2.weight", "encoder/conv2/weight", 0, 1, true},
      {"encoder.conv2.bias", "encoder/conv2/bias", 0, 1, false, true}};
  add_norm(pieces, "encoder.ln_post", "encoder/layer_norm");
  pieces.push_back({"decoder.positional_embedding", "decoder/position_encodings/encodings"});
  pieces.push_back({"decoder.token_embedding.weight", "decoder/embeddings/weight", 0, 1, true});
  add_norm(pieces, "decoder.ln", "decoder/layer_norm");
  for (int i = 0; i < encoder_layers; ++i) {
    const auto n = std::to_string(i);
    add_block(pieces, "encoder.blocks." + n, "encoder/layer_" + n, false);
  }
  for (int i = 0; i < decoder_layers; ++i) {
    const auto n = std::to_string(i);
    add_block(pieces, "decoder.blocks." + n, "decoder/layer_" + n, true);
  }
  return pieces;
}

int layers(const Model& model, const std::string& side) {
  int n = 0;
  while (model.variables.contains(side + "/layer_" + std::to_string(n) + "/ffn/linear_0/weight"))
    ++n;
  return n;
}

Result<int> dimension(const Model& model, std::string_view name, size_t axis) {
  const auto at = model.variables.find(name);
  if (at == model.variables.end() || at->second.shape.size() <= axis)
    return broken("there is no '" + std::string(name) + "'");
  return static_cast<int>(at->second.shape[axis]);
}

// Heads have 64 dimensions in every Whisper.
constexpr int head_width = 64;
constexpr int english_only = 50257;  // tokens of text and <|endoftext|>; one more when multilingual
// English only, and large-v3 with a language more; whisper.cpp trusts that they are all there.
constexpr int fewest_tokens = 51864, most_tokens = 51866;

Status write_vocabulary(Writer& writer, std::string_view tokenizer, int tokens) {
  SLIPWAY_TRY(value, json::parse(tokenizer));
  const auto* model = value.get("model");
  const auto* vocabulary = model ? model->get("vocab") : nullptr;
  if (!vocabulary || !vocabulary->is_object()) return broken("tokenizer.json has no vocabulary");
  const bool multilingual = tokens >= 51865;
  const size_t texts = multilingual ? english_only : english_only - 1;
  std::vector<std::string> names(texts);
  for (const auto& [name, id] : vocabulary->as_object()) {
    if (!id.is_integer() || id.as_integer() < 0) return broken("a token's number is none");
    const auto at = static_cast<size_t>(id.as_integer());
    if (at < texts && !name.starts_with("<|")) names[at] = decode_byte_text(name);
  }
  if (std::find(names.begin(), names.end(), " ") == names.end())
    return broken("its vocabulary has no space");  // whisper.cpp looks it up without asking
  writer.number(static_cast<int32_t>(texts));
  for (const auto& name : names) {
    writer.number(static_cast<int32_t>(name.size()));
    writer.text(name);
  }
  return {};
}

}  // namespace

bool is_ctranslate2(std::string_view bytes) {
  return bytes.size() > 18 && bytes.substr(0, 4) == std::string_view("\6\0\0\0", 4) &&
         bytes.substr(6, 11) == "WhisperSpec";
}

Result<std::string> whisper_from_ctranslate2(std::string_view bytes) {
  SLIPWAY_TRY(model, read_model(bytes));
  SLIPWAY_TRY(tokens, dimension(model, "decoder/embeddings/weight", 0));
  SLIPWAY_TRY(width, dimension(model, "decoder/embeddings/weight", 1));
  SLIPWAY_TRY(frames, dimension(model, "encoder/position_encodings/encodings", 0));
  SLIPWAY_TRY(text_context, dimension(model, "decoder/position_encodings/encodings", 0));
  SLIPWAY_TRY(bands, dimension(model, "encoder/conv1/weight", 1));
  const int encoder_layers = layers(model, "encoder"), decoder_layers = layers(model, "decoder");
  if (width < head_width || width % head_width != 0 || (bands != 80 && bands != 128) ||
      tokens < fewest_tokens || tokens > most_tokens)
    return broken("its dimensions are not Whisper's");
  Writer writer;
  writer.reserve(bytes.size() + (4 << 20));
  writer.number(static_cast<int32_t>(ggml_magic));
  for (const int n : {tokens, frames, width, width / head_width, encoder_layers, text_context,
                      width, width / head_width, decoder_layers, bands, 1})
    writer.number(n);
  const auto filters = mel_filters(bands);
  writer.number(bands);
  writer.number(static_cast<int32_t>(filters.size()) / bands);
  writer.raw(filters.data(), filters.size() * sizeof(float));
  SLIPWAY_CHECK(write_vocabulary(writer, model.rest, tokens));
  for (const auto& piece : pieces_of(encoder_layers, decoder_layers))
    SLIPWAY_CHECK(write_piece(writer, model, piece));
  return writer.take();
}

}  // namespace slipway::speech
