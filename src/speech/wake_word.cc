#include "speech/wake_word.h"

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <numeric>
#include <vector>

#include "base/files.h"
#include "json/value.h"
#include "speech/micro_frontend.h"

namespace slipway::speech {
namespace {

constexpr uint64_t most_model_bytes = 16 << 20;
constexpr int int8_type = 9, uint8_type = 3;  // TfLiteType
constexpr int deaf_steps = 50;                // after a call, so that it counts once
constexpr size_t settling_features = 100;     // the noise estimate needs a second

struct Quantization {
  float scale;
  int32_t zero_point;
};

// The part of TensorFlow Lite's C interface that is used, found in the library by name. It is never
// unloaded: what it keeps for the whole process would be lost.
struct TensorFlowLite {
  void* library = nullptr;
  void* (*model_create)(const void*, size_t) = nullptr;
  void (*model_delete)(void*) = nullptr;
  void* (*interpreter_create)(const void*, const void*) = nullptr;
  void (*interpreter_delete)(void*) = nullptr;
  int (*allocate)(void*) = nullptr;
  int (*invoke)(void*) = nullptr;
  void* (*input)(const void*, int32_t) = nullptr;
  const void* (*output)(const void*, int32_t) = nullptr;
  int (*type)(const void*) = nullptr;
  size_t (*byte_size)(const void*) = nullptr;
  Quantization (*quantization)(const void*) = nullptr;
  int (*copy_in)(void*, const void*, size_t) = nullptr;
  int (*copy_out)(const void*, void*, size_t) = nullptr;

  template <typename F>
  bool find(F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(library, name));
    return function != nullptr;
  }

  Status load(const std::string& path) {
    if (!files::exists(path))
      return Error::not_found("TensorFlow Lite is not on this machine yet",
                              "`slipway models pull tensorflow-lite` brings it");
    library = dlopen(files::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) return Error::unsupported(std::string("TensorFlow Lite: ") + dlerror());
    const bool whole =
        find(model_create, "TfLiteModelCreate") && find(model_delete, "TfLiteModelDelete") &&
        find(interpreter_create, "TfLiteInterpreterCreate") &&
        find(interpreter_delete, "TfLiteInterpreterDelete") &&
        find(allocate, "TfLiteInterpreterAllocateTensors") &&
        find(invoke, "TfLiteInterpreterInvoke") && find(input, "TfLiteInterpreterGetInputTensor") &&
        find(output, "TfLiteInterpreterGetOutputTensor") && find(type, "TfLiteTensorType") &&
        find(byte_size, "TfLiteTensorByteSize") &&
        find(quantization, "TfLiteTensorQuantizationParams") &&
        find(copy_in, "TfLiteTensorCopyFromBuffer") && find(copy_out, "TfLiteTensorCopyToBuffer");
    return whole ? Status() : Error::unsupported("'" + path + "' is no TensorFlow Lite of ours");
  }
};

// The JSON object at the beginning of a file, and what follows it.
Result<std::pair<json::Value, std::string>> split_model(const std::string& bytes) {
  int depth = 0;
  for (size_t i = 0; i < bytes.size() && i < 4096; ++i) {
    if (bytes[i] == '{') ++depth;
    if (bytes[i] != '}' || --depth != 0) continue;
    SLIPWAY_TRY(value, json::parse(bytes.substr(0, i + 1)));
    // A .tflite has its mark four bytes after its beginning.
    const size_t mark = bytes.find("TFL3", i + 1);
    if (mark == std::string::npos || mark < i + 5 || mark > i + 16) break;
    return std::pair(std::move(value), bytes.substr(mark - 4));
  }
  return Error::corrupt("no wake word of microWakeWord");
}

}  // namespace

