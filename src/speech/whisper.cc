#include "speech/whisper.h"

#include <whisper.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <exception>
#include <mutex>

#include "base/clock.h"
#include "base/files.h"
#include "base/processors.h"
#include "base/text.h"
#include "speech/ctranslate2.h"
#include "speech/mend.h"
#include "speech/token_bias.h"
#include "speech/word_error.h"

namespace slipway::speech {
namespace {

constexpr uint64_t most_model_bytes = uint64_t{4} << 30;
constexpr int frames_per_second = 50;
constexpr int full_context = 1500;
constexpr size_t most_samples = size_t{30} * candidate::Transcriber::sample_rate;

void keep_silent(ggml_log_level, const char*, void*) {}

struct FreeContext {
  void operator()(whisper_context* context) const { whisper_free(context); }
};
using Context = std::unique_ptr<whisper_context, FreeContext>;

// Whisper was trained on 30 s of context; below about a third of it, it begins to repeat itself
// unless silence follows the request.
int context_for(size_t samples) {
  constexpr int margin = 64, step = 64, least = 256;
  const int frames =
      static_cast<int>(samples * frames_per_second / candidate::Transcriber::sample_rate) + margin;
  return std::clamp((frames + step - 1) / step * step, least, full_context);
}

// Fast speech has five words a second, each of one or two tokens.
int most_tokens(size_t samples) {
  constexpr int tokens_per_second = 8, head = 12;
  return head + static_cast<int>(samples * tokens_per_second / candidate::Transcriber::sample_rate);
}

// A sentence has ended and the first three tokens follow again: with little context, Whisper writes
// a request twice.
template <typename Text>
bool begins_again(const std::vector<int32_t>& ids, const Text& text) {
  constexpr size_t again = 3;
  if (ids.size() < 2 * again || !std::equal(ids.begin(), ids.begin() + again, ids.end() - again))
    return false;
  const std::string_view before = text(ids[ids.size() - again - 1]);
  return !before.empty() && std::string_view(".?!").find(before.back()) != std::string_view::npos;
}

class Whisper final : public candidate::Transcriber {
 public:
  Whisper(WhisperOptions options, Context context)
      : options_(std::move(options)),
        context_(std::move(context)),
        token_bias_(
            options_.bias, [this](const std::string& text) { return tokens(text); },
            whisper_n_vocab(context_.get())),
        mender_(options_.bias) {
    if (options_.threads <= 0) options_.threads = usable_processors();
  }

  Result<candidate::Transcript> transcribe(std::span<const float> samples,
                                           CancelToken cancel) override {
    if (samples.size() > most_samples)
      return Error::exhausted("a request of more than 30 s", "speak in shorter requests");
    const double began = steady_ms();
    const std::scoped_lock lock(mutex_);
    candidate::Transcript heard;
    int context = context_for(samples.size());
    for (heard.passes = 1;; ++heard.passes) {
      SLIPWAY_CHECK(pass(samples, context, cancel, heard));
      const bool looped = heard.tokens >= most_tokens(samples.size()) || repeats_itself(heard.text);
      if (!looped || context == full_context) break;
      context = heard.passes == 1 ? std::min(2 * context, full_context) : full_context;
    }
    heard.verbatim = heard.text;
    heard.text = mender_.mend(heard.verbatim);
    heard.ms = steady_ms() - began;
    return heard;
  }

  json::Value describe() const override {
    auto bias = json::Value::array();
    for (const auto& phrase : options_.bias.phrases) bias.push_back(phrase);
    auto value = json::Value::object();
    value.set("model", options_.name)
        .set("weights_sha256", options_.weights_sha256)
        .set("language", options_.language)
        .set("bias", std::move(bias))
        .set("bias_begin", options_.bias.begin)
        .set("bias_go_on", options_.bias.go_on)
        .set("engine", speech_engine());
    return value;
  }

