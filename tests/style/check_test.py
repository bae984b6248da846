#!/usr/bin/env python3
"""Every rule of the style test fires on a text that breaks it, and on nothing that does not."""
import sys
import unittest

sys.dont_write_bytecode = True
from check import violations  # noqa: E402
from rules import RULES  # noqa: E402
from source import Source  # noqa: E402

HEADER = "// What it is.\n#pragma once\n\n"
LONG_BODY = "  step();\n" * 60

# rule -> [(path, text, the line it must name)]
BAD = {
    "too_wide": [("src/base/a.cc", "int x;  // " + "é" * 90 + "\n", 1)],
    "function_too_long": [
        ("src/base/a.cc", "int f(int a,\n      int b) {\n" + LONG_BODY + "}\n", 1),
        ("src/base/a.h", HEADER + "class A {\n public:\n  void f() const {\n" + LONG_BODY + "  }\n};\n", 6),
        ("src/base/a_test.cc", 'TEST_CASE("a {") {\n' + LONG_BODY + "}\n", 1),
        ("src/base/a.cc", "A::A() : b_{1}, c_(2) {\n" + LONG_BODY + "}\n", 1),
        ("src/base/a.cc", "auto f() -> Result<int> {\n" + LONG_BODY + "}\n", 1),
        ("bench/a.py", "def f():\n" + "    step()\n" * 61, 1),
        ("scripts/a.sh", "f() {\n" + LONG_BODY + "}\n", 1),
    ],
    "file_too_long": [("src/base/a.cc", "int x;\n" * 501, 501), ("src/CMakeLists.txt", "a()\n" * 501, 501)],
    "header_without_paragraph": [("src/base/a.h", "#pragma once\n", 1)],
    "header_without_once": [
        ("src/base/a.h", "// A.\n#include <map>\n", 1),
        ("src/base/a.h", "// A.\n#include <map>\n#pragma once\n", 1),
    ],
    "third_party_in_header": [
        ("src/base/a.h", HEADER + "#include <fmt/core.h>\n", 4),
        ("src/base/a.h", HEADER + "#include <sqlite3.h>\n", 4),
        ("examples/home/a.h", HEADER + "#include <unistd.h>\n", 4),
    ],
    "include_downwards": [
        ("src/http/a.cc", '#include "store/store.h"\n', 1),
        ("src/base/a_test.cc", '#include "json/value.h"\n', 1),
        ("src/base/a.cc", '#include "ids.h"\n', 1),
        ("src/nowhere/a.cc", "int x;\n", 1),
    ],
    "leftover": [
        ("src/base/a.cc", "int x;  // TO" "DO: more\n", 1),
        ("docs/a.md", "FIX" "ME\n", 1),
        ("scripts/a.sh", "# XX" "X\n", 1),
        ("cmake/a.cmake", "# a HA" "CK\n", 1),
        ("src/base/a.cc", "#if 0\nint x;\n#endif\n", 1),
    ],
    "touches_process": [
        ("src/base/a.cc", 'void f() { std::cerr << "x"; }\n', 1),
        ("src/base/a.cc", 'void f() { printf("x"); }\n', 1),
        ("src/base/a.cc", "void f() { std::exit(1); }\n", 1),
        ("src/base/a.cc", 'void f() { ::getenv("x"); }\n', 1),
    ],
    "forbidden_construct": [
        ("src/base/a.cc", "auto* x = new Thing();\n", 1),
        ("src/base/a.cc", "keep(new Thing);\n", 1),
        ("src/base/a.cc", "void f() { delete x; }\n", 1),
        ("src/base/a.cc", "void f() { delete[] x; }\n", 1),
        ("src/base/a.cc", "std::thread x;\n", 1),
        ("src/base/a.cc", "void f() { throw 1; }\n", 1),
    ],
    "trailing_space": [("docs/a.md", "a \n", 1), ("src/base/a.cc", "int x;\r\n", 1)],
    "tab": [("scripts/a.sh", "if a; then\n\tb\nfi\n", 2)],
    "no_final_newline": [("src/base/a.cc", "int x;", 1), ("docs/a.md", "a\n\n", 2)],
}

GOOD = [
    ("src/store/a.cc", '#include "store/a.h"\n\n#include <sqlite3.h>\n\n#include "base/ids.h"\n'),
    ("src/base/a.h", HEADER + "#include <vector>\n\nclass A {\n  A(const A&) = delete;\n};\n"),
    ("src/base/a.cc", "// a new thing; throw it away, printf( and delete it\n"),
    ("src/base/a.cc", 'auto a = "new thing throw printf( std::cerr {{{";\n'),
    ("src/base/a.cc", 'auto a = R"x(\n' + "z" * 200 + '\nnew A" throw {\n)x";\n'),
    ("src/base/a.cc", "int n = 10'000; char c = '{'; auto k = std::thread::hardware_concurrency();\n"),
    ("src/base/a.cc", "void f() { ::_exit(127); snprintf(b, 1, c); context.exit(1); }\n"),
    ("src/base/a.cc", "std::unique_ptr<A> a(new A); return std::shared_ptr<B>(new B(1));\n"),
    ("src/cli/a.cc", 'void f() { std::cout << std::getenv("x"); }\n'),
    ("src/base/a_test.cc", "void f() { throw 1; std::cout << 1; }\n"),
    ("src/base/a.cc", "void f() {\n" + "  a();\n" * 58 + "}\nvoid g() {\n" + "  a();\n" * 58 + "}\n"),
    ("src/base/a.cc", "namespace a {\nstruct B {\n" + "  int x;\n" * 80 + "};\n}\n"),
    ("src/base/a.cc", "const A table[] = {\n" + '    {f(1), "x"},\n' * 80 + "};\n"),
    ("docs/a.md", "| " + "wide " * 40 + "|\n"),
]


class StyleTest(unittest.TestCase):
    def test_every_rule_has_a_text_that_breaks_it(self):
        self.assertEqual(set(BAD), {rule.__name__ for rule in RULES})

    def test_every_rule_fires_on_its_line(self):
        for rule, texts in BAD.items():
            for path, text, line in texts:
                with self.subTest(rule=rule, text=text[:60]):
                    found = {(name, number) for number, name, _ in violations(path, text)}
                    self.assertIn((rule, line), found)

    def test_every_rule_fires_alone(self):
        for rule, texts in BAD.items():
            for path, text, _ in texts:
                with self.subTest(rule=rule, text=text[:60]):
                    self.assertEqual({rule}, {name for _, name, _ in violations(path, text)})

    def test_good_texts_pass(self):
        for path, text in GOOD:
            with self.subTest(text=text[:60]):
                self.assertEqual([], list(violations(path, text)))

    def test_functions_are_found_where_they_are(self):
        text = "namespace a {\nint f() {\n  auto g = [](int x) {\n    return x;\n  };\n  return 1;\n}\n}\n"
        self.assertEqual([("int f()", 2, 7)], [tuple(f) for f in Source(text).functions])


if __name__ == "__main__":
    unittest.main()
