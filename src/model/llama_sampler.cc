#include "model/llama_sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace slipway::model {
namespace {

// A request may bring a constraint of its own, and a batch asks for each twice: as many as run.
constexpr size_t kMaxConstraints = 64;
constexpr size_t kMaxLists = 256;   // of few tokens, per constraint
constexpr size_t kMaxMasks = 1024;  // together; 32 KiB each for a vocabulary of 262,144
constexpr size_t kTried = 32;      // best tokens walked before a mask is made

uint64_t splitmix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double uniform(uint64_t seed, uint64_t stream, uint64_t position) {
  auto bits = splitmix(splitmix(splitmix(seed) ^ stream) ^ position);
  return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

constexpr size_t kLanes = 16, kBlock = 64 * kLanes;

// In lanes, which compilers make vectors of.
float largest_of(const float* logits, size_t n) {
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, -INFINITY);
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j)
      lanes[j] = logits[i + j] > lanes[j] ? logits[i + j] : lanes[j];
  }
  float largest = *std::max_element(lanes, lanes + kLanes);
  for (; i < n; ++i) largest = std::max(largest, logits[i]);
  return largest;
}

// The first of equals. A free answer of one client waits for this once a token.
int32_t best_of(const float* logits, size_t n) {
  float largest = -INFINITY;
  size_t block = 0;
  for (size_t i = 0; i < n; i += kBlock) {
    const float here = largest_of(logits + i, std::min(kBlock, n - i));
    if (here > largest) largest = here, block = i;
  }
  const auto* end = logits + std::min(block + kBlock, n);
  const auto* found = std::find(logits + block, end, largest);
  return found == end ? 0 : static_cast<int32_t>(found - logits);
}

struct Better {
  const float* logits;
  bool operator()(int32_t a, int32_t b) const {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  }
};

// Keeps the smallest set of best candidates whose probability reaches top_p; candidates are sorted,
// weights match them.
void cut_top_p(std::vector<int32_t>& candidates, std::vector<double>& weights, double top_p) {
  double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double reached = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    reached += weights[i];
    if (reached >= top_p * total) {
      candidates.resize(i + 1);
      weights.resize(i + 1);
      return;
    }
  }
}

}  // namespace

int32_t Sampler::best(const float* logits) const { return best_of(logits, vocab_.size()); }

double Sampler::logprob(const float* logits, int32_t token) const {
  double most = logits[best(logits)];
  double sum = 0;
  for (size_t i = 0; i < vocab_.size(); ++i) sum += std::exp(logits[i] - most);
  return logits[token] - most - std::log(sum);
}

bool Sampler::permitted(const Choosing& how, int32_t token) const {
  if (!how.constraint) return true;
  if (vocab_.ends(token)) return how.constraint->accepts(how.state);
  return vocab_.trie().after(*how.constraint, how.state, token) != Constraint::dead;
}

Sampler::Masks& Sampler::masks_of(const std::shared_ptr<const Constraint>& constraint) {
  auto found = std::find_if(masks_.begin(), masks_.end(),
                            [&](const Masks& m) { return m.constraint == constraint; });
  if (found == masks_.end()) {
    masks_.push_front({constraint, {}, {}});
    if (masks_.size() > kMaxConstraints) {
      mask_count_ -= masks_.back().by_state.size();
      masks_.pop_back();
    }
  } else if (found != masks_.begin()) {
    masks_.splice(masks_.begin(), masks_, found);
  }
  return masks_.front();
}

const std::vector<int32_t>* Sampler::few(const Choosing& how) {
  if (!how.constraint) return nullptr;
  auto& by_state = masks_of(how.constraint).few;
  if (by_state.size() >= kMaxLists) by_state.clear();
  const auto [at, is_new] = by_state.try_emplace(how.state);
  if (is_new) at->second = vocab_.few(*how.constraint, how.state);
  return at->second && !at->second->empty() ? &*at->second : nullptr;
}

Sampler::Mask Sampler::mask(const Choosing& how) {
  auto& by_state = masks_of(how.constraint).by_state;
  if (auto known = by_state.find(how.state); known != by_state.end()) return known->second;
  if (mask_count_ == kMaxMasks) {
    for (auto& masks : masks_) masks.by_state.clear();
    mask_count_ = 0;
  }
  auto made = vocab_.trie().allowed(*how.constraint, how.state);
  if (may_end(how)) {
    for (auto token : vocab_.end_tokens()) made.set(static_cast<size_t>(token));
  }
  ++mask_count_;
  return by_state[how.state] = std::make_shared<const TokenMask>(std::move(made));
}

