#!/usr/bin/env python3
"""curves.py: cnnview --curves: what stands on the terminal, the pictures that gnuplot draws, and its messages. Prints TAP."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, Skip, environment, equal, read_bytes, run_tests, write  # noqa: E402

HEADER = "epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second\n"


def cnnview(*arguments, code=0, **changes):
    """(stdout, stderr)"""
    done = subprocess.run([os.path.join(BIN, "cnnview"), *map(str, arguments)], capture_output=True, text=True, timeout=100,
                          env=environment(**{"LC_ALL": "C.UTF-8", "COLUMNS": "40", **changes}), check=False)
    equal(done.returncode, code, f"cnnview {arguments}: {done.stderr}")
    return done.stdout, done.stderr


def log(name, rows):
    os.makedirs(name, exist_ok=True)
    return write(f"{name}/log.csv", HEADER + "".join(f"{i},{i * 10},0.1,{row},1.5,100\n" for i, row in enumerate(rows, 1)))


def two_runs():
    return log("runs/a", ["4,0.25,3,0.5", "2,0.5,1,0.75", "0,1,2,0.5"]), log("runs/b", ["1,0.5,,"])


def terminal():
    """blocks, worked by hand: one scale for all runs, train beside validation, the best epoch named"""
    two_runs()
    out = cnnview("--curves", "runs/a/log.csv", "runs/b")[0]
    blocks = out.split("\n\n")
    equal(blocks[0], "loss, from 0 to 4", "scale")
    # Panels of 18 columns: six an epoch. In eighths of four rows 4, 2, 0 are 32, 17, 1, and 3, 1, 2 are 24, 9, 17.
    equal(blocks[1].split("\n"), [
        "a, 3 epochs", "█" * 6 + " " * 12 + "   " + " " * 18,
        "█" * 6 + "▁" * 6 + " " * 6 + "   " + "█" * 6 + " " * 6 + "▁" * 6,
        "█" * 12 + " " * 6 + "   " + "█" * 6 + "▁" * 6 + "█" * 6,
        "█" * 12 + "▁" * 6 + "   " + "█" * 18,
        "train       4 to 0, best 0 at 3", "validation  3 to 2, best 1 at 2"], "a")
    equal(blocks[2].split("\n"), ["b, 1 epoch", " " * 39, " " * 39, "▁" * 18 + " " * 21, "█" * 18 + " " * 21,
                                   "train       1 to 1, best 1 at 1", "validation  -"], "b")
    equal(blocks[3], "accuracy, from 25.00 % to 100.00 %", "accuracy")
    assert "train       25.00 % to 100.00 %, best 100.00 % at 3" in blocks[4], blocks[4]
    assert "validation  50.00 % to 50.00 %, best 75.00 % at 2" in blocks[4], blocks[4]


def plain():
    """without UTF-8 it is plain ASCII; a line is never wider than the terminal; long runs are thinned"""
    log("long", [f"{1000 / i},0.5,{1000 / i},0.5" for i in range(1, 1001)])
    out = cnnview("--curves", "long/log.csv", LC_ALL="C")[0]
    assert out.isascii() and "#" in out
    out = cnnview("--curves", "long/log.csv", COLUMNS="60")[0]
    assert max(map(len, out.splitlines())) <= 60 and "█" in out
    assert "train       1000 to 1, best 1 at 1000" in out, out


def picture(kind, start):
    if not shutil.which("gnuplot"):
        raise Skip("no gnuplot here: scripts/deps.sh ci installs it")
    a, b = two_runs()
    log("it's \"$x\" `date` \\n", ["1,0.5,2,0.5", "0.5,0.5,1,0.5"])
    write(f"c.{kind}", "old")
    equal(cnnview("--curves", a, b, "it's \"$x\" `date` \\n/log.csv", "-o", f"c.{kind}"), ("", ""), "output")
    data = read_bytes(f"c.{kind}")
    assert data.startswith(start) and len(data) > 3000, data[:100]
    equal(sorted(name for name in os.listdir(".") if name.startswith((".c", "c."))), [f"c.{kind}"], "files")
    return data


def svg():
    """--output x.svg: gnuplot draws every run, under its name, as it is written"""
    text = picture("svg", b"<?xml").decode()
    for name in ("a train", "a validation", "b train", "it's \"$x\" `date` \\n train"):
        escaped = name.replace("\"", "&quot;")
        assert re.search("(>|,)" + re.escape(name) + "<", text) or escaped in text or name.replace("'", "&apos;") in text, name
    assert "b validation" not in text
    assert "loss" in text and "accuracy" in text


def png():
    """--output x.png"""
    picture("png", b"\x89PNG\r\n\x1a\n")


def no_gnuplot():
    """without gnuplot there is a message that says what to do, exit 6, and no file; the terminal needs none"""
    a, _ = two_runs()
    out, err = cnnview("--curves", a, "-o", "c.svg", code=6, PATH="/nonexistent")
    equal((out, err), ("", "cnnview: error: gnuplot, which draws the curves, is not installed: scripts/deps.sh ci installs it; "
                           "without --output they are drawn on the terminal\n"), "message")
    assert not os.path.exists("c.svg")
    cnnview("--curves", a, PATH="/nonexistent")


def broken_gnuplot():
    """a gnuplot that fails is an error, and leaves the old file"""
    a, _ = two_runs()
    os.makedirs("bin")
    write("bin/gnuplot", "#!/bin/sh\necho half\nexit 3\n")
    os.chmod("bin/gnuplot", 0o755)
    write("c.svg", "old")
    path = os.path.abspath("bin") + ":" + os.environ["PATH"]
    equal(cnnview("--curves", a, "-o", "c.svg", code=6, PATH=path)[1], "gnuplot: error: could not draw the curves\n", "message")
    equal(read_bytes("c.svg"), b"old", "file")


def faults():
    """logs that are none, and options that do not go together"""
    a, _ = two_runs()
    cases = [("", 1, "not a log.csv: no columns 'epoch' and 'train_loss'"), ("epoch,loss\n1,2\n", 1, "not a log.csv: no columns"),
             (HEADER, 2, "no epoch in this log yet"), ("epoch,train_loss\n1,2\n2\n", 3, "fewer cells than columns"),
             ("epoch,train_loss\n1,2,3\n", 2, "more cells than columns"), ("epoch,train_loss\n1,x\n", 2, "a cell that is no number"),
             ("epoch,train_loss\n,1\n", 2, "a row without epoch"), ("epoch,train_loss" + ",x" * 70, 1, "not a log.csv: too many")]
    for text, line, message in cases:
        write("bad.csv", text)
        out, err = cnnview("--curves", a, "bad.csv", code=4)
        assert out == "" and err.startswith("bad.csv:") and message in err and f":{line}:" in err, err
    write("bad.csv", "epoch,train_loss\n1,\0\n")
    assert "zero byte" in cnnview("--curves", "bad.csv", code=4)[1]
    assert "cannot open" in cnnview("--curves", "missing/log.csv", code=6)[1]
    for arguments, message in ((["--curves"], "LOG is missing"), (["--curves", a, "--filters", "C1"], "--curves draws no model"),
                               (["--curves", a, "-o", "c.pdf"], "ends in .svg or .png"),
                               (["--curves"] + [a] * 65, "--curves takes at most 64 logs")):
        err = cnnview(*arguments, code=2)[1]
        assert message in err, err


run_tests([terminal, plain, svg, png, no_gnuplot, broken_gnuplot, faults])
