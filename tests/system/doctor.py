#!/usr/bin/env python3
"""doctor.py: what cnntrain --doctor says of logs made up for it, and of trainings that are really broken. Prints TAP."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import (BIN, DIGITS, cnntrain, environment, equal, make_subset, read_bytes, run_tests, write, write_weights,  # noqa: E402
                  write_idx)

OVER, UNDER, HIGH, LOW = "overfitting", "underfitting", "learning rate too high", "learning rate too low"
DEAD, NEVER, ONE = "dead relu", "a class never predicted", "batch normalisation with a batch of one"
ALL = [OVER, UNDER, HIGH, LOW, DEAD, NEVER, ONE]
HEADER = "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second"


def doctor(directory, *arguments, code=0):
    """{"seen": {symptom: text}, "not seen": [...], "cannot": {symptom: why}, "head": text, "out":, "err":}"""
    done = subprocess.run([os.path.join(BIN, "cnntrain"), "--doctor", directory, *arguments], capture_output=True,
                          text=True, timeout=100, env=environment(), check=False)
    assert done.returncode == code, f"{directory}: exit {done.returncode}, not {code}:\n{done.stderr}"
    assert all(len(line) <= 100 for line in done.stdout.splitlines()), done.stdout
    found = {"seen": {}, "not seen": [], "cannot": {}, "out": done.stdout, "err": done.stderr}
    if code:
        return found
    head, *parts = done.stdout.split("\n\n")
    found["head"] = " ".join(head.split())
    for part in parts:
        title, _, body = part.partition("\n")
        if title in ALL:
            found["seen"][title] = " ".join(body.split())
        elif title.startswith("not seen: "):
            found["not seen"] = " ".join(part[len("not seen: "):].split()).split(", ")
        else:
            equal(title, "cannot be told")
            for name, why in re.findall(r"^  (\S[^:]*): ((?:.|\n    )*)", body, re.M):
                found["cannot"][name] = " ".join(why.split())
    equal(sorted([*found["seen"], *found["not seen"], *found["cannot"]]), sorted(ALL), "every symptom once")
    return found


def write_log(directory, rows):
    """rows: (train_loss, train_accuracy, val_loss, val_accuracy[, lr])"""
    os.makedirs(directory, exist_ok=True)
    lines = [HEADER]
    for epoch, (loss, accuracy, val_loss, val_accuracy, *lr) in enumerate(rows, 1):
        lines.append(f"{epoch},{10 * epoch},{lr[0] if lr else 0.001},{loss},{accuracy},{val_loss},{val_accuracy},1.5,100")
    write(os.path.join(directory, "log.csv"), "\n".join(lines) + "\n")


# ---- logs made up ----

def falling(start, end, n):
    return [start + (end - start) * i / (n - 1) for i in range(n)]


GOOD = [(2 / n, 1 - 0.3 / n, 2.1 / n, 0.99 - 0.3 / n) for n in range(1, 21)]
# name, rows, what is seen, what is said of it
LOGS = [
    ("nothing", GOOD, {}),
    ("a gap", [(2 / n, 1 - 0.3 / n, 1, 0.8) for n in range(1, 21)],
     {OVER: ["After epoch 20 accuracy is 98.5 % on the training images and 80.0 % on the validation images: a gap of "
             "18.5 points. train_loss is 0.1, val_loss 1."]}),
    ("a gap of four points", [(2 / n, 0.97, 1, 0.93) for n in range(1, 21)], {}),
    ("val_loss rises", [(2 / n, 0.95, 0.5 + 0.02 * abs(n - 5), 0.94) for n in range(1, 21)],
     {OVER: ["val_loss was least after epoch 5, 0.5, and has risen to 0.8, while train_loss fell on from 0.4 to 0.1"]}),
    ("val_loss rises from next to nothing", [(2 / n, 0.99, 2 / n if n < 15 else 0.15, 0.99) for n in range(1, 21)], {}),
    ("too few epochs", [(2 / n, 0.5 + 0.02 * n, 2.1 / n, 0.5 + 0.02 * n) for n in range(1, 11)],
     {UNDER: ["After epoch 10 only 70.0 % of the training images are right and 70.0 % of the validation images",
              "train_loss still falls, by 10.0 % an epoch: more epochs first"]}),
    ("too small", [(1.2 + 0.3 / n, 0.6, 1.3, 0.58) for n in range(1, 41)],
     {UNDER: ["train_loss has come to rest: a larger network"]}),
    ("up and down", [(v, 0.93, 1, 0.92) for v in (1.2, 0.9, 1.4, 0.8, 1.5, 0.7, 1.3, 0.9, 1.6, 0.8)],
     {HIGH: ["train_loss rose in 4 of 10 epochs, and after epoch 9 it was 2.29 times what it had been after epoch 6.",
             "The learning rate was up to 0.001.", "a learning rate of 0.0001, and then of 1e-5"]}),
    ("one bump", [(v, 0.93, 1, 0.92) for v in (2, 1.5, 1, 0.8, 0.9, 0.6, 0.4, 0.3, 0.2, 0.15)], {}),
]


def logs():
    """logs alone: over- and underfitting, a learning rate too high; what takes the model cannot be told"""
    for name, rows, wanted in LOGS:
        write_log(name, rows)
        found = doctor(name)
        equal(sorted(found["seen"]), sorted(wanted), name)
        equal(sorted(found["cannot"]), sorted([DEAD, NEVER, ONE]), name)
        for symptom, phrases in wanted.items():
            for phrase in phrases:
                assert phrase in found["seen"][symptom], f"{name}: {phrase!r} is not in {found['seen'][symptom]!r}"
        assert "without the data: there is neither config.yaml nor model.bin" in found["head"], found["head"]
    write_log("alone", [(2 / n, 0.95, "", "") for n in range(1, 11)])
    assert "there is no validation set" in doctor("alone")["cannot"][OVER]
    write_log("empty", [])
    found = doctor("empty")
    assert "no epoch is in the log" in found["head"] and "exit code 8" in found["cannot"][HIGH], found


CONFIG = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2}}
network: [conv: {{filters: 4, kernel: 3}}, relu, dense: 10]
train: {{epochs: 20}}
"""
FLAT = [(2.31 - 0.001 * n, 0.11, 2.31 - 0.002 * n, 0.1, 1e-6) for n in range(10)]
WILD = [(5, 0.1, 2.4, 0.1, 0.1)] + [(2.303 + 0.002 * (n % 2), 0.1, 2.31, 0.09, 0.1) for n in range(9)]


