// The gate: may this candidate take the place of that one? Both are evaluated on the same rows, and
// what decides is fixed beforehand: a margin, an alpha, rows that must pass, a bound of latency.
//
//     SLIPWAY_TRY(gate, run_gate(bench, {.candidate = tuned, .against = production}, hooks));
//     gate.verdict          // pass, fail, undecided, refused
//     gate.reasons          // why, a line each
//
// pass: shown to be no worse by `margin` or more (one-sided exact unconditional test on Tango's
// score statistic, eval/noninferiority.h), every must-pass row right, latency within its bound.
// fail: shown to be worse than that, or one of the others broken. refused: not shown, and there are
// too few rows to show it; `rows_needed` says how many it takes. undecided: not shown although
// there were enough. All of it is a run of kind `gate`. One thread. Errors: those of
// eval::evaluate, invalid_input (a must-pass row that is not there).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/compare.h"
#include "eval/noninferiority.h"
#include "lab/workbench.h"

namespace slipway::lab {

struct GateSpec {
  CandidateSpec candidate, against;
  std::string dataset = "test";
  double margin = 0.02;
  double alpha = 0.05;        // one-sided
  double power = 0.8;         // wanted, when the two are equally good
  std::string must_pass;      // a tag, or a file of the project with an id a line; empty: none
  double latency_p95_ms = 0;  // 0: no bound; else the candidate's answers are computed anew
};

enum class Verdict { pass, fail, undecided, refused };
std::string_view verdict_name(Verdict verdict);

// What was measured, and what follows from it.
struct Gate {
  std::string candidate_name, against_name;
  std::string candidate_id, against_id;
  std::string run_id, candidate_run, against_run;
  int64_t rows = 0;
  eval::Comparison comparison;     // first: the one in place; second: the candidate
  eval::Interval interval{-1, 1};  // of the difference, 1 - 2 alpha (Tango)
  double p_value = 1;              // one-sided, of non-inferiority
  double power = 0;                // of these rows, at the discordance seen
  int64_t rows_needed = 0;         // for the wanted power at that discordance
  int64_t must_pass_rows = 0;
  std::vector<std::string> must_pass_wrong;  // ids
  double latency_p95_ms = 0;                 // 0: not measured
  int64_t latency_answers = 0;
  store::Looks looks;  // at these rows, this one included; 0 when they are no test split
  Verdict verdict = Verdict::refused;
  std::vector<std::string> reasons;
  json::Value to_json() const;
};

struct GateHooks {
  std::function<void(const std::string& candidate, const eval::Progress&)> on_progress;
  CancelToken cancel;
};

Result<Gate> run_gate(Workbench& bench, const GateSpec& spec, const GateHooks& hooks);

// Verdict and reasons from what was measured; pure.
void decide(Gate& gate, const GateSpec& spec);

// JUnit XML: a test case for each thing that decides.
std::string junit_xml(const Gate& gate, const GateSpec& spec);

}  // namespace slipway::lab
