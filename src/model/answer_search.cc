#include "model/answer_search.h"

#include <algorithm>
#include <utility>

namespace slipway::model {
namespace {

constexpr double kLeast = -4;  // about 2 %: who is so unsure is not helped by the next guess

}  // namespace

bool AnswerSearch::promises(double logprob) const {
  return logprob > (best_ ? best_->logprob : kLeast);
}

void AnswerSearch::passed_by(AnswerPath path, int32_t token, double logprob) {
  if (promises(logprob)) branches_.push_back({std::move(path), token, logprob});
}

void AnswerSearch::complete(AnswerPath path) {
  --tries_;
  if (!best_ || path.logprob > best_->logprob) best_ = std::move(path);
}

std::optional<AnswerSearch::Branch> AnswerSearch::next() {
  const auto most = std::max_element(
      branches_.begin(), branches_.end(),
      [](const Branch& a, const Branch& b) { return a.logprob < b.logprob; });
  if (tries_ <= 0 || most == branches_.end() || !promises(most->logprob)) return std::nullopt;
  auto branch = std::move(*most);
  branches_.erase(most);
  return branch;
}

}  // namespace slipway::model