def rates():
    """with the config: rates that are far from the optimizer's default"""
    os.makedirs("run", exist_ok=True)
    write("run/config.yaml", CONFIG)
    write_log("run", FLAT)
    found = doctor("run")
    equal(sorted(found["seen"]), [LOW, UNDER], "flat")
    assert "val_loss went from 2.31 to 2.292 in 10 epochs, by 0.8 %" in found["seen"][LOW], found["out"]
    assert "1e-6 at most, 1/1000 of adam's default. - a learning rate of 1e-5, and then" in found["seen"][LOW], found
    assert "10.0 %: it has learned nothing" in found["seen"][UNDER], found["out"]
    assert "10 epochs of 20; adam, lr 1e-6, batches of 64" in found["head"], found["head"]
    assert "the run has not come to its end" in found["head"], found["head"]
    write_log("run", WILD)
    found = doctor("run")
    equal(sorted(found["seen"]), [HIGH, UNDER], "wild")
    assert "as if it guessed (10.0 %)" in found["seen"][HIGH], found["out"]
    assert "up to 0.1, 100 times adam's default. - a learning rate of 0.01, and then of 0.001" in found["seen"][HIGH]
    write_log("run", [(2.3 - 0.05 * n, 0.2, 2.3 - 0.05 * n, 0.2, 1e-4) for n in range(10)])
    assert "by 19.6 %, without a jump, and still falls" in doctor("run")["seen"][LOW]
    # the same at the default: slow, but not the rate's fault as far as a log tells
    write_log("run", [(2.3 - 0.05 * n, 0.2, 2.3 - 0.05 * n, 0.2, 1e-3) for n in range(10)])
    equal(sorted(doctor("run")["seen"]), [UNDER], "slow")
    write_log("run", FLAT[:2])
    assert "2 epochs in the log make no trend" in doctor("run")["cannot"][LOW]


