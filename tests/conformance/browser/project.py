"""A small project, and what happened in it, all by the real program with gemma-3-270m.

    folder = make(binary, folder)     # evaluations, a training, a gate, asked requests, a release, reports
    with weather.Server(binary, folder) as server:
        server.url
"""
import json
import subprocess

from weather import CALLS, SKILL, write

TOML = """slipway = 1
name = "house"
skills = ["skills/*.json"]
candidate = "calls"

[candidates.words]
model = "gemma-3-270m"
prompt = "prompts/words.jinja"
max_tokens = 12

[candidates.calls]
model = "gemma-3-270m"
prompt = "prompts/calls.jinja"
constrain = true
max_tokens = 48
stop = ["\\n\\n"]

[datasets.train]
path = "data/train.jsonl"

[datasets.test]
path = "data/test.jsonl"
"""

WORDS = "{{ input }}\n"
PLACES = ["oslo", "bergen", "lisbon", "porto", "quito", "lima", "cairo", "accra", "dakar", "turin", "genoa", "york"]


def rows(wording, places):
    lines = [{"input": wording.format(place), "output": f"weather.get_weather(location='{place}')",
              "tags": ["weather", "misspelt" if i % 3 == 0 else "plain"]} for i, place in enumerate(places)]
    lines.append({"input": "tell me a joke about " + places[0], "output": "none()", "tags": ["no-call"]})
    return "".join(json.dumps(line) + "\n" for line in lines)


def run(binary, folder, *words, codes=(0,)):
    done = subprocess.run([binary, *words], cwd=folder, capture_output=True, text=True, timeout=600)
    if done.returncode not in codes:
        raise RuntimeError(f"slipway {' '.join(words)} ended with {done.returncode}: {done.stderr[-600:]}")
    return done.stdout


def lay_out(folder):
    write(folder, "slipway.toml", TOML)
    write(folder, "prompts/words.jinja", WORDS)
    write(folder, "prompts/calls.jinja", CALLS)
    write(folder, "skills/weather.json", json.dumps(SKILL))
    write(folder, "data/train.jsonl", rows("how is the weather in {}", PLACES[:6]))
    write(folder, "data/test.jsonl", rows("wether for {} please", PLACES[6:]))


def make(binary, folder):
    lay_out(folder)
    run(binary, folder, "models", "pull", "gemma-3-270m", "--accept-licence")
    run(binary, folder, "eval", "--candidate", "words")
    run(binary, folder, "eval", "--candidate", "calls")
    write(folder, "prompts/calls.jinja", CALLS.replace("weather in paris", "what is the weather in paris"))
    run(binary, folder, "eval", "--candidate", "calls")
    run(binary, folder, "tune", "train", "--model", "gemma-3-270m", "--prompt", "prompts/words.jinja", "--name",
        "tuned", "--epochs", "1", "--batch", "2")
    run(binary, folder, "gate", "calls", "--against", "words", "--margin", "0.3", codes=(0, 1, 8))
    run(binary, folder, "promote", "calls", "--force", "--because", "the first release")
    run(binary, folder, "ask", "--dry-run", "weather in turin")
    run(binary, folder, "report", "calls", "-o", "report.html")
    return folder
