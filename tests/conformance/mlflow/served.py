"""A project with nothing in it, and the real program serving it for tracking; and MLflow's own server.

    with Slipway(binary, folder) as server: server.url
    with Peer(python, folder) as server: server.url          # `mlflow server` over SQLite, one worker
"""
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

PACKAGES = {"3": "mlflow-skinny==3.17.2", "2": "mlflow-skinny==2.22.5"}
SERVER = "mlflow==3.17.2"


class Process:
    process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def rss_mb(self):
        """Of the process and its children."""
        total = 0
        for pid in [self.process.pid] + children(self.process.pid):
            with open(f"/proc/{pid}/status", encoding="utf-8") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        return total / 1024


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
            direct = [int(child) for child in file.read().split()]
    except OSError:
        return []
    return direct + [below for child in direct for below in children(child)]


class Slipway(Process):
    def __init__(self, binary, folder):
        with open(os.path.join(folder, "slipway.toml"), "w", encoding="utf-8") as file:
            file.write('slipway = 1\nname = "tracking"\n')
        environment = {k: v for k, v in os.environ.items() if k != "SLIPWAY_TOKEN"}
        started = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", "--lazy", "--project", folder, "--port", "0", "--json"],
            stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"slipway serve ended with {self.process.wait()}")
        self.url = json.loads(line)["url"]
        wait_for(self.url + "/health", self.process, 30)
        self.start_ms = (time.monotonic() - started) * 1000


class Peer(Process):
    def __init__(self, python, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = dict(os.environ, MLFLOW_DISABLE_TELEMETRY="true")
        started = time.monotonic()
        with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [os.path.join(os.path.dirname(python), "mlflow"), "server", "--workers", "1", "--port", str(port),
                 "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination",
                 os.path.join(folder, "artifacts")], stdout=log, stderr=log, env=environment, cwd=folder)
        wait_for(self.url + "/health", self.process, 300)
        self.start_ms = (time.monotonic() - started) * 1000


def wait_for(url, process, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.005)
    raise RuntimeError(f"nothing answers at {url}")
