#include "serve/feedback.h"

#include <chrono>
#include <thread>

#include "base/clock.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/text.h"
#include "candidate/interpret.h"
#include "dataset/dataset.h"
#include "serve/chat_response.h"

namespace slipway::serve {
namespace {

constexpr size_t most_rows = 100'000;
constexpr size_t most_note_bytes = 16 << 10;
constexpr int lock_tries = 250;
constexpr auto lock_pause = std::chrono::milliseconds(20);

// The span that holds what was asked and answered.
Result<SpanRecord> answer_span(Service& service, const std::string& trace_id) {
  service.traces->flush();
  SLIPWAY_TRY(spans, service.store->trace(trace_id));
  for (auto& span : spans) {
    if (!span.text("slipway.example").empty()) return span;
  }
  return Error::not_found("trace '" + trace_id + "' holds no answer that feedback can be given on",
                          "take the trace_id that `ask`, `listen` or /v1/assistant gave, or the id "
                          "of a chat completion");
}

// The right output in its canonical form, when the candidate writes calls.
Result<std::string> canonical(Service& service, const SpanRecord& answer,
                              const json::Value& context, const std::string& output) {
  const auto name = answer.text("candidate");
  auto served = service.shelf->peek(name);
  if (!served && !name.empty()) {  // closed to make room, or this is another start of the server
    auto opened = service.shelf->get(name);
    if (!opened.ok() && opened.error().code() != ErrorCode::not_found) return opened.error();
    if (opened.ok()) served = *opened;
  }
  if (!served) return output;  // of a candidate that is no longer: nobody knows its functions
  SLIPWAY_TRY(skills, candidate::functions_for(served->candidate.skills, context));
  if (skills->functions().empty()) return output;
  auto calls = candidate::interpret(trim(output), *skills);
  if (!calls.ok())
    return Error::invalid_input("'output': " + calls.error().message(), calls.error().hint());
  return skill::print_calls(*calls, *skills);
}

Result<FileLock> lock_file(const std::string& path) {
  for (int i = 0; i < lock_tries; ++i) {
    SLIPWAY_TRY(lock, FileLock::try_lock(path));
    if (lock) return std::move(*lock);
    std::this_thread::sleep_for(lock_pause);
  }
  return Error::unavailable("another process holds " + path, "try again");
}

// Puts the row in place of an earlier one with its id. One that is not `known` to be right only
// takes that one out: what was withdrawn is not learnt from.
Status put_row(const std::string& path, const dataset::Example& row, bool known) {
  if (!known && !files::exists(path)) return {};
  SLIPWAY_TRY(lock, lock_file(path + ".lock"));
  std::vector<dataset::Example> rows;
  if (files::exists(path)) {
    SLIPWAY_TRY(earlier, dataset::load_dataset(path));
    rows = std::move(earlier.examples);
  }
  auto same = rows.begin();
  while (same != rows.end() && same->id != row.id) ++same;
  if (!known && same == rows.end()) return {};
  if (!known) {
    rows.erase(same);
  } else if (same != rows.end()) {
    *same = row;
  } else if (rows.size() >= most_rows) {
    return Error::exhausted(path + " has 100,000 rows",
                            "move it to data/ and go on with a new one");
  } else {
    rows.push_back(row);
  }
  return files::write_atomic(path, dataset::to_jsonl(rows));
}

SpanRecord feedback_span(const SpanRecord& answer, const Feedback& feedback) {
  SpanRecord said;
  const Tracer tracer(answer.trace_id, [&said](SpanRecord span) { said = std::move(span); });
  {
    auto span = tracer.span("feedback");
    span.set("correct", feedback.correct);
    if (feedback.output) span.set("output", *feedback.output);
    if (!feedback.note.empty()) span.set("note", feedback.note);
  }
  said.parent_span_id = answer.span_id;
  return said;
}

}  // namespace

Result<Feedback> parse_feedback(const json::Value& body) {
  Feedback feedback;
  for (const auto& [key, value] : body.as_object()) {
    if (key == "correct" ? !value.is_bool() : !value.is_string() && !value.is_null())
      return Error::invalid_input("'" + key + "' must be " +
                                  (key == "correct" ? "true or false" : "a text"));
    if (key != "trace_id" && key != "correct" && key != "output" && key != "note") {
      return Error::invalid_input("unknown member '" + key + "'",
                                  "known are trace_id, correct, output, note");
    }
  }
  feedback.trace_id = trace_id_of(body.text("trace_id"));
  if (feedback.trace_id.empty()) return Error::invalid_input("'trace_id' is missing");
  if (!body.get("correct")) return Error::invalid_input("'correct' is missing");
  feedback.correct = body.flag("correct");
  feedback.note = body.text("note");
  if (feedback.note.size() > most_note_bytes)
    return Error::invalid_input("'note' is longer than 16 KiB");
  if (const auto* output = body.get("output"); output && output->is_string())
    feedback.output = output->as_string();
  if (feedback.correct && feedback.output)
    return Error::invalid_input(
        "'output' is what would have been right; leave it out when the "
        "answer was correct");
  return feedback;
}

Result<Noted> give_feedback(Service& service, const Feedback& feedback) {
  SLIPWAY_TRY(answer, answer_span(service, feedback.trace_id));
  SLIPWAY_TRY(row, dataset::parse_row(answer.text("slipway.example")));
  Noted noted;
  const bool right_is_known = feedback.correct || feedback.output;
  if (feedback.output) {
    SLIPWAY_TRY(output, canonical(service, answer, row.context, *feedback.output));
    row.output = std::move(output);
  }
  row.id = "feedback-" + short_id(feedback.trace_id);
  row.tags = {"feedback", feedback.correct ? "was-right" : "was-wrong"};
  const auto path = files::join(service.store->folder(), "feedback.jsonl");
  SLIPWAY_CHECK(put_row(path, row, right_is_known));
  if (right_is_known) {
    noted.path = path;
    noted.row = dataset::row_json(row);
  }
  SLIPWAY_CHECK(service.store->put_spans(service.run_id, {feedback_span(answer, feedback)}));
  service.metrics->add_feedback(feedback.correct);
  return noted;
}

}  // namespace slipway::serve
