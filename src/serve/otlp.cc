#include "serve/otlp.h"

#include <zlib.h>

#include <array>
#include <protozero/pbf_writer.hpp>

#include "base/text.h"

namespace slipway::serve {
namespace {

constexpr std::string_view protobuf_media = "application/x-protobuf";
constexpr int status_invalid_argument = 3, status_unavailable = 14;  // google.rpc.Code
constexpr size_t most_experiment_bytes = 100;  // every span of a request holds it

bool is_protobuf(const http::ServerRequest& request) {
  const auto* type = http::find_header(request.headers, "Content-Type");
  return type != nullptr && to_lower(trim(split(*type, ';')[0])) == protobuf_media;
}

http::ServerResponse protobuf(int status, std::string body) {
  http::ServerResponse response;
  response.status = status;
  response.headers = {{"Content-Type", std::string(protobuf_media)}};
  response.body = std::move(body);
  return response;
}

// google.rpc.Status, in the form of the request.
http::ServerResponse failure(const Error& error, bool as_protobuf) {
  const int status = error.code() == ErrorCode::invalid_input ? 400 : http_status(error.code());
  const int code = status < 500 ? status_invalid_argument : status_unavailable;
  if (!as_protobuf) {
    auto body = json::Value::object();
    body.set("code", code).set("message", error.to_string());
    return http::ServerResponse::json(status, body.dump());
  }
  std::string body;
  protozero::pbf_writer writer(body);
  writer.add_int32(1, code);
  writer.add_string(2, error.to_string());
  return protobuf(status, std::move(body));
}

constexpr const char* rejected_reason =
    "spans without a trace id of 16 and a span id of 8 bytes, or with too much said of their "
    "resource";

http::ServerResponse success(int64_t rejected, bool as_protobuf) {
  if (!as_protobuf) {
    auto body = json::Value::object();
    if (rejected > 0) {
      auto partial = json::Value::object();
      partial.set("rejectedSpans", rejected).set("errorMessage", rejected_reason);
      body.set("partialSuccess", std::move(partial));
    }
    return http::ServerResponse::json(200, body.dump());
  }
  std::string body;
  if (rejected > 0) {
    protozero::pbf_writer writer(body);
    protozero::pbf_writer partial(writer, 1);
    partial.add_int64(1, rejected);
    partial.add_string(2, rejected_reason);
  }
  return protobuf(200, std::move(body));
}

Result<http::ServerResponse> take(Service& service, const http::ServerRequest& request) {
  const auto* encoding = http::find_header(request.headers, "Content-Encoding");
  const auto packed = encoding == nullptr ? std::string() : to_lower(trim(*encoding));
  std::string unpacked;
  std::string_view body = request.body;
  if (packed == "gzip") {
    SLIPWAY_TRY(bytes, gunzip(request.body, most_otlp_bytes));
    unpacked = std::move(bytes);
    body = unpacked;
  } else if (!packed.empty() && packed != "identity") {
    return Error::invalid_input("the content encoding '" + packed + "' is not taken",
                                "send gzip, or no encoding");
  }
  const bool as_protobuf = is_protobuf(request);
  SLIPWAY_TRY(batch, as_protobuf ? decode_otlp_protobuf(body) : decode_otlp_json(body));
  // MLflow's client says in a header which experiment its spans belong to.
  if (const auto* experiment = http::find_header(request.headers, "x-mlflow-experiment-id")) {
    if (experiment->size() > most_experiment_bytes)
      return Error::invalid_input("'x-mlflow-experiment-id' is longer than 100 bytes");
    for (auto& span : batch.spans) span.attributes.emplace_back("mlflow.experimentId", *experiment);
  }
  SLIPWAY_CHECK(service.store->put_spans("", batch.spans));
  return success(batch.rejected, as_protobuf);
}

// The state of one inflation, ended at the end of its scope.
struct Inflation {
  z_stream stream{};
  bool open = inflateInit2(&stream, 15 + 16) == Z_OK;  // 16: gzip's header
  Inflation() = default;
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;
  ~Inflation() {
    if (open) inflateEnd(&stream);
  }
};

}  // namespace

Result<std::string> gunzip(std::string_view bytes, size_t most_bytes) {
  Inflation inflation;
  if (!inflation.open) return Error::exhausted("no memory to unpack gzip");
  auto& stream = inflation.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 64 << 10> piece;
  while (true) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int code = inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
    if (out.size() > most_bytes)
      return Error::exhausted(
          "the body unpacks to more than " + std::to_string(most_bytes) + " bytes",
          "send it in parts");
    if (code == Z_STREAM_END) return out;
    if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0))
      return Error::invalid_input("the body is no gzip, or ends too early");
  }
}

void add_otlp(http::Server& server, Service& service) {
  const Frame frame{.media = {std::string(protobuf_media), "application/json"},
                    .refuse =
                        [](int status, const Error& error) {
                          auto response = failure(error, false);
                          response.status = status;
                          return response;
                        },
                    .error = {}};
  for (const char* path : {"/v1/traces", "/api/public/otel/v1/traces"}) {
    add_route(
        server, service, "POST", path,
        [&service](const http::ServerRequest& request) -> Result<http::ServerResponse> {
          auto answer = take(service, request);
          return answer.ok() ? std::move(*answer) : failure(answer.error(), is_protobuf(request));
        },
        frame);
  }
}

}  // namespace slipway::serve
