"""Our trainer beside PEFT: what bench/tune and the conformance test share.

    venv.python()        a Python with PyTorch, transformers and PEFT, installed once
    talk.Peer, .Probe    two processes that train on request, so that one run alternates between them
    workload.rows()      the examples
    arithmetic.Work      how many operations a step is, from the model's shape
"""
