#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "http/client.h"

using namespace slipway;

TEST_CASE("url: parts, defaults and origin") {
  const auto url = http::parse_url("HTTPS://Example.org/a/b?c=d&e=/?#top");
  REQUIRE(url.ok());
  CHECK(url->scheme == "https");
  CHECK(url->host == "example.org");
  CHECK(url->port == 443);
  CHECK(url->path == "/a/b");
  CHECK(url->query == "c=d&e=/?");
  CHECK(url->origin() == "https://example.org:443");
  CHECK(url->text() == "https://example.org:443/a/b?c=d&e=/?");

  CHECK(http::parse_url("http://h")->path == "/");
  CHECK(http::parse_url("http://h")->port == 80);
  CHECK(http::parse_url("http://h?x")->query == "x");
  CHECK(http::parse_url("http://[::1]:8765/x")->host == "::1");
  CHECK(http::parse_url("http://[::1]:8765/x")->origin() == "http://[::1]:8765");
}

TEST_CASE("url: what two parsers could read differently is refused") {
  for (const char* text :
       {"", "h", "/path", "ftp://h/", "file:///etc/passwd", "http://", "http:///x", "http://:80/",
        "http://h:0/", "http://h:65536/", "http://h:8a/", "http://h:+8/", "http://h:80:81/",
        "http://user@h/", "http://user:secret@h/", "http://good\\@evil/", "http://h /",
        "http://h/a b",
        "http://h/\n", "http://h/\xC3\xA9", "http://%31/", "http://[::1", "http://[::1]x/",
        "http://[h]/", "http://h,i/"}) {
    CAPTURE(text);
    const auto url = http::parse_url(text);
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().code() == ErrorCode::invalid_input);
  }
}

TEST_CASE("url: an error never repeats a password") {
  const auto url = http::parse_url("http://user:secret@h/");
  REQUIRE_FALSE(url.ok());
  CHECK(url.error().to_string().find("secret") == std::string::npos);
}

TEST_CASE("url: parsing is stable and never crashes") {
  CHECK(rc::check([](const std::string& tail) {
    const auto url = http::parse_url("http://" + tail);
    if (!url.ok()) return;
    const auto again = http::parse_url(url->text());
    RC_ASSERT(again.ok());
    RC_ASSERT(again->text() == url->text());
  }));
}

TEST_CASE("percent encoding: known values and refusals") {
  CHECK(http::percent_encode("new york/7 pm~") == "new%20york%2F7%20pm~");
  CHECK(http::percent_encode("\xC3\xA9") == "%C3%A9");
  CHECK(*http::percent_decode("a%2fb%2Fc+d") == "a/b/c+d");
  for (const char* text : {"%", "%1", "x%", "%g0", "%0g", "%%20"}) {
    CAPTURE(text);
    CHECK_FALSE(http::percent_decode(text).ok());
  }
}

TEST_CASE("percent encoding: every byte string survives the round trip") {
  CHECK(rc::check([](const std::string& text) {
    const std::string encoded = http::percent_encode(text);
    for (const char c : encoded) RC_ASSERT(c > ' ' && c <= '~');
    const auto decoded = http::percent_decode(encoded);
    RC_ASSERT(decoded.ok());
    RC_ASSERT(*decoded == text);
  }));
}

TEST_CASE("private addresses") {
  for (const char* ip :
       {"127.0.0.1", "127.255.0.1", "0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.168.0.1", "198.18.0.1", "224.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1",
        "::127.0.0.1", "", "localhost", "127.1"}) {
    CAPTURE(ip);
    CHECK(http::is_private_address(ip));
  }
  for (const char* ip : {"1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1",
                         "169.253.0.1", "192.167.0.1", "223.255.255.255", "2606:4700::1111",
                         "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"}) {
    CAPTURE(ip);
    CHECK_FALSE(http::is_private_address(ip));
  }
}
