#include "dataset/snips.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "base/files.h"

using namespace slipway;
using namespace slipway::dataset;

namespace {

const std::vector<SnipsRow> train = {
    {"will it rain in boston tomorrow",
     "GetWeather",
     {{"city", "boston"}, {"timeRange", "tomorrow"}}},
    {"weather in paris on may 3rd at noon",
     "GetWeather",
     {{"city", "paris"}, {"timeRange", "may 3rd"}, {"timeRange", "noon"}}},
    {"play something by o'hara", "PlayMusic", {{"artist", "o'hara"}}},
    {"play", "PlayMusic", {}}};

SnipsMapping mapping() {
  auto learnt = SnipsMapping::learn(train);
  REQUIRE_MESSAGE(learnt.ok(), learnt.error().to_string());
  return *learnt;
}

std::vector<SnipsSlot> sorted(std::vector<SnipsSlot> slots) {
  std::stable_sort(slots.begin(), slots.end(),
                   [](const auto& a, const auto& b) { return a.slot < b.slot; });
  return slots;
}

// Lossless: the same intent, and of each slot the same values in the same order.
void check_round_trip(const SnipsMapping& mapping, const std::vector<SnipsRow>& rows) {
  size_t different = 0;
  for (const auto& row : rows) {
    auto call = mapping.call(row);
    auto back = call.ok() ? mapping.row(*call) : Result<SnipsRow>(call.error());
    different +=
        !back.ok() || back->intent != row.intent || sorted(back->slots) != sorted(row.slots);
  }
  CHECK(different == 0);
}

}  // namespace

TEST_CASE("an intent is a function, a slot an argument with the speaker's words") {
  const auto m = mapping();
  CHECK(*m.call(train[0]) == "GetWeather(city='boston', timeRange='tomorrow')");
  CHECK(*m.call(train[1]) == "GetWeather(city='paris', timeRange=['may 3rd', 'noon'])");
  CHECK(*m.call(train[2]) == "PlayMusic(artist='o\\'hara')");
  CHECK(*m.call(train[3]) == "PlayMusic()");
  check_round_trip(m, train);
}

TEST_CASE("what the training rows do not have is refused") {
  const auto m = mapping();
  CHECK_FALSE(m.call({"x", "BookFlight", {}}).ok());
  CHECK_FALSE(m.call({"x", "PlayMusic", {{"city", "paris"}}}).ok());
  CHECK_FALSE(m.row("PlayMusic(city='paris')").ok());
  CHECK_FALSE(m.row("none()").ok());
}

TEST_CASE("the skill file reads back") {
  const auto m = mapping();
  const auto text = skill::skill_to_json(m.skills().skills().at(0)).dump();
  auto skill = skill::parse_skill(text);
  REQUIRE_MESSAGE(skill.ok(), skill.error().to_string());
  CHECK(skill->name.empty());
  CHECK(skill->functions.at(0).qualified_name() == "GetWeather");
}

TEST_CASE("the whole of SNIPS goes there and back") {
  const std::string folder = "../shared/data/snips";
  if (!files::exists(folder)) {
    MESSAGE("skipped: no ", folder);
    return;
  }
  auto rows = read_snips(folder + "/train.jsonl");
  auto dev = read_snips(folder + "/dev.jsonl");
  REQUIRE(rows.ok());
  REQUIRE(dev.ok());
  auto learnt = SnipsMapping::learn(*rows);
  REQUIRE_MESSAGE(learnt.ok(), learnt.error().to_string());
  check_round_trip(*learnt, *rows);
  check_round_trip(*learnt, *dev);
  auto imported = import_snips(folder);
  REQUIRE(imported.ok());
  CHECK(imported->files.at(0).examples.size() == rows->size());
}
