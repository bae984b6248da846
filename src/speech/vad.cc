#include "speech/vad.h"

#include <whisper.h>

#include <algorithm>
#include <cstring>

extern "C" const char slipway_silero_begin[];
extern "C" const char slipway_silero_end[];

namespace slipway::speech {
namespace {

// Hands the embedded bytes to whisper.cpp.
struct Cursor {
  const char* at = slipway_silero_begin;
  static size_t read(void* self, void* out, size_t n) {
    auto& cursor = *static_cast<Cursor*>(self);
    n = std::min(n, static_cast<size_t>(slipway_silero_end - cursor.at));
    std::memcpy(out, cursor.at, n);
    cursor.at += n;
    return n;
  }
  static bool ended(void* self) { return static_cast<Cursor*>(self)->at == slipway_silero_end; }
  static void close(void*) {}
};

}  // namespace

struct VoiceDetector::Impl {
  whisper_vad_context* context = nullptr;
  ~Impl() {
    if (context) whisper_vad_free(context);
  }
};

VoiceDetector::VoiceDetector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VoiceDetector::~VoiceDetector() = default;

Result<std::unique_ptr<VoiceDetector>> VoiceDetector::open() {
  whisper_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  Cursor cursor;
  whisper_model_loader loader{&cursor, Cursor::read, Cursor::ended, Cursor::close};
  auto parameters = whisper_vad_default_context_params();
  parameters.n_threads = 1;
  parameters.use_gpu = false;
  auto impl = std::make_unique<Impl>();
  impl->context = whisper_vad_init_with_params(&loader, parameters);
  if (!impl->context) return Error::internal("the voice detector could not be opened");
  whisper_vad_reset_state(impl->context);
  return std::unique_ptr<VoiceDetector>(new VoiceDetector(std::move(impl)));
}

float VoiceDetector::probability(std::span<const float, frame_samples> frame) {
  if (!whisper_vad_detect_speech_no_reset(impl_->context, frame.data(), frame_samples) ||
      whisper_vad_n_probs(impl_->context) < 1)
    return 0;
  return whisper_vad_probs(impl_->context)[0];
}

void VoiceDetector::reset() { whisper_vad_reset_state(impl_->context); }

}  // namespace slipway::speech
