#!/usr/bin/env python3
"""pipeline.py: what a run costs beside its arithmetic: start-up, reading MNIST, decoding images, checkpoints, log and progress bar.
Augmentation has a bench of its own, augmentation.sh. Needs data/mnist and Python's own library.

usage: scripts/bench/pipeline.py [ROUNDS [THREADS]]        default 5 rounds on 2 threads

Runs that are compared take turns. A time is the least of several, a rate the greatest of ROUNDS: what disturbs, slows.
"""
import csv
import gzip
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CNNTRAIN = os.path.join(ROOT, "bin", "cnntrain")
MNIST = os.path.join(ROOT, "data", "mnist")
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
THREADS = sys.argv[2] if len(sys.argv) > 2 else "2"

ZEROS = bytes(1 << 26)
TRAIN = "train: {epochs: 1, batch_size: 64}\n"
LENET = """\
network:
  - conv: {filters: 6, kernel: 5, activation: tanh}
  - avgpool: 2
  - conv: {filters: 16, kernel: 5, activation: tanh}
  - avgpool: 2
  - conv: {filters: 120, kernel: 5, activation: tanh}
  - dense: {units: 84, activation: tanh}
  - dense: 10
""" + TRAIN
PERCEPTRON = """\
network:
  - dense: {units: %d, activation: relu}
  - dense: {units: %d, activation: relu}
  - dense: 10
""" + TRAIN


def run(config, *settings, options=("-q",)):
    """Train; wall-clock seconds, and the rows of the log."""
    command = [CNNTRAIN, *options, "--fresh", "-o", "run", "-t", THREADS, config]
    for setting in settings:
        command += ["-s", setting]
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL if "-q" not in options else None)
    seconds = time.perf_counter() - start
    if "--dry-run" in options:
        return seconds, []
    with open("run/log.csv", newline="") as file:
        return seconds, list(csv.DictReader(file))


def least(count, *arguments, **more):
    return min(run(*arguments, **more)[0] for _ in range(count))


def rate(pair):
    """Images a second in the best epoch of a run."""
    return max(float(line["images_per_second"]) for line in pair[1])


def rates(one, other, rounds=ROUNDS):
    """Those of two kinds of runs that take turns."""
    pairs = [(rate(one()), rate(other())) for _ in range(rounds)]
    return max(pair[0] for pair in pairs), max(pair[1] for pair in pairs)


def row(what, figure, share=""):
    print(f"| {what} | {figure} | {share} |", flush=True)


def slower(what, one, other):
    row(what, f"{one:,.0f} / {other:,.0f} images/s", f"{100 * (one / other - 1):.1f} % slower")


