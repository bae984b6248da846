#include "http/client.h"

#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>

#include "base/clock.h"
#include "base/text.h"

namespace slipway::http {

namespace {

constexpr size_t kMaxIdleConnections = 64;
constexpr size_t kMaxHeaderBytes = 256 << 10;
constexpr int kPollMs = 50;

template <auto F>
struct Free {
  template <typename T>
  void operator()(T* handle) const { F(handle); }
};
using Easy = std::unique_ptr<CURL, Free<curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Free<curl_multi_cleanup>>;
using HeaderList = std::unique_ptr<curl_slist, Free<curl_slist_free_all>>;

// One transfer at a time; the multi handle owns the kept-alive connection.
struct Channel {
  std::string origin;
  Multi multi{curl_multi_init()};
  Easy easy{curl_easy_init()};
};

enum class Stop { none, consumer, body_limit, header_limit, policy, cancelled, callback_threw };

// What the callbacks of one transfer share.
struct Exchange {
  const Request& request;
  Response response;
  size_t body_bytes = 0;
  size_t header_bytes = 0;
  Stop stop = Stop::none;
  std::string refused_ip;
  std::string thrown;
  std::array<char, CURL_ERROR_SIZE> detail{};
};

// No exception may cross libcurl's C frames.
template <typename T, typename F>
T guarded(Exchange& exchange, T on_throw, F body) {
  try {
    return body();
  } catch (const std::exception& e) {
    exchange.thrown = e.what();
  } catch (...) {
    exchange.thrown = "unknown exception";
  }
  exchange.stop = Stop::callback_threw;
  return on_throw;
}

bool address_allowed(Exchange& exchange, const std::string& ip) {
  if (!exchange.request.address_policy || exchange.request.address_policy(ip)) return true;
  exchange.refused_ip = ip;
  return false;
}

curl_socket_t on_open_socket(void* data, curlsocktype, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(data);
  return guarded<curl_socket_t>(exchange, CURL_SOCKET_BAD, [&]() -> curl_socket_t {
    std::array<char, NI_MAXHOST> ip{};
    if (getnameinfo(&address->addr, address->addrlen, ip.data(), ip.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0) {
      return CURL_SOCKET_BAD;
    }
    if (!address_allowed(exchange, ip.data())) return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  });
}

#if LIBCURL_VERSION_NUM >= 0x075000
// A kept-alive connection opens no socket, so its peer is checked here.
int on_before_request(void* data, char* peer_ip, char*, int, int) {
  auto& exchange = *static_cast<Exchange*>(data);
  return guarded<int>(exchange, CURL_PREREQFUNC_ABORT, [&] {
    if (address_allowed(exchange, peer_ip)) return CURL_PREREQFUNC_OK;
    exchange.stop = Stop::policy;
    return CURL_PREREQFUNC_ABORT;
  });
}
#endif

size_t on_header(char* bytes, size_t, size_t size, void* data) {
  auto& exchange = *static_cast<Exchange*>(data);
  return guarded<size_t>(exchange, 0, [&]() -> size_t {
    exchange.header_bytes += size;
    if (exchange.header_bytes > kMaxHeaderBytes) {
      exchange.stop = Stop::header_limit;
      return 0;
    }
    const std::string_view line(bytes, size);
    auto& headers = exchange.response.headers;
    if (line.starts_with("HTTP/")) headers.clear();  // what came before was a 100 Continue
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.starts_with("HTTP/")) return size;
    headers.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
    return size;
  });
}

size_t on_body(char* bytes, size_t, size_t size, void* data) {
  auto& exchange = *static_cast<Exchange*>(data);
  const auto& request = exchange.request;
  return guarded<size_t>(exchange, 0, [&]() -> size_t {
    exchange.body_bytes += size;
    if (exchange.body_bytes > request.max_response_bytes) {
      exchange.stop = Stop::body_limit;
      return 0;
    }
    if (!request.on_body) {
      exchange.response.body.append(bytes, size);
    } else if (!request.on_body({bytes, size})) {
      exchange.stop = Stop::consumer;
      return 0;
    }
    return size;
  });
}

bool is_token(std::string_view text) {
  constexpr std::string_view symbols = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           symbols.find(c) != std::string_view::npos;
  });
}

