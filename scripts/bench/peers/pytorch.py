"""pytorch.py: PyTorch as a peer of the bench (protocol.py).

usage: pytorch.py [--channels-last] NETWORK BATCH IMAGES LABELS
       pytorch.py --export FILE NETWORK BATCH IMAGES LABELS      write the network for ONNX Runtime, and end

The same job as cnntrain's: both loops keep the loss and count what is right, as every training log does. In PyTorch's favour, the
images are normalised floats in memory before the clock starts and batches are plain index operations: no DataLoader, no workers.
"""
import argparse
import os
import sys

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import data  # noqa: E402
import protocol  # noqa: E402
from torch_networks import NETWORKS  # noqa: E402


def load(images, labels):
    shape, values = data.read(images)
    channels = shape[1:-2] or (1,)
    x = torch.frombuffer(bytearray(values), dtype=torch.uint8).reshape(shape[0], *channels, *shape[-2:])
    y = torch.frombuffer(bytearray(data.read(labels)[1]), dtype=torch.uint8).long()
    return (x.float() / 255 - 0.1307) / 0.3081, y


class Peer:
    def __init__(self, options):
        self.batch = options.batch
        self.x, self.y = load(options.images, options.labels)
        self.net = NETWORKS[options.network]()
        if options.channels_last:
            self.net = self.net.to(memory_format=torch.channels_last)
            self.x = self.x.contiguous(memory_format=torch.channels_last)
        residual = options.network == "resnet-cifar"
        self.optimizer = (torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=0.9) if residual else
                          torch.optim.Adam(self.net.parameters(), lr=0.001))
        self.loss = nn.CrossEntropyLoss()
        self.order = torch.randperm(len(self.x))
        self.total, self.right = 0.0, 0

    def count(self, loss, logits, y):
        self.total += loss.item() * self.batch
        self.right += (logits.argmax(1) == y).sum().item()

    def train_step(self, number):
        index = self.order[number * self.batch % len(self.x):][:self.batch]
        y = self.y[index]
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.net(self.x[index])
        loss = self.loss(logits, y)
        loss.backward()
        self.optimizer.step()
        self.count(loss, logits, y)

    def eval_step(self, number):
        at = number * self.batch % len(self.x)
        with torch.no_grad():
            logits, y = self.net(self.x[at:at + self.batch]), self.y[at:at + self.batch]
            self.count(self.loss(logits, y), logits, y)

    def train(self, threads, seconds):
        torch.set_num_threads(threads)
        self.net.train()
        return protocol.rate(self.train_step, self.batch, seconds)

    def eval(self, threads, seconds):
        torch.set_num_threads(threads)
        self.net.eval()
        return protocol.rate(self.eval_step, self.batch, seconds)

    def parameters(self):
        return sum(p.numel() for p in self.net.parameters())

    def export(self, path):
        self.net.eval()
        torch.onnx.export(self.net, self.x[:2], path, input_names=["x"], output_names=["y"], opset_version=13,
                          dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})


def blas():
    """The library that multiplies PyTorch's matrices."""
    with open("/proc/self/maps", encoding="ascii") as file:
        paths = {line.split("/", 1)[1].strip() for line in file if "blas" in line}
    names = sorted(word for path in paths for word in path.split("/") if word.endswith(("blas", "pthread", "openmp")))
    return names[0] if names else "its own"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--export")
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("batch", type=int)
    parser.add_argument("images")
    parser.add_argument("labels")
    options = parser.parse_args()
    torch.manual_seed(42)
    peer = Peer(options)
    if options.export:
        peer.export(options.export)
        return
    peer.train_step(0)
    if blas() == "blas":  # Debian's reference BLAS, which nobody would compare with
        protocol.say("error", "PyTorch multiplies matrices with the reference BLAS: scripts/deps.sh bench installs OpenBLAS")
        return
    protocol.serve(peer.parameters(), version=f"PyTorch {torch.__version__}, BLAS {blas()}", train=peer.train, eval=peer.eval)


main()
