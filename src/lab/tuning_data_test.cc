#include "lab/tuning_data.h"

#include <doctest/doctest.h>

#include <sstream>

#include "lab/tuning.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

// Bytes are tokens; 256 ends an answer.
class Bytes : public model::Model {
 public:
  const model::ModelInfo& info() const override { return info_; }
  Result<model::Completion> complete(const model::Request&) override {
    return Error::unsupported("not here");
  }
  Status complete_all(std::span<const model::Request>, const Done&, CancelToken) override {
    return Error::unsupported("not here");
  }
  Result<std::string> render(const std::vector<model::Message>& messages) const override {
    std::string text;
    for (const auto& message : messages) text += message.role + ":" + message.content + ";";
    return text;
  }
  Result<std::vector<int32_t>> tokenize(std::string_view text) const override {
    return std::vector<int32_t>(text.begin(), text.end());
  }
  Result<std::vector<int32_t>> prompt_tokens(
      const std::vector<model::Message>& messages) const override {
    return tokenize(*render(messages));
  }
  Result<std::vector<int32_t>> answer_tokens(std::string_view text) const override {
    auto tokens = *tokenize(text);
    tokens.push_back(256);
    return tokens;
  }
  std::vector<std::vector<int32_t>> choices(const model::Constraint& constraint,
                                            std::span<const int32_t> answer) const override {
    std::vector<std::vector<int32_t>> lists;
    auto state = constraint.start();
    for (const auto token : answer) {
      lists.emplace_back();
      for (int byte = 0; byte < 256; ++byte) {
        if (constraint.next(state, static_cast<unsigned char>(byte)) != model::Constraint::dead)
          lists.back().push_back(byte);
      }
      if (constraint.accepts(state)) lists.back().push_back(256);
      state = constraint.next(state, static_cast<unsigned char>(token));
    }
    return lists;
  }

 private:
  model::ModelInfo info_;
};

dataset::Dataset rows_of(const std::string& lines, const std::string& path = "train.jsonl") {
  std::istringstream stream(lines);
  auto rows = dataset::read_dataset(stream, path);
  REQUIRE_MESSAGE(rows.ok(), (rows.ok() ? "" : rows.error().to_string()));
  return *rows;
}

candidate::Candidate text_candidate() {
  candidate::Candidate c;
  c.prompt = {"minimal", std::string(minimal_prompt)};
  c.skills = std::make_shared<const skill::SkillSet>();
  return c;
}

std::string text_of(const std::vector<int32_t>& tokens) {
  std::string text;
  for (const auto token : tokens) text += token == 256 ? '$' : static_cast<char>(token);
  return text;
}

}  // namespace

TEST_CASE("a row becomes the tokens of its prompt, and its answer with the end") {
  const auto rows = rows_of(R"({"input": "hi", "output": "hello"}
{"input": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, )"
                            R"({"role": "user", "content": "c"}], "output": "d"}
)");
  auto data = tuning_data(text_candidate(), Bytes(), rows, {}, {});
  REQUIRE(data.ok());
  REQUIRE(data->examples.size() == 2);
  CHECK(text_of(data->examples[0].prompt) == "user:hi\n=>;");
  CHECK(text_of(data->examples[0].completion) == "hello$");
  CHECK(text_of(data->examples[1].prompt) == "user:a;assistant:b;user:c\n=>;");
  CHECK(data->answer_tokens == 8);
}

TEST_CASE("rows of dev or test, long ones and outputs that are no call are left out and named") {
  const auto test = rows_of(R"({"input": "Play it!", "output": "x"}
{"input": "and now?", "output": "x", "context": {"room": "hall"}}
)",
                            "test.jsonl");
  const HeldOut held_out({&test});
  const auto rows = rows_of(R"x({"input": "play  IT", "output": "none()"}
{"input": "and now", "output": "none()", "context": {"room": "hall"}}
{"input": "and now", "output": "none()", "context": {"room": "attic"}}
{"input": "this one is much longer than all of the others are", "output": "none()"}
{"input": "nonsense", "output": "none("}
)x");
  auto data = tuning_data(text_candidate(), Bytes(), rows, held_out,
                          {.calls = true, .max_tokens = 40});
  REQUIRE(data.ok());
  CHECK(data->examples.size() == 1);
  REQUIRE(data->skipped.size() == 4);
  CHECK(data->skipped[0].reason == "it is also a row of dev or test");
  CHECK(data->skipped[1].line == 2);
  CHECK(data->skipped[2].reason.find("more than 40") != std::string::npos);
  CHECK(data->skipped[3].reason.find("no valid call") != std::string::npos);
  auto nothing = tuning_data(text_candidate(), Bytes(), test, held_out, {});
  CHECK(nothing.error().code() == ErrorCode::invalid_input);
}

TEST_CASE("the hash is that of the tokens: another prompt is another training") {
  const auto rows = rows_of(R"({"input": "hi", "output": "hello"}
)");
  auto other = text_candidate();
  other.prompt.source = "say: {{ input }}";
  const auto one = tuning_data(text_candidate(), Bytes(), rows, {}, {});
  const auto two = tuning_data(other, Bytes(), rows, {}, {});
  CHECK(one->sha256 != two->sha256);
  CHECK(one->sha256 == tuning_data(text_candidate(), Bytes(), rows, {}, {})->sha256);
}

TEST_CASE("a call is learnt among what constrained decoding leaves, unless all is wanted") {
  auto tools = json::parse(R"([{"type": "function", "function": {"name": "play", "parameters": {
      "type": "object", "required": ["what"], "properties": {
          "what": {"type": "string", "x-slipway-said": true}}}}}])");
  auto skills = std::make_shared<skill::SkillSet>();
  REQUIRE(skills->add(*skill::parse_tools(*tools)).ok());
  auto candidate = text_candidate();
  candidate.skills = skills;
  candidate.constrain = true;
  const auto rows = rows_of(R"x({"input": "play it again", "output": "play(what='it')"}
)x");
  TuningDataOptions options{.calls = true};
  const auto data = tuning_data(candidate, Bytes(), rows, {}, options);
  REQUIRE(data.ok());
  const auto& example = data->examples[0];
  REQUIRE(example.choices.size() == example.completion.size());
  CHECK(text_of(example.completion) == "play(what='it')$");
  CHECK(text_of(example.choices[0]) == "np");             // none(), play(
  CHECK(text_of(example.choices[1]) == "l");
  CHECK(text_of(example.choices[11]) == "aip");           // a word of the request
  CHECK(text_of(example.choices[13]) == " '");            // the run of words goes on, or ends
  options.choices = false;
  const auto whole = tuning_data(candidate, Bytes(), rows, {}, options);
  CHECK(whole->examples[0].choices.empty());
  CHECK(whole->sha256 != data->sha256);
}
