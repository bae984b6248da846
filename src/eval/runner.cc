#include "eval/runner.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "base/clock.h"
#include "base/files.h"
#include "base/hash.h"
#include "candidate/stored.h"
#include "eval/recorder.h"
#include "store/held_run.h"

namespace slipway::eval {
namespace {

// The stable description of an evaluation: the same again resumes the same run.
json::Value inputs_of(const Evaluation& e) {
  auto inputs = json::Value::object();
  inputs.set("candidate", e.candidate.id())
      .set("candidate_name", e.candidate.name)
      .set("candidate_object", sha256_hex(candidate::stored_text(e.candidate)))
      .set("model", e.candidate.model.name)
      .set("weights_sha256", e.candidate.model.weights_sha256)
      .set("pinned", e.candidate.pinned())
      .set("prompt", e.candidate.prompt.name)
      .set("prompt_sha256", sha256_hex(e.candidate.prompt.source))
      .set("dataset", e.dataset->name)
      .set("split", e.dataset->split)
      .set("dataset_sha256", e.dataset->sha256)
      .set("rows_object", sha256_hex(dataset::to_jsonl(e.dataset->examples)))
      .set("cases", e.dataset->examples.size())
      .set("scorer", e.scorer->id())
      .set("seed", e.candidate.decoding.seed)
      .set("engine_id", e.model->info().engine_id);
  return inputs;
}

// Failures of the surroundings, not of the candidate: the case is left for the resumed run.
bool is_transient(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::timeout ||
         code == ErrorCode::cancelled || code == ErrorCode::permission_denied ||
         code == ErrorCode::internal || code == ErrorCode::not_found;
}

// Equal hashes: the same to the last bit of every token's log probability.
std::string logprobs_sha256(const model::Completion& completion) {
  Sha256 hash;
  for (const auto& token : completion.tokens) {
    hash.update({reinterpret_cast<const char*>(&token.logprob), sizeof token.logprob});
  }
  return hash.hex();
}

json::Value answer_of(const model::Completion& completion, bool logprobs) {
  auto answer = json::Value::object();
  answer.set("text", completion.text)
      .set("finish", completion.finish == model::FinishReason::length ? "length" : "stop")
      .set("prompt_tokens", completion.prompt_tokens)
      .set("cached_prompt_tokens", completion.cached_prompt_tokens)
      .set("completion_tokens", completion.completion_tokens)
      .set("forced_tokens", completion.forced_tokens)
      .set("evaluations", completion.evaluations);
  if (!completion.tokens.empty() && logprobs) {
    answer.set("logprob", candidate::mean_logprob(completion))
        .set("logprobs_sha256", logprobs_sha256(completion));
  }
  return answer;
}

json::Value tags_json(const std::vector<std::string>& tags) {
  auto list = json::Value::array();
  for (const auto& tag : tags) list.push_back(tag);
  return list;
}

void note_confidence(const candidate::Confidence& confidence, const std::string& text,
                     json::Value& detail) {
  auto value = json::Value::object();
  value.set("value", confidence.value)
      .set("relevance", confidence.relevance)
      .set("grounded", confidence.grounded)
      .set("logprob", confidence.logprob);
  detail.set("confidence", std::move(value)).set("written", text);
}

class Evaluator {
 public:
  explicit Evaluator(const Evaluation& evaluation)
      : e_(evaluation), constraint_(constraint_of(e_.candidate)) {}

  Result<EvaluationResult> run() {
    started_ms_ = steady_ms();
    SLIPWAY_CHECK(open_run());
    auto outcome = run_cases();
    const auto closed = close_run(outcome);
    if (!outcome.ok()) return outcome.error();
    SLIPWAY_CHECK(closed);
    result_.wall_ms = steady_ms() - started_ms_;
    return std::move(result_);
  }

 private:
  // Continues the newest unfinished run of the same inputs whose process is gone, else begins one.
  Status open_run() {
    const auto inputs = inputs_of(e_);
    if (e_.resume) {
      const store::RunQuery evaluations{.experiment = e_.experiment, .kind = "eval", .limit = 200};
      SLIPWAY_TRY(left, store::take_unfinished(*e_.store, evaluations, inputs));
      held_ = std::move(left);
    }
    if (held_) {
      result_.run_id = held_->run.id;
      result_.resumed = true;
      return Status::success();
    }
    return begin_run(inputs);
  }

