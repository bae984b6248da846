// The answers that greedy decoding passed by, in case one of them is more probable than its own.
//
//     AnswerSearch search(8);                             // at most so many answers are written
//     search.passed_by(path, token, logprob);             // at each choice, what was not chosen
//     search.complete(std::move(path));                   // an answer, by path.logprob
//     while (auto branch = search.next()) ...;            // goes on with branch->token
//     search.best();
//
// Inside a constraint the probabilities of one choice sum to one over what is allowed there, and an
// answer's is the product of its choices'. So a beginning is at least as probable as whatever
// begins like it: branches below the best answer so far need no look, and an answer of one half or
// more is the best one at once. This is uniform-cost search; Stahlberg and Byrne, "On NMT Search
// Errors and Model Errors" (EMNLP 2019), bound exact inference alike. Log probabilities are natural
// ones.
// Not thread-safe: one sequence's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/constraint.h"
#include "model/model.h"

namespace slipway::model {

// An answer as far as it goes, to come back to.
struct AnswerPath {
  std::vector<int32_t> tokens;  // prompt and answer
  std::vector<size_t> starts;   // of each answer token in the text
  Completion completion;
  Constraint::State state = 0;
  double logprob = 0;  // of its choices, among what was allowed
};

class AnswerSearch {
 public:
  struct Branch {
    AnswerPath path;
    int32_t token = 0;   // how it goes on
    double logprob = 0;  // with it
  };

  explicit AnswerSearch(int tries) : tries_(tries) {}
  // Could an answer of this log probability still be the best one?
  bool promises(double logprob) const;
  void passed_by(AnswerPath path, int32_t token, double logprob);
  void complete(AnswerPath path);
  // The most probable branch that may hold a better answer; none: best() is the answer.
  std::optional<Branch> next();
  bool found() const { return best_.has_value(); }
  // Of those that were completed; the first of equals.
  const AnswerPath& best() const { return *best_; }

 private:
  int tries_;
  std::vector<Branch> branches_;
  std::optional<AnswerPath> best_;
};

}  // namespace slipway::model
