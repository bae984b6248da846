#include "serve/otlp.h"

#include <rapidcheck.h>
#include <zlib.h>

#include <protozero/pbf_writer.hpp>

#include "serve/fixture_test.h"

namespace slipway::serve {
namespace {

constexpr const char* trace_id = "5b8efff798038103d269b633813fc60c";
constexpr const char* span_id = "eee19b7ec3c1b174";

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::string repeated(std::string_view piece, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += piece;
  return all;
}

std::string field(uint32_t tag, const std::string& message) {
  std::string out;
  protozero::pbf_writer(out).add_message(tag, message);
  return out;
}

void check_too_many(const Result<OtlpBatch>& batch) {
  REQUIRE_FALSE(batch.ok());
  CHECK(batch.error().code() == ErrorCode::invalid_input);
  CHECK(batch.error().message().find("more than 1000000") != std::string::npos);
}

// One span with an attribute, an event and a resource, as protobuf.
std::string protobuf_request() {
  std::string out;
  protozero::pbf_writer request(out);
  protozero::pbf_writer resource_spans(request, 1);
  {
    protozero::pbf_writer resource(resource_spans, 1);
    protozero::pbf_writer attribute(resource, 1);
    attribute.add_string(1, "service.name");
    protozero::pbf_writer value(attribute, 2);
    value.add_string(1, "home");
  }
  protozero::pbf_writer scope_spans(resource_spans, 2);
  {
    protozero::pbf_writer span(scope_spans, 2);
    span.add_bytes(1, bytes_of(trace_id));
    span.add_bytes(2, bytes_of(span_id));
    span.add_string(5, "chat");
    span.add_int32(6, 3);
    span.add_fixed64(7, 1'000);
    span.add_fixed64(8, 2'000);
    {
      protozero::pbf_writer attribute(span, 9);
      attribute.add_string(1, "n");
      protozero::pbf_writer value(attribute, 2);
      value.add_int64(3, -7);
    }
    protozero::pbf_writer status(span, 15);
    status.add_string(2, "broke");
    status.add_int32(3, 2);
  }
  return out;
}

constexpr const char* json_request = R"({"resourceSpans": [{
  "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "home"}}]},
  "scopeSpans": [{"spans": [{
    "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174",
    "parentSpanId": "", "name": "chat", "kind": 3,
    "startTimeUnixNano": "1000", "endTimeUnixNano": 2000,
    "attributes": [{"key": "n", "value": {"intValue": "-7"}}],
    "status": {"code": 2, "message": "broke"}},
    {"traceId": "00", "spanId": "1", "name": "unfit"}]}]}]})";

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(bytes.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

void check_chat(const SpanRecord& span) {
  CHECK(span.trace_id == trace_id);
  CHECK(span.span_id == span_id);
  CHECK(span.parent_span_id.empty());
  CHECK(span.name == "chat");
  CHECK(span.start_unix_ns == 1000);
  CHECK(span.end_unix_ns == 2000);
  CHECK_FALSE(span.ok);
  CHECK(span.status_message == "broke");
  const std::vector<std::pair<std::string, AttributeValue>> wanted = {
      {"n", int64_t{-7}},
      {"otel.kind", std::string("client")},
      {"resource.service.name", std::string("home")}};
  CHECK(span.attributes == wanted);
}

TEST_CASE("otlp: protobuf and JSON say the same") {
  const auto protobuf = decode_otlp_protobuf(protobuf_request());
  REQUIRE(protobuf.ok());
  REQUIRE(protobuf->spans.size() == 1);
  check_chat(protobuf->spans[0]);
  const auto json = decode_otlp_json(json_request);
  REQUIRE(json.ok());
  REQUIRE(json->spans.size() == 1);
  CHECK(json->rejected == 1);
  check_chat(json->spans[0]);
}

TEST_CASE("otlp: any bytes are taken or refused") {
  CHECK(rc::check([](const std::string& bytes) {
    static_cast<void>(decode_otlp_protobuf(bytes).ok());
    static_cast<void>(decode_otlp_json(bytes).ok());
    static_cast<void>(gunzip(bytes, 1000).ok());
  }));
  const auto whole = protobuf_request();
  CHECK(rc::check([&](uint16_t at, char with) {
    auto damaged = whole;
    damaged[at % damaged.size()] = with;
    static_cast<void>(decode_otlp_protobuf(damaged).ok());
  }));
  for (size_t size = 0; size < whole.size(); ++size)
    static_cast<void>(decode_otlp_protobuf(whole.substr(0, size)).ok());
  std::string deep = whole;
  for (int i = 0; i < 200; ++i) {  // lists in lists
    std::string outer;
    protozero::pbf_writer(outer).add_message(5, deep);
    deep = outer;
  }
  static_cast<void>(decode_otlp_protobuf(deep).ok());
}

TEST_CASE("otlp: what one resource says of many spans is bounded") {
  std::string attribute, any, resource, scope;
  protozero::pbf_writer(any).add_string(1, std::string(1 << 20, 'x'));
  protozero::pbf_writer(attribute).add_string(1, "k");
  protozero::pbf_writer(attribute).add_message(2, any);
  protozero::pbf_writer(resource).add_message(1, attribute);
  std::string span;
  protozero::pbf_writer writer(span);
  writer.add_bytes(1, std::string(16, '\1'));
  writer.add_bytes(2, std::string(8, '\2'));
  for (int i = 0; i < 1000; ++i) protozero::pbf_writer(scope).add_message(2, span);
  std::string spans, body;
  protozero::pbf_writer(spans).add_message(1, resource);
  protozero::pbf_writer(spans).add_message(2, scope);
  protozero::pbf_writer(body).add_message(1, spans);
  const auto batch = decode_otlp_protobuf(body);
  REQUIRE(batch.ok());
  CHECK(batch->spans.size() < 300);
  CHECK(batch->spans.size() + static_cast<size_t>(batch->rejected) == 1000);
}

TEST_CASE("otlp: however many scopes there are, what their resource says is read once") {
  constexpr int many = 300'000;  // for each of them anew it would take hours
  const auto unfit = field(2, field(2, ""));
  const auto protobuf = decode_otlp_protobuf(
      field(1, field(1, repeated(field(1, ""), many)) + repeated(unfit, many)));
  REQUIRE(protobuf.ok());
  CHECK(protobuf->rejected == many);
  const auto json = decode_otlp_json(R"({"resourceSpans": [{"resource": {"attributes": [{})" +
                                     repeated(",{}", many - 1) + R"(]}, "scopeSpans": [{})" +
                                     repeated(R"(,{"spans":[{}]})", many) + "]}]}");
  REQUIRE(json.ok());
  CHECK(json->rejected == many);
}

TEST_CASE("otlp: more elements than fit are refused, however small") {
  constexpr int many = int{most_otlp_elements} + 1;
  for (const uint32_t list : {9, 11, 13})  // attributes, events, links
    check_too_many(
        decode_otlp_protobuf(field(1, field(2, field(2, repeated(field(list, ""), many))))));
  const auto list = field(9, field(2, field(5, repeated(field(1, ""), many))));
  check_too_many(decode_otlp_protobuf(field(1, field(2, field(2, list)))));
  check_too_many(decode_otlp_protobuf(field(1, field(1, repeated(field(1, ""), many)))));
  for (const std::string key : {"attributes", "events", "links"})
    check_too_many(decode_otlp_json(R"({"resourceSpans": [{"scopeSpans": [{"spans": [{")" + key +
                                    "\": [{}" + repeated(",{}", many) + "]}]}]}]}"));
  check_too_many(decode_otlp_json(R"({"unread": [[])" + repeated(",[]", 4 * many) + "]}"));
}