REMEDIES = [  # what the config says, what is then in use
    ("", ""),
    ("network: [conv: {filters: 4, kernel: 3}, relu, dropout: 0.5, dense: 10]", "dropout"),
    ("network: [conv: {filters: 4, kernel: 3}, relu, spatial_dropout: 0.3, gaussian_dropout: 0.2, dense: 10]", "dropout"),
    ("network: [gaussian_noise: 0.1, conv: {filters: 4, kernel: 3}, batchnorm, relu, dense: 10]",
     "noise, batch normalisation"),
    ("augment: [rotate: 10]", "augmentation"),
    ("augment: [noise: 0.1]", "augmentation, noise"),
    ("train: {epochs: 20, regularize: {l1: 0.001}}", "L1 or L2 (both: elastic net)"),
    ("train: {epochs: 20, optimizer: {type: adamw, weight_decay: 0.01}}", "L1 or L2 (both: elastic net)"),
    ("train: {epochs: 20, optimizer: {type: adamw, weight_decay: 0}}", ""),
    ("network: [conv: {filters: 4, kernel: 3, regularize: {l2: 0.1}}, relu, dense: 10]", "L1 or L2 (both: elastic net)"),
    ("train: {epochs: 20, early_stopping: {monitor: val_loss}}", "early stopping"),
]
NAMES = ["dropout", "early stopping", "augmentation", "L1 or L2 (both: elastic net)", "noise", "batch normalisation"]


def remedies():
    """overfitting: which of the lecture's remedies the config uses, and which not"""
    for change, used in REMEDIES:
        key = change.split(":")[0]
        lines = [line for line in CONFIG.splitlines() if not change or not line.startswith(key + ":")]
        write_log("run", LOGS[1][1])
        write("run/config.yaml", "\n".join(lines + [change]) + "\n")
        text = doctor("run")["seen"][OVER]
        unused = ", ".join(name for name in NAMES if name not in used.replace("batch normalisation", "B").split(", ")
                           and not (name == "batch normalisation" and "batch" in used)
                           and not (name.startswith("L1") and "L1" in used))
        assert f"- not in use: {unused} -" in text, f"{change!r}: {text}"
        assert (f"- in use: {used}; some" in text) if used else "in use: " not in text.replace("not in use: ", ""), text


# ---- trainings that are broken ----

def train(directory, *settings, network="[conv: {filters: 8, kernel: 3, activation: relu}, dense: {units: 32, "
          "activation: relu}, dense: 10]", data=f"{{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2}}"):
    write("net.yaml", f"data: {data}\nnetwork: {network}\ntrain: {{epochs: 8, batch_size: 32}}\n")
    cnntrain("-q", "net.yaml", "-o", directory, *(part for setting in settings for part in ("-s", setting)))
    return doctor(directory)


def sound():
    """a sound training: nothing is seen, and all can be told"""
    found = train("run", "train.epochs=20")
    equal((found["seen"], found["cannot"]), ({}, {}), found["out"])
    equal(found["not seen"], ALL, "not seen")


def broken_rates():
    """learning rates 100 times too high and 1000 times too low"""
    found = train("high", "train.optimizer={type: adam, lr: 0.1}",
                  network="[conv: {filters: 8, kernel: 3, activation: relu}, dense: {units: 32, activation: relu}, "
                          "dropout: 0.5, dense: {units: 32, activation: relu}, dropout: 0.5, dense: 10]")
    assert HIGH in found["seen"] and LOW not in found["seen"], found["out"]
    assert "100 times adam's default" in found["seen"][HIGH], found["out"]
    found = train("low", "train.optimizer={type: adam, lr: 0.000001}")
    assert LOW in found["seen"] and HIGH not in found["seen"], found["out"]
    assert "1/1000 of adam's default" in found["seen"][LOW], found["out"]


