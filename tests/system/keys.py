#!/usr/bin/env python3
"""keys.py: no key is accepted and ignored.

Every key that `cnntrain --list` prints needs a row here: two values, and what must differ between a run with the one
and a run with the other. A listed key without a row is a failure, so is a row whose two runs do not differ. Then the
other way round: a key given its own default must change nothing. model.bin names its config, so of it only the weights
are compared. The members of a family (activations, optimizers...) must all lead to different weights. Prints TAP."""
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from cases.formats import Model, f32, gz, idx, images, labels, png, safetensors  # noqa: E402
from cases.harness import scratch  # noqa: E402
from cases.keys_augment import AUGMENTATIONS, COLOURED, COLOURS, augmentation  # noqa: E402

BASE = """\
data: {train: train-images-idx3-ubyte, test: t10k-images-idx3-ubyte}
network:
  - conv: {filters: 3, kernel: 5, stride: 2}
  - dense: 10
"""
SIZE = 16  # of an image
# What a run shows, by the name that the rows use. Each is a function of Run, below.
WEIGHTS, LOG, SUMMARY, PLACE, EXIT, EVALUATION = "weights", "log", "summary", "place", "exit", "evaluation"

SHORT = "train.epochs=3"
VALIDATION = "data.validation=0.25"
# Half of this set's labels are wrong: the better the training, the higher its loss, though not its accuracy.
STOPPING = ("data.validation={images: other-images, labels: half-labels}", "train.epochs=8", "train.batch_size=16",
            "train.optimizer={type: adam, lr: 0.01}")
