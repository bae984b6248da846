// What the tests of this layer share: the recording that comes with whisper.cpp, and the weights,
// if they are on this machine.
#pragma once

#include <cstdlib>
#include <string>

#include "base/files.h"

namespace slipway::speech {

inline std::string jfk_wav() { return std::string(SPEECH_SHARE) + "/jfk.wav"; }

// A file of the models folder, or empty.
inline std::string model_file(const std::string& name) {
  const char* folder = std::getenv("SLIPWAY_MODELS");
  const char* home = std::getenv("HOME");
  const auto path = files::join(
      folder ? folder : std::string(home ? home : ".") + "/.cache/slipway/models", name);
  return files::exists(path) ? path : std::string();
}

}  // namespace slipway::speech

// Ends the test case, loudly, on a machine without the file.
#define SLIPWAY_NEEDS(path, name)                                        \
  if ((path).empty()) {                                                  \
    MESSAGE("SKIPPED: `slipway models pull " name "` brings its model"); \
    return;                                                              \
  }
