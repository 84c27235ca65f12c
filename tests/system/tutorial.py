#!/usr/bin/env python3
"""tutorial.py: the commands of docs/tutorial.md, run in their order in a scratch directory, print what stands there. Prints TAP.

A block of sh is run by bash; the block of text behind it is what it prints, both streams; without one it prints nothing. A line
`...` stands for any lines. HTML comments before a block say more about it, any of these, with semicolons between them:
    needs: PATH     skipped where PATH is missing: data that are fetched, or what an earlier block that was skipped makes
    takes: N s      too long for `make test`: run with TIER=full only
    by hand         never run: builds or downloads
    exit: N         ends with this status; without it with 0
    fma             holds figures that floats make. Kernels with fused multiply-add (AVX2, AVX-512) promise each other the same
                    bytes, and there the text is equal; on others the commands are run and their text is not compared
What is another on each machine is taken out of both texts before they are compared: MACHINE below, and nothing else.

`tests/system/tutorial.py --update` writes the outputs anew (`--update FIRST LAST` those of the blocks between these lines, in the
directory that SCRATCH names, where earlier ones have been run); each stays shortened as it was, to as many lines before the first `...`
and behind the last one, and between them to lines that look the same but for their numbers. Look at what git says has changed."""
import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, ROOT, Skip, environment, equal, read_bytes, run_tests, write  # noqa: E402

TUTORIAL = os.path.join(ROOT, "docs", "tutorial.md")
SHORT = "..."
# Times and speeds; memory, kernels and threads of a summary.
MACHINE = [(r"  +\d+\.\d\d s  [\d,]+ images/s$", "  N s  N images/s"),
           (r"^arena [\d,]+ bytes \([\d.]+ [KMG]iB\), \w+ kernels, \d+ threads?$", "arena N bytes"),
           (r"^memory about [\d.]+ [KMG]iB at the peak", "memory about N at the peak")]
BLOCK = re.compile(r"(?P<marks>(?:^<!--.*?-->\n)*)^```sh\n(?P<commands>.*?)^```\n(?:(?P<open>\n*```text\n)(?P<text>.*?)^```\n)?",
                   re.M | re.S)
MARK = re.compile(r"needs: (?P<needs>\S+)|takes: (?P<takes>\d+) s|by hand|exit: (?P<exit>\d+)|fma")


class Block:
    def __init__(self, found, tutorial):
        self.line = tutorial.count("\n", 0, found.start("commands"))
        self.commands, self.text, self.found = found["commands"], found["text"], found
        self.needs, self.takes, self.exit, self.by_hand, self.fma = [], 0, 0, False, False
        for mark in re.split(r";\s*|-->\s*<!--\s*", found["marks"].strip().removeprefix("<!--").removesuffix("-->").strip()):
            known = MARK.fullmatch(mark.strip())
            assert known or not mark, f"docs/tutorial.md:{self.line}: unknown mark '{mark}'"
            self.needs += [known["needs"]] if known and known["needs"] else []
            self.takes += int(known["takes"] or 0) if known else 0
            self.exit = int(known["exit"] or self.exit) if known else self.exit
            self.by_hand |= mark == "by hand"
            self.fma |= mark == "fma"


def blocks_of(tutorial):
    return [Block(found, tutorial) for found in BLOCK.finditer(tutorial)]


def scratch():
    """A directory that looks like the clone and in which runs can be written."""
    directory = os.environ.get("SCRATCH")
    if not directory:
        memory = "/dev/shm"  # each epoch of a run waits for the disk otherwise
        directory = tempfile.mkdtemp(prefix="cnntrain-tutorial-", dir=memory if os.access(memory, os.W_OK) else None)
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
    for name, target in [("bin", BIN)] + [(name, os.path.join(ROOT, name)) for name in ("configs", "data", "docs", "scripts")]:
        if not os.path.lexists(os.path.join(directory, name)):
            os.symlink(target, os.path.join(directory, name))
    return directory


def surroundings():
    """The environment of commands: a student's locale; CNNTRAIN_CPU=generic holds for them too."""
    result = {**environment(), **{key: value for key, value in os.environ.items() if key == "CNNTRAIN_CPU"}}
    result.pop("COLUMNS", None)
    result["LC_ALL"] = "C.UTF-8"
    return result


def run(block, directory):
    """What its commands print."""
    if block.by_hand:
        raise Skip("by hand")
    if block.takes and os.environ.get("TIER") != "full":
        raise Skip(f"takes {block.takes} s: TIER=full")
    for path in block.needs:
        if not os.path.exists(os.path.join(directory, path)):
            raise Skip(f"no {path}")
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", block.commands], cwd=directory, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=surroundings())
    assert done.returncode == block.exit, f"exit {done.returncode}, not {block.exit}:\n{done.stdout}"
    return done.stdout


def lines_of(text):
    """Lines without what depends on the machine."""
    result = text.splitlines()
    for pattern, replacement in MACHINE:
        result = [re.sub(pattern, replacement, line) for line in result]
    return result


def pieces_of(lines):
    """The lines between lines `...`: n + 1 lists for n of these."""
    pieces = [[]]
    for line in lines:
        if line == SHORT:
            pieces.append([])
        else:
            pieces[-1].append(line)
    return pieces


def difference(want, got):
    """None, or the first line of the tutorial's that is not printed, and what is."""
    pieces = pieces_of(want)
    position = 0
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        starts = range(position, len(got) - len(piece) + 1) if number else [0]
        starts = [len(got) - len(piece)] if last and number else starts
        place = next((start for start in starts if start >= position and got[start:start + len(piece)] == piece), None)
        if place is None:
            start = starts[0] if starts and starts[0] >= position else position
            for offset, line in enumerate(piece):
                printed = got[start + offset] if start + offset < len(got) else "(nothing more)"
                if printed != line:
                    return line, printed
            return "(no room for all lines)", "(nothing more)"
        position = place + len(piece)
    return None if position == len(got) else ("(nothing more)", got[position])


