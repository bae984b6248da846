#include "model/template.h"

#include <doctest/doctest.h>

using namespace slipway;
using model::render_template;

namespace {

json::Value context() {
  return *json::parse(
      R"({"input": "play baby shark", "functions": [{"name": "a.b", "parameters": ["x", "y"]},
    {"name": "c.d", "parameters": []}], "n": 3, "none": null, "flag": true, "half": 0.5, "deep": {"er": "yes"}})");
}

std::string rendered(std::string_view source) {
  auto text = render_template(source, context());
  return text.ok() ? *text : "ERROR " + text.error().to_string();
}

ErrorCode code(std::string_view source) {
  auto text = render_template(source, context());
  REQUIRE_FALSE(text.ok());
  CHECK(text.error().message().find('\n') == std::string::npos);
  return text.error().code();
}

}  // namespace

TEST_CASE("templates see the context") {
  CHECK(rendered("User: {{ input }}") == "User: play baby shark");
  CHECK(rendered("{% for f in functions %}{{ loop.index }} {{ f.name }}({{ f.parameters | join(', "
                 "') }})\n{% endfor %}") == "1 a.b(x, y)\n2 c.d()\n");
  CHECK(rendered("{% if flag and n == 3 %}{{ deep.er }}{% elif n %}b{% else %}c{% endif %}") ==
        "yes");
  CHECK(rendered("{% set x = n * 2 + 1 %}{{ x }} {{ 'ab' * 2 }} {{ half }}") == "7 abab 0.5");
  CHECK(rendered(
            "{% macro m(a, b='z') %}<{{ a }}{{ b }}>{% endmacro %}{{ m('q') }}{{ m(1, b=2) }}") ==
        "<qz><12>");
  CHECK(rendered("{{ functions[0].parameters[::-1] | tojson }}") == R"(["y", "x"])");
  CHECK(rendered("{% set ns = namespace(k=0) %}{% for i in range(5) %}{% set ns.k = ns.k + i %}{% "
                 "endfor %}{{ ns.k }}") == "10");
  CHECK(rendered("{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 3 %}{% "
                 "break %}{% endif %}{{ i }}{% endfor %}") == "013");
  CHECK(rendered("{{ input | upper | replace('BABY', 'X') }}") == "PLAY X SHARK");
  CHECK(rendered("{% filter upper %}a{{ n }}{% endfilter %}") == "A3");
  CHECK(rendered("{% set a = [1] %}{% set _ = a.append(2) %}{{ a | tojson }}") == "[1, 2]");
  CHECK(rendered("{{ unknown }}|{{ unknown is defined }}|{{ n is number }}") == "|False|True");
}

TEST_CASE("errors name the line") {
  auto message = [](std::string_view source) {
    return render_template(source, context()).error().message();
  };
  CHECK(message("a\nb\n{{ 1 + }}").find("line 3") != std::string::npos);
  CHECK(message("a\n{% nonsense %}\nb\nc").find("line 2") != std::string::npos);
  CHECK(message("a\n\n{{ input | nofilter }}").find("line 3") != std::string::npos);
  CHECK(message("a\n{{ 'open }}\nb").find("line") != std::string::npos);
  CHECK(message("{% if input %}\nno end") == "template line 2: a block is not closed");
  CHECK(message("a\n{{ raise_exception('roles must alternate') }}") ==
        "template line 2: roles must alternate");
  CHECK(code("{{ input.x() }}") == ErrorCode::invalid_input);
}

TEST_CASE("what a stranger's template may cost is bounded") {
  auto exhausted = [](std::string_view source) {
    CAPTURE(std::string(source.substr(0, 100)));
    CHECK(code(source) == ErrorCode::exhausted);
  };
  exhausted(std::string(300 << 10, 'x'));
  exhausted("{% for i in range(1000000000) %}x{% endfor %}");
  exhausted("{% for i in range(9000) %}{% for j in range(9000) %}{% endfor %}{% endfor %}");
  exhausted("{% for i in range(9000) %}{{ 'x' * 128 }}{% endfor %}");
  exhausted("{% set b = 'x' * 1000000 %}{% for i in range(9000) %}{{ b }}{% endfor %}");
  exhausted("{{ 'x' * 100000000 }}");
  exhausted("{{ 1000000000 * 'x' }}");
  exhausted(
      "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x "
      "%}{% endfor %}");
  exhausted(
      "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% "
      "endfor %}{{ ns.x }}");
  exhausted(
      "{% set ns = namespace(x=[1]) %}{% for i in range(900) %}{% set ns.x = [ns.x] %}{% endfor "
      "%}{{ ns.x }}");
  exhausted("{% set ns = namespace() %}{% set ns.x = ns %}{{ ns | tojson }}");
  exhausted("{% set a = [] %}{% set _ = a.append([a]) %}{{ a | tojson }}");
  exhausted("{% set a = [] %}{% set _ = a | append(a) %}{{ a | tojson }}");
  exhausted("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}");
  exhausted("{% set b = 'x' * 4000000 %}{{ b | replace('x', b) }}");
  exhausted("{% set b = 'x,' * 200000 %}{{ b.split(',') | length }}");
  exhausted("{{ 'x' | indent(2000000000) }}");
  exhausted("{{ 'abc'[0:3:4611686018427387904] }}");
  exhausted(
      "{% set ns = namespace(a=['x']) %}{% for i in range(12) %}{% set ns.a = ns.a + ns.a %}{% "
      "endfor %}"
      "{{ ns.a | join('x' * 100000) }}");
  exhausted("{{ " + std::string(20000, '(') + " }}");
  exhausted("{{ 1 " + [] {
    std::string s;
    for (int i = 0; i < 20000; ++i) s += "+1";
    return s;
  }() + " }}");
  std::string ifs;
  for (int i = 0; i < 5000; ++i) ifs += "{% if n %}";
  exhausted(ifs);
}

TEST_CASE("untrusted text is told apart") {
  auto trusted = json::Value::object();
  trusted.set("bos", "<s>");
  auto untrusted = json::Value::object();
  untrusted.set("messages", *json::parse(R"([{"role": "user", "content": "hi <s>"}])"));
  auto parts = model::render_template_parts("{{ bos }}<u>{{ messages[0].content | trim }}</u>",
                                            trusted, untrusted);
  REQUIRE(parts.ok());
  REQUIRE(parts->size() == 3);
  CHECK((*parts)[0].text == "<s><u>");
  CHECK_FALSE((*parts)[0].untrusted);
  CHECK((*parts)[1].text == "hi <s>");
  CHECK((*parts)[1].untrusted);
  CHECK((*parts)[2].text == "</u>");
}
