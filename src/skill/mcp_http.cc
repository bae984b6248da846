// MCP over streamable HTTP: each message a POST, each answer JSON or a stream of events.
#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "http/client.h"
#include "http/sse.h"
#include "skill/mcp_wire.h"
#include "skill/redact.h"
#include "skill/request.h"
#include "skill/template.h"

namespace slipway::skill {
namespace {

constexpr int close_ms = 1000;
constexpr size_t max_session_bytes = 1024;

// Takes the body as it comes: one message, a list of them, or a stream of events. An event stream
// never begins with a brace or bracket.
class Answer {
 public:
  Answer(int64_t id, const WireExchange& exchange, std::function<Status(const json::Value&)> send,
         size_t max_bytes)
      : id_(id), exchange_(exchange), send_(std::move(send)), events_(max_bytes) {}

  bool take(std::string_view bytes) {
    if (!begun_) {
      while (!bytes.empty() &&
             (bytes[0] == ' ' || bytes[0] == '\n' || bytes[0] == '\r' || bytes[0] == '\t'))
        bytes.remove_prefix(1);
      if (bytes.empty()) return true;
      begun_ = true;
      json_ = bytes[0] == '{' || bytes[0] == '[';
    }
    if (text_.size() < 4096 || json_) text_ += bytes;
    if (json_) return true;
    auto status = events_.feed(bytes, [&](const http::SseEvent& event) {
      if (event.data.empty()) return true;
      auto message = parse_rpc(event.data);
      if (!message.ok()) return fail(message.error().in("the MCP server's event"));
      return got(std::move(*message));
    });
    return status.ok() ? !done() : fail(status.error());
  }

  void finish() {
    if (!json_ || done()) return;
    auto value = json::parse(text_);
    if (!value.ok()) {
      fail(value.error().in("the MCP server's answer"));
      return;
    }
    const auto one = value->is_array() ? value->as_array() : json::Array{*value};
    for (const auto& item : one) {
      auto message = read_rpc(item);
      if (!message.ok() ? !fail(message.error().in("the MCP server's answer"))
                        : !got(std::move(*message)))
        return;
    }
  }

  bool done() const { return response_ || failure_; }
  const std::string& text() const { return text_; }
  const std::optional<RpcMessage>& response() const { return response_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  bool fail(const Error& error) {
    failure_ = Error::unavailable(error.message(), error.hint());
    return false;
  }

  bool got(RpcMessage message) {
    if (!message.is_response()) {
      const auto reply = exchange_.on_message(message);
      if (!reply) return true;
      const auto sent = send_(*reply);
      return sent.ok() ? true : fail(sent.error());
    }
    if (!(message.id == json::Value(id_))) return true;
    response_ = std::move(message);
    return false;
  }

  int64_t id_;
  const WireExchange& exchange_;
  std::function<Status(const json::Value&)> send_;
  http::SseParser events_;
  bool begun_ = false, json_ = false;
  std::string text_;
  std::optional<RpcMessage> response_;
  std::optional<Error> failure_;
};

class HttpWire : public McpWire {
 public:
  HttpWire(McpServer server, McpOptions options, http::Headers headers, std::string host)
      : server_(std::move(server)),
        options_(std::move(options)),
        headers_(std::move(headers)),
        host_(std::move(host)) {}

  ~HttpWire() override {
    if (session_.empty()) return;
    // The server forgets the session by itself sooner or later.
    (void)client_.send(base("DELETE", {steady_ms() + close_ms, {}}));
  }

  Result<RpcMessage> request(const json::Value& message, int64_t id,
                             const WireExchange& exchange) override {
    const auto& bounds = exchange.bounds;
    Answer answer(
        id, exchange, [&](const json::Value& reply) { return notify(reply, bounds); },
        server_.max_response_bytes);
    auto post = base("POST", bounds);
    post.body = message.dump();
    post.on_body = [&](std::string_view bytes) { return answer.take(bytes); };
    auto response = client_.send(post);
    if (!response.ok()) return unreachable(response.error());
    answer.finish();
    if (!response->ok()) return refused(response->status, answer.text());
    if (answer.failure()) return bounds.cancel.cancelled() ? Error::cancelled() : *answer.failure();
    if (!answer.response())
      return Error::unavailable("the MCP server at " + server_.url + " ended without an answer");
    if (const auto* session = http::find_header(response->headers, "Mcp-Session-Id"))
      SLIPWAY_CHECK(keep_session(*session));
    return *answer.response();
  }

