#include "speech/ctranslate2.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "speech/byte_text.h"
#include "speech/mel.h"

using namespace slipway;
using namespace slipway::speech;

namespace {

template <typename T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, const std::string& text) {
  put(out, static_cast<uint16_t>(text.size() + 1));
  out += text;
  out += '\0';
}

// A Whisper of one layer on each side and one head, all its weights halves of 1.
struct Miniature {
  static constexpr uint32_t width = 64, tokens = 51864;
  std::string variables;
  uint32_t count = 0;

  void add(const std::string& name, const std::vector<uint32_t>& shape, uint8_t type = 4) {
    put_text(variables, name);
    put(variables, static_cast<uint8_t>(shape.size()));
    size_t n = 1;
    for (const auto d : shape) put(variables, d), n *= d;
    put(variables, type);
    put(variables, static_cast<uint32_t>(n * (type == 4 ? 2 : 1)));
    for (size_t i = 0; i < n; ++i) {
      if (type == 4) {
        put(variables, uint16_t{0x3c00});
      } else {
        put(variables, uint8_t{1});
      }
    }
    ++count;
  }
  void linear(const std::string& name, uint32_t out, uint32_t in, uint8_t type = 4) {
    add(name + "/weight", {out, in}, type);
    add(name + "/bias", {out});
  }
  void norm(const std::string& name) {
    add(name + "/gamma", {width}), add(name + "/beta", {width});
  }

  std::string bytes(const std::string& spec = "WhisperSpec", uint8_t type = 4) {
    for (const std::string side : {"encoder", "decoder"}) {
      const auto layer = side + "/layer_0";
      norm(layer + "/self_attention/layer_norm");
      linear(layer + "/self_attention/linear_0", 3 * width, width, type);
      linear(layer + "/self_attention/linear_1", width, width);
      norm(layer + "/ffn/layer_norm");
      linear(layer + "/ffn/linear_0", 4 * width, width);
      linear(layer + "/ffn/linear_1", width, 4 * width);
      norm(side + "/layer_norm");
      add(side + "/position_encodings/encodings", {side == "encoder" ? 1500U : 448U, width});
    }
    norm("decoder/layer_0/attention/layer_norm");
    linear("decoder/layer_0/attention/linear_0", width, width);
    linear("decoder/layer_0/attention/linear_1", 2 * width, width);
    linear("decoder/layer_0/attention/linear_2", width, width);
    add("decoder/embeddings/weight", {tokens, width});
    add("encoder/conv1/weight", {width, 80, 3}), add("encoder/conv1/bias", {width});
    add("encoder/conv2/weight", {width, width, 3}), add("encoder/conv2/bias", {width});
    std::string out;
    put(out, uint32_t{6});
    put_text(out, spec);
    put(out, uint32_t{3});
    put(out, count);
    out += variables;
    put(out, uint32_t{0});
    return out + R"({"model": {"vocab": {"hi": 0, "\u0120there": 1, "\u0120": 2,
                                         "<|endoftext|>": 50256}}})";
  }
};

int32_t word(const std::string& bytes, size_t index) {
  int32_t value = 0;
  std::memcpy(&value, bytes.data() + index * 4, 4);
  return value;
}

}  // namespace

TEST_CASE("the mel filters are Whisper's") {
  const auto filters = mel_filters(80);
  REQUIRE(filters.size() == 80 * 201);
  CHECK(filters[1] == doctest::Approx(0.02486259).epsilon(1e-5));  // OpenAI's mel_filters.npz
  // Every band has the same area: a triangle of height 2 / width.
  for (size_t band = 40; band < 80; ++band) {
    const auto row = filters.begin() + static_cast<ptrdiff_t>(band) * 201;
    CHECK(std::accumulate(row, row + 201, 0.0) * 40 == doctest::Approx(1).epsilon(0.05));
  }
}

TEST_CASE("a token's printable form becomes its bytes") {
  CHECK(decode_byte_text("Ġtimer") == " timer");
  CHECK(decode_byte_text("Ċ") == "\n");
  CHECK(decode_byte_text("caf\u00c3\u00a9") == "caf\xc3\xa9");
  CHECK(decode_byte_text("\u4e2d") == "\u4e2d");
}

TEST_CASE("CTranslate2's weights become whisper.cpp's file") {
  const auto bytes = Miniature().bytes();
  CHECK(is_ctranslate2(bytes));
  const auto ggml = whisper_from_ctranslate2(bytes);
  REQUIRE(ggml.ok());
  CHECK(word(*ggml, 0) == 0x67676d6c);
  CHECK(word(*ggml, 1) == 51864);              // tokens
  CHECK(word(*ggml, 3) == 64);                 // width
  CHECK(word(*ggml, 4) == 1);                  // heads
  CHECK(word(*ggml, 10) == 80);                // mel bands
  CHECK(word(*ggml, 14 + 80 * 201) == 50256);  // texts, without <|endoftext|>
  CHECK(ggml->find("decoder.blocks.0.cross_attn.key.weight") != std::string::npos);
  CHECK(ggml->find("attn.key.bias") == std::string::npos);
}

TEST_CASE("another model, or a quantised one, is refused by name") {
  CHECK(whisper_from_ctranslate2(Miniature().bytes("TransformerSpec")).error().code() ==
        ErrorCode::unsupported);
  CHECK(whisper_from_ctranslate2(Miniature().bytes("WhisperSpec", 1)).error().code() ==
        ErrorCode::unsupported);
}

TEST_CASE("a model that is cut off anywhere, or has a wrong number, is an Error") {
  const auto bytes = Miniature().bytes();
  for (size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 97)
    CHECK_FALSE(whisper_from_ctranslate2(std::string_view(bytes).substr(0, length)).ok());
  for (size_t at = 0; at < 400; at += 7) {
    auto broken = bytes;
    broken[at] = static_cast<char>(0xff);
    static_cast<void>(whisper_from_ctranslate2(broken).ok());  // no crash, no endless allocation
  }
}
