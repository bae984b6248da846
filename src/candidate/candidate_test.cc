#include "candidate/candidate.h"

#include <doctest/doctest.h>

using namespace slipway;
using namespace slipway::candidate;

namespace {

Candidate plain() {
  Candidate c;
  c.name = "a";
  c.model = {"m", "00ff", {}};
  c.prompt = {"p", "{{ input }}"};
  c.skills = std::make_shared<skill::SkillSet>();
  return c;
}

}  // namespace

TEST_CASE("the id is the hash of the parts and of nothing else") {
  const auto a = plain();
  auto renamed = plain();
  renamed.name = "b";
  CHECK(a.id() == renamed.id());
  CHECK(a.id().size() == 64);

  auto prompt = plain();
  prompt.prompt.source += " ";
  CHECK(prompt.id() != a.id());
  auto decoding = plain();
  decoding.decoding.max_tokens += 1;
  CHECK(decoding.id() != a.id());
  auto adapter = plain();
  adapter.model.adapter_sha256 = {"11"};
  CHECK(adapter.id() != a.id());
  auto constrained = plain();
  constrained.constrain = true;
  CHECK(constrained.id() != a.id());
}

TEST_CASE("a candidate without known weights is unpinned") {
  auto c = plain();
  CHECK(c.pinned());
  c.model.weights_sha256.clear();
  CHECK_FALSE(c.pinned());
}

TEST_CASE("a request carries messages, decoding and the constraint") {
  auto c = plain();
  c.decoding.stop = {"\n"};
  auto request = make_request(c, {.text = "hello"}, nullptr);
  REQUIRE(request.ok());
  CHECK(request->messages.at(0).content == "hello");
  CHECK(request->decoding.stop.at(0) == "\n");
  CHECK(request->constraint == nullptr);
}