Status check_request(const Request& request) {
  if (!is_token(request.method)) {
    return Error::invalid_input("'" + request.method + "' is no HTTP method");
  }
  for (const auto& [name, value] : request.headers) {
    constexpr std::string_view forbidden("\r\n\0", 3);
    if (is_token(name) && value.find_first_of(forbidden) == std::string::npos) continue;
    return Error::invalid_input("the header '" + std::string(is_token(name) ? name : "") +
                                    "' has a name or value that HTTP cannot carry",
                                "remove line breaks and spaces from it");
  }
  return Status::success();
}

HeaderList header_list(const Request& request) {
  HeaderList list;
  const auto add = [&](const std::string& line) {
    list.reset(curl_slist_append(list.release(), line.c_str()));
  };
  for (const auto& [name, value] : request.headers) {
    add(value.empty() ? name + ";" : name + ": " + value);  // "name;": libcurl's empty value
  }
  if (!find_header(request.headers, "Content-Type")) add("Content-Type:");  // no form type
  if (!find_header(request.headers, "Expect")) add("Expect:");              // no second of waiting
  if (!find_header(request.headers, "User-Agent")) add("User-Agent: slipway");
  return list;
}

void set_method(CURL* easy, const Request& request) {
  const bool sends_body = !request.body.empty() || request.method == "POST" ||
                          request.method == "PUT" || request.method == "PATCH";
  if (sends_body) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  } else if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_limits(CURL* easy, const Request& request) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout_ms));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout_ms));
#if LIBCURL_VERSION_NUM >= 0x075700
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a name that is looked up is not waited for
#endif
}

void set_callbacks(CURL* easy, Exchange& exchange) {
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange.detail.data());
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &exchange);
#if LIBCURL_VERSION_NUM >= 0x075000
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &exchange);
#else
  // Without that hook only a connection of its own is known to have passed the policy.
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, exchange.request.address_policy ? 1L : 0L);
#endif
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
}

// Drives the transfer itself rather than curl_easy_perform, which looks up only once a second.
CURLcode transfer(Channel& channel, Exchange& exchange) {
  CURLM* multi = channel.multi.get();
  if (curl_multi_add_handle(multi, channel.easy.get()) != CURLM_OK) return CURLE_FAILED_INIT;
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  while (true) {
    if (exchange.request.cancel.cancelled()) {
      exchange.stop = Stop::cancelled;
      break;
    }
    int running = 0;
    if (curl_multi_perform(multi, &running) != CURLM_OK) code = CURLE_FAILED_INIT;
    if (running == 0 || code == CURLE_FAILED_INIT) break;
    curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr);
  }
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &queued)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  curl_multi_remove_handle(multi, channel.easy.get());  // an unfinished transfer is closed
  return code;
}

Error connect_error(CURL* easy, const std::string& peer) {
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  const std::string why = number == 0 ? "no address answers"
                                      : std::generic_category().message(static_cast<int>(number));
  return Error::unavailable("cannot connect to " + peer + ": " + why,
                            "start the server, or correct host and port");
}

Error timeout_error(CURL* easy, const Request& request, const std::string& peer) {
  curl_off_t sent_us = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
  if (sent_us == 0) {
    const int limit = request.timeout_ms == 0
                          ? request.connect_timeout_ms
                          : std::min(request.connect_timeout_ms, request.timeout_ms);
    return Error::timeout("no connection to " + peer + " within " + std::to_string(limit) + " ms",
                          "check host and port, or raise the time limit");
  }
  return Error::timeout(
      peer + " did not finish its answer within " + std::to_string(request.timeout_ms) + " ms",
      "raise the time limit, or see what keeps the server busy");
}

Error transfer_error(CURLcode code, CURL* easy, const Exchange& exchange, const Url& url) {
  const std::string peer = url.authority();
  const std::string detail =
      exchange.detail[0] ? exchange.detail.data() : curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return Error::unavailable("cannot find the host of " + peer,
                                "check the spelling and the network");
    case CURLE_COULDNT_CONNECT:
      return connect_error(easy, peer);
    case CURLE_OPERATION_TIMEDOUT:
      return timeout_error(easy, exchange.request, peer);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return Error::unavailable("the certificate of " + peer + " is not trusted: " + detail,
                                "install the issuer's certificate on this machine");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
      return Error::unavailable("no TLS connection to " + peer + ": " + detail,
                                "is this port https, or plain http?");
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
      return Error::unavailable(peer + " closed the connection before its answer was complete",
                                "try again; if it repeats, read the server's log");
    case CURLE_OUT_OF_MEMORY:
      return Error::exhausted("out of memory while talking to " + peer);
    default:
      return Error::unavailable("the exchange with " + peer + " failed: " + detail,
                                "is this an HTTP server?");
  }
}

