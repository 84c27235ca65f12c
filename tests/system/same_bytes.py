#!/usr/bin/env python3
"""same_bytes.py: the same config, seed and data give the same model.bin and, but for its two timing columns, the same
log.csv: on any number of threads, at every CPU level that fuses multiply and add, however the run was cut up on the way.

Four runs on the small digits: one with dropout, a validation share and early stopping, one with SGD and nothing of it,
one with augmented images, one with mixed ones; and LeNet-5 on MNIST where it is there. Prints TAP. RANDOM_SEED chooses other moments for the kills."""
import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases.formats import png  # noqa: E402
from runs import (BIN, DIGITS, MNIST, ROOT, Skip, cnntrain, environment, equal, read_bytes, read_idx, read_log, read_model,  # noqa: E402
                  result, run_tests, same_result, start_cnntrain, write)

RANDOM_SEED = int(os.environ.get("RANDOM_SEED", "20261124"))

# All that has a state or draws numbers, at once. 26 images do not fill two tiles, and the last batch is smaller still.
DROPOUT = f"""\
seed: 5
data:
  train: {DIGITS}/train-images-idx3-ubyte.gz
  validation: {{folds: 5, fold: 2}}
  limit: 1300
  over_sample: balanced
augment:
  - rotate: 10
  - mixup: {{alpha: 0.4, p: 0.5}}
network:
  - conv: {{filters: 12, kernel: 3, padding: same, bias: false}}
  - batchnorm
  - relu
  - conv: {{filters: 16, kernel: 3, activation: gelu}}
  - maxpool: 2
  - spatial_dropout: 0.25
  - gaussian_noise: 0.1
  - dense: {{units: 40, activation: tanh, regularize: {{l2: 0.001, biases: true}}}}
  - gaussian_dropout: 0.2
  - dropout: 0.5
  - dense: 10
train:
  epochs: 4
  batch_size: 26
  label_smoothing: 0.1
  class_weights: balanced
  optimizer: {{type: adam, lr: 0.002}}
  schedule: {{type: plateau, patience: 0, threshold: 0.3, warmup: 0.5}}
  regularize: {{l1: 0.00001, l2: 0.0001, max_norm: 2}}
  clip_norm: 1
  accumulate: 2
  ema: 0.9
  early_stopping: {{monitor: val_loss, patience: 3}}
  checkpoint: {{every: 2}}
"""
PLAIN = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, normalize: unit}}
network:
  - conv: {{filters: 9, kernel: [3, 2], stride: 2, activation: {{type: leaky_relu, slope: 0.1}}}}
  - dense: 10
train:
  loss: mse
  epochs: 4
  batch_size: 100
  optimizer: {{type: sgd, lr: 0.05, momentum: 0.9, nesterov: true}}
  schedule: {{type: one_cycle, epochs: 5, cycle_momentum: [0.8, 0.95]}}
  swa: {{start: 2}}
  early_stopping: {{monitor: train_loss, patience: 2, start_epoch: 2, restore_best: false}}
"""
# Fewer shards than threads, and enough work for them to share the tiles out: by rows and by channels, all kinds of nodes.
TEAM = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, limit: 90, input: {{height: 16, width: 16, fit: stretch}}}}
augment: [flip: horizontal]
network:
  - conv: {{filters: 64, kernel: 3, padding: same, bias: false}}
  - batchnorm
  - relu
  - residual: {{body: [conv: {{filters: 96, kernel: 3, stride: 2, padding: 1}}, batchnorm, tanh], shortcut: conv}}
  - concat: [[], [conv: {{filters: 32, kernel: 3, padding: same}}], [conv: {{filters: 32, kernel: 5, padding: same, groups: 2}}]]
  - maxpool: 2
  - residual: {{body: [conv: {{filters: 176, kernel: 3, padding: 1}}], shortcut: pool}}
  - relu
  - dropout: 0.2
  - dense: {{units: 50, activation: gelu}}
  - dense: 10
train: {{epochs: 4, batch_size: 40, accumulate: 2}}
"""
# Enough shards for two threads and for three, but fewer values than weights: so these share the tiles out, and one thread has them all at
# once; of the 16 of the validation a worker takes four at once when it is alone, two when it is one of two, one when it is one of more.
PERCEPTRON = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, limit: 500, validation: 0.5, input: {{height: 16, width: 16, fit: stretch}}}}
augment: [flip: horizontal]
network:
  - dense: {{units: 1000, activation: relu}}
  - dropout: 0.2
  - dense: 10
