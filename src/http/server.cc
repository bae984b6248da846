#include "http/server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <exception>
#include <set>
#include <thread>

#include "http/site.h"

namespace slipway::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::ip::tcp;
using beast::error_code;

namespace {

constexpr size_t kMaxHeaderBytes = 32 << 10;
constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kMaxDiscardedBytes = 64 << 20;
constexpr auto kDiscardTime = std::chrono::seconds(2);
constexpr size_t kSlowestBytesPerMs = 32;  // of a body, behind its first idle_timeout_ms

auto into(error_code& failure) { return asio::redirect_error(asio::use_awaitable, failure); }

std::string hex(size_t number) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  return {digits.data(), end};
}

// While it lives, `left` is cancelled when the peer is seen to end the socket's connection. The
// network thread's alone: once it is gone, a wait that still ends touches neither of the two.
class PeerWatch {
 public:
  PeerWatch(tcp::socket& socket, CancelSource left)
      : watched_(std::make_shared<Watched>(Watched{&socket, std::move(left)})) {
    error_code ignored;
    socket.non_blocking(true, ignored);  // for the look at what has come; coroutines do not care
    wait(watched_);
  }
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;
  ~PeerWatch() {
    error_code ignored;
    watched_->socket->cancel(ignored);
    watched_->socket = nullptr;
  }

 private:
  struct Watched {
    tcp::socket* socket;  // null: the watch is over
    CancelSource left;
  };

  static void wait(const std::shared_ptr<Watched>& watched) {
    watched->socket->async_wait(tcp::socket::wait_read, [watched](error_code failure) {
      if (failure || !watched->socket) return;
      char next = 0;
      watched->socket->receive(asio::buffer(&next, 1), tcp::socket::message_peek, failure);
      if (failure == asio::error::would_block) return wait(watched);
      if (failure) watched->left.cancel();  // else a further request waits, and hides the end
    });
  }

  std::shared_ptr<Watched> watched_;
};

// One connection: read a request, run its handler on a worker, write the answer, repeat. A
// coroutine on the network thread, which alone touches a Session; handlers run while it is
// suspended.
class Session {
 public:
  Session(const Site& site, const bool& stopping, asio::thread_pool& workers, tcp::socket socket);
  asio::awaitable<void> run();
  void close();
  bool waits_for_request() const { return waits_; }

 private:
  using Parser = bhttp::request_parser<bhttp::string_body>;
  enum class Next { next_request, hang_up };

  asio::awaitable<bool> read_request();
  error_code limit_body();
  asio::awaitable<error_code> parse_until(bool (*done)(const Parser&));
  asio::awaitable<Next> answer();
  asio::awaitable<Next> refuse(error_code failure);
  asio::awaitable<Next> send(ServerResponse response, bool keep_alive, bool head_only);
  asio::awaitable<Next> stream(ServerResponse& response, bool keep_alive, bool head_only);
  asio::awaitable<bool> write(std::string_view head, std::string_view body = {},
                              std::string_view tail = {});
  template <typename F>
  asio::awaitable<void> on_worker(F work);
  asio::awaitable<void> discard_unread();
  std::optional<ServerResponse> refused_by_head();
  void fill_head(ServerRequest& request) const;

  const Site& site_;
  const bool& stopping_;
  asio::thread_pool& workers_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::string peer_ip_;
  CancelSource left_;      // who has left does not come back
  size_t body_limit_ = 0;  // of the request being read
  bool waits_ = true;
  bool unread_ = false;
};

Session::Session(const Site& site, const bool& stopping, asio::thread_pool& workers,
                 tcp::socket socket)
    : site_(site), stopping_(stopping), workers_(workers), stream_(std::move(socket)) {
  error_code ignored;
  stream_.socket().set_option(tcp::no_delay(true), ignored);
  const auto peer = stream_.socket().remote_endpoint(ignored);
  if (!ignored) peer_ip_ = peer.address().to_string();
}

void Session::close() {
  error_code ignored;
  stream_.socket().close(ignored);
}

asio::awaitable<void> Session::run() {
  while (co_await read_request()) {
    if (co_await answer() == Next::hang_up) break;
  }
  if (unread_) co_await discard_unread();
  error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
}

