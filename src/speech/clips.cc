#include "speech/clips.h"

#include "base/files.h"
#include "base/text.h"
#include "speech/audio.h"
#include "speech/listener.h"

namespace slipway::speech {
namespace {

constexpr uint64_t most_manifest_bytes = 256 << 20;

}  // namespace

Result<std::vector<Clip>> load_clips(const std::string& manifest, size_t most) {
  SLIPWAY_TRY(text, files::read(manifest, most_manifest_bytes));
  const auto folder = files::parent(files::absolute(manifest));
  std::vector<Clip> clips;
  size_t number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    const auto where = manifest + ":" + std::to_string(number);
    auto row = json::parse(line);
    if (!row.ok()) return row.error().in(where);
    const auto file = row->text("file");
    if (file.empty())
      return Error::invalid_input(where + ": no \"file\"", "docs/speech.md describes a manifest");
    const auto* said = row->get("text");
    if (!said || !said->is_string()) continue;
    const auto* context = row->get("context");
    clips.push_back({file, files::join(folder, file), said->as_string(), row->text("output"),
                     context ? *context : json::Value()});
    if (clips.size() == most) break;
  }
  if (clips.empty()) return Error::invalid_input(manifest + " has no row with a \"text\"");
  return clips;
}

Result<ClipHeard> hear_clip(const Clip& clip, VoiceDetector& detector,
                            candidate::Transcriber& transcriber, CancelToken cancel) {
  SLIPWAY_TRY(samples, read_audio(clip.path));
  ClipHeard heard;
  std::vector<std::string> texts;
  Status failed;
  ListenerHooks hooks;
  hooks.on_heard = [&](const Heard& h) {
    if (h.error) failed = *h.error;
    heard.asr_ms += h.transcript.ms;
    if (h.noise || h.error) return;
    texts.push_back(h.transcript.text);
  };
  Listener listener({detector, transcriber}, {}, std::move(hooks));
  SLIPWAY_CHECK(listener.listen(*play_samples(std::move(samples), false), cancel));
  SLIPWAY_CHECK(failed);
  heard.requests = static_cast<int>(texts.size());
  heard.text = join(texts, " ");
  return heard;
}

}  // namespace slipway::speech
