#!/usr/bin/env python3
"""predict.py: cnnpredict as its users meet it: what it prints, for which images, and what it says of the others. A model
of a few epochs on digits of data/digits; what it says is compared with cnneval on the same images. Prints TAP."""
import csv
import io
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases.formats import JPEGS, png  # noqa: E402
from runs import BIN, DIGITS, cnntrain, environment, equal, read_bytes, read_idx, run_tests, write  # noqa: E402

CONFIG = f"""\
data:
  train: {DIGITS}/train-images-idx3-ubyte.gz
  classes: [zero, one, two, three, four, five, six, seven, "=8", "ni\\tne"]
network: [conv: {{filters: 6, kernel: 3, activation: relu}}, maxpool: 2, dense: 10]
train: {{epochs: 2}}
"""
COUNT = 40


def predict(*arguments, code=0, data=None, **variables):
    """(stdout, stderr)"""
    done = subprocess.run([os.path.join(BIN, "cnnpredict"), *arguments], input=data, capture_output=True, timeout=60,
                          env=environment() | variables, check=False)
    assert done.returncode == code, f"cnnpredict {arguments}: exit {done.returncode}, not {code}: {done.stderr}"
    return done.stdout.decode(), done.stderr.decode()


def put(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def digit(number):
    (_, height, width), pixels = read_idx(DIGITS + "/t10k-images-idx3-ubyte.gz")
    return pixels[number * height * width:(number + 1) * height * width], width, height


def train(*arguments):
    write("c.yaml", CONFIG)
    cnntrain("-q", "c.yaml", "-o", "run", *arguments)


def same_as_cnneval():
    """class and probability are those of cnneval, for PNG files, on any number of threads"""
    train()
    paths = [f"{number}.png" for number in range(COUNT)]
    for number, path in enumerate(paths):
        put(path, png(*digit(number)))
    rows = subprocess.run([os.path.join(BIN, "cnneval"), "run/model.bin", f"{DIGITS}/t10k-images-idx3-ubyte.gz", "--csv", "-"],
                          capture_output=True, check=True, env=environment()).stdout.decode()
    wanted = list(csv.reader(io.StringIO(rows)))[1:]
    for threads in "1", "3":
        lines = predict("-t", threads, "run/model.bin", *paths)[0].splitlines()
        equal(len(lines), COUNT, "lines")
        for number, line in enumerate(lines):
            path, name, probability = line.split("\t")
            equal(path, paths[number], "path")
            equal(probability, "%.6f" % max(map(float, wanted[number][3:])), "probability")
            equal(name, wanted[number][2].lstrip("'"), "class")


def top_k():
    """--top-k and --json: the greatest outputs, greatest first, as many as asked for"""
    train()
    put("a b.png", png(*digit(3)))
    fields = predict("run/model.bin", "--top-k", "10", "a b.png")[0].rstrip("\n").split("\t")
    equal(len(fields), 21, "fields")
    values = [float(value) for value in fields[2::2]]
    equal(values, sorted(values, reverse=True), "order")
    assert abs(sum(values) - 1) < 1e-4
    equal(sorted(fields[1::2]), sorted(["zero", "one", "two", "three", "four", "five", "six", "seven", "=8", "ni\\x09ne"]),
          "classes")
    lines = predict("run/model.bin", "--json", "--top-k=3", "a b.png", "a b.png")[0].splitlines()
    equal(len(lines), 2, "lines")
    found = json.loads(lines[1])
    equal((found["path"], found["class"]), ("a b.png", fields[1]), "path and class")
    equal([entry["class"].replace("\t", "\\x09") for entry in found["top"]], fields[1:7:2], "top")
    assert all(abs(entry["probability"] - value) < 1e-6 for entry, value in zip(found["top"], values))
    equal(sorted(json.loads(predict("run/model.bin", "--json", "a b.png")[0])), ["class", "path", "probability"], "keys")


def folders():
    """a folder: all images at any depth, by the bytes of their paths; the standard input: '-'"""
    train()
    for name in ("d/b.png", "d/B.PNG", "d/c/x.jpg", "d/10.png", "d/9.png", "d/.hidden.png", "d/.git/x.png", "d/notes.txt"):
        put(name, JPEGS[96] if name.endswith("jpg") else png(*digit(1)))
    write("c2.yaml", CONFIG.replace("data:", "data:\n  input: {height: 20, width: 20, fit: letterbox}"))
    cnntrain("-q", "c2.yaml", "-o", "run2")
    out = predict("run2/model.bin", "d", "d/9.png", "-", data=read_bytes("d/b.png"))[0].splitlines()
    equal([line.split("\t")[0] for line in out],
          ["d/10.png", "d/9.png", "d/B.PNG", "d/b.png", "d/c/x.jpg", "d/9.png", "-"], "paths")
    equal(len({line.split("\t", 1)[1] for line in out if "jpg" not in line}), 1, "what it says of one image")
    os.makedirs("empty/.git")
    out, errors = predict("run2/model.bin", "empty", "d/9.png", code=4)
    equal(errors, "empty: error: no PNG or JPEG image below this folder\n", "stderr")
    equal(len(out.splitlines()), 1, "lines")


def bad_images():
    """an image that cannot be read: its message, the others go on, exit 4"""
    train()
    pixels, width, height = digit(0)
    good = png(pixels, width, height)
    put("good.png", good)
    put("cut.png", good[:-20])
    put("text.png", b"hello")
    put("large.png", png(bytes((width + 1) * height), width + 1, height))
    for threads in "1", "4":
        out, errors = predict("-t", threads, "run/model.bin", "good.png", "cut.png", "none.png", "text.png", "large.png", ".git",
                              "-", "good.png", code=4, data=b"")
        equal([line.split("\t")[0] for line in out.splitlines()], ["good.png", "good.png"], "paths")
        lines = errors.splitlines()
        equal([line.split(": error: ")[0].split(":")[0] for line in lines],
              ["cut.png", "none.png", "text.png", "large.png", ".git", "-"], "messages")
        for line, message in zip(lines, ("cut short", "No such file", "not a PNG or JPEG image", "fit: pad cannot make",
                                         "No such file", "file is empty")):
            assert message in line, line
    predict("run/model.bin", "none.png", code=4)
    assert predict("-v", "run/model.bin", "good.png", "good.png")[1].startswith("2 images in "), "what -v says"


def conversions():
    """colour for a model of grey and grey for one of colour: as its training images were converted"""
    train("-s", "data.input.channels=3")
    pixels, width, height = digit(2)
    put("grey.png", png(pixels, width, height))
    put("colour.png", png(bytes(value for value in pixels for _ in range(3)), width, height, 2))
    put("alpha.png", png(bytes(byte for value in pixels for byte in (value, 77)), width, height, 4))
    lines = predict("run/model.bin", "grey.png", "colour.png", "alpha.png")[0].splitlines()
    equal(len({line.split("\t", 1)[1] for line in lines}), 1, f"of {lines}")
    train("--fresh")
    lines = predict("run/model.bin", "grey.png", "colour.png")[0].splitlines()
    equal(len({line.split("\t", 1)[1] for line in lines}), 1, f"of {lines}")


def many_images():
    """more images than a round holds, good and bad: every one once, in order"""
    train()
    pixels, width, height = digit(0)
    names = []
    for number in range(1100):
        name = f"{number:04}.png"
        put("many/" + name, b"" if number % 100 == 7 else png(bytes([number % 256]) + pixels[1:], width, height))
        names += [] if number % 100 == 7 else ["many/" + name]
    out, errors = predict("run/model.bin", "many", code=4)
    equal([line.split("\t")[0] for line in out.splitlines()], names, "paths")
    equal(errors.count("file is empty"), 11, "bad ones")
    lines = {line.split("\t")[0]: line for line in out.splitlines()}
    for name in ("many/0600.png", "many/1099.png"):
        near(predict("run/model.bin", name)[0], lines[name])


def near(line, other):
    """the same path and class, and the probability but for rounding"""
    one, two = line.split("\t"), other.split("\t")
    equal(one[:2], two[:2], "path and class")
    assert abs(float(one[2]) - float(two[2])) < 5e-6, f"{one[2]}, not {two[2]}"


def few_images():
    """fewer tiles than threads, which share them out: the bytes of one thread"""
    train("-s", "network.0.conv.filters=128", "-s", "data.input={height: 32, width: 32, fit: stretch}", "-s", "train.epochs=0",
          "-s", "network.1={conv: {filters: 64, kernel: 3, activation: relu}}")
    for number in range(20):
        put(f"{number}.png", png(*digit(number)))
    for count in 2, 20:
        paths = [f"{number}.png" for number in range(count)]
        outputs = {predict("-t", threads, "run/model.bin", "--json", "--top-k=10", *paths)[0] for threads in "1235"}
        equal(len(outputs), 1, f"outputs for {count} images")


def one_image():
    """an image by itself goes another way: the same answer but for rounding, and the same bytes on any threads and levels"""
    train("-s", "network.0.conv.filters=8", "-s", "data.input={height: 20, width: 24, fit: stretch}")
    for number in range(10):
        put(f"{number}.png", png(*digit(number)))
    for number, line in enumerate(predict("run/model.bin", *(f"{number}.png" for number in range(10)))[0].splitlines()):
        near(predict("run/model.bin", f"{number}.png")[0], line)
    outputs = {predict("-t", threads, "run/model.bin", "--json", "3.png", CNNTRAIN_CPU=level)[0]
               for threads in "123" for level in ("avx2", "avx512")}
    equal(len(outputs), 1, "outputs")
    (_, height, width), pixels = read_idx(DIGITS + "/t10k-images-idx3-ubyte.gz")
    size = height * width
    os.makedirs("set")
    put("set/images-idx3", bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, height, 0, 0, 0, width]) + pixels[3 * size:4 * size])
    put("set/labels-idx1", bytes([0, 0, 8, 1, 0, 0, 0, 1, 3]))
    row = subprocess.run([os.path.join(BIN, "cnneval"), "run/model.bin", "set/images-idx3", "--csv", "-"],
                         capture_output=True, check=True, env=environment()).stdout.decode().splitlines()[1].split(",")
    best = max(map(float, row[3:]))
    assert abs(best - json.loads(outputs.pop())["probability"]) < 1e-6, "what cnneval says of it"


run_tests([one_image, few_images, same_as_cnneval, top_k, folders, bad_images, conversions, many_images])
