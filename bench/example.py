"""The home example as benches use it: a copy with a store of its own, evaluated by the real program."""
import argparse
import glob
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(ROOT, "build", "release", "bin", "slipway")


def parser(description, limit):
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--binary", default=BINARY)
    made.add_argument("--candidate", default="constrained")
    made.add_argument("--limit", type=int, default=limit)
    return made


def ready(options):
    """Builds the program when it is not there, and says on what machine this runs."""
    if not os.path.exists(options.binary):
        subprocess.run([os.path.join(ROOT, "scripts", "build"), "release"], check=True)
    print("%s, %d processors" % (platform.platform(), os.cpu_count()), flush=True)
    return options


def copy(folder, free_strings=False):
    """The home example. With `free_strings`, arguments are not kept to what was said: beside a peer that cannot."""
    project = os.path.join(folder, "home")
    shutil.copytree(os.path.join(ROOT, "examples", "home"), project,
                    ignore=shutil.ignore_patterns(".slipway", "service"))
    for path in glob.glob(os.path.join(project, "skills", "*.json")) if free_strings else []:
        with open(path, encoding="utf-8") as file:
            text = re.sub(r'"x-slipway-said": true,\s*', "", file.read())
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return project


def run(options, *words):
    """What a command prints with --json. Ends this program when it fails: the command has said why."""
    done = subprocess.run([options.binary, *words, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print("`slipway %s` ended with %d" % (" ".join(words), done.returncode), file=sys.stderr)
        sys.exit(2)
    return json.loads(done.stdout)


def model_path(options):
    return next(m["path"] for m in run(options, "models", "list") if m["name"] == options.model)


def prompts(options, project, dataset):
    """What the model reads for each row, in the rows' order."""
    done = subprocess.run(command(options, project, dataset) + ["--prompts"], check=True, stdout=subprocess.PIPE,
                          text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def command(options, project, dataset):
    return [options.binary, "eval", "--project", project, "--candidate", options.candidate, "--dataset", dataset,
            "--limit", str(options.limit)]


def evaluate(options, project, dataset, *more):
    """Seconds, and {index: (example's id, output, latency in ms, detail)} of a run computed anew."""
    done = subprocess.run(command(options, project, dataset) + ["--fresh", "--json", *more], check=True,
                          stdout=subprocess.PIPE, text=True)
    report = json.loads(done.stdout)
    store = sqlite3.connect(os.path.join(project, ".slipway", "records.db"))
    rows = store.execute("SELECT idx, example_id, output, latency_ms, detail FROM cases WHERE run_id = ?",
                         (report["run_id"],)).fetchall()
    store.close()
    return report["wall_ms"] / 1000, {row[0]: (*row[1:4], json.loads(row[4])) for row in rows}
