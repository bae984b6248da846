#include "player.h"

#include <miniaudio/miniaudio.h>

#include <mutex>

namespace slipway::home {
namespace {

// A song's position in the mix; ends with its owner.
class Sound {
 public:
  static std::unique_ptr<Sound> open(ma_engine& engine, const std::string& path) {
    auto sound = std::unique_ptr<Sound>(new Sound);
    const ma_uint32 flags = MA_SOUND_FLAG_STREAM | MA_SOUND_FLAG_NO_SPATIALIZATION;
    sound->ready_ = ma_sound_init_from_file(&engine, path.c_str(), flags, nullptr, nullptr,
                                            &sound->sound_) == MA_SUCCESS;
    return sound->ready_ ? std::move(sound) : nullptr;
  }
  ~Sound() {
    if (ready_) ma_sound_uninit(&sound_);
  }
  ma_sound* get() { return &sound_; }

 private:
  Sound() = default;
  ma_sound sound_{};
  bool ready_ = false;
};

}  // namespace

struct Player::Impl {
  ~Impl() {
    song.reset();
    if (engine_ready) ma_engine_uninit(&engine);
    if (context_ready) ma_context_uninit(&context);
  }

  bool open(const ma_backend* backends, ma_uint32 count) {
    context_ready = ma_context_init(backends, count, nullptr, &context) == MA_SUCCESS;
    if (!context_ready) return false;
    ma_engine_config config = ma_engine_config_init();
    config.pContext = &context;
    engine_ready = ma_engine_init(&config, &engine) == MA_SUCCESS;
    return engine_ready;
  }

  // A song that has come to its end is stopped.
  void settle() {
    if (song && ma_sound_at_end(song->get())) song.reset();
  }

  std::mutex mutex;
  ma_context context{};
  ma_engine engine{};
  bool context_ready = false;
  bool engine_ready = false;
  std::unique_ptr<Sound> song;
  std::string title;
  bool paused = false;
  int volume = 70;
};

Player::Player(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Player::~Player() = default;

Result<std::unique_ptr<Player>> Player::open(AudioMode mode) {
  auto impl = std::make_unique<Impl>();
  bool ready = mode == AudioMode::automatic && impl->open(nullptr, 0);
  if (!ready) {
    impl = std::make_unique<Impl>();
    const ma_backend silent = ma_backend_null;
    ready = impl->open(&silent, 1);
  }
  if (!ready)
    return Error::unavailable("no audio device, not even the silent one",
                              "check the memory and thread limits");
  return std::unique_ptr<Player>(new Player(std::move(impl)));
}

Status Player::play(const std::string& path, const std::string& title) {
  std::lock_guard lock(impl_->mutex);
  auto song = Sound::open(impl_->engine, path);
  if (!song)
    return Error::unavailable("cannot play '" + path + "'",
                              "WAV, FLAC and MP3 files can be played");
  impl_->song = std::move(song);
  impl_->title = title;
  impl_->paused = false;
  ma_sound_set_volume(impl_->song->get(), static_cast<float>(impl_->volume) / 100);
  if (ma_sound_start(impl_->song->get()) != MA_SUCCESS) {
    impl_->song.reset();
    return Error::unavailable("the audio device does not start", "try --audio null");
  }
  return Status::success();
}

Status Player::pause() {
  std::lock_guard lock(impl_->mutex);
  impl_->settle();
  if (!impl_->song) return Error::invalid_input("nothing is playing");
  ma_sound_stop(impl_->song->get());
  impl_->paused = true;
  return Status::success();
}

Status Player::resume() {
  std::lock_guard lock(impl_->mutex);
  impl_->settle();
  if (!impl_->song) return Error::invalid_input("nothing is paused");
  ma_sound_start(impl_->song->get());
  impl_->paused = false;
  return Status::success();
}

void Player::stop() {
  std::lock_guard lock(impl_->mutex);
  impl_->song.reset();
}

void Player::set_volume(int percent) {
  std::lock_guard lock(impl_->mutex);
  impl_->volume = percent;
  if (impl_->song) ma_sound_set_volume(impl_->song->get(), static_cast<float>(percent) / 100);
}

void Player::sound_alarm(const std::string& path) {
  std::lock_guard lock(impl_->mutex);
  ma_engine_play_sound(&impl_->engine, path.c_str(), nullptr);
}

PlayerState Player::state() {
  std::lock_guard lock(impl_->mutex);
  impl_->settle();
  PlayerState state;
  state.volume = impl_->volume;
  state.device = ma_get_backend_name(impl_->context.backend);
  if (!impl_->song) return state;
  float position = 0;
  float length = 0;
  ma_sound_get_cursor_in_seconds(impl_->song->get(), &position);
  ma_sound_get_length_in_seconds(impl_->song->get(), &length);
  state.status = impl_->paused ? "paused" : "playing";
  state.title = impl_->title;
  state.position_s = position;
  state.length_s = length;
  return state;
}

}  // namespace slipway::home
