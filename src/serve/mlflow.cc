#include "serve/mlflow.h"

#include <charconv>

namespace slipway::serve {
namespace {

struct MlflowCode {
  int status;
  std::string_view name;
};

// MLflow's own mapping, which differs from ours where its clients would otherwise repeat a mistake.
MlflowCode code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
    case ErrorCode::unsupported:
      return {400, "INVALID_PARAMETER_VALUE"};
    case ErrorCode::already_exists:
      return {400, "RESOURCE_ALREADY_EXISTS"};
    case ErrorCode::exhausted:
      return {413, "REQUEST_LIMIT_EXCEEDED"};
    default:
      return {http_status(code), mlflow_error_code(code)};
  }
}

http::ServerResponse refuse(int status, std::string_view code, const Error& error) {
  auto body = json::Value::object();
  body.set("error_code", code).set("message", error.to_string());
  return http::ServerResponse::json(status, body.dump());
}

json::Value query_arguments(const http::ServerRequest& request) {
  auto arguments = json::Value::object();
  for (const auto& [key, value] : request.query_pairs) {
    auto* before = arguments.get(key);
    if (before == nullptr) {
      arguments.set(key, value);
    } else if (before->is_array()) {
      before->push_back(value);
    } else {
      *before = json::Value(json::Array{*before, value});
    }
  }
  return arguments;
}

Result<json::Value> arguments_of(const http::ServerRequest& request) {
  if (request.method == "GET" || request.body.empty()) return query_arguments(request);
  return body_of(request);
}

constexpr size_t kMostPairs = 1000;  // MLflow's client sends a hundred at once

Error missing(std::string_view key) {
  return Error::invalid_input("'" + std::string(key) + "' is missing or of another kind");
}

}  // namespace

http::ServerResponse mlflow_error(const Error& error) {
  const auto code = code_of(error.code());
  return refuse(code.status, code.name, error);
}

const Frame& mlflow_frame() {
  static const Frame frame{
      .refuse =
          [](int status, const Error& error) {
            return refuse(status, status == 429 ? "REQUEST_LIMIT_EXCEEDED" : "BAD_REQUEST", error);
          },
      .error = mlflow_error};
  return frame;
}

void add_text_call(http::Server& server, Service& service, const std::string& method,
                   const std::string& path, MlflowTextCall call, std::string_view version) {
  add_route(
      server, service, method, "/api/" + std::string(version) + "/mlflow/" + path,
      [call = std::move(call)](const http::ServerRequest& request) -> Result<http::ServerResponse> {
        SLIPWAY_TRY(arguments, arguments_of(request));
        for (const auto& [key, value] : request.params) arguments.set(key, value);
        return call(arguments);
      },
      mlflow_frame());
}

void add_call(http::Server& server, Service& service, const std::string& method,
              const std::string& path, MlflowCall call) {
  add_text_call(
      server, service, method, path,
      [call = std::move(call)](const json::Value& arguments) -> Result<http::ServerResponse> {
        SLIPWAY_TRY(answer, call(arguments));
        return http::ServerResponse::json(200, answer.is_null() ? "{}" : answer.dump());
      });
}

Result<std::string> text_argument(const json::Value& arguments, std::string_view key) {
  const auto* value = arguments.get(key);
  if (value != nullptr && value->is_string() && !value->as_string().empty())
    return value->as_string();
  return missing(key);
}

Result<int64_t> required_integer(const json::Value& arguments, std::string_view key) {
  const auto* value = arguments.get(key);
  if (value != nullptr && value->is_integer()) return value->as_integer();
  if (value != nullptr && value->is_string()) {
    const std::string& text = value->as_string();
    int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) return number;
  }
  return missing(key);
}

Result<int64_t> integer_argument(const json::Value& arguments, std::string_view key,
                                 int64_t otherwise) {
  const auto* value = arguments.get(key);
  if (value == nullptr || value->is_null()) return otherwise;
  return required_integer(arguments, key);
}

std::vector<std::string> text_list(const json::Value& arguments, std::string_view key) {
  std::vector<std::string> texts;
  const auto* value = arguments.get(key);
  if (value != nullptr && value->is_string()) texts.push_back(value->as_string());
  if (value == nullptr || !value->is_array()) return texts;
  for (const auto& item : value->as_array()) {
    if (item.is_string()) texts.push_back(item.as_string());
  }
  return texts;
}

Result<std::string> optional_text(const json::Value& arguments, std::string_view key) {
  const auto* value = arguments.get(key);
  if (value == nullptr || value->is_null()) return std::string();
  if (value->is_string()) return value->as_string();
  return missing(key);
}

Result<store::Pairs> pairs_argument(const json::Value& arguments, std::string_view key) {
  store::Pairs pairs;
  const auto* value = arguments.get(key);
  if (value == nullptr || value->is_null()) return pairs;
  if (!value->is_array()) return missing(key);
  if (value->size() > kMostPairs) {
    return Error::invalid_input("more than 1,000 '" + std::string(key) + "'",
                                "send them in several requests");
  }
  for (const auto& item : value->as_array()) {
    SLIPWAY_TRY(name, text_argument(item, "key"));
    SLIPWAY_TRY(text, optional_text(item, "value"));
    pairs.emplace_back(std::move(name), std::move(text));
  }
  return pairs;
}

Result<store::Search> search_argument(const json::Value& arguments, int64_t otherwise_limit,
                                      std::string_view view_key) {
  store::Search search;
  search.filter = arguments.text("filter");
  search.order = text_list(arguments, "order_by");
  const auto view = view_key.empty() ? std::string() : arguments.text(view_key);
  if (view == "DELETED_ONLY") search.view = store::View::deleted;
  if (view == "ALL") search.view = store::View::all;
  SLIPWAY_TRY(limit, integer_argument(arguments, "max_results", otherwise_limit));
  search.limit = limit;
  if (!arguments.text("page_token").empty()) {
    SLIPWAY_TRY(offset, required_integer(arguments, "page_token"));
    search.offset = offset;
  }
  return search;
}

json::Value pairs_json(const store::Pairs& pairs) {
  auto array = json::Value::array();
  for (const auto& [key, value] : pairs) {
    auto pair = json::Value::object();
    pair.set("key", key).set("value", value);
    array.push_back(std::move(pair));
  }
  return array;
}

json::Value under(std::string_view key, json::Value value) {
  auto answer = json::Value::object();
  answer.set(key, std::move(value));
  return answer;
}

Result<json::Value> done(const Status& status) {
  SLIPWAY_CHECK(status);
  return json::Value();
}

void set_next_page(json::Value& answer, const store::Search& search, size_t items, bool more) {
  if (more)
    answer.set("next_page_token", std::to_string(search.offset + static_cast<int64_t>(items)));
}

void add_mlflow(http::Server& server, Service& service) {
  add_mlflow_experiments(server, service);
  add_mlflow_runs(server, service);
  add_mlflow_search(server, service);
  add_mlflow_registry(server, service);
  add_mlflow_models(server, service);
  add_mlflow_artifacts(server, service);
  add_mlflow_traces(server, service);
  server.route("GET", "/version", [](const http::ServerRequest&) {
    return http::ServerResponse::text(200, std::string(mlflow_version));
  });
  server.route("GET", "/health",
               [](const http::ServerRequest&) { return http::ServerResponse::text(200, "OK"); });
}

}  // namespace slipway::serve
