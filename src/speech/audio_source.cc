#include "speech/audio_source.h"

#include <miniaudio/miniaudio.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "candidate/transcriber.h"

namespace slipway::speech {
namespace {

constexpr size_t rate = candidate::Transcriber::sample_rate;

class Recording final : public AudioSource {
 public:
  Recording(std::vector<float> samples, bool in_real_time)
      : samples_(std::move(samples)), in_real_time_(in_real_time) {
    samples_.resize(samples_.size() + rate);  // somebody who has finished is silent
  }
  bool live() const override { return in_real_time_; }

  Result<bool> read(std::span<float> block, CancelToken cancel) override {
    if (cancel.cancelled()) return Error::cancelled();
    if (at_ >= samples_.size()) return false;
    if (started_ms_ == 0) started_ms_ = steady_ms();
    const size_t n = std::min(block.size(), samples_.size() - at_);
    std::copy_n(samples_.begin() + static_cast<ptrdiff_t>(at_), n, block.begin());
    std::fill(block.begin() + static_cast<ptrdiff_t>(n), block.end(), 0.F);
    at_ += n;
    if (in_real_time_) {
      const double due = started_ms_ + static_cast<double>(at_) * 1000 / rate;
      const double wait = due - steady_ms();
      if (wait > 0)
        std::this_thread::sleep_for(std::chrono::microseconds(static_cast<int64_t>(wait * 1000)));
    }
    return true;
  }

 private:
  std::vector<float> samples_;
  bool in_real_time_;
  size_t at_ = 0;
  double started_ms_ = 0;
};

// miniaudio's thread fills, the reader empties.
class Microphone final : public AudioSource {
 public:
  ~Microphone() override {
    if (has_device_) ma_device_uninit(&device_);
    if (has_context_) ma_context_uninit(&context_);
  }
  bool live() const override { return true; }

  Status open(const MicrophoneOptions& options) {
    const ma_backend silent[] = {ma_backend_null};
    const auto failed = options.silent ? ma_context_init(silent, 1, nullptr, &context_)
                                       : ma_context_init(nullptr, 0, nullptr, &context_);
    if (failed != MA_SUCCESS) return no_device("no sound system answers");
    has_context_ = true;
    auto config = ma_device_config_init(ma_device_type_capture);
    config.capture.format = ma_format_f32;
    config.capture.channels = 1;
    config.sampleRate = rate;
    config.periodSizeInMilliseconds = 10;
    config.pUserData = this;
    config.dataCallback = [](ma_device* device, void*, const void* in, ma_uint32 n) {
      static_cast<Microphone*>(device->pUserData)->push(static_cast<const float*>(in), n);
    };
    ma_device_id id;
    if (!options.device.empty()) {
      SLIPWAY_CHECK(find(options.device, id));
      config.capture.pDeviceID = &id;
    }
    if (ma_device_init(&context_, &config, &device_) != MA_SUCCESS)
      return no_device("no microphone could be opened");
    has_device_ = true;
    if (ma_device_start(&device_) != MA_SUCCESS) return no_device("the microphone did not start");
    return {};
  }

  Result<bool> read(std::span<float> block, CancelToken cancel) override {
    constexpr auto poll = std::chrono::milliseconds(50);
    constexpr double longest_wait_ms = 3000;
    const double began = steady_ms();
    std::unique_lock lock(mutex_);
    while (heard_.size() < block.size()) {
      if (cancel.cancelled()) return Error::cancelled();
      if (steady_ms() - began > longest_wait_ms) return no_device("the microphone fell silent");
      arrived_.wait_for(lock, poll);
    }
    std::copy_n(heard_.begin(), block.size(), block.begin());
    heard_.erase(heard_.begin(), heard_.begin() + static_cast<ptrdiff_t>(block.size()));
    return true;
  }

 private:
  static Error no_device(const std::string& what) {
    return Error::unavailable(what, "`slipway listen --wav FILE` takes a recording instead");
  }

  Status find(const std::string& name, ma_device_id& id) {
    ma_device_info* found = nullptr;
    ma_uint32 n = 0;
    if (ma_context_get_devices(&context_, nullptr, nullptr, &found, &n) != MA_SUCCESS)
      return no_device("the microphones could not be listed");
    std::vector<std::string> names;
    for (ma_uint32 i = 0; i < n; ++i) {
      names.emplace_back(found[i].name);
      if (to_lower(names.back()).find(to_lower(name)) == std::string::npos) continue;
      id = found[i].id;
      return {};
    }
    return Error::not_found("no microphone '" + name + "'",
                            names.empty() ? "none is there" : "there is " + join(names, ", "));
  }

  void push(const float* samples, size_t n) {
    constexpr size_t most = 10 * rate;
    const std::scoped_lock lock(mutex_);
    heard_.insert(heard_.end(), samples, samples + n);
    if (heard_.size() > most)
      heard_.erase(heard_.begin(), heard_.end() - static_cast<ptrdiff_t>(most));
    arrived_.notify_one();
  }

  ma_context context_{};
  ma_device device_{};
  bool has_context_ = false, has_device_ = false;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<float> heard_;
};

}  // namespace

double stream_origin(double before_ms, double came_ms, double block_ms) {
  constexpr double creep = 0.001;  // well above what the clocks of sound cards are wrong by
  return std::min(before_ms + creep * block_ms, came_ms);
}

std::unique_ptr<AudioSource> play_samples(std::vector<float> samples, bool in_real_time) {
  return std::make_unique<Recording>(std::move(samples), in_real_time);
}

Result<std::unique_ptr<AudioSource>> open_microphone(const MicrophoneOptions& options) {
  auto microphone = std::make_unique<Microphone>();
  SLIPWAY_CHECK(microphone->open(options));
  return std::unique_ptr<AudioSource>(std::move(microphone));
}

}  // namespace slipway::speech
