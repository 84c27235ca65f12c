#!/usr/bin/env python3
"""outputs.py: what a run leaves behind: model.bin, checkpoint.bin, log.csv, config.yaml; and what it refuses to do to
what another one left. Prints TAP."""
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import (BIN, DIGITS, ROOT, cnntrain, environment, equal, read_bytes, read_log, read_model,  # noqa: E402
                  run_tests, same_result, start_cnntrain, write)

CONFIG = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2}}
network:
  - conv: {{filters: 6, kernel: 3, activation: relu}}
  - conv: {{name: second, filters: 4, kernel: [2, 3], bias: false}}
  - dropout: 0.2
  - dense: 10
train: {{epochs: 3, batch_size: 50}}
"""
TRAINED, VALIDATED = 1151, 287  # of 1,438 images, by class
BATCHES = 24  # of 50 images


def train(*arguments, directory="run", text=CONFIG, code=0):
    write("small.yaml", text)
    return cnntrain("-q", "small.yaml", "-o", directory, *arguments, code=code)


def check_containers(directory):
    for name in ("model.bin", "checkpoint.bin"):
        done = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "safetensors_check.py"), "--profile",
                               os.path.join(directory, name)], capture_output=True, text=True, check=False)
        equal(done.returncode, 0, f"{name}: {done.stdout}{done.stderr}")


def containers():
    """model.bin and checkpoint.bin are safetensors files in our profile"""
    train()
    check_containers("run")
    train("-s", "train.epochs=0", "-s", "train.optimizer={type: sgd, lr: 0.1, momentum: 0.5}", directory="initial")
    check_containers("initial")


def model_contents():
    """model.bin: PyTorch's names and layouts, the config, the classes, the input, the epoch"""
    train("-s", "data.classes=[a, 'b\"', \"\\u00e9\", d, e, f, g, h, i, j]")
    metadata, tensors = read_model("run/model.bin")
    equal({name: shape for name, (shape, _) in tensors.items()},
          {"conv1.weight": [6, 1, 3, 3], "conv1.bias": [6], "second.weight": [4, 6, 2, 3], "dense1.weight": [10, 80],
           "dense1.bias": [10]}, "tensors")
    equal(json.loads(metadata["classes"]), ["a", 'b"', "\u00e9", "d", "e", "f", "g", "h", "i", "j"], "classes")
    equal(metadata["cnntrain.format"], "1", "format")
    equal(metadata["input"].split()[:3], ["1", "8", "8"], "input")
    assert "kernel: [2, 3], stride: 1, padding: 0, dilation: 1, groups: 1, bias: false" in metadata["config"], metadata["config"]
    assert DIGITS not in metadata["config"] and "output" not in metadata["config"], "a path is in the model"
    equal(int(metadata["step"]), int(metadata["epoch"]) * BATCHES, "step")
    facts = json.loads(metadata["training"])
    log = read_log("run/log.csv")
    equal((facts["epochs"], facts["steps"], facts["stopped_early"]), (3, 3 * BATCHES, False), "training")
    equal((facts["best_epoch"], facts["monitor"]), (int(metadata["epoch"]), "val_loss"), "the best epoch")
    equal(facts["best"], float(log[facts["best_epoch"] - 1]["val_loss"]), "the best val_loss")
    equal(facts["train"]["images"] + facts["validation"]["images"], facts["train"]["of"], "images")
    equal(facts["train"]["shape"], [1, 8, 8], "shape")


def checkpoint_contents():
    """checkpoint.bin: weights, both of Adam's states, the best weights"""
    train()
    metadata, tensors = read_model("run/checkpoint.bin")
    names = ["conv1.weight", "conv1.bias", "second.weight", "dense1.weight", "dense1.bias"]
    prefixes = ["", "best.", "optimizer.m.", "optimizer.v."]
    equal(sorted(tensors), sorted(prefix + name for prefix in prefixes for name in names), "tensors")
    equal((metadata["epoch"], metadata["step"], metadata["finished"]), ("3", str(3 * BATCHES), "1"), "position")


