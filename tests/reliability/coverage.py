#!/usr/bin/env python3
"""Which lines of the readers of foreign bytes the tests run: at least 95 % of them, in all and 85 % in each file.

Everything is built once more into build/coverage with gcc's --coverage (kernels of the generic level alone), the unit tests of
what reads files and texts are run, then all cases of tests/system/bad.py and what reads logs and damaged models, and gcov says which lines were not reached. Prints
a table by file, with the numbers of the lines that were not. Lines that only answer a failed allocation are not run here: for
them tests/reliability/allocations.py lets each fail; they are counted apart, not left out.
TIER=full only: in CI it prints that it was skipped."""
import glob
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from runs import ROOT, Skip, environment, run_tests  # noqa: E402

LEAST, LEAST_OF_FILE = 95.0, 85.0
BUILD = os.path.join(ROOT, "build", "coverage")
READERS = """base/text base/text_duration base/text_words base/safetensors_* base/tensor_file config/* data/gzip
             data/idx data/idx_file data/png data/png_chunks data/png_data data/jpeg data/csv data/folder data/image
             data/image_list data/source train/log_read train/compare train/model report/curves tools/cli_parse""".split()
UNIT = """text* safetensors* tensor_file yaml* option* gzip idx image image_list input dataset log model checkpoint file
          initialize loading error lint training_report page_json""".split()
SYSTEM = ("bad.py", "curves.py", "doctor.py", "verify.py")


def sources():
    found = {path for name in READERS for path in glob.glob(os.path.join(ROOT, "src", name + ".c"))}
    return sorted(os.path.relpath(path, ROOT) for path in found)


def run(*command, **changes):
    return subprocess.run(command, cwd=ROOT, env=environment(**changes), capture_output=True, text=True, check=False)


def build_and_run():
    tests = sorted({os.path.basename(path)[:-2] for name in UNIT
                    for path in glob.glob(os.path.join(ROOT, "tests", "unit", f"test_{name}.c"))})
    done = run("make", "-s", "-j2", "VARIANT=coverage", "LEVELS=generic", f"CC={os.environ.get('CC', 'gcc')}", "all",
               *(f"build/coverage/unit/{test}" for test in tests), CPPFLAGS="-DGENERIC_ONLY")
    assert done.returncode == 0, done.stderr[-3000:]
    for path in glob.glob(os.path.join(BUILD, "**", "*.gcda"), recursive=True):
        os.remove(path)
    for test in tests:
        done = run(os.path.join(BUILD, "unit", test))
        assert done.returncode == 0, f"{test}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    # what they say, they say with other builds: here only the lines matter
    for name in SYSTEM:
        run(sys.executable, os.path.join(ROOT, "tests", "system", name), BUILDS="build/coverage/bin", BIN=os.path.join(BUILD, "bin"))
    return len(tests)


def lines_of(source):
    """{line: times run}: the most of the functions that it belongs to."""
    found = {}
    notes = os.path.join(BUILD, source[:-2] + ".gcno")
    done = subprocess.run(["gcov", "--json-format", "--stdout", notes], cwd=ROOT, capture_output=True, text=True, check=True)
    for text in done.stdout.splitlines():
        for file in json.loads(text)["files"]:
            if os.path.relpath(os.path.join(ROOT, file["file"]), ROOT) == source:
                for line in file["lines"]:
                    found[line["line_number"]] = max(found.get(line["line_number"], 0), line["count"])
    return found


def ranges(numbers):
    """"3, 7-9" for [3, 7, 8, 9]."""
    parts = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


def readers_are_tested():
    """tests run 95 % of the lines that read foreign bytes"""
    if os.environ.get("TIER") != "full":
        raise Skip("takes minutes: with TIER=full only")
    if not shutil.which("gcov"):
        raise Skip("gcov is not installed")
    count = build_and_run()
    total = hit = memory = 0
    poor = []
    for source in sources():
        with open(os.path.join(ROOT, source), encoding="utf-8") as f:
            text = [""] + f.read().split("\n")
        lines = lines_of(source)
        missed = sorted(number for number, times in lines.items() if times == 0)
        out_of_memory = [number for number in missed if "error_memory(" in text[number] or "out_of_memory(" in text[number]
                         or "no_memory(" in text[number]]
        share = 100 * (len(lines) - len(missed)) / len(lines)
        print(f"# {source:34} {len(lines) - len(missed):4} of {len(lines):4} {share:6.1f} %  {ranges(missed)}")
        total += len(lines)
        hit += len(lines) - len(missed)
        memory += len(out_of_memory)
        poor += [source] if share < LEAST_OF_FILE else []
    share = 100 * hit / total
    print(f"# figure: lines of {len(sources())} readers run by {count} unit tests, the bad inputs and {len(SYSTEM) - 1} system tests: {share:.1f} % ({hit} of {total})")
    print(f"# figure: of the {total - hit} others, answers to a failed allocation: {memory}")
    assert share >= LEAST and not poor, f"{share:.1f} %, poor: {poor}"


run_tests([readers_are_tested])