struct WakeWord::Impl {
  TensorFlowLite lite;
  std::string bytes;  // the interpreter reads the model in place
  void* model = nullptr;
  void* interpreter = nullptr;
  void* input = nullptr;
  const void* output = nullptr;
  std::string phrase;
  double cutoff = 1;
  size_t window = 5;
  MicroFrontend frontend;
  std::vector<int8_t> pending;
  size_t input_bytes = 0;
  size_t features_seen = 0;
  std::deque<float> probabilities;
  float mean = 0;
  int deaf = 0;

  ~Impl() {
    if (interpreter) lite.interpreter_delete(interpreter);
    if (model) lite.model_delete(model);
  }

  Status open(const Files& files) {
    SLIPWAY_CHECK(lite.load(files.library));
    SLIPWAY_TRY(file, files::read(files.model, most_model_bytes));
    auto parts = split_model(file);
    if (!parts.ok()) return parts.error().in(files.model);
    const auto* micro = parts->first.get("micro");
    if (!micro) return Error::corrupt("'" + files.model + "' has no \"micro\"");
    phrase = parts->first.text("wake_word");
    cutoff = micro->number("probability_cutoff", 0.97);
    window = static_cast<size_t>(std::clamp(micro->number("sliding_window_size", 5), 1.0, 100.0));
    bytes = std::move(parts->second);
    model = lite.model_create(bytes.data(), bytes.size());
    if (model) interpreter = lite.interpreter_create(model, nullptr);
    if (!interpreter || lite.allocate(interpreter) != 0)
      return Error::corrupt("TensorFlow Lite cannot run '" + files.model + "'");
    input = lite.input(interpreter, 0);
    output = lite.output(interpreter, 0);
    input_bytes = lite.byte_size(input);
    const bool known = lite.type(input) == int8_type && input_bytes % MicroFrontend::bands == 0 &&
                       input_bytes > 0 && lite.byte_size(output) == 1 &&
                       (lite.type(output) == uint8_type || lite.type(output) == int8_type);
    return known ? Status()
                 : Error::unsupported("'" + files.model + "' takes or gives other numbers");
  }

  void hear(const MicroFrontend::Features& features) {
    const auto q = lite.quantization(input);
    for (const float f : features) {
      const float step = std::nearbyint(f / q.scale + static_cast<float>(q.zero_point));
      pending.push_back(static_cast<int8_t>(std::clamp(step, -128.F, 127.F)));
    }
    ++features_seen;
    if (pending.size() < input_bytes) return;
    lite.copy_in(input, pending.data(), input_bytes);
    pending.clear();
    uint8_t raw = 0;
    if (lite.invoke(interpreter) != 0 || lite.copy_out(output, &raw, 1) != 0) return;
    const auto p = lite.quantization(output);
    const int step = lite.type(output) == int8_type ? static_cast<int8_t>(raw) : raw;
    probabilities.push_back(static_cast<float>(step - p.zero_point) * p.scale);
    if (probabilities.size() > window) probabilities.pop_front();
    mean = std::accumulate(probabilities.begin(), probabilities.end(), 0.F) /
           static_cast<float>(probabilities.size());
    if (deaf > 0) --deaf;
  }

  bool called() {
    if (deaf > 0 || probabilities.size() < window || features_seen < settling_features ||
        mean <= cutoff)
      return false;
    deaf = deaf_steps;
    return true;
  }
};

WakeWord::WakeWord(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WakeWord::~WakeWord() = default;

Result<std::unique_ptr<WakeWord>> WakeWord::open(const Files& files) {
  auto impl = std::make_unique<Impl>();
  SLIPWAY_CHECK(impl->open(files));
  return std::unique_ptr<WakeWord>(new WakeWord(std::move(impl)));
}

bool WakeWord::push(std::span<const float> samples) {
  bool called = false;
  impl_->frontend.push(samples, [&](const MicroFrontend::Features& features) {
    impl_->hear(features);
    called = impl_->called() || called;
  });
  return called;
}

const std::string& WakeWord::phrase() const { return impl_->phrase; }
float WakeWord::probability() const { return impl_->mean; }

}  // namespace slipway::speech
