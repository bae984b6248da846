#include "lab/trust.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "base/files.h"
#include "base/ids.h"

using namespace slipway;
using namespace slipway::lab;

namespace {

constexpr const char* notes_file = R"({"slipway_skill": 1, "name": "notes",
  "mcp": {"command": ["python3", "notes.py"]},
  "functions": {"add": {"permission": "allow"}}})";

skill::SkillSet notes() {
  auto skill = skill::parse_skill(notes_file);
  REQUIRE(skill.ok());
  skill::SkillSet skills;
  REQUIRE(skills.add(std::move(*skill)).ok());
  return skills;
}

json::Value tools() {
  auto parsed = json::parse(R"([{"name": "add", "description": "adds a note",
    "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}},
                    "required": ["text"]}}])");
  REQUIRE(parsed.ok());
  return *parsed;
}

}  // namespace

TEST_CASE("trust: an MCP skill has functions for the project and server that was trusted only") {
  const auto folder = (std::filesystem::temp_directory_path() / ("trust" + new_run_id())).string();
  const auto path = files::join(folder, "trust.json");
  auto file = TrustFile::load(path);
  REQUIRE(file.ok());
  const auto skills = notes();
  const auto server = skills.skills()[0].mcp->identity();

  auto before = with_trusted_tools(skills, "/project", *file);
  REQUIRE(before.ok());
  CHECK(before->untrusted == std::vector<std::string>{"notes"});
  CHECK(before->skills.functions().empty());

  file->put("/project", server, tools());
  REQUIRE(file->save().ok());
  auto again = TrustFile::load(path);
  REQUIRE(again.ok());
  auto after = with_trusted_tools(skills, "/project", *again);
  REQUIRE(after.ok());
  CHECK(after->untrusted.empty());
  const auto* add = after->skills.find("notes.add");
  REQUIRE(add);
  CHECK(add->permission == skill::Permission::allow);
  CHECK(add->tool_signature.size() == 64);

  auto elsewhere = with_trusted_tools(skills, "/another", *again);
  REQUIRE(elsewhere.ok());
  CHECK(elsewhere->untrusted.size() == 1);
  auto other = skill::parse_skill(R"({"slipway_skill": 1, "name": "notes",
    "mcp": {"command": ["python3", "notes.py", "--more"]}})");
  REQUIRE(other.ok());
  CHECK(again->tools("/project", other->mcp->identity()) == nullptr);
  CHECK(files::remove_all(folder).ok());
}

TEST_CASE("trust: a file of another kind is refused, not overwritten") {
  const auto folder = (std::filesystem::temp_directory_path() / ("trust" + new_run_id())).string();
  const auto path = files::join(folder, "trust.json");
  REQUIRE(files::write_atomic(path, "{\"slipway_trust\": 2}").ok());
  CHECK_FALSE(TrustFile::load(path).ok());
  REQUIRE(files::write_atomic(path, "{").ok());
  CHECK_FALSE(TrustFile::load(path).ok());
  CHECK(files::remove_all(folder).ok());
}
