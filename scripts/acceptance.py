#!/usr/bin/env python3
"""acceptance.py [NAME...]: the figures of the reliability programme in full (`make acceptance`).

Runs tests/system/bad.py and each program of tests/reliability with TIER=full, two at a time and the long ones first, or only
those whose name holds one of the NAMEs. Each prints TAP, and its figures as lines `# figure: WHAT: VALUE`. What a program said
is kept in build/acceptance/NAME.json when it has ended, with its commit, date and duration, and build/acceptance.md is written
anew from all that are there: so a part that is run again replaces its own rows, and nothing that was measured is lost when
the rest is interrupted. Exit: 0 all that ran now passed, 1 something failed."""
import concurrent.futures
import datetime
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEPT = os.path.join(ROOT, "build", "acceptance")
FIRST = ("soak", "fuzz", "mutants")  # the longest start first: the others fit beside them


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def commit():
    changed = output_of("git", "status", "--porcelain", "--untracked-files=no")
    return output_of("git", "rev-parse", "--short=10", "HEAD") + (" with changes" if changed else "")


def programs(names):
    folder = os.path.join("tests", "reliability")
    found = [os.path.join(folder, name) for name in os.listdir(os.path.join(ROOT, folder)) if name.endswith(".py")]
    found.append(os.path.join("tests", "system", "bad.py"))
    name_of = lambda path: os.path.basename(path)[:-3]  # noqa: E731
    found = [path for path in found if not names or any(name in name_of(path) for name in names)]
    return sorted(found, key=lambda path: (FIRST.index(name_of(path)) if name_of(path) in FIRST else len(FIRST), path))


def figures(text):
    """Pairs (what, value) of the lines `# figure: WHAT: VALUE`; VALUE is behind the last ": "."""
    lines = re.findall(r"^# figure: (.*)$", text, re.M)
    return [line.rsplit(": ", 1) if ": " in line else (line, "") for line in lines]


def run(path):
    """Runs the program at path; writes what it found to KEPT, its whole output beside."""
    name, start, version = os.path.basename(path)[:-3], time.monotonic(), commit()
    print(f"{name}: starts", flush=True)
    environment = dict(os.environ, TIER="full", LC_ALL="C")
    with open(os.path.join(KEPT, name + ".log"), "w+", encoding="utf-8", errors="replace") as log:
        status = subprocess.call([sys.executable, path], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=subprocess.STDOUT)
        log.seek(0)
        text = log.read()
    skipped = re.findall(r"^(?:not )?ok \d+ (?:- )?(.*# SKIP.*)$", text, re.M | re.I)
    passed = len(re.findall(r"^ok ", text, re.M)) - len([1 for line in re.findall(r"^ok .*", text, re.M) if "# skip" in line.lower()])
    failed = re.findall(r"^not ok \d+ (?:- )?((?:(?!# SKIP).)*)$", text, re.M | re.I)
    result = {"name": name, "path": path, "status": status, "passed": passed, "failed": failed, "skipped": skipped,
              "figures": figures(text), "seconds": time.monotonic() - start, "commit": version,
              "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")}
    good = status == 0 and not failed and passed > 0
    result["good"] = good
    with open(os.path.join(KEPT, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
    write()
    print(f"{name}: {passed} passed, {len(failed)} failed, {len(skipped)} skipped, {result['seconds']:.0f} s"
          + ("" if good else f"  FAILED ({KEPT}/{name}.log)"), flush=True)
    return good


def duration(seconds):
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def write():
    """build/acceptance.md: a table of the programs, and under it each one's figures."""
    results = []
    for name in sorted(os.listdir(KEPT)):
        if name.endswith(".json"):
            with open(os.path.join(KEPT, name), encoding="utf-8") as file:
                results.append(json.load(file))
    lines = ["# Acceptance", "", "| program | passed | failed | skipped | took | date | commit |", "|---|---|---|---|---|---|---|"]
    for result in results:
        lines.append(f"| `{result['path']}` | {result['passed']} | {len(result['failed'])}{'' if result['good'] else ' (failed)'} | "
                     f"{len(result['skipped'])} | {duration(result['seconds'])} | {result['date']} | {result['commit']} |")
    for result in results:
        lines += ["", f"## {result['name']}", ""]
        if result["figures"]:
            lines += ["| figure | |", "|---|---|"]
            lines += [f"| {what.replace('|', ' ')} | {value} |" for what, value in result["figures"]]
        lines += [f"\nfailed: {name}" for name in result["failed"]] + [f"\nskipped: {name}" for name in result["skipped"]]
    new = os.path.join(ROOT, "build", "acceptance.md.new")
    with open(new, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    os.replace(new, os.path.join(ROOT, "build", "acceptance.md"))


def main(names):
    os.makedirs(KEPT, exist_ok=True)
    chosen = programs(names)
    if not chosen:
        sys.exit("acceptance.py: no program has one of these names: " + " ".join(names))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        good = list(pool.map(run, chosen))
    print(f"{sum(good)} of {len(good)} programs passed; figures in build/acceptance.md")
    sys.exit(0 if all(good) else 1)


main(sys.argv[1:])
