#include "candidate/confidence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>

namespace slipway::candidate {
namespace {

using Words = std::set<std::string>;

// Words that say nothing about what a request is for.
bool is_stop_word(const std::string& word) {
  static const std::set<std::string> words = {
      "a",     "an",   "and",  "are",    "as",   "at",    "be",    "by",    "can",   "could",
      "did",   "do",   "does", "for",    "from", "get",   "give",  "how",   "i",     "if",
      "in",    "is",   "it",   "its",    "like", "me",    "my",    "need",  "not",   "of",
      "on",    "or",   "our",  "out",    "some", "that",  "the",   "their", "them",  "there",
      "these", "they", "this", "to",     "up",   "us",    "use",   "used",  "using", "want",
      "was",   "we",   "were", "what",   "when", "where", "which", "who",   "will",  "with",
      "would", "you",  "your", "please", "eg",   "such"};
  return words.contains(word);
}

// The commonest English endings off, so that "booking" meets "book" and "cities" meets "city".
std::string stem(std::string word) {
  for (const std::string_view ending : {"ing", "ions", "ion", "ies", "es", "ed", "s", "e", "y"}) {
    if (word.size() >= ending.size() + 3 && word.ends_with(ending)) {
      word.resize(word.size() - ending.size());
      break;
    }
  }
  return word;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Words and numbers in lower case, cut at camelCase and at whatever is no letter or digit; bytes
// beyond ASCII are letters.
void add_words(std::string_view text, Words& words) {
  std::string word;
  const auto flush = [&] {
    if (!word.empty() && !is_stop_word(word)) words.insert(stem(word));
    word.clear();
  };
  char before = ' ';
  for (char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || is_upper(c) || static_cast<signed char>(c) < 0;
    const bool begins = is_upper(c) && before >= 'a' && before <= 'z';
    const bool changes = !word.empty() && is_digit(c) != is_digit(word.back());
    if (begins || changes || !(letter || is_digit(c))) flush();
    if (letter || is_digit(c)) word += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    before = c;
  }
  flush();
}

size_t common(const Words& a, const Words& b) {
  return static_cast<size_t>(
      std::count_if(a.begin(), a.end(), [&](const auto& word) { return b.contains(word); }));
}

// Cosine of two sets of words.
double cosine(const Words& a, const Words& b) {
  if (a.empty() || b.empty()) return 0;
  return static_cast<double>(common(a, b)) /
         std::sqrt(static_cast<double>(a.size()) * static_cast<double>(b.size()));
}

double relevance_of(const Words& request, const skill::Function& function) {
  Words described;
  add_words(function.qualified_name(), described);
  add_words(function.description, described);
  return cosine(request, described);
}

// 1 when the request has the value's words, 0 when it has none of them. A choice among stated
// values needs no word of its own.
double support_of(const json::Value& value, const Words& request) {
  if (value.is_bool() || value.is_null()) return 1;
  Words words;
  add_words(value.is_string() ? value.as_string() : value.dump(), words);
  if (words.empty()) return 1;
  return static_cast<double>(common(words, request)) / static_cast<double>(words.size());
}

double grounded_of(const Words& request, const skill::Call& call, const skill::Function& function) {
  double supported = 0, counted = 0;
  for (const auto& argument : call.arguments) {
    const auto* parameter = function.find(argument.name);
    if (!parameter || parameter->schema.get("enum")) continue;
    counted += 1;
    supported += support_of(argument.value, request);
  }
  return counted > 0 ? supported / counted : 1;
}

// Fitted by logistic regression: docs/decisions/0010-confidence.md.
constexpr double bias = -1.06, of_relevance = 0.42, of_grounded = 2.62, of_logprob = 0.77;

double combine(const Confidence& c) {
  const double x = bias + of_relevance * c.relevance + of_grounded * c.grounded +
                   of_logprob * std::max(c.logprob, -5.0);
  return 1 / (1 + std::exp(-x));
}

}  // namespace

std::vector<skill::Call> without_unsaid(std::string_view request, std::vector<skill::Call> calls,
                                        const skill::SkillSet& skills) {
  Words words;
  add_words(request, words);
  for (auto& call : calls) {
    const auto* function = skills.find(call.function);
    if (!function) continue;
    std::erase_if(call.arguments, [&](const skill::Argument& argument) {
      const auto* parameter = function->find(argument.name);
      return parameter && !parameter->required && argument.value.is_string() &&
             support_of(argument.value, words) == 0;
    });
  }
  return calls;
}

double mean_logprob(const model::Completion& completion) {
  if (completion.tokens.empty()) return 0;
  double sum = 0;
  for (const auto& token : completion.tokens) sum += token.logprob;
  return sum / static_cast<double>(completion.tokens.size());
}

Confidence confidence_of(std::string_view request, const std::vector<skill::Call>& calls,
                         const skill::SkillSet& skills, double logprob) {
  Words words;
  add_words(request, words);
  Confidence least;
  least.value = 2;
  for (const auto& call : calls) {
    const auto* function = skills.find(call.function);
    if (!function) continue;
    Confidence one{relevance_of(words, *function), grounded_of(words, call, *function), logprob, 0};
    one.value = combine(one);
    if (one.value < least.value) least = one;
  }
  return least;
}

}  // namespace slipway::candidate
