#!/usr/bin/env python3
"""Writes mined.jsonl: rows of the grammar that the assistant gets wrong, for `make_train.py` to teach.

    python3 mine.py SEED            # candidate `tuned` as it is; some minutes
    python3 mine.py SEED --rows 500

Draws rows as `make_train.py` does, by another seed and without those of train.jsonl, and asks `slipway eval`. What was
mined before stays. The run is in the project's store. Standard library only, and `slipway` on the path.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import make_train
from collector import Collector

PROJECT = make_train.HERE.parent
MINED = make_train.HERE / "mined.jsonl"


def draw(seed, count):
    with open(make_train.HERE / "train.jsonl", encoding="utf-8") as lines:
        known = {json.loads(line)["input"] for line in lines}
    rng, collector = random.Random(seed), Collector(make_train.VALUES)
    make_train.add_grammar(collector, rng, times=3)
    rows = [row for row in collector.rows if row["input"] not in known]
    return rng.sample(rows, min(count, len(rows)))


def slipway(*arguments):
    command = ["slipway", *arguments, "--project", PROJECT, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode > 1:
        sys.exit("mine.py: `slipway %s` failed" % " ".join(arguments))
    return json.loads(done.stdout)


def wrong(rows):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "drawn.jsonl")
        make_train.write_rows(rows, path)
        run = slipway("eval", "--candidate", "tuned", "--dataset", path)["run_id"]
    cases = slipway("show", run, "--all")["cases"]
    return [rows[case["index"]] for case in cases if not case["passed"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", type=int)
    parser.add_argument("--rows", type=int, default=4096, help="that are drawn")
    options = parser.parse_args()
    if not shutil.which("slipway"):
        sys.exit("mine.py: no `slipway` on the path; add build/release/bin to it")
    print("drawing rows, half a minute", flush=True)
    rows = draw(options.seed, options.rows)
    hard = wrong(rows)
    print(f"seed {options.seed}: {len(hard)} of {len(rows)} rows are wrong")
    make_train.write_rows(hard, MINED, keys=("input", "output", "context"), mode="a")


if __name__ == "__main__":
    main()
