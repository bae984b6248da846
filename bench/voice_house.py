"""The house in which bench/voice's clips were recorded: a project whose skills know its rooms and devices.

    project = voice_house.write(folder, base_url)

The functions are what such a house offers, the values the names that its owner gave; no sentence of the clips is in it
and the prompt's examples are worded otherwise.
"""
import json
import os

LIGHTS = ["bed light", "standing light", "kitchen lights", "office lights", "lights"]
ROOMS = ["kitchen", "office", "here"]
COVERS = ["sliding door", "front door", "windows", "blinds", "curtains"]
COLORS = ["red", "green", "blue", "yellow", "orange", "white"]
THINGS = ["sliding door", "front door", "ecobee temperature", "outdoor humidity", "temperature", "temp", "time", "date"]


def one_of(description, values):
    return {"type": "string", "description": description, "enum": values}


ROOM = one_of("The room, when it was said", ROOMS)
DURATION = {"type": "string", "description": "How long, as it was said: '5 minutes', '1 minute and 45 seconds'"}
PERCENT = {"type": "integer", "description": "Percent", "minimum": 0, "maximum": 100}
FUNCTIONS = [  # name, description, parameters, how many of them are required
    ("turn_on", "Turn on a light, the lights of a room, or the TV", {"device": one_of("What", LIGHTS + ["tv"]), "room": ROOM}, 1),
    ("turn_off", "Turn off a light, the lights of a room, or the TV", {"device": one_of("What", LIGHTS + ["tv"]), "room": ROOM}, 1),
    ("set_brightness", "Set the brightness of a light to a percentage",
     {"percent": PERCENT, "light": one_of("The light", LIGHTS)}, 1),
    ("set_color", "Set the color of a light", {"color": one_of("The color", COLORS), "light": one_of("The light", LIGHTS)}, 1),
    ("open", "Open a door, windows, blinds or curtains", {"cover": one_of("What", COVERS), "room": ROOM}, 1),
    ("close", "Close a door, windows, blinds or curtains", {"cover": one_of("What", COVERS), "room": ROOM}, 1),
    ("unlock", "Unlock a door", {"door": one_of("The door", ["front door"])}, 1),
    ("get_state", "Tell whether a door is open, closed, locked or unlocked, or the temperature, humidity, time or date",
     {"thing": one_of("What is asked about", THINGS), "room": ROOM}, 1),
    ("start_timer", "Set, start or create a timer", {"duration": DURATION}, 1),
    ("stop_timer", "Stop the timer, or all of my timers", {}, 0),
    ("resume_timer", "Resume or pause the timer", {}, 0),
    ("timer_status", "Status of the timers: how much time is left", {}, 0),
    ("pause", "Pause or resume the TV", {}, 0),
    ("next_track", "Skip a song or track on the TV", {}, 0),
    ("run_script", "Run a script", {"script": one_of("The script", ["party time"])}, 1),
    ("get_weather", "Tell the weather at a place", {"place": one_of("The place", ["here", "new york"])}, 1),
]
EXAMPLES = [("who wrote this book", "none()"),
            ("switch on the lamp in the office", "house.turn_on(device='office lights', room='office')"),
            ("it is too bright, switch off the television", "house.turn_off(device='tv')"),
            ("make it half as bright in the kitchen", "house.set_brightness(percent=50, light='kitchen lights')"),
            ("shut the curtains", "house.close(cover='curtains')"),
            ("let the timer end", "house.stop_timer()"),
            ("ten minutes for the eggs please", "house.start_timer(duration='10 minutes')"),
            ("is it humid outside", "house.get_state(thing='outdoor humidity')")]
PROMPT = """You turn a request into function calls. Answer with the call alone. When no function fits, write none().

functions:
{% for function in functions -%}
{{ function.signature }}: {{ function.description }}
{% endfor -%}
""" + "".join("\nrequest: %s\ncall: %s\n" % example for example in EXAMPLES) + """
request: {{ input }}
call:"""
PROJECT = """slipway = 1
name = "house"
skills = ["skills/*.json"]
candidate = "voice"

[candidates.voice]
model = "gemma-3-270m"
prompt = "prompt.jinja"
constrain = true
max_tokens = 64
stop = ["\\n"]

[datasets.one]
path = "one.jsonl"
"""


def skill(base_url):
    tools, bindings = [], {}
    for name, description, parameters, required in FUNCTIONS:
        schema = {"type": "object", "properties": parameters, "required": list(parameters)[:required]}
        tools.append({"type": "function", "function": {"name": name, "description": description, "parameters": schema}})
        bindings[name] = {"permission": "allow", "http": {"method": "POST", "path": "/" + name, "timeout_ms": 5000},
                          "reply": "Done."}
    return {"slipway_skill": 1, "name": "house", "base_url": base_url, "tools": tools, "functions": bindings}


def write(folder, base_url):
    project = os.path.join(folder, "house")
    os.makedirs(os.path.join(project, "skills"))
    for name, text in (("slipway.toml", PROJECT), ("prompt.jinja", PROMPT),
                       ("one.jsonl", json.dumps({"id": "one", "input": "@@@", "output": "none()"}) + "\n"),
                       ("skills/house.json", json.dumps(skill(base_url), indent=1))):
        with open(os.path.join(project, name), "w", encoding="utf-8") as file:
            file.write(text)
    return project
