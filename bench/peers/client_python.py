"""A Python with somebody else's packages, pinned, installed once into the cache.

    python = client_python.python("openai", ["openai==3.57.0"], "import openai")

The folder's name tells the packages apart, so another version is another folder. Used by benches and by the
conformance tests. Raises RuntimeError when something cannot be installed.
"""
import hashlib
import os
import shutil
import subprocess
import sys

CACHE = os.environ.get("SLIPWAY_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "slipway")


def python(name, install, check, key=None, say=lambda text: None):
    """The interpreter's path. `install` is what pip gets; `key` is what decides it, if that is not `install` itself."""
    wanted = f"{sys.version_info.major}.{sys.version_info.minor} " + (key or " ".join(install))
    folder = os.path.join(CACHE, "peers", name + "-" + hashlib.sha256(wanted.encode()).hexdigest()[:12])
    interpreter = os.path.join(folder, "bin", "python")
    if os.path.exists(os.path.join(folder, ".complete")):
        return interpreter
    say(f"installing the packages of '{name}' into {folder} (once)")
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "venv", folder])
    run([interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check", *install])
    run([interpreter, "-c", check])
    with open(os.path.join(folder, ".complete"), "w", encoding="utf-8") as file:
        file.write(wanted + "\n")
    return interpreter


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise RuntimeError(f"{' '.join(command[:4])} ...: {' | '.join(last)}")
