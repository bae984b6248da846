#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <istream>
#include <ostream>

#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "cli/hearing.h"
#include "cli/session.h"
#include "serve/assistant.h"
#include "speech/audio.h"
#include "speech/listener.h"

namespace slipway::cli {
namespace {

bool is_recording(const std::string& name) {
  const auto dot = name.find_last_of('.');
  const auto ending = dot == std::string::npos ? "" : to_lower(name.substr(dot));
  return ending == ".wav" || ending == ".flac" || ending == ".mp3";
}

// What is to be heard, in order; empty: the microphone.
Result<std::vector<std::string>> recordings(const Context& context, const Arguments& arguments) {
  std::vector<std::string> paths;
  for (const auto& file : arguments.list("wav")) paths.push_back(files::join(context.folder, file));
  if (arguments.has("folder")) {
    const auto folder = files::join(context.folder, arguments.text("folder"));
    for (const auto& name : files::list(folder)) {
      if (is_recording(name)) paths.push_back(files::join(folder, name));
    }
    if (paths.empty()) return Error::not_found("no WAV, FLAC or MP3 file in '" + folder + "'");
  }
  if (!paths.empty() && arguments.flag("microphone"))
    return Error::invalid_input("--microphone and recordings exclude each other");
  if (paths.empty() && !arguments.flag("microphone"))
    return Error::invalid_input("what shall be heard?", "--microphone, --wav FILE or --folder DIR");
  return paths;
}

// Enter, as the key of push to talk: whether a line has come since the last question.
bool key_pressed(std::istream& in) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  std::string line;
  return in.good() && ::poll(&input, 1, 0) > 0 && std::getline(in, line);
}

json::Value heard_json(const speech::Heard& heard, const std::string& source,
                       const std::string& run_id) {
  auto value = heard.turn ? serve::turn_json(*heard.turn) : json::Value::object();
  value.set("run_id", run_id)
      .set("source", source)
      .set("trace_id", heard.trace_id)
      .set("heard", heard.transcript.text)
      .set("stop", heard.stop)
      .set("noise", heard.noise)
      .set("begin_ms", heard.begin_ms)
      .set("end_ms", heard.end_ms)
      .set("asr_ms", heard.transcript.ms)
      .set("logprob", heard.transcript.logprob);
  value.set("done_ms", heard.done_ms ? json::Value(heard.done_ms) : json::Value());
  value.set("latency_ms", heard.done_ms ? json::Value(heard.latency_ms) : json::Value());
  if (heard.error) value.set("error", heard.error->to_string());
  return value;
}

void print_heard(std::ostream& out, const speech::Heard& heard) {
  if (heard.stop) {
    out << "\"" << printable_line(heard.transcript.text) << "\"\n  stopped\n";
    return;
  }
  if (heard.noise) return;
  out << "\"" << printable_line(heard.transcript.text) << "\"";
  if (heard.done_ms > 0) out << fmt::format("  ({:.0f} ms after the last word)", heard.latency_ms);
  out << "\n";
  if (heard.error) out << "  ✗ " << heard.error->to_string() << "\n";
  if (!heard.turn) return;
  for (const auto& call : heard.turn->calls)
    out << "  " << (call.error ? "✗ " : call.outcome.acted ? "✓ " : "· ") << call.text << "\n";
  if (heard.turn->not_a_call) out << "  ✗ no call: " << heard.turn->not_a_call->to_string() << "\n";
  if (!heard.turn->reply.empty()) out << printable(heard.turn->reply) << "\n";
}

// One `slipway listen`: the run, its ear, and what is printed.
class Listening {
 public:
  Listening(Context& context, const Arguments& arguments, lab::Workbench& bench)
      : context_(context), arguments_(arguments), bench_(bench) {}

