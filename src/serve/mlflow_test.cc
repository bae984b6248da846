#include "serve/mlflow.h"

#include "serve/fixture_test.h"
#include "store/tracking.h"

namespace slipway::serve {
namespace {

// The server as a tracking server: no candidate, no model.
struct Tracked : Fixture {
  Tracked()
      : Fixture([](ServerSettings& tracking) {
          tracking.candidates.clear();
          tracking.lazy = true;
          tracking.open = [](const std::string&) -> Result<lab::Ready> {
            return Error::internal("no model is to be opened");
          };
        }) {}
  Answer call(const std::string& path, const std::string& body) {
    return post("/api/2.0/mlflow/" + path, body);
  }
  Answer ask(const std::string& path) { return get("/api/2.0/mlflow/" + path); }
  std::string run() {
    return call("runs/create", R"({"experiment_id": "0", "run_name": "r", "start_time": 1})")
        .json()
        .get("run")
        ->get("info")
        ->text("run_id");
  }
};

std::string error_of(const Answer& answer) { return answer.json().text("error_code"); }

TEST_CASE("mlflow: without a model the server tracks, and says that nothing is served") {
  Tracked f;
  CHECK(f.get("/version").body == mlflow_version);
  CHECK(f.get("/health").body == "OK");
  CHECK(f.chat("", "hello").status == 404);
  CHECK(f.run().size() == 32);
}

TEST_CASE("mlflow: a run of ours and a client's are found by one search") {
  Tracked f;
  const auto id = f.run();
  auto inputs = json::Value::object();
  inputs.set("candidate_name", "tuned");
  REQUIRE(
      f.store
          ->create_run({.experiment = "Default", .kind = "eval", .name = "own", .inputs = inputs})
          .ok());
  const auto found = f.call("runs/search", R"({"experiment_ids": ["0"], "max_results": 1})").json();
  CHECK(found.get("runs")->size() == 1);
  CHECK(found.text("next_page_token") == "1");
  const auto next =
      f.call("runs/search", R"({"experiment_ids": ["0"], "max_results": 1, "page_token": "1"})")
          .json();
  CHECK(next.get("next_page_token") == nullptr);
  CHECK(next.get("runs")->as_array()[0].get("info")->text("run_id") == id);
  const auto own = f.call("runs/search", R"({"experiment_ids": ["0"],
      "filter": "tags.`slipway.candidate_name` = 'tuned'"})");
  CHECK(own.json().get("runs")->as_array()[0].get("info")->text("run_name") == "own");
}

TEST_CASE("mlflow: NaN and infinities are texts, and come back") {
  Tracked f;
  const auto id = f.run();
  for (const char* value : {"\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "1e-300", "7"}) {
    CHECK(f.call("runs/log-metric", R"({"run_id": ")" + id + R"(", "key": "m", "value": )" + value +
                                        R"(, "timestamp": 1, "step": 0})")
              .status == 200);
  }
  const auto points =
      f.ask("metrics/get-history?metric_key=m&run_id=" + id).json().get("metrics")->as_array();
  CHECK(points.size() == 5);
  CHECK(f.call("runs/log-metric", R"({"run_id": ")" + id + R"(", "key": "m", "value": "x",
      "timestamp": 1})")
            .status == 400);
}

TEST_CASE("mlflow: points of several runs are thinned to the steps asked for") {
  Tracked f;
  const auto id = f.run();
  std::vector<store::Metric> metrics;
  for (int i = 0; i < 1000; ++i) metrics.push_back({"m", i * 1.0, i, 5});
  REQUIRE(f.store->log_metrics(id, metrics).ok());
  const auto thin =
      f.ask("metrics/get-history-bulk-interval?metric_key=m&max_results=10&run_ids=" + id +
            "&run_ids=" + std::string(32, 'a'))
          .json();
  const auto& points = thin.get("metrics")->as_array();
  CHECK(points.size() >= 10);
  CHECK(points.size() <= 12);
  CHECK(points.back().number("step") == 999);
  CHECK(points[0].text("run_id") == id);
  CHECK(f.ask("metrics/get-history-bulk-interval?metric_key=m").status == 400);
}

TEST_CASE("mlflow: errors have MLflow's codes, and bad input is never a 500") {
  Tracked f;
  const auto id = f.run();
  CHECK(error_of(f.ask("runs/get?run_id=" + std::string(32, 'a'))) == "RESOURCE_DOES_NOT_EXIST");
  CHECK(error_of(f.ask("runs/get")) == "INVALID_PARAMETER_VALUE");
  CHECK(error_of(f.call("runs/create", "[]")) == "INVALID_PARAMETER_VALUE");
  CHECK(error_of(f.call("runs/log-batch", R"({"run_id": ")" + id + R"(", "metrics": {}})")) ==
        "INVALID_PARAMETER_VALUE");
  CHECK(error_of(f.call("runs/search", R"({"experiment_ids": ["x"]})")) ==
        "INVALID_PARAMETER_VALUE");
  CHECK(error_of(f.call("runs/update", R"({"run_id": ")" + id + R"(", "status": "GONE"})")) ==
        "INVALID_PARAMETER_VALUE");
  const auto form = f.send({.method = "POST",
                            .url = "/api/2.0/mlflow/runs/create",
                            .headers = {{"Content-Type", "text/plain"}},
                            .body = "{}"});
  CHECK(form.status == 415);
  for (const char* call : {"runs/log-parameter", "runs/set-tag"}) {
    CHECK(error_of(f.call(call, R"({"run_id": ")" + id + R"(", "key": "lr", "value": 0.1})")) ==
          "INVALID_PARAMETER_VALUE");
  }
  std::string many = R"({"run_id": ")" + id + R"(", "tags": [)";
  for (int i = 0; i < 101; ++i)
    many += R"({"key": "k)" + std::to_string(i) + R"(", "value": "v"},)";
  many.back() = ']';
  CHECK(error_of(f.call("runs/log-batch", many + "}")) == "INVALID_PARAMETER_VALUE");
}

TEST_CASE("mlflow: files come back as they were, to keep and not to show") {
  Tracked f;
  const std::string bytes("\0<script>", 9);
  const std::string url = "/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts/sub/a%20b.html";
  const auto put = f.send(
      {.method = "PUT", .url = url, .headers = {{"Content-Type", "text/html"}}, .body = bytes});
  CHECK(put.status == 200);
  const auto got = f.get(url);
  CHECK(got.body == bytes);
  CHECK(*http::find_header(got.headers, "Content-Type") == "application/octet-stream");
  CHECK(*http::find_header(got.headers, "Content-Disposition") == "attachment");
  CHECK(*http::find_header(got.headers, "X-Content-Type-Options") == "nosniff");
  const auto list = f.get("/api/2.0/mlflow-artifacts/artifacts?path=1/r/artifacts").json();
  CHECK(list.get("files")->as_array()[0].text("path") == "sub");
  CHECK(f.get("/api/2.0/mlflow-artifacts/artifacts/nothing").status == 404);
  CHECK(f.send({.method = "PUT",
                .url = "/api/2.0/mlflow-artifacts/artifacts/1/%2e%2e/x",
                .headers = {},
                .body = "x"})
            .status == 400);
}

TEST_CASE("mlflow: what a client says of a trace is kept") {
  Tracked f;
  const std::string body = R"({"trace": {"trace_info": {"trace_id": "tr-1", "state": "OK",
      "trace_location": {"type": "MLFLOW_EXPERIMENT",
                         "mlflow_experiment": {"experiment_id": "0"}}}}})";
  CHECK(f.post("/api/3.0/mlflow/traces", body).status == 200);
  const auto back = f.get("/api/3.0/mlflow/traces/tr-1").json();
  CHECK(back.get("trace")->get("trace_info")->text("state") == "OK");
  CHECK(f.get("/api/3.0/mlflow/traces/tr-2").status == 404);
  CHECK(error_of(f.post("/api/3.0/mlflow/traces", "{}")) == "INVALID_PARAMETER_VALUE");
}

TEST_CASE("mlflow: a body above the chat's limit is taken where files and batches go") {
  Tracked f;
  const std::string large(3 << 20, 'x');
  CHECK(f.send({.method = "PUT",
                .url = "/api/2.0/mlflow-artifacts/artifacts/1/large",
                .headers = {},
                .body = large})
            .status == 200);
  CHECK(f.post("/v1/chat/completions", "\"" + large + "\"").status == 413);
}

TEST_CASE("mlflow: with a token nobody reads or writes without it") {
  Tracked f;
  f.server->drain().ok();
  f.settings.token = "0123456789abcdef";
  f.start();
  CHECK(f.ask("experiments/get?experiment_id=0").status == 401);
  f.headers.emplace_back("Authorization", "Bearer 0123456789abcdef");
  CHECK(f.ask("experiments/get?experiment_id=0").status == 200);
  f.headers.emplace_back("Origin", "http://evil.example");
  CHECK(f.ask("experiments/get?experiment_id=0").status == 403);
}

}  // namespace
}  // namespace slipway::serve
