#include "facts.h"

#include <array>
#include <cctype>

#include "base/text.h"

namespace slipway::home {
namespace {

struct Fact {
  std::string_view words;  // each must be in the question, or begin one of its words
  std::string_view answer;
};

constexpr std::array<Fact, 34> facts = {{
    {"capital france", "Paris is the capital of France."},
    {"capital peru", "Lima is the capital of Peru."},
    {"capital kenya", "Nairobi is the capital of Kenya."},
    {"capital australia", "Canberra is the capital of Australia."},
    {"wrote hamlet", "William Shakespeare wrote Hamlet, about 1600."},
    {"wrote dracula", "Bram Stoker wrote Dracula; it appeared in 1897."},
    {"wrote quixote", "Miguel de Cervantes wrote Don Quixote."},
    {"tall everest", "Mount Everest is 8,849 meters high."},
    {"high matterhorn", "The Matterhorn is 4,478 meters high."},
    {"mona lisa", "Leonardo da Vinci painted the Mona Lisa, in the early 1500s."},
    {"starry night", "Vincent van Gogh painted The Starry Night in 1889."},
    {"second world war end", "The Second World War ended in 1945."},
    {"titanic sink", "The Titanic sank on 15 April 1912."},
    {"berlin wall", "The Berlin Wall fell on 9 November 1989."},
    {"far sun", "The sun is about 150 million kilometers away."},
    {"far moon", "The moon is about 384,000 kilometers away."},
    {"speed light", "Light travels at 299,792 kilometers per second."},
    {"first man moon", "Neil Armstrong was the first man on the moon, in 1969."},
    {"how many planets", "The solar system has eight planets."},
    {"biggest animal", "The blue whale is the biggest animal; it grows to some 30 meters."},
    {"blue whale", "The blue whale is the biggest animal; it grows to some 30 meters."},
    {"invented telephone", "Alexander Graham Bell had the telephone patented in 1876."},
    {"discovered penicillin", "Alexander Fleming discovered penicillin in 1928."},
    {"discovered radium", "Marie and Pierre Curie discovered radium in 1898."},
    {"bones human", "A grown human has 206 bones."},
    {"language brazil", "Portuguese is spoken in Brazil."},
    {"language austria", "German is spoken in Austria."},
    {"largest desert", "Antarctica is the largest desert; of the hot ones, the Sahara."},
    {"long nile", "The Nile is about 6,650 kilometers long."},
    {"longest river africa", "The Nile is the longest river in Africa."},
    {"legs spider", "A spider has eight legs."},
    {"sky blue", "Air scatters blue light more than red, so the sky is blue."},
    {"sea salty", "Rivers wash salts out of the rocks into the sea, where they stay."},
    {"ada lovelace", "Ada Lovelace wrote the first program for a computing machine, in 1843."},
}};

// " who painted the mona lisa ": lower-case words between single spaces.
std::string plain(std::string_view text) {
  std::string result = " ";
  for (char raw : text) {
    auto byte = static_cast<unsigned char>(raw);
    if (std::isalnum(byte))
      result += static_cast<char>(std::tolower(byte));
    else if (result.back() != ' ')
      result += ' ';
  }
  return result.back() == ' ' ? result : result + " ";
}

}  // namespace

std::optional<std::string> find_fact(std::string_view question) {
  const std::string asked = plain(question);
  size_t best = 0;
  std::optional<std::string> answer;
  for (const auto& fact : facts) {
    const auto words = split(fact.words, ' ');
    bool all = true;
    for (const auto& word : words) all = all && asked.find(" " + word) != std::string::npos;
    if (!all || words.size() <= best) continue;
    best = words.size();
    answer = std::string(fact.answer);
  }
  return answer;
}

}  // namespace slipway::home