  Status open(const lab::CandidateSpec& spec) {
    SLIPWAY_TRY(ready, bench_.prepare(spec));
    SLIPWAY_TRY(transcriber,
                open_transcriber(context_, arguments_, bench_, *ready.candidate.skills));
    transcriber_ = std::move(transcriber);
    SLIPWAY_TRY(wake, open_wake_word(context_, arguments_, bench_));
    wake_ = std::move(wake);
    SLIPWAY_TRY(detector, speech::VoiceDetector::open());
    detector_ = std::move(detector);
    auto options = bench_.dispatch_options();
    options.cancel = context_.cancel;
    // Nobody can be asked while the ear is all there is: what needs a yes needs --yes.
    if (arguments_.flag("yes"))
      options.confirm = [](const skill::Call&, const skill::Function&) { return true; };
    assistant_ = std::make_unique<candidate::Assistant>(
        ready.candidate, ready.model, std::make_shared<skill::Dispatcher>(std::move(options)));
    if (!arguments_.flag("mute")) {
      speaker_ = std::make_unique<speech::Speaker>("espeak-ng");
      if (!speaker_->available()) {
        context_.err << "slipway: note: no espeak-ng, so replies are only written; `apt-get "
                        "install espeak-ng` gives a voice\n";
        speaker_.reset();
      }
    }
    return begin_run(ready);
  }

  Status hear(speech::AudioSource& source, const std::string& name) {
    speech::ListenerSettings settings;
    settings.dry_run = arguments_.flag("dry-run");
    settings.push_to_talk = arguments_.flag("push-to-talk");
    SLIPWAY_TRY(silence, arguments_.integer("end-silence", 160, 5000));
    settings.endpoint.end_ms = static_cast<int>(silence);
    speech::Listener listener(
        {*detector_, *transcriber_, assistant_.get(), speaker_.get(), wake_.get()}, settings,
        hooks(name));
    return listener.listen(source, context_.cancel);
  }

  Status end(const Status& outcome) {
    // Ctrl-C is how a microphone is left.
    const bool left = arguments_.flag("microphone") && !outcome.ok() &&
                      outcome.error().code() == ErrorCode::cancelled;
    const auto ended = left ? Status() : outcome;
    SLIPWAY_CHECK(bench_.store()->end_run(run_id_, ended));
    return ended;
  }

  // Whether every request acted, or asked for nothing.
  bool all_acted() const { return all_acted_; }

 private:
  Status begin_run(const lab::Ready& ready) {
    store::Run run;
    run.experiment = bench_.project().name;
    run.kind = "listen";
    run.name = ready.candidate.name;
    run.inputs = json::Value::object();
    run.inputs.set("candidate", ready.candidate.id())
        .set("model", ready.candidate.model.name)
        .set("speech", transcriber_->describe());
    run.environment = bench_.environment_of(*ready.model);
    SLIPWAY_TRY(entity, bench_.store()->put_entity("candidate", ready.candidate.name,
                                                   ready.candidate.to_json()));
    SLIPWAY_TRY(created, bench_.store()->create_run(std::move(run)));
    run_id_ = created.id;
    return {};
  }

  speech::ListenerHooks hooks(const std::string& name) {
    speech::ListenerHooks hooks;
    hooks.input = [](const std::string& text) {
      candidate::Input input;
      input.text = text;
      input.context = json::Value::object();
      input.context.set("clock", local_clock());
      return input;
    };
    hooks.on_heard = [this, name](const speech::Heard& heard) {
      const bool nothing_asked = heard.noise || heard.stop;
      const bool acted = heard.turn && (heard.turn->acted || arguments_.flag("dry-run") ||
                                        (heard.turn->calls.empty() && !heard.turn->not_a_call));
      all_acted_ = all_acted_ && (nothing_asked || acted);
      if (arguments_.flag("json")) {
        context_.out << heard_json(heard, name, run_id_).dump() << "\n";
      } else {
        print_heard(context_.out, heard);
      }
      context_.out.flush();
    };
    hooks.on_trace = [this](std::vector<SpanRecord> spans) {
      if (auto put = bench_.store()->put_spans(run_id_, spans); !put.ok())
        context_.err << "slipway: the trace was not stored: " << put.error().to_string() << "\n";
    };
    hooks.on_awake = [this] { context_.err << "listening ...\n" << std::flush; };
    hooks.pressed = [this] { return key_pressed(context_.in); };
    return hooks;
  }