  // What is needed to compute the run again, whatever becomes of the files.
  Status keep_content() {
    SLIPWAY_TRY(described, e_.store->put_object(candidate::stored_text(e_.candidate)));
    SLIPWAY_TRY(rows, e_.store->put_object(dataset::to_jsonl(e_.dataset->examples)));
    return Status::success();
  }

  Status begin_run(const json::Value& inputs) {
    SLIPWAY_CHECK(keep_content());
    SLIPWAY_TRY(entity,
                e_.store->put_entity("candidate", e_.candidate.name, e_.candidate.to_json()));
    auto prompt = json::Value::object();
    prompt.set("source", e_.candidate.prompt.source);
    SLIPWAY_TRY(prompt_entity, e_.store->put_entity("prompt", e_.candidate.prompt.name, prompt));
    auto rows = json::Value::object();
    rows.set("name", e_.dataset->name)
        .set("split", e_.dataset->split)
        .set("sha256", e_.dataset->sha256)
        .set("rows", e_.dataset->examples.size());
    SLIPWAY_TRY(dataset_entity, e_.store->put_entity("dataset", e_.dataset->name, rows));
    store::Run run;
    run.experiment = e_.experiment;
    run.kind = "eval";
    run.name = e_.candidate.name;
    run.parent_id = e_.parent_run_id;
    run.inputs = inputs;
    run.environment = e_.environment;
    SLIPWAY_TRY(begun, store::create_held(*e_.store, std::move(run)));
    held_ = std::move(begun);
    result_.run_id = held_->run.id;
    return e_.store->log_params(result_.run_id,
                                {{"candidate", e_.candidate.name},
                                 {"model", e_.candidate.model.name},
                                 {"prompt", e_.candidate.prompt.name},
                                 {"constrain", e_.candidate.constrain ? "true" : "false"},
                                 {"dataset", e_.dataset->name},
                                 {"scorer", e_.scorer->id()}});
  }

  Status run_cases() {
    SLIPWAY_TRY(finished, e_.store->cases(result_.run_id));
    std::set<int64_t> done;
    for (const auto& c : finished) {
      done.insert(c.index);
      count(c);
    }
    result_.already_done = static_cast<int64_t>(done.size());
    Recorder recorder(e_.store, result_.run_id);
    recorder_ = &recorder;
    auto computed = prepare(done);
    if (computed.ok() && !requests_.empty()) {
      computed = e_.model->complete_all(
          requests_, [this](size_t i, Result<model::Completion> c) { finish_one(i, std::move(c)); },
          e_.cancel);
    }
    const auto recorded = recorder.finish();
    SLIPWAY_CHECK(recorded);
    SLIPWAY_CHECK(computed);
    if (e_.cancel.cancelled()) return Error::cancelled();
    if (failure_) return *failure_;
    return Status::success();
  }

  // Takes remembered answers and renders a request for the rest.
  Status prepare(const std::set<int64_t>& done) {
    const bool remember = e_.candidate.pinned();
    for (size_t i = 0; i < e_.dataset->examples.size(); ++i) {
      if (done.contains(static_cast<int64_t>(i))) continue;
      SLIPWAY_TRY(request,
                  make_request(e_.candidate, input_of(e_.dataset->examples[i]), constraint_));
      request.cancel = e_.cancel;
      auto key =
          remember ? answer_key(e_.model->info(), e_.candidate.model, request) : std::string();
      if (remember && e_.use_answers) {
        SLIPWAY_TRY(answer, e_.store->cached_answer(key));
        if (answer) {
          record(i, answer->text("text"), *answer, 0, true, "");
          continue;
        }
      }
      requests_.push_back(std::move(request));
      indexes_.push_back(i);
      keys_.push_back(std::move(key));
    }
    return Status::success();
  }

  void finish_one(size_t i, Result<model::Completion> completion) {
    // Broken off half-way is not an answer: the resumed run computes it.
    if (completion.ok() && completion->finish == model::FinishReason::cancelled) return;
    if (completion.ok()) {
      record(indexes_[i], completion->text, answer_of(*completion, requests_[i].decoding.logprobs),
             completion->total_ms - completion->queue_ms, false, keys_[i]);
      return;
    }
    const auto& error = completion.error();
    if (is_transient(error.code())) {
      std::lock_guard lock(mutex_);
      if (!failure_) failure_ = error.in("row " + e_.dataset->examples[indexes_[i]].id);
      return;
    }
    auto answer = json::Value::object();
    answer.set("error", error.message());
    record(indexes_[i], "", std::move(answer), 0, false, "");
  }

