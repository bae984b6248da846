"""The examples that both sides train on: rows of the home example's train split.

    short(500)       about 39 tokens each: a line of instruction, a request, a call
    prefix300(64)    the same after a list of functions of about 300 tokens that all share
"""
import json
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TRAIN = os.path.join(ROOT, "examples", "home", "data", "train.jsonl")
INSTRUCTION = "Write the function call that answers the request.\n"
FUNCTIONS = """media.play(query, room): play music, a film or a station
media.pause(room): stop what is playing for now
media.set_volume(level, room): from silent to loud
lights.turn_on(room, brightness, color): switch lights on
lights.turn_off(room): switch lights off
climate.set_temperature(temperature, room): heat or cool a room
timers.set_timer(duration, label): count down
timers.set_alarm(time, label): ring at a time of day
calendar.add_event(title, date, time, place): put it into the calendar
calendar.list_events(date): read what is planned
weather.get_weather(location, date): the forecast for a place
messages.send(to, text): write to a person
messages.read(sender): read what has come in
lists.add_item(item, list): put something on a list
lists.remove_item(item, list): take it off again
memory.remember(key, value): keep a fact about the person
home.lock(door): lock a door of the house
home.set_cover(cover, position): open or close a blind
none(): nothing of this is asked for
"""


def rows():
    with open(TRAIN, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if not row.get("context") and isinstance(row["input"], str):
                yield row["input"], row["output"]


def short(count):
    return texts(count, INSTRUCTION)


def prefix300(count):
    return texts(count, FUNCTIONS + INSTRUCTION)


def texts(count, before):
    picked = [(f"{before}request: {asked}\ncall:", answer) for asked, answer in rows()
              if 24 <= len(answer) <= 80]
    if len(picked) < count:
        raise RuntimeError(f"{TRAIN} has only {len(picked)} rows of the wanted length")
    return picked[:count]


def batches(examples, size):
    """Endless, in order, the last one filled up from the start."""
    at = 0
    while True:
        yield [examples[(at + i) % len(examples)] for i in range(size)]
        at = (at + size) % len(examples)
