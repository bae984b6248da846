#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/files.h"
#include "base/ids.h"
#include "http/server.h"
#include "http/sse.h"
#include "skill/dispatch.h"
#include "skill/mcp_client.h"
#include "skill/mcp_tools.h"
#include "skill/mcp_wire.h"
#include "skill/redact.h"
#include "skill/test_skills.h"
#include "skill/transport.h"

namespace slipway::skill {
namespace {

// A small MCP server over standard input and output; argv[1] chooses how it misbehaves.
constexpr const char* server_program = R"py(
import json, os, sys, time
mode = sys.argv[1]
def say(m): print(json.dumps(m), flush=True)
def tool(name, **more):
    return {"name": name, "description": mode if mode == "renamed" else "a tool", "inputSchema":
            {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"$ref": "#/$defs/N"}},
             "required": ["a"], "$defs": {"N": {"type": "integer"}}}, **more}
for line in sys.stdin:
    m = json.loads(line)
    if "method" not in m or "id" not in m:
        if os.environ.get("MCP_LOG"): open(os.environ["MCP_LOG"], "a").write(line)
        continue
    params, reply = m.get("params", {}), {"jsonrpc": "2.0", "id": m["id"]}
    if m["method"] == "initialize":
        if mode == "dies": sys.exit("no licence")
        if mode == "tells": sys.exit(os.environ["A_TEST_TOKEN"] + " not for " + os.environ["A_TEST_USER"])
        if mode == "noisy": print("starting up...", flush=True)
        version = "1999-01-01" if mode == "old" else params["protocolVersion"]
        say({**reply, "result": {"protocolVersion": version, "capabilities": {"tools": {}},
             "serverInfo": {"name": "t", "version": "1"}}})
    elif m["method"] == "tools/list":
        if mode == "late": time.sleep(1)
        if "cursor" not in params: page = {"tools": [tool("add")], "nextCursor": "2"}
        else: page = {"tools": [tool("env"), tool("a/slow")]}
        if mode == "endless": page["nextCursor"] = "2"
        say({**reply, "result": page})
    elif m["method"] == "tools/call":
        name, args = params["name"], params["arguments"]
        if mode == "asks":
            say({"jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage", "params": {}})
            say({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x"}})
        if mode == "late": time.sleep(1)
        if mode == "large": print("x" * 2000000, flush=True)
        if name == "a/slow": time.sleep(60)
        if name == "env":
            text = json.dumps(sorted(os.environ))
        elif args["a"] < 0:
            say({**reply, "result": {"isError": True, "content": [{"type": "text", "text": "no\nnegatives"}]}})
            continue
        else: text = str(args["a"] + args.get("b", 0))
        say({**reply, "result": {"content": [{"type": "text", "text": text}]}})
    else: say({**reply, "error": {"code": -32601, "message": "unknown"}})
)py";

struct Folder {
  std::string path = (std::filesystem::temp_directory_path() / ("mcp" + new_run_id())).string();
  Folder() { REQUIRE(files::write_atomic(files::join(path, "server.py"), server_program).ok()); }
  ~Folder() { CHECK(files::remove_all(path).ok()); }
};

McpServer program(const std::string& mode) {
  McpServer server;
  server.command = {"python3", "server.py", mode};
  server.timeout_ms = 120'000;
  return server;
}

Skill skill_of(McpServer server, const json::Value& tools, Permission permission) {
  Skill skill;
  skill.name = "t";
  skill.mcp = std::move(server);
  skill.selection = json::Value::object();
  REQUIRE(add_mcp_tools(tools, skill).ok());
  for (auto& function : skill.functions) function.permission = permission;
  return skill;
}

SkillSet set_of(Skill skill) {
  SkillSet skills;
  REQUIRE(skills.add(std::move(skill)).ok());
  return skills;
}

Result<Outcome> dispatch(Dispatcher& dispatcher, const SkillSet& skills, const std::string& text) {
  auto calls = parse_calls(text);
  REQUIRE(calls.ok());
  return dispatcher.dispatch(calls->at(0), skills, Tracer(), nullptr);
}

DispatchOptions trusting(const McpServer& server, const Folder& folder) {
  DispatchOptions options;
  options.trusted_servers = {server.identity()};
  options.working_directory = folder.path;
  return options;
}

}  // namespace

