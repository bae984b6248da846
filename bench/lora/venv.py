"""A Python with PyTorch, transformers and PEFT: 5.6 GB, some minutes the first time, then at once.

    python = venv.python()
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from peers import client_python  # noqa: E402
from peers.client_python import CACHE, run  # noqa: E402,F401

PINNED = ["torch==2.15.0", "transformers==5.24.0", "peft==0.21.0", "gguf==0.19.0", "numpy", "safetensors"]


def python(say=lambda text: None):
    return client_python.python("peft", PINNED, "import torch, transformers, peft, gguf", say=say)
