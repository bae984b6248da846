"""Weights and adapters between GGUF and PyTorch, for peer.py.

    model = load_model("gemma-3-270m.gguf", torch.float32)     # dequantised by transformers
    load_adapter(peft_model, "gemma-3-270m.gguf", "a.gguf")    # parameters := those of the file
    gradients(peft_model, "gemma-3-270m.gguf")                 # {"blk.0.attn_q.weight.lora_a": array}
"""
import os

import numpy
import torch
from gguf import GGUFReader

MODULES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
           "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
           "ffn_down": "mlp.down_proj"}


def load_model(path, dtype, cache=None):
    """Reading a GGUF takes transformers a minute, so the result is kept in `cache`."""
    from transformers import AutoModelForCausalLM
    folder, name = os.path.split(os.path.abspath(path))
    kept = cache and os.path.join(cache, f"{name}-{os.path.getsize(path)}")
    if kept and os.path.exists(os.path.join(kept, "config.json")):
        model = AutoModelForCausalLM.from_pretrained(kept, dtype=dtype)
    else:
        model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=dtype)
        if kept:
            model.hf_quantizer = None  # plain floats by now
            if hasattr(model.config, "quantization_config"):
                del model.config.quantization_config
            model.save_pretrained(kept + ".part")
            os.rename(kept + ".part", kept)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def field(reader, key):
    return reader.get_field(key).contents() if reader.get_field(key) else None


class Names:
    """Which parameter of the PEFT model is which tensor, and how its rows lie."""

    def __init__(self, model_path):
        reader = GGUFReader(model_path)
        self.architecture = field(reader, "general.architecture")
        heads = field(reader, f"{self.architecture}.attention.head_count")
        kv_heads = field(reader, f"{self.architecture}.attention.head_count_kv") or heads
        self.heads = {"attn_q": heads, "attn_k": kv_heads}

    def of(self, model):
        """{tensor name: parameter}"""
        out = {}
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            parts = name.split(".")
            layer = parts[parts.index("layers") + 1]
            module = next(g for g, p in MODULES.items() if p in name)
            side = "lora_a" if "lora_A" in parts else "lora_b"
            out[f"blk.{layer}.{module}.weight.{side}"] = parameter
        return out

    def to_torch(self, name, array):
        return self.turned(name, array, False)

    def to_gguf(self, name, array):
        return self.turned(name, array, True)

    def turned(self, name, array, to_gguf):
        """llama's GGUF pairs rotated dimensions as (2i, 2i + 1), transformers as (i, i + head/2)."""
        module = name.split(".")[2]
        if self.architecture != "llama" or module not in self.heads or not name.endswith("lora_b"):
            return array
        rows, heads = array.shape[0], self.heads[module]
        shape = (heads, 2, rows // heads // 2, -1) if to_gguf else (heads, rows // heads // 2, 2, -1)
        return array.reshape(shape).swapaxes(1, 2).reshape(array.shape)


def tensors(path):
    return {t.name: numpy.array(t.data, dtype=numpy.float64).reshape(tuple(reversed(t.shape)))
            for t in GGUFReader(path).tensors}


def load_adapter(model, model_path, path):
    names, stored = Names(model_path), tensors(path)
    parameters = names.of(model)
    if parameters.keys() != stored.keys():
        raise ValueError(f"{path}: {sorted(parameters.keys() ^ stored.keys())[:4]} are on one side only")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(torch.tensor(numpy.ascontiguousarray(names.to_torch(name, stored[name]))))


def gradients(model, model_path):
    names = Names(model_path)
    return {name: names.to_gguf(name, parameter.grad.double().numpy())
            for name, parameter in names.of(model).items()}


def difference(ours, theirs):
    """The relative error of each tensor (norm of the difference by norm), the worst of them, and
    error and cosine of all taken as one vector."""
    worst, worst_name, dot, aa, bb = 0.0, "", 0.0, 0.0, 0.0
    for name, b in theirs.items():
        a = ours[name]
        size = float(numpy.linalg.norm(b))
        error = float(numpy.linalg.norm(a - b)) / size if size > 0 else float(numpy.linalg.norm(a))
        if not error <= worst:
            worst, worst_name = error, name
        dot, aa, bb = dot + float((a * b).sum()), aa + float((a * a).sum()), bb + float((b * b).sum())
    whole = sum(float(((ours[n] - b) ** 2).sum()) for n, b in theirs.items())
    return {"worst": worst, "worst_tensor": worst_name, "tensors": len(theirs),
            "cosine": dot / (aa * bb) ** 0.5, "whole": (whole / bb) ** 0.5}