TEST_CASE("mcp stdio: tools of all pages are listed and called") {
  const Folder folder;
  const auto server = program("noisy");
  McpClient client(server, {{}, folder.path, {}});
  auto tools = client.tools();
  REQUIRE_MESSAGE(tools.ok(), tools.error().to_string());
  REQUIRE(tools->size() == 3);
  const auto skills = set_of(skill_of(server, *tools, Permission::allow));
  REQUIRE(skills.find("t.a_slow"));
  CHECK(skills.find("t.a_slow")->tool == "a/slow");
  CHECK(skills.find("t.add")->find("b")->schema.text("type") == "integer");

  Dispatcher dispatcher(trusting(server, folder));
  auto sum = dispatch(dispatcher, skills, "t.add(a=2, b=3)");
  REQUIRE_MESSAGE(sum.ok(), sum.error().to_string());
  CHECK(sum->acted);
  CHECK(sum->result == json::Value("5"));
  CHECK(sum->url == "mcp:t/add");
  CHECK_FALSE(dispatch(dispatcher, skills, "t.add(a='x')").ok());
  auto failed = dispatch(dispatcher, skills, "t.add(a=-1)");
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().message() == "t.add: the tool failed: no negatives");
  auto parsed = parse_calls("t.add(a=2)");
  REQUIRE(parsed.ok());
  CHECK(dispatcher.preview(parsed->at(0), skills).value_or("") == "mcp:t/add {\"a\":2}");
}

TEST_CASE("mcp stdio: a program that is not trusted is not started") {
  const Folder folder;
  auto server = program("fine");
  server.command = {"touch", "started"};
  const auto skills = set_of(skill_of(server, json::Value::array(), Permission::allow));
  auto tools = json::parse(R"([{"name": "x", "inputSchema": {"type": "object"}}])");
  const auto with = set_of(skill_of(server, *tools, Permission::allow));
  DispatchOptions options;
  options.working_directory = folder.path;
  options.confirm = [](const Call&, const Function&) { return true; };
  Dispatcher dispatcher(options);
  auto outcome = dispatch(dispatcher, with, "t.x()");
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().code() == ErrorCode::permission_denied);
  CHECK_FALSE(files::exists(files::join(folder.path, "started")));
}

TEST_CASE("mcp: a tool that changed since it was trusted asks again") {
  const Folder folder;
  McpClient before(program("fine"), {{}, folder.path, {}});
  auto tools = before.tools();
  REQUIRE(tools.ok());
  const auto server = program("renamed");
  const auto skills = set_of(skill_of(server, *tools, Permission::allow));
  Dispatcher strict(trusting(server, folder));
  auto refused = dispatch(strict, skills, "t.add(a=1)");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code() == ErrorCode::permission_denied);
  CHECK(refused.error().message().find("otherwise than when it was trusted") != std::string::npos);
  auto options = trusting(server, folder);
  int asked = 0;
  options.confirm = [&](const Call&, const Function&) { return ++asked > 0; };
  Dispatcher asking(options);
  CHECK(dispatch(asking, skills, "t.add(a=1)").ok());
  CHECK(asked == 1);
}

TEST_CASE("mcp stdio: only the environment that the file names is handed on") {
  const Folder folder;
  ::setenv("SLIPWAY_TEST_KEY", "secret", 1);
  ::setenv("SLIPWAY_TEST_PASSED", "x", 1);
  auto server = program("fine");
  server.env = {{"SLIPWAY_TEST_SET", "1"}};
  server.pass_env = {"SLIPWAY_TEST_PASSED"};
  McpClient client(server, {{}, folder.path, {}});
  auto result = client.call("env", json::Value::object());
  REQUIRE(result.ok());
  const auto names = mcp_result_value(*result).dump();
  CHECK(names.find("SLIPWAY_TEST_KEY") == std::string::npos);
  CHECK(names.find("SLIPWAY_TEST_PASSED") != std::string::npos);
  CHECK(names.find("SLIPWAY_TEST_SET") != std::string::npos);
  CHECK(names.find("PATH") != std::string::npos);
}

