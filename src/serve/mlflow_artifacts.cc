#include "serve/mlflow.h"
#include "store/artifacts.h"
#include "store/tracking.h"

namespace slipway::serve {
namespace {

using store::Artifacts;

constexpr std::string_view own_scheme = "mlflow-artifacts:/";

json::Value files_json(const std::vector<store::ArtifactEntry>& entries,
                       const std::string& prefix) {
  auto files = json::Value::array();
  for (const auto& entry : entries) {
    auto file = json::Value::object();
    file.set("path", prefix + entry.name).set("is_dir", entry.is_folder);
    if (entry.bytes > 0) file.set("file_size", entry.bytes);
    files.push_back(std::move(file));
  }
  return files;
}

Result<http::ServerResponse> list_folder(Service& service, const http::ServerRequest& request) {
  const auto path = request.query.find("path");
  SLIPWAY_TRY(entries,
              Artifacts(*service.store).list(path == request.query.end() ? "" : path->second));
  auto answer = json::Value::object();
  if (!entries.empty()) answer.set("files", files_json(entries, ""));
  return http::ServerResponse::json(200, answer.dump());
}

// A file is never shown by a browser: it may be anybody's page.
Result<http::ServerResponse> download(Service& service, const http::ServerRequest& request) {
  SLIPWAY_TRY(bytes, Artifacts(*service.store).get(request.params.at("path")));
  http::ServerResponse response;
  response.headers = {{"Content-Type", "application/octet-stream"},
                      {"Content-Disposition", "attachment"}};
  response.body = std::move(bytes);
  return response;
}

Result<http::ServerResponse> upload(Service& service, const http::ServerRequest& request) {
  SLIPWAY_CHECK(Artifacts(*service.store).put(request.params.at("path"), request.body));
  return http::ServerResponse::json(200, "{}");
}

Result<http::ServerResponse> remove(Service& service, const http::ServerRequest& request) {
  SLIPWAY_CHECK(Artifacts(*service.store).remove(request.params.at("path")));
  return http::ServerResponse::json(200, "{}");
}

Result<json::Value> list_of_run(Service& service, const json::Value& arguments) {
  auto id = arguments.text("run_id");
  if (id.empty()) id = arguments.text("run_uuid");
  SLIPWAY_TRY(run, store::Tracking(*service.store).run(id));
  if (!run.artifact_uri.starts_with(own_scheme))
    return Error::unsupported("the files of this run are kept elsewhere: " + run.artifact_uri);
  const auto below = arguments.text("path");
  auto folder = run.artifact_uri.substr(own_scheme.size());
  if (!below.empty()) folder += "/" + below;
  SLIPWAY_TRY(entries, Artifacts(*service.store).list(folder));
  auto answer = json::Value::object();
  answer.set("root_uri", run.artifact_uri);
  if (!entries.empty()) answer.set("files", files_json(entries, below.empty() ? "" : below + "/"));
  return answer;
}

}  // namespace

void add_mlflow_artifacts(http::Server& server, Service& service) {
  const auto add = [&](const char* method, const std::string& path, auto handler) {
    add_route(
        server, service, method, "/api/2.0/mlflow-artifacts/artifacts" + path,
        [&service, handler](const http::ServerRequest& request) {
          return handler(service, request);
        },
        mlflow_frame());
  };
  add("GET", "", list_folder);
  add("GET", "/{path*}", download);
  add("PUT", "/{path*}", upload);
  add("DELETE", "/{path*}", remove);
  add_call(server, service, "GET", "artifacts/list",
           [&service](const json::Value& arguments) { return list_of_run(service, arguments); });
}

}  // namespace slipway::serve
