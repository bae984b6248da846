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

uint64_t Followers::key(std::span<const int32_t> before) const {
  uint64_t hash = 0x9e3779b97f4a7c15;
  for (const auto token : before.last(std::min(before.size(), context_))) {
    hash = (hash ^ static_cast<uint32_t>(token)) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  return hash;
}

int32_t Followers::after(std::span<const int32_t> tokens) const {
  const auto wanted = key(tokens);
  const auto& known = table_[wanted % table_.size()];
  return known.key == wanted && known.trust > 0 ? known.next : -1;
}

void Followers::learn(std::span<const int32_t> tokens, size_t from) {
  for (size_t i = from; i < tokens.size(); ++i) {
    const auto seen = key(tokens.first(i));
    auto& known = table_[seen % table_.size()];
    if (known.key == seen && known.next == tokens[i]) {
      known.trust = std::min(known.trust + 1, kMostTrust);
    } else if (--known.trust < 0) {
      known = {seen, tokens[i], 1};
    }
  }
}

std::vector<int32_t> Drafter::guess(const Position& position) const {
  std::vector<int32_t> answer(position.answer.begin(), position.answer.end());
  std::string text(position.text);
  auto state = position.state;
  while (!answer.empty() && answer.size() < position.answer.size() + kMost) {
    auto more = vocab_.plain(forced_text(position.constraint, state));
    if (more.empty()) more = vocab_.plain(rest_of_word(text, position.request));
    if (const auto next = calls_.after(answer); more.empty() && next >= 0) more = {next};
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

std::vector<int32_t> Drafter::guess(std::span<const int32_t> tokens) const {
  std::vector<int32_t> all(tokens.end() - std::min<ptrdiff_t>(3, std::ssize(tokens)), tokens.end());
  const auto known = all.size();
  while (all.size() < known + kMostFree) {
    const auto next = text_.after(all);
    if (next < 0) break;
    all.push_back(next);
  }
  return {all.begin() + static_cast<ptrdiff_t>(known), all.end()};
}

}  // namespace slipway::model
