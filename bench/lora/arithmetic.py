"""How many floating-point operations a step of ours is, from what it computed.

    work = Work(opened, rank=16)        # what the probe answered to "open"
    work.flops(step)                    # what it answered to "step"

Counted: products with weights and adapters, forward and backward, and the vocabulary head on rows that
predict something (its gradient by the entries that were computed). Not counted: attention's scores,
norms, activations, the optimizer; dequantisation is no work of the model's.
"""


class Work:
    def __init__(self, shape, rank):
        d, q, kv, ff = shape["width"], shape["q_width"], shape["kv_width"], shape["ff"]
        self.layers, self.rank, self.width, self.vocabulary = shape["layers"], rank, d, shape["vocabulary"]
        self.q = (d, q)
        self.kv = [(d, kv), (d, kv)]
        self.rest = [(q, d), (d, ff), (d, ff), (ff, d)]

    def weights(self, matrices, rows, with_dx=True):
        """Forward, the gradient of the input, and an adapter's six small products."""
        passes = 2 if with_dx else 1
        wide = sum(2 * i * o for i, o in matrices) * rows * passes
        narrow = sum(2 * self.rank * (i + o) for i, o in matrices) * rows * 3
        return wide + narrow

    def flops(self, step):
        rows, losses = step["rows"], step["loss_rows"]
        qkv = [self.q, *self.kv]
        total = self.weights(qkv, rows, with_dx=False)  # nothing lies below the first layer
        total += (self.layers - 2) * self.weights(qkv, rows)
        total += (self.layers - 1) * self.weights(self.rest, rows)
        total += self.weights(self.kv, rows) + self.weights([self.q, *self.rest], losses)
        total += 2 * self.vocabulary * self.width * losses  # the logits
        return total + 2 * step["head_entries"] * self.width
