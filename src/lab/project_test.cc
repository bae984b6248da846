#include "lab/project.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "lab/project_file.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

Result<Project> parse(const std::string& text) {
  std::vector<std::string> skills;
  return parse_project_file(text, skills);
}

std::string message(const std::string& text) {
  auto parsed = parse(text);
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().to_string();
}

}  // namespace

TEST_CASE("candidates keep the order in which they are written") {
  auto project = parse(R"(slipway = 1
[candidates.zebra]
model = "m"
prompt = "p.jinja"
stop = ["\n"]
[candidates.ant]
model = "m"
prompt = "p.jinja"
constrain = true
[datasets.test]
path = "data/test.jsonl"
)");
  REQUIRE(project.ok());
  REQUIRE(project->candidates.size() == 2);
  CHECK(project->candidates[0].name == "zebra");
  CHECK(project->candidates[0].decoding.stop.at(0) == "\n");
  CHECK(project->candidates[1].constrain);
  CHECK(project->datasets.at(0).split == "test");
  CHECK(project->datasets.at(0).scorer == "call");
}

TEST_CASE("a dataset's split is stated, or its name's, or its file's") {
  auto project = parse("slipway = 1\n[candidates.a]\nmodel = \"m\"\nprompt = \"p\"\n"
                       "[datasets.dev]\npath = \"rows.jsonl\"\n"
                       "[datasets.house]\npath = \"house-test.jsonl\"\n"
                       "[datasets.mine]\npath = \"test.jsonl\"\nsplit = \"train\"\n"
                       "[datasets.other]\npath = \"rows.jsonl\"\n");
  REQUIRE(project.ok());
  std::vector<std::string> splits;
  for (const auto& dataset : project->datasets) splits.push_back(dataset.split);
  CHECK(splits == std::vector<std::string>{"dev", "test", "train", ""});
}

TEST_CASE("a candidate's form of calls and their number") {
  auto project = parse("slipway = 1\n[candidates.a]\nmodel = \"m\"\nprompt = \"p\"\n"
                       "[candidates.b]\nmodel = \"m\"\nprompt = \"p\"\n"
                       "call_form = \"qwen\"\nmax_calls = 2\n");
  REQUIRE(project.ok());
  CHECK(project->candidates[0].grammar.form == skill::CallForm::python);
  CHECK(project->candidates[0].grammar.max_calls == 4);
  CHECK(project->candidates[1].grammar.form == skill::CallForm::qwen);
  CHECK(project->candidates[1].grammar.max_calls == 2);
  const std::string start = "slipway = 1\n[candidates.a]\nmodel = \"m\"\nprompt = \"p\"\n";
  CHECK(message(start + "call_form = \"qwne\"\n").find("did you mean 'qwen'") !=
        std::string::npos);
  CHECK(message(start + "max_calls = 17\n").find("between 1 and 16") != std::string::npos);
  CHECK(message(start + "tries = 65\n").find("tries must be between 1 and 64") !=
        std::string::npos);
  CHECK(message(start + "tune_epochs = 0\n").find("must be above 0") != std::string::npos);
  CHECK(message(start + "tune_copies = -1\n").find("between 0 and 1000") != std::string::npos);
  CHECK(message(start + "call_form = \"functiongemma\"\nconstrain = true\n")
            .find("does not know the call_form functiongemma") != std::string::npos);
}

TEST_CASE("errors name the line, the key and what was expected") {
  CHECK(message("slipway = 1\nname = [\n").find("line 2") != std::string::npos);
  CHECK(message("slipway = 1\nnmae = \"x\"\n").find("did you mean 'name'") != std::string::npos);
  const auto wrong = message("slipway = 1\n[candidates.a]\nmodel = 3\nprompt = \"p\"\n");
  CHECK(wrong.find("line 3: candidates.a.model must be a text") != std::string::npos);
  CHECK(message("slipway = 1\n[candidates.a]\nmodel = \"m\"\n").find("has no 'prompt'") !=
        std::string::npos);
  CHECK(message("name = \"x\"\n").find("slipway = 1") != std::string::npos);
}

TEST_CASE("a project is found from a folder inside it, and a missing one says how to start") {
  const std::string folder = "/tmp/slipway-project-test-" + std::to_string(::getpid());
  std::filesystem::remove_all(folder);
  REQUIRE(files::make_directories(folder + "/deep/er").ok());
  auto missing = load_project(folder + "/deep");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().hint().find("slipway init") != std::string::npos);
  REQUIRE(files::write_atomic(folder + "/slipway.toml", "slipway = 1\n").ok());
  auto found = load_project(folder + "/deep/er");
  REQUIRE(found.ok());
  CHECK(found->folder == folder);
  auto unknown = found->candidate("x");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code() == ErrorCode::not_found);
  std::filesystem::remove_all(folder);
}

TEST_CASE("a candidate is written as slipway.toml has it") {
  CandidateSpec spec;
  spec.name = "tuned";
  spec.model = "m";
  spec.adapters = {"adapters/tuned.gguf"};
  spec.prompt = "prompts/\"odd\".jinja";
  spec.constrain = true;
  CHECK(to_toml(spec) ==
        "[candidates.tuned]\nmodel = \"m\"\nadapters = [\"adapters/tuned.gguf\"]\nprompt = "
        "\"prompts/\\\"odd\\\".jinja\"\nconstrain = true\nmax_tokens = 96\n");
}

TEST_CASE("every setting of a candidate that is written is read again") {
  const std::string written =
      "[candidates.\"v1.2\"]\nmodel = \"m\"\nadapters = [\"a.gguf\"]\nprompt = \"p\"\n"
      "tune = \"train\"\ntune_epochs = 0.5\ntune_copies = 2\ntune_members = 3\nskills = false\n"
      "constrain = true\nmax_tokens = 48\ntemperature = 0.25\ntop_p = 0.5\ntop_k = 7\nseed = 9\n"
      "stop = [\"\\n\\n\"]\ntries = 8\nend_bias = -12.5\nmax_calls = 2\ncall_form = \"qwen\"\n"
      "list_functions = 8\nleave_out_unsaid = true\nmin_confidence = 0.5\n";
  auto project = parse("slipway = 1\n" + written);
  REQUIRE_MESSAGE(project.ok(), project.error().to_string());
  REQUIRE(project->candidates.size() == 1);
  CHECK(project->candidates[0].name == "v1.2");
  CHECK(to_toml(project->candidates[0]) == written);
}

TEST_CASE("a split is train, dev or test") {
  CHECK(message("slipway = 1\n[datasets.a]\npath = \"a.jsonl\"\nsplit = \"tset\"\n")
            .find("datasets.a.split must be train, dev or test") != std::string::npos);
}
