#!/usr/bin/env python3
"""cnnview.py: the sheet of cnnview --augment, pixel by pixel, its messages, and what it says of a model. Prints TAP."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from png import read_png  # noqa: E402
from runs import BIN, DIGITS, ROOT, cnntrain, equal, make_subset, read_bytes, run_tests, write  # noqa: E402

CONFIG = f"""\
data:
  train: {DIGITS}/train-images-idx3-ubyte.gz
  validation: 0.2
  input: {{height: 10, width: 12}}
augment: [flip: {{p: 1}}]
network: [dense: 10]
"""
ZOOM, NAMES, TOP = 8, 18, 16  # 96 / 12; two gaps and a letter; a gap and a line of text
CELL_W, CELL_H = 12 * ZOOM + 6, 10 * ZOOM + 16


def cnnview(*arguments, code=0):
    """(stdout, stderr)"""
    done = subprocess.run([os.path.join(BIN, "cnnview"), *map(str, arguments)], capture_output=True, text=True,
                          timeout=100, check=False)
    assert done.returncode == code, f"cnnview {arguments}: exit {done.returncode}, not {code}:\n{done.stderr}"
    return done.stdout, done.stderr


def cell(rows, row, column):
    """The image there, as rows of grey values; each pixel must be a whole square."""
    image = []
    for y in range(10):
        line = []
        for x in range(12):
            top, left = TOP + row * CELL_H + y * ZOOM, NAMES + column * CELL_W + x * ZOOM
            square = {bytes(rows[top + i][3 * (left + k):3 * (left + k) + 3]) for i in range(ZOOM) for k in range(ZOOM)}
            equal(len(square), 1, f"colours of pixel {y}, {x}")
            red, green, blue = square.pop()
            assert red == green == blue
            line.append(red)
        image.append(line)
    return image


def originals():
    """The first training image of each class at the input's size; those that the split leaves in the training set."""
    (height, width), pixels, labels = make_subset(DIGITS, 300, "part")
    found = {}
    for i, label in enumerate(labels):
        image = [[0] * 12 for _ in range(10)]
        for y in range(height):
            for x in range(width):
                image[1 + y][2 + x] = pixels[(i * height + y) * width + x]
        found.setdefault(label, []).append(image)
    return found


def sheet():
    """a row for each class: the image as it is, then as it is trained on"""
    write("view.yaml", CONFIG)
    cnnview("--augment", "view.yaml", "-o", "sheet.png", "--count", 2)
    width, height, rows = read_png("sheet.png")
    equal((width, height), (NAMES + 3 * CELL_W + 6, TOP + 10 * CELL_H + 6), "size")
    images = originals()
    for label in range(10):
        plain = cell(rows, label, 0)
        assert plain in images[label], f"row {label} has no image of class {label}"
        for column in (1, 2):
            equal(cell(rows, label, column), [line[::-1] for line in plain], f"row {label}, column {column}")


def epochs():
    """the same epoch gives the same images, wherever it stands; another one other images"""
    write("view.yaml", CONFIG)
    settings = ("-s", "augment=[rotate: 30, noise: 0.1, mixup: {p: 0.5}]")
    cnnview("--augment", "view.yaml", "-o", "a.png", "--count", 3, *settings)
    cnnview("--augment", "view.yaml", "-o", "b.png", "--count", 1, "--epoch", 2, "--rows", 4, "-t", 3, *settings)
    a, b = read_png("a.png")[2], read_png("b.png")
    equal(b[1], TOP + 4 * CELL_H + 6, "height")
    for row in range(4):
        equal(cell(b[2], row, 0), cell(a, row, 0), "original")
        equal(cell(b[2], row, 1), cell(a, row, 2), "epoch 2")
        assert cell(a, row, 1) != cell(a, row, 2)
    cnnview("--augment", "view.yaml", "-o", "c.png", "--count", 3, *settings)
    equal(read_bytes("c.png"), read_bytes("a.png"), "bytes")


def messages():
    """wrong calls and configs"""
    write("view.yaml", CONFIG)
    write("bad.yaml", CONFIG.replace("p: 1", "p: 2"))
    equal(cnnview(code=2)[1], "usage: cnnview [options] MODEL\ntry 'cnnview --help'\n")
    for arguments, message in ((("--augment", "view.yaml"), "--augment needs --output FILE"),
                               (("-o", "x.png", "m.bin"), "--output needs to be told what to draw: --filters, --activations, --saliency, --maximize, "
                                "--top-patches, --embed, --augment, --curves"),
                               (("-s", "seed=1", "m.bin"), "--set goes with --augment or --config")):
        equal(cnnview(*arguments, code=2)[1], f"cnnview: error: {message}\ntry 'cnnview --help'\n")
    for code, arguments, message in (
            (3, ("--augment", "bad.yaml", "-o", "x.png"), "bad.yaml:5:21: error: 'p' must be 0 to 1, got 2"),
            (3, ("--augment", "view.yaml", "-o", "x.png", "-s", "augment=[]"), "error: there is nothing in 'augment'"),
            (4, ("--augment", "view.yaml", "-o", "x.png", "-s", "data.train=README"), "README:@0: error:"),
            (6, ("--augment", "view.yaml", "-o", "no/x.png"), "no/x.png: error: cannot write"),
            (6, ("--augment", "none.yaml", "-o", "x.png"), "none.yaml: error: cannot open"),
            (7, ("--augment", "view.yaml", "-o", "x.png", "--count", 100, "-s", "data.input.width=200"),
             "error: the sheet would have 20"),
            (6, ("none.bin",), "none.bin: error: cannot open")):
        write("README", "no images")
        assert message in cnnview(*arguments, code=code)[1], cnnview(*arguments, code=code)[1]
    assert not os.path.exists("x.png")


def model():
    """a model's layers and tensors"""
    write("view.yaml", CONFIG)
    cnntrain("-q", "view.yaml", "-o", "run", "-s", "train.epochs=1")
    out, err = cnnview("run/model.bin")
    equal(err, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["dense1", "dense", "10x1x1", "1,210", "1,200"] in lines, out
    named = {line[0]: line[1] for line in lines if len(line) == 6}
    equal((named.get("dense1.weight"), named.get("dense1.bias")), ("10x120", "10"), "shapes")
    assert "10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in out, out
    assert "trained for 1 epoch of 1, 18 steps, seed 42\nweights after epoch 1, step 18; the best val_loss was " in out, out
    assert "train       1,151 images of 1,438, 1x8x8, CRC-32 " in out and "validation  287 images of the same set" in out


def shipped_config():
    """the config that ships"""
    if os.path.exists(os.path.join(ROOT, "data", "mnist", "train-images-idx3-ubyte.gz")):
        directory = os.getcwd()
        os.chdir(ROOT)  # its paths are relative
        cnnview("--augment", "configs/lenet5-augmented.yaml", "-o", f"{directory}/sheet.png")
        equal(read_png(f"{directory}/sheet.png")[:2], (18 + 9 * 102 + 6, 16 + 10 * 112 + 6), "size")


if __name__ == "__main__":
    run_tests([sheet, epochs, messages, model, shipped_config])
