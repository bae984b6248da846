"""Which rows train may hold: none twice, none near to a row of dev, test or fresh, none with a name of dev or test."""
import json
import re
from pathlib import Path

HERE = Path(__file__).parent
LONGEST = 105  # letters of a request
NEAR = 0.65  # Jaccard similarity of 3-grams from which two requests count as the same
HELD_OUT = {"location", "title", "artist", "station", "to", "sender", "question"}  # no such value of dev and test


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


def words(row):
    return re.sub(r"[^a-z0-9]+", " ", row["input"].lower()).strip()


def identity(row):
    return words(row), json.dumps(row.get("context"))


def load(split):
    return [json.loads(line) for line in (HERE / f"{split}.jsonl").read_text().splitlines()]


class Collector:
    """Rows that train may hold; `values` are the lists of grammar/."""

    def __init__(self, values):
        self.rows = []
        self.left_out = {"near": 0, "value": 0}
        measured = load("dev") + load("test")
        held, unseen = measured + load("fresh"), load("unseen")
        self.values = {value for row in measured for value in texts(row["output"])}
        self.held_out = [grams(row) for row in held]
        self.seen = {identity(row) for row in unseen}
        # Word for word, where one of the two has a context and the other has none.
        self.exact = {words(row) for row in held + unseen if "context" not in row}
        self.bare = {words(row) for row in held + unseen}
        # Kinds of music, calendar titles and "mom" are no names.
        usual = [said for name in ("genre", "event", "alarm_label", "task", "person") for said, _ in values[name]]
        self.values -= {re.sub("^(the|my|a) ", "", said) for said in usual}

    def add(self, row):
        key = identity(row)
        if key in self.seen or len(row["input"]) > LONGEST:
            return False
        if key[0] in (self.exact if "context" in row else self.bare):
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
