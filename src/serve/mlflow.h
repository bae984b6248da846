// MLflow's tracking REST, as its unmodified client calls it (docs/format/mlflow.md), over the
// project's store: every run of Slipway's own is there as well.
//
//     add_mlflow(server, service);    // /api/2.0/mlflow/..., /api/2.0/mlflow-artifacts/...
//
// The groups are files of their own: mlflow_experiments.cc, mlflow_runs.cc, mlflow_search.cc,
// mlflow_registry.cc, mlflow_models.cc, mlflow_artifacts.cc, mlflow_traces.cc. An answer of 200 to
// a write means that it is on disk. Errors are {"error_code", "message"} with MLflow's codes.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/service.h"
#include "store/experiments.h"

namespace slipway::serve {

// The release of MLflow whose interface this is; clients ask for it at /version.
inline constexpr std::string_view mlflow_version = "3.17.2";
inline constexpr size_t most_artifact_bytes = size_t{256} << 20;
inline constexpr size_t most_tracking_bytes = size_t{16} << 20;

void add_mlflow(http::Server& server, Service& service);

// The groups, and what they share.
void add_mlflow_experiments(http::Server& server, Service& service);
void add_mlflow_runs(http::Server& server, Service& service);
void add_mlflow_search(http::Server& server, Service& service);
void add_mlflow_registry(http::Server& server, Service& service);
void add_mlflow_models(http::Server& server, Service& service);
void add_mlflow_artifacts(http::Server& server, Service& service);
void add_mlflow_traces(http::Server& server, Service& service);

http::ServerResponse mlflow_error(const Error& error);
const Frame& mlflow_frame();

// A call: its arguments come from the body, of a GET from the query; its result is the answer.
using MlflowCall = std::function<Result<json::Value>(const json::Value& arguments)>;
void add_call(http::Server& server, Service& service, const std::string& method,
              const std::string& path, MlflowCall call);  // path "runs/create"

// The same for answers that write their own text.
using MlflowTextCall = std::function<Result<http::ServerResponse>(const json::Value& arguments)>;
void add_text_call(http::Server& server, Service& service, const std::string& method,
                   const std::string& path, MlflowTextCall call, std::string_view version = "2.0");

// Arguments. What is missing or of another kind is invalid_input, by name.
Result<std::string> text_argument(const json::Value& arguments, std::string_view key);
Result<std::string> optional_text(const json::Value& arguments, std::string_view key);  // or ""
// A number, also as a text.
Result<int64_t> integer_argument(const json::Value& arguments, std::string_view key,
                                 int64_t otherwise);
Result<int64_t> required_integer(const json::Value& arguments, std::string_view key);
std::vector<std::string> text_list(const json::Value& arguments, std::string_view key);
// [{"key": ..., "value": ...}]
Result<store::Pairs> pairs_argument(const json::Value& arguments, std::string_view key);
Result<store::Search> search_argument(const json::Value& arguments, int64_t otherwise_limit,
                                      std::string_view view_key);
json::Value pairs_json(const store::Pairs& pairs);

// Answers.
json::Value under(std::string_view key, json::Value value);  // {key: value}
Result<json::Value> done(const Status& status);              // {}
// A page's token is where the next one starts.
void set_next_page(json::Value& answer, const store::Search& search, size_t items, bool more);
template <typename Page, typename ToJson>
json::Value page_under(std::string_view key, const store::Search& search, const Page& page,
                       ToJson to_json) {
  auto list = json::Value::array();
  for (const auto& item : page.items) list.push_back(to_json(item));
  auto answer = under(key, std::move(list));
  set_next_page(answer, search, page.items.size(), page.more);
  return answer;
}

}  // namespace slipway::serve
