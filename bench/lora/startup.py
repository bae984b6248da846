"""How long `slipway tune` takes until it trains.

    model = startup.pulled(binary, "gemma-3-270m")       # the path of its weights
    startup.measure(binary, model, folder, threads=2)["startup_s"]
"""
import json
import os
import shutil
import subprocess
import time

import workload

EXAMPLE = os.path.join(workload.ROOT, "examples", "home")
ROWS = 8


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:3])}: {done.stderr.strip()}")
    return done.stdout


def pulled(binary, name):
    run([binary, "models", "pull", name, "--accept-licence"])
    for model in json.loads(run([binary, "models", "--json"])):
        if model["name"] == name:
            return model["path"]
    raise RuntimeError(f"the catalog has no {name}")


def project(folder):
    """A copy of the home example with a store of its own."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".slipway", "service", "adapters"))
    return folder


def measure(binary, model, folder, threads):
    """One step of a training of ROWS rows. What is not that step, from the start of the process to its
    end, counts as starting up: finding and hashing, tokenizing, opening, and also writing the adapter."""
    place = project(os.path.join(folder, "startup"))
    command = [binary, "tune", "train", "--project", place, "--model", model, "--limit", str(ROWS),
               "--batch", str(ROWS), "--epochs", "1", "--dev", "none", "--threads", str(threads), "--json"]
    best = None
    for _ in range(3):  # the first one hashes the weights, which is remembered
        begun = time.monotonic()
        told = json.loads(run(command))
        whole = time.monotonic() - begun
        found = {"whole_s": whole, "step_s": told["train_ms"] / 1000, "tokens": told["tokens"],
                 "startup_s": whole - told["train_ms"] / 1000}
        if best is None or found["startup_s"] < best["startup_s"]:
            best = found
    return best
