"""A Python with the unmodified `openai` client: pinned, installed once into the cache.

    python = client_venv.python()
"""
import hashlib
import os
import shutil
import subprocess
import sys

PINNED = ["openai==3.57.0"]
CACHE = os.environ.get("SLIPWAY_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "slipway")


def python(say=lambda text: None):
    """The interpreter's path. Raises RuntimeError when something cannot be installed."""
    wanted = f"{sys.version_info.major}.{sys.version_info.minor} " + " ".join(PINNED)
    folder = os.path.join(CACHE, "peers", "openai-" + hashlib.sha256(wanted.encode()).hexdigest()[:12])
    interpreter = os.path.join(folder, "bin", "python")
    if os.path.exists(os.path.join(folder, ".complete")):
        return interpreter
    say(f"installing {', '.join(PINNED)} into {folder} (once)")
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", folder])
    run([interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PINNED])
    run([interpreter, "-c", "import openai"])
    with open(os.path.join(folder, ".complete"), "w", encoding="utf-8") as file:
        file.write(wanted + "\n")
    return interpreter


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise RuntimeError(f"{' '.join(command[:4])} ...: {' | '.join(last)}")