// False when the connection ends here.
asio::awaitable<bool> Session::read_request() {
  if (stopping_) co_return false;
  parser_.emplace();
  parser_->header_limit(kMaxHeaderBytes);
  body_limit_ = site_.largest_body();
  parser_->body_limit(body_limit_);
  waits_ = true;
  error_code failure = co_await parse_until([](const Parser& p) { return p.is_header_done(); });
  waits_ = false;
  const auto& head = parser_->get();
  if (!failure && head.count(bhttp::field::transfer_encoding) > 0 && !parser_->chunked()) {
    failure = bhttp::error::bad_transfer_encoding;
  }
  if (!failure) failure = limit_body();
  if (!failure && !parser_->is_done()) {
    if (auto refused = refused_by_head()) {
      unread_ = true;
      co_await send(std::move(*refused), false, false);
      co_return false;
    }
    const bool asks = beast::iequals(head[bhttp::field::expect], "100-continue");
    if (asks && !co_await write("HTTP/1.1 100 Continue\r\n\r\n")) co_return false;
    parser_->eager(true);
    failure = co_await parse_until([](const Parser& p) { return p.is_done(); });
  }
  if (failure) co_await refuse(failure);
  co_return !failure;
}

// How much a body may hold is known once its path is.
error_code Session::limit_body() {
  const auto target = parser_->get().target();
  body_limit_ = site_.body_limit({target.data(), target.size()});
  parser_->body_limit(body_limit_);
  if (parser_->content_length().value_or(0) <= body_limit_) return {};
  return bhttp::error::body_limit;
}

// One deadline for the whole of it, which only a body that arrives moves: a byte now and then does
// not keep a connection open.
asio::awaitable<error_code> Session::parse_until(bool (*done)(const Parser&)) {
  const auto deadline = std::chrono::steady_clock::now() +
                        std::chrono::milliseconds(site_.options.idle_timeout_ms);
  size_t head = 0;
  error_code failure;
  while (!done(*parser_)) {
    if (buffer_.size() > 0) {
      const size_t parsed = parser_->put(buffer_.data(), failure);
      buffer_.consume(parsed);
      if (failure && failure != bhttp::error::need_more) co_return failure;
      if (!failure) continue;
      // The parser bounds one field, not all together, and no chunk's size line and no trailer.
      if (!parser_->is_header_done()) head += parsed;
      if (head + buffer_.size() > kMaxHeaderBytes) co_return error_code(bhttp::error::header_limit);
    }
    failure = {};
    stream_.expires_at(deadline + std::chrono::milliseconds(parser_->get().body().size() /
                                                            kSlowestBytesPerMs));
    const size_t received =
        co_await stream_.async_read_some(buffer_.prepare(kReadBytes), into(failure));
    if (failure) co_return failure;
    buffer_.commit(received);
  }
  co_return error_code{};
}

asio::awaitable<Session::Next> Session::refuse(error_code failure) {
  const bool spoke_http = failure.category() == bhttp::make_error_code(bhttp::error{}).category();
  if (!spoke_http) co_return Next::hang_up;  // left, cut off, or silent for too long
  unread_ = true;
  ServerResponse response;
  if (failure == bhttp::error::body_limit) {
    response = ServerResponse::error(
        413, Error::exhausted(
                 "the request's body is longer than " + std::to_string(body_limit_) + " bytes",
                 "send it in parts, or raise the server's limit"));
  } else if (failure == bhttp::error::header_limit) {
    response =
        ServerResponse::error(431, Error::exhausted("the request's headers are longer than " +
                                                    std::to_string(kMaxHeaderBytes) + " bytes"));
  } else {
    response = bad_request("this is no HTTP/1.1 request: " + failure.message());
  }
  co_return co_await send(std::move(response), false, false);
}

// Who may not ask at all sends no large body first.
std::optional<ServerResponse> Session::refused_by_head() {
  const auto length = parser_->content_length();
  if (length && *length <= kReadBytes) return std::nullopt;
  ServerRequest request;
  fill_head(request);
  const auto path = read_target(std::string(parser_->get().target()), request);
  return path.ok() ? site_.refusal(request) : bad_request(path.error().message());
}

void Session::fill_head(ServerRequest& request) const {
  const auto& message = parser_->get();
  request.method = std::string(message.method_string());
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.peer_ip = peer_ip_;
}

