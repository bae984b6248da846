"""The rules of our style, each a function from a file to its violations.

    for rule in RULES:
        for line, what in rule(File("src/base/ids.cc", text)):
            ...

check_test.py shows a text that breaks each of them.
"""
import ast
import re
from functools import cached_property

from source import Source

LAYERS = ("base json http store model skill dataset candidate eval tune speech lab serve cli").split()
MOST_COLUMNS = 100
MOST_FUNCTION_LINES = 60
MOST_FILE_LINES = 500

STANDARD_HEADERS = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfloat charconv chrono cinttypes
climits cmath compare complex concepts condition_variable coroutine csignal cstdarg cstddef cstdint
cstdio cstdlib cstring ctime cwchar cwctype deque exception filesystem format forward_list fstream
functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list
locale map memory memory_resource mutex new numbers numeric optional ostream queue random ranges
ratio regex semaphore set shared_mutex source_location span sstream stack stdexcept stop_token
streambuf string string_view syncstream system_error thread tuple type_traits typeindex typeinfo
unordered_map unordered_set utility valarray variant vector version
""".split())

# Spelt in halves, so that this file does not break its own rule.
LEFTOVERS = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK"]) + r")\b")

ENVIRONMENT = re.compile(
    r"\bstd::(?:cerr|cout|clog|cin)\b|(?<![\w.>:])(?:std::|::)?"
    r"(?:printf|fprintf|puts|fputs|exit|quick_exit|getenv|setenv)\s*\("
)
FORBIDDEN = [
    (re.compile(r"\bnew\b\s*[\w:(]"), "`new`: use std::make_unique or a container"),
    (re.compile(r"(?<!=)(?<!= )\bdelete\b\s*(?:\[\s*\]\s*)?[\w:*(]"), "`delete`: let an owner do it"),
    (re.compile(r"\bstd::thread\b(?!\s*::)"), "std::thread: use std::jthread"),
]

# (path, rule): why it may be broken there. One that is no longer needed is a violation itself.
EXCEPTIONS = {
    ("src/base/process.cc", "touches_process"): "PATH, as every shell reads it",
    ("src/model/llama_load.cc", "touches_process"): "ggml has no other switch (decision 6)",
    ("src/model/llama_template.cc", "forbidden_construct"): "llama.cpp's Jinja knows only exceptions",
    ("src/model/template_guard.cc", "forbidden_construct"): "llama.cpp's Jinja knows only exceptions",
}


class File:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.is_header = path.endswith((".h", ".hpp"))
        self.is_cpp = self.is_header or path.endswith((".cc", ".cpp"))
        self.is_python = path.endswith(".py") or self.lines[0].startswith("#!/usr/bin/env python3")
        self.is_shell = path.endswith(".sh") or self.lines[0].endswith("bash")
        self.is_prose = path.endswith(".md")
        name = path.rsplit("/", 1)[-1]
        self.is_test = path.startswith("tests/") or re.search(r"(^|_)test(_|\.|$)", name) is not None

    @property
    def layer(self):
        parts = self.path.split("/")
        return parts[1] if parts[0] == "src" and len(parts) > 2 else None

    @cached_property
    def source(self):
        return Source(self.text)

    def code(self):
        return enumerate(self.source.code_lines, 1) if self.is_cpp else ()


def too_wide(file):
    if not file.is_cpp:
        return
    for number, line in enumerate(file.lines, 1):
        if len(line) > MOST_COLUMNS and number not in file.source.raw_lines:
            yield number, f"{len(line)} columns; at most {MOST_COLUMNS}"


def function_too_long(file):
    for name, first, last in functions_of(file):
        if last - first + 1 > MOST_FUNCTION_LINES:
            yield first, f"{name}: {last - first + 1} lines; at most {MOST_FUNCTION_LINES}"


def functions_of(file):
    if file.is_cpp:
        yield from file.source.functions
    elif file.is_python:
        for node in ast.walk(ast.parse(file.text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.name, node.lineno, node.end_lineno
    elif file.is_shell:
        first = None
        for number, line in enumerate(file.lines, 1):
            if match := re.match(r"(\w+)\(\) \{$", line):
                first, name = number, match.group(1)
            elif line == "}" and first:
                yield name, first, number
                first = None


def file_too_long(file):
    count = len(file.lines) - 1
    if not file.is_prose and count > MOST_FILE_LINES:
        yield count, f"{count} lines; at most {MOST_FILE_LINES}"


def header_without_paragraph(file):
    if file.is_header and not file.lines[0].startswith("// "):
        yield 1, "a header begins with a // paragraph that says what it is"


def header_without_once(file):
    if not file.is_header:
        return
    once = [n for n, line in enumerate(file.lines, 1) if line == "#pragma once"]
    first = next((n for n, line in file.code() if line.lstrip().startswith("#include")), None)
    if not once or (first and once[0] > first):
        yield 1, "#pragma once is missing before the first #include"


def third_party_in_header(file):
    if not file.is_header or file.is_test:
        return
    for number, line in enumerate(file.lines, 1):
        match = re.match(r"\s*#\s*include\s*<([^>]+)>", line)
        if match and match.group(1) not in STANDARD_HEADERS:
            yield number, f"<{match.group(1)}> in a header; keep it in a .cc file"


def include_downwards(file):
    if not file.is_cpp or not file.layer:
        return
    if file.layer not in LAYERS:
        yield 1, f"'{file.layer}' is no layer"
        return
    for number, line in enumerate(file.lines, 1):
        match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not match:
            continue
        other = match.group(1).split("/")[0]
        if "/" not in match.group(1) or other not in LAYERS:
            yield number, f'"{match.group(1)}" is not written relative to src/'
        elif LAYERS.index(other) > LAYERS.index(file.layer):
            yield number, f"{file.layer} includes {other}, which is below it"


def leftover(file):
    for number, line in enumerate(file.lines, 1):
        if match := LEFTOVERS.search(line):
            yield number, f"{match.group()}: finish it, or say it in an issue"
        if file.is_cpp and re.match(r"\s*#\s*if\s+0\b", line):
            yield number, "#if 0: remove dead code"


def touches_process(file):
    if file.is_test or not file.path.startswith("src/") or file.layer == "cli":
        return
    for number, line in file.code():
        if match := ENVIRONMENT.search(line):
            what = match.group().rstrip("( ")
            yield number, f"{what}: library code never prints, exits or reads the environment"


def forbidden_construct(file):
    for number, line in file.code():
        # A smart pointer around it, at once, is how a private constructor is called.
        plain = re.sub(r"_ptr<[\w:<>]*>( \w+)?\(new\b", "_ptr<>(owned", line)
        for pattern, what in FORBIDDEN:
            if pattern.search(plain):
                yield number, what
        if not file.is_test and re.search(r"\bthrow\b", line):
            yield number, "throw: return an Error"


def trailing_space(file):
    for number, line in enumerate(file.lines, 1):
        if line != line.rstrip():
            yield number, "trailing white space"


def tab(file):
    for number, line in enumerate(file.lines, 1):
        if "\t" in line:
            yield number, "a tab; indent with spaces"


def no_final_newline(file):
    if not file.text.endswith("\n"):
        yield len(file.lines), "no line end at the end of the file"
    elif file.text.endswith("\n\n"):
        yield len(file.lines) - 1, "empty lines at the end of the file"


RULES = [
    too_wide, function_too_long, file_too_long, header_without_paragraph, header_without_once,
    third_party_in_header, include_downwards, leftover, touches_process, forbidden_construct,
    trailing_space, tab, no_final_newline,
]
