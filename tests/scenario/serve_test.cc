// `slipway serve` as the program that it is: started, asked, corrected, stopped.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "base/files.h"
#include "http/client.h"
#include "project.h"

using namespace slipway;
using namespace slipway::scenario;

namespace {

struct Serving {
  const Sandbox& box;
  Child child;
  json::Value started;
  http::Client client;

  Serving(const Sandbox& in, std::vector<std::string> more = {})
      : box(in), child(in.start(arguments(std::move(more)))) {
    const auto path = files::join(box.root(), "stdout.txt");
    std::string line;
    while (line.find('\n') == std::string::npos && !child.ended()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      line = files::read(path).value_or("");
    }
    INFO(files::read(files::join(box.root(), "stderr.txt")).value_or(""));
    const auto value = json::parse(line.substr(0, line.find('\n')));
    REQUIRE(value.ok());
    started = *value;
  }

  static std::vector<std::string> arguments(std::vector<std::string> more) {
    more.insert(more.begin(), {"serve", "--port", "0", "--json"});
    return more;
  }

  http::Response post(const std::string& path, const std::string& body,
                      const std::string& token = {}) {
    http::Request request{.method = "POST", .url = started.text("url") + path, .body = body};
    request.headers = {{"Content-Type", "application/json"}};
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    const auto port = request.url.rfind("//0.0.0.0");
    if (port != std::string::npos) request.url.replace(port, 9, "//127.0.0.1");
    auto response = client.send(request);
    REQUIRE(response.ok());
    return *response;
  }

  std::string said() const {
    return files::read(files::join(box.root(), "stdout.txt")).value_or("") +
           files::read(files::join(box.root(), "stderr.txt")).value_or("");
  }
};

json::Value parsed(const std::string& text) {
  auto value = json::parse(text);
  INFO(text);
  REQUIRE(value.ok());
  return *value;
}

}  // namespace

TEST_CASE("a served request acts, its correction becomes a row, SIGTERM ends it well") {
  Fixture f(says("weather.get_weather(location='boston')"), weather_service());
  Serving serving(f.box);
  const int before = f.service.count();
  const auto turn = parsed(serving.post("/v1/assistant", R"({"input": "boston"})").body);
  CHECK(turn.flag("acted"));
  CHECK(turn.text("reply") == "It is 7 degrees in boston.");
  CHECK(f.service.count() == before + 1);

  const auto noted =
      parsed(serving.post("/v1/feedback", R"({"trace_id": ")" + turn.text("trace_id") +
                                              R"j(", "correct": false, "output": "none()"})j")
                 .body);
  CHECK(noted.text("path") == f.box.path(".slipway/feedback.jsonl"));
  CHECK(contains(f.box.read(".slipway/feedback.jsonl"), R"j("output":"none()")j"));

  const auto chat = parsed(serving.post("/v1/chat/completions",
                                        R"({"model": "plain", "messages": [{"role": "user",
                                            "content": "boston"}]})").body);
  CHECK(chat.get("choices")->as_array().at(0).text("finish_reason") == "tool_calls");
  CHECK(f.service.count() == before + 1);

  serving.child.signal(SIGTERM);
  CHECK(serving.child.wait() == exits::ok);
  const auto records = f.records();
  const auto run = serving.started.text("run_id");
  CHECK(records.text("SELECT status FROM runs WHERE id = '" + run + "'") == "finished");
  CHECK(records.integer("SELECT count(DISTINCT trace_id) FROM trace_index WHERE run_id = '" + run +
                        "'") == 2);
  // The corrected row is a dataset like any other.
  f.box.replace("slipway.toml", "data/test.jsonl", ".slipway/feedback.jsonl");
  const auto evaluated = f.box.run({"eval", "--json"});
  CHECK(evaluated.exit_code == exits::ok);
  }

  TEST_CASE("for other machines there is a token, which nobody is told") {
    Fixture f(says("none()"), weather_service());
    Serving serving(f.box, {"--host", "0.0.0.0"});
    CHECK(serving.started.flag("token_required"));
    const auto path = serving.started.text("token_file");
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    const auto token = files::read(path).value_or("").substr(0, 64);
    CHECK(serving.post("/v1/assistant", R"({"input": "x"})").status == 401);
    CHECK(serving.post("/v1/assistant", R"({"input": "x"})", token).status == 200);
    serving.child.signal(SIGINT);
    CHECK(serving.child.wait() == exits::ok);
    CHECK_FALSE(contains(serving.said(), token));
  }

  TEST_CASE("a port that is taken, and a candidate that is not there") {
    Fixture f(says("none()"), weather_service());
    const auto url = f.service.url();
    const auto port = url.substr(url.rfind(':') + 1);
    check_refused(f.box.run({"serve", "--port", port}), exits::unavailable, {port, "another port"});
    check_refused(f.box.run({"serve", "--candidate", "plian"}), exits::not_found,
                  {"did you mean 'plain'?"});
    check_refused(f.box.run({"serve", "--host", "example.org"}), exits::bad_input, {"example.org"});
    f.check_sound();
  }
