#!/usr/bin/env python3
"""Valgrind's memcheck over what a user does: train, go on from a checkpoint, evaluate, predict, look.

Asserted of each command: no error (a read or jump by bytes that were never written included, with their origin), and no block
left behind, reachable ones neither, but for libgomp's own (lib/valgrind.supp). At the levels generic and AVX2: valgrind 3.19 has
no AVX-512. TIER=ci: training and going on at AVX2, evaluation and prediction; TIER=full: all at both levels, with one and three
threads."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "lib")]
from runs import BIN, Skip, environment, run_tests  # noqa: E402
from small_runs import COMMANDS, make_files  # noqa: E402

FULL = os.environ.get("TIER") == "full"
VALGRIND = ["valgrind", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=all", "--errors-for-leak-kinds=all",
            "--track-origins=yes", f"--suppressions={os.path.join(HERE, 'lib', 'valgrind.supp')}"]


def run_under(level, threads):
    def test():
        if not shutil.which("valgrind"):
            raise Skip("valgrind is not installed")
        with open("/proc/cpuinfo", encoding="ascii") as file:
            if level == "avx2" and " avx2 " not in file.read():
                raise Skip("no AVX2 here")
        make_files()
        commands = COMMANDS if FULL else COMMANDS[:6]
        errors = 0
        for what, (tool, *arguments) in commands:
            done = subprocess.run([*VALGRIND, os.path.join(BIN, tool), *arguments, "-t", str(threads)], capture_output=True,
                                  text=True, timeout=1000, check=False, env=environment(CNNTRAIN_CPU=level))
            found = re.search(r"ERROR SUMMARY: (\d+) errors", done.stderr)
            assert found, f"{what}: no summary:\n{done.stderr[-3000:]}"
            assert done.returncode == 0 and found.group(1) == "0", f"{what}: exit {done.returncode}\n{done.stderr[:6000]}"
            errors += int(found.group(1))
        print(f"# figure: valgrind, {len(commands)} commands at level {level} with {threads} threads, errors and leaks: {errors}")
    test.__doc__ = f"memcheck finds nothing at level {level} with {threads} thread{'s' * (threads > 1)}"
    return test


run_tests([run_under(level, threads) for level, threads in
           ([("generic", 1), ("generic", 3), ("avx2", 1), ("avx2", 3)] if FULL else [("avx2", 2)])])
