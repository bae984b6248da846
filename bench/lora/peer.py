"""PEFT on the same weights, answering as the probe does: one JSON line for one JSON line.

    python peer.py MODEL.gguf
    {"do": "open", "rank": 16, "alpha": 32, "learning_rate": 5e-4, "threads": 2, "from": "a.gguf"}
    {"do": "step", "how": "usual", "examples": [...], "micro": 8}
    {"do": "compare", "examples": [...], "with": "g.gguf"}      its gradients against another's
    {"do": "save", "out": "folder"}   {"do": "sgemm"}   {"do": "versions"}

The weights are the GGUF's, dequantised by transformers. Three ways to do a step:

  usual   what the documentation shows: a padded batch, labels of -100 on the prompt, model(**batch).loss
  rows    the vocabulary head only on rows that predict an answer's token
  packed  the same, and all examples one after another behind a block-diagonal mask: no padding
"""
import json
import os
import resource
import sys
import time

import torch

import weights

IGNORED = -100


class Peer:
    def __init__(self, path):
        self.path = path
        self.model = self.optimizer = None

    def open(self, r):
        from peft import LoraConfig, PeftModel, get_peft_model
        torch.set_num_threads(r.get("threads") or os.cpu_count())
        torch.manual_seed(r.get("seed", 1))
        begin = time.monotonic()
        base = weights.load_model(self.path, torch.float64 if r.get("double") else torch.float32,
                                  r.get("cache"))
        loaded = time.monotonic() - begin
        config = LoraConfig(r=r.get("rank", 16), lora_alpha=r.get("alpha", 32), lora_dropout=0.0,
                            target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj",
                                            "up_proj", "down_proj"], task_type="CAUSAL_LM")
        if r.get("adapter"):  # a folder, as PEFT reads it
            self.model = PeftModel.from_pretrained(base, r["adapter"], is_trainable=True)
        else:
            self.model = get_peft_model(base, config)
        self.model.train()
        if r.get("double"):
            self.model.double()
        self.inner = self.model.get_base_model()
        if r.get("from"):
            weights.load_adapter(self.model, self.path, r["from"])
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=r.get("learning_rate", 5e-4),
                                           weight_decay=0.0)
        self.clip = r.get("clip_norm", 1.0)
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")  # the peak of memory is that of training, not of loading
        return {"load_s": loaded, "parameters": sum(p.numel() for p in self.parameters)}

    def step(self, r):
        begin, cpu = time.monotonic(), time.process_time()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.backward(r)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.clip or float("inf"))
        self.optimizer.step()
        milliseconds = (time.monotonic() - begin) * 1000
        return {"loss": loss, "gradient_norm": float(norm), "milliseconds": milliseconds,
                "cpu_ms": (time.process_time() - cpu) * 1000,
                "tokens": sum(len(p) + len(c) for p, c in r["examples"]), "peak_rss_mb": peak_mb()}

    def compare(self, r):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.backward(r)
        own = weights.gradients(self.model, self.path)
        return {"loss": loss, **weights.difference(weights.tensors(r["with"]), own)}

    def loss(self, r):
        with torch.no_grad():
            return {"loss": float(self.rows(r["examples"])) / sum(len(c) for _, c in r["examples"])}

    def backward(self, r):
        """The mean loss over all completion tokens of the batch; accumulates gradients."""
        examples, how = r["examples"], r.get("how", "usual")
        targets = sum(len(c) for _, c in examples)
        micro = r.get("micro") or len(examples)
        loss = {"usual": self.usual, "rows": self.rows, "packed": self.packed}[how]
        total = 0.0
        for i in range(0, len(examples), micro):
            part = loss(examples[i:i + micro]) / targets
            part.backward()
            total += float(part.detach())
        return total

    def usual(self, examples):
        tokens, mask, labels = padded(examples)
        out = self.model(input_ids=tokens, attention_mask=mask, labels=labels, use_cache=False)
        return out.loss * int((labels[:, 1:] != IGNORED).sum())

    def rows(self, examples):
        tokens, mask, labels = padded(examples)
        hidden = self.inner.model(input_ids=tokens, attention_mask=mask, use_cache=False)[0]
        wanted = labels[:, 1:] != IGNORED
        return self.head_loss(hidden[:, :-1][wanted], labels[:, 1:][wanted])

    def packed(self, examples):
        tokens, positions, labels, owner = [], [], [], []
        for i, (prompt, completion) in enumerate(examples):
            whole = (prompt + completion)[:-1]
            tokens += whole
            positions += range(len(whole))
            labels += [IGNORED] * (len(prompt) - 1) + completion
            owner += [i] * len(whole)
        labels = torch.tensor(labels)
        hidden = self.inner.model(
            input_ids=torch.tensor([tokens]), position_ids=torch.tensor([positions]),
            attention_mask=self.masks(torch.tensor(owner), torch.tensor(positions)),
            use_cache=False)[0][0]
        wanted = labels != IGNORED
        return self.head_loss(hidden[wanted], labels[wanted])

    def masks(self, owner, positions):
        same = (owner[:, None] == owner[None, :]) & (positions[:, None] >= positions[None, :])
        full = same[None, None]
        config = self.inner.config
        if "sliding_attention" not in (getattr(config, "layer_types", None) or []):
            return full
        near = positions[:, None] - positions[None, :] < config.sliding_window
        return {"full_attention": full, "sliding_attention": (same & near)[None, None]}

    def head_loss(self, hidden, labels):
        logits = self.inner.lm_head(hidden)
        return torch.nn.functional.cross_entropy(logits, labels, reduction="sum")

    def save(self, r):
        self.model.save_pretrained(r["out"])
        return {}

    def load(self, r):
        weights.load_adapter(self.model, self.path, r["from"])
        return {}


def padded(examples):
    longest = max(len(p) + len(c) for p, c in examples)
    tokens = torch.zeros(len(examples), longest, dtype=torch.long)
    mask, labels = torch.zeros_like(tokens), torch.full_like(tokens, IGNORED)
    for i, (prompt, completion) in enumerate(examples):
        whole = prompt + completion
        tokens[i, :len(whole)] = torch.tensor(whole)
        mask[i, :len(whole)] = 1
        labels[i, len(prompt):len(whole)] = torch.tensor(completion)
    return tokens, mask, labels


def peak_mb():
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def sgemm(r):
    """The best of a few products, in GFLOP/s: what this machine's cores give at most."""
    torch.set_num_threads(r.get("threads") or os.cpu_count())
    n, best = r.get("size", 2048), 0.0
    a, b = torch.rand(n, n), torch.rand(n, n)
    for _ in range(r.get("times", 5)):
        begin = time.monotonic()
        torch.mm(a, b)
        best = max(best, 2 * n ** 3 / (time.monotonic() - begin) / 1e9)
    return {"gflops": best}


def difference(r):
    """Of two files that hold an adapter or its gradients."""
    return weights.difference(weights.tensors(r["a"]), weights.tensors(r["b"]))


def versions(_):
    import peft
    import transformers
    return {"torch": torch.__version__, "transformers": transformers.__version__,
            "peft": peft.__version__, "python": sys.version.split()[0]}


def main():
    peer = Peer(sys.argv[1])
    answers = {"open": peer.open, "step": peer.step, "compare": peer.compare,
               "loss": peer.loss, "save": peer.save, "load": peer.load, "sgemm": sgemm,
               "difference": difference, "versions": versions}
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = answers[request["do"]](request)
        except Exception as error:  # told, so that the script can say where it came from
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
