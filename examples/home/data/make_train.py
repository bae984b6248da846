#!/usr/bin/env python3
"""Writes train.jsonl: the templates and values of grammar/ plus the rows of grammar/by_hand.txt. Prints its seed and
what it wrote.

    python3 make_train.py        # rewrites train.jsonl beside this file, the same bytes every time
    python3 make_train.py 0.25   # a smaller one: this part of the sections' counts

To extend it, add lines to grammar/*.txt (their heads say how). Rows too near to a row of dev.jsonl or test.jsonl,
and rows with a place, a title, an artist, a station, a person or a question of theirs, are left out. Standard library
only.
"""
import json
import random
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
SEED = 20261124
SIZE = 0.66  # part of the rows a section asks for; every template is used at least once
JOINED_ROWS = 300
BY_CHANCE = 0.05  # part of the rows that get a context they do not need
LONGEST = 95  # letters of a request
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
HELD_OUT = {"location", "title", "artist", "station", "to", "sender", "question"}  # no such value of dev and test
BARE = {"item", "list_item", "event", "person", "location", "subject", "genre"}  # the call drops their article
SPELLED = {"room", "plain_room", "device", "plain_device", "door", "program"}  # for fixed words
NEIGHBOURS = {"a": "s", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
              "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
              "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x"}
UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
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
    """{list: [(said, value or None)]}, both perhaps with {} in them; `9# entry` is there nine times."""
    values = {}
    text = "\n".join((HERE / "grammar" / name).read_text() for name in ("values.txt", "vocabulary.txt"))
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, entries = line.split(":", 1)
            for entry in entries.split(" | "):
                times, _, rest = entry.strip().rpartition("# ")
                said, _, value = rest.partition("=")
                values.setdefault(name, []).extend([(said, value or None)] * int(times or 1))
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


