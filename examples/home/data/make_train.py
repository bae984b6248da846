#!/usr/bin/env python3
"""Writes train.jsonl: rows of written/ (all of hard.jsonl, WRITTEN of the others), mined.jsonl and grammar/by_hand.txt,
and the templates of grammar/ filled with its values. Prints its seed and what it wrote.

    python3 make_train.py        # rewrites train.jsonl beside this file, the same bytes every time
    python3 make_train.py 0.25   # a smaller one: this part of the sections' counts

To extend it, add rows to written/*.jsonl or lines to grammar/*.txt (their heads say how). Left out are rows too near to
a row of dev.jsonl, test.jsonl or fresh.jsonl, rows with a place, a title, an artist, a station, a person or a question
of the first two, and the rows of unseen.jsonl, word for word. Standard library only.
"""
import json
import random
import re
import sys
from collections import Counter
from pathlib import Path

from collector import Collector
from wording import IMPERATIVES, articles, decorate, dress, mistype_word

HERE = Path(__file__).parent
SEED = 20261124
SIZE = 0.4  # part of the rows a section asks for, or one of each template where that is more; of that:
TEMPLATES = 0.15
WRITTEN = 0.54  # part of the written rows, but all of hard.jsonl: what forty minutes leave
JOINED_ROWS = 300  # every pair of functions, both ways round
FOLLOW_UPS = 200
EARLIER_TURNS = 50
ASIDES = 150
# Rows of the whole grammar that are said in one way more often than by chance, and the odds of that.
SAID = [(100, {"typo": 1}), (60, {"regret": 1, "typo": 0.03}), (30, {"lead": 1}), (20, {"pause": 1, "typo": 0.05}),
        (10, {"polite": 1})]
BY_CHANCE = 0.05  # part of the rows that get a context they do not need

# How two requests are joined, one a slot.
JOINED = """{} and {}|{} and {}|{} and {}|{} and {}|{} and then {}|{}, then {}|{}, and {}|{} and also {}|{}, also {}
{}, {}|{}; {}|{}. {}|{} then {}|{} plus {}|{}, after that {}|{} and after that {}|first {}, then {}|first {} and then {}
{} but {}|{} & {}|{}, but also {}|{} + {}
{}, and when that's done {}|{}, and while you're at it {}|{}, oh and {}|{} {}|two things, {} and {}|{}. also {}
{} and afterwards {}|{}, and finally {}|{}, plus {}|{} and once that's done {}|i'd like two things: {} and {}"""
JOINED = JOINED.replace("\n", "|").split("|")
JOINED_CLEARLY = ["{}, and {}", "{}, then {}", "{} and {}", "{}. {}", "{}; {}", "{} and then {}"]
PROPER = {"location", "title", "artist", "person", "name", "girl", "boy", "station"}  # may be said with capitals
BARE = {"item", "list_item", "event", "person", "location", "subject", "genre"}  # the call drops their article
SPELLED = {"room", "plain_room", "device", "plain_device", "door", "program"}  # for fixed words
UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
ASIDE_BEFORE = ["{}, {}", "{}. {}", "{} so {}", "{}; {}", "{}, so {}", "{} and {}", "{}, anyway {}"]
ASIDE_AFTER = ["{1}, {0}", "{1}. {0}", "{1} because {0}", "{1}, {0}", "{1} - {0}", "{1}, you know {0}"]
FREE_ENDS = {"knowledge.look_up", "messages.send", "memory.remember"}  # what follows would belong to the text


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


def in_lines(calls):
    return "\n".join(canonical(*call) for call in calls)


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
USED = Counter()  # of three values, the one that is used least is taken


