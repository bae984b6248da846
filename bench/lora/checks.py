"""Whether both sides compute the same: gradients on equal parameters, losses over a whole training.

    checks.gradients(ours, peft, examples, folder, how="usual")    # relative errors, cosine
    checks.loss_curve(ours, peft, examples, steps=50, batch=4)     # the largest difference
"""
import os

import workload


def gradients(ours, peft, examples, folder, how="usual"):
    path = os.path.join(folder, "gradients.gguf")
    own = ours.ask("gradients", examples=examples, out=path)
    theirs = peft.ask("compare", examples=examples, how=how, **{"with": path})
    return {**theirs, "loss_difference": abs(own["loss"] - theirs["loss"])}


def loss_curve(ours, peft, examples, steps, batch, how="usual"):
    """Both step on the same rows in the same order, each with its own gradients and optimizer."""
    batches = workload.batches(examples, batch)
    curve = []
    for _ in range(steps):
        rows = next(batches)
        a = ours.ask("step", examples=rows)["loss"]
        b = peft.ask("step", examples=rows, how=how)["loss"]
        curve.append((a, b))
    return {"max_difference": max(abs(a - b) for a, b in curve), "curve": curve}
