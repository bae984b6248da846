#include <fmt/core.h>

#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "candidate/assistant.h"
#include "cli/hearing.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/table.h"
#include "eval/scorer.h"
#include "eval/statistics.h"
#include "speech/clips.h"
#include "speech/word_error.h"

namespace slipway::cli {
namespace {

struct Figures {
  int64_t clips = 0, words = 0, edits = 0, spoken = 0, wrong_sentences = 0, right_calls = 0;
  int64_t silent = 0, called_on_noise = 0;  // clips without a word, and those that led to a call
  std::vector<double> asr_ms;
};

// What the candidate makes of a text, without doing it.
class Answers {
 public:
  explicit Answers(const lab::Ready& ready) : assistant_(ready.candidate, ready.model, nullptr) {}
  Result<std::string> of(const std::string& text, const json::Value& context, CancelToken cancel) {
    if (text.empty()) return std::string("none()");  // silence is not asked
    candidate::Input input;
    input.text = text;
    input.context = context.is_object() ? context : json::Value::object();
    SLIPWAY_TRY(turn, assistant_.answer(input, Tracer(), {.dry_run = true, .cancel = cancel}));
    return turn.output;
  }

 private:
  candidate::Assistant assistant_;
};

class AudioEvaluation {
 public:
  AudioEvaluation(Context& context, lab::Workbench& bench, const lab::Ready& ready,
                  std::shared_ptr<candidate::Transcriber> transcriber)
      : context_(context), bench_(bench), answers_(ready), transcriber_(std::move(transcriber)) {}

  Status run(const lab::Ready& ready, const std::string& manifest,
             const std::vector<speech::Clip>& clips) {
    SLIPWAY_TRY(scorer, eval::make_scorer("call", ready.candidate.skills));
    SLIPWAY_TRY(detector, speech::VoiceDetector::open());
    SLIPWAY_CHECK(begin(ready, manifest));
    ProgressLine progress(context_, "hearing");
    std::vector<store::Case> cases;
    for (const auto& clip : clips) {
      auto done = one(clip, *detector, *scorer);
      if (!done.ok()) return finish(done.error(), cases);
      done->index = figures.clips++;
      cases.push_back(std::move(*done));
      progress.update(fmt::format("{} of {}", figures.clips, clips.size()),
                      static_cast<double>(figures.clips) / static_cast<double>(clips.size()), 0);
    }
    return finish({}, cases);
  }

  json::Value to_json() const {
    const auto share = [](int64_t part, int64_t whole) {
      return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
    };
    const auto calls = eval::wilson(figures.right_calls, figures.clips);
    const auto sentences = eval::wilson(figures.wrong_sentences, figures.spoken);
    auto value = json::Value::object();
    value.set("clips", figures.clips)
        .set("word_error", share(figures.edits, figures.words))
        .set("sentence_error", share(figures.wrong_sentences, figures.spoken))
        .set("sentence_error_low", sentences.low)
        .set("sentence_error_high", sentences.high)
        .set("call_accuracy", share(figures.right_calls, figures.clips))
        .set("call_accuracy_low", calls.low)
        .set("call_accuracy_high", calls.high)
        .set("noise_clips", figures.silent)
        .set("noise_calls", figures.called_on_noise)
        .set("asr_p50_ms", eval::quantile(figures.asr_ms, 0.5))
        .set("asr_p95_ms", eval::quantile(figures.asr_ms, 0.95))
        .set("run_id", run_id_);
    return value;
  }

  Figures figures;
  std::string run_id() const { return run_id_; }

 private:
  Status begin(const lab::Ready& ready, const std::string& manifest) {
    SLIPWAY_TRY(hash, sha256_file(manifest));
    store::Run run;
    run.experiment = bench_.project().name;
    run.kind = "eval";
    run.name = ready.candidate.name + ", spoken";
    run.inputs = json::Value::object();
    run.inputs.set("candidate", ready.candidate.id())
        .set("model", ready.candidate.model.name)
        .set("speech", transcriber_->describe())
        .set("audio", manifest)
        .set("audio_sha256", hash);
    run.environment = bench_.environment_of(*ready.model);
    SLIPWAY_TRY(created, bench_.store()->create_run(std::move(run)));
    run_id_ = created.id;
    return {};
  }

