"""A store in which every text of a run is an attack.

    spoil(binary, folder)      # a project with attacks in its names, rows and prompt, and in all records
    add_points(folder, 400)    # of the run `GROWING`, which is still running

What no command would write is written into records.db by hand, in the stated format (docs/format/store.md), as a store
from a stranger may be.
"""
import hashlib
import json
import os
import sqlite3
import struct

import project

ATTACKS = [
    "<script>attacked()</script>",
    "\"><img src=x onerror=attacked()>",
    "'><svg/onload=attacked()>",
    "<iframe srcdoc=\"<script>parent.attacked()</script>\"></iframe>",
    "javascript:attacked()//",
    "<a href=\"javascript:attacked()\" autofocus onfocus=attacked()>x</a>",
    "</textarea></title></style><script>attacked()</script>",
    "<details open ontoggle=attacked()>x</details>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=attacked()>",
    "{{constructor.constructor('attacked()')()}}${attacked()}",
    "<style>@import'javascript:attacked()';*{background:url(javascript:attacked())}</style>",
    "<object data=\"data:text/html,<script>parent.attacked()</script>\"></object><base href=//x/>",
    "\u202e\u2028<ScRiPt\x0c>attacked()</sCrIpT>",
    "<meta http-equiv=refresh content=\"0;url=javascript:attacked()\"><link rel=import href=//x>",
]
ALL = " ".join(ATTACKS)
EVAL, GROWING, GATE = ("%032x" % n for n in (0xA1, 0xA2, 0xA3))
LATEST = "run_id, key, value, step, unix_ms"
TRACE = "f" * 31 + "<"


def spoil(binary, folder):
    project.lay_out(folder)
    project.run(binary, folder, "runs")  # makes the store
    database = sqlite3.connect(os.path.join(folder, ".slipway", "records.db"))
    with database:
        for number, attack in enumerate(ATTACKS):
            add_run(database, "%032x" % (0xB0 + number), kind=attack[:200], status="failed", number=number)
        add_run(database, EVAL, kind="eval", status="finished", number=50)
        add_run(database, GROWING, kind="tune", status="running", number=51)
        add_run(database, GATE, kind="gate", status="finished", number=52)
        add_cases(database)
        add_spans(database)
        add_entities(database)
    database.close()
    add_points(folder, 0, 50)


def add_run(database, run_id, kind, status, number):
    inputs = {key: ALL for key in ("model", "split", "prompt", "scorer", "engine_id", "against_name")}
    inputs |= {"candidate": candidate()[0], "candidate_name": ATTACKS[number % len(ATTACKS)], "dataset": ALL,
               "dataset_sha256": "d1", ALL: ALL}
    environment = {"machine": {"cpu": ALL, "cores": ALL}, "command": ALL, "git": ALL, ALL: [ALL]}
    database.execute("INSERT INTO runs (id, experiment, kind, name, status, start_ms, end_ms, error, inputs, environment) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     (run_id, ALL[:240], kind, ALL, status, 1_790_000_000_000 + number * 1000,
                      None if status == "running" else 1_790_000_000_500 + number * 1000, ALL,
                      json.dumps(inputs), json.dumps(environment)))
    for table in ("params", "tags"):
        for attack in ATTACKS:
            database.execute(f"INSERT INTO {table} (run_id, key, value) VALUES (?, ?, ?)", (run_id, attack[:200], ALL))
    database.execute("INSERT INTO tags (run_id, key, value) VALUES (?, 'verdict', ?)", (run_id, ALL))
    for attack in [*ATTACKS, "exact_match"]:
        database.execute(f"INSERT INTO metrics_latest ({LATEST}) VALUES (?, ?, 0.5, 1, 1)", (run_id, attack[:200]))


