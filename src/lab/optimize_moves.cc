#include "lab/optimize_moves.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::lab {
namespace {

constexpr size_t kFewExamples = 8;  // when the prompt has none

template <typename T>
void shuffle(std::vector<T>& values, std::mt19937_64& random) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random() % i]);
}

// A worked example shows no context, so its answer must not need one.
bool is_plain(const dataset::Example& row) {
  const bool bare =
      row.context.size() == 0 || (row.context.size() == 1 && row.context.get("clock"));
  return row.messages.empty() && bare;
}

// Without one sentence; as it is when there is only one.
std::string less_a_sentence(const std::string& text, std::mt19937_64& random) {
  std::vector<std::string> sentences;
  size_t begin = 0;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const bool ends = (text[i] == '.' || text[i] == '!') && (text[i + 1] == ' ');
    if (!ends) continue;
    sentences.push_back(text.substr(begin, i + 2 - begin));
    begin = i + 2;
  }
  sentences.push_back(text.substr(begin));
  if (sentences.size() < 2) return text;
  sentences.erase(sentences.begin() + static_cast<std::ptrdiff_t>(random() % sentences.size()));
  auto shorter = std::string(trim(join(sentences, "")));
  return shorter + "\n";
}

std::string number(size_t count) { return std::to_string(count); }

Move other_instructions(const PromptParts& best, const std::vector<std::string>& others,
                        std::mt19937_64& random) {
  Move move{"instructions less a sentence", best};
  if (!others.empty() && random() % 2 == 0) {
    move.parts.instructions = others[random() % others.size()] + "\n";
    move.what = "other instructions";
    if (best.instructions.empty()) move.parts.middle = "\n" + best.middle;
  } else {
    move.parts.instructions = less_a_sentence(best.instructions, random);
  }
  return move;
}

}  // namespace

std::string function_of(const std::string& output) {
  return output.substr(0, std::min(output.find('('), output.find('\n')));
}

ExamplePool::ExamplePool(const std::vector<dataset::Example>& rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (const auto& row : rows) {
    WorkedExample example{row.input, row.output};
    if (!is_plain(row) || !can_be_worked(example)) continue;
    by_function_[function_of(row.output)].push_back(std::move(example));
    ++size_;
  }
  for (auto& [function, examples] : by_function_) shuffle(examples, random);
}

std::vector<WorkedExample> ExamplePool::draw(std::mt19937_64& random, size_t count,
                                             const std::vector<std::string>& wanted) const {
  std::vector<std::string> functions, others;
  for (const auto& [function, examples] : by_function_) {
    const bool first = std::find(wanted.begin(), wanted.end(), function) != wanted.end();
    (first ? functions : others).push_back(function);
  }
  shuffle(functions, random);
  shuffle(others, random);
  functions.insert(functions.end(), others.begin(), others.end());
  std::vector<WorkedExample> drawn;
  const size_t most = std::min(count, size_);
  for (size_t turn = 0; drawn.size() < most; ++turn) {
    for (const auto& function : functions) {
      const auto& examples = by_function_.at(function);
      if (turn >= examples.size() || drawn.size() == most) continue;
      // From a place of this draw's own, so that draws differ.
      drawn.push_back(examples[(turn + random() % examples.size()) % examples.size()]);
    }
  }
  std::vector<WorkedExample> different;
  for (auto& example : drawn)
    if (std::find(different.begin(), different.end(), example) == different.end())
      different.push_back(std::move(example));
  return different;
}

Move make_move(const PromptParts& best, const ExamplePool& pool,
               const std::vector<std::string>& instructions,
               const std::vector<std::string>& failing, uint64_t seed, int generation, int index) {
  std::seed_seq seeds{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32),
                      static_cast<uint32_t>(generation), static_cast<uint32_t>(index)};
  std::mt19937_64 random(seeds);
  const size_t count = best.examples.empty() ? kFewExamples : best.examples.size();
  Move move{"", best};
  switch (index % 4) {
    case 0:
      move.parts.examples = pool.draw(random, count, failing);
      move.what = number(move.parts.examples.size()) + " other examples";
      return move;
    case 1: {
      auto kept = best.examples;
      shuffle(kept, random);
      kept.resize(kept.size() / 2);
      const auto more = pool.draw(random, count - kept.size(), failing);
      kept.insert(kept.end(), more.begin(), more.end());
      move.parts.examples = std::move(kept);
      move.what = number(more.size()) + " of the examples exchanged";
      return move;
    }
    case 2: {
      const auto more = pool.draw(random, std::max<size_t>(1, count / 2), failing);
      move.parts.examples.insert(move.parts.examples.begin(), more.begin(), more.end());
      move.what = number(more.size()) + " examples more";
      return move;
    }
    default:
      return other_instructions(best, instructions, random);
  }
}

}  // namespace slipway::lab
