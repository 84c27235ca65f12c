"""LeNet-5 on MNIST against PyTorch: images a second in training and evaluation, and peak memory.

usage: lenet5.py [ROUNDS]        (default 5; `make bench` runs it)
Every round runs each program once, in turn, so that a slow moment of the machine meets them all; the table shows medians, with
minimum and maximum. Whole processes are run; the rate is what each says of its own loop, without loading the data.
"""
import csv
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
DATA = "data/mnist/train-images-idx3-ubyte.gz"
LABELS = "data/mnist/train-labels-idx1-ubyte.gz"
TORCH = os.path.join(os.path.dirname(__file__), "torch_lenet5.py")


def run(command, **environment):
    """Standard output and error as one text, and the peak memory in MiB."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **environment})
        _, status, usage = os.wait4(child.pid, 0)
        out.seek(0)
        text = out.read()
    if status != 0:
        sys.exit(f"{' '.join(command)} failed:\n{text}")
    return text, usage.ru_maxrss / 1024


def ours(threads, level, directory):
    environment = {"CNNTRAIN_CPU": level}
    _, memory = run(["bin/cnntrain", "configs/lenet5.yaml", "-q", "--fresh", "-o", directory, "-t", str(threads),
                     "-s", "train.epochs=3", "-s", "data.validation=0.001"], **environment)
    with open(os.path.join(directory, "log.csv")) as f:
        train = statistics.median(float(row["images_per_second"]) for row in csv.DictReader(f))
    text, _ = run(["bin/cnneval", "-v", "-t", str(threads), os.path.join(directory, "model.bin"), DATA], **environment)
    rate = re.search(r"([\d,]+) images/s", text).group(1)
    return {"train": train, "eval": float(rate.replace(",", "")), "memory": memory}


def torch(threads, python):
    text, memory = run([python, TORCH, DATA, LABELS, str(threads), "300", "600"])
    return {**{k: float(v) for k, v in (line.split() for line in text.splitlines())}, "memory": memory}


def python_with_torch():
    for python in ("python3", "/usr/bin/python3"):
        if shutil.which(python) and subprocess.run([python, "-c", "import torch"], capture_output=True).returncode == 0:
            return python
    return None


def main():
    python = python_with_torch()
    directory = tempfile.mkdtemp(prefix="cnntrain-bench-")
    programs = {
        "cnntrain, 2 threads": lambda: ours(2, "", directory),
        "cnntrain, 1 thread": lambda: ours(1, "", directory),
        "cnntrain, 2 threads, AVX2": lambda: ours(2, "avx2", directory),
    }
    if python:
        programs["PyTorch, 2 threads"] = lambda: torch(2, python)
        programs["PyTorch, 1 thread"] = lambda: torch(1, python)
    else:
        print("PyTorch is not installed (python3-torch): our figures only")
    results = {name: [] for name in programs}
    try:
        for _ in range(ROUNDS):
            for name, program in programs.items():
                results[name].append(program())
    finally:
        shutil.rmtree(directory)

    def middle(name, key):
        return statistics.median(result[key] for result in results[name])

    print(f"LeNet-5, MNIST, batch 64, fp32: median of {ROUNDS} rounds (minimum to maximum)\n")
    print("| program | training, images/s | evaluation, images/s | peak memory, MiB |")
    print("|---|---:|---:|---:|")
    for name, rounds in results.items():
        cells = []
        for key in ("train", "eval", "memory"):
            values = [result[key] for result in rounds]
            cells.append(f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})")
        print(f"| {name} | {' | '.join(cells)} |")
    print()
    first = "cnntrain, 2 threads"
    for key, word in (("train", "training"), ("eval", "evaluation")):
        print(f"{word}: 2 threads are {middle(first, key) / middle('cnntrain, 1 thread', key):.2f} times 1 thread")
        if python:
            peer = max(middle(name, key) for name in results if name.startswith("PyTorch"))
            print(f"{word}: cnntrain is {middle(first, key) / peer:.1f} times PyTorch at its better thread count; "
                  f"capped to AVX2 {middle('cnntrain, 2 threads, AVX2', key) / peer:.1f} times")
    if python:
        peer = min(middle(name, "memory") for name in results if name.startswith("PyTorch"))
        print(f"peak memory: cnntrain takes {middle(first, 'memory') / peer:.2f} of PyTorch's")


main()