// Why we stopped the transfer ourselves, if we did.
std::optional<Error> own_error(const Exchange& exchange, CURLcode code, const Url& url) {
  const std::string peer = url.authority();
  const bool refused = code == CURLE_COULDNT_CONNECT && !exchange.refused_ip.empty();
  if (exchange.stop == Stop::policy || refused) {
    return Error::permission_denied(
        peer + " leads to " + exchange.refused_ip + ", an address that policy forbids",
        "allow the host explicitly if it is meant to be reached");
  }
  switch (exchange.stop) {
    case Stop::cancelled:
      return Error::cancelled();
    case Stop::body_limit:
      return Error::exhausted("the answer of " + peer + " is longer than " +
                                  std::to_string(exchange.request.max_response_bytes) + " bytes",
                              "ask for less, or raise the limit");
    case Stop::header_limit:
      return Error::exhausted("the headers of " + peer + " are longer than " +
                              std::to_string(kMaxHeaderBytes) + " bytes");
    case Stop::callback_threw:
      return Error::internal("a callback failed while talking to " + peer + ": " + exchange.thrown);
    default:
      return std::nullopt;
  }
}

}  // namespace

const std::string* find_header(const Headers& headers, std::string_view name) {
  const std::string wanted = to_lower(name);
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& header) {
    return header.first.size() == wanted.size() && to_lower(header.first) == wanted;
  });
  return found == headers.end() ? nullptr : &found->second;
}

struct Client::Impl {
  std::mutex mutex;
  std::vector<std::unique_ptr<Channel>> idle;  // oldest first

  std::unique_ptr<Channel> take(const std::string& origin) {
    {
      const std::lock_guard lock(mutex);
      const auto found = std::find_if(idle.rbegin(), idle.rend(), [&](const auto& channel) {
        return channel->origin == origin;
      });
      if (found != idle.rend()) {
        auto channel = std::move(*found);
        idle.erase(std::next(found).base());
        return channel;
      }
    }
    auto channel = std::make_unique<Channel>();
    channel->origin = origin;
    return channel;
  }

  void give_back(std::unique_ptr<Channel> channel) {
    std::unique_ptr<Channel> evicted;  // closes after the lock is released
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(channel));
    if (idle.size() <= kMaxIdleConnections) return;
    evicted = std::move(idle.front());
    idle.erase(idle.begin());
  }
};

Client::Client() : impl_(std::make_unique<Impl>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

Client::~Client() = default;

Result<Response> Client::send(const Request& request) {
  SLIPWAY_CHECK(check_request(request));
  SLIPWAY_TRY(url, parse_url(request.url));
  if (request.cancel.cancelled()) return Error::cancelled();
  const double start = steady_ms();
  auto channel = impl_->take(url.origin());
  CURL* easy = channel->easy.get();
  if (!easy || !channel->multi) return Error::exhausted("no memory for a connection");
  Exchange exchange{.request = request};
  const HeaderList headers = header_list(request);
  curl_easy_setopt(easy, CURLOPT_URL, url.text().c_str());  // as we parsed it, nothing else
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  set_limits(easy, request);
  set_method(easy, request);
  set_callbacks(easy, exchange);

  const CURLcode code = transfer(*channel, exchange);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  std::optional<Error> error;
  if (code != CURLE_OK && exchange.stop != Stop::consumer) {
    error = own_error(exchange, code, url);
    if (!error) error = transfer_error(code, easy, exchange, url);
  }
  curl_easy_reset(easy);  // drops every pointer into this frame, keeps the connection
  impl_->give_back(std::move(channel));
  if (error) return *error;
  exchange.response.status = static_cast<int>(status);
  exchange.response.elapsed_ms = steady_ms() - start;
  return std::move(exchange.response);
}

}  // namespace slipway::http
