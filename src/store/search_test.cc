#include "store/search.h"

#include <rapidcheck.h>

#include <algorithm>
#include <set>

#include "store/test_folder.h"
#include "store/tracking.h"

namespace slipway::store {
namespace {

Filter parsed(std::string_view text) {
  auto filter = parse_filter(run_fields(), text);
  const auto failure = filter.ok() ? "" : filter.error().to_string();
  INFO(text, ": ", failure);
  REQUIRE(filter.ok());
  return *filter;
}

Comparison text_comparison(KeyKind kind, const char* name, Comparator comparator,
                           const char* value) {
  return {{kind, name}, comparator, std::string(value)};
}

TEST_CASE("search: what MLflow's documentation shows is understood") {
  CHECK(parsed("").empty());
  CHECK(parsed("metrics.accuracy > 0.72") ==
        Filter{{{KeyKind::metric, "accuracy"}, Comparator::gt, 0.72}});
  CHECK(parsed("metrics.\"my metric\" <= -1e-3 AND params.batch_size = '2'") ==
        Filter{{{KeyKind::metric, "my metric"}, Comparator::le, -1e-3},
               text_comparison(KeyKind::param, "batch_size", Comparator::eq, "2")});
  CHECK(parsed("tags.`mlflow.parentRunId` iLike '%x_' and tags.mlflow.user != \"ada\"") ==
        Filter{text_comparison(KeyKind::tag, "mlflow.parentRunId", Comparator::ilike, "%x_"),
               text_comparison(KeyKind::tag, "mlflow.user", Comparator::ne, "ada")});
  CHECK(parsed("attributes.status = 'FINISHED' AND start_time >= 5 and run.`Run name` like 'a'") ==
        Filter{text_comparison(KeyKind::attribute, "status", Comparator::eq, "FINISHED"),
               {{KeyKind::attribute, "start_time"}, Comparator::ge, 5.0},
               text_comparison(KeyKind::attribute, "run_name", Comparator::like, "a")});
  CHECK(parsed("run_id NOT IN ('a', 'it''s') and tag.x IS NOT NULL and param.y is null") ==
        Filter{{{KeyKind::attribute, "run_id"},
                Comparator::not_in,
                std::vector<std::string>{"a", "it's"}},
               {{KeyKind::tag, "x"}, Comparator::is_not_null, {}},
               {{KeyKind::param, "y"}, Comparator::is_null, {}}});
  CHECK(parsed("dataset.name = 'd'") ==
        Filter{text_comparison(KeyKind::dataset, "name", Comparator::eq, "d")});
}

TEST_CASE("search: what is wrong is told with its column") {
  const std::pair<const char*, const char*> wrong[] = {
      {"metrics.loss << 5", "column 15"},
      {"metrics.loss < 'a'", "column 16"},
      {"metrics.loss LIKE 'a'", "column 14"},
      {"params.lr = 0.1", "column 13"},
      {"params.lr > '0.1'", "column 11"},
      {"params.lr = '0.1", "column 13"},
      {"stage = 'x'", "column 1"},
      {"foo.bar = 'x'", "column 1"},
      {"dataset.size = 'x'", "column 1"},
      {"status = 'a' OR status = 'b'", "column 14"},
      {"status = 'a' AND", "column 17"},
      {"status IN ('a')", "column 8"},
      {"run_id IN ('a'", "column 15"},
      {"params.lr IS 5", "column 14"},
      {"params.lr = '0.1' ;", "column 19"},
      {"params.`` = 'x'", "column 1"}};
  for (const auto& [text, column] : wrong) {
    const auto filter = parse_filter(run_fields(), text);
    INFO(text);
    REQUIRE_FALSE(filter.ok());
    CHECK(filter.error().code() == ErrorCode::invalid_input);
    CHECK(filter.error().message().starts_with(std::string(column) + " "));
    CHECK_FALSE(filter.error().hint().empty());
  }
  CHECK_FALSE(parse_order(run_fields(), "metrics.x DOWN").ok());
  CHECK_FALSE(parse_order(run_fields(), "metrics.x DESC, params.y").ok());
  CHECK_FALSE(parse_order(run_fields(), "dataset.name").ok());
  CHECK_FALSE(parse_order(run_fields(), "").ok());
  CHECK_FALSE(parse_order(model_version_fields(), "run_id").ok());
  CHECK_FALSE(parse_filter(model_fields(), "last_updated_timestamp > 5").ok());
}

TEST_CASE("search: any text is taken or refused, and never more than its limits") {
  CHECK(rc::check([](const std::string& text) {
    const auto filter = parse_filter(run_fields(), text);
    const bool taken = filter.ok();
    if (!taken) RC_ASSERT(filter.error().code() == ErrorCode::invalid_input);
  }));
  const auto piece = rc::gen::elementOf(std::vector<std::string>{
      "metrics.", "params", ".",    "`",  "\"",   "'",     "a", " ", "=",  "<",    "!", "IN", "(",
      ")",        ",",      "NOT ", "IS", "NULL", " AND ", "5", "-", "1e", "LIKE", "%", "é"});
  CHECK(rc::check([&] {
    const auto pieces = *rc::gen::container<std::vector<std::string>>(piece);
    std::string text;
    for (const auto& part : pieces) text += part;
    const auto filter = parse_filter(run_fields(), text);
    const bool taken = filter.ok();
    if (!taken) RC_ASSERT(filter.error().message().starts_with("column "));
  }));
  CHECK_FALSE(parse_filter(run_fields(), std::string(70'000, ' ')).ok());
  std::string many = "tags.a = 'b'";
  for (int i = 0; i < 256; ++i) many += " AND tags.a = 'b'";
  CHECK_FALSE(parse_filter(run_fields(), many).ok());
}

std::string quoted(char quote, const std::string& text) {
  std::string out(1, quote);
  for (const char c : text) out.append(c == quote ? 2 : 1, c);
  return out + quote;
}

TEST_CASE("search: what is written is read back") {
  CHECK(rc::check([] {
    const auto word = rc::gen::nonEmpty(
        rc::gen::container<std::string>(rc::gen::elementOf(std::string("aZ09 _-./:'\"`%(),="))));
    const std::string key = *word;
    const std::string value = *word;
    const auto filter =
        parse_filter(run_fields(), "tags." + quoted('`', key) + " = " + quoted('\'', value));
    RC_ASSERT(filter.ok());
    RC_ASSERT(*filter ==
              Filter{text_comparison(KeyKind::tag, key.c_str(), Comparator::eq, value.c_str())});
  }));
}

// LIKE by hand: % any characters, _ one; the case counts.
bool like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    for (size_t i = 0; i <= text.size(); ++i) {
      if (like(text.substr(i), pattern.substr(1))) return true;
    }
    return false;
  }
  if (text.empty() || (pattern[0] != '_' && pattern[0] != text[0])) return false;
  return like(text.substr(1), pattern.substr(1));
}

struct Searched {
  TestFolder folder;
  std::shared_ptr<Store> store = folder.open();
  Tracking tracking{*store};
  std::vector<TrackedRun> runs;

  void add(const std::string& name, const Pairs& params, const std::vector<Metric>& metrics) {
    auto run = tracking.create_run({.experiment_id = 0,
                                    .name = name,
                                    .user = "",
                                    .start_ms = 1000 + std::ssize(runs) / 2,
                                    .tags = {}});
    REQUIRE(run.ok());
    REQUIRE(tracking.log({.run_id = run->info.id, .metrics = metrics, .params = params, .tags = {}})
                .ok());
    runs.push_back(*tracking.run(run->info.id));
  }
  std::set<std::string> found(const std::string& filter) const {
    const auto page = tracking.search({0}, {.filter = filter, .order = {}});
    const auto failure = page.ok() ? "" : page.error().to_string();
    INFO(filter, ": ", failure);
    REQUIRE(page.ok());
    std::set<std::string> names;
    for (const auto& run : page->items) names.insert(run.info.name);
    return names;
  }
  std::vector<std::string> ordered(const std::vector<std::string>& order) const {
    const auto page = tracking.search({0}, {.filter = "", .order = order});
    REQUIRE(page.ok());
    std::vector<std::string> names;
    for (const auto& run : page->items) names.push_back(run.info.name);
    return names;
  }
};

TEST_CASE("search: LIKE and ILIKE find what they should, GLOB's own signs included") {
  Searched s;
  const std::vector<std::string> values = {"abc", "ABC", "a*c", "a?c", "a[b]c", "a%c", "", "axbc"};
  for (const auto& value : values) s.add(value.empty() ? "none" : value, {{"p", value}}, {});
  for (const char* pattern : {"abc", "a%c", "a_c", "%", "", "a*c", "a?c", "a[b]c", "A%", "%b%"}) {
    std::set<std::string> expected;
    for (const auto& value : values) {
      if (like(value, pattern)) expected.insert(value.empty() ? "none" : value);
    }
    CHECK(s.found(std::string("params.p LIKE '") + pattern + "'") == expected);
  }
  CHECK(s.found("params.p ILIKE 'AbC'") == std::set<std::string>{"abc", "ABC"});
}

TEST_CASE("search: what is missing or NaN matches and is ordered as MLflow does") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Searched s;
  s.add("one", {{"p", "a"}}, {{"m", 1, 0, 5}});
  s.add("nan", {{"p", "b"}}, {{"m", nan, 0, 5}});
  s.add("none", {}, {});
  s.add("two", {{"p", "c"}}, {{"m", 2, 0, 5}});
  CHECK(s.found("metrics.m != 1") == std::set<std::string>{"nan", "two"});
  CHECK(s.found("metrics.m <= 2") == std::set<std::string>{"one", "two"});
  CHECK(s.found("params.p != 'a'") == std::set<std::string>{"nan", "two"});
  CHECK(s.found("params.p IS NULL") == std::set<std::string>{"none"});
  CHECK(s.found("tags.mlflow.runName = 'two' and run_name = 'two'") ==
        std::set<std::string>{"two"});
  CHECK(s.ordered({"metrics.m DESC"}) == std::vector<std::string>{"two", "one", "nan", "none"});
  CHECK(s.ordered({"metrics.m"}) == std::vector<std::string>{"one", "two", "nan", "none"});
  CHECK(s.ordered({"params.p DESC"}) == std::vector<std::string>{"two", "nan", "one", "none"});
  CHECK(s.ordered({"run_name ASC"}) == std::vector<std::string>{"nan", "none", "one", "two"});
  CHECK_FALSE(s.tracking.search({0}, {.filter = "", .order = {"metrics.m", "metrics.m ASC"}}).ok());
}

TEST_CASE("search: pages follow each other, and none is lost or doubled") {
  Searched s;
  for (int i = 0; i < 7; ++i) s.add("r" + std::to_string(i), {}, {});
  std::vector<std::string> names;
  Search search{.filter = "", .order = {}, .limit = 3};
  while (true) {
    const auto page = s.tracking.search({0}, search);
    REQUIRE(page.ok());
    for (const auto& run : page->items) names.push_back(run.info.name);
    search.offset += std::ssize(page->items);
    if (!page->more) break;
  }
  CHECK(names == s.ordered({}));
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == 7);
  CHECK_FALSE(s.tracking.search({0}, {.filter = "", .order = {}, .limit = 0}).ok());
  CHECK_FALSE(s.tracking.search({0}, {.filter = "", .order = {}, .limit = 50'001}).ok());
}

}  // namespace
}  // namespace slipway::store
