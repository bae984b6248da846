#include "model/drafter.h"

#include <algorithm>
#include <string>

namespace slipway::model {
namespace {

constexpr size_t kShortest = 2;  // bytes of a word from which the rest is guessed
constexpr int kMostTrust = 3;

bool in_word(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80;
}

}  // namespace

std::string_view rest_of_word(std::string_view text, std::string_view request) {
  size_t begin = text.size();
  while (begin > 0 && in_word(text[begin - 1])) --begin;
  auto word = text.substr(begin);
  if (word.size() < kShortest || begin == 0 || text.find_last_of("'\"") == std::string::npos)
    return {};
  for (size_t at = request.rfind(word); at != std::string::npos;
       at = at == 0 ? std::string::npos : request.rfind(word, at - 1)) {
    if (at > 0 && in_word(request[at - 1])) continue;
    size_t end = at + word.size();
    while (end < request.size() && in_word(request[end])) ++end;
    return request.substr(at + word.size(), end - at - word.size());
  }
  return {};
}

size_t Drafter::slot(int32_t before, int32_t last) {
  auto hash =
      static_cast<uint64_t>(static_cast<uint32_t>(before)) << 32 | static_cast<uint32_t>(last);
  return (hash * 0x9e3779b97f4a7c15 >> 32) % kFollowers;  // Fibonacci hashing
}

std::vector<int32_t> Drafter::follower(std::span<const int32_t> answer) const {
  const auto last = answer.back();
  const auto before = answer.size() > 1 ? answer[answer.size() - 2] : -1;
  const auto& known = followers_[slot(before, last)];
  if (known.before != before || known.last != last || known.trust < 1) return {};
  return {known.next};
}

std::vector<int32_t> Drafter::guess(const Position& position) const {
  std::vector<int32_t> answer(position.answer.begin(), position.answer.end());
  std::string text(position.text);
  auto state = position.state;
  while (!answer.empty() && answer.size() < position.answer.size() + kMost) {
    auto more = vocab_.plain(forced_text(position.constraint, state));
    if (more.empty()) more = vocab_.plain(rest_of_word(text, position.request));
    if (more.empty()) more = follower(answer);
    if (more.empty()) more = vocab_.plain("')");  // most arguments end after the word
    const auto known = answer.size();
    for (auto token : more) {
      const auto after = vocab_.trie().after(position.constraint, state, token);
      if (after == Constraint::dead) break;
      state = after;
      answer.push_back(token);
      text += vocab_.trie().piece(token);
    }
    if (answer.size() != known + more.size()) break;
  }
  answer.erase(answer.begin(), answer.begin() + static_cast<ptrdiff_t>(position.answer.size()));
  answer.resize(std::min(answer.size(), kMost));
  return answer;
}

void Drafter::learn(std::span<const int32_t> answer) {
  for (size_t i = 1; i < answer.size(); ++i) {
    const auto before = i > 1 ? answer[i - 2] : -1;
    auto& known = followers_[slot(before, answer[i - 1])];
    if (known.before == before && known.last == answer[i - 1] && known.next == answer[i]) {
      known.trust = std::min(known.trust + 1, kMostTrust);
    } else if (--known.trust < 0) {
      known = {before, answer[i - 1], answer[i], 1};
    }
  }
}

}  // namespace slipway::model