def replace_files(sizes, count, pause):
    """What making files last takes from whoever computes meanwhile, by any program: `count` times, files of these sizes are written,
    synced and renamed, and their directory is synced."""
    os.makedirs("beside", exist_ok=True)
    folder = os.open("beside", os.O_RDONLY)
    for _ in range(count):
        time.sleep(pause)
        for number, size in enumerate(sizes):
            file = os.open("beside/new", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            os.posix_fallocate(file, 0, size)
            os.write(file, ZEROS[:size])
            os.fsync(file)
            os.close(file)
            os.rename("beside/new", f"beside/{number}")
            os.fsync(folder)
    os.close(folder)


def checkpoints(name, config):
    """Epochs with a checkpoint and a model after each, or after the last alone: what one pair costs. They are short ones, but
    long enough for the disk, which is waited for while the next one is trained. And the same while another program writes as much:
    what the machine takes for that."""
    epochs, short = 20, ("data.limit=12800", "train.epochs=20")
    every, once, beside = [], [], []
    run(config, *short)
    sizes = [os.path.getsize(f"run/{file}") for file in ("checkpoint.bin", "model.bin")]
    for _ in range(2 * ROUNDS):
        every.append(run(config, *short, "train.checkpoint.every=1")[0])
        once.append(run(config, *short, f"train.checkpoint.every={epochs}")[0])
        other = threading.Thread(target=replace_files, args=(sizes, epochs - 1, 0.8 * min(once) / epochs))
        other.start()
        beside.append(run(config, *short, f"train.checkpoint.every={epochs}")[0])
        other.join()
    speed = rate(run(config, "train.epochs=2"))

    def cost(runs):
        """ms a save, and % of an epoch; of the quarter of the runs that was least disturbed, the last."""
        seconds = (sorted(runs)[len(runs) // 4] - sorted(once)[len(once) // 4]) / (epochs - 1)
        return f"{1e3 * seconds:.1f} ms, {100 * seconds * speed / 60000:.2f} %"
    row(f"checkpoint and model of {name}, {sum(sizes) / 1e6:.1f} MB; as much written by another program", f"{cost(every)} of an epoch of MNIST",
        f"{cost(beside)}")


def log_row(config):
    """An epoch's end without a checkpoint: the row, once a second the page, and the order of the next epoch."""
    epochs, few = 300, "data.limit=640"
    costs = []
    for _ in range(ROUNDS):
        start = least(3, config, few, "train.epochs=0")
        whole, log = run(config, few, f"train.epochs={epochs}", f"train.checkpoint.every={epochs}")
        costs.append((whole - start - sum(float(line["seconds"]) for line in log)) / epochs)
    speed = rate(run(config, "train.epochs=2"))
    row("an epoch's end: a row of log.csv, once a second report.html", f"{1e3 * min(costs):.2f} ms", f"{100 * min(costs) * speed / 60000:.2f} % of an epoch of LeNet-5")


def png(pixels, size):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + pixels[at:at + size] for at in range(0, size * size, size))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def make_folder(name, count):
    """MNIST's first test images as PNG files in class folders."""
    with gzip.open(f"{MNIST}/t10k-images-idx3-ubyte.gz") as images, gzip.open(f"{MNIST}/t10k-labels-idx1-ubyte.gz") as labels:
        images.read(16), labels.read(8)
        for i in range(count):
            folder = f"{name}/{labels.read(1)[0]}"
            os.makedirs(folder, exist_ok=True)
            with open(f"{folder}/{i:05}.png", "wb") as file:
                file.write(png(images.read(784), 28))


def main():
    data = "data: {train: %s, input: {height: 32, width: 32}}\n"
    for name, text in (("lenet.yaml", data % f"{MNIST}/train-images-idx3-ubyte.gz" + LENET),
                       ("large.yaml", data % f"{MNIST}/train-images-idx3-ubyte.gz" + PERCEPTRON % (900, 400)),
                       ("small.yaml", data % f"{MNIST}/train-images-idx3-ubyte.gz" + PERCEPTRON % (256, 128)), ("folder.yaml", data % "png" + LENET)):
        with open(name, "w") as file:
            file.write(text)
    print(f"| LeNet-5, MNIST, batch 64, {THREADS} threads | | |\n|---|---|---|")
    row("start-up: `--dry-run`", f"{1e3 * least(20, 'lenet.yaml', options=('-q', '--dry-run')):.0f} ms")
    row("start to first batch, MNIST read from .gz", f"{1e3 * least(10, 'lenet.yaml', 'train.epochs=0'):.0f} ms")
    checkpoints("LeNet-5", "lenet.yaml")
    checkpoints("a perceptron of 1.3 million parameters", "large.yaml")
    checkpoints("a perceptron of 0.3 million parameters", "small.yaml")
    log_row("lenet.yaml")
    slower("without / with a progress bar", *rates(lambda: run("lenet.yaml", "train.epochs=3"),
                                                   lambda: run("lenet.yaml", "train.epochs=3", options=("--progress=always",))))
    make_folder("png", 10000)
    slower("PNG images in memory / decoded as they are needed",
           *rates(lambda: run("folder.yaml", "train.epochs=3"), lambda: run("folder.yaml", "train.epochs=3", "data.memory=1")))


if not os.path.exists(f"{MNIST}/train-images-idx3-ubyte.gz"):
    sys.exit("pipeline.py: no MNIST in data/mnist: make data")
work = tempfile.mkdtemp()
try:
    os.chdir(work)
    main()
finally:
    shutil.rmtree(work)
