#!/usr/bin/env python3
"""bench.py: the bench measures what its table says, leaves out visibly what is not there, and its networks have as many parameters in
cnntrain as in PyTorch. Every measured run is as short as can be: no speed is judged. Prints TAP."""
import csv
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import ROOT, Skip, environment, equal, run_tests  # noqa: E402


def bench(*arguments, code=0, **changes):
    """Run the bench; (its Markdown, the rows of its CSV, what it said on the way)."""
    command = [sys.executable, os.path.join(ROOT, "scripts", "bench", "run.py"), "--rounds", "1", "--seconds", "0.02",
               *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False,
                          env=environment(BENCH_BUILD=os.getcwd(), **changes))
    equal(done.returncode, code, done.stderr)
    if code != 0:
        return "", [], done.stderr
    with open("table.csv", newline="", encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    with open("table.md", encoding="utf-8") as file:
        equal(file.read(), done.stdout, "the table in the file and on standard output")
    return done.stdout, rows, done.stderr


def own_figures():
    """cnntrain's levels and thread counts, and its convolutions, have rows with all figures"""
    text, rows, _ = bench("--networks", "lenet5", "--batches", "64", "--peers", "cnntrain,cnntrain-avx2", "--kernels", "ours,ours-direct",
                          "--convolutions", "depthwise,resnet-64")
    networks = [row for row in rows if row["subject"] == "lenet5"]
    equal({(row["program"], row["job"], row["threads"]) for row in networks},
          {(p, j, t) for p in ("cnntrain", "cnntrain, AVX2") for j in ("train", "eval") for t in "12"})
    for row in networks:
        least, middle, most = (float(row[key]) for key in ("minimum", "median", "maximum"))
        # Winograd's ways take no less than a quarter of the multiplications that they are credited with
        assert 0 < least <= middle <= most and 0 < float(row["peak_share"]) < 4, row
        operations = 1e9 * float(row["gflops"]) / middle / 2  # an image
        first = 6 * 25 * 28 * 28  # without the gradient of the images
        forward = first + 16 * 6 * 25 * 10 * 10 + 120 * 16 * 25 + 84 * 120 + 10 * 84
        expected = 3 * forward - first if row["job"] == "train" else forward
        assert abs(operations / expected - 1) < 1e-2, (row, operations)
        assert 5 < float(row["memory_mib"]) < 500 and 0 < float(row["start_up_seconds"]) < 30, row
    convolutions = [row for row in rows if row["program"].startswith("ours")]
    equal([row["job"] for row in convolutions if row["program"] == "ours"], 2 * ["forward", "input", "weight"], "rows of convolutions")
    assert all(float(row["gflops"]) > 0 for row in convolutions)
    assert "| resnet-64 |" in text and "lenet5, batch 64: training" in text


def missing_peers():
    """what is not there is named in the table, with the reason; --keep adds to a table"""
    bench("--networks", "none", "--convolutions", "none")  # builds the measure of the peak
    text, rows, errors = bench("--networks", "mlp", "--batches", "64", "--peers", "cnntrain,onnx", "--kernels", "openblas",
                              "--convolutions", "resnet-64", CC="false")
    for title, reason in (("convolutions of openblas", "the compiler failed"), ("ONNX Runtime, best batch", "ONNX Runtime is not installed")):
        line = f"not measured: {title}: {reason}"
        assert line in text and line in errors, text
    equal({row["program"] for row in rows}, {"cnntrain"})
    _, kept, _ = bench("--networks", "none", "--kernels", "ours", "--convolutions", "resnet-64", "--keep")
    equal(kept[:len(rows)], rows, "the rows of the first run, kept")
    equal({row["program"] for row in kept[len(rows):]}, {"ours"})


def same_networks():
    """PyTorch's networks have the parameters of cnntrain's"""
    some = () if os.environ.get("TIER") else ("--networks", "lenet5,resnet-cifar")  # each imports PyTorch
    text, _, _ = bench("--batches", "64", "--peers", "torch", "--convolutions", "none", "--rounds", "0", *some)
    if "not measured: PyTorch: " in text:
        raise Skip("PyTorch is not installed")


def two_threads():
    """threads.py compares two threads with two processes, in training and evaluation; a network that it does not know is a usage error"""
    def threads(*words):
        return subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "bench", "threads.py"), "1", *words], capture_output=True, text=True,
                              timeout=100, check=False, env=environment(BENCH_BUILD=os.getcwd(), SECONDS_A_RUN="0.02"))
    done = threads("mlp")
    equal(done.returncode, 0, done.stderr)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[2:]]
    equal([row[0] for row in rows], ["mlp, training", "mlp, evaluation"])
    for _, alone, processes, both, line in rows:
        assert float(alone.replace(",", "")) > 0 and float(processes.split()[0]) > 0 and float(both.split()[0]) > 0, rows
        least, most = line.split(" to ")
        assert 0 <= float(least) <= float(most), rows
    equal(threads("nonsense").returncode, 2)


def wrong_words():
    """an unknown network, peer or kernel is a usage error that names the known ones"""
    for option, known in (("--networks", "vgg-bn"), ("--peers", "torch"), ("--kernels", "openblas"), ("--convolutions", "resnet-64")):
        _, _, errors = bench(option, "nonsense", code=2)
        assert "unknown 'nonsense'" in errors and known in errors, errors


run_tests([own_figures, missing_peers, same_networks, two_threads, wrong_words])
