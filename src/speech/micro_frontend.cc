#include "speech/micro_frontend.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace slipway::speech {
namespace {

constexpr size_t window_samples = 480, step_samples = 160, fft_size = 512;
constexpr double hz_per_bin = 16'000.0 / fft_size;
constexpr double lowest_hz = 125, highest_hz = 7500;
constexpr double weight_one = 4096;     // a filter's weight, in fixed point
constexpr double smoothing_one = 1024;  // a noise estimate's, likewise
constexpr double even_smoothing = 0.025, odd_smoothing = 0.06, least_signal = 0.05;
constexpr double gain_strength = 0.95, gain_offset = 80, gain_one = 1 << 21;
constexpr double snr_one = 4096;
constexpr double feature_scale = 10.0 / 256;

double mel(double hz) { return 1127 * std::log1p(hz / 700); }

void fft(std::array<std::complex<double>, fft_size>& x) {
  for (size_t i = 1, j = 0; i < fft_size; ++i) {
    size_t bit = fft_size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (size_t length = 2; length <= fft_size; length *= 2) {
    const double angle = -2 * std::numbers::pi / static_cast<double>(length);
    for (size_t k = 0; k < length / 2; ++k) {
      const auto turn = std::polar(1.0, angle * static_cast<double>(k));
      for (size_t i = k; i < fft_size; i += length) {
        const auto odd = x[i + length / 2] * turn;
        x[i + length / 2] = x[i] - odd;
        x[i] += odd;
      }
    }
  }
}

// Per-channel automatic gain control: loud for what stands out of the noise.
double gain_controlled(double signal, double noise) {
  const double gain = std::min(
      32767.0, std::floor(gain_one * std::pow(noise / 128 + gain_offset, -gain_strength) + 0.5));
  const double snr = std::floor(signal * gain / 64);
  if (snr < 2 * snr_one) return std::floor(snr * snr / (1 << 20));
  return std::floor(snr / 64) - 64;
}

}  // namespace

MicroFrontend::MicroFrontend() {
  for (size_t i = 0; i < window_samples; ++i) {
    const double angle = 2 * std::numbers::pi * (static_cast<double>(i) + 0.5) / window_samples;
    window_.push_back(std::floor((0.5 - 0.5 * std::cos(angle)) * 4096 + 0.5));
  }
  const double low = mel(lowest_hz), spacing = (mel(highest_hz) - low) / (bands + 1);
  const auto first = static_cast<size_t>(1.5 + lowest_hz / hz_per_bin);
  band_of_.assign(fft_size / 2 + 1, bands + 1);
  weight_.assign(fft_size / 2 + 1, 0);
  for (size_t bin = first; bin <= fft_size / 2; ++bin) {
    const double at = (mel(static_cast<double>(bin) * hz_per_bin) - low) / spacing;
    const double band = std::max(0.0, std::ceil(at) - 1);
    if (band > bands) break;
    band_of_[bin] = static_cast<size_t>(band);
    weight_[bin] = std::floor((band + 1 - at) * weight_one + 0.5);
  }
}

// Sums over triangles, a bin falling in one band and rising in the next.
std::array<double, MicroFrontend::bands + 1> MicroFrontend::band_energies() {
  double loudest = 0;
  std::array<std::complex<double>, fft_size> x{};
  for (size_t i = 0; i < window_samples; ++i) {
    x[i] = std::floor(pending_[i] * window_[i] / 4096);
    loudest = std::max(loudest, std::abs(x[i].real()));
  }
  // The fixed-point transform is scaled up as far as 16 bits allow, and down by its length.
  const double shift = loudest < 1 ? 32768 : std::exp2(14 - std::floor(std::log2(loudest)));
  fft(x);
  std::array<double, bands + 2> sums{};
  for (size_t bin = 0; bin < band_of_.size(); ++bin) {
    const size_t band = band_of_[bin];
    if (band > bands) continue;
    const double re = std::round(x[bin].real() * shift / fft_size);
    const double im = std::round(x[bin].imag() * shift / fft_size);
    const double energy = re * re + im * im;
    sums[band] += weight_[bin] * energy;
    sums[band + 1] += (weight_one - weight_[bin]) * energy;
  }
  std::array<double, bands + 1> magnitudes{};
  for (size_t band = 0; band <= bands; ++band)
    magnitudes[band] = std::floor(std::round(std::sqrt(sums[band])) / shift);
  return magnitudes;
}

MicroFrontend::Features MicroFrontend::features() {
  const auto magnitudes = band_energies();
  Features out{};
  for (size_t i = 0; i < bands; ++i) {
    const double smoothing = i % 2 == 0 ? even_smoothing : odd_smoothing;
    const double signal = magnitudes[i + 1];
    noise_[i] = std::floor(signal * smoothing_one * smoothing + noise_[i] * (1 - smoothing));
    const double noise = std::min(noise_[i], signal * smoothing_one);
    const double clean = std::max(std::floor((signal * smoothing_one - noise) / smoothing_one),
                                  std::floor(signal * least_signal));
    const double value = gain_controlled(clean, noise_[i]) * 8;
    out[i] = value > 1 ? static_cast<float>(std::min(65535.0, std::round(std::log(value) * 64)) *
                                            feature_scale)
                       : 0;
  }
  return out;
}

void MicroFrontend::push(std::span<const float> samples,
                         const std::function<void(const Features&)>& on_features) {
  for (const float sample : samples)
    pending_.push_back(std::round(std::clamp(sample, -1.F, 1.F) * 32767));
  while (pending_.size() >= window_samples) {
    on_features(features());
    pending_.erase(pending_.begin(), pending_.begin() + step_samples);
  }
}

}  // namespace slipway::speech