def broken_overfitting():
    """fifty images, no remedy"""
    make_subset(DIGITS, 50, "fifty")
    found = train("over", "train.epochs=40",
                  data=f"{{train: fifty-images-idx3-ubyte, validation: {DIGITS}/t10k-images-idx3-ubyte.gz}}")
    equal(list(found["seen"]), [OVER], found["out"])
    assert "accuracy is 100.0 % on the training images" in found["seen"][OVER], found["out"]
    assert "- not in use: " + ", ".join(NAMES) in found["seen"][OVER], found["out"]


def broken_class():
    """a class without training images, and one with few"""
    (height, width), pixels, labels = make_subset(DIGITS, 1438, "all")
    size = height * width
    for name, keep in (("none", lambda i: labels[i] != 3), ("few", lambda i: labels[i] != 3 or i < 12)):
        kept = [i for i in range(len(labels)) if keep(i)]
        write_idx(f"{name}-images-idx3-ubyte", (len(kept), height, width),
                  b"".join(pixels[i * size:(i + 1) * size] for i in kept))
        write_idx(f"{name}-labels-idx1-ubyte", (len(kept),), bytes(labels[i] for i in kept))
        data = (f"{{train: {name}-images-idx3-ubyte, validation: all-images-idx3-ubyte, "
                "classes: [a, b, c, 'd\\e[31m', e, f, g, h, i, j]}").replace("'d\\e[31m'", '"d\\e[31m"')
        found = train(name, "train.epochs=2" if name == "few" else "train.epochs=4", data=data)
        assert NEVER in found["seen"], found["out"]
        text = found["seen"][NEVER]
        count = labels.count(3)
        some = len(kept) - sum(label != 3 for label in labels)
        assert f"Class 'd\\x1B[31m' is never predicted: {count} of the 1438 validation images are of it, and {some} of " \
            "the training set's." in text, text
        equal(("cannot be learned" in text, "data.over_sample: balanced" in text), (name == "none", name == "few"), text)


def broken_relu():
    """relus that begin with a large negative bias; leaky ones do not die"""
    write_weights("bias.safetensors", {"conv1.bias": ([8], [-100] * 5 + [0] * 3), "dense1.bias": ([32], [-100] * 32)})
    found = train("dead", "initialize.from=bias.safetensors")
    assert DEAD in found["seen"], found["out"]
    assert "'conv1.relu': 5 of 8 channels gave nothing but 0 for all of 1,024 training images." in found["seen"][DEAD]
    assert "'dense1.relu': 32 of 32 units gave nothing but 0" in found["seen"][DEAD], found["out"]
    found = train("leaky", "initialize.from=bias.safetensors",
                  network="[conv: {filters: 8, kernel: 3, activation: leaky_relu}, dense: {units: 32, activation: elu}, "
                          "dense: 10]")
    assert DEAD in found["not seen"], found["out"]


def broken_batchnorm():
    """batches of one image, all of them or the last"""
    network = "[conv: {filters: 4, kernel: 3}, batchnorm, relu, dense: 10]"
    found = train("one", "train.batch_size=1", "train.epochs=1", network=network)
    assert "A batch has one image (train.batch_size: 1), and 1 layer, 'batchnorm1' first" in found["seen"][ONE], found
    images = 1151
    found = train("last", f"train.batch_size={(images - 1) // 2}", "train.epochs=1", network=network)
    assert f"({images} images in batches of {(images - 1) // 2})" in found["seen"][ONE], found["out"]
    equal(ONE in train("two", "train.batch_size=2", "train.epochs=1", network=network)["seen"], images % 2 == 1, "two")
    frozen = network.replace("batchnorm", "batchnorm: {freeze: true}")
    assert ONE in train("frozen", "train.batch_size=1", "train.epochs=1", network=frozen)["not seen"]


