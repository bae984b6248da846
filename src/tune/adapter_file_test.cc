// Adapters between GGUF and PEFT, and merged into weights; llama.cpp's own answers are the measure
// in engine_test.cc, PEFT's in tests/conformance/peft.
#include "tune/adapter_file.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "tune/merge.h"
#include "tune/safetensors.h"
#include "tune/testing.h"

using namespace slipway;
using namespace slipway::tune;

namespace {

struct Folder {
  Folder() {
    path =
        (std::filesystem::temp_directory_path() / ("slipway-adapter-" + std::to_string(::getpid())))
            .string();
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

AdapterFile random_adapter(const BaseModel& base, const std::string& path) {
  Adapter adapter(base.shape, {.rank = 4, .alpha = 6}, 1);
  testing::randomize(adapter, 5, 0.2f);
  REQUIRE(write_gguf(file_of(adapter, base.shape.architecture), path, {}).ok());
  auto file = read_gguf(path);
  REQUIRE(file.ok());
  return *file;
}

bool same(const AdapterFile& a, const AdapterFile& b) {
  if (a.architecture != b.architecture || a.alpha != b.alpha || a.pairs.size() != b.pairs.size())
    return false;
  for (size_t i = 0; i < a.pairs.size(); ++i) {
    const auto &x = a.pairs[i], &y = b.pairs[i];
    if (x.layer != y.layer || x.module != y.module || x.a != y.a || x.b != y.b) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("an adapter goes to PEFT and back without a changed bit") {
  const Folder folder;
  for (const std::string architecture : {"gemma3", "llama", "qwen2", "qwen3"}) {
    CAPTURE(architecture);
    const auto model = testing::tiny_model(architecture, {});
    auto base = BaseModel::open(model);
    REQUIRE(base.ok());
    const auto adapter = random_adapter(**base, folder / "a.gguf");
    CHECK(adapter.pairs.size() == 21);
    REQUIRE(write_peft(adapter, (*base)->shape, folder / "peft", "a model").ok());
    auto back = read_peft(folder / "peft", (*base)->shape);
    REQUIRE(back.ok());
    CHECK(same(adapter, *back));
    auto tensors = read_safetensors(folder / "peft/adapter_model.safetensors");
    REQUIRE(tensors.ok());
    const auto& b = (*tensors)["base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"];
    // llama's second row of the first head's first half is the GGUF's third.
    const size_t row = architecture == "llama" ? 2 : 1;
    CHECK(b.values[4] == adapter.pairs[0].b[4 * row]);
    std::filesystem::remove(model);
  }
}

TEST_CASE("PEFT's rank-stabilised scale and patterns keep the product") {
  const Folder folder;
  const auto model = testing::tiny_model("qwen3", {});
  auto base = BaseModel::open(model);
  REQUIRE(base.ok());
  const auto adapter = random_adapter(**base, folder / "a.gguf");
  REQUIRE(write_peft(adapter, (*base)->shape, folder / "peft", "a model").ok());
  const auto with = [&](const std::string& old, const std::string& instead) {
    auto text = files::read(folder / "peft/adapter_config.json");
    REQUIRE(text.ok());
    const auto at = text->find(old);
    REQUIRE(at != std::string::npos);
    REQUIRE(files::write_atomic(folder / "peft/adapter_config.json",
                                text->replace(at, old.size(), instead))
                .ok());
    auto read = read_peft(folder / "peft", (*base)->shape);
    REQUIRE(read.ok());
    return *read;
  };
  CHECK(with("\"use_rslora\": false", "\"use_rslora\": true").alpha == doctest::Approx(12));
  const auto patterned = with("\"alpha_pattern\": {}", "\"alpha_pattern\": {\"q_proj\": 12}");
  CHECK(patterned.pairs[0].a[0] == doctest::Approx(2 * adapter.pairs[0].a[0]));
  CHECK(patterned.pairs[1].a[0] == doctest::Approx(adapter.pairs[1].a[0]));
  const auto first = with(R"({"q_proj": 12})", R"({"self_attn.q_proj": 12, "q_proj": 24})");
  CHECK(first.pairs[0].a[0] == doctest::Approx(2 * adapter.pairs[0].a[0]));
  std::filesystem::remove(model);
}

TEST_CASE("what a GGUF adapter cannot say is refused by name") {
  const Folder folder;
  const auto model = testing::tiny_model("qwen3", {});
  auto base = BaseModel::open(model);
  REQUIRE(base.ok());
  const auto adapter = random_adapter(**base, folder / "a.gguf");
  const auto config = folder / "peft/adapter_config.json";
  const auto refusal = [&](const std::string& text) {
    REQUIRE(files::write_atomic(config, text).ok());
    auto read = read_peft(folder / "peft", (*base)->shape);
    REQUIRE(!read.ok());
    return read.error().message();
  };
  REQUIRE(write_peft(adapter, (*base)->shape, folder / "peft", "a model").ok());
  CHECK(refusal(R"({"peft_type":"LORA","r":4,"lora_alpha":8,"use_dora":true})").find("DoRA") !=
        std::string::npos);
  CHECK(refusal(R"({"peft_type":"IA3"})").find("IA3") != std::string::npos);
  CHECK(refusal("[1]").find("JSON") != std::string::npos);
  CHECK(refusal(R"({"peft_type":"LORA","r":4,"lora_alpha":8,"init_lora_weights":"pissa_niter_4"})")
            .find("pissa_niter_4") != std::string::npos);
  CHECK(refusal(R"({"peft_type":"LORA","r":4,"lora_alpha":8,"alpha_pattern":{"^q.*":64}})")
            .find("^q.*") != std::string::npos);
  REQUIRE(files::write_atomic(folder / "peft/adapter_model.safetensors", "1234567").ok());
  CHECK(refusal(R"({"peft_type":"LORA","r":4,"lora_alpha":8})").find("short") != std::string::npos);
  // A small file is no large one because its tensors are all the same bytes.
  std::string header = "{";
  for (int i = 0; i < 8; ++i)
    header += (i ? "," : "") + std::string("\"t") + std::to_string(i) +
              R"(":{"dtype":"F16","shape":[2048],"data_offsets":[0,4096]})";
  header += "}";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size() % 256);
  file[1] = static_cast<char>(header.size() / 256);
  REQUIRE(files::write_atomic(folder / "over.safetensors", file + header + std::string(4096, '\0'))
              .ok());
  CHECK(read_safetensors(folder / "over.safetensors").error().code() == ErrorCode::corrupt);
  auto other = BaseModel::open(testing::tiny_model("qwen3", {.width = 64}));
  REQUIRE(other.ok());
  CHECK(!check_fits(adapter, (*other)->shape, "a.gguf").ok());
  CHECK(!read_gguf(model).ok());
  std::filesystem::remove((*other)->file->path());
  std::filesystem::remove(model);
}

TEST_CASE("merged weights are the old ones and the adapter's product") {
  const Folder folder;
  for (const auto type : {WeightType::f32, WeightType::q8_0}) {
    const auto model = testing::tiny_model("gemma3", {.type = type});
    auto base = BaseModel::open(model);
    REQUIRE(base.ok());
    const auto adapter = random_adapter(**base, folder / "a.gguf");
    for (const auto how : {MergeType::f16, MergeType::same}) {
      auto merged = merge(**base, adapter, folder / "merged.gguf", {.type = how, .name = "both"});
      REQUIRE(merged.ok());
      CHECK(merged->changed == 21);
      CHECK(merged->relative_error < (type == WeightType::q8_0 ? 0.02 : 1e-3));
      CHECK(merged->kept == doctest::Approx(1).epsilon(0.02));
      auto opened = BaseModel::open(folder / "merged.gguf");
      REQUIRE(opened.ok());
      CHECK((*opened)->file->text("general.name").value_or("") == "both");
      const auto wanted = how == MergeType::f16 ? WeightType::f16 : type;
      CHECK((*opened)->layers[0][Module::q].type == wanted);
      CHECK((*opened)->embedding.type == type);
    }
    std::filesystem::remove(model);
  }
}
