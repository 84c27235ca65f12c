#!/usr/bin/env python3
"""The rules that a machine can check: floors of the source, forbidden calls, lengths, format. Prints TAP."""
import os
import re
import shutil
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))

# A file may include its own folder and lower floors.
FLOORS = {"base": 0, "kernels": 1, "config": 1, "net": 2, "optim": 2, "data": 2, "train": 3, "teach": 4,
          "report": 4, "view": 4, "tools": 5}
FORBIDDEN = r"\b(atoi|atof|atoll?|v?sprintf|st[rp]cpy|strcat|gets|[sf]?scanf|s?rand|random|alloca|system|popen|execvp|strtok(_r)?|" \
            r"localtime|gmtime|ctime|asctime|mktemp|tmpnam|tempnam|putenv|setenv|chdir|dlopen|setlocale)\s*\("
# libjpeg's way out of an error in a picture.
SETJMP, MAY_SETJMP = r"\b(sig)?(set|long)jmp\s*\(", {"src/data/jpeg.c"}
MOST_LINES = 400
TOP = {".ci", ".clang-format", ".clang-tidy", ".gitignore", "Makefile", "README.md", "SECURITY.md", "configs", "data", "docs", "man",
       "scripts", "src", "tests"}


def sources():
    for folder, _, files in sorted(os.walk("src")):
        for name in sorted(files):
            if name.endswith((".c", ".h", ".def")):
                yield os.path.join(folder, name)


def lines_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def floors():
    for path in sources():
        room = path.split(os.sep)[1]
        for number, line in enumerate(lines_of(path), 1):
            included = re.match(r'\s*#include "([^/"]+)/', line)
            if not included:
                continue
            other = included.group(1)
            if other not in FLOORS:
                yield f"{path}:{number}: includes from '{other}', which is no floor"
            elif other != room and FLOORS[other] >= FLOORS[room]:
                yield f"{path}:{number}: {room} (floor {FLOORS[room]}) includes {other} (floor {FLOORS[other]})"


def forbidden_calls():
    for path in sources():
        for number, line in enumerate(lines_of(path), 1):
            if (re.search(FORBIDDEN, line) or (re.search(SETJMP, line) and path not in MAY_SETJMP)) and not line.lstrip().startswith(("*", "/*")):
                yield f"{path}:{number}: {line.strip()}"


def lengths():
    for path in sources():
        count = len(lines_of(path))
        if count > MOST_LINES:
            yield f"{path}: {count} lines, at most {MOST_LINES}"


def printing():
    """Only src/tools prints to the standard streams or exits."""
    for path in sources():
        if path.startswith("src/tools/"):
            continue
        for number, line in enumerate(lines_of(path), 1):
            if re.search(r"\b(printf|puts|exit|_exit|abort)\s*\(|\bstderr\b|\bstdout\b", line) and \
                    not line.lstrip().startswith(("*", "/*")):
                yield f"{path}:{number}: {line.strip()}"


def arithmetic_flags():
    for path in ["Makefile"]:
        for number, line in enumerate(lines_of(path), 1):
            if re.search(r"-ffast-math|-Ofast|-ffp-contract=fast|-funsafe", line):
                yield f"{path}:{number}: {line.strip()}"


def top():
    """What tests and people leave in the working tree is not committed with the rest."""
    files = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=False).stdout.split("\0")
    for name in sorted({path.split("/")[0] for path in files if path} - TOP):
        yield f"{name}: not one of what stands at the top"


def examples():
    """Every line of a .def list has its type in the source."""
    for path in sources():
        if not path.endswith(".def"):
            continue
        for kind, name in re.findall(r"^([A-Z]+)\((\w+)\)", "\n".join(lines_of(path)), re.M):
            pattern = rf"\b{'LAYER' if kind == 'ACTIVATION' else kind}_{name}\b|DEFINE\({name},"
            if not any(re.search(pattern, "\n".join(lines_of(p))) for p in sources() if p.endswith(".c")):
                yield f"{path}: {kind}({name}) is defined nowhere"


def format_of_source():
    files = [p for p in sources() if p.endswith((".c", ".h"))]
    result = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], capture_output=True, text=True)
    return result.stderr.splitlines()[:20] if result.returncode else []


CHECKS = [("a file includes only lower floors", floors), ("no forbidden call", forbidden_calls),
          (f"no file over {MOST_LINES} lines", lengths), ("only the tools print and exit", printing),
          ("no flag that breaks reproducible arithmetic", arithmetic_flags),
          ("every line of a .def list has its type", examples), ("nothing else stands at the top", top)]

number = failed = 0
for title, check in CHECKS:
    number += 1
    faults = list(check())
    failed += bool(faults)
    print(f"{'not ok' if faults else 'ok'} {number} - style: {title}")
    for fault in faults:
        print(f"# {fault}")
number += 1
if not shutil.which("clang-format"):
    print(f"ok {number} - style: the format of .clang-format # SKIP clang-format is not installed")
else:
    faults = format_of_source()
    failed += bool(faults)
    print(f"{'not ok' if faults else 'ok'} {number} - style: the format of .clang-format")
    for fault in faults:
        print(f"# {fault}")
print(f"1..{number}")
sys.exit(failed > 0)