def log():
    """log.csv: the header, the columns and the rows"""
    train("-s", "train.optimizer={type: adam, lr: 0.0015}")
    data = read_bytes("run/log.csv")
    equal(data.split(b"\n")[0],
          b"epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second", "header")
    assert data.endswith(b"\n") and b"\r" not in data and b'"' not in data
    rows = read_log("run/log.csv")
    equal([row["epoch"] for row in rows], ["1", "2", "3"], "epochs")
    equal([row["step"] for row in rows], [str(BATCHES), str(2 * BATCHES), str(3 * BATCHES)], "steps")
    for row in rows:
        equal(row["lr"], "0.0015", "lr")
        assert 0 < float(row["train_loss"]) < 3 and 0 < float(row["val_loss"]) < 3
        for key, count in (("train_accuracy", TRAINED), ("val_accuracy", VALIDATED)):
            right = float(row[key]) * count
            assert abs(right - round(right)) < 1e-9 and 0 < right < count, f"{key} {row[key]}"
        assert re.fullmatch(r"\d+\.\d{3}", row["seconds"]) and re.fullmatch(r"\d+", row["images_per_second"])
    assert float(rows[2]["train_loss"]) < float(rows[0]["train_loss"])


def log_without_validation():
    """log.csv without a validation set: empty cells"""
    train(text=CONFIG.replace(", validation: 0.2", ""))
    for row in read_log("run/log.csv"):
        equal((row["val_loss"], row["val_accuracy"]), ("", ""), "cells")


def nothing_on_stdout():
    """results go to files: stdout stays empty, and with -q stderr too"""
    equal(train(), "", "stderr")
    done = subprocess.run([os.path.join(BIN, "cnntrain"), "small.yaml", "-o", "loud"], capture_output=True, text=True,
                          env=environment(), check=True)
    equal(done.stdout, "", "stdout")
    assert "model written to loud/model.bin" in done.stderr


def dry_run():
    """--dry-run writes nothing"""
    train("--dry-run")
    equal(os.listdir(), ["small.yaml"], "files")


def epochs_zero():
    """epochs: 0 writes the initial model; resumed, it is the beginning of the run"""
    train("-s", "train.epochs=0")
    metadata, tensors = read_model("run/model.bin")
    equal((metadata["epoch"], metadata["step"]), ("0", "0"), "position")
    equal(read_log("run/log.csv"), [], "log")
    equal(set(tensors["conv1.bias"][1]) | set(tensors["dense1.bias"][1]), {0.0}, "biases")
    assert len(set(tensors["dense1.weight"][1])) > 700 and max(tensors["dense1.weight"][1]) <= (6 / 90) ** 0.5
    train("--resume")
    train(directory="whole")
    same_result("whole", "run")


NOT_FINITE = r"cnntrain: error: the loss is not finite in epoch (\d+), step (\d+)"
LOWER = r"; a lower learning rate may help\n"


def divergence():
    """the loss is not finite: exit code 8, with epoch, step and the first layer at fault; no epoch, no model"""
    text = CONFIG.replace("epochs: 3", "epochs: 3, optimizer: {type: sgd, lr: 100}")
    error = train(text=text, code=8)
    layer = r": first the (weights|output) of (conv|relu|dropout|dense) '([\w.]+)'"
    found = re.fullmatch(NOT_FINITE + layer + LOWER, error)
    assert found, error
    assert found[1] == "1" and 1 < int(found[2]) <= BATCHES, error
    assert found[5] in ("conv1", "conv1.relu", "second", "dropout1", "dense1"), error
    equal(read_log("run/log.csv"), [], "log")
    metadata, _ = read_model("run/checkpoint.bin")
    equal((metadata["epoch"], metadata["finished"]), ("0", "0"), "checkpoint")
    assert not os.path.exists("run/model.bin")
    equal(train("--resume", text=text, code=8), error, "the same again when resumed")


