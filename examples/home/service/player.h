// Plays audio files (WAV, FLAC, MP3) on the sound card, or on a silent device that keeps time where
// there is none.
//
//     SLIPWAY_TRY(player, Player::open(AudioMode::automatic));
//     SLIPWAY_CHECK(player->play("music/ode to joy.wav", "ode to joy"));
//
// Thread-safe. One song at a time; an alarm sounds over it. Errors: unavailable (no device, file
// unreadable), invalid_input (nothing to pause or resume).
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace slipway::home {

enum class AudioMode { automatic, null_device };

struct PlayerState {
  std::string status = "stopped";  // playing, paused or stopped
  std::string title;               // empty when stopped
  double position_s = 0;
  double length_s = 0;
  int volume = 70;     // percent
  std::string device;  // "Null", "ALSA", "PulseAudio", ...
};

class Player {
 public:
  static Result<std::unique_ptr<Player>> open(AudioMode mode);
  ~Player();
  Status play(const std::string& path, const std::string& title);
  Status pause();
  Status resume();
  void stop();
  void set_volume(int percent);  // 0 to 100
  void sound_alarm(const std::string& path);
  PlayerState state();

 private:
  struct Impl;
  explicit Player(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::home
