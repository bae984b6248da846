#include "speech/mend.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/text.h"

namespace slipway::speech {
namespace {

// Short names are near to everything: they are not mended.
constexpr size_t least_letters = 7;
constexpr double most_edits = 0.27;  // of the name's letters

std::string letters_of(std::string_view text) {
  std::string letters;
  for (const char c : to_lower(text)) {
    if (std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80)
      letters += c;
  }
  return letters;
}

// Words of every sentence, which are heard well and mean what they say.
constexpr std::string_view common =
    "a about after all also an and any are as at be before but by can could do does for from get "
    "give go good has have "
    "he her here hey how i if in into is it its just let like make me more my no not now of off oh "
    "okay on one or our "
    "out over please put say she so some tell than that the their them then there they this to too "
    "two um uh up us want "
    "was we well what when where which who whose why will with would yes you your";

bool has_digit(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return std::isdigit(static_cast<unsigned char>(c)); });
}

// Levenshtein; gives up above `most`.
size_t edits_between(std::string_view a, std::string_view b, size_t most) {
  if (a.size() > b.size() + most || b.size() > a.size() + most) return most + 1;
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j < row.size(); ++j) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const auto& word : split(text, ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

// "light." -> "."
std::string ending_of(const std::string& word) {
  size_t end = word.size();
  while (end > 0 && std::ispunct(static_cast<unsigned char>(word[end - 1]))) --end;
  return word.substr(end);
}

}  // namespace

Mender::Mender(const Bias& bias) {
  for (const auto& word : words_of(common)) known_.insert(word);
  for (const auto& word : bias.words) known_.insert(letters_of(word));
  for (const auto& phrase : bias.names) {
    const auto words = words_of(phrase);
    for (const auto& word : words) known_.insert(letters_of(word));
    auto letters = letters_of(phrase);
    if (letters.size() >= least_letters && !has_digit(letters))
      names_.push_back({phrase, std::move(letters), words.size()});
  }
}

// A plural is as well known as its singular, and the other way round.
bool Mender::is_known(const std::string& word) const {
  return known_.contains(word) || known_.contains(word + "s") ||
         (word.ends_with('s') && known_.contains(word.substr(0, word.size() - 1)));
}

std::string Mender::mend(std::string_view text) const {
  auto words = words_of(text);
  struct Change {
    size_t begin, count;
    const Name* name;
    double share;
  };
  for (size_t begin = 0; begin < words.size(); ++begin) {
    std::optional<Change> best;
    std::string letters;
    bool strange = false;
    for (size_t count = 1; count <= 4 && begin + count <= words.size(); ++count) {
      const auto word = letters_of(words[begin + count - 1]);
      if (has_digit(word)) break;  // a number is what it is
      letters += word;
      strange = strange || !is_known(word);
      for (const auto& name : names_) {
        if (count > name.words + 1 || name.words > count + 1) continue;
        const auto most =
            static_cast<size_t>(most_edits * static_cast<double>(name.letters.size()));
        const size_t edits = edits_between(letters, name.letters, most);
        const double share = static_cast<double>(edits) / static_cast<double>(name.letters.size());
        if (edits > most || (best && best->share <= share)) continue;
        if (edits == 0 || strange) best = Change{begin, count, &name, share};
      }
    }
    if (!best || best->share == 0) continue;
    const auto ending = ending_of(words[begin + best->count - 1]);
    const auto at = words.begin() + static_cast<ptrdiff_t>(begin);
    words.erase(at + 1, at + static_cast<ptrdiff_t>(best->count));
    words[begin] = best->name->phrase + ending;
  }
  return join(words, " ");
}

}  // namespace slipway::speech