train: {{epochs: 4, batch_size: 40, accumulate: 2, clip_norm: 1, optimizer: {{type: momentum, lr: 0.05, momentum: 0.9}}}}
"""
# A team whose members have all images each for itself, for two layers. Of a batch of four tiles each of two has two to itself behind
# these; the last batch has three, which they share out everywhere.
APART = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, limit: 490, input: {{height: 16, width: 16, fit: stretch}}}}
network:
  - concat: [[tanh, avgpool: 2, reshape: [64, 1, 1]], [dense: {{units: 2000, activation: relu, regularize: {{l1: 0.0001, max_norm: 2}}}}]]
  - dropout: 0.2
  - dense: 30
  - batchnorm
  - dense: 10
train: {{epochs: 4, batch_size: 64, ema: 0.9}}
"""
# The last batch alone has fewer values than weights, and more tiles than threads; and tiles meet.
LAST_BATCH = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, limit: 208, input: {{height: 16, width: 16, fit: stretch}}}}
network:
  - dense: {{units: 1600, activation: relu}}
  - dropout: 0.2
  - batchnorm
  - dense: {{units: 16, activation: tanh}}
  - dense: 10
train: {{epochs: 4, batch_size: 144}}
"""
# Image files, of which the last ones are decoded anew for each batch.
PICTURES = """\
data: {train: pictures, validation: 0.25, memory: 40KiB, input: {height: 14, width: 12, fit: crop}}
network:
  - conv: {filters: 5, kernel: 3, activation: tanh}
  - dropout: 0.5
  - dense: 10
train: {epochs: 4, batch_size: 30}
"""
CONFIGS = (("dropout.yaml", DROPOUT), ("plain.yaml", PLAIN), ("pictures.yaml", PICTURES))
# Layers within layers; tiles that meet, the last of a batch not full, the last batch smaller.
BLOCKS = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz}}
network:
  - conv: {{filters: 8, kernel: 3, padding: 1, bias: false}}
  - batchnorm
  - relu
  - repeat:
      times: 2
      block:
        - residual:
            - conv: {{filters: 8, kernel: 3, padding: 1, activation: relu}}
            - dropout: 0.1
            - conv: {{filters: 8, kernel: 3, padding: 1, freeze: true}}
            - batchnorm: {{momentum: 0.2}}
        - relu
  - residual: {{body: [conv: {{filters: 12, kernel: 3, padding: 1, stride: 2}}, batchnorm, tanh], shortcut: conv}}
  - concat: [[], [conv: {{filters: 4, kernel: 1}}, batchnorm: {{affine: false}}], [maxpool: {{size: 3, stride: 1, padding: 1}}]]
  - residual: {{body: [conv: {{filters: 32, kernel: 3, padding: 1, stride: 2}}], shortcut: pool}}
  - dense: 20
  - batchnorm
  - dense: 10
train:
  epochs: 4
  batch_size: 41
"""
CONFIGS += (("blocks.yaml", BLOCKS),)
AUGMENTED = f"""\
seed: 8
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2, input: {{height: 11, width: 10}}}}
augment:
  - rotate: {{degrees: 20, fill: 0.1, p: 0.8}}
  - translate: {{share: 0.2, fill: 0.1}}
  - brightness: 0.3
  - zoom: [0.8, 1.3]
  - flip: {{direction: both, p: 0.1}}
  - elastic: {{alpha: 10, sigma: 2, fill: 0.1}}
  - crop: 1
  - noise: [0, 0.1]
  - gamma: 0.3
  - contrast: {{factor: 0.4, p: 0.5}}
  - perspective: {{distortion: 0.2, p: 0.3, interpolation: nearest}}
  - blur: {{sigma: [0, 1], p: 0.3}}
  - salt_pepper: 0.02
  - erase: {{area: [0.02, 0.1], p: 0.3}}
network:
  - conv: {{filters: 12, kernel: 3, activation: relu}}
  - dropout: 0.25
  - dense: 10
train:
  epochs: 4
  batch_size: 26
  optimizer: {{type: adam, lr: 0.002}}
"""
MIXED = f"""\
seed: 9
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2}}
augment:
  - rotate: 10
  - choose: {{n: 2, of: [invert, noise: 0.1, cutout: 3, choose: [flip, crop: 1]]}}
  - mixup: {{alpha: 0.4, p: 0.6}}
  - cutmix: {{p: 0.5}}
  - salt_pepper: 0.01
network:
  - conv: {{filters: 12, kernel: 3, activation: relu}}
  - dense: 10
train:
  epochs: 4
  batch_size: 40
  optimizer: {{type: adam, lr: 0.002}}
"""
CONFIGS += (("augmented.yaml", AUGMENTED), ("mixed.yaml", MIXED), ("team.yaml", TEAM), ("perceptron.yaml", PERCEPTRON),
            ("apart.yaml", APART), ("last.yaml", LAST_BATCH))