int32_t Sampler::greedy(const float* logits, const Choosing& how) {
  if (const auto* tokens = few(how))
    return *std::min_element(tokens->begin(), tokens->end(), Better{logits});
  auto wish = best(logits);
  if (permitted(how, wish)) return wish;
  Better better{logits};
  std::vector<int32_t> top;  // a heap with the worst of the best on top
  for (size_t i = 0; i < vocab_.size(); ++i) {
    auto token = static_cast<int32_t>(i);
    if (top.size() == kTried && !better(token, top.front())) continue;
    if (top.size() == kTried) {
      std::pop_heap(top.begin(), top.end(), better);
      top.pop_back();
    }
    top.push_back(token);
    std::push_heap(top.begin(), top.end(), better);
  }
  std::sort_heap(top.begin(), top.end(), better);
  for (auto token : top) {
    if (permitted(how, token)) return token;
  }
  auto allowed = mask(how);
  int32_t chosen = -1;
  for (size_t i = 0; i < vocab_.size(); ++i) {
    if (allowed->test(i) && (chosen < 0 || logits[i] > logits[chosen]))
      chosen = static_cast<int32_t>(i);
  }
  return chosen;
}

std::vector<int32_t> Sampler::permitted_tokens(const Choosing& how) {
  std::vector<int32_t> tokens;
  if (const auto* listed = few(how)) {
    tokens = *listed;
    std::sort(tokens.begin(), tokens.end());
    return tokens;
  }
  auto allowed = how.constraint ? mask(how) : nullptr;
  for (size_t i = 0; i < vocab_.size(); ++i) {
    if (!allowed || allowed->test(i)) tokens.push_back(static_cast<int32_t>(i));
  }
  return tokens;
}

int32_t Sampler::sampled(const float* logits, const Choosing& how) {
  auto candidates = permitted_tokens(how);
  if (candidates.empty()) return -1;
  Better better{logits};
  if (how.decoding->top_k > 0 && static_cast<size_t>(how.decoding->top_k) < candidates.size()) {
    auto middle = candidates.begin() + how.decoding->top_k;
    std::nth_element(candidates.begin(), middle, candidates.end(), better);
    candidates.erase(middle, candidates.end());
  }
  if (how.decoding->top_p < 1) std::sort(candidates.begin(), candidates.end(), better);
  double most = logits[*std::min_element(candidates.begin(), candidates.end(), better)];
  std::vector<double> weights;
  for (auto token : candidates)
    weights.push_back(std::exp((logits[token] - most) / how.decoding->temperature));
  if (how.decoding->top_p < 1) cut_top_p(candidates, weights, how.decoding->top_p);
  double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double left = uniform(how.decoding->seed, how.stream, how.position) * total;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if ((left -= weights[i]) < 0) return candidates[i];
  }
  return candidates.back();
}

bool Sampler::may_end(const Choosing& how) const {
  return how.constraint && how.constraint->accepts(how.state);
}

const float* Sampler::with_end_bias(const float* logits, const Choosing& how) {
  if (how.decoding->end_bias == 0 || !may_end(how)) return logits;
  biased_.assign(logits, logits + vocab_.size());
  for (const auto token : vocab_.end_tokens())
    biased_[static_cast<size_t>(token)] += static_cast<float>(how.decoding->end_bias);
  return biased_.data();
}

std::vector<std::pair<int32_t, double>> Sampler::weigh(const float* logits, const Choosing& how) {
  logits = with_end_bias(logits, how);
  std::vector<std::pair<int32_t, double>> weights;
  double most = -INFINITY, sum = 0;
  for (const auto token : permitted_tokens(how)) {
    weights.emplace_back(token, logits[token]);
    most = std::max(most, weights.back().second);
  }
  for (const auto& [token, logit] : weights) sum += std::exp(logit - most);
  for (auto& [token, logit] : weights) logit -= most + std::log(sum);
  return weights;
}

Result<int32_t> Sampler::choose(const float* logits, const Choosing& how) {
  logits = with_end_bias(logits, how);
  auto token = how.decoding->temperature > 0 ? sampled(logits, how) : greedy(logits, how);
  if (token < 0)
    return Error::internal("the vocabulary has no token that the constraint allows here");
  return token;
}

}  // namespace slipway::model