def divergence_later():
    """the loss is not finite in a later epoch: log.csv, model.bin and checkpoint.bin are those of the epoch before"""
    # Squares of outputs that are finite themselves: a linear network whose weights grow twofold with each step.
    text = (f"data: {{train: {DIGITS}/train-images-idx3-ubyte.gz}}\nnetwork: [dense: 10]\n"
            "train: {loss: mse, epochs: 3, batch_size: 50, optimizer: {type: sgd, lr: 0.5}}\n")
    found = re.fullmatch(NOT_FINITE + ", though every layer's output is" + LOWER, train(text=text, code=8))
    assert found and found[1] == "2" and 29 < int(found[2]) <= 58, found
    equal([row["epoch"] for row in read_log("run/log.csv")], ["1"], "log")
    train("-s", "train.epochs=1", directory="one", text=text)
    equal(read_model("run/model.bin")[1], read_model("one/model.bin")[1], "weights")
    metadata, tensors = read_model("run/checkpoint.bin")
    equal((metadata["epoch"], metadata["batch"]), ("1", "0"), "checkpoint")
    equal(tensors["dense1.weight"], read_model("one/model.bin")[1]["dense1.weight"], "the checkpoint's weights")


def unfinished():
    """an unfinished run: exit code 9; --resume goes on, --fresh begins anew"""
    train(directory="whole")
    stop_within("run")
    error = train(code=9)
    assert re.fullmatch(r"run: error: holds an unfinished run: .*--resume.*--fresh.*\n", error), error
    before = read_bytes("run/checkpoint.bin")
    train("--dry-run")
    equal(read_bytes("run/checkpoint.bin"), before, "checkpoint after refusals")
    train("--fresh")
    same_result("whole", "run", "--fresh")
    stop_within("run", "--fresh")
    train("--resume")
    same_result("whole", "run", "--resume")


def stop_within(directory, *arguments):
    """Leave a run in its first epoch, however fast it is: stop it before it can begin."""
    write("small.yaml", CONFIG)
    before = os.stat(directory + "/config.yaml").st_mtime_ns if os.path.exists(directory + "/config.yaml") else 0
    process = start_cnntrain("-q", "small.yaml", "-o", directory, "-s", "train.epochs=1000", *arguments)
    while process.poll() is None:
        if os.path.exists(directory + "/config.yaml") and os.stat(directory + "/config.yaml").st_mtime_ns != before:
            break
        time.sleep(0.0005)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    equal(process.returncode, 128 + signal.SIGTERM, "exit code")


def in_use():
    """a directory in use: exit code 9, and it names the other process"""
    write("small.yaml", CONFIG)
    process = start_cnntrain("-q", "small.yaml", "-o", "run", "-s", "train.epochs=100000")
    while not os.path.exists("run/config.yaml"):
        time.sleep(0.001)
    try:
        for options in ((), ("--fresh",), ("--resume",)):
            error = train(*options, code=9)
            assert f"process {process.pid}" in error, error
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    equal(process.returncode, 130, "exit code")


def finished_is_replaced():
    """a finished run is simply replaced"""
    train("-s", "seed=9", directory="other")
    train()
    train("-s", "seed=9")
    same_result("run", "other")
    equal(sorted(name for name in os.listdir("run") if not name.startswith(".")),
          ["checkpoint.bin", "config.yaml", "log.csv", "model.bin", "report.html"], "files")


def stale_files():
    """what killed runs left half written is removed, and counted; other names are not touched"""
    os.mkdir("run")
    for name in (".model.bin.tmp.999999.0", ".checkpoint.bin.tmp.999999.1", ".model.bin.tmp.x"):
        write(os.path.join("run", name), "half")
    write("small.yaml", CONFIG)
    said = cnntrain("small.yaml", "-o", "run", "-s", "train.epochs=0")
    assert "removed 2 temporary files of a run that was killed in run\n" in said, said
    equal([name for name in sorted(os.listdir("run")) if ".tmp." in name], [".model.bin.tmp.x"], "what is left")
    assert "temporary" not in cnntrain("small.yaml", "-o", "run", "-s", "train.epochs=0")


def nothing_to_resume():
    """--resume without a checkpoint: exit code 5; with --fresh: 2"""
    assert "there is no checkpoint to resume from" in train("--resume", code=5)
    assert "--resume and --fresh cannot be combined" in train("--resume", "--fresh", code=2)


