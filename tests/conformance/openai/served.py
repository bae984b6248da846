"""A small project for the clients: one candidate that writes words, one that writes calls.

    with weather.Server(binary, make_project(folder)) as server: ...
"""
import json

from weather import CALLS, SKILL, write

TOML = """slipway = 1
name = "conformance"
skills = ["skills/*.json"]
candidate = "words"

[candidates.words]
model = "gemma-3-270m"
prompt = "prompts/words.jinja"
skills = false
max_tokens = 24

[candidates.calls]
model = "gemma-3-270m"
prompt = "prompts/calls.jinja"
constrain = true
max_tokens = 48
stop = ["\\n\\n"]
"""


def make_project(folder):
    write(folder, "slipway.toml", TOML)
    write(folder, "prompts/words.jinja", "{{ input }}")
    write(folder, "prompts/calls.jinja", CALLS)
    write(folder, "skills/weather.json", json.dumps(SKILL))
    return folder
