#!/usr/bin/env python3
"""check_data.py: cnntrain --check-data: what it counts, what it finds, and that it writes nothing. Prints TAP."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases.formats import idx, png  # noqa: E402
from runs import BIN, environment, equal, run_tests, write  # noqa: E402

CONFIG = """\
data: {train: train, test: {folder: test}}
network: [dense: 3]
output: run
"""
FINDINGS = {"bad": "images that cannot be used", "conflicts": "equal images with different labels",
            "shared": "images that are in two of train, validation and test",
            "repeated": "images that are in one set more than once"}


def put(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def picture(number, width=6, height=5):
    return png(bytes((number * 31 + i * (number % 7 + 1)) % 256 for i in range(width * height)), width, height)


def make(counts=(4, 5, 6)):
    for part, start in (("train", 0), ("test", 1000)):
        shutil.rmtree(part, ignore_errors=True)
        for label, count in enumerate(counts):
            for number in range(count):
                put(f"{part}/{'abc'[label]}/{number}.png", picture(start + 100 * label + number))


def check(*arguments, code=0, config=CONFIG):
    """(stdout, lines of stderr)"""
    write("c.yaml", config)
    before = sorted(os.listdir("."))
    done = subprocess.run([os.path.join(BIN, "cnntrain"), "--check-data", "c.yaml", *arguments], capture_output=True,
                          text=True, timeout=60, env=environment(), check=False)
    assert done.returncode == code, f"exit {done.returncode}, not {code}: {done.stdout}{done.stderr}"
    equal(sorted(os.listdir(".")), before, "files")
    return done.stdout, done.stderr.splitlines()


def found(out, **numbers):
    for name, text in FINDINGS.items():
        match = re.search(r"^ *([\d,]+)  " + text + "$", out, re.M)
        equal(match and match[1], str(numbers.get(name, 0)), name)


def counts():
    """images, sizes and classes are counted"""
    make()
    out, errors = check()
    equal(errors, [], "stderr")
    found(out)
    assert "train: train, 15 images of 1x5x6\n" in out and "test: test, 15 images of 1x5x6\n" in out, out
    assert re.search(r"^ +4  26.67 %  a\n +5  33.33 %  b\n +6  40.00 %  c$", out, re.M), out
    put("train/a/x.png", picture(900, 9, 9))
    put("train/a/y.png", picture(901, 9, 9))
    out, errors = check("-s", "data.input={height: 5, width: 6, fit: stretch}")
    assert re.search(r"^ +15 of 1x5x6\n +2 of 1x9x9$", out, re.M), out
    out, errors = check(code=4)  # and without a fit they cannot be used
    found(out, bad=2)
    assert errors[0].startswith("train/a/x.png: error: image is 9x9, a/0.png is 5x6;"), errors


def parts():
    """data.limit and folds: what is looked at is what training takes"""
    make((10, 10, 10))
    out, errors = check("-s", "data.limit=15", "-s", "data.validation={folds: 5, fold: 4}")
    equal(errors, [], "stderr")
    assert "train: train, 12 images of 1x5x6, a share of it\n" in out, out
    assert "validation: train, 3 images of 1x5x6, a share of it\n" in out, out
    found(out)
    out, errors = check("-s", "data.limit=31", code=3)
    assert "'limit' 31 is more than the training set, which has 30 images" in errors[0], errors


def unreadable():
    """bad images: all counted, twenty shown, in order, on any number of threads; the rest is still looked at"""
    make((30, 5, 6))
    for number in range(25):
        put(f"train/a/{number}.png", b"" if number % 2 else picture(1)[:-9])
    put("test/c/0.png", b"GIF89a..")
    names = sorted([f"train/a/{number}.png" for number in range(25)], key=os.fsencode)
    for threads in "1", "3":
        out, errors = check("-t", threads, code=4)
        found(out, bad=26)
        assert "train: train, 16 images" in out and "test: test, 40 images" in out, out
        equal([line.split(":")[0] for line in errors[:20]], names[:20], "names")
        equal(errors[20:], ["cnntrain: and 6 more"], "the last line")


def duplicates():
    """equal images: in one set a warning; with different labels, or in two sets, an error"""
    make()
    put("train/a/x.png", picture(0))  # again in its class
    out, errors = check()
    found(out, repeated=1)
    equal(errors, ["cnntrain: warning: train/a/x.png is the same image as train/a/0.png"], "stderr")
    put("train/b/x.png", picture(0))  # and as another class
    put("test/c/x.png", picture(203))
    out, errors = check(code=4)
    found(out, repeated=1, conflicts=1, shared=1)
    assert "cnntrain: error: train/b/x.png ('b') is the same image as train/a/0.png ('a')" in errors, errors
    assert "cnntrain: error: in train and in test: test/c/x.png is the same image as train/c/3.png" in errors, errors
    put("test/a/x.png", picture(203))  # in both, and labelled otherwise
    out, errors = check(code=4)
    found(out, repeated=1, conflicts=2, shared=1)
    assert any("in train and in test: test/a/x.png ('a') is the same image as train/c/3.png ('c')" in line
               for line in errors), errors
    for memory in "1", "100":  # however many have to be decoded again
        equal(check("-s", f"data.memory={memory}", code=4), (out, errors), memory)


def shares():
    """a validation share: an image that is in both parts of the training set"""
    make((6, 6, 6))
    config = CONFIG.replace("train: train,", "train: train, validation: 0.5,")
    out, errors = check(config=config)
    assert "train: train, 9 images of 1x5x6, a share of it" in out, out
    assert "validation: train, 9 images of 1x5x6, a share of it" in out, out
    for number in range(6):
        put(f"train/a/again{number}.png", picture(number))
    out, errors = check(config=config, code=4)
    numbers = [int(re.search(r"(\d+)  " + FINDINGS[name], out)[1]) for name in ("shared", "repeated")]
    equal(sum(numbers), 6, "equal images")
    assert numbers[0] > 0 and all("in train and in validation: " in line for line in errors if "error" in line), errors


def idx_files():
    """IDX files: images have numbers"""
    pixels = [bytes([number] * 12) for number in (0, 1, 2, 1, 4, 0)]
    put("x-images", idx([6, 3, 4], b"".join(pixels)))
    put("x-labels", idx([6], bytes([0, 1, 2, 1, 0, 2])))
    put("t-images", idx([2, 3, 4], pixels[4] + bytes(range(12))))
    put("t-labels", idx([2], bytes([0, 1])))
    out, errors = check(config="data: {train: x-images, test: t-images, classes: [a, b, c]}\nnetwork: [dense: 3]\n", code=4)
    found(out, repeated=1, conflicts=1, shared=1)
    equal(sorted(errors), [
        "cnntrain: error: image 5 of x-images ('c') is the same image as image 0 of x-images ('a')",
        "cnntrain: error: in train and in test: image 0 of t-images is the same image as image 4 of x-images",
        "cnntrain: warning: image 3 of x-images is the same image as image 1 of x-images"], "stderr")
    assert re.search(r"^ +0   0.00 %  c  \(no images\)$", out, re.M), out
    put("y-images", b"")
    put("y-labels", idx([6], bytes(6)))
    out, errors = check(config="data: {train: y-images, test: t-images}\nnetwork: [dense: 3]\n", code=4)
    equal(errors, ["y-images:@0: error: file is empty, expected IDX header"], "stderr")
    assert "test: t-images, 2 images" in out, out


def sets_that_fail():
    """a set that cannot be loaded is reported, the others are looked at; a missing file is exit 6"""
    make()
    os.makedirs("train/d")
    out, errors = check(code=4)
    equal(errors, ["train/d: error: class 'd' has no images"], "stderr")
    assert "test: test, 15 images" in out, out
    out, errors = check("-s", "data.train=nowhere", code=6)
    equal(errors, ["nowhere: error: cannot open: No such file or directory"], "stderr")


run_tests([counts, parts, unreadable, duplicates, shares, idx_files, sets_that_fail])
