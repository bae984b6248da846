#include "dataset/dataset.h"

#include <doctest/doctest.h>

#include <random>
#include <sstream>

#include "base/hash.h"
#include "base/text.h"

namespace slipway::dataset {
namespace {

Result<Dataset> read(const std::string& text, const LoadOptions& options = {}) {
  std::istringstream stream(text);
  return read_dataset(stream, "data/test.jsonl", options);
}

std::string row(const std::string& input, const std::string& more = "") {
  return "{\"input\": \"" + input + "\", \"output\": \"none()\"" + more + "}\n";
}

TEST_CASE("a full row") {
  auto dataset = read(
      R"x({"id": 7, "input": "and tomorrow?", "output": "y.z()", "tags": ["weather", "turns"], )x"
      R"x("cluster": "c1", "context": {"room": "kitchen"}})x");
  REQUIRE(dataset.ok());
  CHECK(dataset->name == "test");
  CHECK(dataset->split == "test");
  const Example& example = dataset->examples.at(0);
  CHECK(example.id == "7");
  CHECK(example.input == "and tomorrow?");
  CHECK(example.output == "y.z()");
  CHECK(example.tags == std::vector<std::string>{"weather", "turns"});
  CHECK(example.cluster == "c1");
  CHECK(example.context.text("room") == "kitchen");
  CHECK(example.line == 1);
}

TEST_CASE("messages") {
  auto dataset =
      read(R"({"input": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, )"
           R"({"role": "user", "content": "c"}], "output": ""})");
  REQUIRE(dataset.ok());
  CHECK(dataset->examples[0].messages.size() == 3);
  CHECK(dataset->examples[0].text() == "c");
  CHECK(dataset->examples[0].input.empty());
  CHECK(dataset->examples[0].id.size() == 12);
}

TEST_CASE("every kind of broken row says what is wrong") {
  struct Case {
    std::string row, message;
  };
  for (const auto& [text, message] : std::vector<Case>{
           {R"({"input": x})", ": column 1"},
           {R"([1])", "a row must be a JSON object"},
           {R"({"output": "x"})", "'input' is missing"},
           {R"({"input": "x"})", "'output' is missing"},
           {R"({"input": "x", "ouput": "y"})", "unknown key 'ouput'"},
           {R"({"input": "  ", "output": "y"})", "'input' is empty"},
           {R"({"input": 3, "output": "y"})", "'input' must be text or an array of messages"},
           {R"({"input": [], "output": "y"})", "'input' must be 1 to 1000 messages"},
           {R"({"input": [{"role": "usr", "content": ""}], "output": "y"})", "unknown role 'usr'"},
           {R"({"input": [{"role": "user"}], "output": "y"})", "a message is"},
           {R"({"input": [{"role": "system", "content": "s"}], "output": "y"})",
            "the last message of 'input' is not of the role 'user'"},
           {R"({"input": "x", "output": {}})", "'output' must be text"},
           {R"({"input": "x", "output": "y", "context": []})", "'context' must be an object"},
           {R"({"input": "x", "output": "y", "id": ""})", "'id' must be 1 to 200 bytes"},
           {R"({"input": "x", "output": "y", "id": true})", "'id' must be text or an integer"},
           {R"({"input": "x", "output": "y", "tags": "a"})", "'tags' must be an array of texts"},
           {R"({"input": "x", "output": "y", "tags": [""]})", "'tags' must be an array of texts"},
           {R"({"input": "x", "output": "y", "cluster": 1})", "'cluster' must be text"}}) {
    CAPTURE(text);
    auto dataset = read(row("fine") + "\n" + text + "\n");
    REQUIRE_FALSE(dataset.ok());
    CHECK(dataset.error().code() == ErrorCode::invalid_input);
    CHECK(dataset.error().message().starts_with("data/test.jsonl line 3: "));
    CHECK(dataset.error().message().find(message) != std::string::npos);
  }
}

TEST_CASE("lenient: the rest is usable, the errors are bounded and counted") {
  std::string text = row("a");
  for (int i = 0; i < 20; ++i) text += "broken\n";
  text += row("b");
  auto dataset = read(text, {.strict = false, .max_errors = 5});
  REQUIRE(dataset.ok());
  CHECK(dataset->examples.size() == 2);
  CHECK(dataset->examples[1].line == 22);
  CHECK(dataset->errors.size() == 5);
  CHECK(dataset->errors[0].line == 2);
  CHECK(dataset->error_count == 20);
}

TEST_CASE("ids: derived from the input and context, repeated ones name both lines") {
  auto dataset = read(row("a") + row("a", R"(, "context": {"room": "office"})"));
  REQUIRE(dataset.ok());
  CHECK(dataset->examples[0].id == sha256_hex("a").substr(0, 12));
  CHECK(dataset->examples[1].id != dataset->examples[0].id);

  for (const auto& text : {row("a") + "\n" + row("a"),
                           row("a", R"(, "id": "q")") + "\n" + row("b", R"(, "id": "q")")}) {
    auto repeated = read(text);
    REQUIRE_FALSE(repeated.ok());
    CHECK(repeated.error().message().find("line 3: id '") != std::string::npos);
    CHECK(repeated.error().message().find("already on line 1") != std::string::npos);
    auto lenient = read(text, {.strict = false});
    REQUIRE(lenient.ok());
    CHECK(lenient->examples.size() == 1);
    CHECK(lenient->error_count == 1);
  }
}

TEST_CASE("the hash is of the rows, not of the bytes") {
  auto plain =
      read("{\"input\": \"a\", \"output\": \"b\"}\n{\"input\": \"c\", \"output\": \"d\"}\n");
  auto other = read(
      "\xEF\xBB\xBF\r\n{\"output\":\"b\",\"input\":\"\\u0061\"}\r\n  \r\n{\"input\": \"c\", "
      "\"output\": \"d\"}");
  REQUIRE(plain.ok());
  REQUIRE(other.ok());
  CHECK(plain->sha256.size() == 64);
  CHECK(plain->sha256 == other->sha256);
  CHECK(other->examples[1].line == 4);
  auto changed =
      read("{\"input\": \"a\", \"output\": \"b\"}\n{\"input\": \"c\", \"output\": \"e\"}\n");
  CHECK(changed->sha256 != plain->sha256);
}

TEST_CASE("limits: line length at, below and above; rows; bytes; UTF-16") {
  std::string line = row("0123456789");
  line.pop_back();
  for (bool feed : {false, true}) {
    std::string text = line + (feed ? "\n" : "");
    CHECK(read(text, {.max_line_bytes = line.size()}).ok());
    auto longer = read(text, {.max_line_bytes = line.size() - 1});
    REQUIRE_FALSE(longer.ok());
    CHECK(longer.error().message().find("line 1: the line is longer than") != std::string::npos);
  }
  auto lenient = read(row("a") + std::string(3 << 20, 'x') + "\n" + row("b"), {.strict = false});
  REQUIRE(lenient.ok());
  CHECK(lenient->examples.size() == 2);
  CHECK(lenient->errors.at(0).line == 2);

  auto first = read(row("a") + row("b") + "broken", {.max_rows = 2});
  REQUIRE(first.ok());
  CHECK(first->examples.size() == 2);

  auto large = read(row("a") + row("b"), {.strict = false, .max_bytes = 300});
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().code() == ErrorCode::exhausted);
  auto utf16 = read(std::string("\xFF\xFE{\0", 4), {.strict = false});
  REQUIRE_FALSE(utf16.ok());
  CHECK(utf16.error().message().find("UTF-16") != std::string::npos);
  CHECK(read("")->examples.empty());
}

TEST_CASE("names and missing files") {
  std::istringstream stream("");
  auto dataset = read_dataset(stream, "x/home-train.jsonl");
  CHECK(dataset->name == "home");
  CHECK(dataset->split == "train");
  std::istringstream logs("");
  CHECK(read_dataset(logs, "logs.jsonl")->split.empty());
  auto missing = load_dataset("no/such.jsonl");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code() == ErrorCode::not_found);
}