def level():
    """The kernels that run here."""
    done = subprocess.run([os.path.join(BIN, "cnntrain"), "-n", "configs/digits.yaml"], cwd=ROOT, check=True, text=True,
                          capture_output=True, env=surroundings())
    return re.search(r"(\w+) kernels", done.stdout + done.stderr)[1]


def lecture_files():
    """scripts/make-lecture.py makes data/lecture, byte for byte"""
    subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "make-lecture.py"), "made"], check=True, timeout=100)
    there = os.path.join(ROOT, "data", "lecture")
    equal(sorted(os.listdir("made")), sorted(os.listdir(there)))
    for name in os.listdir("made"):
        equal(read_bytes(os.path.join("made", name)), read_bytes(os.path.join(there, name)), name)


def seeds_refuses():
    """scripts/seeds.sh fails when a run does, with its message, and says how it is used"""
    for arguments, code, message in (([], 2, "usage: scripts/seeds.sh CONFIG.yaml"), (["none.yaml"], 2, "usage: "),
                                     (["configs/tutorial/few.yaml", "-s train.epochs=2 -s data.limit=x"], 1, "'limit' must be")):
        done = subprocess.run(["scripts/seeds.sh", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100,
                              env={**surroundings(), "SEEDS": "1"})
        equal((done.returncode, done.stdout), (code, ""), f"{arguments}: {done.stderr}")
        assert message in done.stderr, done.stderr


def test_of(block, directory):
    def test():
        text = run(block, directory)
        if block.fma and level() == "generic":
            raise Skip("its figures are those of kernels with fused multiply-add")
        found = difference(lines_of(block.text or ""), lines_of(text))
        if found:
            raise AssertionError(f"docs/tutorial.md, the block at line {block.line}: the tutorial has\n    {found[0]}\nprinted is\n"
                                 f"    {found[1]}\nIf that is meant: tests/system/tutorial.py --update")
    test.__doc__ = f"line {block.line}: {block.commands.splitlines()[0]}"
    return test


def compared():
    """what counts as equal: `...` stands for any lines, machines differ in what MACHINE says, in nothing else"""
    for want, got, same in (("a\nb", "a\nb", True), ("a\nb", "a\nc", False), ("a", "a\nb", False), ("a\nb", "a", False),
                            ("a\n...\nd", "a\nb\nc\nd", True), ("a\n...\nd", "a\nd", True), ("a\n...\nd", "a\nb", False),
                            ("a\n...", "a", True), ("...", "a\nb", True), ("...\nc\n...\nd", "a\nc\nd", True),
                            ("...\nc\n...\nd", "a\nd", False), ("a\n...\na", "a", False), ("", "", True), ("", "a", False),
                            ("loss 0.1  best    0.01 s  19,568 images/s", "loss 0.1  best    1.25 s  7 images/s", True),
                            ("loss 0.1  best    0.01 s  19,568 images/s", "loss 0.2  best    0.01 s  19,568 images/s", False),
                            ("arena 4 bytes (4.0 MiB), avx2 kernels, 2 threads", "arena 5,000 bytes (4.9 KiB), avx512 kernels, 1 thread",
                             True)):
        equal(difference(lines_of(want), lines_of(got)) is None, same, repr((want, got)))


def shortened(old, new):
    """`new`, shortened as `old` is."""
    pieces, lines = pieces_of(old.splitlines()), new.splitlines()
    if len(pieces) == 1:
        return new

    def blank(line):
        return re.sub(r"[\d.]+", "0", lines_of(line)[0] if line else line)

    head, tail = lines[:len(pieces[0])], lines[len(lines) - len(pieces[-1]):]
    result, position = head + [SHORT], len(head)
    for piece in pieces[1:-1]:
        place = next((k for k in range(position, len(lines)) if piece and blank(lines[k]) == blank(piece[0])), position)
        result += lines[place:place + len(piece)] + [SHORT]
        position = place + len(piece)
    return "\n".join(result + tail) + "\n"


def update(first, last):
    tutorial = read_bytes(TUTORIAL).decode()
    directory, result, end = scratch(), "", 0
    for block in blocks_of(tutorial):
        if not first <= block.line <= last:
            continue
        began = time.monotonic()
        try:
            text = run(block, directory)
        except Skip as reason:
            print(f"docs/tutorial.md:{block.line}: left as it is: {reason}")
            continue
        old = block.text or ""
        changed = difference(lines_of(old), lines_of(text))
        print(f"docs/tutorial.md:{block.line}: {time.monotonic() - began:.1f} s, {'changed' if changed else 'as it was'}")
        if changed:
            start, stop = block.found.span("text") if block.text is not None else (block.found.end(), block.found.end())
            new = shortened(old, text)
            result += tutorial[end:start] + (new if block.text is not None else f"\n```text\n{new}```\n")
            end = stop
    write(TUTORIAL, result + tutorial[end:])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--update"] and len(sys.argv) in (2, 4):
        update(*map(int, sys.argv[2:] or (0, 10 ** 6)))
    elif sys.argv[1:]:
        sys.exit("usage: tests/system/tutorial.py [--update [FIRST LAST]]")
    else:
        SCRATCH = scratch()
        run_tests([compared, lecture_files, seeds_refuses] + [test_of(block, SCRATCH) for block in blocks_of(read_bytes(TUTORIAL).decode())])