  Result<store::Case> one(const speech::Clip& clip, speech::VoiceDetector& detector,
                          const eval::Scorer& scorer) {
    SLIPWAY_TRY(heard, speech::hear_clip(clip, detector, *transcriber_, context_.cancel));
    const auto said = speech::spoken_words(clip.text);
    const int edits = speech::word_edits(said, speech::spoken_words(heard.text));
    dataset::Example example;
    example.context = clip.context;
    example.output = clip.output;
    if (example.output.empty()) {
      SLIPWAY_TRY(expected, answers_.of(clip.text, clip.context, context_.cancel));
      example.output = expected;
    }
    SLIPWAY_TRY(output, answers_.of(heard.text, clip.context, context_.cancel));
    const bool right = scorer.score(example, output).passed || output == example.output;
    if (clip.text.empty()) {
      ++figures.silent;
      figures.called_on_noise += output == "none()" ? 0 : 1;
    } else {
      ++figures.spoken;
      figures.words += static_cast<int64_t>(said.size());
      figures.edits += edits;
      figures.wrong_sentences += edits > 0 ? 1 : 0;
    }
    figures.right_calls += right ? 1 : 0;
    if (heard.asr_ms > 0) figures.asr_ms.push_back(heard.asr_ms);
    store::Case finished;
    finished.example_id = clip.id;
    finished.passed = right;
    finished.output = output;
    finished.latency_ms = heard.asr_ms;
    finished.detail = json::Value::object();
    finished.detail.set("said", clip.text)
        .set("heard", heard.text)
        .set("word_edits", edits)
        .set("expected", example.output)
        .set("reason", right ? "" : "another call");
    return finished;
  }

  Status finish(const Status& outcome, const std::vector<store::Case>& cases) {
    SLIPWAY_CHECK(bench_.store()->put_cases(run_id_, cases));
    if (outcome.ok()) {
      std::vector<store::Metric> metrics;
      const auto value = to_json();
      for (const char* name : {"word_error", "sentence_error", "call_accuracy", "asr_p50_ms"})
        metrics.push_back({name, value.number(name)});
      SLIPWAY_CHECK(bench_.store()->log_metrics(run_id_, metrics));
    }
    SLIPWAY_CHECK(bench_.store()->finish_run(
        run_id_, outcome.ok() ? store::RunStatus::finished : store::RunStatus::failed,
        outcome.ok() ? "" : outcome.error().message()));
    return outcome;
  }

  Context& context_;
  lab::Workbench& bench_;
  Answers answers_;
  std::shared_ptr<candidate::Transcriber> transcriber_;
  std::string run_id_;
};

void print_figures(std::ostream& out, const json::Value& f) {
  out << fmt::format("{:<18} {:.1f} %\n", "word error", 100 * f.number("word_error"));
  out << fmt::format("{:<18} {:.1f} % [{:.1f}, {:.1f}]\n", "sentence error",
                     100 * f.number("sentence_error"), 100 * f.number("sentence_error_low"),
                     100 * f.number("sentence_error_high"));
  out << fmt::format("{:<18} {:.1f} % [{:.1f}, {:.1f}]\n", "call accuracy",
                     100 * f.number("call_accuracy"), 100 * f.number("call_accuracy_low"),
                     100 * f.number("call_accuracy_high"));
  out << fmt::format("{:<18} {:.0f} of {:.0f} clips without a word\n", "calls on noise",
                     f.number("noise_calls"), f.number("noise_clips"));
  out << fmt::format("{:<18} p50 {:.0f} ms, p95 {:.0f} ms\n", "transcribing",
                     f.number("asr_p50_ms"), f.number("asr_p95_ms"));
  out << fmt::format("{:<18} {}\n", "run", short_id(f.text("run_id")));
}

void print_misheard(std::ostream& out, const std::vector<store::Case>& cases) {
  constexpr size_t most = 12;
  Table table({"clip", "said", "heard", "call"});
  size_t shown = 0;
  for (const auto& c : cases) {
    if (c.detail.number("word_edits") == 0 && c.passed) continue;
    if (++shown > most) continue;
    table.row({shorten(files::filename(c.example_id), 28), shorten(c.detail.text("said"), 40),
               shorten(c.detail.text("heard"), 40), c.passed ? "right" : "wrong"});
  }
  if (shown > 0) out << "\n" << table.text();
  if (shown > most) out << "and " << shown - most << " more\n";
}

}  // namespace

CommandResult eval_audio(Context& context, const Arguments& arguments) {
  const auto manifest = files::join(context.folder, arguments.text("audio"));
  size_t most = 0;
  if (arguments.has("limit")) {
    SLIPWAY_TRY(limit, arguments.integer("limit", 1, 1'000'000));
    most = static_cast<size_t>(limit);
  }
  SLIPWAY_TRY(clips, speech::load_clips(manifest, most));
  SLIPWAY_TRY(bench, open_workbench(context, arguments, 2));
  SLIPWAY_TRY(spec, chosen_candidate(bench.project(), arguments));
  SLIPWAY_TRY(ready, bench.prepare(spec));
  SLIPWAY_TRY(transcriber, open_transcriber(context, arguments, bench, *ready.candidate.skills));
  AudioEvaluation evaluation(context, bench, ready, transcriber);
  SLIPWAY_CHECK(evaluation.run(ready, manifest, clips));
  const auto figures = evaluation.to_json();
  if (arguments.flag("json")) {
    context.out << figures.pretty() << "\n";
    return 0;
  }
  print_figures(context.out, figures);
  SLIPWAY_TRY(cases, bench.store()->cases(evaluation.run_id()));
  print_misheard(context.out, cases);
  return 0;
}

}  // namespace slipway::cli