def early_stopping_by(monitor, delta, restore):
    sign = 1 if monitor == "val_loss" else -1
    train("-s", "train.epochs=60", "-s", "train.optimizer={type: adam, lr: 0.02}",
          "-s", f"train.early_stopping={{monitor: {monitor}, patience: 3, min_delta: {delta}, restore_best: {restore}}}")
    values = [sign * float(row[monitor]) for row in read_log("run/log.csv")]
    best = 0
    for epoch, value in enumerate(values):
        assert epoch - best < 4, f"epoch {epoch + 1} should not have begun"
        if value < values[best] - delta:
            best = epoch
    equal(len(values) - 1 - best, 3, f"epochs after the best, of {len(values)}")
    metadata, tensors = read_model("run/model.bin")
    kept = best + 1 if restore == "true" else len(values)
    equal(metadata["epoch"], str(kept), "the model's epoch")
    train("-s", f"train.epochs={kept}", "-s", "train.optimizer={type: adam, lr: 0.02}", "-s", "data.validation=0.2",
          "-s", "train.early_stopping={monitor: val_loss, patience: 100, restore_best: false}", directory="cut")
    equal({name: list(v) for name, (_, v) in tensors.items()},
          {name: list(v) for name, (_, v) in read_model("cut/model.bin")[1].items()}, "weights")


def early_stopping():
    """early stopping ends the run when patience runs out, and restores the best epoch's weights"""
    early_stopping_by("val_loss", 0, "true")
    early_stopping_by("val_accuracy", 0, "true")
    early_stopping_by("val_loss", 0.02, "true")
    early_stopping_by("val_loss", 0, "false")


def early_stopping_without_validation():
    """monitor: train_loss needs no validation set; the model is that of the least"""
    train("-s", "train.epochs=40", "-s", "train.early_stopping={monitor: train_loss, patience: 1}",
          "-s", "train.optimizer={type: adam, lr: 0.02}", text=CONFIG.replace(", validation: 0.2", ""))
    values = [float(row["train_loss"]) for row in read_log("run/log.csv")]
    assert 3 < len(values) < 40, f"{len(values)} epochs"
    equal(values.index(min(values)) + 2, len(values), "the best epoch but one")
    equal(read_model("run/model.bin")[0]["epoch"], str(len(values) - 1), "the model's epoch")


def before_the_first_epoch_that_counts():
    """start_epoch beyond the end: no epoch is judged, the model is the last's"""
    train("-s", "train.early_stopping={monitor: val_loss, start_epoch: 9}")
    equal(read_model("run/model.bin")[0]["epoch"], "3", "the model's epoch")
    equal(read_model("run/checkpoint.bin")[0]["stopping.best_epoch"], "0", "best epoch")


def patience_may_grow():
    """a run that stopped early goes on with more patience, as if it had had that from the beginning"""
    settings = ("-s", "train.epochs=60", "-s", "train.optimizer={type: adam, lr: 0.02}")
    stopping = "train.early_stopping={{monitor: val_loss, patience: {}}}".format
    train(*settings, "-s", stopping(1))
    first = len(read_log("run/log.csv"))
    train(*settings, "-s", stopping(4), "--resume")
    train(*settings, "-s", stopping(4), directory="whole")
    assert first < len(read_log("run/log.csv")), "it did not go on"
    same_result("run", "whole")


def max_time():
    """max_time: the run ends by itself after a second or more, with model and checkpoint; --resume goes on to the same
    bytes"""
    write("small.yaml", CONFIG)
    start = time.monotonic()
    said = cnntrain("small.yaml", "-o", "run", "-s", "train.epochs=1000000", "-s", "train.max_time=1s")
    assert time.monotonic() - start >= 1, "it ended too early"
    found = re.search(r"stopped after 1s \(train.max_time\) in epoch (\d+), step (\d+); .*--resume goes on", said)
    assert found, said
    metadata, _ = read_model("run/checkpoint.bin")
    equal((metadata["step"], metadata["finished"]), (found[2], "0"), "checkpoint")
    equal(len(read_log("run/log.csv")), int(found[1]) - 1, "epochs in the log")
    assert int(read_model("run/model.bin")[0]["epoch"]) <= int(found[1])
    assert "--resume" in train(code=9), "it is protected like any unfinished run"
    settings = ("-s", f"train.epochs={found[1]}", "-s", "train.max_time=1h")
    train("--resume", *settings)
    train(*settings, directory="whole")
    same_result("run", "whole")


