#!/usr/bin/env python3
"""fuzzing.py [options] [TARGET...]: run fuzz targets (all without names), as `make fuzz` does.

  --seconds N      fuzz each for N seconds (default 60)
  --jobs N         N at a time (default 1)
  --ledger         append what was done to tests/fuzz/LEDGER.csv
  --replay         only run each input of the corpora and of the regressions once
  --merge DIR      put what DIR/TARGET adds in coverage into the corpora, keep of them only what is needed
  --record LOG     append a run of the TARGET made by hand to the ledger, by what libFuzzer printed; with --commit and --note

The targets are built by `make fuzz` (build/fuzz/targets). A run starts from tests/fuzz/corpus/TARGET.tar.xz and from what
earlier runs have found, build/fuzz/corpus/TARGET. What ends a run is left in build/fuzz/found/TARGET; it belongs, once
mended, into tests/fuzz/regressions/TARGET under a name that says what it was. Exit: 0 nothing found, 1 something found
or a target is not there.
"""
import argparse
import concurrent.futures
import csv
import datetime
import glob
import os
import re
import shutil
import subprocess
import sys
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", "fuzz")
LEDGER = os.path.join(HERE, "LEDGER.csv")
COLUMNS = ("target", "commit", "date", "executions", "seconds", "crashes", "leaks", "timeouts", "note")
# The limit of time that counts is of processor time, 2 s (fuzz.c); libFuzzer's is for what waits.
LIMITS = ("-rss_limit_mb=512", "-malloc_limit_mb=256", "-timeout=300")
# The longest input that is tried: what is long is slow, and seldom says more.
MOST_BYTES = {"config": 2048, "model_eval": 512, "roundtrip": 512, "num": 64, "cli": 512}
MORE_BYTES = 4096


class Run:
    """What came of one run of a target."""

    def __init__(self, target, status, log, found):
        self.target, self.status, self.log = target, status, log
        self.executions = number(r"stat::number_of_executed_units: *(\d+)", log)
        self.seconds = number(r"Done \d+ runs in (\d+) second", log)
        names = [os.path.basename(path) for path in found]
        self.leaks = sum(name.startswith("leak-") for name in names)
        self.timeouts = sum(name.startswith("timeout-") for name in names) + log.count("fuzz: timeout:")
        self.crashes = sum(name.startswith(("crash-", "oom-")) for name in names) - log.count("fuzz: timeout:")
        if status != 0 and not names:
            self.crashes = 1
        self.found = found

    @property
    def good(self):
        return self.status == 0 and not self.crashes + self.leaks + self.timeouts


def number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def targets():
    return sorted(os.path.basename(path)[7:-2] for path in glob.glob(os.path.join(HERE, "target_*.c")))


def program(target):
    return os.path.join(BUILD, "targets", target)


def folder(*names):
    path = os.path.join(BUILD, *names)
    os.makedirs(path, exist_ok=True)
    return path


def packed(target):
    return os.path.join(HERE, "corpus", target + ".tar.xz")


def unpack(target):
    """The committed corpus as a directory, newly unpacked."""
    path = folder("seeds", target)
    shutil.rmtree(path)
    os.makedirs(path)
    if os.path.exists(packed(target)):
        with tarfile.open(packed(target)) as archive:
            archive.extractall(path)
    return path


def regressions(target):
    return sorted(glob.glob(os.path.join(HERE, "regressions", target, "*")))


def dictionary():
    """The keys and words of all types, from the option tables, for libFuzzer."""
    text = subprocess.run([program("config"), "--list"], capture_output=True, text=True, check=True).stdout
    words = sorted({word for line in text.splitlines() for word in re.findall(r"[a-z][a-z0-9_]+", line.split("  - ")[0][:100])})
    path = os.path.join(folder(), "config.dict")
    with open(path, "w") as file:
        file.writelines(f'"{word}"\n' for word in [*words, "<<: *a", "&a ", "*a", "${HOME}", "\\x1e", "{type: ", "- repeat: {"])
    return path