asio::awaitable<Session::Next> Session::answer() {
  const bool wants_more = parser_->get().version() >= 11 && parser_->get().keep_alive();
  ServerRequest request;
  ServerResponse response;
  fill_head(request);
  request.body = std::move(parser_->get().body());
  request.left = left_.token();
  const auto raw_path = read_target(std::string(parser_->get().target()), request);
  if (raw_path.ok()) {
    co_await on_worker([&] { response = site_.handle(request, *raw_path); });
  } else {
    response = bad_request(raw_path.error().message());
  }
  const bool head_only = request.method == "HEAD";
  const bool keep_alive = wants_more && !stopping_;
  if (!response.next) co_return co_await send(std::move(response), keep_alive, head_only);
  const Next next = co_await stream(response, keep_alive, head_only);
  co_await on_worker([&] { response.next = nullptr; });  // its destructor may block
  co_return next;
}

asio::awaitable<Session::Next> Session::send(ServerResponse response, bool keep_alive,
                                             bool head_only) {
  std::string head = head_text(response, keep_alive);
  if (has_body(response.status)) {
    head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  } else {
    head_only = true;
  }
  head += "\r\n";
  const std::string_view body = head_only ? std::string_view{} : response.body;
  const bool written = co_await write(head, body);
  co_return written&& keep_alive ? Next::next_request : Next::hang_up;
}

// All parts leave in one system call if the reader keeps up; the deadline is renewed whenever it
// takes some.
asio::awaitable<bool> Session::write(std::string_view head, std::string_view body,
                                     std::string_view tail) {
  std::array<std::string_view, 3> parts{head, body, tail};
  size_t left = head.size() + body.size() + tail.size();
  error_code failure;
  while (left > 0 && !failure) {
    const std::array<asio::const_buffer, 3> buffers{asio::buffer(parts[0]), asio::buffer(parts[1]),
                                                    asio::buffer(parts[2])};
    stream_.expires_after(std::chrono::milliseconds(site_.options.idle_timeout_ms));
    size_t sent = co_await stream_.async_write_some(buffers, into(failure));
    left -= sent;
    for (std::string_view& part : parts) {
      const size_t taken = std::min(sent, part.size());
      part.remove_prefix(taken);
      sent -= taken;
    }
  }
  co_return !failure;
}

asio::awaitable<Session::Next> Session::stream(ServerResponse& response, bool keep_alive,
                                               bool head_only) {
  const bool chunked = parser_->get().version() >= 11;  // a 1.0 body ends with the connection
  std::string head = head_text(response, keep_alive);
  if (chunked) head += "Transfer-Encoding: chunked\r\n";
  head += "\r\n";
  if (!co_await write(head)) co_return Next::hang_up;
  std::optional<std::string> piece;
  while (!head_only) {
    bool threw = false;
    co_await on_worker([&] { threw = !site_.next_piece(response, piece); });
    if (threw) co_return Next::hang_up;
    if (!piece) break;
    if (piece->empty()) continue;  // a chunk of length 0 would end the body
    const std::string size_line = chunked ? hex(piece->size()) + "\r\n" : "";
    if (!co_await write(size_line, *piece, chunked ? "\r\n" : "")) co_return Next::hang_up;
  }
  if (chunked && !head_only && !co_await write("0\r\n\r\n")) co_return Next::hang_up;
  co_return keep_alive ? Next::next_request : Next::hang_up;
}

// Suspends this coroutine while `work`, which must not throw, runs on a handler's thread.
template <typename F>
asio::awaitable<void> Session::on_worker(F work) {
  stream_.expires_never();
  const PeerWatch watch(stream_.socket(), left_);
  auto start = [this, &work](auto resume) {
    asio::post(workers_, [&work, resume = std::move(resume)]() mutable {
      work();
      const auto network = asio::get_associated_executor(resume);
      asio::post(network, std::move(resume));
    });
  };
  auto token = asio::use_awaitable;
  co_await asio::async_initiate<decltype(token), void()>(std::move(start), token);
}

// Closing with unread bytes resets the connection, and the reader would lose our answer.
asio::awaitable<void> Session::discard_unread() {
  error_code failure;
  waits_ = true;
  stream_.socket().shutdown(tcp::socket::shutdown_send, failure);
  stream_.expires_after(kDiscardTime);
  for (size_t total = 0; !failure && total < kMaxDiscardedBytes;) {
    buffer_.clear();
    total += co_await stream_.async_read_some(buffer_.prepare(kReadBytes), into(failure));
  }
}

}  // namespace

