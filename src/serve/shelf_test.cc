#include "serve/shelf.h"

#include "serve/fixture_test.h"

using namespace slipway;
using namespace slipway::serve;

namespace {

struct Opened {
  std::vector<std::string> names;
  Shelf shelf{{.names = {"a", "b", "c"},
               .open = [this](const std::string& name) -> Result<lab::Ready> {
                 names.push_back(name);
                 if (name == "c") return Error::not_found("no adapter");
                 return lab::Ready{Fixture::candidate_named(name, 1),
                                   std::make_shared<ScriptedModel>()};
               },
               .dispatcher = nullptr,
               .confirming = nullptr,
               .most_open = 1}};
};

}  // namespace

TEST_CASE("a candidate is opened once, when it is first asked for") {
  Opened o;
  CHECK(o.shelf.peek("a") == nullptr);
  const auto first = o.shelf.get("");
  REQUIRE(first.ok());
  CHECK((*first)->candidate.name == "a");
  CHECK(*o.shelf.get("a") == *first);
  CHECK(o.shelf.peek("a") == *first);
  CHECK(o.names == std::vector<std::string>{"a"});
}

TEST_CASE("the one not used for longest makes room and lives on while it is used") {
  Opened o;
  const auto a = *o.shelf.get("a");
  REQUIRE(o.shelf.get("b").ok());
  CHECK(o.shelf.peek("a") == nullptr);
  CHECK(a->candidate.name == "a");
  REQUIRE(o.shelf.get("a").ok());
  CHECK(o.names == std::vector<std::string>{"a", "b", "a"});
}

TEST_CASE("what is not served, and what cannot be opened, is an error") {
  Opened o;
  const auto unknown = o.shelf.get("d");
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().code() == ErrorCode::not_found);
  CHECK(o.names.empty());
  CHECK(o.shelf.get("c").error().message() == "no adapter");
  CHECK(o.shelf.peek("c") == nullptr);
}

TEST_CASE("the fingerprint tells candidate and engine apart") {
  CHECK(fingerprint_of("aaaaaaaaaaaaaaaa", "x").starts_with("fp_aaaaaaaaaaaa_"));
  CHECK(fingerprint_of("a", "x") != fingerprint_of("a", "y"));
}