def make_pictures():
    (_, height, width), pixels = read_idx(DIGITS + "/train-images-idx3-ubyte.gz")
    _, labels = read_idx(DIGITS + "/train-labels-idx1-ubyte.gz")
    for i in range(0, 0 if os.path.exists("pictures") else 400):
        os.makedirs(f"pictures/{labels[i]}", exist_ok=True)
        with open(f"pictures/{labels[i]}/{i}.png", "wb") as file:
            file.write(png(pixels[i * height * width:(i + 1) * height * width], width, height))


# For what is to happen while a run is under way: half a second of work rather than 50 ms.
SLOWER = ("-s", "train.epochs=8", "-s", "train.early_stopping.patience=8", "-s", "network.3.conv.filters=64")


def whole(config="dropout.yaml", *arguments, epochs=4):
    """The run that all others are compared with, never interrupted, on two threads."""
    for name, text in CONFIGS:
        write(name, text)
    make_pictures()
    cnntrain("-q", "-t", 2, config, "-o", "whole", *arguments)
    equal(len(read_log("whole/log.csv")), epochs, "epochs")


def threads():
    """1, 2, 3 and 7 threads"""
    for config, _ in CONFIGS:
        whole(config)
        for count in (1, 3, 7):
            cnntrain("-q", "-t", count, config, "-o", "other")
            same_result("whole", "other", f"{config}, {count} threads")


def levels():
    """AVX2 and AVX-512"""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        flags = next((line.split() for line in file if line.startswith("flags")), [])
    if not {"avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512dq"} <= set(flags):
        raise Skip("this CPU has not both")
    for config, _ in CONFIGS:
        whole(config)
        for level in ("avx2", "avx512"):
            cnntrain("-q", config, "-o", level, CNNTRAIN_CPU=level)
            same_result("whole", level, config)


def evaluations():
    """cnneval: the same rows for any number of threads, of which some share out what is within a tile, and at both levels"""
    whole("team.yaml")
    rows = []
    for count, level in ((1, "avx512"), (3, "avx512"), (24, "avx512"), (26, "avx2"), (1, "avx2")):
        done = subprocess.run([os.path.join(BIN, "cnneval"), "-t", str(count), "--csv", "-", "whole/model.bin",
                               DIGITS + "/t10k-images-idx3-ubyte.gz"], capture_output=True, text=True, timeout=100,
                              env=environment(CNNTRAIN_CPU=level), check=False)
        equal(done.returncode, 0, f"exit code: {done.stderr}")
        rows.append(done.stdout)
    assert rows[0].count("\n") > 300, rows[0]
    for other in rows[1:]:
        equal(other, rows[0], "rows")


def two_and_two():
    """2 epochs and, resumed, 2 more: as 4 at once"""
    for config, _ in CONFIGS:
        whole(config)
        cnntrain("-q", "-t", 1, config, "-o", "parts", "-s", "train.epochs=2")
        equal(len(read_log("parts/log.csv")), 2, "epochs")
        cnntrain("-q", "-t", 3, config, "-o", "parts", "--resume")
        same_result("whole", "parts", config)
        written = read_bytes("parts/config.yaml").replace(b"output: parts", b"output: whole")
        equal(written, read_bytes("whole/config.yaml"), "config.yaml, which says what the run has become")


OPTIMIZERS = ("adamw", "amsgrad", "{type: nadam, momentum_decay: 0.1}", "momentum", "nesterov", "adagrad", "adadelta",
              "{type: rmsprop, momentum: 0.5, centered: true}", "{type: lion, weight_decay: 0.1}")


def optimizers():
    """every optimizer: in two parts, the second on another number of threads and at another level"""
    for optimizer in OPTIMIZERS:
        chosen = ("-s", f"train.optimizer={optimizer}", "-s", "train.schedule={type: one_cycle, epochs: 5}")
        whole("plain.yaml", *chosen)
        cnntrain("-q", "-t", 1, "plain.yaml", "-o", "parts", *chosen, "-s", "train.epochs=2", CNNTRAIN_CPU="avx512")
        cnntrain("-q", "-t", 3, "plain.yaml", "-o", "parts", *chosen, "--resume", CNNTRAIN_CPU="avx2")
        same_result("whole", "parts", optimizer)


