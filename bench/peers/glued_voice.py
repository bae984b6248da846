"""The assistant that everybody writes first: whisper.cpp, llama.cpp's server and a script between them.

    python glued_voice.py job.json      # prints the milliseconds from the last voiced sample to the call, a JSON list

Run by bench/voice with pywhispercpp's Python. Each clip is "recorded" in real time up to the last voiced sample and the
silence that ends it; then everything happens one after the other, with both models loaded.
"""
import json
import sys
import time
import urllib.request

from pywhispercpp.model import Model


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=60).read()


def main(path):
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    whisper = Model(job["model"], n_threads=2, print_progress=False, print_realtime=False)
    took = []
    for clip, _ in job["clips"][:1] + job["clips"]:  # the first one warms everything
        time.sleep(0.2)
        spoken = time.time()
        time.sleep(job["end_silence_ms"] / 1000)
        text = " ".join(segment.text for segment in whisper.transcribe(clip)).strip()
        answer = json.loads(post("http://127.0.0.1:%d/completion" % job["server"],
                                 {"prompt": job["prompt"].replace("@@@", text), "n_predict": 64, "temperature": 0,
                                  "grammar": job["grammar"], "stop": ["\n"], "cache_prompt": True}))["content"].strip()
        if answer != "none()":
            post(job["house"] + "/" + answer.split("(")[0].split(".")[-1], {"call": answer})
        took.append((time.time() - spoken) * 1000)
    print(json.dumps(took[1:]))


if __name__ == "__main__":
    main(sys.argv[1])
