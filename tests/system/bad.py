#!/usr/bin/env python3
"""bad.py [NAME...]: bad input of every sort, and beside it the good input that is nearly the same.

The cases are the rows of the tables in tests/cases; with NAMEs only those that have one of them in theirs. Each runs
with the sanitized and the plain build; tests/cases/harness.py says what is asserted. Prints TAP."""
import os
import shutil
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from cases import base, command, data, harness, initialize, lint, model, network, optim, pictures, schema, text  # noqa: E402
from cases import augment, programme  # noqa: E402

GROUPS = (command, text, schema, network, data, pictures, model, lint, initialize, optim)
GROUPS = (*GROUPS, augment)
BUILDS = (("asan", "build/asan/bin"), ("plain", "bin"))


def explain(case, failures):
    seen = None
    for build, wrong, result in failures:
        if wrong == seen:
            print(f"# {build}: the same")
            continue
        seen = wrong
        print(f"# {build}: " + "\n#   ".join(wrong))
        for line in (result.out + result.err).decode(errors="backslashreplace").split("\n")[:30]:
            print(f"#     {line[:300]}")


def audit(number, names):
    """The last test: each bad input that the programme numbers is tested, or it is said why not."""
    wrong, tested, explained, missing = programme.audit(names)
    print(f"{'not ok' if wrong else 'ok'} {number} - the programme: each of its {len(programme.IDS)} inputs is tested or explained"
          + (f" # SKIP still missing: {len(missing)}" if missing and not wrong else ""))
    print("".join(f"# {fault}\n" for fault in wrong), end="")
    print(f"# figure: the programme's numbered bad inputs: {len(tested)} tested, {len(explained)} explained, "
          f"{len(missing)} missing, of {len(programme.IDS)}")
    if missing:
        print("# missing: " + " ".join(missing))


def main(names):
    work = harness.scratch("bad.")
    copies = tempfile.mkdtemp(prefix="bad.")
    os.chmod(copies, 0o755)
    try:
        for build, programs in BUILDS:  # copied, so that any user can run them
            shutil.copytree(os.path.join(ROOT, programs), os.path.join(copies, build))
        template = os.path.join(work, "template")
        trained = base.make_template(template, os.path.join(copies, "plain"))
        cases = [case for group in GROUPS for case in group.cases(trained)]
        every = [case.name for case in cases]
        cases = [case for case in cases if not names or any(name in case.name for name in names)]
        print(f"1..{len(cases) + 1}")
        for number, case in enumerate(cases, 1):
            failures = []
            for build, _ in BUILDS:
                directory = os.path.join(work, "case")
                result = harness.run(case, os.path.join(copies, build), template, directory)
                wrong = harness.check(case, result, directory, build == "plain")
                failures += [(build, wrong, result)] if wrong else []
            print(f"{'not ok' if failures else 'ok'} {number} - {case.name}")
            explain(case, failures)
        audit(len(cases) + 1, every)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(copies, ignore_errors=True)


main(sys.argv[1:])
