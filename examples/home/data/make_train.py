#!/usr/bin/env python3
"""Writes train.jsonl: the templates and values of grammar/ plus the rows of grammar/by_hand.txt.

    python3 make_train.py        # rewrites train.jsonl beside this file, the same bytes every time
    python3 make_train.py 0.25   # a smaller one: this part of the sections' counts

To extend it, add lines to grammar/*.txt (their heads say how). Rows too near to a row of dev.jsonl or test.jsonl
are left out. Standard library only.
"""
import json
import random
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
SEED = 20261124
SIZE = 0.5  # part of the rows a section asks for; every template is used at least once
JOINED_ROWS = 130
NEAR = 0.65  # Jaccard similarity of 3-grams from which two requests count as the same

POLITE_STARTS = ["please ", "can you ", "could you ", "could you please ", "can you please ", "would you ",
                 "i'd like you to ", "kindly "]
POLITE_ENDS = [" please", ", please", " thanks", ", thank you", ", would you", " if you can"]
FILLERS = ["hey, ", "hey ", "um ", "uh ", "ok ", "okay, ", "so ", "well ", "er, ", "hi, ", "ok so ", "um, so ",
           "hmm, ", "listen, ", "oh and ", "right, ", "quickly, ", "alright, "]
JOINERS = [" and ", " and ", " and ", " and then ", ", then ", ", and ", " and also ", ", also ", ", ", "; "]
# A request that begins so can follow "please" or "can you".
IMPERATIVES = set("""play put start spin turn switch set make create give pause hold freeze halt interrupt stop resume
continue unpause cancel delete remove drop end kill cut lower raise reduce increase bring take dim brighten fade lock
close shut secure bolt unlock open add write note schedule plan enter save block reserve read show check tell list
convert change text message send let inform notify drop shoot remember keep store light illuminate lighten activate
run shut fire heat warm cool wake remind ping alert count mute crank look get disable clear scratch erase cross strike
tune queue call scrap quit finish silence""".split())
PROPER = {"location", "title", "artist", "person", "name", "girl", "boy", "station"}  # may be said with capitals
FREE_ENDS = {"knowledge.look_up", "messages.send"}  # what follows would belong to the text


def load_functions():
    """{"music.play": {parameter: schema}} in the order of the signature."""
    functions = {}
    for path in sorted((HERE.parent / "skills").glob("*.json")):
        skill = json.loads(path.read_text())
        for tool in skill["tools"]:
            function = tool["function"]
            functions[f"{skill['name']}.{function['name']}"] = function["parameters"].get("properties", {})
    return functions


