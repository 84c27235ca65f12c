#!/usr/bin/env python3
"""determinism.py: the same config, seed and data give the same model.bin and log.csv (but for its times): 3.6 of the programme,
as far as tests/system/same_bytes.py (threads, CPU levels, kills, signals, optimizers, two and two epochs) leaves it open.

R1 20 repeats. R3 stopped after each epoch of 10, and by signals within epochs, 20 of them. R4 the same pixels as .gz, plain
IDX, a folder of PNG files and a CSV list. R5 nice, one CPU, a busy machine, addresses random or not, memory full of rubbish,
other working directories and absolute paths. R6 locales and time zones. R9 each key of the config changed at --resume:
refused with its place, or allowed as the README says. R10 changed data: refused. The same size in CI and in full, about 10 s
of one core."""
import gzip
import math
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from cut import CNNTRAIN, RANDOM_SEED, Run, check_cut, figure, in_memory, load  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases.formats import png  # noqa: E402
from runs import (DIGITS, cnntrain, environment, equal, read_bytes, read_idx, read_log, result, run_tests,  # noqa: E402
                  same_result, write, write_idx)

# Draws random numbers of all kinds, and has state of all kinds.
CONFIG = """\
seed: 6
data: {train: data/train-images-idx3-ubyte.gz, validation: 0.2}
augment:
  - rotate: 10
  - mixup: {alpha: 0.4, p: 0.5}
network:
  - conv: {filters: 6, kernel: 3, bias: false}
  - batchnorm
  - relu
  - dropout: 0.3
  - dense: {units: 20, activation: tanh}
  - dense: 10
train:
  epochs: 10
  batch_size: 20
  optimizer: {type: adam, lr: 0.002}
  schedule: {type: plateau, patience: 1}
  regularize: {l2: 0.0001}
  clip_norm: 1
  ema: 0.9
  early_stopping: {monitor: val_loss, patience: 9}
"""
IMAGES, LABELS = "data/train-images-idx3-ubyte", "data/train-labels-idx1-ubyte"


def compressed(path, data):
    with open(path, "wb") as file:
        file.write(gzip.compress(data, 6, mtime=0))


def write_set(pixels, labels, height, width):
    os.makedirs("data", exist_ok=True)
    write_idx(IMAGES, (len(labels), height, width), pixels)
    write_idx(LABELS, (len(labels),), labels)
    for path in (IMAGES, LABELS):
        compressed(path + ".gz", read_bytes(path))
        os.unlink(path)


def prepare():
    """300 digits in the order of their classes, as a folder has them: (pixels, labels, height, width)."""
    (_, height, width), pixels = read_idx(DIGITS + "/train-images-idx3-ubyte.gz")
    _, labels = read_idx(DIGITS + "/train-labels-idx1-ubyte.gz")
    order = sorted(range(300), key=lambda i: (labels[i], i))
    area = height * width
    pixels = b"".join(pixels[i * area:(i + 1) * area] for i in order)
    labels = bytes(labels[i] for i in order)
    write_set(pixels, labels, height, width)
    write("config.yaml", CONFIG)
    return pixels, labels, height, width


def whole():
    data = prepare()
    cnntrain("-q", "-t", 1, "config.yaml", "-o", "whole")
    equal(len(read_log("whole/log.csv")), 10, "epochs")
    return data


def repeats():
    """R1: 20 times the same"""
    whole()
    for number in range(20):
        cnntrain("-q", "-t", 1 + number % 2, "config.yaml", "-o", "again")
        same_result("whole", "again", f"repeat {number + 1}")
    figure("R1: repeats with the same bytes", "20 of 20")


def every_epoch():
    """R3: stopped after each epoch of 10, and resumed"""
    whole()
    for epochs in range(10):
        cnntrain("-q", "-t", 2, "config.yaml", "-o", f"cut{epochs}", "-s", f"train.epochs={epochs}", "--fresh")
        cnntrain("-q", "-t", 1, "config.yaml", "-o", f"cut{epochs}", "--resume")
        same_result("whole", f"cut{epochs}", f"stopped after epoch {epochs}")
    figure("R3: stopped after each epoch 0 to 9 of 10, the same bytes", "10 of 10")


def processor_seconds(process):
    """What the first thread of a process has had of a processor, which is what it has done, however busy the machine; inf: it has ended."""
    try:
        return int(read_bytes(f"/proc/{process.pid}/schedstat").split()[0]) / 1e9 if process.poll() is None else math.inf
    except OSError:
        return math.inf