TEST_CASE("otlp: a small body that unpacks to a large one is refused") {
  const auto packed = gzip(std::string(1 << 20, 'a'));
  CHECK(gunzip(packed, 2 << 20)->size() == 1 << 20);
  CHECK(gunzip(packed, 1000).error().code() == ErrorCode::exhausted);
  CHECK_FALSE(gunzip(packed.substr(0, packed.size() / 2), 2 << 20).ok());
}

TEST_CASE("otlp: what is acknowledged is in the store, and again it is the same") {
  Fixture f;
  const auto post = [&](const std::string& body, http::Headers headers) {
    return f.send(
        {.method = "POST", .url = "/v1/traces", .headers = std::move(headers), .body = body});
  };
  const http::Headers protobuf = {{"Content-Type", "application/x-protobuf"}};
  const auto answer = post(protobuf_request(), protobuf);
  CHECK(answer.status == 200);
  CHECK(answer.body.empty());
  CHECK(*http::find_header(answer.headers, "Content-Type") == "application/x-protobuf");
  auto packed = protobuf;
  packed.emplace_back("Content-Encoding", "gzip");
  CHECK(post(gzip(protobuf_request()), packed).status == 200);
  const auto spans = f.store->trace(trace_id);
  REQUIRE(spans.ok());
  REQUIRE(spans->size() == 1);
  check_chat(spans->front());
  const auto partial = post(json_request, {{"Content-Type", "application/json"}}).json();
  CHECK(partial.get("partialSuccess")->number("rejectedSpans") == 1);
  CHECK(post("\x0a\xff", protobuf).status == 400);
  CHECK(post("{}", {{"Content-Type", "text/plain"}}).status == 415);
  CHECK(post("x", packed).status == 400);
  auto long_header = protobuf;  // each of many spans would hold it
  long_header.emplace_back("x-mlflow-experiment-id", std::string(1000, '1'));
  CHECK(post(protobuf_request(), long_header).status == 400);
}

}  // namespace
}  // namespace slipway::serve
