#!/usr/bin/env python3
"""fuzz.py: the fuzz targets of tests/fuzz: every input that was ever worth keeping, then some time of new ones.

Builds the targets with clang (address and undefined-behaviour sanitizers). Each target replays its corpus and the inputs that
once broke something, then fuzzes: 20 s, two targets at a time (TIER=full: 3 minutes). Asserted: no crash, leak or input of more
than 2 s; every model that the round trip writes, and every file that the reader of foreign tensors takes, is taken by
tests/safetensors_check.py too, which shares no code with cnntrain; and with TIER=full that the runs in tests/fuzz/LEDGER.csv
add up to the executions promised. FUZZ_SECONDS chooses another duration."""
import concurrent.futures
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "tests", "fuzz")]
import fuzzing  # noqa: E402
import safetensors_check  # noqa: E402
from runs import Skip, run_tests  # noqa: E402

FULL = os.environ.get("TIER") == "full"
SECONDS = int(os.environ.get("FUZZ_SECONDS", "180" if FULL else "20"))
SAMPLES = 10_000 if FULL else 300
SAMPLE_SECONDS = 600 if FULL else 10
PROMISED = {"config": 5_000_000, "idx": 20_000_000, "gz": 20_000_000, "png": 20_000_000, "model": 20_000_000}


def figure(what, value):
    print(f"# figure: {what}: {value}", flush=True)


def built():
    """the fuzz targets are built"""
    if shutil.which("clang") is None:
        raise Skip("clang is not installed")
    done = subprocess.run(["make", "-j2", "fuzzers"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert len(fuzzing.targets()) >= 10


def told(run):
    return f"{run.target}: {run.crashes} crashes, {run.leaks} leaks, {run.timeouts} timeouts: {run.found}\n{run.log[-3000:]}"


def needs_targets():
    if not all(os.path.exists(fuzzing.program(target)) for target in fuzzing.targets()):
        raise Skip("the targets are not built")


def replayed():
    """every input of the corpora and of the regressions is taken or refused as it must be"""
    needs_targets()
    for target in fuzzing.targets():
        run = fuzzing.replay(target)
        assert run.good, told(run)
        assert run.executions > 0, f"{target}: no inputs"
        figure(f"fuzz, {target}, inputs of corpus and regressions replayed", run.executions)


def fuzzed():
    """new inputs: no crash, no leak, none that takes more than 2 s"""
    needs_targets()
    bad = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for run in pool.map(lambda target: fuzzing.fuzz(target, SECONDS), fuzzing.targets()):
            figure(f"fuzz, {run.target}, executions in {run.seconds} s", f"{run.executions:,}")
            bad += [] if run.good else [told(run)]
    assert not bad, "\n".join(bad)


def samples(target):
    """Files that a target has written or taken, up to SAMPLES."""
    folder = os.path.abspath(target)
    os.makedirs(folder)
    environment = {"FUZZ_SAMPLES": folder}
    run = fuzzing.call(target, [f"-runs={20 * SAMPLES}", f"-max_total_time={SAMPLE_SECONDS}", "-max_len=1024", "-seed=1",
                                fuzzing.unpack(target)], environment)
    assert run.good, told(run)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:SAMPLES]]


def all_taken(check, paths):
    """How many files there are; `check` takes every one."""
    for path in paths:
        with open(path, "rb") as file:
            check(file.read())
    assert len(paths) >= 3
    return f"{len(paths):,} of {len(paths):,}"


def written_models_are_safetensors():
    """a model of any network is a safetensors file of our profile for the other reader too"""
    needs_targets()
    figure("fuzz, models of random networks that the independent checker takes",
           all_taken(safetensors_check.check_profile, samples("roundtrip")))


def foreign_files_are_safetensors():
    """what the reader of foreign tensors takes, the other reader takes"""
    needs_targets()
    figure("fuzz, mutated files taken as tensors that the independent checker takes",
           all_taken(safetensors_check.check_plain, samples("model")))


def ledger_adds_up():
    """the ledger has the executions that are promised"""
    rows, short = fuzzing.ledger(), []
    for target in fuzzing.targets():
        executions = sum(int(row["executions"]) for row in rows if row["target"] == target)
        figure(f"fuzz, {target}, executions in the ledger", f"{executions:,}")
        if executions < PROMISED.get(target, 0):
            short.append(f"{target}: {executions:,} of {PROMISED[target]:,}")
    if short and not FULL:
        raise Skip("still to be run: " + "; ".join(short))
    assert not short, "; ".join(short)


run_tests([built, replayed, fuzzed, written_models_are_safetensors, foreign_files_are_safetensors, ledger_adds_up])