struct Server::Impl {
  Site site;
  bool stopping = false;  // this and `sessions`: the network thread's
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer grace{io};
  asio::steady_timer breather{io};
  std::optional<asio::thread_pool> workers;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> open;
  std::set<Session*> sessions;
  std::jthread network;

  Result<int> listen();
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(tcp::socket socket);
  void begin_stop();
  void leave_if_done();
};

Result<int> Server::Impl::listen() {
  const ServerOptions& options = site.options;
  error_code failure;
  const auto address = asio::ip::make_address(options.address, failure);
  if (failure) {
    return Error::invalid_input("'" + options.address + "' is no IP address to listen on",
                                "use 127.0.0.1 for this machine only, 0.0.0.0 for all networks");
  }
  if (options.port < 0 || options.port > 65535) {
    return Error::invalid_input("port " + std::to_string(options.port) + " is not in 0 to 65535");
  }
  const tcp::endpoint endpoint(address, static_cast<unsigned short>(options.port));
  acceptor.open(endpoint.protocol(), failure);
  if (!failure) acceptor.set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) acceptor.bind(endpoint, failure);
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (failure) {
    error_code ignored;
    acceptor.close(ignored);
    return Error::unavailable("cannot listen on " + options.address + ":" +
                                  std::to_string(options.port) + ": " + failure.message(),
                              failure == asio::error::address_in_use
                                  ? "another program has this port: stop it, or choose another port"
                                  : "choose another address or port");
  }
  return static_cast<int>(acceptor.local_endpoint().port());
}

asio::awaitable<void> Server::Impl::accept() {
  while (!stopping) {
    error_code failure;
    tcp::socket socket =
        co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
    if (failure == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    if (failure) {  // out of file descriptors, say: others must close first
      breather.expires_after(std::chrono::milliseconds(50));
      co_await breather.async_wait(asio::redirect_error(asio::use_awaitable, failure));
      continue;
    }
    if (sessions.size() >= static_cast<size_t>(site.options.max_connections)) continue;
    asio::co_spawn(io, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Server::Impl::serve(tcp::socket socket) {
  try {
    Session session(site, stopping, *workers, std::move(socket));
    struct Registration {
      Impl& server;
      Session* session;
      ~Registration() { server.sessions.erase(session); }
    } registration{*this, &session};
    sessions.insert(&session);
    co_await session.run();
  } catch (const std::exception& e) {
    site.report(std::string("a connection failed: ") + e.what());
  }
  leave_if_done();
}

void Server::Impl::leave_if_done() {
  if (!stopping || !sessions.empty()) return;
  grace.cancel();
  open.reset();
}

void Server::Impl::begin_stop() {
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  breather.cancel();
  for (Session* session : sessions) {
    if (session->waits_for_request()) session->close();
  }
  grace.expires_after(std::chrono::milliseconds(site.options.stop_grace_ms));
  grace.async_wait([this](error_code failure) {
    if (failure) return;
    if (site.options.on_grace_over) site.options.on_grace_over();
    for (Session* session : sessions) session->close();
  });
  leave_if_done();
}

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->site.options = std::move(options);
}

Server::~Server() { stop(); }

void Server::route(std::string method, std::string pattern, Handler handler) {
  impl_->site.router.add(std::move(method), pattern, std::move(handler));
}

void Server::guard(Guard guard) { impl_->site.guards.push_back(std::move(guard)); }

Result<int> Server::start() {
  if (impl_->workers) return Error::internal("this server was started before");
  SLIPWAY_TRY(port, impl_->listen());
  impl_->workers.emplace(static_cast<size_t>(std::max(1, impl_->site.options.threads)));
  impl_->open.emplace(impl_->io.get_executor());
  asio::co_spawn(impl_->io, impl_->accept(), asio::detached);
  impl_->network = std::jthread([impl = impl_.get()] { impl->io.run(); });
  return port;
}

void Server::stop() {
  if (!impl_->network.joinable()) return;
  asio::post(impl_->io, [impl = impl_.get()] { impl->begin_stop(); });
  impl_->network.join();
  impl_->workers->join();
}

}  // namespace slipway::http
