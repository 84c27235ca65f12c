"""The peer of lenet5.py: configs/lenet5.yaml's network in PyTorch, on the same images, batch 64, fp32.

usage: torch_lenet5.py IMAGES LABELS THREADS TRAIN_BATCHES EVAL_BATCHES
Prints "train IMAGES_PER_SECOND" and "eval IMAGES_PER_SECOND". The same job as cnntrain's: both loops keep the loss and count what is
right, as every training log does. In PyTorch's favour, the images are normalised floats in memory before the clock starts and batches
are plain index operations: no DataLoader, no workers.
"""
import gzip
import sys
import time

import torch
from torch import nn

images, labels, threads, train_batches, eval_batches = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
torch.set_num_threads(threads)
torch.manual_seed(42)

with gzip.open(images) as f:
    raw = torch.frombuffer(bytearray(f.read()[16:]), dtype=torch.uint8).reshape(-1, 1, 28, 28)
with gzip.open(labels) as f:
    y = torch.frombuffer(bytearray(f.read()[8:]), dtype=torch.uint8).long()
x = nn.functional.pad(raw.float() / 255, (2, 2, 2, 2))
x = (x - 0.1307) / 0.3081

net = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2),
    nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
    nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(),
    nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
loss_of = nn.CrossEntropyLoss()
order = torch.randperm(len(x))
BATCH = 64


def train(batches):
    net.train()
    total, right = 0.0, 0
    for b in range(batches):
        index = order[b * BATCH % (len(x) - BATCH):][:BATCH]
        labels = y[index]
        optimizer.zero_grad(set_to_none=True)
        logits = net(x[index])
        loss = loss_of(logits, labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * BATCH
        right += (logits.argmax(1) == labels).sum().item()
    return total, right


def evaluate(batches):
    net.eval()
    total, right = 0.0, 0
    with torch.no_grad():
        for b in range(batches):
            at = b * BATCH % (len(x) - BATCH)
            logits, labels = net(x[at:at + BATCH]), y[at:at + BATCH]
            total += loss_of(logits, labels).item() * BATCH
            right += (logits.argmax(1) == labels).sum().item()
    return total, right


for name, work, batches in (("train", train, train_batches), ("eval", evaluate, eval_batches)):
    work(20)
    start = time.perf_counter()
    work(batches)
    print(name, batches * BATCH / (time.perf_counter() - start))