def in_words(number):
    return UNITS[number] if number < 20 else (TENS[number // 10] + " " + UNITS[number % 10] * (number % 10 > 0)).strip()


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


class Slots:
    """The values of one row: a slot is drawn once, and two slots never hold the same value."""

    def __init__(self, rng, mistyped=0.03):
        self.rng = rng
        self.mistyped = mistyped
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
        drawn = [entry for entry in (draw_value(source, self.rng) for _ in range(3)) if entry[1] not in taken]
        while not drawn:
            drawn = [entry for entry in [draw_value(source, self.rng)] if entry[1] not in taken]
        said, value = min(drawn, key=lambda entry: USED[entry[1]])
        USED[value] += 1
        if source in SPELLED and self.rng.random() < self.mistyped:
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
            turn = {"input": slots.fill(said, 0), "output": in_lines(calls)}
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


def make_row(function, template, rng, chance=None):
    """{input, output, tags, context}, and its calls; `chance` as in decorate(), None for the bare words."""
    body, *segments = template.split(" @ ")
    said, _, written = (part.strip() for part in body.partition("=>"))
    typo = 1 if function == "typos" else (chance or {}).get("typo", 0.10)
    slots, tags = Slots(rng, 0.2 if typo == 1 else 0.03), []
    said = choose(said, rng)
    if chance is not None:
        free_end = function in FREE_ENDS or any(name in written for name in FREE_ENDS)
        said = decorate(said, rng, tags, written, free_end, {**chance, "typo": typo})
    # Sources named only in the context (`<room:plain_room>`) are drawn first, so that `<room>` means them.
    for name, source in re.findall(r"<([^<>:]+):([^<>]+)>", " ".join(segments)):
        slots.draw(name, source)
    request = slots.fill(said, 0)
    calls = parse_calls(written, function, slots)
    row = {"input": request, "output": in_lines(calls)}
    if segments:
        row["context"] = make_context(segments, slots, rng)
    row["tags"] = tags
    return row, calls


def unneeded_context(row, calls, rng):
    """A context that changes nothing: a room, facts, a clock."""
    asks_for_a_room = any(name.split(".")[0] in ("lights", "house") for name, _ in calls)
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


def finish(row, calls, rng, plain=False):
    if not plain:
        row["input"] = dress(row["input"], rng)
    skills = dict.fromkeys(name.split(".")[0] for name, _ in calls if name != "none")
    tags = list(skills) + (["no-call"] if not skills else []) + (["two-calls"] if len(calls) > 1 else [])
    tags += ["context"] if "context" in row else []
    if len(row["input"].split()) <= 3:
        tags.append("terse")
    row["tags"] = tags + row["tags"]
    return row


def add_written(collector, part, rng):
    """Rows that people wrote as they are: all that were hard, the grammar's too, and some of the others."""
    hard = [HERE / "written" / "hard.jsonl", HERE / "mined.jsonl"]
    others = [path for path in sorted((HERE / "written").glob("*.jsonl")) if path not in hard]
    lines = [line for path in hard for line in path.read_text().splitlines()]
    more = [line for path in others for line in path.read_text().splitlines()]
    lines += rng.sample(more, round(WRITTEN * len(more)))
    for line in rng.sample(lines, round(part * len(lines))):
        row = {**json.loads(line), "tags": []}
        calls = [(call.split("(")[0], {}) for call in row["output"].split("\n")]
        collector.add(finish(row, calls, rng, plain=True))


def add_section(collector, function, count, templates, rng):
    made, tries = 0, 0
    order = []
    while made < count and tries < count * 20:
        tries += 1
        if not order:
            order = rng.sample(templates, len(templates))
        row, calls = make_row(function, order.pop(), rng, None if function == "context" else {})
        unneeded_context(row, calls, rng)
        made += collector.add(finish(row, calls, rng))


def single_requests(sections, functions):
    """{function: templates} of one call that need no context, for rows that are put together."""
    singles = {}
    for function, _, templates in sections:
        if function in functions:
            singles.setdefault(function, []).extend(line for line in templates if " ;; " not in line)
    return singles


def draw_row(singles, rng, chance=None, functions=None):
    """A row of any function; half of them from the plain templates, which come first."""
    function = rng.choice(functions or list(singles))
    templates = singles[function]
    return make_row(function, rng.choice(templates[:40] if rng.random() < 0.5 else templates), rng, chance)


def add_said(collector, singles, rng, size):
    """Every function and template, with typing errors, second thoughts and so on."""
    for count, chance in SAID:
        made = 0
        while made < count * size:
            row, calls = draw_row(singles, rng, chance)
            if row["tags"] or "lead" in chance:
                made += collector.add(finish(row, calls, rng))


def add_joined(collector, singles, rng, count):
    """Two requests in one breath: every pair of functions meets."""
    pairs = [(one, other) for one in singles for other in singles if one != other or FUNCTIONS[one]]
    made, order = 0, []
    while made < count:
        order = order or rng.sample(pairs, len(pairs))
        chance = {} if rng.random() < 0.3 else None
        (first, calls1), (second, calls2) = (draw_row(singles, rng, chance, [name]) for name in order[-1])
        calls = calls1 + calls2
        if len(first["input"]) + len(second["input"]) > 82 or first["output"] == second["output"]:
            continue
        joined = rng.choice(JOINED_CLEARLY if calls1[0][0] in FREE_ENDS else JOINED)
        tags = list(dict.fromkeys(first["tags"] + second["tags"]))
        start = rng.choice(["please ", "could you ", "hey ", "um "]) if rng.random() < 0.15 and not tags else ""
        if start and first["input"].split(" ")[0] in IMPERATIVES:
            tags.append("polite" if start[0] in "pc" else "spoken")
        else:
            start = ""
        row = {"input": start + joined.format(first["input"].strip(" ,."), second["input"].strip()),
               "output": first["output"] + "\n" + second["output"], "tags": tags}
        if collector.add(finish(row, calls, rng)):
            made += 1
            order.pop()


def skill_of(call):
    return call[0].split(".")[0]


def earlier_turn(call, singles, rng):
    """A request of another skill: what comes after it owes it nothing."""
    others = [name for name in singles if skill_of((name,)) != skill_of(call)]
    row, _ = draw_row(singles, rng, functions=others)
    return {"input": row["input"], "output": row["output"]}


def add_earlier_turns(collector, singles, rng, count):
    """Whole requests after requests of another kind."""
    whole = [name for name in singles if FUNCTIONS[name] and skill_of((name,)) != "lights"]
    made = 0
    while made < count:
        row, calls = draw_row(singles, rng, {}, whole)
        if calls[0][1] and not re.search(r"\b(it|that|this|one|again|there)\b", row["input"]):
            row["context"] = {"turns": [earlier_turn(calls[0], singles, rng) for _ in range(rng.choice([1, 1, 2]))]}
            made += collector.add(finish(row, calls, rng))


def make_follow_up(header, template, singles, rng):
    """A row whose last turn is a request of the header's function, from which comes what the follow-up does not say."""
    before, needed, after, fresh = re.fullmatch(r"([\w.]+)(?:\((\w+)\))? -> ([\w.]+)( fresh)?", header).groups()
    turn, calls = draw_row(singles, rng, rng.choice([None, None, {}]), [before])
    arguments = calls[0][1]
    if len(calls) > 1 or (needed and needed not in arguments):
        return None, None
    said, _, written = (part.strip() for part in template.partition("=>"))
    said, tags, slots = choose(said, rng), [], Slots(rng)
    said = decorate(said, rng, tags, written, after in FREE_ENDS, {"lead": 0.01, "polite": 0.1})
    slots.drawn["before"] = ("", arguments.get(needed))
    request = slots.fill(said, 0)
    name, new = parse_calls(written, after, slots)[0]
    kept = {} if fresh else {key: value for key, value in arguments.items() if key in FUNCTIONS.get(name, {})}
    call = (name, {**kept, **new})
    if call == calls[0]:
        return None, None
    turns = [{"input": turn["input"], "output": turn["output"]}]
    if rng.random() < 0.25:
        turns.insert(0, earlier_turn(calls[0], singles, rng))
    return {"input": request, "output": in_lines([call]), "context": {"turns": turns}, "tags": tags}, [call]


def add_follow_ups(collector, singles, rng, count):
    rules = []
    for line in (HERE / "grammar" / "follow_ups.txt").read_text().splitlines():
        if line.startswith("["):
            header = line.strip("[]")
        elif line and not line.startswith("#"):
            rules.append((header, line))
    made, order = 0, []
    while made < count:
        order = order or rng.sample(rules, len(rules))
        row, calls = make_follow_up(*order.pop(), singles, rng)
        made += row is not None and collector.add(finish(row, calls, rng))


def add_asides(collector, singles, rng, count):
    """Requests beside something that asks for nothing, and that alone."""
    lines = [line for line in (HERE / "grammar" / "asides.txt").read_text().splitlines() if line and line[0] != "#"]
    made, order = 0, []
    while made < count:
        order = order or rng.sample(lines, len(lines))
        aside = Slots(rng).fill(choose(order.pop(), rng), 0)
        if rng.random() < 0.1:
            row, calls = {"input": aside, "output": "none()", "tags": []}, [("none", {})]
        else:
            row, calls = draw_row(singles, rng, rng.choice([None, {}]))
            after = rng.random() < 0.4 and not FREE_ENDS & {name for name, _ in calls}
            said = rng.choice(ASIDE_AFTER if after else ASIDE_BEFORE)
            row["input"] = said.format(aside, row["input"].strip(" ,."))
        made += collector.add(finish(row, calls, rng))


def add_grammar(collector, rng, part=1.0, times=1.0):
    """Rows of the grammar: `part` of those that train asks for (1: and one of each template); `times` as many."""
    sections = load_sections("templates.txt") + load_sections("wordings.txt")
    more = [rows for path in sorted((HERE / "grammar").glob("said_*.txt")) for rows in load_sections(path.name)]
    sections += load_sections("special.txt") + load_sections("context.txt") + more
    for function, count, templates in sections:
        wanted = round(SIZE * part * count)
        if part == 1:
            wanted = round(TEMPLATES * times * max(len(templates), wanted))
        add_section(collector, function, wanted, templates, rng)
    singles, share = single_requests(sections, FUNCTIONS), part * times
    add_joined(collector, singles, rng, JOINED_ROWS * share)
    add_said(collector, {**singles, **single_requests(sections, ["none"])}, rng, share)
    add_earlier_turns(collector, singles, rng, EARLIER_TURNS * share)
    add_follow_ups(collector, singles, rng, FOLLOW_UPS * share)
    add_asides(collector, singles, rng, ASIDES * share)


def write_rows(rows, path, keys=("input", "output", "context", "tags"), mode="w"):
    with open(path, mode, encoding="utf-8") as out:
        for row in rows:
            ordered = {key: row[key] for key in keys if key in row}
            out.write(json.dumps(ordered, ensure_ascii=False) + "\n")


def main():
    size = float(sys.argv[1]) if len(sys.argv) > 1 else SIZE
    rng = random.Random(SEED)
    collector = Collector(VALUES)
    for line in (HERE / "grammar" / "by_hand.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            row, calls = make_row("", line, rng)
            collector.add(finish(row, calls, rng, plain=True))
    part = min(1.0, size / SIZE)
    add_written(collector, part, rng)
    add_grammar(collector, rng, part)
    rng.shuffle(collector.rows)
    print(f"seed {SEED}: {len(collector.rows)} rows; left out {collector.left_out}")
    write_rows(collector.rows, HERE / "train.jsonl")


if __name__ == "__main__":
    main()