def checkpoints_every_other_epoch():
    """checkpoint: {every: 2}: none after an odd epoch, but one at the end; the model follows where nobody judges"""
    text = (f"data: {{train: {DIGITS}/train-images-idx3-ubyte.gz}}\nnetwork: [dense: 10]\n"
            "train: {loss: mse, epochs: 9, batch_size: 50, checkpoint: {every: 2}, optimizer: {type: sgd, lr: 0.4}}\n")
    epoch = int(re.match(NOT_FINITE, train(text=text, code=8))[1])  # the first that is not finite
    assert epoch > 2 and epoch % 2 == 0, f"not finite in epoch {epoch}: choose another lr"
    equal(len(read_log("run/log.csv")), epoch - 1, "epochs in the log")
    saved = (epoch - 1) // 2 * 2
    equal(read_model("run/checkpoint.bin")[0]["epoch"], str(saved), "checkpoint")
    equal(read_model("run/model.bin")[0]["epoch"], str(saved), "model")
    train("-s", "train.epochs=1", "-s", "train.checkpoint.every=5", directory="short", text=text)
    metadata, _ = read_model("short/checkpoint.bin")
    equal((metadata["epoch"], metadata["finished"]), ("1", "1"), "the last checkpoint")


def best_without_early_stopping():
    """with a validation set alone, the model is that of the least val_loss"""
    train("-s", "train.epochs=25", "-s", "train.optimizer={type: adam, lr: 0.02}")
    values = [float(row["val_loss"]) for row in read_log("run/log.csv")]
    equal(len(values), 25, "epochs")
    best = values.index(min(values)) + 1
    assert best < 25, "the last epoch is the best: choose another example"
    equal(read_model("run/model.bin")[0]["epoch"], str(best), "the model's epoch")


def initialize():
    """initialize: weights from another model, by name and shape; the rest as without; nothing of it at --resume"""
    train(directory="first")
    train("-s", "train.epochs=0", directory="plain")
    begun, plain = read_model("first/model.bin")[1], read_model("plain/model.bin")[1]
    start = ("-s", "initialize={from: first/model.bin}", "-s", "network.1.conv.filters=5")
    train(*start, "-s", "train.epochs=0", text=CONFIG.replace("name: second, ", ""))
    _, tensors = read_model("run/model.bin")
    for name in ("conv1.weight", "conv1.bias", "dense1.bias"):
        equal(list(tensors[name][1]), list(begun[name][1]), name)
        assert name == "conv1.weight" or list(tensors[name][1]) != list(plain[name][1]), name
    train(*start, "-s", "initialize.layers=[conv1]", "-s", "train.epochs=0", directory="some")
    _, some = read_model("some/model.bin")
    equal(list(some["conv1.weight"][1]), list(begun["conv1.weight"][1]), "conv1.weight")
    equal(list(some["dense1.bias"][1]), list(plain["dense1.bias"][1]), "dense1.bias")
    train(*start, directory="whole")
    assert "from: first/model.bin" in read_bytes("whole/config.yaml").decode()
    assert "first/model.bin" not in read_model("whole/model.bin")[0]["config"], "it is no part of what the model is"
    train(*start, "-s", "train.epochs=1", directory="parts")
    os.rename("first", "gone")
    train("--resume", "-s", "network.1.conv.filters=5", directory="parts")
    same_result("whole", "parts", "resumed without the file and without the key")


