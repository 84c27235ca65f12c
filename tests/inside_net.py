"""inside_net.py: a small network for the tests of what cnnview shows, trained on digits, and the same network computed
here, in double and without any library: forward, and the gradients by hand."""
import math
import os

from runs import BIN, DIGITS, cnntrain, read_bytes, read_idx, read_model, write

CONFIG = f"""\
seed: 3
data:
  train: {DIGITS}/train-images-idx3-ubyte.gz
  test: {DIGITS}/t10k-images-idx3-ubyte.gz
network:
  - conv: {{name: A, filters: 4, kernel: 3, activation: relu}}
  - maxpool: {{name: P, size: 2}}
  - dropout: {{name: D, rate: 0.2}}
  - conv: {{name: B, filters: 6, kernel: 2, activation: relu}}
  - dense: {{name: F, units: 12, activation: relu}}
  - dense: {{name: out, units: 10}}
train: {{epochs: 12, batch_size: 32, optimizer: {{type: adam, lr: 0.01}}}}
"""


def relu(maps):
    return [[[max(v, 0.0) for v in row] for row in plane] for plane in maps]


def conv(maps, weight, shape, bias):
    """Valid, stride 1."""
    filters, channels, kh, kw = shape
    h, w = len(maps[0]) - kh + 1, len(maps[0][0]) - kw + 1
    at = lambda o, c, i, j: weight[((o * channels + c) * kh + i) * kw + j]  # noqa: E731
    return [[[bias[o] + sum(at(o, c, i, j) * maps[c][y + i][x + j] for c in range(channels) for i in range(kh)
                            for j in range(kw)) for x in range(w)] for y in range(h)] for o in range(filters)]


def conv_back(dy, weight, shape, h, w):
    filters, channels, kh, kw = shape
    dx = [[[0.0] * w for _ in range(h)] for _ in range(channels)]
    for o in range(filters):
        for y, row in enumerate(dy[o]):
            for x, v in enumerate(row):
                for c in range(channels):
                    for i in range(kh):
                        for j in range(kw):
                            dx[c][y + i][x + j] += v * weight[((o * channels + c) * kh + i) * kw + j]
    return dx


def dense(values, weight, bias):
    n = len(values)
    return [b + sum(weight[u * n + i] * values[i] for i in range(n)) for u, b in enumerate(bias)]


def dense_back(dy, weight, n):
    return [sum(weight[u * n + i] * v for u, v in enumerate(dy)) for i in range(n)]


def pool(maps):
    return [[[max(plane[y + i][x + j] for i in (0, 1) for j in (0, 1)) for x in range(0, len(plane[0]) - 1, 2)]
             for y in range(0, len(plane) - 1, 2)] for plane in maps]


def pool_back(maps, dy):
    """To the first greatest of each window, in row order: the switch."""
    dx = [[[0.0] * len(plane[0]) for _ in plane] for plane in maps]
    for c, plane in enumerate(dy):
        for y, row in enumerate(plane):
            for x, v in enumerate(row):
                window = [(-maps[c][2 * y + i][2 * x + j], i, j) for i in (0, 1) for j in (0, 1)]
                _, i, j = min(window)
                dx[c][2 * y + i][2 * x + j] += v
    return dx


def flat(maps):
    return [v for plane in maps for row in plane for v in row]


def unflat(values, c, h, w):
    return [[list(values[(k * h + y) * w:(k * h + y + 1) * w]) for y in range(h)] for k in range(c)]


def gate(dy, forward, rule):
    """What a rectifier passes back: gradient, guided, deconvnet."""
    if isinstance(dy, list):
        return [gate(a, b, rule) for a, b in zip(dy, forward)]
    return {"gradient": dy if forward > 0 else 0.0, "guided": dy if forward > 0 and dy > 0 else 0.0,
            "deconvnet": max(dy, 0.0)}[rule]


class Net:
    def __init__(self, path):
        self.metadata, self.tensors = read_model(path)
        _, _, _, scale, self.mean, self.std = map(float, self.metadata["input"].split())
        self.scale = scale

    def w(self, name):
        return self.tensors[name + ".weight"][1], self.tensors[name + ".weight"][0]

    def b(self, name):
        return self.tensors[name + ".bias"][1]

    def normalized(self, pixels):
        return [[(pixels[y * 8 + x] * self.scale - self.mean) / self.std for x in range(8)] for y in range(8)]

    def forward(self, image):
        """All that comes of [8][8] normalised values."""
        a = relu(conv([image], *self.w("A"), self.b("A")))
        p = pool(a)
        b = relu(conv(p, *self.w("B"), self.b("B")))
        f = [max(v, 0.0) for v in dense(flat(b), self.w("F")[0], self.b("F"))]
        return {"image": [image], "A": a, "P": p, "B": b, "F": f, "out": dense(f, self.w("out")[0], self.b("out"))}

    def before_activation(self, image, layer):
        """The layer's own output."""
        values = self.forward(image)
        if layer == "B":
            return conv(values["P"], *self.w("B"), self.b("B"))
        return dense(flat(values["B"]) if layer == "F" else values["F"], self.w(layer)[0], self.b(layer))

    def logits(self, image):
        return self.forward(image)["out"]

    def back_to_b(self, values, target, rule="gradient"):
        """The gradient of a class's score by the maps of B."""
        df = [self.w("out")[0][target * 12 + i] for i in range(12)]
        return unflat(dense_back(gate(df, values["F"], rule), self.w("F")[0], 24), 6, 2, 2)

    def back_from_b(self, values, db, rule="gradient"):
        """From the gradient by the maps of B to the image's."""
        dp = conv_back(gate(db, values["B"], rule), *self.w("B"), 3, 3)
        da = gate(pool_back(values["A"], dp), values["A"], rule)
        return conv_back(da, *self.w("A"), 8, 8)[0]


def train(directory):
    """(path of the model, Net)"""
    write("inside.yaml", CONFIG)
    cnntrain("-q", "inside.yaml", "-o", directory)
    path = os.path.join(directory, "model.bin")
    return path, Net(path)


def test_set():
    """(pixels of each image, labels)"""
    _, pixels = read_idx(os.path.join(DIGITS, "t10k-images-idx3-ubyte.gz"))
    _, labels = read_idx(os.path.join(DIGITS, "t10k-labels-idx1-ubyte.gz"))
    return [pixels[i:i + 64] for i in range(0, len(pixels), 64)], labels


def softmax(z):
    most = max(z)
    e = [math.exp(v - most) for v in z]
    return [v / sum(e) for v in e]


def near(got, want, tolerance, what):
    """Each of two lists of numbers within `tolerance` of the greatest."""
    assert len(got) == len(want), f"{what}: {len(got)} values, want {len(want)}"
    most = max(map(abs, want)) or 1.0
    worst = max(range(len(want)), key=lambda i: abs(got[i] - want[i]))
    assert abs(got[worst] - want[worst]) <= tolerance * most, f"{what}: value {worst}: {got[worst]}, want {want[worst]}"


__all__ = ["BIN", "DIGITS", "CONFIG", "Net", "train", "test_set", "softmax", "near", "flat", "unflat", "gate",
           "read_bytes", "read_model"]