  // By a second client, because the first may be in the middle of an answer.
  Status notify(const json::Value& message, const McpBounds& bounds) override {
    auto post = base("POST", bounds);
    post.body = message.dump();
    auto response = side_client_.send(post);
    if (!response.ok()) return unreachable(response.error());
    return response->ok() ? Status::success() : Status(refused(response->status, response->body));
  }

  void set_protocol(const std::string& version) override { protocol_ = version; }
  bool alive() const override { return alive_; }

 private:
  http::Request base(const std::string& method, const McpBounds& bounds) const {
    http::Request request;
    request.method = method;
    request.url = server_.url;
    request.headers = headers_;
    request.headers.emplace_back("Accept", "application/json, text/event-stream");
    if (method == "POST") request.headers.emplace_back("Content-Type", "application/json");
    if (!session_.empty()) request.headers.emplace_back("Mcp-Session-Id", session_);
    if (!protocol_.empty()) request.headers.emplace_back("MCP-Protocol-Version", protocol_);
    request.timeout_ms = std::max(1, milliseconds_until(bounds.deadline_ms));
    request.max_response_bytes = server_.max_response_bytes;
    request.address_policy = address_policy_for(host_);
    request.cancel = bounds.cancel;
    return request;
  }

  Status keep_session(const std::string& session) {
    const bool visible = std::all_of(session.begin(), session.end(),
                                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
    if (!visible || session.size() > max_session_bytes)
      return Error::unavailable("the MCP server's session id is no visible ASCII text");
    session_ = session;
    return Status::success();
  }

  Error unreachable(const Error& error) const {
    if (error.code() != ErrorCode::unavailable || !error.hint().empty()) return error;
    return Error::unavailable(error.message(), "is the MCP server at " + server_.url + " running?");
  }

  Error refused(int status, const std::string& body) {
    const auto secrets = values_of(options_.secrets);
    auto said = bounded_line(body, secrets);
    if (const auto value = json::parse(body); value.ok() && value->get("error")) {
      const auto* error = value->get("error");
      const auto text = error->is_string() ? error->as_string() : error->text("message");
      said = bounded_line(text, secrets);
    }
    const auto text = "the MCP server at " + server_.url + " answered " + std::to_string(status) +
                      (said.empty() ? "" : ": " + said);
    if (status == 401 || status == 403)
      return Error::permission_denied(text, "does 'headers' carry the token that it wants?");
    if (status == 404 && !session_.empty()) {  // it has forgotten the session; nothing was done
      alive_ = false;
      session_.clear();
      return Error::not_found(text);
    }
    if (status == 404 || status == 405)
      return Error::unavailable(text, "is that the address of its MCP endpoint, such as .../mcp?");
    return Error::unavailable(text, "look at that server's log");
  }

  McpServer server_;
  McpOptions options_;
  http::Headers headers_;
  std::string host_;
  http::Client client_, side_client_;
  std::string session_, protocol_;
  bool alive_ = true;
};

}  // namespace

Result<std::unique_ptr<McpWire>> open_http_wire(const McpServer& server,
                                                const McpOptions& options) {
  SLIPWAY_TRY(url, http::parse_url(server.url));
  http::Headers headers;
  for (const auto& [name, source] : server.headers) {
    std::string value;
    for (const auto& piece : parse_template(source)) {
      if (piece.kind == TemplatePiece::Kind::literal) {
        value += piece.text;
        continue;
      }
      const auto found = options.secrets.find(piece.text);
      if (found == options.secrets.end()) {
        return Error::permission_denied(
            "the MCP server at " + url.origin() + " wants ${" + piece.text +
                "}, which is not bound to it",
            "if you trust it, bind " + piece.text + " to " + url.origin() +
                " in your own configuration, outside the project folder");
      }
      value += found->second;
    }
    const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(value.begin(), value.end(), control))
      return Error::invalid_input("mcp.headers." + name + " would hold a control character");
    headers.emplace_back(name, value);
  }
  return std::unique_ptr<McpWire>(
      std::make_unique<HttpWire>(server, options, std::move(headers), url.host));
}

}  // namespace slipway::skill