def random_batches():
    """R3: stopped by a signal within an epoch, at 20 different batches, and resumed"""
    whole()
    dice, places, tries = random.Random(RANDOM_SEED), set(), 0
    print(f"# RANDOM_SEED={RANDOM_SEED}", flush=True)
    slower = ("-s", "network.0.conv.filters=48", "-s", "train.batch_size=5")
    cnntrain("-q", "-t", 1, "config.yaml", "-o", "slow", *slower)
    before = os.times().children_user + os.times().children_system
    cnntrain("-q", "-t", 1, "config.yaml", "-o", "slow", *slower)
    seconds = os.times().children_user + os.times().children_system - before
    while len(places) < 20:
        tries += 1
        assert tries < 200, f"only {len(places)} batches were hit"
        run = Run("config.yaml", "cut", *slower)
        after = dice.uniform(0, seconds)
        while processor_seconds(run.process) < after or (run.process.poll() is None and not os.path.exists("cut/config.yaml")):
            time.sleep(0.0005)
        status = run.end(signal.SIGTERM)
        assert status in (0, 143), f"exit {status}: {run.words()}"
        if status:
            check_cut("cut")
            place = load("cut/checkpoint.bin")
            if place["batch"] != "0":
                places.add((place["epoch"], place["batch"]))
            cnntrain("-q", "-t", 1 + tries % 2, "config.yaml", "-o", "cut", *slower, "--resume")
        same_result("slow", "cut", "stopped within an epoch")
        shutil.rmtree("cut")
        os.unlink("cut.said")
    figure("R3: stopped at different batches within epochs, the same bytes", f"{len(places)} of {len(places)}")


def other_formats():
    """R4: the same pixels in the same order as .gz, plain IDX, a folder of PNG files, a CSV list of them"""
    pixels, labels, height, width = whole()
    os.makedirs("plain")
    for path in (IMAGES, LABELS):
        with open("plain/" + os.path.basename(path), "wb") as file:
            file.write(gzip.decompress(read_bytes(path + ".gz")))
    rows = ["path,label"]
    for i, label in enumerate(labels):
        os.makedirs(f"pictures/{label}", exist_ok=True)
        with open(f"pictures/{label}/{i:03}.png", "wb") as file:
            file.write(png(pixels[i * height * width:(i + 1) * height * width], width, height))
        rows.append(f"pictures/{label}/{i:03}.png,{label}")
    write("list.csv", "\n".join(rows) + "\n")
    sources = {"plain IDX": "plain/train-images-idx3-ubyte", "PNG folder": "pictures", "CSV list": "{csv: list.csv}"}
    for name, source in sources.items():
        for memory in ((), ("-s", "data.memory=10KiB")):
            if memory and "IDX" in name:
                continue
            cnntrain("-q", "-t", 2, "config.yaml", "-o", "other", "-s", f"data.train={source}", *memory)
            same_result("whole", "other", f"{name} {memory}")
    figure("R4: .gz, plain IDX, PNG folder and CSV list of the same pixels (from memory and decoded anew)", "the same bytes")


def wrapped(*words, **changes):
    """Run it behind another program."""
    if not shutil.which(words[0]):
        return False
    done = subprocess.run([*words, CNNTRAIN, "-q", "-t", "2", "config.yaml", "-o", "other"], capture_output=True, text=True,
                          env=environment(**changes), check=False)
    equal(done.returncode, 0, f"{words}: {done.stderr}")
    same_result("whole", "other", str(words))
    return True


def surroundings():
    """R5: nice, one CPU, a busy machine, other addresses, memory full of rubbish: the same bytes"""
    whole()
    ways = [("nice", "-n", "15"), ("taskset", "-c", "0"), ("setarch", "-R"), ("setarch", "-L"), ("env", "MALLOC_PERTURB_=165"),
            ("env", "MALLOC_PERTURB_=1", "MALLOC_TOP_PAD_=1"), ("env", "MALLOC_ARENA_MAX=1", "MALLOC_MMAP_THRESHOLD_=4096"),
            ("env", "OMP_DYNAMIC=true", "OMP_SCHEDULE=dynamic,1"), ("env", "OMP_PROC_BIND=true"), ("env", "LD_BIND_NOW=1"),
            ("env", "-i"), ("bash", "-c", 'ulimit -s 512; exec "$@"', "bash"),
            ("env", "GLIBC_TUNABLES=glibc.malloc.tcache_count=0")]
    count = sum(wrapped(*way) for way in ways)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            count += wrapped("env")
        finally:
            busy.kill()
    figure("R5: surroundings with the same bytes", f"{count} of {count} (of {len(ways) + 1} asked for)")
    assert count >= 8, count


def places():
    """R5: other working directories, absolute paths, a config from elsewhere: the same bytes"""
    whole()
    here = os.getcwd()
    os.makedirs("else/where")
    for folder, config, data in (("else", "../config.yaml", "../data"), ("else/where", here + "/config.yaml", here + "/data"),
                                 ("/", here + "/config.yaml", here + "/else/../data")):
        os.chdir(folder)
        try:
            cnntrain("-q", "-t", 1, config, "-o", here + "/other", "-s", f"data.train={data}/{os.path.basename(IMAGES)}.gz")
        finally:
            os.chdir(here)
        same_result("whole", "other", folder)
        shutil.rmtree("other")


def locales():
    """R6: locales and time zones: the same bytes"""
    whole()
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
    wanted = [name for name in known if name.lower().startswith(("de", "tr", "fr", "c."))]
    wanted += ["de_DE.UTF-8", "tr_TR.UTF-8", "xx_XX"]
    for name in wanted:
        cnntrain("-q", "-t", 2, "config.yaml", "-o", "other", LC_ALL=name, LANG=name, TZ="Asia/Kathmandu")
        same_result("whole", "other", name)
    figure("R6: locales with the same bytes", f"{len(wanted)}, of which installed: {len(wanted) - 3}")


