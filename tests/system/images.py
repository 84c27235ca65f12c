#!/usr/bin/env python3
"""images.py: sets of image files. The same pixels give the same model.bin whether they come from an IDX file, a folder,
a list, from memory or decoded anew each time; a model takes its test images the way it took its training images.
Prints TAP."""
import csv
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases.formats import JPEGS, idx, png  # noqa: E402
from runs import BIN, ROOT, cnntrain, environment, equal, read_bytes, read_model, run_tests, same_result, write  # noqa: E402

CLASSES, EACH, SIZE = 3, 30, 12
CONFIG = """\
name: run
seed: 3
data: {train: %s, validation: 0.2}
network:
  - conv: {filters: 6, kernel: 3, activation: relu}
  - dropout: 0.2
  - dense: 3
train: {epochs: 2, batch_size: 20}
"""


def pixel(label, number, y, x, channel):
    return (x * (label + 1) * 9 + y * 5 + number * number * 3 + channel * 40 + (x * y * number) % 17) % 256


def image(label, number, channels, size=SIZE):
    return bytes(pixel(label, number, y, x, k) for y in range(size) for x in range(size) for k in range(channels))


def put(path, data):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def make_sets(channels):
    """The same images as a folder, and, in its order, as an IDX file and as lists."""
    planes, tags, lines = [], [], []
    for label in range(CLASSES):
        for number in range(EACH):
            pixels = image(label, number, channels)
            name = f"{label}/{number:02}.png"
            put("folder/" + name, png(pixels, SIZE, SIZE, 0 if channels == 1 else 2))
            planes += [pixels[k::channels] for k in range(channels)]
            tags.append(label)
            lines.append(f"{name},{label}\n")
    count = CLASSES * EACH
    put("set-images", idx([count, channels, SIZE, SIZE], b"".join(planes)))
    put("hwc-images", idx([count, SIZE, SIZE, channels],
                          b"".join(image(label, number, channels) for label in range(CLASSES) for number in range(EACH))))
    put("set-labels", idx([count], bytes(tags)))
    put("folder/list.csv", "".join(lines).encode())
    put("folder/quoted.csv", ("path,label\r\n" + "".join('"%s","%s"\r\n' % tuple(line.strip().split(","))
                                                         for line in lines)).encode())


def train(source, name, *arguments):
    write(name + ".yaml", CONFIG % source)
    cnntrain("-q", name + ".yaml", "-o", name, *arguments)


def evaluate(*arguments, code=0):
    done = subprocess.run([os.path.join(BIN, "cnneval"), *arguments], capture_output=True, text=True, timeout=60,
                          env=environment(), check=False)
    assert done.returncode == code, f"cnneval {arguments}: exit {done.returncode}:\n{done.stderr}"
    return done.stdout


def same_pixels():
    """IDX, IDX with layout hwc, folder, lists, in grey and in colour: the same model.bin"""
    for channels in (1, 3):
        make_sets(channels)
        train("set-images", "idx")
        train("folder", "folder-run")
        train("{folder: folder}", "folder-said", "-t", 1)
        train("{csv: folder/list.csv}", "list")
        train("folder/quoted.csv", "quoted", "-t", 3)
        for other in ("folder-run", "folder-said", "list", "quoted"):
            same_result("idx", other, f"{channels} channels")
        train("{images: hwc-images, labels: set-labels, layout: hwc}", "hwc")
        same_result("idx", "hwc", f"{channels} channels")
        shutil.rmtree("folder")


def outline(source, *arguments, code=0):
    """The summary of --dry-run, but for the memory, which counts what the process has used so far."""
    write("outline.yaml", CONFIG % source)
    done = subprocess.run([os.path.join(BIN, "cnntrain"), "--dry-run", *arguments, "outline.yaml"], capture_output=True,
                          text=True, env=environment(), check=False)
    equal(done.returncode, code, done.stderr)
    return re.sub(r"^memory about .*\n", "", done.stdout, flags=re.M)


