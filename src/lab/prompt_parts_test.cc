#include "lab/prompt_parts.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace slipway::lab {
namespace {

constexpr const char* kPrompt =
    "Write the one call. Nothing else.\n\n{% for f in functions -%}\n{{ f.signature }}\n"
    "{% endfor %}\nrequest: dim the study\ncall: lights.dim(room='study')\n\n"
    "request: stop\ncall: radio.stop()\nmusic.stop()\n\n"
    "{% if context.room -%}\nroom: {{ context.room }}\n{% endif -%}\nrequest: {{ input }}\ncall:";

TEST_CASE("a prompt is taken apart and put together again, byte by byte") {
  const auto parts = PromptParts::of(kPrompt);
  REQUIRE(parts.ok());
  CHECK(parts->instructions == "Write the one call. Nothing else.\n");
  REQUIRE(parts->examples.size() == 2);
  CHECK(parts->examples[0].input == "dim the study");
  CHECK(parts->examples[1].output == "radio.stop()\nmusic.stop()");
  CHECK(parts->ask == "request: ");
  CHECK(parts->answer == "call:");
  CHECK(parts->source() == kPrompt);
}

TEST_CASE("examples can be exchanged; a prompt without any has a place for them") {
  auto parts = PromptParts::of("Do it.\n\nrequest: {{ input }}\ncall:\n");
  REQUIRE(parts.ok());
  parts->examples = {{"stop", "radio.stop()"}};
  const auto source = parts->source();
  CHECK(source == "Do it.\n\nrequest: stop\ncall: radio.stop()\n\nrequest: {{ input }}\ncall:\n");
  CHECK(PromptParts::of(source)->examples == parts->examples);
}

TEST_CASE("other forms are refused, and what Jinja would read is no example") {
  for (const char* text : {"", "{{ input }}", "{{ input }}\n=>\n", "no input at all\n\n",
                           "=== system\nx\n=== user\nq: {{ input }}\na:\n"})
    CHECK(PromptParts::of(text).error().code() == ErrorCode::unsupported);
  CHECK_FALSE(can_be_worked({"say {{ input }}", "x()"}));
  CHECK_FALSE(can_be_worked({"two\nlines", "x()"}));
  CHECK_FALSE(can_be_worked({"x", "{# no #}"}));
  CHECK(can_be_worked({"x", "a()\nb()"}));
}

TEST_CASE("whatever a prompt says, its parts are the whole of it") {
  CHECK(rc::check("parts of random lines", [] {
    const auto line = rc::gen::element<std::string>(
        "request: stop", "call: radio.stop()", "call:", "", "Write.", "{% if x -%}", "{% endif %}",
        "request: {{ input }}", "{{ y }}", "request: a b ");
    const auto lines = *rc::gen::container<std::vector<std::string>>(line);
    std::string text;
    for (const auto& each : lines) text += each + "\n";
    const auto parts = PromptParts::of(text);
    if (parts.ok()) RC_ASSERT(parts->source() == text);
  }));
}

}  // namespace
}  // namespace slipway::lab
