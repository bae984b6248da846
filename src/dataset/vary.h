// More rows from those there are: arguments that keep the speaker's words (`x-slipway-said`,
// skill/said.h) take what the same argument of the same function is in other rows, in the text and
// in the call alike.
//
//     "weather in boston tomorrow"   GetWeather(city='boston', timeRange='tomorrow')
//     "weather in oslo on friday"    GetWeather(city='oslo', timeRange='on friday')
//
//     auto more = vary(train.examples, skills, {.copies = 2, .seed = 0});   // the rows first
//
// Where values are names (each brings words of its own), some are put together from the beginning
// of one and the end of another, "san francisco" and "new york" to "san york": what the model has
// to copy then stands in the request and nowhere in its memory.
//
// A model that has met few names learns the names; one that meets every sentence with many learns
// where a name begins and ends. Only values that stand in the text once, as whole words, apart from
// each other, are replaced; what then says the same as its row is left out.
// Pure; thread-safe; the same seed gives the same rows everywhere. (Slot substitution, as in
// Wei and Zou, arXiv 1901.11196, but with labels that stay right.)
#pragma once

#include <cstdint>
#include <vector>

#include "dataset/row.h"
#include "skill/signature.h"

namespace slipway::dataset {

struct VaryOptions {
  int copies = 1;
  uint64_t seed = 0;
  double share = 0.75;   // of the values are replaced
  double joined = 0.33;  // of the names among them by one that is put together
};

std::vector<Example> vary(const std::vector<Example>& rows, const skill::SkillSet& skills,
                          const VaryOptions& options);

}  // namespace slipway::dataset
