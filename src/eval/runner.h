// Runs a candidate over a dataset: batched, remembered, resumable, recorded.
//
//     Evaluation e{.candidate = c, .dataset = &rows, .scorer = scorer.get(), .model = model};
//     e.store = store;
//     SLIPWAY_TRY(result, evaluate(e));
//     result.report.exact.rate();
//
// Each case is on disk before it counts as done. A run that was stopped (Ctrl-C, kill -9, lost
// endpoint) continues when the same evaluation is asked for again: finished cases are not computed
// twice. Answers are remembered by everything that decides them (weights, adapters, messages,
// decoding, constraint, engine); an endpoint's answers are not, as its weights are unknown. One
// call, one thread; several evaluations may share a store.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "candidate/candidate.h"
#include "dataset/dataset.h"
#include "eval/report.h"
#include "eval/scorer.h"
#include "model/model.h"
#include "store/store.h"

namespace slipway::eval {

struct Progress {
  int64_t done = 0;
  int64_t total = 0;
  int64_t passed = 0;
  int64_t valid = 0;
  int64_t cached = 0;
  double elapsed_ms = 0;
  double eta_ms = 0;  // 0 until known
};

struct Evaluation {
  candidate::Candidate candidate;
  const dataset::Dataset* dataset = nullptr;
  const Scorer* scorer = nullptr;
  std::shared_ptr<model::Model> model;
  std::shared_ptr<store::Store> store;
  std::string experiment = "default";
  std::string parent_run_id;
  json::Value environment;  // who ran it, where (lab/provenance.h)
  bool use_answers = true;  // take remembered answers
  bool resume = true;       // continue an unfinished run of the very same evaluation
  std::function<void(const Progress&)> on_progress;  // from one thread at a time
  CancelToken cancel;
};

struct EvaluationResult {
  std::string run_id;
  Report report;
  bool resumed = false;
  int64_t already_done = 0;  // cases found finished
  double wall_ms = 0;
};

// The row as what is asked: the last user message, and what came before it.
candidate::Input input_of(const dataset::Example& example);

Result<EvaluationResult> evaluate(const Evaluation& evaluation);

// What decides an answer, hashed.
std::string answer_key(const model::ModelInfo& model, const candidate::ModelRef& weights,
                       const model::Request& request);

}  // namespace slipway::eval