def load_values():
    values = {}
    for line in (HERE / "grammar" / "values.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, entries = line.split(":", 1)
            pairs = [entry.strip().partition("=") for entry in entries.split(" | ")]
            values[name] = [(said, value or said) for said, _, value in pairs]
    return values


def load_sections(name):
    """[(function, rows, templates)]"""
    sections = []
    for line in (HERE / "grammar" / name).read_text().splitlines():
        if line.startswith("["):
            function, rows = line.strip("[]").split()
            sections.append((function, int(rows), []))
        elif line and not line.startswith("#"):
            sections[-1][2].append(line.rstrip())
    return sections


FUNCTIONS = load_functions()
VALUES = load_values()


def canonical(function, arguments):
    """The call in canonical text (docs/format/call.md)."""
    if function == "none":
        return "none()"
    written = []
    unknown = set(arguments) - set(FUNCTIONS[function])
    if unknown:
        raise ValueError(f"{function} has no {unknown}")
    for name, schema in FUNCTIONS[function].items():
        value = arguments.get(name)
        if value is None or value == schema.get("default"):
            continue
        if schema["type"] in ("integer", "number"):
            written.append(f"{name}={value}")
        else:
            if value not in schema.get("enum", [value]):
                raise ValueError(f"{function}: {name} cannot be {value!r}")
            escaped = value.replace("\\", "\\\\").replace("'", "\\'")
            written.append(f"{name}='{escaped}'")
    return f"{function}({', '.join(written)})"


class Slots:
    """The values of one row: a slot is drawn once, and two slots never hold the same value."""

    def __init__(self, rng):
        self.rng = rng
        self.capitals = rng.random() < 0.06
        self.drawn = {}
        self.group = {}

    def draw(self, name, source):
        if name in self.drawn:
            return self.drawn[name]
        if source.endswith("*"):
            stem = source[:-1] + "_"
            source = self.group.setdefault(source, self.rng.choice([key for key in VALUES if key.startswith(stem)]))
        taken = {value for _, value in self.drawn.values()}
        free = [pair for pair in VALUES[source] if pair[1] not in taken]
        said, value = self.rng.choice(free)
        if self.capitals and source in PROPER:
            said = " ".join(word[0].upper() + word[1:] for word in said.split(" "))
        self.drawn[name] = (said, value)
        return self.drawn[name]

    def fill(self, text, which):
        """`which` 0: as said, 1: as the call holds it."""
        def one(match):
            name, _, source = match.group(1).partition(":")
            name, _, part = name.partition(".")
            return self.draw(name, source or name)[int(part) if part else which]
        return re.sub(r"<([^<>]+)>", one, text)


def choose(text, rng):
    """(a|b|) becomes one of its alternatives."""
    while "(" in text:
        text = re.sub(r"\(([^()]*)\)", lambda match: rng.choice(match.group(1).split("|")), text, count=1)
    return text


def misspell(text, rng, kept):
    """One typing error in one word of the template, never in a value nor in a word of `kept`."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha() and word not in kept]
    if not places:
        return text, False
    i = rng.choice(places)
    word, at = words[i], rng.randrange(1, len(words[i]) - 1)
    words[i] = rng.choice([word[:at] + word[at + 1:], word[:at] + word[at + 1] + word[at] + word[at + 2:],
                           word[:at] + word[at] + word[at:]])
    return " ".join(words), words[i] != word


def decorate(text, rng, tags, kept, free_end):
    """Politeness, fillers and typing errors, on the template before its slots are filled."""
    first = text.split(" ")[0]
    if rng.random() < 0.09:
        text, changed = misspell(text, rng, kept)
        tags += ["misspelt"] if changed else []
    if rng.random() < 0.24 and first in IMPERATIVES:
        text = rng.choice(POLITE_STARTS) + text
        tags.append("polite")
    elif rng.random() < 0.12 and "please" not in text and first in IMPERATIVES and not free_end:
        text += rng.choice(POLITE_ENDS)
        tags.append("polite")
    if rng.random() < 0.10:
        text = rng.choice(FILLERS) + text
        tags.append("spoken")
    elif rng.random() < 0.04 and " " in text and "<" in text and "'s" not in text:
        at = text.rindex(" ", 0, text.index("<")) if " " in text[:text.index("<")] else text.index(" ")
        text = text[:at] + rng.choice([" uh", " um,", " erm", ", uh,"]) + text[at:]
        tags.append("spoken")
    return text


def dress(text, rng):
    """Some requests are typed with care: a capital, names in capitals, a full stop."""
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\ban (?=[bcdfgj-np-tv-z])", "a ", text)
    text = re.sub(r"\ba (?=[aeio](?!ne))", "an ", text)
    if rng.random() < 0.10:
        question = re.match(r"(what|who|how|when|where|why|is|are|will|did|do|can|could|would|any)\b", text)
        text = text[0].upper() + text[1:]
        if text[-1].isalnum():
            text += "?" if question else "."
    return text


def parse_calls(written, function, slots):
    """The part after =>: whole calls, or the arguments that are no slot."""
    calls = []
    for part in written.split(" ;; "):
        head, _, rest = part.strip().partition(" ")
        if head in FUNCTIONS or head == "none":
            name, arguments = head, {}
        else:
            name, rest = function, part.strip()
            arguments = {key: value for key, (_, value) in slots.drawn.items() if key in FUNCTIONS.get(name, {})}
        for pair in filter(None, rest.split(" | ")):
            key, value = pair.split(":", 1)
            arguments[key.strip()] = slots.fill(value.strip(), 1)
        calls.append((name, arguments))
    return calls


def make_row(function, template, rng, plain=False):
    """{input, output, tags, context}, and the names of the functions it calls."""
    body, _, context_text = template.partition(" @ ")
    said, _, written = (part.strip() for part in body.partition("=>"))
    slots, tags = Slots(rng), []
    said = choose(said, rng)
    if not plain:
        said = decorate(said, rng, tags, written, function in FREE_ENDS)
    # Sources named only in the context (`<room:plain_room>`) are drawn first, so that `<room>` means them.
    for name, source in re.findall(r"<([^<>:]+):([^<>]+)>", context_text):
        slots.draw(name, source)
    request = slots.fill(said, 0)
    calls = parse_calls(written, function, slots)
    row = {"input": request, "output": "\n".join(canonical(*call) for call in calls)}
    if context_text:
        row["context"] = json.loads(slots.fill(context_text, 1))
    row["tags"] = tags
    return row, [name for name, _ in calls]


def finish(row, names, rng, plain=False):
    if not plain:
        row["input"] = dress(row["input"], rng)
    skills = dict.fromkeys(name.split(".")[0] for name in names if name != "none")
    tags = list(skills) + (["no-call"] if not skills else []) + (["two-calls"] if len(names) > 1 else [])
    tags += ["context"] if "context" in row else []
    if len(row["input"].split()) <= 3:
        tags.append("terse")
    row["tags"] = tags + row["tags"]
    return row


def grams(row):
    text = " " + re.sub(r"[^a-z0-9]+", " ", row["input"].lower()).strip() + " "
    if "context" in row:
        text += json.dumps(row["context"], sort_keys=True)
    return frozenset(text[i:i + 3] for i in range(len(text) - 2))


def near(a, b):
    return len(a & b) >= NEAR * len(a | b)


class Collector:
    def __init__(self):
        self.rows, self.seen = [], set()
        self.held_out = []
        for split in ("dev", "test"):
            lines = (HERE / f"{split}.jsonl").read_text().splitlines()
            self.held_out += [grams(json.loads(line)) for line in lines]

    def add(self, row):
        key = (re.sub(r"[^a-z0-9]+", " ", row["input"].lower()).strip(), json.dumps(row.get("context")))
        mine = grams(row)
        if key in self.seen or any(near(mine, other) for other in self.held_out):
            return False
        self.seen.add(key)
        self.rows.append(row)
        return True


def add_section(collector, function, count, templates, rng):
    made, tries = 0, 0
    order = []
    while made < count and tries < count * 20:
        tries += 1
        if not order:
            order = rng.sample(templates, len(templates))
        row, names = make_row(function, order.pop(), rng, plain=function == "context")
        made += collector.add(finish(row, names, rng))


def add_joined(collector, sections, rng):
    """Two requests in one breath: every pair of functions may meet."""
    made = 0
    while made < JOINED_ROWS:
        (f1, _, t1), (f2, _, t2) = rng.sample(sections, 2)
        first, names1 = make_row(f1, rng.choice(t1), rng, plain=True)
        second, names2 = make_row(f2, rng.choice(t2), rng, plain=True)
        if len(first["input"]) + len(second["input"]) > 100:
            continue
        joiner = rng.choice([", and ", ", then ", " and "] if f1 in FREE_ENDS else JOINERS)
        tags = []
        start = rng.choice(["please ", "could you ", "hey ", "um "]) if rng.random() < 0.15 else ""
        if start and first["input"].split(" ")[0] in IMPERATIVES:
            tags.append("polite" if start[0] in "pc" else "spoken")
        else:
            start = ""
        row = {"input": start + first["input"].strip() + joiner + second["input"].strip(),
               "output": first["output"] + "\n" + second["output"], "tags": tags}
        made += collector.add(finish(row, names1 + names2, rng))


def main():
    size = float(sys.argv[1]) if len(sys.argv) > 1 else SIZE
    rng = random.Random(SEED)
    collector = Collector()
    for line in (HERE / "grammar" / "by_hand.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            row, names = make_row("", line, rng, plain=True)
            collector.add(finish(row, names, rng, plain=True))
    sections = load_sections("templates.txt")
    for function, count, templates in sections + load_sections("special.txt"):
        wanted = round(size * count)
        add_section(collector, function, max(len(templates), wanted) if size >= SIZE else wanted, templates, rng)
    add_joined(collector, sections, rng)
    rng.shuffle(collector.rows)
    with open(HERE / "train.jsonl", "w", encoding="utf-8") as out:
        for row in collector.rows:
            ordered = {key: row[key] for key in ("input", "output", "context", "tags") if key in row}
            out.write(json.dumps(ordered, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
