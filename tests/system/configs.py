#!/usr/bin/env python3
"""configs.py: the configs that ship show, together, every member and every key that `cnntrain --list` prints; those of
configs/reference train. That all are right and free of warnings is in cnntrain.bats. Prints TAP."""
import functools
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, ROOT, cnntrain, run_tests  # noqa: E402

CONFIGS = sorted(glob.glob(os.path.join(ROOT, "configs", "**", "*.yaml"), recursive=True))
TOPICS = ("layers", "activations", "initializers", "losses", "optimizers", "schedules", "augmentations", "config")


def text_of(path):
    """A config without its comments."""
    with open(path, encoding="utf-8") as file:
        return re.sub(r"(^|\s)#.*", r"\1", file.read())


def trains(path):
    """In a folder of its own, which the config shall take for the project's; with the model of digits.yaml where it wants one."""
    text = text_of(path)
    for name in ("data", "configs"):
        os.symlink(os.path.join(ROOT, name), name)
    if "runs/digits/model.bin" in text:
        cnntrain("-q", "configs/digits.yaml", "-s", "train.epochs=1")
    swa = ["-s", "train.swa.start=1"] if "swa:" in text else []
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


def test_of(path):
    test = functools.partial(trains, path)
    test.__doc__ = f"{os.path.relpath(path, ROOT)} trains an epoch"
    return test


run_tests([all_are_shown] + [test_of(path) for path in CONFIGS if "/reference/" in path])