def dry_run():
    """--dry-run reads no pixels: what is broken in them is found with -v, what is beside them without"""
    make_sets(3)
    for source in "set-images", "folder", "folder/list.csv", "{images: hwc-images, labels: set-labels, layout: hwc}":
        for size in ([], ["-s", "data.input={height: 11, width: 9, fit: stretch}"],
                     ["-s", "data.input={channels: 1, height: 8, width: 8, fit: crop}"]):
            plain, full = outline(source, *size), outline(source, "-v", *size)
            assert plain and full.startswith(plain), (source, size, plain, full)
            assert "CRC-32" in full and "CRC-32" not in plain, full
    put("set.gz-images", gzip.compress(read_bytes("set-images"))[:-500])
    put("set.gz-labels", read_bytes("set-labels"))
    equal(outline("set.gz-images"), outline("set-images"))
    outline("set.gz-images", "-v", code=4)
    shutil.copy("folder/list.csv", "folder/1/07.png")
    equal(outline("folder"), outline("{csv: folder/list.csv}"))
    outline("folder", "-v", code=4)
    put("set-labels", read_bytes("set-labels")[:-1])
    outline("set-images", code=4)
    shutil.rmtree("folder/2")
    outline("folder", code=3)


def same_jpegs():
    """JPEG files: the model.bin of their pixels"""
    values = [sorted(JPEGS)[i % 4] for i in range(40)]
    for i, value in enumerate(values):
        put(f"folder/{value // 128}/{i:02}.jpg", JPEGS[value])
    order = sorted(range(40), key=lambda i: (values[i] // 128, i))
    put("set-images", idx([40, 16, 16], b"".join(bytes([values[i]]) * 256 for i in order)))
    put("set-labels", idx([40], bytes(values[i] // 128 for i in order)))
    for name, source in (("idx", "set-images"), ("jpeg", "folder")):
        write(name + ".yaml", (CONFIG % source).replace("dense: 3", "dense: 2"))
        cnntrain("-q", name + ".yaml", "-o", name)
    same_result("idx", "jpeg")


def memory():
    """any data.memory, on any number of threads: the same model.bin; and so when the run goes on with another"""
    make_sets(3)
    train("folder", "all")
    for limit, threads in (("1", 1), ("5000", 3), ("20KiB", 2), ("1GiB", 2)):
        train("folder", "some", "-t", threads, "-s", f"data.memory={limit}")
        same_result("all", "some", limit)
    train("folder", "parts", "-s", "data.memory=1", "-s", "train.epochs=1")
    cnntrain("-q", "parts.yaml", "-o", "parts", "--resume", "-s", "data.memory=10KiB")
    same_result("all", "parts", "resumed")
    assert "memory" in read_bytes("some/config.yaml").decode()
    assert "memory" not in read_model("some/model.bin")[0]["config"]


def changed_files():
    """an image that changes or goes while the run is under way ends it, with its name"""
    write("c.yaml", CONFIG % "folder")
    put("other.png", png(image(2, 2, 1), SIZE, SIZE))
    for change, message in ((lambda path: os.rename("other.png", path), "the one that was there"),
                            (os.unlink, "No such file")):
        make_sets(1)
        shutil.rmtree("run", ignore_errors=True)
        run = subprocess.Popen([os.path.join(BIN, "cnntrain"), "c.yaml", "-o", "run", "--fresh", "-s", "data.memory=1",
                                "-s", "train.epochs=100000", "--progress", "never"], stderr=subprocess.PIPE, text=True,
                               env=environment())
        while run.poll() is None and not (os.path.exists("run/log.csv") and read_bytes("run/log.csv").count(b"\n") > 1):
            pass
        change("folder/1/07.png")
        try:
            errors = run.communicate(timeout=30)[1]
        finally:
            run.kill()
        equal(run.returncode, 4, errors)
        assert "folder/1/07.png: error: " in errors and message in errors, errors


def conversions():
    """channels and fit: training and evaluation agree, a set already made so gives the same weights"""
    make_sets(3)
    train("folder", "grey", "-s", "data.input.channels=1")
    planes = []
    for label in range(CLASSES):
        for number in range(EACH):
            rgb = image(label, number, 3)
            planes.append(bytes((19595 * rgb[i] + 38470 * rgb[i + 1] + 7471 * rgb[i + 2] + 32768) >> 16
                                for i in range(0, len(rgb), 3)))
    put("grey-images", idx([CLASSES * EACH, SIZE, SIZE], b"".join(planes)))
    shutil.copy("set-labels", "grey-labels")
    train("grey-images", "made")
    same_result("made", "grey")
    train("set-images", "idx", "-s", "data.input.channels=1")
    same_result("made", "idx")
    equal(evaluate("grey/model.bin", "folder"), evaluate("grey/model.bin", "grey-images"), "evaluation")
    for fit in ("stretch", "crop", "letterbox"):
        size = "data.input={height: 9, width: 14, fit: %s}" % fit
        train("folder", "fitted", "-s", size)
        train("set-images", "fitted-idx", "-s", size)
        same_result("fitted", "fitted-idx", fit)
        equal(evaluate("fitted/model.bin", "folder"), evaluate("fitted/model.bin", "set-images"), fit)


def test_sets():
    """cnneval: a folder and a list as test set, and --csv names their images"""
    make_sets(1)
    train("folder", "run")
    whole = evaluate("run/model.bin", "folder")
    equal(whole, evaluate("run/model.bin", "folder/list.csv"), "the list")
    write("test.yaml", CONFIG.replace("validation: 0.2", "test: {csv: folder/quoted.csv}") % "folder")
    equal(whole, evaluate("run/model.bin", "test.yaml"), "a config")
    rows = list(csv.DictReader(io.StringIO(evaluate("run/model.bin", "folder", "--csv", "-"))))
    equal([row["path"] for row in rows],
          [f"folder/{label}/{number:02}.png" for label in range(CLASSES) for number in range(EACH)], "paths")
    equal([row["label"] for row in rows], [str(label) for label in range(CLASSES) for _ in range(EACH)], "labels")
    shutil.rmtree("folder/0")
    shutil.move("folder/2", "folder/02")  # another name, another place in the order
    assert "class '02' is not one of the model's" in subprocess.run(
        [os.path.join(BIN, "cnneval"), "run/model.bin", "folder"], capture_output=True, text=True, check=False).stderr
    shutil.move("folder/02", "folder/2")
    rows = list(csv.DictReader(io.StringIO(evaluate("run/model.bin", "folder", "--csv", "-"))))
    equal([row["label"] for row in rows], [str(label) for label in (1, 2) for _ in range(EACH)], "a part of the classes")


def names():
    """names of classes that mean something to YAML, CSV or a terminal"""
    odd = ["new\nline", 'q"uote', "a,b", "=cmd()", "tab\t", "${HOME}", "x: y", "#h", "null", "1e3", "\u00e9\u0301"]
    for k, name in enumerate(odd):
        for number in range(6):
            put(f"set/{name}/{number}.png", png(image(k, number, 1), SIZE, SIZE))
    write("odd.yaml", (CONFIG % "set").replace("dense: 3", f"dense: {len(odd)}"))
    cnntrain("-q", "odd.yaml", "-o", "odd")
    equal(json.loads(read_model("odd/model.bin")[0]["classes"]), sorted(odd, key=os.fsencode), "classes")
    cnntrain("-q", "odd/config.yaml", "-o", "again")
    same_result("odd", "again", "from the written config")
    rows = list(csv.reader(io.StringIO(evaluate("odd/model.bin", "set", "--csv", "-"))))
    equal([row[1] for row in rows[1::6]], ["#h", "${HOME}", "1e3", "'=cmd()", "a,b", "new\\x0Aline", "null", 'q"uote',
                                           "tab\\x09", "x: y", "\u00e9\u0301"], "labels")
    assert all(len(row) == 3 + len(odd) for row in rows)


def parts_by_name():
    """cnneval --part finds the classes of a folder by name, though the config does not order them as the model does"""
    make_sets(3)
    size = ("-s", "data.input={height: 9, width: 14, channels: 1, fit: crop}")
    train("folder", "run", "-s", 'data.classes=["2", "0", "1"]', *size)
    write("same.yaml", read_bytes("run/config.yaml").decode())
    for part in "train", "validation":
        equal(evaluate("run/model.bin", "run.yaml", "--part", part), evaluate("run/model.bin", "same.yaml", "--part", part), part)
    out = evaluate("run/model.bin", "run.yaml", "--part", "train", "--csv", "-")
    labels = {row["path"].split("/")[1] + row["label"] for row in csv.DictReader(io.StringIO(out))}
    equal(labels, {"00", "11", "22"}, "labels by folder")


def shipped_config():
    """configs/cifar10.yaml, on a few images"""
    for part in "train", "test":
        for label in range(10):
            for number in range(10):
                put(f"set/{part}/{label}/{number}.jpg", JPEGS[32 + 64 * (number % 4)])
    config = os.path.join(ROOT, "configs", "cifar10.yaml")
    cnntrain("-q", config, "-o", "run", "-s", "train.epochs=1", "-s", "train.batch_size=10", IMAGES="set")
    equal(read_model("run/model.bin")[0]["input"].split()[:3], ["3", "32", "32"], "input")
    cnntrain("--check-data", config, code=4, IMAGES="set")  # there are but four different images


run_tests([same_pixels, names, parts_by_name, shipped_config, dry_run, same_jpegs, memory, changed_files, conversions, test_sets])
