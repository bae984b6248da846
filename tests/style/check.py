#!/usr/bin/env python3
"""Checks our own sources against our style: exit 0 when all is well, 1 with `path:line: what` a line.

    tests/style/check.py              # every tracked and every new file of the repository
    tests/style/check.py src/base     # only what lies under these
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rules import EXCEPTIONS, RULES, File  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ENDINGS = (".h", ".hpp", ".cc", ".cpp", ".cmake", "CMakeLists.txt", ".py", ".sh", ".md")
MINIMUM = 20  # fewer files mean that the listing failed


def ours(path):
    if path.endswith(ENDINGS):
        return True
    if "." in os.path.basename(path):
        return False
    with open(os.path.join(ROOT, path), "rb") as file:
        return file.read(2) == b"#!"


def listed():
    """Tracked and new files; without git, everything outside the build folder."""
    command = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, files in os.walk(ROOT):
            skipped = (".git", "build", "node_modules", ".slipway", "__pycache__")
            folders[:] = [name for name in folders if name not in skipped]
            names += [os.path.relpath(os.path.join(folder, name), ROOT) for name in files]
    present = sorted({name for name in names if os.path.isfile(os.path.join(ROOT, name))})
    return [name for name in present if ours(name)]


def violations(path, text):
    file = File(path, text)
    for rule in RULES:
        for line, what in rule(file):
            yield line, rule.__name__, what


def main(wanted):
    paths = listed()
    if len(paths) < MINIMUM:
        print(f"only {len(paths)} files found under {ROOT}: the listing is broken", file=sys.stderr)
        return 2
    if wanted:
        paths = [path for path in paths if path.startswith(tuple(wanted))]
    count, unused = 0, {key for key in EXCEPTIONS if key[0] in paths}
    for path in paths:
        with open(os.path.join(ROOT, path), encoding="utf-8", newline="") as file:
            text = file.read()
        for line, rule, what in sorted(violations(path, text)):
            if (path, rule) in EXCEPTIONS:
                unused.discard((path, rule))
                continue
            print(f"{path}:{line}: {what}")
            count += 1
    for path, rule in sorted(unused):
        print(f"{path}:1: needs no exception from {rule}; take it out of tests/style/rules.py")
        count += 1
    print(f"style: {len(paths)} files, {count} violations", file=sys.stderr)
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
