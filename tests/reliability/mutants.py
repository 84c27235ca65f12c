#!/usr/bin/env python3
"""Mutants: deliberate faults in the source, one at a time, that a test must notice.

The table is lib/mutant_table.py: a file of src/, a text that stands in it once, what takes its place, and the tests one of which
must fail then. In a copy of the tree under build/mutants each fault is put in, what it touches is built, the tests run: one must
fail (also by a sanitizer's or a time limit's word). Before, each of these tests must pass there without any fault. A mutant
that does not compile, or whose text is no longer there exactly once, fails: the table has to follow the source.

TIER=ci: those that a generator seeded by the commit (or MUTANTS_SEED) draws, until 45 s are over. TIER=full: all.
`mutants.py WORD...` runs those whose file or description holds one of the WORDs."""
import os
import random
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "lib")]
from mutant_table import MUTANTS  # noqa: E402
from runs import ROOT  # noqa: E402

COPY = os.path.join(ROOT, "build", "mutants")
VARIANTS = ("asan", "release")
CI_SECONDS = 40
# The caches and sanitizers of whoever calls are not ours; a fault may make any loop endless.
ENVIRONMENT = {**{key: value for key, value in os.environ.items() if key not in ("BIN", "TIER", "MAKEFLAGS")},
               "OMP_WAIT_POLICY": "passive", "LC_ALL": "C", "CMOCKA_MESSAGE_OUTPUT": "TAP"}


def copy_tree():
    """The sources with their times, and the objects that are built: make then builds only what a fault touches."""
    shutil.rmtree(COPY, ignore_errors=True)
    for name in ("src", "tests", "configs", "scripts", "man", "Makefile", "README.md", os.path.join("data", "digits")):
        path, to = os.path.join(ROOT, name), os.path.join(COPY, name)
        if os.path.isdir(path):
            shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"))
        elif os.path.exists(path):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy2(path, to)
    for name in ("vendor", os.path.join("data", "mnist")):
        if os.path.exists(os.path.join(ROOT, name)):
            os.symlink(os.path.join(ROOT, name), os.path.join(COPY, name))
    for variant in (*VARIANTS, "embedded"):
        for folder, folders, names in os.walk(os.path.join(ROOT, "build", variant)):
            folders[:] = [name for name in folders if name not in ("unit", "bin") or "tests" in folder]
            to = os.path.join(COPY, os.path.relpath(folder, ROOT))
            os.makedirs(to, exist_ok=True)
            for name in names:
                if name.endswith((".o", ".d", ".a", ".inc")) or name == "flags":
                    shutil.copy2(os.path.join(folder, name), os.path.join(to, name))


def compiler(variant):
    """The CC that the objects were built with: it is part of the flags, a change of which rebuilds all."""
    try:
        with open(os.path.join(COPY, "build", variant, "flags"), encoding="utf-8") as f:
            return f.read().split(" -D_GNU_SOURCE")[0]
    except OSError:
        return os.environ.get("CC", "cc")


def build(test):
    """An error text, or None."""
    for variant in [test.split("/")[1]] if test.startswith("unit/") else VARIANTS:
        target = f"build/{variant}/unit/{test.split('/')[2]}" if test.startswith("unit/") else "all"
        done = subprocess.run(["make", "-s", f"VARIANT={variant}", f"CC={compiler(variant)}", target], cwd=COPY,
                              env=ENVIRONMENT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return (done.stdout + done.stderr)[-2000:]
    return None


def passes(test, seconds):
    name, *words = test.split()
    command = [os.path.join("build", *name.split("/")[1::-1], *name.split("/")[2:])] if name.startswith("unit/") else \
        ["bats", os.path.join("tests", name)] if name.endswith(".bats") else [sys.executable, os.path.join("tests", name), *words]
    try:
        done = subprocess.run(command, cwd=COPY, env=dict(ENVIRONMENT, TIER="ci"), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=seconds, check=False)
        return done.returncode == 0 and not re.search(rb"^not ok (?!.*# SKIP)", done.stdout, re.M)
    except subprocess.TimeoutExpired:
        return False


SOUND = {}  # test -> seconds that it takes without a fault; None: it fails


def seconds_of(test):
    if test not in SOUND:
        fault = build(test)
        start = time.monotonic()
        good = fault is None and passes(test, 600)
        SOUND[test] = time.monotonic() - start if good else None
        if not good:
            print(f"# {test} {'cannot be built: ' + fault if fault else 'fails'} without any mutant")
    return SOUND[test]


def restore(path, text):
    """As it was, but newer than what was built of the fault, which is built anew then: taking the object away would not do, make
    remakes no missing object of a library that is up to date (.SECONDARY)."""
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def verdict(mutant):
    """None when a test notices the mutant, else what is wrong."""
    file, old, new, tests = mutant[:4]
    path = os.path.join(COPY, "src", file)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if text.count(old) != 1:
        return f"the text stands {text.count(old)} times in src/{file}"
    times = [seconds_of(test) for test in tests]
    if None in times:
        return "a test fails without the mutant"
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(old, new))
        for test, seconds in zip(tests, times):
            fault = build(test)
            if fault is not None:
                return "does not compile: " + fault
            if not passes(test, 20 + 4 * seconds):
                return None
    finally:
        restore(path, text)
    return f"survives {', '.join(tests)}"


def chosen():
    full = os.environ.get("TIER") == "full"
    words = sys.argv[1:]
    if words:
        return [m for m in MUTANTS if any(word in m[0] or word in m[4] for word in words)], None
    if full:
        return MUTANTS, None
    seed = os.environ.get("MUTANTS_SEED") or \
        subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    print(f"# seed: {seed}")
    # mutants whose tests are whole programs are too slow here
    cheap = [m for m in MUTANTS if all(test.startswith("unit/") for test in m[3])]
    return random.Random(seed).sample(cheap, len(cheap)), time.monotonic() + CI_SECONDS


def check_table():
    """Of all mutants, at every tier: their texts are there."""
    faults = []
    for file, old, new, tests, what in MUTANTS:
        with open(os.path.join(ROOT, "src", file), encoding="utf-8") as f:
            count = f.read().count(old)
        if count != 1 or old == new:
            faults.append(f"{file}: {what}: its text stands {count} times in the source")
        faults += [f"{file}: {what}: no test {test}" for test in tests if not os.path.exists(
            os.path.join(ROOT, "tests", re.sub(r"^unit/\w+/(\w+)$", r"unit/\1.c", test.split()[0])))]
    return faults


def main():
    faults = check_table()
    print(f"{'not ok' if faults else 'ok'} 1 - the text of each of {len(MUTANTS)} mutants is in its file once, its tests exist", flush=True)
    print("".join(f"# {fault}\n" for fault in faults), end="")
    mutants, deadline = chosen()
    copy_tree()
    number, noticed = 1, 0
    for mutant in mutants:
        if deadline and time.monotonic() > deadline and number > 5:
            break
        start = time.monotonic()
        fault = verdict(mutant)
        number += 1
        noticed += fault is None
        print(f"{'not ok' if fault else 'ok'} {number} - {mutant[0]}: {mutant[4]}: noticed ({time.monotonic() - start:.1f} s)", flush=True)
        if fault:
            print("\n".join("# " + line for line in fault.splitlines()), flush=True)
    print(f"# figure: mutants noticed: {noticed} of {number - 1}")
    print(f"1..{number}")
    shutil.rmtree(COPY, ignore_errors=True)
    sys.exit(bool(faults) or noticed < number - 1)


main()
