#!/usr/bin/env python3
"""report.py: report.html, as cnntrain and cnneval write it: that it is one page which needs nothing else, and that what it
shows is what the other commands and independent computations say. Prints TAP."""
import csv
import io
import json
import math
import os
import re
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pages import page_without_times, read_page, read_picture  # noqa: E402
from runs import (BIN, DIGITS, MNIST, ROOT, Skip, cnntrain, environment, equal, read_bytes, read_idx, read_log,  # noqa: E402
                  read_model, run_tests, same_result, write)
from scikit import scikit  # noqa: E402

CONFIG = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, test: {DIGITS}/t10k-images-idx3-ubyte.gz, validation: 0.2}}
network:
  - conv: {{name: first, filters: 6, kernel: 3, activation: relu}}
  - dropout: 0.2
  - dense: 10
train: {{epochs: 4, batch_size: 50}}
"""


def train(*arguments, directory="run", text=CONFIG, code=0, **changes):
    return cnntrain("-q", write("small.yaml", text), "-o", directory, *arguments, code=code, **changes)


def cnneval(*arguments, code=0):
    """(stdout, stderr)"""
    done = subprocess.run([os.path.join(BIN, "cnneval"), *map(str, arguments)], capture_output=True, text=True,
                          timeout=100, env=environment(), check=False)
    equal(done.returncode, code, f"cnneval {arguments}: {done.stderr}")
    return done.stdout, done.stderr


def as_float(text):
    return struct.unpack("f", struct.pack("f", float(text)))[0]


def rows_of(*arguments):
    """Of each image: index, label, prediction, probabilities (floats, in their shortest form), by cnneval --csv."""
    lines = list(csv.reader(io.StringIO(cnneval(*arguments, "--csv", "-")[0])))[1:]
    return [(int(cells[0]), cells[1], cells[2], [as_float(p) for p in cells[3:]]) for cells in lines]


# ---- one file that needs nothing else ----

def check_alone(text):
    """No attribute, style or script of ours asks for anything that is not in the page."""
    page = re.sub(r"(?s)<script type=\"application/json\".*?</script>|<!--.*?-->", "", text)
    for found in re.findall(r"""(?:src|href|action|data|poster|srcset)\s*=\s*["']([^"']*)""", page):
        assert found.startswith(("#", "data:")), f"the page asks for {found!r}"
    for pattern in (r"@import", r"url\(\s*[\"']?(?!data:)[^)\"']", r"\bfetch\s*\(", r"XMLHttpRequest", r"\bimport\s*[({]",
                    r"WebSocket", r"sendBeacon", r"<(iframe|object|embed|base)\b"):
        assert not re.search(pattern, page), f"the page has {pattern}"
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\"" in text
    equal(len(re.findall(r"(?i)<script", text)), 4, "script elements: data, timing, charts, page")
    equal(len(re.findall(r"(?i)</script", text)), 4, "their ends")


def structure():
    """the page is one file: it loads nothing, is small, and its JSON parses"""
    train()
    text, data, timing = read_page("run/report.html")
    check_alone(text)
    assert len(text.encode()) < 300_000, len(text)
    equal(data["kind"], "training", "kind")
    equal(sorted(timing), ["kernels", "seconds", "threads"], "timing")
    equal(os.path.exists("run/.report.html.tmp"), False)
    equal(sorted(os.listdir("run")), ["checkpoint.bin", "config.yaml", "log.csv", "model.bin", "report.html"], "files")
    equal(data["config"], read_bytes("run/config.yaml").decode(), "config")


def library():
    """the charting library is there as pinned, with its licence; or the page knows that it has none"""
    train("-s", "train.epochs=0")
    text = read_page("run/report.html")[0]
    folder = os.path.join(ROOT, "vendor", "uplot")
    if "uPlot (v1.6.32)" not in text:
        assert "var uPlot=" not in text and "Leon Sorokin\n" not in text
        raise Skip("built without uPlot: scripts/deps.sh fetches it")
    for name in ("uPlot.iife.min.js", "uPlot.min.css", "LICENSE"):
        assert read_bytes(os.path.join(folder, name)).decode() in text, name


def escaping():
    """names that would end a script, open a comment or be markup come back as they were"""
    evil = ["</script><script>alert(1)</script>", "<!--<script>", "a\"b'c&amp;", "\u2028]]>", "{{data}}", "\\u003c", "<b>",
            "\U0001f600", "--></style>", "%s"]
    classes = json.dumps(evil).replace("\\ud83d\\ude00", "\\U0001f600")  # as YAML has it
    train("-s", f"data.classes={classes}", "-s", "name=</title></script><img src=x>")
    text, data, _ = read_page("run/report.html")
    check_alone(text)
    equal([c["name"] for c in data["evaluation"]["classes"]], evil, "classes")
    equal(data["name"], "</title></script><img src=x>", "name")
    body = re.search(r'id="data">(.*?)</script>', text).group(1)
    assert not re.search("[<>&]", body) and body.isascii()


# ---- what it says is so ----

def log():
    """the curves are the log's, the marks the run's"""
    train("-s", "train.epochs=12", "-s", "train.early_stopping={monitor: val_accuracy, patience: 2, min_delta: 0.05}")
    _, data, timing = read_page("run/report.html")
    rows, run = read_log("run/log.csv"), data["run"]
    equal(sorted(data["log"]), ["epoch", "lr", "step", "train_accuracy", "train_loss", "val_accuracy", "val_loss"], "columns")
    for name, values in data["log"].items():
        for value, row in zip(values, rows, strict=True):
            assert math.isclose(value, float(row[name]), rel_tol=1e-14), (name, value, row[name])
    assert math.isclose(timing["seconds"], sum(float(row["seconds"]) for row in rows), abs_tol=1e-6)
    assert run["stopped_early"] and run["finished"] and run["epoch"] == len(rows) < 12, run
    equal(run["epoch"], run["best_epoch"] + 2, "patience")
    equal(run["best_epoch"], int(read_model("run/model.bin")[0]["epoch"]), "best epoch")
    equal(data["evaluation_epoch"], run["best_epoch"], "evaluated")


def same_numbers():
    """the evaluation is that of model.bin on the validation images, as cnneval says it, and so are the mistakes"""
    train("-s", "train.optimizer=sgd")
    _, data, _ = read_page("run/report.html")
    shown = data["evaluation"]
    said = json.loads(cnneval("run/model.bin", "small.yaml", "--part", "validation", "--json")[0])
    for key in ("count", "correct", "accuracy", "accuracy_interval_95", "loss", "classes", "confusion"):
        equal(shown[key], said[key], key)
    equal(data["evaluation_epoch"], data["run"]["best_epoch"], "epoch")
    rows = rows_of("run/model.bin", "small.yaml", "--part", "validation")
    check_mistakes(shown, rows, read_idx(f"{DIGITS}/train-images-idx3-ubyte.gz"))


def check_mistakes(shown, rows, images):
    (_, height, width), pixels = images
    wrong = sorted((row for row in rows if row[1] != row[2]), key=lambda row: -max(row[3]))[:40]
    equal(len(shown["mistakes"]), len(wrong), "mistakes")
    assert len(wrong) > 10
    for mistake, (index, label, prediction, p) in zip(shown["mistakes"], wrong):
        equal((mistake["index"], str(mistake["label"]), str(mistake["prediction"])), (index, label, prediction), "mistake")
        assert math.isclose(mistake["p"], max(p), rel_tol=1e-6) and math.isclose(mistake["p_label"], p[int(label)], rel_tol=1e-6)
        size = height * width
        equal(read_picture(mistake["picture"]), (width, height, 1, pixels[index * size:(index + 1) * size]), f"picture {index}")


def check_calibration(shown, rows):
    """Bins, ECE and temperature, computed from the probabilities of cnneval --csv in another way."""
    bins = [[] for _ in range(15)]
    for _, label, prediction, p in rows:
        at = max(b for b in range(15) if b == 0 or max(p) * 15 > b)
        bins[at].append((max(p), label == prediction))
    for got, want in zip(shown["bins"], bins, strict=True):
        equal(got["count"], len(want), "bin")
        if want:
            assert math.isclose(got["confidence"], sum(c for c, _ in want) / len(want), rel_tol=1e-9)
            assert math.isclose(got["accuracy"], sum(r for _, r in want) / len(want), rel_tol=1e-9)
    ece = sum(abs(sum(c for c, _ in b) - sum(r for _, r in b)) for b in bins) / len(rows)
    assert math.isclose(shown["ece"], ece, rel_tol=1e-9), (shown["ece"], ece)

    def loss(temperature):
        total = 0
        for _, label, _, p in rows:
            z = [math.log(max(x, 1e-38)) / temperature for x in p]
            total += math.log(sum(math.exp(x - max(z)) for x in z)) + max(z) - z[int(label)]
        return total / len(rows)

    low, high = math.log(0.01), math.log(100)
    ratio = (math.sqrt(5) - 1) / 2
    while high - low > 1e-7:  # golden section
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if loss(math.exp(a)) < loss(math.exp(b)):
            high = b
        else:
            low = a
    assert math.isclose(shown["temperature"], math.exp(low), rel_tol=1e-4), (shown["temperature"], math.exp(low))
    scaled, error = [0.0] * 15, 0
    for _, label, prediction, p in rows:
        z = [math.log(max(x, 1e-38)) / shown["temperature"] for x in p]
        sure = 1 / sum(math.exp(x - max(z)) for x in z)
        scaled[max(b for b in range(15) if b == 0 or sure * 15 > b)] += sure - (label == prediction)
    error = sum(map(abs, scaled)) / len(rows)
    assert math.isclose(shown["scaled_ece"], error, rel_tol=1e-6), (shown["scaled_ece"], error)


SCIKIT = """
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support
labels, predictions, classes = values
each = precision_recall_fscore_support(labels, predictions, labels=classes, zero_division=0)
print(json.dumps([accuracy_score(labels, predictions), confusion_matrix(labels, predictions, labels=classes).tolist(),
                  *(list(one) for one in each[:3])]))
"""


def by_scikit_learn():
    """accuracy, confusion matrix, precision, recall and F1 are those of scikit-learn"""
    train("-s", "train.epochs=2", "-s", "train.optimizer=sgd")
    shown = read_page("run/report.html")[1]["evaluation"]
    rows = rows_of("run/model.bin", "small.yaml", "--part", "validation")
    classes = [one["name"] for one in shown["classes"]]
    accuracy, confusion, *each = scikit(SCIKIT, [row[1] for row in rows], [row[2] for row in rows], classes)
    equal(shown["confusion"], confusion, "confusion matrix")
    assert math.isclose(shown["accuracy"], accuracy, rel_tol=1e-12), (shown["accuracy"], accuracy)
    for key, values in zip(("precision", "recall", "f1"), each):
        for one, value in zip(shown["classes"], values):
            assert math.isclose(one[key], value, rel_tol=1e-9, abs_tol=1e-12), (key, one, value)


def calibration():
    """bins, ECE and temperature, against another computation"""
    for name, settings in (("short", ["-s", "train.optimizer={type: adam, lr: 0.0003}"]),
                           ("long", ["-s", "train.epochs=30", "-s", "train.early_stopping={monitor: train_loss, patience: 30}"])):
        train(*settings, directory=name)
        _, data, _ = read_page(f"{name}/report.html")
        rows = rows_of(f"{name}/model.bin", f"{name}/config.yaml", "--part", "validation")
        check_calibration(data["evaluation"]["calibration"], rows)


def network_and_filters():
    """the network's table, and the first layer's weights as pictures"""
    train()
    _, data, _ = read_page("run/report.html")
    network = data["network"]
    equal([(r["name"], r["type"], r["activation"], r["output"], r["parameters"], r["multiply_adds"]) for r in network["rows"]],
          [("first", "conv", "relu", [6, 6, 6], 60, 1944), ("dropout1", "dropout", None, [6, 6, 6], 0, 0),
           ("dense1", "dense", None, [10, 1, 1], 2170, 2160)], "rows")
    equal((network["input"], network["trained"], network["frozen"], network["multiply_adds"]), ([1, 8, 8], 2230, 0, 4104), "sums")
    filters, weights = data["filters"], read_model("run/model.bin")[1]["first.weight"][1]
    equal((filters["layer"], filters["shape"], filters["count"]), ("first", [1, 3, 3], 6), "filters")
    for i, shown in enumerate(filters["pictures"]):
        w = weights[9 * i:9 * i + 9]
        most = max(map(abs, w))
        width, height, channels, pixels = read_picture(shown["picture"])
        equal((width, height, channels), (3, 3, 1), "picture")
        assert math.isclose(shown["most"], most, rel_tol=1e-6)
        assert all(abs(pixel - (128 + 127 * x / most)) <= 0.51 for pixel, x in zip(pixels, w)), (list(pixels), list(w))


# ---- when and how it is written ----

def repeated():
    """the same bytes, but for one line of times, for any threads, kernels, and after kill or resume"""
    settings = ["-s", "train.early_stopping={monitor: val_accuracy, patience: 4}", "-s", "augment=[rotate: 10]"]
    train(*settings, "-t", "1")
    want = page_without_times("run/report.html")
    train(*settings, "-t", "3", directory="run2")
    text = [line.replace(b"run2", b"run") for line in page_without_times("run2/report.html")]
    assert text == want, "3 threads"
    train(*settings, "-s", "train.epochs=2", directory="run")
    equal(read_page("run/report.html")[1]["run"]["epochs"], 2, "epochs")
    train(*settings, "--resume")
    assert page_without_times("run/report.html") == want, "resumed"
    os.remove("run/report.html")
    train(*settings, "--resume")
    assert page_without_times("run/report.html") == want, "resumed when it was finished"
    if "avx2" in open("/proc/cpuinfo", encoding="ascii").read():
        train(*settings, CNNTRAIN_CPU="avx2")
        assert page_without_times("run/report.html") == want, "avx2"


def averages():
    """where the model is a mean of weights, the page in the end evaluates that"""
    for name, settings in (("swa", ["-s", "train.swa={start: 2}"]), ("ema", ["-s", "train.ema=0.9"]),
                           ("last", ["-s", "train.early_stopping={monitor: val_loss, patience: 9, restore_best: false}"])):
        train(*settings, directory=name)
        shown = read_page(f"{name}/report.html")[1]["evaluation"]
        said = json.loads(cnneval(f"{name}/model.bin", f"{name}/config.yaml", "--part", "validation", "--json")[0])
        equal((shown["correct"], shown["confusion"], shown["loss"]), (said["correct"], said["confusion"], said["loss"]), name)


def without_validation():
    """without a validation set the page has curves, network and filters; after no epoch, what there is"""
    train("-s", "train.epochs=2", text=CONFIG.replace(", validation: 0.2", ""))
    _, data, _ = read_page("run/report.html")
    equal((data["evaluation"], data["evaluation_epoch"]), (None, 0), "evaluation")
    equal((data["log"]["val_loss"], data["log"]["epoch"]), ([None, None], [1, 2]), "log")
    equal(len(data["filters"]["pictures"]), 6, "filters")
    train("-s", "train.epochs=0")
    _, data, _ = read_page("run/report.html")
    equal((data["evaluation"], data["log"]["epoch"], data["run"]["finished"]), (None, [], True), "no epoch")


def outputs():
    """a network whose outputs are no probabilities has no calibration"""
    train("-s", "train.loss=mse", "-s", "train.epochs=2")
    shown = read_page("run/report.html")[1]["evaluation"]
    equal((shown["probable"], shown["calibration"]), (False, None), "calibration")
    check_mistakes(shown, rows_of("run/model.bin", "small.yaml", "--part", "validation"),
                   read_idx(f"{DIGITS}/train-images-idx3-ubyte.gz"))


def failed_write():
    """a report that cannot be written ends the run with exit 6, names it, and leaves model and checkpoint good"""
    train(directory="good")
    os.makedirs("run/report.html/x")
    message = train(code=6)
    assert re.fullmatch(r"run/report\.html: error: cannot (replace|write|rename).*\n", message), message
    os.rename("run/report.html", "moved")
    train("--resume")
    same_result("good", "run")
    assert read_page("run/report.html")[1]["run"]["finished"]


def size_of_mnist():
    """with MNIST the page stays below 1 MB, even when the network knows nothing"""
    if not os.path.exists(f"{MNIST}/train-images-idx3-ubyte.gz"):
        raise Skip("no MNIST: make data gets it")
    text = CONFIG.replace(DIGITS, MNIST).replace("epochs: 4", "epochs: 1, optimizer: {type: sgd, lr: 0.000001}")
    train("-s", "data.limit=5000", text=text)
    _, data, _ = read_page("run/report.html")
    equal(len(data["evaluation"]["mistakes"]), 40, "mistakes")
    assert os.path.getsize("run/report.html") < 300_000, os.path.getsize("run/report.html")


# ---- cnneval --report ----

def evaluation():
    """cnneval --report: the page of a model on a test set, with the numbers of --json and of the rows; stdout is as without"""
    train()
    plain = cnneval("run/model.bin", "small.yaml", "--json")[0]
    equal(cnneval("run/model.bin", "small.yaml", "--json", "--report", "new/test"), (plain, ""), "output")
    equal(os.listdir("new/test"), ["report.html"], "files")
    text, data, timing = read_page("new/test/report.html")
    check_alone(text)
    equal((data["kind"], timing, "log" in data, data["model"]), ("evaluation", {}, False, "run/model.bin"), "head")
    equal(data["evaluated"], f"{DIGITS}/t10k-images-idx3-ubyte.gz", "set")
    equal(data["evaluation_epoch"], int(read_model("run/model.bin")[0]["epoch"]), "epoch")
    equal(data["config"], read_model("run/model.bin")[0]["config"], "config")
    assert DIGITS not in data["config"]
    said, shown = json.loads(plain), data["evaluation"]
    for key in ("count", "correct", "accuracy", "accuracy_interval_95", "loss", "classes", "confusion"):
        equal(shown[key], said[key], key)
    rows = rows_of("run/model.bin", "small.yaml", "--report", "second", "-t", "3")
    check_mistakes(shown, rows, read_idx(f"{DIGITS}/t10k-images-idx3-ubyte.gz"))
    check_calibration(shown["calibration"], rows)
    assert read_bytes("second/report.html") == read_bytes("new/test/report.html"), "3 threads"


def evaluation_tta():
    """cnneval --report with --tta: the means are what is shown"""
    train("-s", "augment=[rotate: 20]")
    said = json.loads(cnneval("run/model.bin", "small.yaml", "--tta", "3", "--json", "--report", "test")[0])
    data = read_page("test/report.html")[1]
    equal((data["draws"], data["evaluation"]["confusion"]), (3, said["confusion"]), "tta")


def evaluation_colour():
    """the mistakes of colour images in class folders: their paths, and their pictures as decoded"""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    images = {}
    for label in "ab":
        os.makedirs(f"set/{label}")
        for i in range(6):
            pixels = bytes((i * 37 + 11 * k + ord(label)) % 256 for k in range(5 * 4 * 3))
            images[f"set/{label}/{i}.png"] = pixels
            raw = b"".join(b"\0" + pixels[y * 12:y * 12 + 12] for y in range(5))
            with open(f"set/{label}/{i}.png", "wb") as file:
                file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 5, 8, 2, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
    train("-s", "train.epochs=1", "-s", "train.optimizer={type: sgd, lr: 1e-9}",
          text="data: {train: {folder: set}, validation: 0.5}\nnetwork: [conv: {filters: 2, kernel: 3}, dense: 2]\n"
               "train: {batch_size: 4}\n")
    cnneval("run/model.bin", "set", "--report", "test")
    data = read_page("test/report.html")[1]
    assert data["evaluation"]["mistakes"], "chance has it that all are right"
    for mistake in data["evaluation"]["mistakes"]:
        equal(read_picture(mistake["picture"]), (4, 5, 3, images[mistake["path"]]), mistake["path"])
        equal(mistake["path"][4], "ab"[mistake["label"]], "label")
    equal([read_picture(f["picture"])[:3] for f in data["filters"]["pictures"]], [(3, 3, 3)] * 2, "filters")


def evaluation_faults():
    """cnneval --report: a run's own directory is refused, a directory that cannot be is an error, before any work"""
    train("-s", "train.epochs=1")
    before = read_bytes("run/report.html")
    out, err = cnneval("run/model.bin", "small.yaml", "--report", "run", code=2)
    equal((out, err), ("", "run: error: holds a run and the report of its training; an evaluation needs a directory of its own, "
                           "such as run/test\n"), "a run's directory")
    equal((read_bytes("run/report.html"), os.path.exists("run/.lock")), (before, False), "what was there")
    cnneval("run/model.bin", "small.yaml", "--report", "run/test")
    out, err = cnneval("run/model.bin", "small.yaml", "--report", "small.yaml", code=6)
    assert out == "" and re.fullmatch(r"small\.yaml: error: cannot \w+: Not a directory\n", err), err
    os.makedirs("test/report.html/x")
    out, err = cnneval("run/model.bin", "small.yaml", "--report", "test", code=6)
    assert re.fullmatch(r"test/report\.html: error: cannot \w+: .*\n", err), err
    cnneval("run/model.bin", "small.yaml", "--report", "", code=2)


run_tests([structure, library, escaping, log, same_numbers, by_scikit_learn, calibration, network_and_filters, repeated, averages,
           without_validation, outputs, failed_write, size_of_mnist, evaluation, evaluation_tta, evaluation_colour,
           evaluation_faults])