  Context& context_;
  const Arguments& arguments_;
  lab::Workbench& bench_;
  std::shared_ptr<candidate::Transcriber> transcriber_;
  std::unique_ptr<speech::WakeWord> wake_;
  std::unique_ptr<speech::VoiceDetector> detector_;
  std::unique_ptr<candidate::Assistant> assistant_;
  std::unique_ptr<speech::Speaker> speaker_;
  std::string run_id_;
  bool all_acted_ = true;
};

Status hear_all(Context& context, const Arguments& arguments, Listening& listening,
                const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    SLIPWAY_TRY(samples, speech::read_audio(path));
    const auto source = speech::play_samples(std::move(samples), arguments.flag("real-time"));
    SLIPWAY_CHECK(listening.hear(*source, path));
  }
  if (!paths.empty()) return {};
  SLIPWAY_TRY(microphone, speech::open_microphone({.device = arguments.text("device")}));
  if (context.err_is_terminal) context.err << "Speak; Ctrl-C ends.\n" << std::flush;
  return listening.hear(*microphone, "microphone");
}

CommandResult run_listen(Context& context, const Arguments& arguments) {
  SLIPWAY_TRY(paths, recordings(context, arguments));
  if (arguments.flag("push-to-talk") && arguments.has("wake"))
    return Error::invalid_input("--wake and --push-to-talk exclude each other");
  SLIPWAY_TRY(bench, open_workbench(context, arguments, 2));
  SLIPWAY_TRY(spec, chosen_candidate(bench.project(), arguments));
  Listening listening(context, arguments, bench);
  SLIPWAY_CHECK(listening.open(spec));
  SLIPWAY_CHECK(listening.end(hear_all(context, arguments, listening, paths)));
  return listening.all_acted() ? 0 : 1;
}

}  // namespace

Command listen_command() {
  std::vector<Option> options = {
      {"microphone", "hear the microphone, until Ctrl-C", "", ""},
      {"device", "part of the microphone's name, if not the system's choice", "NAME", ""},
      {"wav", "hear a recording (WAV, FLAC, MP3); may be given again", "FILE", ""},
      {"folder", "hear every recording of a folder, by name", "DIR", ""},
      {"real-time", "hear a recording as slowly as it was spoken", "", ""},
      {"wake", "sleep until this is said: alexa, hey_jarvis, hey_mycroft, okay_nabu", "NAME", ""},
      {"push-to-talk", "sleep until Enter is pressed", "", ""},
      {"mute", "write the replies, do not speak them", "", ""},
      {"end-silence", "how long silence lasts until a request is over, in ms", "MS", "352"},
      {"candidate", "which candidate of slipway.toml", "NAME", ""},
      {"dry-run", "show the calls, make no request", "", ""},
      {"yes", "make calls that need a confirmation, unasked", "", ""},
      trust_option(),
      project_option(),
      json_option()};
  for (auto& option : hearing_options()) options.push_back(option);
  for (auto& option : candidate_options()) options.push_back(option);
  return {
      .name = "listen",
      .summary = "Hear requests and act on them: speech in, the call is made, the reply is spoken",
      .details =
          "\"stop\" ends what is being done or said, always and without a wake word; "
          "nothing else is heard meanwhile.\n"
          "Exit code 0: every request acted; 1: one did not. Every request is a trace in "
          "the store.",
      .examples = {{"slipway listen --wav request.wav", "acts on a recording"},
                   {"slipway listen --microphone --wake okay_nabu", "a voice assistant"},
                   {"slipway listen --microphone --push-to-talk --mute",
                    "Enter, then speak; replies are written"},
                   {"slipway listen --folder clips --dry-run --json",
                    "what would be done, a JSON line for each request"}},
      .options = options,
      .run = run_listen};
}

}  // namespace slipway::cli