FOLDER = ("data.train=pictures", "train.batch_size=16")
# key: what differs, its values, what else is set for both. A value of None leaves the key out.
CONFIG = {
    "name": (PLACE, "one", "two"),
    "seed": (WEIGHTS, "1", "2"),
    "precision": (EXIT, "fp32", "fp16"),  # there is one value as yet
    "data.train": (WEIGHTS, "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"),
    "data.train.images": (WEIGHTS, "train-images-idx3-ubyte", "other-images",
                          "data.train={labels: train-labels-idx1-ubyte}"),
    "data.train.labels": (WEIGHTS, "train-labels-idx1-ubyte", "other-labels",
                          "data.train={images: train-images-idx3-ubyte}"),
    "data.train.layout": (WEIGHTS, "chw", "hwc", "data.train={images: four-images, labels: train-labels-idx1-ubyte}",
                          "network=[dense: 10]"),
    "data.train.folder": (WEIGHTS, "pictures", "other-pictures", *FOLDER, "data.train={}"),
    "data.train.csv": (WEIGHTS, "pictures/list.csv", "pictures/short.csv", *FOLDER, "data.train={}"),
    "data.memory": (SUMMARY, "1GiB", "1KiB", *FOLDER),
    "data.test": (EVALUATION, "train-images-idx3-ubyte", "t10k-images-idx3-ubyte"),
    "data.validation": (LOG, None, "0.25"),
    "data.validation.folds": (LOG, "2", "4", "data.validation={fold: 1}"),
    "data.validation.fold": (LOG, "0", "3", "data.validation={folds: 4}"),
    "data.limit": (WEIGHTS, "0", "64"),
    "data.over_sample": (LOG, "none", "balanced", "data.train={images: train-images-idx3-ubyte, labels: other-labels}"),
    "data.classes": (EVALUATION, None, "[a, b, c, d, e, f, g, h, i, j]"),
    "data.input.height": (SUMMARY, "16", "18"),
    "data.input.width": (SUMMARY, "16", "18"),
    "data.input.channels": (SUMMARY, "1", "3"),
    "data.input.fit": (WEIGHTS, "pad", "letterbox", *FOLDER, "data.input={height: 20, width: 24}"),
    "data.normalize": (WEIGHTS, "standard", "unit"),
    "data.normalize.mean": (WEIGHTS, "[0]", "[0.5]", "data.normalize={std: [1]}"),
    "data.normalize.std": (WEIGHTS, "[1]", "[0.5]", "data.normalize={mean: [0]}"),
    "initialize.from": (WEIGHTS, "a.safetensors", "b.safetensors"),
    "initialize.layers": (WEIGHTS, "[conv1]", "[dense1]", "initialize={from: a.safetensors}"),
    "augment": (WEIGHTS, "[]", "[flip: horizontal]"),
    "network": (SUMMARY, "[dense: 10]", "[tanh, dense: 10]"),
    "train.loss": (WEIGHTS, "cross_entropy", "mse"),
    "train.label_smoothing": (WEIGHTS, "0", "0.1"),
    "train.class_weights": (WEIGHTS, "balanced", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"),
    "train.epochs": (LOG, "1", "2"),
    "train.batch_size": (LOG, "16", "8"),
    "train.optimizer": (WEIGHTS, "adam", "sgd"),
    "train.schedule": (WEIGHTS, "constant", "cosine"),
    "train.regularize.l1": (WEIGHTS, "0", "0.01"),
    "train.regularize.l2": (WEIGHTS, "0", "0.1"),
    "train.regularize.max_norm": (WEIGHTS, "0", "0.5"),
    "train.regularize.biases": (WEIGHTS, "false", "true", "train.regularize={l2: 1}"),
    "train.accumulate": (WEIGHTS, "1", "2"),
    "train.ema": (WEIGHTS, "0", "0.5"),
    "train.bias_lr": (WEIGHTS, "1", "2"),
    "train.lookahead": (WEIGHTS, None, "{}"),
    "train.lookahead.every": (WEIGHTS, "2", "3", "train.lookahead={alpha: 0.5}"),
    "train.lookahead.alpha": (WEIGHTS, "0.5", "0.25", "train.lookahead={every: 2}"),
    "train.lookahead.power": (WEIGHTS, "0", "2", "train.lookahead={every: 2}"),
    "train.swa": (WEIGHTS, None, "{start: 2}"),
    "train.swa.start": (WEIGHTS, "1", "2"),
    "train.clip_norm": (WEIGHTS, "0", "0.5"),
    "train.clip_value": (WEIGHTS, "0", "0.01"),
    "train.early_stopping": (LOG, None, "{patience: 1}", *STOPPING),
    "train.early_stopping.monitor": (WEIGHTS, "val_loss", "val_accuracy", *STOPPING,
                                     "train.early_stopping={patience: 5}"),
    "train.early_stopping.mode": (WEIGHTS, "min", "max", *STOPPING, "train.early_stopping={patience: 5}"),
    "train.early_stopping.start_epoch": (LOG, "1", "6", "data.validation=0.25", "train.epochs=8",
                                         "train.early_stopping={patience: 1, min_delta: 1000}"),
    "train.early_stopping.patience": (LOG, "1", "4", *STOPPING, "train.early_stopping={monitor: val_loss}"),
    "train.early_stopping.min_delta": (LOG, "0", "1000", "data.validation=0.25", "train.early_stopping={patience: 1}"),
    "train.early_stopping.restore_best": (WEIGHTS, "true", "false", *STOPPING, "train.early_stopping={patience: 3}"),
    "train.max_time": (SUMMARY, "1h", "1h30m"),  # outputs.py waits for a second
    "train.memory": (SUMMARY, "1GiB", "2GiB"),
    "train.checkpoint.every": (SUMMARY, "2", "3"),  # outputs.py looks into the checkpoints
    "output": (PLACE, "there", "elsewhere"),
}
# A layer stands between a convolution and a dense layer; its other options: what must be given, and per key what else.
NEEDED = {"conv": "filters: 3, kernel: 3", "maxpool": "size: 2", "avgpool": "size: 2", "dense": "units: 7",
          "dropout": "rate: 0.5", "spatial_dropout": "rate: 0.5", "gaussian_dropout": "rate: 0.5",
          "gaussian_noise": "std: 0.5", "conv1d": "filters: 3, kernel: 3", "maxpool1d": "size: 2", "avgpool1d": "size: 2",
          "reshape": "shape: [4,27]", "permute": "order: whc", "groupnorm": "groups: 3",
          "residual": "body: [tanh]", "concat": "branches: [[tanh],[sigmoid]]", "repeat": "times: 2, block: [tanh]"}
# What else stands before and behind it: a sequence for what takes one, and what can tell new shapes from old ones.
AROUND = {"conv1d": ("reshape: [3, 36]", ""), "maxpool1d": ("reshape: [3, 36]", ""),
          "avgpool1d": ("reshape: [3, 36]", ""), "reshape": ("", "conv1d: {filters: 2, kernel: 5}"),
          "flatten": ("", "conv: {filters: 3, kernel: 1}"), "rbf": ("dense: {units: 84, activation: tanh}", "")}
LAYERS = {
    "conv.filters": (SUMMARY, "3", "4"),
    "conv.kernel": (SUMMARY, "3", "[3, 5]"),
    "conv.stride": (SUMMARY, "1", "[1, 2]"),
    "conv.padding": (SUMMARY, "0", "same"),
    "conv.dilation": (SUMMARY, "1", "[1, 2]"),
    "conv.groups": (SUMMARY, "1", "3"),
    "conv.connections": (SUMMARY, None, "[[0], [0, 2], [1]]"),
    "conv.bias": (SUMMARY, "true", "false"),
    "conv.activation": (WEIGHTS, None, "tanh"),
    "conv.init": (WEIGHTS, "he", "xavier"),
    "conv.freeze": (WEIGHTS, "false", "true"),
    "conv1d.filters": (SUMMARY, "3", "4"),
    "conv1d.kernel": (SUMMARY, "3", "4"),
    "conv1d.stride": (SUMMARY, "1", "2"),
    "conv1d.padding": (SUMMARY, "0", "same"),
    "conv1d.dilation": (SUMMARY, "1", "2"),
    "conv1d.groups": (SUMMARY, "1", "3"),
    "conv1d.bias": (SUMMARY, "true", "false"),
    "conv1d.activation": (WEIGHTS, None, "tanh"),
    "conv1d.init": (WEIGHTS, "he", "xavier"),
    "conv1d.freeze": (WEIGHTS, "false", "true"),
    "maxpool1d.size": (SUMMARY, "2", "3"),
    "maxpool1d.stride": (SUMMARY, "2", "1"),
    "maxpool1d.padding": (SUMMARY, "0", "1"),
    "avgpool1d.size": (SUMMARY, "2", "3"),
    "avgpool1d.stride": (SUMMARY, "2", "1"),
    "avgpool1d.padding": (SUMMARY, "0", "1"),
    "avgpool1d.count_padding": (WEIGHTS, "true", "false", "padding: 1"),
    "reshape.shape": (SUMMARY, "[4, 27]", "[9, 12]"),
    "permute.order": (SUMMARY, "whc", "cwh"),
    "maxpool.size": (SUMMARY, "2", "[2, 3]"),
    "maxpool.stride": (SUMMARY, "2", "1"),
    "maxpool.padding": (SUMMARY, "0", "1"),
    "avgpool.size": (SUMMARY, "2", "[2, 3]"),
    "avgpool.stride": (SUMMARY, "2", "1"),
    "avgpool.padding": (SUMMARY, "0", "1"),
    "avgpool.count_padding": (WEIGHTS, "true", "false", "padding: 1"),
    "rbf.codes": (SUMMARY, None, "[" + ", ".join(f'"{"#" * k:.<84}"' for k in range(7)) + "]"),
    "dense.units": (SUMMARY, "7", "8"),
    "dense.bias": (SUMMARY, "true", "false"),
    "dense.activation": (WEIGHTS, None, "tanh"),
    "dense.init": (WEIGHTS, "he", "xavier"),
    "dense.freeze": (WEIGHTS, "false", "true"),
    **{f"{name}.regularize.{key}": (WEIGHTS, *values) for name in ("conv", "conv1d", "dense") for key, values in (
        ("l1", ("0", "0.01")), ("l2", ("0", "0.1")), ("max_norm", ("0", "0.5")), ("biases", ("false", "true", "l2: 1")))},
    "dropout.rate": (WEIGHTS, "0.5", "0.25"),
    "spatial_dropout.rate": (WEIGHTS, "0.5", "0.25"),
    "gaussian_dropout.rate": (WEIGHTS, "0.5", "0.25"),
    "gaussian_noise.std": (WEIGHTS, "0.5", "0.25"),
    "batchnorm.momentum": (WEIGHTS, "0.1", "0.2"),
    "batchnorm.eps": (WEIGHTS, "1e-5", "0.1"),
    "batchnorm.affine": (SUMMARY, "true", "false"),
    "batchnorm.freeze": (WEIGHTS, "false", "true"),
    "layernorm.eps": (WEIGHTS, "1e-5", "0.1"),
    "layernorm.affine": (SUMMARY, "true", "false"),
    "layernorm.freeze": (WEIGHTS, "false", "true"),
    "groupnorm.groups": (WEIGHTS, "1", "3"),
    "groupnorm.eps": (WEIGHTS, "1e-5", "0.1"),
    "groupnorm.affine": (SUMMARY, "true", "false"),
    "groupnorm.freeze": (WEIGHTS, "false", "true"),
    "lrn.size": (WEIGHTS, "5", "1"),
    "lrn.alpha": (WEIGHTS, "1e-4", "0.1"),
    "lrn.beta": (WEIGHTS, "0.75", "0.5", "alpha: 1"),
    "lrn.k": (WEIGHTS, "1", "2"),
    "subsample.size": (SUMMARY, "2", "3"),
    "subsample.freeze": (WEIGHTS, "false", "true"),
    "residual.body": (WEIGHTS, "[tanh]", "[sigmoid]"),
    "residual.shortcut": (SUMMARY, "identity", "conv"),
    "concat.branches": (SUMMARY, "[[], [tanh]]", "[[], [], [tanh]]"),
    "repeat.times": (SUMMARY, "2", "3"),
    "repeat.block": (WEIGHTS, "[tanh]", "[sigmoid]"),
    "leaky_relu.slope": (WEIGHTS, "0.01", "0.5"),
    "elu.alpha": (WEIGHTS, "1", "2"),
}
OPTIMIZERS = {
    "adam.lr": (WEIGHTS, "0.001", "0.002"),
    "adam.beta1": (WEIGHTS, "0.9", "0.8"),
    "adam.beta2": (WEIGHTS, "0.999", "0.99"),
    "adam.eps": (WEIGHTS, "1e-8", "0.001"),
    "adamw.lr": (WEIGHTS, "0.001", "0.002"),
    "adamw.beta1": (WEIGHTS, "0.9", "0.8"),
    "adamw.beta2": (WEIGHTS, "0.999", "0.99"),
    "adamw.eps": (WEIGHTS, "1e-8", "0.001"),
    "adamw.weight_decay": (WEIGHTS, "0.01", "0.1"),
    "adamw.decay_bias": (WEIGHTS, "false", "true"),
    "amsgrad.lr": (WEIGHTS, "0.001", "0.002"),
    "amsgrad.beta1": (WEIGHTS, "0.9", "0.8"),
    "amsgrad.beta2": (WEIGHTS, "0.999", "0.99"),
    "amsgrad.eps": (WEIGHTS, "1e-8", "0.001"),
    "nadam.lr": (WEIGHTS, "0.002", "0.001"),
    "nadam.beta1": (WEIGHTS, "0.9", "0.8"),
    "nadam.beta2": (WEIGHTS, "0.999", "0.99"),
    "nadam.eps": (WEIGHTS, "1e-8", "0.001"),
    "nadam.momentum_decay": (WEIGHTS, "0.004", "0.04"),
    "momentum.lr": (WEIGHTS, "0.01", "0.02"),
    "momentum.momentum": (WEIGHTS, "0.9", "0.8"),
    "nesterov.lr": (WEIGHTS, "0.01", "0.02"),
    "nesterov.momentum": (WEIGHTS, "0.9", "0.8"),
    "rmsprop.lr": (WEIGHTS, "0.01", "0.02"),
    "rmsprop.alpha": (WEIGHTS, "0.99", "0.9"),
    "rmsprop.eps": (WEIGHTS, "1e-8", "0.001"),
    "rmsprop.momentum": (WEIGHTS, "0", "0.9"),
    "rmsprop.centered": (WEIGHTS, "false", "true"),
    "adagrad.lr": (WEIGHTS, "0.01", "0.02"),
    "adagrad.lr_decay": (WEIGHTS, "0", "0.1"),
    "adagrad.initial_accumulator_value": (WEIGHTS, "0", "0.1"),
    "adagrad.eps": (WEIGHTS, "1e-10", "0.001"),
    "adadelta.lr": (WEIGHTS, "1", "2"),
    "adadelta.rho": (WEIGHTS, "0.9", "0.8"),
    "adadelta.eps": (WEIGHTS, "1e-6", "0.001"),
    "lion.lr": (WEIGHTS, "0.0001", "0.0002"),
    "lion.beta1": (WEIGHTS, "0.9", "0.1"),
    "lion.beta2": (WEIGHTS, "0.99", "0.1"),
    "lion.weight_decay": (WEIGHTS, "0", "0.1"),
    "lion.decay_bias": (WEIGHTS, "false", "true", "weight_decay: 0.1"),
    "sgd.lr": (WEIGHTS, "0.01", "0.02"),
    "sgd.momentum": (WEIGHTS, "0", "0.9"),
    "sgd.nesterov": (WEIGHTS, "false", "true", "momentum: 0.9"),
}
LOSSES = {
    "focal.gamma": (WEIGHTS, "2", "0.5"),
    "map.j": (WEIGHTS, "1", "5"),
    "huber.delta": (WEIGHTS, "1", "0.5"),
    "hinge.margin": (WEIGHTS, "1", "0.5"),
}
NEEDED.update({"step": "step_size: 1", "multistep": "milestones: [1]", "exponential": "gamma: 0.5",
               "plateau": "patience: 0"})
SCHEDULES = {
    **{f"{name}.warmup": (WEIGHTS, "0", "0.75") for name in (
        "constant", "step", "multistep", "exponential", "polynomial", "linear", "cosine", "one_cycle", "plateau")},
    "step.step_size": (WEIGHTS, "1", "2"),
    "step.gamma": (WEIGHTS, "0.1", "0.5"),
    "multistep.milestones": (WEIGHTS, "[1]", "[1, 2]"),
    "multistep.gamma": (WEIGHTS, "0.1", "0.5"),
    "exponential.gamma": (WEIGHTS, "0.5", "0.6"),
    "polynomial.power": (WEIGHTS, "1", "2"),
    "polynomial.epochs": (WEIGHTS, None, "2"),
    "linear.start_factor": (WEIGHTS, "1", "0.5"),
    "linear.end_factor": (WEIGHTS, "0", "0.5"),
    "linear.epochs": (WEIGHTS, None, "2"),
    "cosine.min_lr": (WEIGHTS, "0", "0.0001"),
    "cosine.epochs": (WEIGHTS, None, "2"),
    "cosine.restarts": (WEIGHTS, "false", "true", "epochs: 1"),
    "cosine.restart_factor": (WEIGHTS, "1", "2", "epochs: 1", "restarts: true"),
    "one_cycle.pct_start": (WEIGHTS, "0.3", "0.5"),
    "one_cycle.anneal_strategy": (WEIGHTS, "cos", "linear"),
    "one_cycle.div_factor": (WEIGHTS, "25", "10"),
    "one_cycle.final_div_factor": (WEIGHTS, "10000", "10"),
    "one_cycle.three_phase": (WEIGHTS, "false", "true"),
    "one_cycle.cycle_momentum": (WEIGHTS, None, "[0.85, 0.95]"),
    "one_cycle.epochs": (WEIGHTS, None, "2"),
    "plateau.monitor": (LOG, "val_loss", "val_accuracy", *STOPPING),
    "plateau.factor": (WEIGHTS, "0.1", "0.5", "threshold: 1"),
    "plateau.patience": (WEIGHTS, "0", "1", "threshold: 1"),
    "plateau.threshold": (WEIGHTS, "0.0001", "1"),
    "plateau.threshold_mode": (LOG, "rel", "abs", "threshold: 0.3", "monitor: train_loss", *STOPPING),
    "plateau.cooldown": (WEIGHTS, "0", "1", "threshold: 1", "train.epochs=5"),
    "plateau.min_lr": (WEIGHTS, "0", "0.0005", "threshold: 1"),
}
NAMES = (SUMMARY, "first", "second")           # every layer's
OWN_NAMES = (EXIT, None, "first")              # but an activation that belongs to a layer may not have one
FAMILIES = {                                   # how a member is chosen; {} is its name
    "activations": "network.0.conv.activation={}",
    "initializers": "network.0.conv.init={}",
    "losses": "train.loss={}",
    "optimizers": "train.optimizer={}",
}
ADDED = ("layers", "augmentations")            # families whose members are put into a list


class Run:
    """One run in a directory of its own, and what can be seen of it."""

    def __init__(self, work, assignments):
        self.directory = tempfile.mkdtemp(dir=work)
        shutil.copytree(os.path.join(work, "data"), self.directory, copy_function=os.link, dirs_exist_ok=True)
        self.assignments = [part for assignment in assignments for part in ("--set", assignment)]
        done = self.command("cnntrain", "--quiet", "--threads=1", *self.assignments, "base.yaml")
        self.code, self.errors = done.returncode, done.stderr.decode()

    def command(self, *arguments):
        return subprocess.run([os.path.join(ROOT, "bin", arguments[0]), *arguments[1:]], cwd=self.directory,
                              capture_output=True)

    def file(self, name):
        with open(os.path.join(self.directory, self.place(), name), "rb") as file:
            return file.read()

    def place(self):
        for folder, _, names in os.walk(self.directory):
            if "model.bin" in names:
                return os.path.relpath(folder, self.directory)
        return None

    def exit(self):
        return self.code

    def weights(self):
        return Model(self.file("model.bin")).data

    def log(self):
        """Without the two columns of time."""
        return [line.split(",")[:7] for line in self.file("log.csv").decode().splitlines()]

    def summary(self):
        text = self.command("cnntrain", "--dry-run", *self.assignments, "base.yaml").stdout.decode()
        return [line for line in text.splitlines() if not line.startswith(("arena", "memory about"))]

    def evaluation(self):
        """Of the resolved config's data.test."""
        place = self.place()
        done = self.command("cnneval", os.path.join(place, "model.bin"), os.path.join(place, "config.yaml"))
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def read_list(text):
    """{"config": {"data.train": default, ...}, "layers": {"conv": None, "conv.filters": "required", ...}, ...}"""
    topics, topic, path = {}, None, []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        words = re.split(r"  +", line.strip())
        if not line:
            topic = None
        elif topic is None:
            topic, path = topics.setdefault(line, {}), []
            top = 2 if line == "config" else 0
        else:
            depth = (indent - top) // 2 if top else 0 if not indent else 1 + (indent - 4) // 2
            path = path[:depth] + [words[0]]
            topic[".".join(path)] = words[2] if top or indent else None
    return topics


def flow(*pairs):
    return "{" + ", ".join(pair for pair in pairs if pair) + "}"


def layer(name, *pairs):
    """The network with a layer between two others; and what it needs around it."""
    before, after = AROUND.get(name, ("", ""))
    items = ("conv: {filters: 3, kernel: 5, stride: 2}", before, f"{name}: {flow(*pairs)}", after, "dense: 10")
    return f"network=[{', '.join(item for item in items if item)}]"


def activation(name, *pairs):
    return "network.0.conv.activation=" + flow(f"type: {name}", *pairs)


def optimizer(name, *pairs):
    return "train.optimizer=" + flow(f"type: {name}", *pairs)


def loss(name, *pairs):
    return "train.loss=" + flow(f"type: {name}", *pairs)


def schedule(name, *pairs):
    return "train.schedule=" + flow(f"type: {name}", *pairs)


def config_sets(key, row):
    """A function of the value: all that --set gets, with a value of None what it gets without the key."""
    besides = [] if key == "train.epochs" else [SHORT]
    return lambda value: [*besides, *row[3:], *([] if value is None else [f"{key}={value}"])]


def member_sets(choose, name, key, row):
    """The same for an option of a layer, activation, optimizer, loss or schedule."""
    besides = [SHORT, *([VALIDATION] if choose == schedule else []), *(more for more in row[3:] if "=" in more)]
    needed = [pair for pair in NEEDED.get(name, "").split(", ") if pair.split(":")[0] != key]
    pairs = [more for more in row[3:] if "=" not in more]
    group, _, inner = key.rpartition(".")
    if group:  # an option of a mapping
        return lambda value: [*besides, choose(name, *needed, f"{group}: " + flow(
            *pairs, "" if value is None else f"{inner}: {value}"))]
    return lambda value: [*besides, choose(name, *pairs, *needed, "" if value is None else f"{key}: {value}")]
    if name in COLOURED:
        return lambda value: [SHORT, COLOURS, choose(name, *row[3:], "" if value is None else f"{key}: {value}")]


def rows(listed):
    """(name, default, row, sets) for each key; row is None where it lacks."""
    for key in listed["config"].keys() | CONFIG.keys():  # what stands inside a value is not listed: {mean:, std:}
        row = CONFIG.get(key)
        if row or not any(other.startswith(key + ".") for other in listed["config"]):
            yield f"config {key}", listed["config"].get(key), row, config_sets(key, row or ())
    for topic, choose, table, names in (("layers", layer, LAYERS, NAMES), ("activations", activation, LAYERS, OWN_NAMES),
                                        ("optimizers", optimizer, OPTIMIZERS, None), ("losses", loss, LOSSES, None),
                                        ("schedules", schedule, SCHEDULES, None)):
        for path, default in listed[topic].items():
            name, _, key = path.partition(".")
            if any(other.startswith(path + ".") for other in listed[topic]) and key:
                continue  # a mapping: its keys have rows
            row = names if key == "name" else table.get(path)
            if key:
                yield f"{topic[:-1] if topic != 'losses' else 'loss'} {path}", default, row, member_sets(choose, name, key, row or ())


def differs(work, row, sets):
    """What is wrong, or None."""
    if row is None:
        return "the key is listed and has no row in keys.py"
    what, one, two = row[:3]
    runs = [Run(work, sets(value)) for value in (one, two)]
    codes = [run.code for run in runs]
    if codes != ([0, 3] if what == EXIT else [0, 0]):
        return f"exit codes {codes}: {runs[0].errors}{runs[1].errors}"
    if getattr(runs[0], what)() == getattr(runs[1], what)():
        return f"the {what} of {one!r} and {two!r} do not differ"
    return None


def default_is_neutral(work, default, sets):
    """What is wrong when the key, given its default, changes something; or None."""
    runs = [Run(work, sets(None)), Run(work, sets(default))]
    if any(run.code != 0 for run in runs):
        return "".join(run.errors for run in runs)
    changed = [what for what in (WEIGHTS, LOG, SUMMARY) if getattr(runs[0], what)() != getattr(runs[1], what)()]
    return f"{', '.join(changed)} with the default {default!r} are not those without the key" if changed else None


def all_differ(work, assignments, *besides):
    seen = {}
    for assignment in assignments:
        run = Run(work, [SHORT, *besides, assignment])
        if run.code != 0:
            return f"{assignment}: {run.errors}"
        if run.weights() in seen:
            return f"{assignment} gives the weights of {seen[run.weights()]}"
        seen[run.weights()] = assignment
    return None


def tests(work, listed):
    """(name, function that says what is wrong)"""
    yield "two runs of one config do not differ", lambda: default_is_neutral(work, None, lambda value: [SHORT])
    for name, default, row, sets in sorted(rows(listed), key=lambda found: found[0]):
        yield name, functools.partial(differs, work, row, sets)
        if row and default not in (None, "-", "{}", "required"):
            yield f"{name}: {default} is its default", functools.partial(default_is_neutral, work, default, sets)
    needed = {**NEEDED, "polynomial": "power: 2", "plateau": "patience: 0, threshold: 1"}  # at power 1 it is linear
    schedules = [schedule(name, needed.get(name, "")) for name in listed["schedules"] if "." not in name]
    yield "schedules differ", lambda: all_differ(work, schedules, VALIDATION)
    for topic, assignment in FAMILIES.items():
        yield f"{topic} differ", lambda topic=topic, assignment=assignment: \
            all_differ(work, [assignment.format(name) for name in listed[topic] if "." not in name])
    layers = [name for name in listed["layers"] if "." not in name]
    yield "layers differ", lambda: all_differ(work, [layer(name, NEEDED.get(name, "")) for name in layers])
    augmentations = [name for name in listed["augmentations"] if "." not in name]
    yield "augmentations differ", lambda: all_differ(work, [augmentation(name) for name in augmentations], COLOURS)
    yield "topics of --list", lambda: None if set(listed) == {"config", "schedules", "formats", *ADDED, *FAMILIES} else \
        f"keys.py does not know all of {', '.join(listed)}"
    yield "formats", lambda: None if set(listed["formats"]) == {"idx", "folder", "csv"} else \
        "a new format needs a row for data.train here"


def make_data(folder):
    os.mkdir(folder)
    files = {"base.yaml": BASE.encode(),
             "train-images-idx3-ubyte": images(128, SIZE, SIZE), "train-labels-idx1-ubyte": labels(128),
             "t10k-images-idx3-ubyte": images(64, SIZE, SIZE, seed=5), "t10k-labels-idx1-ubyte.gz": gz(labels(64)),
             # can be read both ways: as four channels of 16x4, and of 4x16
             "four-images": idx([128, 4, SIZE, 4], bytes(i * i % 251 for i in range(128 * 16 * SIZE))),
             "colour-images": images(128, SIZE, SIZE, 3),
             "other-images": images(128, SIZE, SIZE, seed=9),
             "other-labels": idx([128], bytes(i // 13 for i in range(128))),
             "half-labels": idx([128], bytes(i % 10 if i % 2 else i % 7 for i in range(128)))}
    # A set of image files in ten classes, another, and lists of all of the first and of half of it.
    for folder_name, add in (("pictures", 0), ("other-pictures", 5)):
        for i in range(40):
            pixels = bytes((x * (i % 10 + 1) + i // 10 * 7 + add) % 251 for x in range(SIZE * SIZE))
            files[f"{folder_name}/{i % 10}/{i // 10}.png"] = png(pixels, SIZE, SIZE)
    lines = [f"{i % 10}/{i // 10}.png,{i % 10}\n" for i in range(40)]
    files["pictures/list.csv"] = "".join(lines).encode()
    files["pictures/short.csv"] = "".join(lines[:20]).encode()
    for name, first in (("a", 0.0), ("b", 0.1)):
        files[name + ".safetensors"] = safetensors({"conv1.weight": f32((3, 1, 5, 5), first), "conv1.bias": f32((3,)),
                                                    "dense1.weight": f32((10, 108), first), "dense1.bias": f32((10,))})
    for name, data in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def main():
    work = scratch("keys.")
    try:
        make_data(os.path.join(work, "data"))
        listing = subprocess.run([os.path.join(ROOT, "bin", "cnntrain"), "--list"], capture_output=True, check=True)
        everything = list(tests(work, read_list(listing.stdout.decode())))
        print(f"1..{len(everything)}")
        for number, (name, wrong) in enumerate(everything, 1):
            found = wrong()
            print(f"{'not ok' if found else 'ok'} {number} - {name}")
            for line in (found or "").splitlines():
                print(f"# {line}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