def length_of_a_schedule():
    """a schedule as long as the run: no --resume with more epochs, it would have run otherwise; one of its own length may"""
    whole("plain.yaml", "-s", "train.schedule=cosine")
    cnntrain("-q", "plain.yaml", "-o", "parts", "-s", "train.schedule=cosine", "-s", "train.epochs=2")
    error = cnntrain("-q", "plain.yaml", "-o", "parts", "-s", "train.schedule=cosine", "--resume", code=5)
    assert "'train.schedule.epochs' differs from the checkpoint's (2)" in error, error
    cnntrain("-q", "plain.yaml", "-o", "own", "-s", "train.schedule={type: cosine, epochs: 4}", "-s", "train.epochs=2")
    cnntrain("-q", "plain.yaml", "-o", "own", "-s", "train.schedule=cosine", "--resume")
    same_result("whole", "own")


def changed_thread_count_and_level():
    """each epoch on another number of threads, and at another level where there is one"""
    whole()
    for epochs in range(1, 5):
        cnntrain("-q", "-t", epochs, "dropout.yaml", "-o", "parts", "-s", f"train.epochs={epochs}",
                 *(["--resume"] if epochs > 1 else []), CNNTRAIN_CPU=("avx2", "avx512")[epochs % 2])
    same_result("whole", "parts")


def resumed_when_done():
    """a finished run, resumed: nothing changes"""
    whole()
    before = result("whole")
    cnntrain("-q", "dropout.yaml", "-o", "whole", "--resume")
    equal(result("whole"), before, "result")


def go_on(config, directory, *arguments):
    """What begins the run in this directory, or goes on with it."""
    resume = ["--resume"] if os.path.exists(os.path.join(directory, "checkpoint.bin")) else []
    return ("-q", "-t", 2, config, "-o", directory, *arguments, *resume)


def kill_after(moment, config, directory, *arguments):
    """Kill -9 after so many seconds; whether that was before the end."""
    process = start_cnntrain(*go_on(config, directory, *arguments))
    time.sleep(moment)
    process.kill()
    error = process.communicate()[1]
    assert process.returncode in (0, -signal.SIGKILL), f"exit {process.returncode}: {error}"
    if os.path.exists(os.path.join(directory, "model.bin")):  # whatever has come is whole
        read_model(os.path.join(directory, "model.bin"))
    return process.returncode != 0


def kills():
    """kill -9 at ten random moments"""
    print(f"# RANDOM_SEED={RANDOM_SEED}")
    dice = random.Random(RANDOM_SEED)
    whole("dropout.yaml", *SLOWER, epochs=8)
    count = run = 0
    while count < 10:
        assert run < 20, "the run is too short for this test"
        if kill_after(dice.uniform(0, 0.3), "dropout.yaml", f"parts{run}", *SLOWER):
            count += 1
        else:
            same_result("whole", f"parts{run}")
            run += 1
    cnntrain(*go_on("dropout.yaml", f"parts{run}", *SLOWER))
    same_result("whole", f"parts{run}")


def kills_while_files_are_written():
    """kill -9 in the first milliseconds, while the directory is made and the first files written"""
    dice = random.Random(RANDOM_SEED + 1)
    for config, _ in CONFIGS:
        whole(config)
        for number in range(8 if os.environ.get("TIER") else 3):
            kill_after(dice.uniform(0.001, 0.03), config, f"{config}{number}")
            cnntrain(*go_on(config, f"{config}{number}"))
            same_result("whole", f"{config}{number}")


def interrupt(delay, config, directory, number, *arguments):
    """Send the signal when an epoch is likely to be under way; whether that was where it came."""
    process = start_cnntrain("-t", 2, config, "-o", directory, *arguments)
    while process.poll() is None and not os.path.exists(os.path.join(directory, "config.yaml")):
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(number)
    error = process.communicate()[1]
    equal(process.returncode, 128 + number, f"exit code after signal {number}")
    assert f"stopped by signal {number} in epoch" in error and "--resume goes on" in error, error
    metadata, _ = read_model(os.path.join(directory, "checkpoint.bin"))
    equal(metadata["finished"], "0", "finished")
    return metadata["batch"] != "0"


