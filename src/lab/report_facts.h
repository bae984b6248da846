// What the report of a candidate says, read from the store: for the person who decides whether it
// goes live. docs/report.md tells what each part means.
//
//     SLIPWAY_TRY(facts, report_facts(*store, "tuned", {}));
//     facts.gate          // absent: nobody asked
//     facts.open          // what is not known, and how many rows would settle it
//     report_html(facts)  // lab/report_page.h
//
// `candidate` is an alias, the name it was evaluated by, or the beginning of its id; of a name the
// newest. No model is opened: nothing is measured that was not measured before. Pure reading.
// Errors: not_found (never evaluated), the store's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/report.h"
#include "lab/notebook.h"
#include "store/store.h"

namespace slipway::lab {

struct ReportExample {
  std::string input, expected, output;
};

struct ReportSlice {
  std::string name;
  eval::Proportion right;
  std::vector<ReportExample> wrong;  // the first few
};

struct ReportLatency {
  int64_t answers = 0;  // computed, not remembered
  double p50_ms = 0, p95_ms = 0;
  std::string run_id, where;  // the machine
};

// A verdict, as `slipway gate` recorded it.
struct ReportGate {
  std::string run_id, verdict, against_name;
  std::vector<std::string> reasons;
  int64_t unix_ms = 0;
  double margin = 0;
  int64_t rows = 0, rows_needed = 0;
  bool same_rows = false;  // as this report's
};

// Something that is not known, and what would settle it.
struct OpenQuestion {
  std::string what, settle;
};

struct CurvePoint {
  double x = 0, y = 0;
};

struct ScalingPoint {
  int64_t examples = 0;
  double score = 0;
  eval::Interval interval{};
};

struct ReportFacts {
  std::string project, candidate, candidate_name, model;
  std::vector<std::string> aliases;  // that point to it now
  bool pinned = false;
  store::Run run;  // the evaluation that is reported: the newest on a test split, if there is one
  eval::Report report;
  std::vector<ReportSlice> slices;           // tags, worst first
  std::optional<eval::Proportion> refused;   // rows that no function serves, and it called none
  std::optional<eval::Proportion> served;    // rows that one serves, and it called some
  std::vector<ReportExample> wrongly_acted;  // on rows that no function serves
  ReportSlice plain;                         // neither misspelt nor spoken nor else noisy
  std::vector<ReportSlice> noisy;            // misspelt, spoken, noisy
  std::vector<ReportExample> wrong;          // the first few of all failures
  std::optional<ReportLatency> latency;      // of an evaluation's answers
  std::optional<ReportLatency> asked;        // of requests made by people and programs
  std::optional<ReportGate> gate;
  store::Looks looks;
  std::vector<NotebookEntry> ladder;   // every candidate's newest evaluation on these rows
  std::vector<NotebookEntry> history;  // oldest first: evaluations on these rows, trainings, ...
  std::vector<CurvePoint> loss;        // of the training that made its adapter
  std::vector<ScalingPoint> scaling;   // by number of examples, when there were several
  std::vector<OpenQuestion> open;
  int64_t unix_ms = 0;  // of the report
};

struct ReportOptions {
  std::string dataset;  // only evaluations on it; empty: any
  std::string project;  // its name, for the title
};

Result<ReportFacts> report_facts(const store::Store& store, const std::string& candidate,
                                 const ReportOptions& options);

// In lab/report_open.cc; pure.
std::vector<OpenQuestion> open_questions(const ReportFacts& facts);

}  // namespace slipway::lab
