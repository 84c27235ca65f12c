#!/usr/bin/env python3
"""soak.py: an hour of training that is saved, ended and resumed all the time (TIER=full; in CI a quarter of a minute).

Two runs, one of augmented images with all that has a state, one of PNG files of which most are decoded anew in each epoch.
Each is trained once undisturbed, and then over and over, each time cut up by SIGTERM and kill -9 at random moments. On one
thread, at nice. Asserted: every round ends with the undisturbed run's bytes; what is told to be saved is; the memory that a
process has (current and peak) and its number of open files grow neither while it trains nor from round to round.
RANDOM_SEED chooses other moments, SOAK_SECONDS another duration."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from cut import (DIGITS, FULL, RANDOM_SEED, Run, acknowledged, check_cut, figure, make_pictures, proc_status, said_of, same,  # noqa: E402
                 signal)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import run_tests, write  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS", "3600" if FULL else "13"))
EPOCHS = 500 if FULL else 40
FILTERS = 32 if FULL else 16
LONGEST_CYCLE = 15.0 if FULL else 0.5
SAMPLE = 0.1 if FULL else 0.02
# A process's memory may differ by so much: report.html, written at most once a second, holds the log, which grows by a row.
MARGIN = 1536  # KiB

AUGMENTED = f"""\
seed: 4
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, validation: 0.2, over_sample: balanced}}
augment:
  - rotate: 10
  - translate: 0.1
  - elastic: {{alpha: 10, sigma: 2}}
  - mixup: {{alpha: 0.4, p: 0.5}}
network:
  - conv: {{filters: {FILTERS}, kernel: 3, padding: same, bias: false}}
  - batchnorm
  - relu
  - conv: {{filters: {FILTERS}, kernel: 3, activation: gelu}}
  - maxpool: 2
  - dropout: 0.3
  - dense: 10
train:
  epochs: {EPOCHS}
  batch_size: {8 if FULL else 32}
  optimizer: {{type: adam, lr: 0.002}}
  schedule: {{type: plateau, patience: 3}}
  ema: 0.9
"""
PICTURES = f"""\
seed: 5
data: {{train: pictures, validation: 0.2, memory: 100KiB}}
augment: [crop: 1]
network:
  - conv: {{filters: {FILTERS}, kernel: 3, activation: relu}}
  - dropout: 0.5
  - conv: {{filters: {FILTERS}, kernel: 3, activation: relu}}
  - dense: 10
train: {{epochs: {EPOCHS}, batch_size: {8 if FULL else 32}, optimizer: momentum}}
"""
CONFIGS = {"augmented": AUGMENTED, "pictures": PICTURES}


class Figures:
    """Of each config, what its processes had: [(round, kind of end, peak KiB, last KiB, open files)]."""

    def __init__(self):
        self.cycles = {name: [] for name in CONFIGS}
        self.rounds = {name: 0 for name in CONFIGS}
        self.growth = {}
        self.cut = 0

    def add(self, name, end, samples):
        if samples:
            self.cycles[name].append((self.rounds[name], end, max(s["VmHWM"] for s in samples), samples[-1]["VmRSS"],
                                      max(s["fds"] for s in samples)))

    def per_round(self, name, column):
        return [max(c[column] for c in self.cycles[name] if c[0] == number)
                for number in sorted({c[0] for c in self.cycles[name]})]


def watch(run, seconds=float("inf")):
    """The process's figures, sampled until its end or so many seconds have passed."""
    samples, end = [], time.monotonic() + seconds
    while run.process.poll() is None and time.monotonic() < end:
        sample = proc_status(run.process.pid)
        if sample:
            samples.append(sample | {"epoch": acknowledged(run.directory)})
        time.sleep(SAMPLE)
    return samples


def undisturbed(name, figures):
    """The run to compare with; from a quarter of its epochs on its memory must stay what it is."""
    run = Run(name + ".yaml", name + "-whole")
    samples = watch(run)
    assert run.end() == 0, run.words()
    settled = [sample for sample in samples if sample["epoch"] >= EPOCHS // 4]
    assert len(settled) >= 2, f"{name}: {len(samples)} samples, {len(settled)} of them after a quarter of the epochs"
    rss = [sample["VmRSS"] for sample in settled]
    figures.growth[name] = max(rss) - rss[0]
    figures.add(name, "end", samples)
    # A file is open while it is written: the most that were open at a time must not grow.
    early, late = (max(sample["fds"] for sample in half) for half in (settled[:len(settled) // 2], settled[len(settled) // 2:]))
    assert figures.growth[name] <= MARGIN, f"{name}: memory grew from {rss[0]} to {max(rss)} KiB while it trained"
    assert late - early <= 2, f"{name}: open files while it trained: up to {early} in the first half, up to {late} in the second"


def one_round(name, dice, figures):
    """The same run in pieces."""
    figures.rounds[name] += 1
    directory = f"{name}-{figures.rounds[name]}"
    while True:
        run = Run(name + ".yaml", directory)
        number = dice.choice((signal.SIGTERM, signal.SIGKILL))
        samples = watch(run, dice.uniform(0.02, LONGEST_CYCLE))
        status = run.end(number) if run.process.poll() is None else run.end()
        figures.add(name, int(number), samples)
        if status == 0:
            break
        # SIGTERM before the run has begun, while its data are read, ends it as it ends any program.
        assert status in (128 + number, -number), f"exit {status} after signal {int(number)}: {run.words()}"
        figures.cut += 1
        check_cut(directory)
    same(name + "-whole", directory, f"round {figures.rounds[name]}")
    for path in os.listdir(directory):
        os.unlink(os.path.join(directory, path))
    os.rmdir(directory)
    os.unlink(said_of(directory))


def soak():
    """trained for long, ended and resumed all the time: the same bytes; memory and open files stay what they are"""
    print(f"# RANDOM_SEED={RANDOM_SEED}, {SECONDS:.0f} s", flush=True)
    os.nice(10)
    dice, figures, start = random.Random(RANDOM_SEED), Figures(), time.monotonic()
    make_pictures(400)
    for name, text in CONFIGS.items():
        write(name + ".yaml", text)
        undisturbed(name, figures)
    while time.monotonic() - start < SECONDS or min(figures.rounds.values()) < 1:
        one_round(min(figures.rounds, key=figures.rounds.get), dice, figures)
    seconds = time.monotonic() - start
    figure("soak, duration", f"{seconds:.0f} s")
    figure("soak, processes ended by SIGTERM or kill -9, and resumed", figures.cut)
    figure("soak, rounds with the undisturbed run's bytes", f"{sum(figures.rounds.values())} of {sum(figures.rounds.values())}")
    for name in CONFIGS:
        peaks, last, files = (figures.per_round(name, column) for column in (2, 3, 4))
        figure(f"soak, {name}: memory gained while training", f"{figures.growth[name]} KiB")
        figure(f"soak, {name}: peak memory of a round", f"{min(peaks)} to {max(peaks)} KiB")
        figure(f"soak, {name}: most open files of a round", f"{min(files)} to {max(files)}")
        assert max(peaks) - peaks[0] <= MARGIN, f"{name}: peak memory of the rounds: {peaks} KiB"
        assert max(last) - last[0] <= MARGIN, f"{name}: last memory of the rounds: {last} KiB"
        assert max(files) - files[0] <= 2, f"{name}: most open files of the rounds: {files}"


if __name__ == "__main__":
    run_tests([soak])