TEST_CASE("mcp stdio: failures are told in words, with what the program said") {
  const Folder folder;
  const auto tools_of = [&](const std::string& mode) {
    return McpClient(program(mode), {{}, folder.path, {}}).tools();
  };
  auto dies = tools_of("dies");
  REQUIRE_FALSE(dies.ok());
  CHECK(dies.error().hint().find("no licence") != std::string::npos);
  CHECK(tools_of("old").error().code() == ErrorCode::unsupported);
  CHECK(tools_of("endless").error().message().find("never ends") != std::string::npos);
  McpClient large(program("large"), {{}, folder.path, {}});
  auto arguments = json::Value::object();
  arguments.set("a", 1);
  CHECK(large.call("add", arguments).error().code() == ErrorCode::exhausted);
  McpClient asks(program("asks"), {{}, folder.path, {}});
  CHECK(asks.call("add", arguments).ok());
}

TEST_CASE("mcp stdio: a secret that a program was given is masked when it says it") {
  const Folder folder;
  ::setenv("A_TEST_TOKEN", "hush-4711-hush", 1);
  ::setenv("A_TEST_USER", "daughter", 1);
  ::setenv("A_TEST_PASSWORD", "{short\nhush-4711\n", 1);
  auto server = program("tells");
  server.pass_env = {"A_TEST_TOKEN", "A_TEST_USER", "A_TEST_UNSET", "A_TEST_PASSWORD"};
  const auto secrets = secrets_of(server, {});
  CHECK(values_of(secrets) == std::vector<std::string>{"hush-4711-hush", "hush-4711"});
  const auto tools = McpClient(server, {secrets, folder.path, {}}).tools();
  REQUIRE_FALSE(tools.ok());
  CHECK(tools.error().hint().find("*** not for daughter") != std::string::npos);
}

TEST_CASE("mcp stdio: a call that is given up is cancelled at the server") {
  const Folder folder;
  auto server = program("fine");
  server.timeout_ms = 3000;
  CancelSource source;
  McpClient client(server, {{}, folder.path, source.token()});
  auto arguments = json::Value::object();
  arguments.set("a", 1);
  CHECK(client.call("a/slow", arguments).error().code() == ErrorCode::timeout);
  source.cancel();
  CHECK(client.call("add", arguments).error().code() == ErrorCode::cancelled);
}

TEST_CASE("mcp stdio: one time limit holds for all that a call takes") {
  const Folder folder;
  auto server = program("late");
  McpClient before(server, {{}, folder.path, {}});
  auto tools = before.tools();
  REQUIRE(tools.ok());
  server.timeout_ms = 2500;  // two pages of tools and the call take three seconds
  const auto skills = set_of(skill_of(server, *tools, Permission::allow));
  Dispatcher dispatcher(trusting(server, folder));
  auto outcome = dispatch(dispatcher, skills, "t.add(a=1)");
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().code() == ErrorCode::timeout);
}

TEST_CASE("mcp stdio: who waits for another's call keeps to his own time and may give up") {
  const Folder folder;
  McpClient client(program("fine"), {{}, folder.path, {}});
  REQUIRE(client.tools().ok());
  auto arguments = json::Value::object();
  arguments.set("a", 1);
  CancelSource stop, impatient;
  auto slow = std::async(std::launch::async, [&] {
    return client.call("a/slow", arguments, {0, stop.token()});
  });
  std::string said;
  for (int i = 0; i < 100 && said != "the MCP server is busy with other calls"; ++i) {
    const auto waited = client.call("add", arguments, {steady_ms() + 200, {}});
    said = waited.ok() ? "" : waited.error().message();
  }
  CHECK(said == "the MCP server is busy with other calls");
  impatient.cancel();
  CHECK(client.call("add", arguments, {0, impatient.token()}).error().code() ==
        ErrorCode::cancelled);
  stop.cancel();
  CHECK(slow.get().error().code() == ErrorCode::cancelled);
}

