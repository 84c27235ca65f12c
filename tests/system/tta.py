#!/usr/bin/env python3
"""tta.py: cnneval --tta: the mean over the image and draws of the model's own augmentations, against means taken here
from evaluations of images that are mirrored beforehand. Prints TAP."""
import csv
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, DIGITS, cnntrain, equal, make_subset, read_bytes, run_tests, write, write_idx  # noqa: E402

CONFIG = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz}}
augment: [flip: {{p: 1}}, mixup: 1]
network: [conv: {{filters: 4, kernel: 3, activation: tanh}}, dense: 10]
train: {{epochs: 1, batch_size: 32}}
"""
COUNT = 83  # not whole tiles


def cnneval(*arguments, code=0, **environment):
    done = subprocess.run([os.path.join(BIN, "cnneval"), *map(str, arguments)], capture_output=True, text=True,
                          timeout=100, check=False, env={**os.environ, **environment})
    assert done.returncode == code, f"cnneval {arguments}: exit {done.returncode}, not {code}:\n{done.stderr}"
    return done


def prepare(*settings):
    write("tta.yaml", CONFIG)
    cnntrain("-q", "tta.yaml", "-o", "run", *settings)
    (height, width), pixels, labels = make_subset(DIGITS, COUNT, "plain")
    rows = [pixels[i:i + width][::-1] for i in range(0, len(pixels), width)]
    write_idx("mirrored-images-idx3-ubyte", (COUNT, height, width), b"".join(rows))
    write_idx("mirrored-labels-idx1-ubyte", (COUNT,), labels)


def outputs(name, *arguments):
    """(what the network says of each image, mean loss)"""
    report = cnneval("run/model.bin", f"{name}-images-idx3-ubyte", "--csv", "out.csv", "--json", *arguments).stdout
    with open("out.csv", newline="", encoding="ascii") as file:
        return [[float(value) for value in row[3:]] for row in list(csv.reader(file))[1:]], json.loads(report)["loss"]


def means():
    """outputs and losses are means over the image and N - 1 draws"""
    prepare()
    (plain, loss), (mirrored, other) = outputs("plain"), outputs("mirrored")
    assert plain != mirrored
    for n in (2, 3, 10):
        got, mean = outputs("plain", "--tta", n)
        equal(len(got), COUNT, "rows")
        for row, a, b in zip(got, plain, mirrored):
            for p, pa, pb in zip(row, a, b):
                assert abs(p - (pa + (n - 1) * pb) / n) < 2e-6, f"--tta {n}: {p}, from {pa} and {pb}"
        assert abs(mean - (loss + (n - 1) * other) / n) < 1e-5, f"--tta {n}: loss {mean}"


def one():
    """1 is the image alone"""
    prepare()
    equal(outputs("plain", "--tta", 1), outputs("plain"))


def same():
    """the same whatever the number of threads and the level; other draws for another N"""
    prepare("-s", "augment=[rotate: 20, noise: 0.1]")
    results = []
    for arguments, environment in (((1,), {}), ((3,), {}), ((2,), {"CNNTRAIN_CPU": "avx2"})):
        cnneval("run/model.bin", "plain-images-idx3-ubyte", "--tta", 4, "--csv", "out.csv", "-t", *arguments,
                **environment)
        results.append(read_bytes("out.csv"))
    equal(results[1], results[0], "three threads")
    equal(results[2], results[0], "avx2")
    assert outputs("plain", "--tta", 4) != outputs("plain", "--tta", 5)


def nothing_to_draw():
    """a model that was trained without augmentations, or with mixed images only"""
    for augment in ("[]", "[mixup: 1]"):
        prepare("-s", f"augment={augment}", "--fresh")
        done = cnneval("run/model.bin", "plain-images-idx3-ubyte", "--tta", 2, code=5)
        equal(done.stderr, "run/model.bin: error: was trained without 'augment': --tta has nothing to draw\n")
        cnneval("run/model.bin", "plain-images-idx3-ubyte", "--tta", 1)
    done = cnneval("run/model.bin", "plain-images-idx3-ubyte", "--tta", 0, code=2)
    assert "--tta must be 1 to 10000, got '0'" in done.stderr, done.stderr


if __name__ == "__main__":
    run_tests([means, one, same, nothing_to_draw])
