"""Small random models of every architecture, made by transformers and written as GGUF here: what the
trainer reads and what PyTorch computes come from one place, but by different code.

    python tiny.py FOLDER        # FOLDER/llama.gguf ... and FOLDER/weights/llama.gguf-SIZE for peer.py
"""
import os
import sys

import gguf
import torch
from transformers import AutoConfig, AutoModelForCausalLM

LAYERS, WIDTH, FF, HEADS, KV_HEADS, HEAD, VOCABULARY, WINDOW = 3, 64, 128, 4, 2, 16, 512, 12
EPSILON = 1e-6
TENSORS = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
           "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
           "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
           "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm"}
NORMS = {"gemma3": {"post_attention_layernorm": "post_attention_norm",
                    "pre_feedforward_layernorm": "ffn_norm",
                    "post_feedforward_layernorm": "post_ffw_norm"},
         "": {"post_attention_layernorm": "ffn_norm"}}


def config_of(architecture):
    kind = {"gemma3": "gemma3_text"}.get(architecture, architecture)
    more = {}
    if architecture == "gemma3":
        more = {"sliding_window": WINDOW, "query_pre_attn_scalar": HEAD,
                "layer_types": ["sliding_attention", "sliding_attention", "full_attention"]}
    return AutoConfig.for_model(
        kind, vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=FF, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD, rms_norm_eps=EPSILON,
        tie_word_embeddings=architecture == "gemma3", max_position_embeddings=256, bos_token_id=1,
        eos_token_id=2, pad_token_id=0, **more)


def make(architecture):
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config_of(architecture), dtype=torch.float32)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))
            elif "embed" in name:
                parameter.copy_(0.2 * torch.randn_like(parameter))
            else:
                parameter.copy_(0.25 * torch.randn_like(parameter))
    return model


def describe(writer, architecture):
    writer.add_vocab_size(VOCABULARY)
    writer.add_context_length(256)
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FF)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_freq_base(1e6 if architecture == "gemma3" else 1e4)
    writer.add_tokenizer_model("none")
    if architecture == "gemma3":
        writer.add_sliding_window(WINDOW)
        writer.add_uint32("gemma3.attention.sliding_window_pattern", 3)


def place_of(name, architecture):
    """The GGUF's name for a parameter."""
    whole = {"model.embed_tokens.weight": "token_embd.weight", "lm_head.weight": "output.weight",
             "model.norm.weight": "output_norm.weight"}
    if name in whole:
        return whole[name]
    _, _, layer, rest = name.split(".", 3)
    module, kind = rest.rsplit(".", 1)
    known = {**TENSORS, **NORMS.get(architecture, NORMS[""])}
    return f"blk.{layer}.{known[module]}.{kind}"


def value_of(place, parameter, architecture):
    array = parameter.detach().numpy()
    if architecture == "gemma3" and "norm" in place:
        return array + 1
    if architecture == "llama" and (".attn_q." in place or ".attn_k." in place):
        heads = HEADS if ".attn_q." in place else KV_HEADS
        return array.reshape(heads, 2, HEAD // 2, -1).swapaxes(1, 2).reshape(array.shape)
    return array


def write(folder, architecture):
    model = make(architecture)
    path = os.path.join(folder, f"{architecture}.gguf")
    writer = gguf.GGUFWriter(path, architecture)
    describe(writer, architecture)
    for name, parameter in model.named_parameters():
        place = place_of(name, architecture)
        writer.add_tensor(place, value_of(place, parameter, architecture).copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model.save_pretrained(os.path.join(folder, "weights", f"{architecture}.gguf-{os.path.getsize(path)}"))


def main():
    for architecture in ("gemma3", "llama", "qwen2", "qwen3"):
        write(sys.argv[1], architecture)


if __name__ == "__main__":
    main()