std::string any_text(std::mt19937& random) {
  static const std::vector<std::string> pieces = {"a", " ",  "'",  "\"", "\\", "\n", "\t",
                                                  "é", "猫", "🎵", "{",  "}",  "0"};
  std::string text = "q";
  for (size_t i = random() % 12; i > 0; --i) text += pieces[random() % pieces.size()];
  return text;
}

std::vector<Example> any_examples(std::mt19937& random) {
  std::vector<Example> examples(1 + random() % 5);
  for (size_t i = 0; i < examples.size(); ++i) {
    Example& example = examples[i];
    example.id = std::to_string(i) + any_text(random);
    if (random() % 2)
      example.input = any_text(random);
    else
      example.messages = {{"system", any_text(random)}, {"user", any_text(random)}};
    example.output = any_text(random);
    if (random() % 2) example.context.set("room", any_text(random));
    if (random() % 2) example.tags = {any_text(random), "t"};
    if (random() % 2) example.cluster = any_text(random);
  }
  return examples;
}

TEST_CASE("property: what is written is read back") {
  std::mt19937 random(20261124);
  for (int round = 0; round < 500; ++round) {
    auto examples = any_examples(random);
    auto dataset = read(to_jsonl(examples));
    REQUIRE(dataset.ok());
    CHECK(to_jsonl(dataset->examples) == to_jsonl(examples));
    CHECK(dataset->examples[0].text() == examples[0].text());
  }
}

TEST_CASE(
    "property: any mutated file is read or refused with its line, and every line is accounted "
    "for") {
  std::mt19937 random(20261125);
  int refused = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string text = to_jsonl(any_examples(random));
    for (size_t i = 1 + random() % 3; i > 0; --i) {
      size_t at = random() % text.size();
      if (random() % 2)
        text[at] = static_cast<char>(random() % 256);
      else
        text.erase(at, 1 + random() % 4);
      if (text.empty()) text = "\n";
    }
    auto lenient = read(text, {.strict = false});
    auto strict = read(text);
    if (!lenient.ok()) continue;  // a UTF-16 mark
    CHECK(strict.ok() == (lenient->error_count == 0));
    if (!strict.ok()) {
      ++refused;
      CHECK(strict.error().message().starts_with(
          "data/test.jsonl line " + std::to_string(lenient->errors.at(0).line) + ": "));
    }
    size_t lines = 0;
    for (const auto& line : split(text, '\n')) lines += trim(line).empty() ? 0 : 1;
    CHECK(lenient->examples.size() + lenient->error_count == lines);
  }
  CHECK(refused > 300);
}

}  // namespace
}  // namespace slipway::dataset
