"""A small project and the real program serving it.

    with Server(binary, make_project(folder)) as server:
        server.url        # http://127.0.0.1:PORT
        server.stop()     # SIGTERM; its exit code
"""
import json
import os
import signal
import subprocess

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

CALLS = """{% for f in functions %}{{ f.signature }}: {{ f.description }}
{% endfor %}
user: weather in paris
call: weather.get_weather(location='paris')

user: {{ input }}
call:"""

SKILL = {
    "slipway_skill": 1,
    "name": "weather",
    "base_url": "http://127.0.0.1:9",
    "tools": [{"type": "function", "function": {
        "name": "get_weather", "description": "The weather at a place.",
        "parameters": {"type": "object", "properties": {"location": {"type": "string"}},
                       "required": ["location"]}}}],
    "functions": {"get_weather": {
        "http": {"method": "GET", "path": "/weather/{location}"},
        "reply": "It is {{ result.temperature }} degrees in {{ arguments.location }}."}},
}


def make_project(folder):
    write(folder, "slipway.toml", TOML)
    write(folder, "prompts/words.jinja", "{{ input }}")
    write(folder, "prompts/calls.jinja", CALLS)
    write(folder, "skills/weather.json", json.dumps(SKILL))
    return folder


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Server:
    def __init__(self, binary, project):
        command = [binary, "serve", "--project", project, "--port", "0", "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)} ended with {self.process.wait()}")
        self.url = json.loads(line)["url"]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
