"""A C++ source as the style rules see it: comments, strings and raw strings told apart from code.

    source = Source('int f() {  // "{"\\n  return 0;\\n}\\n')
    source.code        # the same lines with comments and texts blanked: braces in it are real
    source.functions   # [Function(name='int f()', first=1, last=3)]
"""
import re
from typing import NamedTuple


class Function(NamedTuple):
    name: str
    first: int
    last: int


LITERALS = re.compile(
    r"""//(?:\\\n|[^\n])*              # a line comment
      | /\*.*?\*/                      # a block comment
      | R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])*'   # not the ' of 1'000
    """,
    re.DOTALL | re.VERBOSE,
)

# What ends the head of a function: its parameters, then perhaps qualifiers or a return type.
HEAD = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|mutable|&&?)\s*)*(?:->[^;{}]+)?$")
NOT_A_FUNCTION = re.compile(
    r"^\s*(?:(?:if|for|while|switch|catch|else|do|return|namespace|class|struct|union|enum)\b"
    r"|\}|=)"
)
LABELS = re.compile(r"^\s*(?:(?:public|private|protected)\s*:|template\s*<[^;{}]*?>\s*$)\s*")


class Source:
    def __init__(self, text):
        self.lines = text.split("\n")
        self.raw_lines = set()
        self.code = LITERALS.sub(self._blank, text)
        self.code_lines = self.code.split("\n")
        self.functions = list(self._functions())

    def _blank(self, match):
        text = match.group()
        if text.startswith('R"') and "\n" in text:
            first = match.string.count("\n", 0, match.start()) + 1
            self.raw_lines.update(range(first, first + text.count("\n") + 1))
        inside = "".join("\n" if c == "\n" else " " for c in text[1:-1])
        if text[0] in "\"'":
            return text[0] + inside + text[-1]
        return '""' + inside if text.startswith("R") else " " + inside + " "

    def _functions(self):
        """Outermost bodies only: a lambda belongs to the function around it."""
        code = self._without_directives()
        stack = []  # one entry a brace: the function that it opens, or None
        head_start = 0
        for at, char in enumerate(code):
            if char == "{":
                head = code[head_start:at]
                stack.append(self._function_at(code, head, head_start))
                head_start = at + 1
            elif char == "}" and stack:
                opened = stack.pop()
                inside = any(entry is not None for entry in stack)
                if opened is not None and not inside:
                    name, first = opened
                    yield Function(name, first, code.count("\n", 0, at) + 1)
                head_start = at + 1
            elif char == ";" and not self._in_parentheses(code, head_start, at):
                head_start = at + 1

    @staticmethod
    def _in_parentheses(code, start, at):
        head = code[start:at]
        return head.count("(") > head.count(")")

    @staticmethod
    def _function_at(code, head, head_start):
        offset = len(head) - len(head.lstrip())
        stripped = head.strip()
        while label := LABELS.match(head[offset:]):
            if label.end() == 0:
                break
            offset += label.end()
            stripped = head[offset:].strip()
        if "(" not in stripped or not HEAD.search(stripped) or NOT_A_FUNCTION.match(stripped):
            return None
        first = code.count("\n", 0, head_start + offset) + 1
        return " ".join(stripped.split())[:60], first

    def _without_directives(self):
        kept, continued = [], False
        for line in self.code.split("\n"):
            directive = continued or line.lstrip().startswith("#")
            kept.append("" if directive else line)
            continued = directive and line.endswith("\\")
        # Positions do not matter, line numbers do.
        return "\n".join(kept)
