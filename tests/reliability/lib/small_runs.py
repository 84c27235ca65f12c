"""small_runs.py: runs of a second or less that touch much, for the tools under which everything is slow: a config with the
layers and helpers that keep state, Winograd's kernels, more threads than tiles; a perceptron, whose batches threads share out by outputs,
with tiles of their own behind the first layer in a batch of eight tiles, and not in one of two; a folder of pictures, decoded by the threads
and augmented; and what is done with a model afterwards."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
from cases.formats import png  # noqa: E402
from runs import DIGITS, write  # noqa: E402

# 20 images are two tiles, the second not full.
NET = f"""\
seed: 3
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2, limit: 100}}
network:
  - conv: {{filters: 8, kernel: 3, padding: same, bias: false}}
  - batchnorm
  - relu
  - conv: {{filters: 8, kernel: 3, padding: same, activation: tanh}}
  - conv: {{filters: 8, kernel: 5, padding: same, activation: gelu}}
  - maxpool: 2
  - spatial_dropout: 0.2
  - dense: {{units: 24, activation: sigmoid}}
  - dropout: 0.3
  - dense: 10
train:
  epochs: 2
  batch_size: 20
  label_smoothing: 0.1
  optimizer: adam
  schedule: {{type: cosine, epochs: 2, warmup: 0.5}}
  regularize: {{l2: 0.0001, max_norm: 2}}
  clip_norm: 1
  accumulate: 2
  ema: 0.9
  early_stopping: {{monitor: val_loss, patience: 1}}
"""
# Only a few of the pictures fit into memory: the others are decoded whenever they are needed.
PICTURES = """\
seed: 4
data: {train: pictures, validation: 0.25, input: {height: 12, width: 12, fit: letterbox}, memory: 2000}
augment:
  - rotate: 10
  - choose: {of: [elastic: {alpha: 4, sigma: 2}, blur: {sigma: 0.5}, cutout: {size: 3}]}
  - mixup: {alpha: 0.4}
network:
  - conv: {filters: 6, kernel: 3, activation: relu}
  - groupnorm: {groups: 2}
  - residual: {body: [conv: {filters: 6, kernel: 3, padding: same, groups: 6}], shortcut: identity}
  - global_avgpool
  - dense: 2
train: {epochs: 2, batch_size: 12, optimizer: {type: momentum, lr: 0.01}}
"""

PERCEPTRON = f"""\
seed: 5
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2, limit: 200, input: {{height: 16, width: 16, fit: stretch}}}}
network:
  - dense: {{units: 2000, activation: relu}}
  - dropout: 0.2
  - dense: 10
train: {{epochs: 1, batch_size: 128}}
"""


def make_files():
    """net.yaml, pictures.yaml, perceptron.yaml and pictures/ in the current directory."""
    write("net.yaml", NET)
    write("pictures.yaml", PICTURES)
    write("perceptron.yaml", PERCEPTRON)
    for k, name in enumerate(("dark", "light")):
        os.makedirs(os.path.join("pictures", name))
        for i in range(16):
            size = 9 + i % 5
            pixels = bytes((x * 7 + i * 11 + k * 90) % 256 for x in range(3 * size * size))
            with open(os.path.join("pictures", name, f"{i}.png"), "wb") as file:
                file.write(png(pixels, size, size, colour=2))


IMAGE = os.path.join("pictures", "dark", "0.png")
TEST = os.path.join(DIGITS, "t10k-images-idx3-ubyte.gz")
# What a user does, in order; each writes where the next may read.
COMMANDS = [
    ("train, a validation share, a checkpoint", ["cnntrain", "net.yaml", "-o", "net", "-s", "train.checkpoint.every=1", "-s", "train.epochs=1"]),
    ("go on from the checkpoint", ["cnntrain", "net.yaml", "-o", "net", "--resume"]),
    ("train on pictures with augmentation", ["cnntrain", "pictures.yaml", "-o", "faces"]),
    ("train a perceptron", ["cnntrain", "perceptron.yaml", "-o", "perceptron"]),
    ("evaluate", ["cnneval", "net/model.bin", TEST]),
    ("evaluate on pictures", ["cnneval", "faces/model.bin", "pictures"]),
    ("predict", ["cnnpredict", "--json", "faces/model.bin", IMAGE, "pictures"]),
    ("view a model", ["cnnview", "net/model.bin"]),
    ("draw its activations", ["cnnview", "faces/model.bin", "--activations", IMAGE, "-o", "a.png"]),
    ("draw a saliency", ["cnnview", "faces/model.bin", "--saliency", IMAGE, "-o", "s.png"]),
]