def call(target, arguments, environment=None):
    found = folder("found", target)
    before = set(os.listdir(found))
    command = [program(target), *LIMITS, f"-artifact_prefix={found}/", "-print_final_stats=1", *arguments]
    done = subprocess.run(command, capture_output=True, cwd=BUILD, env={**os.environ, **(environment or {})})
    new = [os.path.join(found, name) for name in sorted(set(os.listdir(found)) - before) if not name.startswith("slow-")]
    return Run(target, done.returncode, done.stderr.decode(errors="replace"), new)


def replay(target, environment=None):
    """Each input of the corpus and of the regressions once."""
    corpus = unpack(target)
    files = [os.path.join(corpus, name) for name in sorted(os.listdir(corpus))] + regressions(target)
    run = call(target, ["-runs=1", *files], environment)
    run.executions = len(files)
    return run


def fuzz(target, seconds, environment=None):
    arguments = [f"-max_total_time={seconds}", f"-max_len={MOST_BYTES.get(target, MORE_BYTES)}"]
    if target == "config":
        arguments.append(f"-dict={dictionary()}")
    return call(target, arguments + [folder("corpus", target), unpack(target)], environment)


def merge(target, more):
    """The corpus anew: of itself, of earlier runs and of `more` the fewest and smallest that reach as far."""
    kept = folder("merged", target)
    shutil.rmtree(kept)
    os.makedirs(kept)
    places = [place for place in (unpack(target), folder("corpus", target), os.path.join(more, target))
              if os.path.isdir(place)]
    run = call(target, ["-merge=1", f"-max_len={MOST_BYTES.get(target, MORE_BYTES)}", kept, *places])
    if not run.good:
        return run
    os.makedirs(os.path.join(HERE, "corpus"), exist_ok=True)
    with tarfile.open(packed(target), "w:xz") as archive:
        for name in sorted(os.listdir(kept)):
            entry = tarfile.TarInfo(name)
            with open(os.path.join(kept, name), "rb") as file:
                entry.size = os.fstat(file.fileno()).st_size
                archive.addfile(entry, file)
    run.executions = len(os.listdir(kept))
    return run


def commit():
    def git(*words):
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain", "src") else "")


def record(run, which=None, note=""):
    """Append a run to the ledger. A commit with a + had changes beside it."""
    new = not os.path.exists(LEDGER)
    with open(LEDGER, "a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        writer.writerow((run.target, which or commit(), datetime.date.today(), run.executions, run.seconds, run.crashes,
                         run.leaks, run.timeouts, note))


def ledger():
    with open(LEDGER, newline="") as file:
        return list(csv.DictReader(file))


def explain(run):
    for path in run.found:
        print(f"  {os.path.relpath(path, ROOT)}")
    for line in run.log.splitlines()[-60:]:
        print(f"  | {line[:200]}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--ledger", action="store_true")
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--merge")
    parser.add_argument("--record")
    parser.add_argument("--commit")
    parser.add_argument("--note", default="")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    chosen = options.targets or targets()
    missing = [target for target in chosen if not os.path.exists(program(target))]
    if missing:
        sys.exit(f"fuzzing.py: not built (make fuzz): {', '.join(missing)}")
    if options.record:
        with open(options.record, errors="replace") as file:
            log = file.read()
        status = 0 if "stat::number_of_executed_units" in log and "SUMMARY:" not in log else 1
        record(Run(chosen[0], status, log, []), options.commit, options.note)
        return 0

    def work(target):
        if options.merge:
            return merge(target, options.merge)
        return replay(target) if options.replay else fuzz(target, options.seconds)

    good = True
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for run in pool.map(work, chosen):
            print(f"{run.target:12} {run.executions:12,} {'inputs' if options.merge or options.replay else 'executions'}"
                  f" {run.seconds:6} s  {run.crashes} crashes, {run.leaks} leaks, {run.timeouts} timeouts", flush=True)
            good &= run.good
            if not run.good:
                explain(run)
            if options.ledger:
                record(run, options.commit, options.note)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