# A key of the config changed at --resume, and what is pointed at.
REFUSED = (("seed", "7"), ("data.validation", "0.3"), ("augment.0.rotate", "11"), ("augment.1.mixup.alpha", "0.5"),
           ("network.0.conv.kernel", "2"), ("network.3.dropout", "0.4"), ("network.4.dense.activation", "relu"),
           ("train.batch_size", "10"), ("train.optimizer.lr", "0.001"), ("train.optimizer", "sgd"),
           ("train.schedule.patience", "2"), ("train.regularize.l2", "0.001"), ("train.clip_norm", "2"), ("train.ema", "0.8"),
           ("train.loss", "mse"), ("train.early_stopping.monitor", "val_accuracy"), ("train.early_stopping.patience", "2"),
           ("train.label_smoothing", "0.1"), ("data.normalize", "unit"), ("data.limit", "250"), ("name", "other"))
ALLOWED = (("train.epochs", "6"), ("train.max_time", "1h"), ("train.checkpoint.every", "2"),
           ("train.early_stopping.patience", "12"))


def changed_keys():
    """R9: a key of the config changed at --resume: refused at its place with both values, or allowed as the README says"""
    whole()
    cnntrain("-q", "-t", 1, "config.yaml", "-o", "half", "-s", "train.epochs=3")
    before = {name: read_bytes("half/" + name) for name in os.listdir("half")}
    for key, value in REFUSED:
        error = cnntrain("-q", "-t", 1, "config.yaml", "-o", "half", "-s", f"{key}={value}", "--resume", code=5)
        place = r"(--set [^\n]*|config\.yaml):[1-9][0-9]*:[1-9][0-9]*: error: [^\n]*differs? from the checkpoint's"
        assert re.match(place, error), f"{key}={value}: {error}"
        equal({name: read_bytes("half/" + name) for name in os.listdir("half")}, before, f"files after {key}={value}")
    # In the file itself: its own line and column.
    text = CONFIG.replace("batch_size: 20", "batch_size: 40")
    write("changed.yaml", text)
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "batch_size" in row)
    error = cnntrain("-q", "changed.yaml", "-o", "half", "--resume", "-s", "name=config", code=5)
    assert error.startswith(f"changed.yaml:{line}:15: error: ") and "(20)" in error, error
    for key, value in ALLOWED:
        shutil.rmtree("copy", ignore_errors=True)
        shutil.copytree("half", "copy")
        cnntrain("-q", "-t", 1, "config.yaml", "-o", "copy", "-s", f"{key}={value}", "--resume")
        if key == "train.epochs":
            equal(len(read_log("copy/log.csv")), 6, "epochs")
        cnntrain("-q", "-t", 1, "config.yaml", "-o", "copy", "--resume", "-s", "train.early_stopping.patience=12")
        equal(read_log("copy/log.csv")[-1]["val_loss"], read_log("whole/log.csv")[-1]["val_loss"], f"{key}={value}")
    figure("R9: keys changed at --resume: refused at their place, allowed", f"{len(REFUSED) + 1}, {len(ALLOWED)}")


def changed_data():
    """R10: changed data at --resume: refused, and nothing is touched"""
    pixels, labels, height, width = whole()
    cnntrain("-q", "-t", 1, "config.yaml", "-o", "half", "-s", "train.epochs=3")
    before = result("half") + (read_bytes("half/checkpoint.bin"),)
    area = height * width
    one = bytearray(pixels)
    one[1234] ^= 1
    label = bytearray(labels)
    label[17] = (label[17] + 1) % 10
    changes = {"a bit of a pixel": (bytes(one), labels), "a label": (pixels, bytes(label)),
               "two images swapped": (pixels[area:2 * area] + pixels[:area] + pixels[2 * area:], labels),
               "an image less": (pixels[:-area], labels[:-1]), "an image more": (pixels + pixels[:area], labels + labels[:1]),
               "all in another order": (b"".join(pixels[i * area:(i + 1) * area] for i in reversed(range(300))), labels[::-1])}
    for name, (new_pixels, new_labels) in changes.items():
        write_set(new_pixels, new_labels, height, width)
        error = cnntrain("-q", "-t", 1, "config.yaml", "-o", "half", "--resume", code=5)
        assert error.startswith("half/checkpoint.bin: error: the data changed since the checkpoint: the "), f"{name}: {error}"
        equal(result("half") + (read_bytes("half/checkpoint.bin"),), before, f"files after {name}")
    write_set(pixels, labels, height, width)
    cnntrain("-q", "-t", 2, "config.yaml", "-o", "half", "--resume")
    same_result("whole", "half", "with the data as they were")
    figure("R10: changes of the data that --resume refuses", f"{len(changes)} of {len(changes)}")


if __name__ == "__main__":
    in_memory()
    run_tests([repeats, every_epoch, random_batches, other_formats, surroundings, places, locales, changed_keys, changed_data])
