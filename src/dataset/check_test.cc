#include "dataset/check.h"

#include <doctest/doctest.h>

#include <set>
#include <sstream>

using namespace slipway;
using namespace slipway::dataset;

namespace {

Dataset rows(const std::string& path, const std::string& jsonl) {
  std::istringstream stream(jsonl);
  auto dataset = read_dataset(stream, path, {.strict = false});
  REQUIRE(dataset.ok());
  return *dataset;
}

// Rows say what they call before '('; "?" cannot be read.
Result<std::vector<std::string>> answers_of(const Dataset&, const Example& example) {
  if (example.output == "?") return Error::invalid_input("unreadable");
  if (example.output == "none()") return std::vector<std::string>();
  return std::vector<std::string>{example.output.substr(0, example.output.find('('))};
}

std::string row(const std::string& input, const std::string& output, const std::string& more = "") {
  return R"({"input": ")" + input + R"(", "output": ")" + output + "\"" + more + "}\n";
}

}  // namespace

TEST_CASE("duplicates within, leaks between, and what differs by context") {
  const auto train =
      rows("train.jsonl", row("Weather in Boston?", "w(1)") + row("weather in boston", "w(2)") +
                              row("and tomorrow?", "w(3)", R"(, "context": {"c": 1})"));
  const auto test =
      rows("test.jsonl", row("weather, in Boston!", "w(1)") +
                             row("please play the whole of baby shark for the children", "m(1)") +
                             row("and tomorrow?", "m(2)", R"(, "context": {"c": 2})"));
  const auto dev =
      rows("dev.jsonl", row("please play the whole of baby shark for the childrens", "m(1)"));
  const auto report = check({&train, &dev, &test}, {.read = answers_of});
  CHECK(report.duplicate_count == 1);
  CHECK(report.conflict_count >= 1);  // the same words, w(1) and w(2)
  CHECK_FALSE(report.duplicates.at(0).same_output);
  REQUIRE(report.leak_count == 3);  // test:1 with both of train; baby shark with dev
  CHECK(report.leaks.at(0).similarity == 1);
  const auto& near = report.leaks.back();
  CHECK(near.similarity < 1);
  CHECK(near.similarity >= 0.85);
  CHECK(near.first.dataset == "dev");
  CHECK(near.second.line == 2);
}

TEST_CASE("the threshold decides what is near") {
  const auto train = rows("train.jsonl", row("set a timer for 10 minutes", "t(1)"));
  const auto test = rows("test.jsonl", row("set a timer for 15 minutes", "t(2)"));
  CHECK(check({&train, &test}, {}).leak_count == 0);
  CHECK(check({&train, &test}, {.threshold = 0.6}).leak_count == 1);
}

TEST_CASE("balance, unused functions and unreadable outputs") {
  const auto train = rows("train.jsonl", row("a", "f(1)", R"(, "tags": ["x", "y"])") +
                                             row("b", "f(2)", R"(, "tags": ["x"])") +
                                             row("c", "none()") + row("d", "?"));
  const auto report = check({&train}, {.functions = {"f", "g"}, .read = answers_of});
  const auto& checked = report.datasets.at(0);
  CHECK(checked.functions.at("f") == 2);
  CHECK(checked.functions.at("none()") == 1);
  CHECK(checked.tags.at("x") == 2);
  CHECK(checked.unreadable_count == 1);
  CHECK(checked.unreadable.at(0).line == 4);
  CHECK(report.unused == std::vector<std::string>{"g"});
  CHECK(report.to_json().get("unused_functions")->size() == 1);
}

TEST_CASE("rows that constrained decoding could not write are named, those that are read") {
  const auto train = rows("train.jsonl", row("a", "f(1)") + row("b", "f(2)") + row("d", "?"));
  CheckOptions options{.read = answers_of};
  options.undecodable = [](const Dataset&, const Example& example) {
    return example.output == "f(1)" ? std::string() : "not " + example.output;
  };
  const auto report = check({&train}, options);
  CHECK(report.datasets.at(0).undecodable_count == 1);
  CHECK(report.datasets.at(0).undecodable.at(0).line == 2);
  CHECK(report.datasets.at(0).undecodable.at(0).message == "not f(2)");
  CHECK(report.broken() == 1);
}

TEST_CASE("10,000 rows, some broken: each named by its line, the rest usable") {
  std::string text;
  std::set<size_t> broken;
  for (size_t i = 1; i <= 10'000; ++i) {
    const auto id = std::to_string(i * 7919);
    if (i % 97 == 0) {
      const char* kinds[] = {"{\"input\": \"a\"}\n", "not json\n",
                             "{\"input\": 3, \"output\": \"\"}\n", "[1]\n",
                             "{\"input\": \"\xff\", \"output\": \"\"}\n"};
      text += kinds[i % 5];
      broken.insert(i);
    } else {
      text += row("request number " + id + " about " + std::to_string(i % 13), "f(" + id + ")");
    }
  }
  std::istringstream stream(text);
  auto loaded = read_dataset(stream, "train.jsonl", {.strict = false, .max_bytes = 4 << 20});
  REQUIRE(loaded.ok());
  CHECK(loaded->examples.size() == 10'000 - broken.size());
  REQUIRE(loaded->error_count == broken.size());
  std::set<size_t> named;
  for (const auto& error : loaded->errors) named.insert(error.line);
  CHECK(named == broken);

  const auto report = check({&*loaded}, {.max_pairs = 10, .read = answers_of});
  CHECK(report.broken() == broken.size());
  CHECK(report.datasets.at(0).rows == loaded->examples.size());
  CHECK(report.datasets.at(0).functions.at("f") == loaded->examples.size());
  CHECK(report.duplicates.size() <= 10);
}

TEST_CASE("the pairs kept are bounded, all are counted") {
  std::string text;
  for (int i = 0; i < 50; ++i)
    text += row("the same words", "f(1)", R"(, "id": ")" + std::to_string(i) + "\"");
  const auto train = rows("train.jsonl", text);
  const auto report = check({&train}, {.max_pairs = 5});
  CHECK(report.duplicates.size() == 5);
  CHECK(report.duplicate_count >= 49);
}
