// What microWakeWord's networks hear with: 40 features each 10 ms, of 30 ms of sound.
//
//     MicroFrontend frontend;
//     frontend.push(samples, [&](const MicroFrontend::Features& f) { ... });
//
// Window, spectrum, mel bands, noise subtraction, gain control (PCAN), logarithm: as TensorFlow
// Lite Micro's audio front end computes them, in floating point with its roundings; a feature
// differs by less than a network's step of quantisation nearly always. One thread.
//
// Source: tensorflow/lite/experimental/microfrontend (Apache-2.0), and Y. Wang et al., "Trainable
// frontend for robust and far-field keyword spotting" (2017).
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

namespace slipway::speech {

class MicroFrontend {
 public:
  static constexpr size_t bands = 40;
  using Features = std::array<float, bands>;
  MicroFrontend();
  void push(std::span<const float> samples,
            const std::function<void(const Features&)>& on_features);

 private:
  Features features();
  std::array<double, bands + 1> band_energies();
  std::vector<float> pending_;  // samples as 16-bit numbers
  std::vector<double> window_;
  std::vector<size_t> band_of_;  // spectrum bin -> the band whose falling side it is on
  std::vector<double> weight_;   // of that side; the rest goes to the next band
  std::array<double, bands> noise_{};
};

}  // namespace slipway::speech
