"""What the conformance tests share: a skill that tells the weather, a prompt for it, and the real program serving a project.

    write(folder, "skills/weather.json", json.dumps(SKILL))
    with Server(binary, folder) as server:
        server.url        # http://127.0.0.1:PORT
        server.stop()     # SIGTERM; its exit code
"""
import json
import os
import signal
import subprocess

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


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Server:
    def __init__(self, binary, project, token=None):
        environment = {**os.environ, **({"SLIPWAY_TOKEN": token} if token else {})}
        command = [binary, "serve", "--project", project, "--port", "0", "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
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
        self.stop()