def without():
    """without the data, with other data, without a model, without a config"""
    make_subset(DIGITS, 200, "part")
    data = "{train: part-images-idx3-ubyte, validation: 0.2}"
    train("run", data=data)
    os.rename("part-images-idx3-ubyte", "gone")
    found = doctor("run")
    assert "without the data: part-images-idx3-ubyte: cannot open: No such file or directory" in found["head"], found
    equal(sorted(found["cannot"]), [NEVER, DEAD], "cannot")
    pixels = read_bytes("gone")
    write_idx("part-images-idx3-ubyte", (200, 8, 8), pixels[16:-1] + b"\0")
    if pixels[-1]:
        found = doctor("run")
        assert "is not what the model was trained on: its CRC-32 is" in found["head"], found["head"]
        equal(sorted(found["cannot"]), [NEVER, DEAD], "cannot")
    os.rename("gone", "part-images-idx3-ubyte")
    os.rename("run/model.bin", "model.bin")
    found = doctor("run")
    assert "without the data: there is no run/model.bin" in found["head"], found["head"]
    equal(sorted(found["cannot"]), [NEVER, DEAD], "cannot")
    os.rename("model.bin", "run/model.bin")
    os.remove("run/config.yaml")
    found = doctor("run")
    assert "without the data: no config says where the data are" in found["head"], found["head"]
    assert "8 epochs of 8; adam, lr 0.001" in found["head"], found["head"]
    equal(sorted(found["cannot"]), [NEVER, DEAD], "cannot")


def faults():
    """what is no run, and logs, configs and models that are damaged"""
    train("run", "train.epochs=1")
    equal(sorted(os.listdir("run")), sorted(set(os.listdir("run"))), "files")
    assert "none/log.csv: error: cannot open" in doctor("none", code=6)["err"]
    good = read_bytes("run/log.csv").decode()
    header, row = good.splitlines()
    cells = row.split(",")
    for text, place, message in (
            ("", "1:1", "not the header of a cnntrain log"), ("a,b\n", "1:1", "not the header of a cnntrain log"),
            (header.replace("val_loss,", "") + "\n", "1:1", "not the header"),
            (header + ",x" * 60 + "\n", "1:", "too many columns"),
            (good + "x" + row[1:] + "\n", "3:1", "not a whole number"),
            (good + row.replace(cells[3], "nan") + "\n", f"3:{len(','.join(cells[:3])) + 2}", "not a number"),
            (good + row + ",7\n", f"3:{len(row) + 1}", "not as many cells as columns"),
            (good + ",".join(cells[:-1]) + "\n", f"3:{len(','.join(cells[:-1])) + 1}", "not as many cells as columns"),
            (good + "\n", "3:1", "not a whole number")):
        write("run/log.csv", text)
        err = doctor("run", code=4)["err"]
        assert err.startswith(f"run/log.csv:{place}") and message in err, (text, err)
    for text in (good + row[:20], good.replace("\n", "\r\n"), "\n".join(line + ",7" for line in (header.replace(
            "epoch", "epoch"), row)).replace(header + ",7", header + ",new") + "\n"):
        write("run/log.csv", text)
        assert "1 epoch of 1" in doctor("run")["head"], text
    write("run/log.csv", good)
    config = read_bytes("run/config.yaml").decode()
    write("run/config.yaml", config.replace("filters: 8", "filters: x"))
    assert "run/config.yaml:" in doctor("run", code=3)["err"]
    write("run/config.yaml", config)
    data = read_bytes("run/model.bin")
    with open("run/model.bin", "wb") as file:
        file.write(data[:-3])
    assert "run/model.bin" in doctor("run", code=5)["err"]
    assert "unexpected argument 'x.yaml'" in doctor("run", "x.yaml", code=2)["err"]


if __name__ == "__main__":
    run_tests([logs, rates, remedies, sound, broken_rates, broken_overfitting, broken_class, broken_relu,
               broken_batchnorm, without, faults])
