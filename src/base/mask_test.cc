#include <doctest/doctest.h>

#include <random>

#include "base/text.h"

using namespace slipway;

namespace {
struct Masked {
  const char* text;
  const char* expected;
};
}  // namespace

TEST_CASE("mask: secrets disappear, what surrounds them stays") {
  const Masked cases[] = {
      {"https://x.y/z?api_key=abc&n=1", "https://x.y/z?api_key=***&n=1"},
      {"GET /a?n=1&access_token=a.b-c#top", "GET /a?n=1&access_token=***#top"},
      {"https://h/o?X-Amz-Signature=0af1&x=2", "https://h/o?X-Amz-Signature=***&x=2"},
      {"https://me:pass@host/x", "https://me:***@host/x"},
      {"tool --api-key X run", "tool --api-key *** run"},
      {"tool --api-key 'a b' run", "tool --api-key '***' run"},
      {"tool --token=X,y;z run", "tool --token=*** run"},
      {"tool --password=a&b)c", "tool --password=***"},
      {R"(["tool","--api-key","X","-v"])", R"(["tool","--api-key","***","-v"])"},
      {R"(["tool", "--token=X", "-v"])", R"(["tool", "--token=***", "-v"])"},
      {"Authorization: Bearer X", "Authorization: Bearer ***"},
      {"authorization: Basic dXNlcjpwYXNz\r\nHost: x", "authorization: Basic ***\r\nHost: x"},
      {"Authorization: Digest username=\"a\", response=\"b\"\nHost: x",
       "Authorization: Digest ***\nHost: x"},
      {"curl -H 'Authorization: Bearer X' -v", "curl -H 'Authorization: Bearer ***' -v"},
      {"curl -H \"X-Api-Key: X\" -v", "curl -H \"X-Api-Key: ***\" -v"},
      {R"({"Authorization": "Bearer X", "a": 1})", R"({"Authorization": "Bearer ***", "a": 1})"},
      {"FOO_API_KEY=a,b;c make", "FOO_API_KEY=*** make"},
      {"export HF_TOKEN=\"abc def\"", "export HF_TOKEN=\"***\""},
      {R"({"password": "a\"b", "n": 1})", R"({"password": "***", "n": 1})"},
      {R"({"clientSecret":"x","apiKey":"y"})", R"({"clientSecret":"***","apiKey":"***"})"},
      {R"("{\"password\": \"x y\", \"n\": 1}")", R"("{\"password\": \"***\", \"n\": 1}")"},
      {R"({"password": 12345})", R"({"password": ***})"},
      {"password: hunter2", "password: ***"},
      {"db_pass = \"x\"", "db_pass = \"***\""},
      {"the key sk-proj-abcd1234EFGH is", "the key *** is"},
      {"(ghp_0123456789abcdefABCD)", "(***)"},
      {"got Bearer abcd1234efgh5678 from", "got Bearer *** from"},
      {"jwt eyJhbGci.eyJzdWIi.c2ln_x end", "jwt *** end"},
      {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nafter",
       "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nafter"},
      {"+api_key = \"abc\"\n-api_key = 'def'\n context",
       "+api_key = \"***\"\n-api_key = '***'\n context"},
      {"+OPENAI_API_KEY=abc\n-  token: old1\n+  token: new2\n",
       "+OPENAI_API_KEY=***\n-  token: ***\n+  token: ***\n"},
  };
  for (const Masked& c : cases) {
    CAPTURE(c.text);
    CHECK(mask_secrets(c.text) == c.expected);
    CHECK(mask_secrets(c.expected) == c.expected);  // masking twice changes nothing
  }
}

TEST_CASE("mask: ordinary text stays as it is") {
  for (const char* text : {
           "",
           "The weather in Boston is fine; use a key to open the door.",
           "max_tokens=512&temperature=0.7",
           "--max-tokens 512 --tokenizer llama --n-predict 3",
           R"({"eos_token": "</s>", "prompt_tokens": 12, "tokens": [1, 2], "token_count": 3})",
           R"({"token": 1234, "token": null, "api_key": ""})",
           "parse error: unexpected token: '}'",
           "time per token: 12.5 ms",
           "key=value sort_key=name primary-key: id",
           "https://host:8080/path?q=a:b@c",
           "task-a1234567890 risk-b1234567890 sk-learn-like-names",
           "Bearer tokens are nice",
           "the password is wrong; no token was given",
           "PWD=/home/me KEYS=3",
           "export API_KEY=$OTHER_KEY; X_TOKEN=${MY_TOKEN}",
           "def login(password: str, token=None):",
           "-H 'X-Api-Key:' -v",
           "sha ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
       }) {
    CAPTURE(text);
    CHECK(mask_secrets(text) == text);
  }
}

TEST_CASE("mask: a diff of code keeps its shape") {
  const std::string diff =
      "diff --git a/x.py b/x.py\nindex 83db48f..bf2a1c7 100644\n--- a/x.py\n+++ b/x.py\n"
      "@@ -1,3 +1,3 @@ def main():\n-    token = get_token()\n+    token = read_token(path)\n"
      "     n = count_tokens(text)  # tokens: all\n";
  CHECK(mask_secrets(diff) == diff);
}

TEST_CASE("mask: any bytes are safe, and a planted secret never survives") {
  const std::string pieces[] = {"\"",      "'",
                                "\\",      "=",
                                ":",       " ",
                                "--",      "token",
                                "api_key", "Authorization",
                                "Bearer ", "\n",
                                "://",     "@",
                                "&",       "?",
                                "{",       "PRIVATE KEY-----",
                                "eyJa",    ".",
                                "sk-",     "\xC3"};
  std::mt19937 random(5);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (unsigned n = random() % 12; n > 0; --n) text += pieces[random() % std::size(pieces)];
    const std::string masked = mask_secrets(text + "\n--api-key=Zq81Zq81\n");
    REQUIRE(masked.find("Zq81Zq81") == std::string::npos);
  }
}
