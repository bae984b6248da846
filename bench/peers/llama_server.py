"""llama.cpp's own server, built from the very source that Slipway is built from, as a peer."""
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("SLIPWAY_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "slipway")


def locked_source():
    """The folder into which scripts/fetch-deps has unpacked llama.cpp."""
    with open(os.path.join(ROOT, "cmake", "deps.lock"), encoding="utf-8") as lock:
        fields = next(line.split() for line in lock if line.strip() and not line.startswith("#"))
    source = os.path.join(CACHE, "sources", "llama-" + fields[2][:12], "vendor", "llama.cpp")
    if not os.path.isdir(source):
        subprocess.run([os.path.join(ROOT, "scripts", "fetch-deps")], check=True)
    return source


def build():
    """The server with llama.cpp's own defaults (this very processor, repacked weights, llamafile's kernels); once."""
    source = locked_source()
    folder = os.path.join(CACHE, "peers", os.path.basename(os.path.dirname(os.path.dirname(source))) + "-native")
    binary = os.path.join(folder, "bin", "llama-server")
    if os.path.exists(binary):
        return binary
    print("building llama.cpp's server for this processor, once: some minutes", flush=True)
    subprocess.run(["cmake", "-S", source, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                    "-DBUILD_SHARED_LIBS=OFF", "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF",
                    "-DLLAMA_CURL=OFF", "-DLLAMA_OPENSSL=OFF", "-DLLAMA_BUILD_UI=OFF", "-DGGML_NATIVE=ON"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, "llama-server"], check=True, stdout=subprocess.DEVNULL)
    return binary


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running server; `complete` asks it for one answer."""

    def __init__(self, model, clients, context=2048, options=()):
        self.port = free_port()
        self.command = [build(), "-m", model, "--port", str(self.port), "--host", "127.0.0.1", "-t", "2",
                        "-np", str(clients), "-c", str(context * clients), "--no-webui"] + list(options)
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.time() + 60
        while time.time() < deadline:
            try:
                if json.loads(self.get("/health")).get("status") == "ok":
                    return
            except (OSError, ValueError, urllib.error.URLError):
                time.sleep(0.1)
            if self.process.poll() is not None:
                break
        self.close()
        raise RuntimeError("the server did not start: " + " ".join(self.command))

    def get(self, path):
        return urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.port, path), timeout=5).read()

    def complete(self, **body):
        request = urllib.request.Request("http://127.0.0.1:%d/completion" % self.port,
                                         json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.loads(urllib.request.urlopen(request, timeout=600).read())

    def close(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