 private:
  std::vector<int32_t> tokens(const std::string& text) const {
    std::vector<int32_t> found(text.size() + 8);
    const int n = whisper_tokenize(context_.get(), text.c_str(), found.data(),
                                   static_cast<int>(found.size()));
    found.resize(static_cast<size_t>(std::max(n, 0)));
    return found;
  }

  // Before each token: what the skills make likely is preferred, and a sentence that is being said
  // for the second time is the end.
  static void steer(whisper_context* context, whisper_state*, const whisper_token_data* tokens,
                    int n_tokens, float* logits, void* user) {
    std::vector<int32_t> ids;
    for (int i = 0; i < n_tokens; ++i) ids.push_back(tokens[i].id);
    static_cast<const Whisper*>(user)->token_bias_.apply(ids, logits);
    const auto text = [&](int32_t id) { return whisper_token_to_str(context, id); };
    if (!begins_again(ids, text)) return;
    const int end = whisper_token_eot(context);
    std::fill(logits, logits + whisper_n_vocab(context), -INFINITY);
    logits[end] = 0;
  }

  whisper_full_params parameters(size_t samples, int context, const CancelToken& cancel) const {
    auto p = whisper_full_default_params(WHISPER_SAMPLING_GREEDY);
    p.n_threads = options_.threads;
    p.no_context = true;
    p.no_timestamps = true;
    p.single_segment = true;
    p.print_progress = p.print_realtime = p.print_timestamps = p.print_special = false;
    p.suppress_blank = true;
    p.suppress_nst = true;
    p.temperature_inc = 0;
    p.language = options_.language.c_str();
    p.audio_ctx = context;
    p.max_tokens = most_tokens(samples);
    p.logits_filter_callback = steer;
    p.logits_filter_callback_user_data = const_cast<Whisper*>(this);
    p.abort_callback = [](void* user) {
      return static_cast<const CancelToken*>(user)->cancelled();
    };
    p.abort_callback_user_data = const_cast<CancelToken*>(&cancel);
    return p;
  }

  Status pass(std::span<const float> samples, int context, const CancelToken& cancel,
              candidate::Transcript& heard) {
    const auto p = parameters(samples.size(), context, cancel);
    int failed = 0;
    try {
      failed = whisper_full(context_.get(), p, samples.data(), static_cast<int>(samples.size()));
    } catch (const std::exception& e) {  // a vocabulary that its own tokens do not fit
      return Error::corrupt("whisper.cpp could not use '" + options_.path + "': " + e.what());
    }
    if (cancel.cancelled()) return Error::cancelled();
    if (failed != 0) return Error::internal("whisper.cpp ended with " + std::to_string(failed));
    heard.context_frames = context;
    heard.text.clear();
    heard.tokens = 0;
    double sum = 0;
    heard.no_speech = 0;
    for (int s = 0; s < whisper_full_n_segments(context_.get()); ++s) {
      heard.no_speech = std::max<double>(
          heard.no_speech, whisper_full_get_segment_no_speech_prob(context_.get(), s));
      heard.text += whisper_full_get_segment_text(context_.get(), s);
      for (int t = 0; t < whisper_full_n_tokens(context_.get(), s); ++t, ++heard.tokens)
        sum += std::log(std::max(1e-9F, whisper_full_get_token_p(context_.get(), s, t)));
    }
    heard.text = said_once(trim(heard.text));
    heard.logprob = heard.tokens ? sum / heard.tokens : 0;
    return {};
  }

