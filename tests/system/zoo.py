#!/usr/bin/env python3
"""zoo.py: scripts/zoo.sh trains with each seed, measures on the test set, and says what falls short; with --holdout it measures on training
images that are held out, and the test set stays unread. Runs as short as can be: no accuracy is judged. Prints TAP."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import MNIST, ROOT, Skip, environment, equal, read_idx, run_tests  # noqa: E402


def zoo(*arguments, code=0):
    """Run it, into the working directory; what it printed, and its messages."""
    done = subprocess.run([os.path.join(ROOT, "scripts", "zoo.sh"), *arguments], capture_output=True, text=True, timeout=120, check=False,
                          env=environment(OUTPUT=os.getcwd()))
    equal(done.returncode, code, done.stderr)
    return done.stdout, done.stderr


def short():
    """a row that falls short: each seed's figure, the row, what it must reach, exit code 1"""
    out, errors = zoo("digits", "2", "-s", "train.epochs=1", code=1)
    lines = out.splitlines()
    assert lines[0].startswith("seed 1: ") and lines[1].startswith("seed 2: ") and "% of the test images, 1 epochs" in lines[1], out
    assert lines[2].startswith("| digits | digits | 38,282 | 2 | "), out
    assert errors.splitlines()[-1].endswith(" %, must reach 98 %"), errors
    equal([line.split()[1] for line in errors.splitlines() if line.startswith("$ ")], 2 * ["bin/cnntrain", "bin/cnneval"], errors)


def held_out():
    """--holdout: the last 10,000 training images are measured on, the others trained on, and no test image is read"""
    if not os.path.exists(f"{MNIST}/train-images-idx3-ubyte.gz"):
        raise Skip("no MNIST in data/mnist: make data")
    out, errors = zoo("--holdout", "lenet5", "1", "-t", "1", "-s", "train.epochs=1", "-s", "data.limit=640")
    assert out.startswith("seed 1: ") and "% of the held-out images" in out and "| - |" in out, out
    assert "data/mnist/" not in errors, errors
    with open("lenet5/1/config.yaml", encoding="utf-8") as file:
        assert "data/mnist/" not in file.read()
    for kind in ("images-idx3", "labels-idx1"):
        dimensions, values = read_idx(f"{MNIST}/train-{kind}-ubyte.gz")
        size = len(values) // dimensions[0]
        for part, first, count in (("train", 0, 50000), ("t10k", 50000, 10000)):
            equal(read_idx(f"holdout-mnist/{part}-{kind}-ubyte.gz"),
                  ((count, *dimensions[1:]), values[first * size:(first + count) * size]), f"{part} {kind}")


def wrong_words():
    """what there is no row for, or nothing to hold out of, is exit code 2"""
    for words, message in ((("lenet6",), "no row 'lenet6'"), (("--holdout",), "no row ''"), (("lenet5", "0"), "at least one seed"),
                           (("--holdout", "vgg-cifar10"), "--holdout is for rows of MNIST and Fashion-MNIST, and 'vgg-cifar10' is of cifar10")):
        assert message in zoo(*words, code=2)[1], words


def names():
    """every row has a config, and says what it must reach"""
    rows = [line.split() for line in zoo()[0].splitlines()]
    assert len(rows) > 10 and all(len(row) >= 3 for row in rows), rows
    for name, *_ in rows:
        assert os.path.exists(os.path.join(ROOT, "configs", f"{name}.yaml")), name


run_tests([short, held_out, wrong_words, names])