def add_cases(database):
    for index, attack in enumerate(ATTACKS):
        detail = {"valid": True, "expected": attack + ALL, "reason": ALL, "tags": [attack, ALL]}
        database.execute("INSERT INTO cases (run_id, idx, example_id, passed, output, latency_ms, cached, detail) "
                         "VALUES (?, ?, ?, ?, ?, 1, 0, ?)",
                         (EVAL, index, attack, index % 2, ALL, json.dumps(detail)))


def frame(content):
    """A zstd frame that states its size and compresses nothing."""
    block = (len(content) << 3 | 1).to_bytes(3, "little")
    return b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", len(content)) + block + content


def add_spans(database):
    lines = []
    for number, attack in enumerate(ATTACKS):
        attributes = [["input", "string", ALL], ["reply", "string", attack], [attack, "string", ALL]]
        lines.append(json.dumps({"attributes": attributes, "end_unix_ns": 2_000_000 + number, "name": attack, "ok": False,
                                 "parent_span_id": "" if number == 0 else "s0", "span_id": f"s{number}",
                                 "start_unix_ns": 1_000_000, "status_message": ALL, "trace_id": TRACE},
                                sort_keys=True, separators=(",", ":")))
    payload = frame(("\n".join(lines) + "\n").encode())
    done = database.execute("INSERT INTO span_chunks (run_id, spans, sha256, payload) VALUES (?, ?, ?, ?)",
                            (EVAL, len(lines), hashlib.sha256(payload).digest(), payload))
    database.execute("INSERT INTO trace_index (trace_id, chunk, run_id, root_name, start_unix_ns) "
                     "VALUES (?, ?, ?, ?, 1000000)", (TRACE, done.lastrowid, EVAL, ALL))


def candidate(prompt=ALL):
    content = {"candidate": 1, "model": {"name": ALL, "weights_sha256": ALL, "adapters": [ALL]}, "prompt": prompt,
               "skills": [{"name": ALL}], "decoding": {ALL: ALL}, "call_language": {ALL: ALL}}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest(), text


def add_entities(database):
    for number, attack in enumerate(ATTACKS):
        source = json.dumps({"source": ALL + "\n" + attack}, separators=(",", ":"), ensure_ascii=False)
        put(database, "prompt", hashlib.sha256(source.encode()).hexdigest(), ALL[:200], source, number)
    put(database, "candidate", *[candidate()[0], ALL[:200], candidate()[1]], 1)
    database.execute("INSERT INTO releases (alias, action, candidate, candidate_name, candidate_object, engine_id, "
                     "because, who, unix_ms) VALUES (?, 'promote', ?, ?, ?, ?, ?, ?, 1)",
                     (ATTACKS[1], candidate()[0], ALL[:200], "0" * 64, ALL, ALL, ALL))


def put(database, kind, entity_id, name, content, at):
    database.execute("INSERT INTO entities (kind, id, name, created_ms, put_ms, content) VALUES (?, ?, ?, ?, ?, ?)",
                     (kind, entity_id, name, at, at, content))


def add_points(folder, first, count):
    """More of a curve whose name is an attack, into the run that is still running."""
    points = b"".join(struct.pack("<qqd", step, 1, 1 / (step + 1)) for step in range(first, first + count))
    payload = struct.pack("<II", 1, count) + points
    database = sqlite3.connect(os.path.join(folder, ".slipway", "records.db"), timeout=30)
    with database:
        for key in ("loss", *[attack[:200] for attack in ATTACKS[:4]]):
            database.execute("INSERT INTO metric_chunks (run_id, key, first_step, last_step, points, sha256, payload) "
                             "VALUES (?, ?, ?, ?, ?, ?, ?)", (GROWING, key, first, first + count - 1, count,
                                                              hashlib.sha256(payload).digest(), payload))
            database.execute(f"INSERT INTO metrics_latest ({LATEST}) VALUES (?, ?, 0.1, ?, 1) "
                             "ON CONFLICT DO UPDATE SET step = excluded.step", (GROWING, key, first + count - 1))
    database.close()
