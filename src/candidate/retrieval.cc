#include "candidate/retrieval.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <numeric>
#include <string>

namespace slipway::candidate {
namespace {

constexpr double k1 = 1.2, b = 0.75;
constexpr size_t stem_letters = 5;

using Counts = std::map<std::string, int>;

// Bytes beyond ASCII are letters.
bool is_letter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte);
}

void count_terms(std::string_view text, Counts& counts) {
  std::string term;
  size_t letters = 0;
  const auto close = [&] {
    if (!term.empty()) ++counts[term];
    term.clear();
    letters = 0;
  };
  for (const char c : text) {
    if (!is_letter(c)) {
      close();
    } else if (letters++ < stem_letters) {
      term += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  close();
}

Counts document_of(const skill::Function& function) {
  Counts counts;
  count_terms(function.qualified_name(), counts);
  count_terms(function.description, counts);
  for (const auto& parameter : function.parameters) {
    count_terms(parameter.name, counts);
    count_terms(parameter.description, counts);
    const auto* choices = parameter.schema.get("enum");
    if (!choices || !choices->is_array()) continue;
    for (const auto& choice : choices->as_array())
      if (choice.is_string()) count_terms(choice.as_string(), counts);
  }
  return counts;
}

int length_of(const Counts& document) {
  return std::accumulate(document.begin(), document.end(), 0,
                         [](int sum, const auto& term) { return sum + term.second; });
}

std::vector<double> scores_of(const std::vector<Counts>& documents, const Counts& query) {
  double all = 0;
  for (const auto& document : documents) all += length_of(document);
  const double count = static_cast<double>(documents.size());
  const double usual = all / count;
  std::vector<double> scores(documents.size(), 0);
  for (const auto& [term, times] : query) {
    const auto with = std::count_if(documents.begin(), documents.end(),
                                    [&](const auto& d) { return d.contains(term); });
    const double found = static_cast<double>(with);
    const double rarity = std::log(1 + (count - found + 0.5) / (found + 0.5));
    for (size_t i = 0; i < documents.size(); ++i) {
      const auto in = documents[i].find(term);
      if (in == documents[i].end()) continue;
      const double norm = k1 * (1 - b + b * length_of(documents[i]) / usual);
      scores[i] += rarity * in->second * (k1 + 1) / (in->second + norm);
    }
  }
  return scores;
}

}  // namespace

std::vector<const skill::Function*> worth_listing(const skill::SkillSet& skills,
                                                  std::string_view request, int most) {
  auto functions = skills.functions();
  std::erase_if(functions, [](const auto* f) { return f->permission == skill::Permission::deny; });
  const auto limit = static_cast<size_t>(std::max(most, 0));
  if (limit == 0 || functions.size() <= limit) return functions;
  std::vector<Counts> documents;
  for (const auto* function : functions) documents.push_back(document_of(*function));
  Counts query;
  count_terms(request, query);
  const auto scores = scores_of(documents, query);
  std::vector<size_t> order(functions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t x, size_t y) { return scores[x] > scores[y]; });
  order.resize(limit);
  std::sort(order.begin(), order.end());
  std::vector<const skill::Function*> chosen;
  for (const auto index : order) chosen.push_back(functions[index]);
  return chosen;
}

}  // namespace slipway::candidate
