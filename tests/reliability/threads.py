#!/usr/bin/env python3
"""Data races: what a user does, with four threads, under clang's thread sanitizer.

The commands are built into build/tsan (VARIANT=tsan, clang, libomp); Archer tells the sanitizer of OpenMP's own barriers, and
that it is there is asserted, else all would look racy or nothing would be checked. lib/small_runs.py says what is run: layers with
and without state, Winograd's kernels, fewer tiles than threads, pictures that the threads decode and augment, going on from a
checkpoint, evaluation, prediction, drawing. Asserted: no report. And a program with a race on purpose must be reported.
TIER=ci: kernels of the generic level only, which are divided among threads as all are; TIER=full: those of this machine's level,
and with 2, 3, 4 and 8 threads."""
import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "lib")]
from runs import ROOT, Skip, environment, run_tests, write  # noqa: E402
from small_runs import COMMANDS, make_files  # noqa: E402

FULL = os.environ.get("TIER") == "full"
CLANG = os.environ.get("TSAN_CC", "clang")
RACE = """\
#include <stdio.h>
int main(void)
{
    int sum = 0;
#pragma omp parallel for num_threads(4)
    for (int i = 0; i < 4000; i++) {
        sum += i;
    }
    printf("%d\\n", sum);
    return 0;
}
"""


def archer():
    found = [path for pattern in ("/usr/lib/llvm-*/lib/libarcher.so", "/usr/lib*/libarcher.so", "/usr/lib/*/libarcher.so")
             for path in sorted(glob.glob(pattern))]
    if not shutil.which(CLANG.split()[-1]) or not found:
        raise Skip("clang or Archer (libomp) is not installed")
    return found[-1]


def run(command, threads=4, parallel=True):
    """(exit status, stderr); asserts that Archer was at work, where the command is parallel (what only lists a model never is)."""
    done = subprocess.run([*command], capture_output=True, text=True, timeout=600, check=False, env=environment(
        OMP_TOOL_LIBRARIES=archer(), ARCHER_OPTIONS="verbose=1", OMP_NUM_THREADS=str(threads),
        TSAN_OPTIONS="ignore_noninstrumented_modules=1 exitcode=66 halt_on_error=0"))
    assert not parallel or "Archer detected OpenMP application with TSan" in done.stdout, f"Archer is not at work:\n{done.stderr[-2000:]}"
    return done.returncode, done.stderr


def sees_a_race():
    """a race on purpose is reported"""
    archer()
    write("race.c", RACE)
    subprocess.run([*CLANG.split(), "-O1", "-g", "-fsanitize=thread", "-fopenmp", "race.c", "-o", "race"], check=True)
    code, text = run(["./race"])
    assert code == 66 and "WARNING: ThreadSanitizer: data race" in text, f"exit {code}\n{text[-3000:]}"


def no_races():
    """no data race in training, going on, evaluation, prediction and drawing"""
    archer()
    flags = [] if FULL else ["LEVELS=generic"]
    build = subprocess.run(["make", "-s", "-j2", "VARIANT=tsan", f"CC={CLANG}", *flags, "all"], cwd=ROOT, text=True, check=False,
                           env=dict(os.environ, CPPFLAGS="" if FULL else "-DGENERIC_ONLY"), capture_output=True)
    assert build.returncode == 0, build.stderr[-3000:]
    make_files()
    counts = (2, 3, 4, 8) if FULL else (4,)
    reports = 0
    for threads in counts:
        for folder in ("net", "faces", "perceptron"):
            shutil.rmtree(folder, ignore_errors=True)
        for what, (tool, *arguments) in COMMANDS:
            code, text = run([os.path.join(ROOT, "build", "tsan", "bin", tool), *arguments, "-t", str(threads)], threads,
                             tool in ("cnntrain", "cnneval"))
            assert code == 0 and "ThreadSanitizer" not in text, f"{what}, {threads} threads: exit {code}\n{text[:6000]}"
            reports += text.count("WARNING: ThreadSanitizer")
    print(f"# figure: data races reported in {len(COMMANDS)} commands with {', '.join(map(str, counts))} threads: {reports}")


run_tests([sees_a_race, no_races])
