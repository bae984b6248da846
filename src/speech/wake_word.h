// Was the assistant called? microWakeWord's small networks, run by TensorFlow Lite's C library.
//
//     SLIPWAY_TRY(wake, WakeWord::open({.library = lib, .model = models + "/okay_nabu.mww"}));
//     if (wake->push(samples)) ...       // called just now
//
// The library is loaded when it is asked for and only when its SHA-256 is the catalog's (the caller
// has verified it). A model file is microWakeWord's JSON followed by its .tflite, as the catalog
// joins them. 16 kHz samples, any number at a time. One thread. Errors: not_found, corrupt,
// unsupported (the library lacks a function).
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace slipway::speech {

class WakeWord {
 public:
  struct Files {
    std::string library;  // libtensorflowlite_c.so
    std::string model;
  };
  static Result<std::unique_ptr<WakeWord>> open(const Files& files);
  ~WakeWord();
  // True once for each time it is said.
  bool push(std::span<const float> samples);
  const std::string& phrase() const;  // "Okay Nabu"
  float probability() const;          // after the last push

 private:
  struct Impl;
  explicit WakeWord(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::speech