def in_words(number):
    return UNITS[number] if number < 20 else (TENS[number // 10] + " " + UNITS[number % 10] * (number % 10 > 0)).strip()


def articles(text):
    text = re.sub(r"\ban (?=[bcdfgj-np-tv-z])", "a ", text)
    return re.sub(r"\ba (?=[aeio](?!ne)|8|11\b|18\b)", "an ", text)


def draw_value(source, rng):
    """(said, value) of one entry of a list, its {} filled; the same {} is the same on both sides."""
    said, value = rng.choice(VALUES[source])
    drawn = {}

    def one(match):
        name = match.group(1)
        numbers = re.fullmatch(r"(w?)(\d+)-(\d+)", name)
        if numbers:
            first, last = numbers.group(2), numbers.group(3)
            number = drawn.setdefault((first, last), rng.randint(int(first), int(last)))
            return in_words(number) if numbers.group(1) else str(number).zfill(len(first))
        while name not in drawn:
            piece = draw_value(name.partition(".")[0], rng)[0].removeprefix("some ")
            if piece not in drawn.values():
                drawn[name] = piece
        return drawn[name]
    said, value = (text and articles(re.sub(r"{([^{}]+)}", one, text)) for text in (said, value))
    if value is None:
        value = re.sub(r"^(the|an?|my|our|some) ", "", said) if source in BARE else said
    return said, value


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


# What is typed in the grammar: a typing error that makes one of these is none.
GRAMMAR = " ".join(path.read_text() for path in (HERE / "grammar").glob("*.txt"))
KNOWN_WORDS = set(re.findall(r"[a-z]+", GRAMMAR.lower()))


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
        said, value = draw_value(source, self.rng)
        while value in taken:
            said, value = draw_value(source, self.rng)
        if source in SPELLED and self.rng.random() < 0.03:
            said = mistype_word(said, self.rng)
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


def mistype(word, rng):
    """A letter lost, two swapped, one doubled, or the key beside it."""
    at = rng.randrange(0, len(word) - 1)
    key = rng.choice(NEIGHBOURS.get(word[at], word[at]))
    return rng.choice([word[:at] + word[at + 1:] if at else word[:1] + word[2:],
                       word[:at] + word[at + 1] + word[at] + word[at + 2:],
                       word[:at] + word[at + 1] + word[at] + word[at + 2:],
                       word[:at] + word[at] + word[at:],
                       word[:at] + key + word[at + 1:] if at else word[:1] + key + word[2:]])


def mistype_word(text, rng):
    """One typing error in one word; none that makes another word of the grammar."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if places:
        i = rng.choice(places)
        changed = mistype(words[i], rng)
        words[i] = words[i] if changed in KNOWN_WORDS else changed
    return " ".join(words)


def misspell(text, rng, kept):
    """Typing errors in words of the template, never in a value nor in a word of `kept`."""
    words = text.split(" ")
    kept = re.findall("[a-z]+", kept)
    places = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha() and word not in kept]
    for i in rng.sample(places, min(len(places), 1 + (rng.random() < 0.15))):
        words[i] = mistype_word(words[i], rng)
    return " ".join(words), " ".join(words) != text


def decorate(text, rng, tags, kept, free_end, typos=0.10):
    """Politeness, fillers and typing errors, on the template before its slots are filled."""
    if rng.random() < 0.15:
        text = re.sub(r"[,:;?](?= |$)", "", text)  # nobody speaks commas
    first = text.split(" ")[0]
    if rng.random() < typos:
        text, changed = misspell(text, rng, kept)
        tags += ["misspelt"] if changed else []
    if rng.random() < 0.20 and first in IMPERATIVES:
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
        if text[at - 1].isalnum():
            text = text[:at] + rng.choice([" uh", " um,", " erm", ", uh,"]) + text[at:]
            tags.append("spoken")
    return text


def dress(text, rng):
    """Some requests are typed with care: a capital, names in capitals, a full stop."""
    text = re.sub(r" ([,.?])", r"\1", re.sub(r"\s+", " ", text)).strip()
    text = articles(text)
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


def make_context(segments, slots, rng):
    """The context of a row from its `@ room:`, `@ fact:`, `@ noise:`, `@ turn:` and `@ clock:`."""
    context, facts = {}, []
    for segment in segments:
        kind, text = segment.split(": ", 1)
        if kind == "turn":
            said, _, written = choose(text, rng).partition(" => ")
            calls = parse_calls(written, "", slots)
            turn = {"input": slots.fill(said, 0), "output": "\n".join(canonical(*call) for call in calls)}
            context.setdefault("turns", []).append(turn)
        elif kind == "fact":
            facts.append(tuple(slots.fill(side, 1) for side in text.split(" = ")))
        elif kind == "noise":
            facts += [fact for fact in noise(rng, int(text)) if fact[0] not in dict(facts)]
        else:
            context[kind] = slots.fill(text, 1)
    if facts:
        context["memory"] = dict(rng.sample(facts, len(facts)))
    return context


def noise(rng, most):
    """Facts that no request of context.txt asks for."""
    facts = []
    for _ in range(rng.randint(0, most)):
        kind = rng.choice(["own", "trait", "home", "code_key", "home"])
        key, value = draw_value(kind, rng)
        if kind == "trait":
            key = draw_value("name", rng)[0] + "'s " + key
        facts.append((key, draw_value("code", rng)[1] if kind == "code_key" else value))
    return [fact for fact in facts if "favourite food" not in fact[0]]


def make_row(function, template, rng, plain=False):
    """{input, output, tags, context}, and the names of the functions it calls."""
    body, *segments = template.split(" @ ")
    said, _, written = (part.strip() for part in body.partition("=>"))
    slots, tags = Slots(rng), []
    said = choose(said, rng)
    if not plain:
        said = decorate(said, rng, tags, written, function in FREE_ENDS or "messages.send" in written,
                        1 if function == "typos" else 0.10)
    # Sources named only in the context (`<room:plain_room>`) are drawn first, so that `<room>` means them.
    for name, source in re.findall(r"<([^<>:]+):([^<>]+)>", " ".join(segments)):
        slots.draw(name, source)
    request = slots.fill(said, 0)
    calls = parse_calls(written, function, slots)
    row = {"input": request, "output": "\n".join(canonical(*call) for call in calls)}
    if segments:
        row["context"] = make_context(segments, slots, rng)
    row["tags"] = tags
    return row, [name for name, _ in calls]


def unneeded_context(row, names, rng):
    """A context that changes nothing: a room, facts, a clock."""
    asks_for_a_room = any(name.split(".")[0] in ("lights", "house") for name in names)
    if "context" in row or asks_for_a_room or rng.random() >= BY_CHANCE:
        return
    context, facts = {}, noise(rng, 2)
    if rng.random() < 0.6:
        context["room"] = draw_value("plain_room", rng)[1]
    if facts:
        context["memory"] = dict(facts)
    if rng.random() < 0.2:
        month, day, hour = rng.randint(1, 12), rng.randint(1, 28), rng.randint(6, 22)
        context["clock"] = f"2026-{month:02}-{day:02}T{hour:02}:{rng.choice('0134')}0:00"
    if context:
        row["context"] = context


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


def texts(output):
    """The values of an output's arguments of HELD_OUT."""
    return set(re.findall(r"(?:%s)='((?:[^'\\]|\\.)*)'" % "|".join(sorted(HELD_OUT)), output))


class Collector:
    def __init__(self):
        self.rows, self.seen = [], set()
        self.held_out, self.values = [], set()
        self.left_out = {"near": 0, "value": 0}
        for split in ("dev", "test"):
            rows = [json.loads(line) for line in (HERE / f"{split}.jsonl").read_text().splitlines()]
            self.held_out += [grams(row) for row in rows]
            self.values |= {value for row in rows for value in texts(row["output"])}
        # Kinds of music, calendar titles and "mom" are no names.
        usual = [said for name in ("genre", "event", "alarm_label", "task", "person") for said, _ in VALUES[name]]
        self.values -= {re.sub("^(the|my|a) ", "", said) for said in usual}

    def add(self, row):
        key = (re.sub(r"[^a-z0-9]+", " ", row["input"].lower()).strip(), json.dumps(row.get("context")))
        if key in self.seen or len(row["input"]) > LONGEST:
            return False
        if texts(row["output"]) & self.values:
            self.left_out["value"] += 1
            return False
        mine = grams(row)
        if any(near(mine, other) for other in self.held_out):
            self.left_out["near"] += 1
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
        unneeded_context(row, names, rng)
        made += collector.add(finish(row, names, rng))


def add_joined(collector, sections, rng):
    """Two requests in one breath: every pair of functions may meet."""
    made = 0
    while made < JOINED_ROWS:
        (f1, _, t1), (f2, _, t2) = rng.sample(sections, 2)
        first, names1 = make_row(f1, rng.choice(t1), rng, plain=True)
        second, names2 = make_row(f2, rng.choice(t2), rng, plain=True)
        if len(first["input"]) + len(second["input"]) > 85:
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
    sections = load_sections("templates.txt") + load_sections("wordings.txt")
    more = [part for path in sorted((HERE / "grammar").glob("said_*.txt")) for part in load_sections(path.name)]
    for function, count, templates in sections + load_sections("special.txt") + load_sections("context.txt") + more:
        wanted = round(size * count)
        add_section(collector, function, max(len(templates), wanted) if size >= SIZE else wanted, templates, rng)
    add_joined(collector, sections, rng)
    rng.shuffle(collector.rows)
    print(f"seed {SEED}: {len(collector.rows)} rows; left out {collector.left_out}")
    with open(HERE / "train.jsonl", "w", encoding="utf-8") as out:
        for row in collector.rows:
            ordered = {key: row[key] for key in ("input", "output", "context", "tags") if key in row}
            out.write(json.dumps(ordered, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