  void record(size_t index, const std::string& text, json::Value answer, double latency_ms,
              bool cached, std::string key) {
    const auto& example = e_.dataset->examples[index];
    const auto settled =
        candidate::settle(e_.candidate, input_of(example), text, answer.number("logprob"));
    auto score = e_.scorer->score(example, settled.text);
    if (const auto failed = answer.text("error"); !failed.empty()) fail(score, failed);
    store::Case c;
    c.index = static_cast<int64_t>(index);
    c.example_id = example.id;
    c.passed = score.passed;
    c.output = settled.text;
    c.latency_ms = latency_ms;
    c.cached = cached;
    c.detail = answer;
    c.detail.erase("text");
    c.detail.set("valid", score.valid)
        .set("normalised", score.normalised)
        .set("expected", example.output);
    if (!score.reason.empty()) c.detail.set("reason", score.reason);
    if (settled.confidence) note_confidence(*settled.confidence, text, c.detail);
    if (score.calls) c.detail.set("calls", score.calls->to_json());
    if (!example.tags.empty()) c.detail.set("tags", tags_json(example.tags));
    count(c);
    recorder_->add(std::move(c), std::move(key), std::move(answer));
  }

  // No answer is never right, even where silence would have been.
  static void fail(Score& score, const std::string& why) {
    score.passed = score.valid = false;
    score.reason = why;
    if (score.calls) score.calls->functions_right = score.calls->no_call_given = false;
  }

  void count(const store::Case& c) {
    std::lock_guard lock(mutex_);
    progress_.total = static_cast<int64_t>(e_.dataset->examples.size());
    progress_.done += 1;
    progress_.passed += c.passed;
    progress_.valid += c.detail.flag("valid");
    progress_.cached += c.cached;
    progress_.elapsed_ms = steady_ms() - started_ms_;
    const auto fresh = progress_.done - result_.already_done - progress_.cached;
    const auto left = progress_.total - progress_.done;
    progress_.eta_ms =
        fresh > 0 ? progress_.elapsed_ms / static_cast<double>(fresh) * static_cast<double>(left)
                  : 0;
    if (e_.on_progress) e_.on_progress(progress_);
  }

  Status close_run(const Status& outcome) {
    if (!outcome.ok()) return e_.store->end_run(result_.run_id, outcome);
    SLIPWAY_TRY(cases, e_.store->cases(result_.run_id));
    result_.report = summarise(cases);
    SLIPWAY_CHECK(e_.store->log_metrics(result_.run_id, result_.report.metrics()));
    return e_.store->finish_run(result_.run_id, store::RunStatus::finished);
  }

  const Evaluation& e_;
  std::shared_ptr<const model::Constraint> constraint_;
  EvaluationResult result_;
  std::optional<store::HeldRun> held_;
  double started_ms_ = 0;
  Recorder* recorder_ = nullptr;
  std::vector<model::Request> requests_;
  std::vector<size_t> indexes_;    // request -> row
  std::vector<std::string> keys_;  // request -> answer key
  std::mutex mutex_;               // progress and failure: cases finish on the engine's thread
  Progress progress_;
  std::optional<Error> failure_;
};

}  // namespace

candidate::Input input_of(const dataset::Example& example) {
  candidate::Input input;
  input.context = example.context;
  if (example.messages.empty()) {
    input.text = example.input;
    return input;
  }
  for (const auto& message : example.messages)
    input.history.push_back({message.role, message.content});
  input.text = input.history.back().content;
  input.history.pop_back();
  return input;
}

std::string answer_key(const model::ModelInfo& model, const candidate::ModelRef& weights,
                       const model::Request& request) {
  auto messages = json::Value::array();
  for (const auto& message : request.messages) {
    auto m = json::Value::object();
    m.set("role", message.role).set("content", message.content);
    messages.push_back(std::move(m));
  }
  auto adapters = json::Value::array();
  for (const auto& sha : weights.adapter_sha256) adapters.push_back(sha);
  auto key = json::Value::object();
  key.set("answer", 1)
      .set("engine_id", model.engine_id)
      .set("weights_sha256", weights.weights_sha256)
      .set("adapters", std::move(adapters))
      .set("messages", std::move(messages))
      .set("decoding", request.decoding.to_json())
      .set("constraint", request.constraint ? request.constraint->fingerprint() : "");
  return sha256_hex(key.canonical());
}

Result<EvaluationResult> evaluate(const Evaluation& evaluation) {
  return Evaluator(evaluation).run();
}

}  // namespace slipway::eval