def signals():
    """SIGINT, SIGTERM, SIGHUP in the middle of an epoch: exit code 128 + n, a checkpoint, and --resume goes on"""
    dice = random.Random(RANDOM_SEED + 2)
    whole("dropout.yaml", *SLOWER, epochs=8)
    within = 0
    for run, number in enumerate((signal.SIGINT, signal.SIGTERM, signal.SIGHUP) * 7):
        if run >= 3 and within > 0:  # each once, and once within an epoch: between two is where some come
            break
        within += interrupt(dice.uniform(0.01, 0.05), "dropout.yaml", f"parts{run}", int(number), *SLOWER)
        cnntrain("-q", "dropout.yaml", "-o", f"parts{run}", "--resume", *SLOWER)
        same_result("whole", f"parts{run}", f"signal {int(number)}")
    assert within > 0, "no signal came within an epoch"


def early_stopping():
    """a run that stops early: cut up, it stops after the same epoch with the same best"""
    write("dropout.yaml", DROPOUT)
    settings = ("-s", "train.epochs=30", "-s", "train.optimizer.lr=0.02", "-s", "train.early_stopping.patience=2")
    cnntrain("-q", "dropout.yaml", "-o", "whole", *settings)
    epochs = len(read_log("whole/log.csv"))
    assert 3 < epochs < 30, f"{epochs} epochs"
    for cut in (1, epochs - 2, epochs - 1):
        cnntrain("-q", "dropout.yaml", "-o", f"parts{cut}", *settings, "-s", f"train.epochs={cut}")
        cnntrain("-q", "dropout.yaml", "-o", f"parts{cut}", *settings, "--resume")
        same_result("whole", f"parts{cut}", f"cut after epoch {cut}")


def written_config():
    """the written config.yaml gives the same bytes, and writes itself again"""
    for config, _ in CONFIGS:
        whole(config)
        cnntrain("-q", "whole/config.yaml", "-o", "again")
        same_result("whole", "again", config)
        again = read_bytes("again/config.yaml").replace(b"output: again", b"output: whole")
        equal(again, read_bytes("whole/config.yaml"), "config.yaml")


def plain_and_gzip():
    """an IDX file and the same compressed"""
    whole()
    for kind in ("images-idx3", "labels-idx1"):
        with open(f"train-{kind}-ubyte", "wb") as file:
            file.write(gzip.decompress(read_bytes(f"{DIGITS}/train-{kind}-ubyte.gz")))
    cnntrain("-q", "dropout.yaml", "-o", "plain", "-s", "data.train=train-images-idx3-ubyte")
    same_result("whole", "plain")


def directories():
    """another output directory, another working directory, another name of the same file, a run replaced"""
    whole()
    os.makedirs("deep/er")
    cnntrain("-q", "dropout.yaml", "--output=deep/er/run", "--set=output=elsewhere")
    same_result("whole", "deep/er/run")
    shutil.copytree(DIGITS, "data")
    cnntrain("-q", "dropout.yaml", "-o", "deep/er/run", "-s", "data.train=./data/train-images-idx3-ubyte.gz")
    same_result("whole", "deep/er/run", "replaced")


def other_seed():
    """and another seed gives other bytes: the comparisons above can fail"""
    whole()
    cnntrain("-q", "dropout.yaml", "-o", "other", "-s", "seed=6")
    assert result("whole")[0] != result("other")[0]
    assert result("whole")[1] != result("other")[1]


def lenet5():
    """LeNet-5, an epoch of MNIST: one thread, two, and two interrupted"""
    if not os.path.exists(os.path.join(MNIST, "train-images-idx3-ubyte.gz")):
        raise Skip("no MNIST in data/mnist (make data)")
    config = os.path.join(ROOT, "configs", "lenet5.yaml")
    settings = ("-s", f"data.train={MNIST}/train-images-idx3-ubyte.gz", "-s", "train.epochs=1")
    cnntrain("-q", "-t", 2, config, "-o", "whole", *settings)
    cnntrain("-q", "-t", 1, config, "-o", "one", *settings)
    same_result("whole", "one", "one thread")
    assert interrupt(0.03, config, "parts", int(signal.SIGINT), *settings), "the signal came too early"
    cnntrain("-q", config, "-o", "parts", "--resume", *settings)
    same_result("whole", "parts", "interrupted")


if __name__ == "__main__":
    run_tests([threads, levels, evaluations, two_and_two, optimizers, length_of_a_schedule, changed_thread_count_and_level,
               resumed_when_done, kills, kills_while_files_are_written, signals, early_stopping, written_config,
               plain_and_gzip, directories, other_seed, lenet5])
