"""The two sides of bench/tune: our trainer in its two modes, PEFT in its ways, each a process.

    ours = Ours(probe, model, threads, exact=False)
    step = ours.runner(examples, batch=16)      # a function: one step further
    peft = Peft(python, model, threads)
    best = peft.best_way(examples)              # tried out: ("packed", 8)
"""
import os

import talk
import venv
import workload

HERE = os.path.dirname(os.path.abspath(__file__))
LORA = {"rank": 16, "alpha": 32, "learning_rate": 5e-4, "clip_norm": 1.0}
WAYS = [("rows", 8), ("packed", 8), ("rows", 16), ("packed", 16)]


class Side:
    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def runner(self, examples, batch, **how):
        batches = workload.batches(examples, batch)
        return lambda: self.talker.ask("step", examples=next(batches), **how)

    def ask(self, what, **arguments):
        return self.talker.ask(what, **arguments)

    def close(self):
        self.talker.close()


class Ours(Side):
    def __init__(self, probe, model, threads, exact, **more):
        self.talker = talk.start([probe, model])
        self.opened = self.ask("open", threads=threads, exact=exact, **LORA, **more)


class Peft(Side):
    def __init__(self, python, model, threads, start_from=None, **more):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="false",
                           HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error",
                           TQDM_DISABLE="1", PYTHONWARNINGS="ignore")
        self.talker = talk.start([python, os.path.join(HERE, "peer.py"), model], environment)
        arguments = {"cache": os.path.join(venv.CACHE, "peers", "weights"), **more}
        os.makedirs(arguments["cache"], exist_ok=True)
        if start_from:
            arguments["from"] = start_from
        self.opened = self.ask("open", threads=threads, **LORA, **arguments)

    def best_way(self, examples, say, ways=None):
        """The fastest of several honest efforts, the first step of each not counted."""
        speeds = {}
        for how, batch in ways or WAYS:
            step = self.runner(examples, batch, how=how)
            step()
            times = [step() for _ in range(2)]
            speeds[how, batch] = max(t["tokens"] / t["milliseconds"] * 1000 for t in times)
            say(f"  PEFT, {how}, {batch} examples a step: {speeds[how, batch]:.0f} tokens/s")
        return max(speeds, key=speeds.get)


def tokenized(probe, model, texts):
    """In a process of its own: the tokenizer's memory is not the trainer's."""
    with talk.start([probe, model]) as talker:
        return talker.ask("tokenize", rows=[list(text) for text in texts])["examples"]


def versions(python, model):
    with talk.start([python, os.path.join(HERE, "peer.py"), model]) as talker:
        return talker.ask("versions")
