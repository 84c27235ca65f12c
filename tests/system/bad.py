#!/usr/bin/env python3
"""bad.py [NAME...]: bad input of every sort, and beside it the good input that is nearly the same.

The cases are the rows of the tables in tests/cases; with NAMEs only those that have one of them in theirs. Each runs
with the sanitized and the plain build; but what cnneval makes of a file, where the case before is what cnntrain makes of
it by the same code, with the sanitized one only where TIER is set. tests/cases/harness.py says what is asserted. The last
test is that each input that the programme numbers (tests/cases/programme.txt) is tested, or that it is said why not.
Prints TAP."""
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from cases import base, command, data, harness, initialize, lint, model, network, optim, pictures, schema, text  # noqa: E402
from cases import augment, numbers, outputs, png, programme  # noqa: E402

GROUPS = (command, text, schema, network, data, pictures, model, lint, initialize, optim)
GROUPS = (*GROUPS, augment, outputs, numbers, png)
BUILDS = {"asan": "build/asan/bin", "plain": "bin"}
if "BUILDS" in os.environ:  # one folder of commands in place of these: tests/reliability/coverage.py
    BUILDS = dict.fromkeys(BUILDS, os.environ["BUILDS"])
WORKERS = 2


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def build_server(directory, builds):
    """What LD_PRELOAD has to name for server.c to work, of each build; or nothing: every run then pays for its own
    beginning."""
    library = os.path.join(directory, "server.so")
    compiler = ["cc", "-D_GNU_SOURCE", "-O1", "-fPIC", "-shared", os.path.join(ROOT, "tests/cases/server.c"), "-o", library]
    if not shutil.which("cc") or subprocess.run(compiler).returncode != 0:
        return {}
    preload = {}
    for build, programs in builds.items():
        libraries = subprocess.run(["ldd", os.path.join(programs, "cnntrain")], capture_output=True, text=True).stdout
        sanitizer = re.findall(r"/\S*libasan\S*", libraries)  # which comes first, where it is a library
        preload[build] = " ".join([*sanitizer, library])
    return preload


class Work:
    """What each worker has; made before the workers are."""
    cases, template, scratch, builds, preload, programs = [], None, None, {}, {}, None


def begin():
    Work.programs = harness.Programs(Work.builds, Work.preload)


def builds_of(case):
    return ["plain"] if case.name.endswith(" (cnneval)") and not os.environ.get("TIER") else list(BUILDS)


def run_case(index):
    """What is wrong with the case, for each build that fails: build, sentences, what it printed."""
    case, failures = Work.cases[index], []
    directory = os.path.join(Work.scratch, f"case{os.getpid()}")
    for build in builds_of(case):
        result = harness.run(case, Work.programs, build, Work.template, directory)
        wrong = harness.check(case, result, directory, build == "plain")
        failures += [(build, wrong, result.out + result.err)] if wrong else []
    return failures


def explain(failures):
    seen = None
    for build, wrong, printed in failures:
        if wrong == seen:
            print(f"# {build}: the same")
            continue
        seen = wrong
        print(f"# {build}: " + "\n#   ".join(wrong))
        for line in printed.decode(errors="backslashreplace").split("\n")[:30]:
            print(f"#     {line[:300]}")


def audit(number, names):
    """The last test: each bad input that the programme numbers is tested, or it is said why not."""
    wrong, tested, explained, missing = programme.audit(names)
    print(f"{'not ok' if wrong else 'ok'} {number} - the programme: each of its {len(programme.IDS)} inputs is tested or explained")
    print("".join(f"# {fault}\n" for fault in wrong), end="")
    print(f"# figure: the programme's numbered bad inputs: {len(tested)} tested, {len(explained)} explained, "
          f"{len(missing)} missing, of {len(programme.IDS)}")


def compare_with_darknet(cases, failed):
    """What became of the malformed configs that darknet takes or dies of."""
    words = programme.read()[1]
    refused = [case for case in cases if case.name.split(" ")[0] in words and case.command[0] == "cnntrain" and
               case.code == 3 and case.name not in failed]
    placed = [case for case in refused if all(re.search(r":\d+:\d+$", place) for place, _ in case.faults)]
    print(f"# figure: darknet's malformed configs: {len(refused)} of {len(words)} refused, {len(placed)} with line and column, "
          f"{len(refused) - len(placed)} as a whole")


def main(names):
    Work.scratch = harness.scratch("bad.")
    copies = tempfile.mkdtemp(prefix="bad.")
    os.chmod(copies, 0o755)
    try:
        for build, programs in BUILDS.items():  # where any user can run them
            Work.builds[build] = os.path.join(copies, build)
            shutil.copytree(os.path.join(ROOT, programs), Work.builds[build], copy_function=link_or_copy)
        Work.preload = build_server(copies, Work.builds)
        Work.template = os.path.join(Work.scratch, "template")
        trained = base.make_template(Work.template, Work.builds["plain"])
        every = [case for group in GROUPS for case in group.cases(trained)]
        Work.cases = [case for case in every if not names or any(name in case.name for name in names)]
        print(f"1..{len(Work.cases) + 1}", flush=True)
        failed = set()
        with multiprocessing.get_context("fork").Pool(WORKERS, begin) as pool:
            for index, failures in enumerate(pool.imap(run_case, range(len(Work.cases)), chunksize=4)):
                name = Work.cases[index].name
                print(f"{'not ok' if failures else 'ok'} {index + 1} - {name}")
                explain(failures)
                failed |= {name} if failures else set()
            pool.close()
            pool.join()
        audit(len(Work.cases) + 1, [case.name for case in every])
        sanitized = sum("asan" in builds_of(case) for case in Work.cases)
        print(f"# figure: bad inputs and their good twins: {len(Work.cases) - len(failed)} of {len(Work.cases)} cases as expected, "
              f"{sanitized} of them with both builds")
        if not names:
            compare_with_darknet(Work.cases, failed)
    finally:
        shutil.rmtree(Work.scratch, ignore_errors=True)
        shutil.rmtree(copies, ignore_errors=True)


main(sys.argv[1:])