namespace {

// Streamable HTTP, with a session that can be forgotten.
struct HttpServer {
  http::Server server{http::ServerOptions{}};
  std::atomic<int> sessions = 0, calls = 0, replies = 0, deletes = 0;
  std::atomic<bool> forget = false;
  std::mutex mutex;
  std::set<std::string> versions;
  std::string token;
  int port = 0;

  HttpServer() {
    server.route("POST", "/mcp", [this](const http::ServerRequest& r) { return post(r); });
    server.route("DELETE", "/mcp", [this](const http::ServerRequest&) {
      ++deletes;
      return http::ServerResponse{204, {}, "", {}};
    });
    auto bound = server.start();
    REQUIRE(bound.ok());
    port = *bound;
  }

  http::ServerResponse post(const http::ServerRequest& r) {
    auto message = parse_rpc(r.body);
    if (!message.ok()) return http::ServerResponse::text(400, "bad");
    if (const auto* given = http::find_header(r.headers, "Authorization")) {
      const std::lock_guard lock(mutex);
      token = *given;
    }
    if (message->method == "initialize") {
      auto response =
          http::ServerResponse::json(200, R"({"jsonrpc": "2.0", "id": )" + message->id->dump() +
                                              R"(, "result": {"protocolVersion": "2025-03-26"}})");
      response.headers.emplace_back("Mcp-Session-Id", "s" + std::to_string(++sessions));
      return response;
    }
    const auto* session = http::find_header(r.headers, "Mcp-Session-Id");
    if (!session) return http::ServerResponse::text(400, "no session");
    if (forget.exchange(false)) return http::ServerResponse::text(404, "who are you");
    if (const auto* version = http::find_header(r.headers, "MCP-Protocol-Version")) {
      const std::lock_guard lock(mutex);
      versions.insert(*version);
    }
    if (message->is_response()) ++replies;
    if (!message->id || message->is_response()) return http::ServerResponse{202, {}, "", {}};
    return answer(*message);
  }

  // A ping and a notification, then the answer, as events; nothing after that ends the stream.
  http::ServerResponse answer(const RpcMessage& message) {
    auto reply = json::Value::object();
    reply.set("jsonrpc", "2.0").set("id", *message.id);
    if (message.method == "tools/list") {
      reply.set("result", *json::parse(R"({"tools": [{"name": "echo", "inputSchema": {"type":
        "object", "properties": {"text": {"type": "string"}}}}]})"));
    } else {
      ++calls;
      auto result = json::Value::object();
      auto content = json::Value::object();
      content.set("said", message.params.get("arguments")->text("text") + " key s3cret");
      reply.set("result", result.set("structuredContent", std::move(content)));
    }
    http::ServerResponse response;
    response.headers = {{"Content-Type", "text/event-stream"}};
    std::vector<std::string> events{R"({"jsonrpc": "2.0", "id": "p1", "method": "ping"})",
                                    R"({"jsonrpc": "2.0", "method": "notifications/progress"})",
                                    reply.dump()};
    response.next = [events, at = size_t{0}]() mutable -> std::optional<std::string> {
      if (at == events.size()) return std::nullopt;
      return http::format_sse({.event = "message", .data = events[at++], .id = ""});
    };
    return response;
  }

  McpServer described() const {
    McpServer out;
    out.url = "http://127.0.0.1:" + std::to_string(port) + "/mcp";
    out.headers = {{"Authorization", "Bearer ${TOKEN}"}};
    return out;
  }
};

}  // namespace

