#include "serve/shelf.h"

#include "serve/fixture_test.h"

using namespace slipway;
using namespace slipway::serve;

namespace {

// "a", "b" and "tuned" take 10 bytes of their own; the weights of "a" and "tuned" are the same 50
// bytes, those of "b" others. "big" takes 500. "twin" is answered by the model of "a". "c" cannot
// be opened.
struct Opened {
  explicit Opened(uint64_t memory_bytes)
      : shelf({.names = {"a", "b", "c", "tuned", "big", "twin"},
               .open = [this](const std::string& name) { return open(name); },
               .dispatcher = nullptr,
               .confirming = nullptr,
               .memory_bytes = memory_bytes,
               .on_note = [this](const std::string& note) { notes.push_back(note); }}) {}

  Result<lab::Ready> open(const std::string& name) {
    names.push_back(name);
    if (name == "c") return Error::not_found("no adapter");
    auto model = std::make_shared<ScriptedModel>();
    model->takes = {name == "b" ? others : weights, 50, name == "big" ? uint64_t{450} : 10};
    if (name == "a") first = model;
    if (name == "twin") model = first.lock();
    return lab::Ready{Fixture::candidate_named(name, 1), model};
  }
  bool on_it(const std::string& name) const { return shelf.peek(name) != nullptr; }

  std::shared_ptr<int> weights = std::make_shared<int>(1), others = std::make_shared<int>(2);
  std::weak_ptr<ScriptedModel> first;
  std::vector<std::string> names, notes;
  Shelf shelf;
};

}  // namespace

TEST_CASE("a candidate is opened once, when it is first asked for") {
  Opened o(1000);
  CHECK(o.shelf.peek("a") == nullptr);
  const auto first = o.shelf.get("");
  REQUIRE(first.ok());
  CHECK((*first)->candidate.name == "a");
  CHECK(*o.shelf.get("a") == *first);
  CHECK(o.shelf.peek("a") == *first);
  CHECK(o.names == std::vector<std::string>{"a"});
}

TEST_CASE("those not used for longest make room and live on while they are used") {
  Opened o(130);
  const auto a = *o.shelf.get("a");
  REQUIRE(o.shelf.get("b").ok());
  CHECK(o.shelf.use().bytes == 120);
  REQUIRE(o.shelf.get("tuned").ok());
  CHECK(o.shelf.use().bytes == 130);  // the weights of "a" are there already
  REQUIRE(o.shelf.get("a").ok());
  REQUIRE(o.shelf.get("twin").ok());  // all of it is there
  CHECK(o.shelf.use().open == 4);
  CHECK(o.shelf.use().bytes == 130);
  REQUIRE(o.shelf.get("a").ok());
  REQUIRE(o.shelf.get("big").ok());
  CHECK(o.shelf.use().open == 1);
  CHECK(a->candidate.name == "a");
  CHECK(o.names == std::vector<std::string>{"a", "b", "tuned", "twin", "big"});
}

TEST_CASE("no more go than must") {
  Opened o(110);
  REQUIRE(o.shelf.get("b").ok());
  REQUIRE(o.shelf.get("a").ok());
  CHECK_FALSE(o.on_it("b"));
  REQUIRE(o.shelf.get("tuned").ok());
  CHECK(o.on_it("a"));
  REQUIRE(o.shelf.get("b").ok());  // neither of the others fits beside it
  CHECK(o.shelf.use().open == 1);
  Opened p(120);
  for (const char* name : {"b", "a", "b", "tuned"}) REQUIRE(p.shelf.get(name).ok());
  CHECK(p.on_it("b"));  // used after "a", though opened before
  CHECK_FALSE(p.on_it("a"));
  CHECK(p.on_it("tuned"));
  CHECK(p.notes.empty());
}

TEST_CASE("one that takes more than there is alone is served, with a note") {
  Opened o(400);
  REQUIRE(o.shelf.get("a").ok());
  CHECK(o.notes.empty());
  const auto big = o.shelf.get("big");
  REQUIRE(big.ok());
  CHECK(o.on_it("big"));
  CHECK(o.shelf.use().open == 1);
  CHECK(o.shelf.use().bytes == 500);
  REQUIRE(o.notes.size() == 1);
  CHECK(o.notes[0].find("'big' alone takes") == 0);
  REQUIRE(o.shelf.get("a").ok());
  CHECK_FALSE(o.on_it("big"));
}

TEST_CASE("what is not served, and what cannot be opened, is an error") {
  Opened o(1000);
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
