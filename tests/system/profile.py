#!/usr/bin/env python3
"""profile.py: --profile of cnntrain and cnneval: rows that add up to the whole, the same results with it as without.
Prints TAP."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, DIGITS, environment, equal, read_bytes, run_tests, same_result, write  # noqa: E402

CONFIG = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2}}
network:
  - conv: {{name: C1, filters: 8, kernel: 3, padding: same, activation: relu}}
  - conv: {{name: C2, filters: 8, kernel: 3, padding: same, bias: false}}
  - batchnorm
  - residual: [conv: {{filters: 8, kernel: 1}}, tanh]
  - dropout: 0.3
  - dense: 10
train: {{epochs: 3, batch_size: 50}}
"""
LAYERS = ["C1", "C1.relu", "C2", "batchnorm1", "residual1", "conv3", "tanh1", "dropout1", "dense1"]
TRAINED, STEPS = 1151, 24  # samples and steps of an epoch


def run(program, *arguments, code=0, **changes):
    """(stdout, stderr)"""
    done = subprocess.run([os.path.join(BIN, program), *arguments], capture_output=True, text=True, timeout=100,
                          env=environment(**changes), check=False)
    equal(done.returncode, code, f"exit of {program} {arguments}: {done.stderr}")
    return done.stdout, done.stderr


def rows_of(table):
    """({row: (ms, share in %)} of all rows, images)"""
    rows = {}
    for line in table.splitlines():
        match = re.match(r" *([\w.]+(?: [a-z]+){0,2})  .* (\d+\.\d) +(\d+\.\d\d)%$", line)
        if match:
            name = re.sub(" .*", "", match[1]) if re.sub(" .*", "", match[1]) in LAYERS else match[1]
            assert name not in rows, name
            rows[name] = float(match[2]), float(match[3])
    return rows, int(re.search(r"^profile of (?:[\d,]+ steps, )?([\d,]+) images in", table, re.M)[1].replace(",", ""))


def check_sums(rows, layers):
    """Every row once, and no time that is in none of them."""
    whole = rows.pop("total")
    everything = rows.pop("all layers")
    rest = {name: row for name, row in rows.items() if name not in layers}
    equal(set(rows) - set(rest), set(layers), "layers")
    for column in range(2):
        rounding = 0.06 * (len(rows) + 1)
        assert abs(sum(rows[name][column] for name in layers) - everything[column]) < rounding, rows
        assert abs(everything[column] + sum(row[column] for row in rest.values()) - whole[column]) < rounding, rows
    equal(whole[1], 100.0, "total, %")
    return rest


def training():
    """cnntrain --profile: a table on stdout, model.bin and log.csv as without it, whatever the threads"""
    write("c.yaml", CONFIG)
    equal(run("cnntrain", "-q", "c.yaml", "-o", "plain")[0], "", "stdout without --profile")
    for threads in ("1", "2", "3"):
        table = run("cnntrain", "-q", "--profile", "c.yaml", "-t", threads, "-o", "measured")[0]
        same_result("plain", "measured", f"{threads} threads")
        rows, images = rows_of(table)
        equal(images, 3 * TRAINED, "images")
        assert f"profile of {3 * STEPS} steps, " in table, table
        rest = check_sums(rows, LAYERS)
        equal(set(rest), {"loading tiles", "preparing weights", "loss", "adding gradients", "optimizer", "validation", "log and files", "other",
                          "waiting"}, "the rest")
        equal(re.search(r", (\d) threads?, \w+ kernels$", table, re.M)[1], threads, "threads")
        assert re.search(r"^multiply-add peak measured: \d+\.\d GFLOP/s on one thread", table, re.M), table


def levels():
    """the peak is that of the kernels in use"""
    write("c.yaml", CONFIG)
    for level in ("generic", "avx2"):
        table = run("cnntrain", "-n", "--profile", "c.yaml", CNNTRAIN_CPU=level)[0]
        if f" {level} kernels" in table.split("profile of")[1]:
            shares = [float(share) for share in re.findall(r" (\d+\.\d)%", table)]
            assert shares and max(shares) < 180, table  # Winograd's way may be above 100


def rehearsal():
    """--dry-run --profile: the summary, some steps, and nothing written"""
    write("c.yaml", CONFIG)
    before = sorted(os.listdir("."))
    out = run("cnntrain", "--dry-run", "--profile", "c.yaml", "-o", "run")[0]
    equal(sorted(os.listdir(".")), before, "files")
    summary, table = out.split("\nprofile of ")
    assert "\ntotal " in summary and "arena " in summary, out
    rows, images = rows_of("profile of " + table)
    assert images > 0 and rows["total"][0] > 1900, out
    rest = check_sums(rows, LAYERS)
    assert "log and files" not in rest and "validation" not in rest, out


def interrupted():
    """a run that ends early, or has nothing to do, says where its time went too"""
    write("c.yaml", CONFIG)
    out = run("cnntrain", "-q", "--profile", "c.yaml", "-s", "train.epochs=1000000", "-s", "train.max_time=1s", "-o", "run")[0]
    assert rows_of(out)[0]["total"][0] > 900, out
    run("cnntrain", "-q", "c.yaml", "-o", "done")
    out = run("cnntrain", "-q", "--profile", "--resume", "c.yaml", "-o", "done")[0]
    equal(rows_of(out)[1], 0, "images")


def evaluation():
    """cnneval --profile: the report, and behind it the layers that run in evaluation"""
    write("c.yaml", CONFIG)
    run("cnntrain", "-q", "c.yaml", "-o", "run")
    plain = run("cnneval", "run/model.bin", DIGITS)[0]
    for threads in ("1", "2"):
        out = run("cnneval", "--profile", "-t", threads, "run/model.bin", DIGITS)[0]
        report, table = out.split("\nprofile of ")
        equal(report, plain, "report")
        assert "backward" not in table, out
        rows, images = rows_of("profile of " + table)
        equal(images, 359, "images")
        gone = ("dropout1", "batchnorm1", "C1.relu")  # nothing, part of C1's weights, and done as C1 writes
        rest = check_sums(rows, [name for name in LAYERS if name not in gone])
        assert re.search(r"^C1 +conv \+ relu ", table, re.MULTILINE), out
        assert set(rest) <= {"loading tiles", "preparing weights", "loss", "results", "other", "waiting"}, out


def rows_to_a_file():
    """cnneval --profile --csv FILE: the same file as without"""
    write("c.yaml", CONFIG)
    run("cnntrain", "-q", "c.yaml", "-o", "run")
    run("cnneval", "run/model.bin", DIGITS, "--csv", "a.csv")
    run("cnneval", "run/model.bin", DIGITS, "--csv", "b.csv", "--profile")
    equal(read_bytes("a.csv"), read_bytes("b.csv"), "rows")


run_tests([training, levels, rehearsal, interrupted, evaluation, rows_to_a_file])