  WhisperOptions options_;
  Context context_;
  TokenBias token_bias_;
  Mender mender_;
  std::mutex mutex_;
};

// The numbers before a file's filters. whisper.cpp trusts them, and aborts or worse where they lie.
bool has_whispers_sizes(std::string_view bytes) {
  enum { vocabulary = 1, frames, width, heads, layers, context, width_2, heads_2, layers_2, bands };
  constexpr size_t filter_bands = 12, filter_bins = 13, count = 14;
  std::array<int32_t, count> n{};
  if (bytes.size() < sizeof n) return false;
  std::memcpy(n.data(), bytes.data(), sizeof n);
  const auto within = [&](size_t i, int least, int most) { return n[i] >= least && n[i] <= most; };
  const bool sane = within(vocabulary, 51864, 51866) && within(frames, 1, full_context) &&
                    within(width, 64, 4096) && n[heads] == n[width] / 64 && within(layers, 1, 64) &&
                    within(context, 1, 448) && n[width_2] == n[width] && n[heads_2] == n[heads] &&
                    within(layers_2, 1, 64) && (n[bands] == 80 || n[bands] == 128) &&
                    n[filter_bands] == n[bands] && n[filter_bins] == 201;
  if (!sane) return false;
  const size_t words_at = sizeof n + size_t{4} * 201 * static_cast<size_t>(n[bands]);
  int32_t words = 0;
  if (bytes.size() < words_at + sizeof words) return false;
  std::memcpy(&words, bytes.data() + words_at, sizeof words);
  return words > 0 && words <= n[vocabulary];
}

// Null also where whisper.cpp throws.
whisper_context* opened(std::string& bytes, const whisper_context_params& parameters) {
  try {
    return whisper_init_from_buffer_with_params(bytes.data(), bytes.size(), parameters);
  } catch (const std::exception&) {
    return nullptr;
  }
}

}  // namespace

Result<std::shared_ptr<candidate::Transcriber>> open_whisper(const WhisperOptions& options) {
  whisper_log_set(keep_silent, nullptr);
  SLIPWAY_TRY(bytes, files::read(options.path, most_model_bytes));
  if (is_ctranslate2(bytes)) {
    auto converted = whisper_from_ctranslate2(bytes);
    if (!converted.ok()) return converted.error().in(options.path);
    bytes = std::move(*converted);
  }
  auto parameters = whisper_context_default_params();
  parameters.use_gpu = false;
  parameters.flash_attn = false;
  Context context(has_whispers_sizes(bytes) ? opened(bytes, parameters) : nullptr);
  if (!context)
    return Error::corrupt("'" + options.path + "' is no model of Whisper",
                          "give one of whisper.cpp, or a catalog name such as whisper-tiny.en");
  return std::shared_ptr<candidate::Transcriber>(
      std::make_shared<Whisper>(options, std::move(context)));
}

bool repeats_itself(std::string_view text) {
  std::vector<std::string> words;
  for (const auto& word : split(to_lower(text), ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  // The last n words, said three times in a row ("no no no" is two words short of that).
  for (size_t n = 1; n * 3 <= words.size(); ++n) {
    const size_t times = n == 1 ? 4 : 3;
    if (n * times > words.size()) continue;
    bool same = true;
    for (size_t i = words.size() - n * (times - 1); i < words.size() && same; ++i)
      same = words[i] == words[i - n];
    if (same) return true;
  }
  return false;
}

std::string said_once(std::string_view text) {
  std::vector<std::string> words, plain;
  for (const auto& word : split(text, ' ')) {
    if (word.empty()) continue;
    words.push_back(word);
    plain.push_back(join(spoken_words(word), ""));
  }
  for (size_t once = 1; once < words.size(); ++once) {
    const char end = words[once - 1].back();
    if (end != '.' && end != '?' && end != '!') continue;
    const size_t more = words.size() - once;
    const auto second = plain.begin() + static_cast<ptrdiff_t>(once);
    if (more > once || !std::equal(second, plain.end() - 1, plain.begin())) continue;
    if (!plain[more - 1].starts_with(plain.back())) continue;  // it may end inside a word
    words.resize(once);
    break;
  }
  return join(words, " ");
}

std::string speech_engine() {
  return std::string("ggml ") + ggml_version() + ", whisper.cpp " + whisper_version();
}

}  // namespace slipway::speech