TEST_CASE("mcp http: events, pings, sessions and secrets") {
  HttpServer peer;
  const auto server = peer.described();
  DispatchOptions options;
  options.secrets["http://127.0.0.1:" + std::to_string(peer.port)] = {{"TOKEN", "s3cret"}};
  {
    McpClient client(server, {secrets_of(server, options.secrets), "", {}});
    auto tools = client.tools();
    REQUIRE_MESSAGE(tools.ok(), tools.error().to_string());
    const auto skills = set_of(skill_of(server, *tools, Permission::allow));
    Dispatcher dispatcher(options);
    auto said = dispatch(dispatcher, skills, "t.echo(text='hi')");
    REQUIRE_MESSAGE(said.ok(), said.error().to_string());
    CHECK(said->result.text("said") == "hi key ***");
    peer.forget = true;
    CHECK(dispatch(dispatcher, skills, "t.echo(text='again')").ok());
    CHECK(peer.calls == 2);
    CHECK(peer.sessions == 3);
    CHECK(peer.replies >= 3);
  }
  CHECK(peer.deletes == 2);
  CHECK(peer.token == "Bearer s3cret");
  CHECK(peer.versions == std::set<std::string>{"2025-03-26"});
  McpClient unbound(server, {});
  CHECK(unbound.tools().error().code() == ErrorCode::permission_denied);
}

TEST_CASE("mcp: skill files say what a server may be") {
  const auto parse = [](const std::string& mcp) {
    return parse_skill(R"({"slipway_skill": 1, "name": "m", "mcp": )" + mcp + "}");
  };
  CHECK(parse(R"({"command": ["x"]})").ok());
  CHECK(parse(R"({"url": "https://example.com/mcp"})").ok());
  CHECK_FALSE(parse(R"({})").ok());
  CHECK_FALSE(parse(R"({"command": []})").ok());
  CHECK_FALSE(parse(R"({"command": ["x"], "url": "https://example.com"})").ok());
  CHECK_FALSE(parse(R"({"url": "ftp://example.com"})").ok());
  CHECK_FALSE(parse(R"({"url": "https://x/{y}"})").ok());
  CHECK_FALSE(parse(R"({"url": "https://x", "headers": {"Host": "y"}})").ok());
  CHECK_FALSE(parse(R"({"comand": ["x"]})").ok());
  auto tools = json::parse(R"([{"name": "ok", "inputSchema": {"type": "object"}},
    {"name": "bad", "inputSchema": {"type": "object", "properties": {"a.b": {}}}}])");
  const auto skill = skill_of(program("x"), *tools, Permission::confirm);
  CHECK(skill.functions.size() == 1);
  REQUIRE(skill.notes.size() == 1);
  CHECK(skill.notes[0].find("'a.b'") != std::string::npos);
  auto again = parse_skill(skill_to_json(skill).dump());
  REQUIRE_MESSAGE(again.ok(), again.error().to_string());
  CHECK(skill_to_json(*again) == skill_to_json(skill));
  CHECK(again->mcp->identity() == skill.mcp->identity());
}

TEST_CASE("mcp: mutated messages and tools are read or refused, never worse") {
  std::mt19937_64 random(7);
  const std::string seeds[] = {
      R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{}"}],
        "isError":false}})",
      R"({"jsonrpc":"2.0","id":"a","error":{"code":-32602,"message":"no"}})",
      R"([{"name":"x","description":"d","inputSchema":{"type":"object","properties":
        {"a":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}},"required":["a"]}}])"};
  for (int i = 0; i < testing::mutations(3000); ++i) {
    auto text = seeds[static_cast<size_t>(i) % 3];
    for (int edits = 1 + static_cast<int>(random() % 3); edits > 0 && !text.empty(); --edits) {
      const auto at = random() % text.size();
      if (random() % 2)
        text.erase(at, 1 + random() % 8);
      else
        text.insert(at, text.substr(random() % text.size(), random() % 20));
    }
    INFO("mutation ", i);
    auto message = parse_rpc(text);
    if (message.ok() && message->result) (void)mcp_result_value(*message->result);
    if (message.ok()) (void)rpc_result(*message);
    auto value = json::parse(text);
    if (!value.ok()) continue;
    Skill skill;
    skill.name = "m";
    skill.mcp = program("x");
    skill.selection = json::Value::object();
    auto added = add_mcp_tools(*value, skill);
    if (added.ok())
      CHECK(parse_skill(skill_to_json(skill).dump()).ok());
    else
      CHECK_FALSE(added.error().message().empty());
  }
}

}  // namespace slipway::skill
