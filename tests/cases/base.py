"""base.py: the config, the data and the model that every case starts from, and what turns a row of a table into a
case. In the new text of an edit, the mark ¦ says where the fault has to be reported."""
import os
import re
import subprocess

from cases.formats import Model, gz, images, labels, unmark
from cases.harness import Case

BASE = """\
seed: 1
data:
  train: train-images-idx3-ubyte.gz
  test: t10k-images-idx3-ubyte.gz
  validation: 0.25
network:
  - conv: {filters: 4, kernel: 3, stride: 1, padding: 1}
  - relu
  - maxpool: {size: 4, stride: 4}
  - dropout: 0.25
  - dense: 10
train:
  epochs: 1
  batch_size: 16
  optimizer: {type: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1.0e-8}
  early_stopping: {monitor: val_loss, patience: 2, min_delta: 0, restore_best: true}
output: run
"""

TRAIN, TEST = 64, 32  # images
NAME = "case.yaml"


def replace(text, old, new):
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the config"
    return text.replace(old, new)


def edited(*edits):
    """BASE with (old, new) pairs of text replaced."""
    text = BASE
    for old, new in edits:
        text = replace(text, old, new)
    return text


def places(text, name=NAME):
    """The text without marks, and "case.yaml:LINE:COLUMN" for each of them."""
    text, offsets = unmark(text)
    found = []
    for offset in offsets:
        before = text[:offset] if isinstance(text, str) else text[:offset].decode(errors="replace")
        found.append(f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}")
    return text, found


def config_cases(name, text, messages, code=3, evaluate=True, **more):
    """A config that is wrong (or, with code 0, right): as `cnntrain` and as `cnneval` read it."""
    if isinstance(messages, str):
        messages = [messages]
    text, where = places(text)
    if len(where) == 0 and code != 0:
        where = [NAME] * len(messages)
    assert code == 0 or len(where) == len(messages), f"{name}: {len(where)} marks, {len(messages)} messages"
    files = {NAME: text.encode() if isinstance(text, str) else text, **more.pop("files", {})}
    faults = [] if code == 0 else list(zip(where, messages))
    # A run that works writes into its directory; that it would is enough here.
    command = ["cnntrain", NAME] + (["--dry-run", "--verbose"] if code == 0 else [])
    yield Case(name, code, faults, command, files, **more)
    if evaluate:
        yield Case(name + " (cnneval)", code, faults, ["cnneval", "model.bin", NAME], files, **more)


def make_template(directory, programs):
    """The files that are in every case's directory; `trained` gets a whole run."""
    os.mkdir(directory)
    for prefix, count, seed in (("train", TRAIN, 0), ("t10k", TEST, 5)):
        for name, data in ((f"{prefix}-images-idx3-ubyte", images(count, seed=seed)),
                           (f"{prefix}-labels-idx1-ubyte", labels(count))):
            for suffix, content in (("", data), (".gz", gz(data))):
                with open(os.path.join(directory, name + suffix), "wb") as file:
                    file.write(content)
    with open(os.path.join(directory, "base.yaml"), "w") as file:
        file.write(BASE)
    subprocess.run([os.path.join(programs, "cnntrain"), "-q", "base.yaml"], cwd=directory, check=True)
    summary = subprocess.run([os.path.join(programs, "cnntrain"), "-n", "-t", "1", "base.yaml"], cwd=directory, check=True,
                             capture_output=True, text=True).stdout
    trained = {"arena": int(re.search(r"arena ([\d,]+) bytes", summary)[1].replace(",", ""))}
    for name in os.listdir(os.path.join(directory, "run")):
        with open(os.path.join(directory, "run", name), "rb") as file:
            trained[name] = file.read()
        os.rename(os.path.join(directory, "run", name), os.path.join(directory, name))
    os.rmdir(os.path.join(directory, "run"))
    for name in ("checkpoint.bin", "log.csv", "config.yaml"):
        os.unlink(os.path.join(directory, name))
    trained["model"], trained["checkpoint"] = Model(trained["model.bin"]), Model(trained["checkpoint.bin"])
    return trained
