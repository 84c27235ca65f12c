#!/usr/bin/env python3
"""configs.py: the configs that ship are right and free of warnings; those on the digits train; and together they show every
member and every key that `cnntrain --list` prints. Prints TAP."""
import functools
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, ROOT, Skip, cnntrain, run_tests  # noqa: E402

CONFIGS = sorted(glob.glob(os.path.join(ROOT, "configs", "**", "*.yaml"), recursive=True))
TOPICS = ("layers", "activations", "initializers", "losses", "optimizers", "schedules", "augmentations", "config")


def text_of(path):
    """A config without its comments."""
    with open(path, encoding="utf-8") as file:
        return re.sub(r"(^|\s)#.*", r"\1", file.read())


def digits_model():
    """Where a config wants the model of another one, it is trained first."""
    if not os.path.exists("runs/digits/model.bin"):
        cnntrain("-q", "configs/digits.yaml", "-s", "train.epochs=1")


def prepare(path):
    """The tests run in a folder of their own, which the configs shall take for the project's."""
    for name in ("data", "configs"):
        os.symlink(os.path.join(ROOT, name), name)
    text = text_of(path)
    if "runs/digits/model.bin" in text:
        digits_model()
    train = re.search(r"train: *\{?[^#\n]*?((?:\$\{[^}]*\}|data)[^\s,}\"]*)", text).group(1)
    train = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", train)
    if not os.path.exists(train):
        raise Skip(f"{train} is not there")


def is_right(path):
    prepare(path)
    cnntrain("-n", "--strict", os.path.relpath(path, ROOT))


def trains(path):
    prepare(path)
    swa = ["-s", "train.swa.start=1"] if "swa:" in text_of(path) else []
    cnntrain("-q", os.path.relpath(path, ROOT), "-s", "train.epochs=1", *swa)


def listed(topic):
    """The words that begin a line of --list: members and options."""
    out = subprocess.run([os.path.join(BIN, "cnntrain"), "--list", topic], capture_output=True, check=True, text=True).stdout
    return {line.split()[0] for line in out.splitlines() if line.strip()} - {topic}


def all_are_shown():
    """every member and key of --list stands in a config that ships"""
    text = "\n".join(map(text_of, CONFIGS))
    unknown = [f"{topic}: {word}" for topic in TOPICS for word in sorted(listed(topic))
               if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)]
    assert not unknown, ", ".join(unknown)


def test_of(function, what, path):
    test = functools.partial(function, path)
    test.__doc__ = f"{os.path.relpath(path, ROOT)} {what}"
    return test


run_tests([all_are_shown] + [test_of(is_right, "is right and has no warnings", path) for path in CONFIGS] +
          [test_of(trains, "trains an epoch", path) for path in CONFIGS if "/reference/" in path])
