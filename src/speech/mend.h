// Names that a recogniser does not know come out as words that sound alike: "eco B temperature",
// "the bad light". This puts the skills' own names in their place.
//
//     const Mender mender(bias);
//     mender.mend("Turn bad light on.")      // "Turn bed light on."
//
// A run of words becomes a name of the bias when their letters nearly agree (edits below a
// quarter or so of the name's letters) and one of the words is neither common nor one that the
// skills know: what was plainly said is left alone, numbers always. Const access is thread-safe;
// the same input gives the same text.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "speech/bias.h"

namespace slipway::speech {

class Mender {
 public:
  explicit Mender(const Bias& bias);
  std::string mend(std::string_view text) const;

 private:
  struct Name {
    std::string phrase, letters;
    size_t words = 1;
  };
  bool is_known(const std::string& word) const;
  std::vector<Name> names_;
  std::set<std::string, std::less<>> known_;  // words
};

}  // namespace slipway::speech
