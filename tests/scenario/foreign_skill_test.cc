// Skills that others describe: an OpenAPI document beside its skill file, and an MCP server that
// starts only when the user has said so.
#include <doctest/doctest.h>

#include <filesystem>

#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

constexpr const char* pets_document = R"(openapi: 3.1.0
info: {title: Pets, version: "1"}
servers: [{url: https://pets.example.com/v1}]
security: [{api_key: []}]
paths:
  /pets/{id}:
    get:
      operationId: getPet
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
  /pets:
    post:
      operationId: addPet
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [name], properties: {name: {type: string}}}
components:
  securitySchemes:
    api_key: {type: apiKey, in: query, name: key}
)";

void write_pets(const Fixture& f) {
  f.box.write("skills/pets.yaml", pets_document);
  f.box.write("skills/pets.json",
              R"({"slipway_skill": 1, "name": "pets", "openapi": "pets.yaml", "base_url": ")" +
                  f.service.url() +
                  R"(", "functions": {"getPet": {"reply": "It is {{ result.name }}."}}})");
}

Peer::Script pet_service() {
  return [](const http::ServerRequest&, int) { return json_answer(200, R"({"name": "Rex"})"); };
}

// Answers everything with what it was asked for; leaves a file when it starts.
constexpr const char* notes_server = R"py(
import json, os, sys
open("started", "w").close()
says = "searches" if not os.path.exists("changed") else "searches, and more"
for line in sys.stdin:
    m = json.loads(line)
    if "id" not in m: continue
    if m["method"] == "initialize":
        r = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}
    elif m["method"] == "tools/list":
        r = {"tools": [{"name": name, "description": says, "inputSchema": {"type": "object",
             "properties": {"text": {"type": "string"}}, "required": ["text"]}} for name in ("search", "add")]}
    else:
        r = {"content": [{"type": "text", "text": m["params"]["name"] + " " + m["params"]["arguments"]["text"]}]}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": r}), flush=True)
)py";

void write_notes(const Fixture& f) {
  f.box.write("server.py", notes_server);
  f.box.write("skills/notes.json", R"({"slipway_skill": 1, "name": "notes",
    "mcp": {"command": ["python3", "server.py"], "timeout_ms": 120000},
    "functions": {"search": {"permission": "allow"}}})");
}

bool started(const Fixture& f) { return std::filesystem::exists(f.box.path("started")); }

}  // namespace

TEST_CASE("an OpenAPI document is a skill: asked, called, confirmed, with its key") {
  Fixture f(says("pets.getPet(id=7)"), pet_service());
  write_pets(f);
  const auto listed = f.box.run({"skills"});
  CHECK(listed.exit_code == exits::ok);
  CHECK(contains(listed.out, "pets.addPet(name)"));
  const auto keyless = f.box.run({"call", "pets.getPet(id=7)"});
  CHECK(keyless.exit_code == exits::not_permitted);
  CHECK(contains(keyless.err, "${API_KEY}"));
  CHECK(contains(keyless.err, f.service.url()));
  CHECK(f.service.count() == 0);

  f.box.set_env("PET_KEY", "s3cret");
  f.box.write_user_config("[secrets.\"" + f.service.url() + "\"]\nAPI_KEY = \"PET_KEY\"\n");
  const auto asked = f.box.run({"ask", "which pet is number seven"});
  CHECK(asked.exit_code == exits::ok);
  CHECK(contains(asked.out, "It is Rex."));
  REQUIRE(f.service.count() == 1);
  CHECK(f.service.requests()[0].path == "/v1/pets/7");
  CHECK(f.service.requests()[0].query.at("key") == "s3cret");

  const auto dry = f.box.run({"call", "--dry-run", "pets.getPet(7)"});
  CHECK(dry.exit_code == exits::ok);
  CHECK(contains(dry.out, "/v1/pets/7?key=***"));
  const auto unsure = f.box.run({"call", "pets.addPet(name='Rex')"});
  CHECK(unsure.exit_code == exits::not_permitted);
  CHECK(contains(unsure.err, "needs confirmation"));
  CHECK(f.service.count() == 1);
  const auto sure = f.box.run({"call", "--yes", "--json", "pets.addPet(name='Rex')"});
  CHECK(sure.exit_code == exits::ok);
  CHECK(sure.parsed().flag("acted"));
  REQUIRE(f.service.count() == 2);
  CHECK(f.service.requests()[1].body == R"({"name":"Rex"})");
  CHECK(f.records().integer("SELECT count(*) FROM runs WHERE kind = 'call'") == 4);
}

TEST_CASE("a broken OpenAPI document is named with its line or path") {
  Fixture f(says("none()"), pet_service());
  write_pets(f);
  f.box.replace("skills/pets.yaml", "paths:", "paths: [");
  check_refused(f.box.run({"skills"}), exits::bad_input, {"pets.yaml", "line 6"});
  write_pets(f);
  f.box.replace("skills/pets.json", "\"getPet\"", "\"getPat\"");
  check_refused(f.box.run({"skills"}), exits::bad_input, {"pets.json", "did you mean 'getPet'?"});
  check_refused(f.box.run({"call", "pets.getPet("}), exits::bad_input, {"pets.json"});
}

TEST_CASE("an MCP server starts only when it is trusted, and is trusted as it was") {
  Fixture f(says("notes.search(text='milk')"), weather_service());
  write_notes(f);
  CHECK(f.box.run({"skills"}).exit_code == exits::ok);
  for (const auto& words : std::initializer_list<std::vector<std::string>>{
           {"ask", "find milk"}, {"call", "notes.search(text='milk')"}, {"eval"}}) {
    check_refused(f.box.run(words), exits::not_permitted, {"notes", "skills --trust"});
  }
  CHECK_FALSE(started(f));

  const auto trusted = f.box.run({"skills", "--trust"});
  CHECK(trusted.exit_code == exits::ok);
  CHECK(contains(trusted.out, "trusted notes: python3 server.py"));
  CHECK(contains(trusted.out, "new: add, search"));
  CHECK(started(f));
  const auto asked = f.box.run({"ask", "find milk"});
  CHECK(asked.exit_code == exits::ok);
  CHECK(contains(asked.out, "search milk"));
  CHECK(f.box.run({"call", "notes.add(text='x')"}).exit_code == exits::not_permitted);

  f.box.write("changed", "");
  const auto changed = f.box.run({"call", "notes.search(text='milk')"});
  CHECK(changed.exit_code == exits::not_permitted);
  CHECK(contains(changed.err, "otherwise than when it was trusted"));
  const auto again = f.box.run({"skills", "--trust"});
  CHECK(contains(again.out, "changed: add, search"));
  CHECK(f.box.run({"call", "notes.search(text='milk')"}).exit_code == exits::ok);

  f.box.replace("skills/notes.json", "\"server.py\"", "\"server.py\", \"--other\"");
  check_refused(f.box.run({"call", "notes.search(text='milk')"}), exits::not_permitted,
                {"skills --trust"});
}
