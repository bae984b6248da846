"""Which rows train may hold: none twice, none near to a row of dev or test, none with a name of theirs."""
import json
import re
from pathlib import Path

HERE = Path(__file__).parent
LONGEST = 95  # letters of a request
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


def identity(row):
    return re.sub(r"[^a-z0-9]+", " ", row["input"].lower()).strip(), json.dumps(row.get("context"))


class Collector:
    """Rows that train may hold; `values` are the lists of grammar/."""

    def __init__(self, values):
        self.rows, self.seen = [], set()
        self.held_out, self.values = [], set()
        self.left_out = {"near": 0, "value": 0}
        for split in ("dev", "test"):
            rows = [json.loads(line) for line in (HERE / f"{split}.jsonl").read_text().splitlines()]
            self.held_out += [grams(row) for row in rows]
            self.values |= {value for row in rows for value in texts(row["output"])}
        self.seen |= {identity(json.loads(line)) for line in (HERE / "unseen.jsonl").read_text().splitlines()}
        # Kinds of music, calendar titles and "mom" are no names.
        usual = [said for name in ("genre", "event", "alarm_label", "task", "person") for said, _ in values[name]]
        self.values -= {re.sub("^(the|my|a) ", "", said) for said in usual}

    def add(self, row):
        key = identity(row)
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