def initialize_from_halves():
    """initialize: fp16 and bf16 as Python writes them, exactly"""
    values = [0.0, -0.0, 1.0, -2.5, 65504.0, 2.0 ** -24, -(2.0 ** -15), 0.333251953125, 3.0, -1.0]
    data = {"F16": b"".join(struct.pack("<e", value) for value in values),
            "BF16": b"".join(struct.pack("<f", value)[2:] for value in values)}
    for dtype, packed in data.items():
        header = json.dumps({"dense1.bias": {"dtype": dtype, "shape": [10], "data_offsets": [0, 20]}}).encode()
        with open("w.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header + packed)
        train("-s", "initialize={from: w.safetensors}", "-s", "train.epochs=0", "--fresh")
        want = [struct.unpack("<f", b"\0\0" + struct.pack("<f", value)[2:])[0] for value in values] \
            if dtype == "BF16" else values
        equal([struct.pack("<f", value) for value in read_model("run/model.bin")[1]["dense1.bias"][1]],
              [struct.pack("<f", value) for value in want], dtype)


def evaluated(part, directory="run"):
    done = subprocess.run([os.path.join(BIN, "cnneval"), "--part", part, "--json", f"{directory}/model.bin",
                           f"{directory}/config.yaml"], capture_output=True, text=True, env=environment(), check=True)
    report = json.loads(done.stdout)
    return report["accuracy"], report["loss"], report["count"]


def parts():
    """cnneval --part: the images that a run trains on and validates with, to the last one"""
    for validation, count in (("0.25", 102), ("{folds: 4, fold: 3}", 100)):  # a share is rounded in each class
        train("-s", f"data.validation={validation}", "-s", "data.limit=400", "-s", "train.epochs=2", "-s",
              "train.early_stopping={patience: 1, restore_best: false}")
        last = read_log("run/log.csv")[-1]
        accuracy, loss, images = evaluated("validation")
        equal(images, count, f"validation {validation}")
        assert abs(accuracy - float(last["val_accuracy"])) < 1e-12, (accuracy, last)
        assert abs(loss - float(last["val_loss"])) < 1e-9 * loss, (loss, last)
        equal(evaluated("train")[2], 400 - count, "training images")
    # A learning rate that moves nothing, and no dropout: the log's training loss is that of the model.
    train("-s", "data.limit=400", "-s", "train.epochs=1", "-s", "train.optimizer={type: sgd, lr: 1e-12}", "-s",
          "network.2.dropout=0", directory="still")
    row = read_log("still/log.csv")[0]
    accuracy, loss, images = evaluated("train", "still")
    equal(images, 320, "training images")
    assert abs(accuracy - float(row["train_accuracy"])) < 1e-12, (accuracy, row)
    assert abs(loss - float(row["train_loss"])) < 1e-6, (loss, row)


def full_disk():
    """a file that cannot be written: exit code 6, and the files before are intact"""
    train("-s", "train.epochs=2")
    before = {name: read_bytes(f"run/{name}") for name in ("model.bin", "checkpoint.bin", "log.csv", "config.yaml", "report.html")}
    before["config.yaml"] = before["config.yaml"].replace(b"epochs: 2", b"epochs: 3")  # that of the run as it goes on
    size = len(before["checkpoint.bin"])
    done = subprocess.run([os.path.join(BIN, "cnntrain"), "-q", "small.yaml", "-o", "run", "--resume"],
                          capture_output=True, text=True, env=environment(), check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2)))
    equal(done.returncode, 6, f"exit code: {done.stderr}")
    message = r"run/checkpoint.bin: error: cannot write: File too large \(needed \d+ bytes\)\n"
    assert re.fullmatch(message, done.stderr), done.stderr
    for name in ("model.bin", "checkpoint.bin", "config.yaml", "report.html"):
        equal(read_bytes(f"run/{name}"), before[name], name)
    assert read_bytes("run/log.csv").startswith(before["log.csv"])
    equal([name for name in os.listdir("run") if name not in before and not name.startswith(".")], [], "other files")
    train("--resume")
    train(directory="whole")
    same_result("whole", "run")


if __name__ == "__main__":
    run_tests([containers, model_contents, checkpoint_contents, log, log_without_validation, nothing_on_stdout, dry_run,
               epochs_zero, divergence, divergence_later, unfinished, in_use, finished_is_replaced, stale_files,
               nothing_to_resume,
               early_stopping, early_stopping_without_validation, before_the_first_epoch_that_counts, patience_may_grow,
               max_time, checkpoints_every_other_epoch, best_without_early_stopping, initialize,
               initialize_from_halves, parts, full_disk])
