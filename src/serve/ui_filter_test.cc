#include "serve/ui_filter.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/text.h"
#include "serve/ui_curves.h"

using namespace slipway;
using namespace slipway::serve;

namespace {

const RunRow row{{{"kind", "eval"},
                  {"status", "finished"},
                  {"name", "tuned, epoch 2"},
                  {"candidate", "tuned, epoch 2"},
                  {"dataset", "test"},
                  {"split", "test"},
                  {"model", "gemma-3-270m"},
                  {"id", "3f2a11"}},
                 {{"exact_match", 0.93}, {"loss", 0.5}}};

bool fits(std::string_view text) {
  const auto filter = parse_run_filter(text);
  INFO(text);
  REQUIRE(filter.ok());
  return filter->fits(row);
}

}  // namespace

TEST_CASE("every condition of a filter must fit") {
  CHECK(fits(""));
  CHECK(fits("kind:eval"));
  CHECK_FALSE(fits("kind:eva"));  // a kind is equal or it is not
  CHECK(fits("candidate:TUNED"));
  CHECK(fits("id:3f2a"));
  CHECK_FALSE(fits("id:2a"));
  CHECK(fits("gemma kind:eval"));
  CHECK_FALSE(fits("gemma kind:tune"));
  CHECK(fits("\"epoch 2\""));
  CHECK_FALSE(fits("\"epoch 3\""));
  CHECK(fits("-kind:tune"));
  CHECK_FALSE(fits("-gemma"));
  CHECK(fits("candidate:\"tuned, epoch\""));
}

TEST_CASE("figures are compared, and must be there") {
  CHECK(fits("exact_match>0.9"));
  CHECK(fits("exact_match>=0.93 exact_match<=0.93 exact_match=0.93"));
  CHECK_FALSE(fits("exact_match<0.93"));
  CHECK_FALSE(fits("exact_match!=0.93"));
  CHECK_FALSE(fits("accuracy>0"));
  CHECK(fits("-accuracy>0"));
  CHECK(parse_run_filter("loss<1")->needs_figures());
  CHECK_FALSE(parse_run_filter("kind:eval")->needs_figures());
}

TEST_CASE("a wrong filter says what would be right") {
  for (const char* text : {"\"open", "loss>much", "exact_match>", "colour:red"})
    CHECK_MESSAGE(parse_run_filter(text).error().code() == ErrorCode::invalid_input, text);
  CHECK(parse_run_filter("kin:eval").error().hint() == "did you mean 'kind:'?");
  CHECK(parse_run_filter(std::string(2000, 'x')).error().code() == ErrorCode::exhausted);
  std::string many;
  for (int i = 0; i < 30; ++i) many += "a ";
  CHECK(parse_run_filter(many).error().code() == ErrorCode::exhausted);
}

TEST_CASE("any filter is read or refused, and turning a condition round turns its answer") {
  rc::check("any text", [](const std::string& text) {
    const auto filter = parse_run_filter(text);
    if (filter.ok()) static_cast<void>(filter->fits(row));
  });
  rc::check("a turned word", [](const std::vector<uint8_t>& letters) {
    std::string word;
    for (const auto letter : letters) word += static_cast<char>('a' + letter % 26);
    RC_PRE(!word.empty() && word.size() < 100);
    const auto plain = parse_run_filter(word), turned = parse_run_filter("-" + word);
    RC_ASSERT(plain.ok() && turned.ok());
    RC_ASSERT(plain->fits(row) != turned->fits(row));
  });
}

TEST_CASE("a thinned curve keeps its ends, its order and its spikes") {
  std::vector<store::Metric> points;
  for (int i = 0; i < 10'000; ++i) points.push_back({"loss", i == 5432 ? 99.0 : 1.0 / (i + 1), i});
  const auto thin = thinned(points, 600);
  CHECK(thin.size() <= 600);
  CHECK(thin.size() > 300);
  CHECK(thin.front().step == 0);
  CHECK(thin.back().step == 9999);
  bool spike = false, ordered = true;
  for (size_t i = 0; i < thin.size(); ++i) {
    spike |= thin[i].value == 99.0;
    ordered &= i == 0 || thin[i - 1].step < thin[i].step;
  }
  CHECK(spike);
  CHECK(ordered);
  CHECK(thinned({points.begin(), points.begin() + 5}, 600).size() == 5);
}
