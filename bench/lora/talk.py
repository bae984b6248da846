"""Processes that answer one JSON line with one JSON line.

    ours = talk.start([binary, model])
    ours.ask("step", examples=rows)["loss"]
"""
import json
import subprocess


class Talker:
    def __init__(self, command, environment=None):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)

    def ask(self, what, **arguments):
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            raise RuntimeError(f"{self.command[0]} ended ({code}) when asked to {what}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self.command[0]}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def start(command, environment=None):
    return Talker(command, environment)
