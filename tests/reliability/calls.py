#!/usr/bin/env python3
"""calls.py: every file call of a run fails, with each error that makes sense for it.

strace makes the K-th call of a kind fail (-e inject=CALL:error=ERRNO:when=K) for every call that a tiny run makes after
its start (64 images, two epochs, each saved, in the place of an older run), and those of --resume, cnneval and
cnnpredict; in CI a part of them, spread over calls and errors. Asserted of each run: the documented exit code; one
line, which names the file and has the system's word for the error; every file is byte for byte an old or a new version;
a run that has begun resumes to the same bytes, one that has not has changed nothing; no temporary file stays. EINTR, a
file system without fallocate, and reads and writes that move one byte at a time change nothing. After a failed fsync
the same file is not synced again. A temporary file that cannot be removed is removed by the next run. In a run of two
threads, where a third waits for the disk, every sync and every rename fails once, with the same assertions.

Prints TAP."""
import errno
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faults import (TIER, Missing, Scenario, World, figure, none, scenarios, scratch)  # noqa: E402
from runs import equal, read_bytes, run_tests  # noqa: E402

SAMPLE = {"train": 450, "resume": 150, "cnneval": 50, "cnneval of pictures": 50, "cnnpredict": 50}  # runs in CI
CREATE = ("ENOSPC", "EDQUOT", "EROFS")
ERRORS = {  # what can happen to a call
    "openat": ("EACCES", "EMFILE", "ENFILE", "ENOMEM", "EIO", "ESTALE", "EINTR"),
    "read": ("EIO", "EINTR", "EAGAIN", "ESTALE", "ENOMEM"),
    "pread64": ("EIO", "EINTR", "EAGAIN", "ESTALE", "ENOMEM"),
    "write": ("ENOSPC", "EIO", "EDQUOT", "EINTR", "EFBIG", "EAGAIN", "ENOMEM", "ESTALE"),
    "pwrite64": ("ENOSPC", "EIO", "EDQUOT", "EINTR", "EFBIG"),
    "fallocate": ("ENOSPC", "EIO", "EDQUOT", "EINTR", "EFBIG", "EOPNOTSUPP"),
    "fsync": ("EIO", "ENOSPC", "EDQUOT", "EINTR", "EROFS", "ESTALE"),
    "fdatasync": ("EIO", "ENOSPC", "EDQUOT", "EINTR", "EROFS", "ESTALE"),
    "ftruncate": ("EIO", "EINTR", "EFBIG", "EROFS", "ENOSPC"),
    "close": ("EIO", "EINTR", "ENOSPC", "EDQUOT", "ESTALE"),
    "renameat": ("ENOSPC", "EIO", "EDQUOT", "EROFS", "EACCES", "ENOMEM", "ESTALE", "EINTR"),
    "unlinkat": ("EIO", "EROFS", "EACCES", "ENOMEM", "EINTR", "ESTALE"),
    "flock": ("ENOLCK", "EIO", "EINTR"),
    "mkdir": ("ENOSPC", "EACCES", "EROFS", "EIO", "EDQUOT", "ENOMEM"),
    "newfstatat": ("EIO", "EACCES", "ENOMEM", "ESTALE"),
    "getdents64": ("EIO", "ENOMEM"),
    "lseek": ("EIO",),
    "access": ("EIO", "EACCES"),
}
ERRORS["openat2"] = ERRORS["openat"]
ERRORS["renameat2"] = ERRORS["rename"] = ERRORS["renameat"]
ERRORS["unlink"] = ERRORS["unlinkat"]
ERRORS["fstat"] = ERRORS["statx"] = ERRORS["newfstatat"]
HARMLESS = ("EINTR", "EOPNOTSUPP")
DURABLE = ("write", "fallocate", "fsync", "fdatasync", "ftruncate", "renameat")  # no run may succeed without these
CALL = re.compile(r"(?:\d+ +)?(\w+)\((.*)\) += (-?\w+)(.*)")
BEGINS = re.compile(r"fcntl\(0")  # cli_start


class Call:
    """The `number`-th `name` of a run, which is about the file `path`."""

    def __init__(self, name, number, arguments):
        self.name, self.number, self.arguments = name, number, arguments
        paths = re.findall(r'<([^<>]*)>(?:, "([^"]*)")?', arguments) or [("", *re.findall(r'"([^"]*)"', arguments)[:1])]
        self.path = paths[-1][-1] or paths[-1][0]
        if name.startswith("rename"):
            self.path = re.findall(r'"([^"]*)"', arguments)[-1]

    def is_stdout(self):
        return self.path.startswith("pipe:")

    def errors(self):
        errors = ERRORS[self.name] + (CREATE if "O_CREAT" in self.arguments else ())
        # Results are written by the C library, which does not repeat a write; but no signal of ours interrupts one.
        return [error for error in errors if not (self.is_stdout() and self.name == "write" and error == "EINTR")]

    def place(self, scenario):
        """What the message must name: the file that the user knows."""
        name = os.path.basename(self.path)
        hidden = re.fullmatch(r"\.(.+)\.tmp\.\d+\.\d+", name)
        name = hidden[1] if hidden else name
        if self.is_stdout() or self.path in ("/dev/null", ""):
            return scenario.command[0]
        if name == "." and "pictures" in scenario.command:
            return "pictures"
        if name in (".lock", ".probe", ".", "run", "world"):
            return "run"
        return name


def strace(scenario, *options, **changes):
    """A run under strace; (Result, the trace)"""
    path = os.path.join(scenario.world.root, "trace")
    before = ["strace", "-f", "-y", "-s", "0", "-o", path, "-E", f"LD_PRELOAD={scenario.world.library}",
              "-E", "FAULTS_CLOCK=1", *options]
    scenario.reset()
    result = scenario.world.run(*scenario.command, before=before, LD_PRELOAD="", **changes)
    with open(path, encoding="utf-8", errors="replace") as file:
        return result, file.read().split("\n")


def file_calls(scenario):
    """All file calls that the program itself makes, in order."""
    result, trace = strace(scenario)
    none(scenario.problems(result, ()), "undisturbed")
    counts, calls, begun = {}, [], False
    for line in trace:
        begun = begun or BEGINS.search(line) is not None
        found = CALL.match(line)
        if not found:
            continue
        name = found[1]
        counts[name] = counts.get(name, 0) + 1
        if begun and name in ERRORS:
            calls.append(Call(name, counts[name], found[2]))
    return calls


def codes_of(scenario, call, error):
    """No memory is no memory; a picture of a set that cannot be read is a fault of the set."""
    of_a_set = "pictures" in " ".join(scenario.command) and call.path != "model.bin"
    return (7,) if error == "ENOMEM" else (4, 6) if of_a_set and not call.is_stdout() else (6,)


def problems_of_trace(trace):
    """A file whose fsync has failed is not synced again."""
    failed, wrong = None, []
    for line in trace:
        found = CALL.match(line)
        if found and found[1] in ("fsync", "fdatasync"):
            if failed and found[2] == failed:
                wrong.append(f"synced again after a failure: {line}")
            if found[3] == "-1" and "EINTR" not in line:
                failed = found[2]
    return wrong


def problems_of_run(scenario, call, error, more=()):
    options = ["-e", f"trace={call.name},fsync,fdatasync", "-e", f"inject={call.name}:error={error}:when={call.number}"]
    result, trace = strace(scenario, *options, *more)
    if not any("(INJECTED)" in line for line in trace):
        return result, ["nothing failed"]
    codes = () if error in HARMLESS else codes_of(scenario, call, error)
    goes_on = scenario.command[0] == "cnnpredict"  # with the other images
    wrong = scenario.problems(result, codes, locks=call.path.endswith((".lock", ".probe")),
                              place=re.escape(call.place(scenario)), printed=call.is_stdout() or goes_on,
                              message=re.escape(os.strerror(getattr(errno, error))))
    if result.code == 0 and call.name in DURABLE and error not in HARMLESS:
        wrong.append("exit code 0, as if nothing had been")
    return result, wrong + problems_of_trace(trace)


def spread(runs, sample):
    """Some of the runs, at equal distances, so that each kind has its part."""
    runs = sorted(runs, key=lambda run: (run[0].name, run[1], run[0].number))
    if TIER == "full" or len(runs) <= sample:
        return runs
    return [runs[i * len(runs) // sample] for i in range(sample)]


def every_call(scenario):
    calls = file_calls(scenario)
    runs = [(call, error) for call in calls for error in call.errors()]
    chosen, wrong, codes = spread(runs, SAMPLE.get(scenario.name, 50)), [], {}
    for call, error in chosen:
        result, problems = problems_of_run(scenario, call, error)
        codes[result.code] = codes.get(result.code, 0) + 1
        wrong += [f"{call.name} {call.number} of {call.path}: {error}: {problem}" for problem in problems]
    figure(f"{scenario.name}: file calls, and pairs of a call and an error", f"{len(calls)}, {len(runs)}")
    figure(f"{scenario.name}: runs with a failing call; by exit code; wrong",
           f"{len(chosen)}; {', '.join(f'{code}: {count}' for code, count in sorted(codes.items()))}; {len(wrong)}")
    none(wrong, scenario.name)


def interrupted(scenario):
    """Every other call of each kind is interrupted; and all move one byte at a time."""
    first = {}
    for call in file_calls(scenario):
        first.setdefault(call.name, call.number)
    options = []
    for name, number in first.items():
        if "EINTR" in ERRORS[name] and name != "write":
            options += ["-e", f"inject={name}:error=EINTR:when={number}+2"]
    writes = [call.number for call in file_calls(scenario) if call.name == "write" and not call.is_stdout()]
    if writes:
        options += ["-e", f"inject=write:error=EINTR:when={writes[0]}..{writes[-1]}+2"]
    result, trace = strace(scenario, *options)
    none(scenario.problems(result, ()), "interrupted")
    figure(f"{scenario.name}: calls interrupted in one run, to the same bytes",
           sum("EINTR" in line and "(INJECTED)" in line for line in trace))
    scenario.reset()
    none(scenario.problems(scenario.world.run(*scenario.command, FAULTS_BYTE="1"), ()), "one byte at a time")
    figure(f"{scenario.name}: read and written one byte at a time, to the same bytes", "yes")


def stale(scenario):
    """Neither can the file be replaced nor the temporary one removed: the next run does."""
    wrong, count, removals = [], 0, 0
    for call in file_calls(scenario):
        removals = call.number if call.name == "unlinkat" else removals
        if not call.name.startswith("rename") or not re.search(r"(bin|csv|yaml|html)$", call.path):
            continue
        count += 1
        result, _ = strace(scenario, "-e", f"inject={call.name}:error=EIO:when={call.number}", "-e",
                           f"inject=unlinkat:error=EROFS:when={removals + 1}+")
        left = [name for name in scenario.world.get() if ".tmp." in name]
        if result.code != 6 or len(left) != 1:
            wrong.append(f"{call.path}: exit code {result.code}, {left} left: {result.err!r}")
        again = scenario.world.run(*scenario.command, "--resume" if "--resume" in scenario.command else "--fresh")
        left = [name for name in scenario.world.get() if name not in scenario.final]
        if again.code != 0 or left:
            wrong.append(f"{call.path}: the next run: exit code {again.code}, {left} left: {again.err!r}")
        elif any(scenario.world.get()[name] != scenario.final[name] for name in ("model.bin", "log.csv")):
            wrong.append(f"{call.path}: the next run writes other files")
    figure(f"{scenario.name}: temporary files that could not be removed, and then were by the next run", count)
    none(wrong, scenario.name)


def by_committer(scenario):
    """Each sync and rename fails, whichever thread makes it."""
    scenario.reset()
    path = os.path.join(scenario.world.root, "trace")
    before = ["strace", "-f", "-o", path, "-e", "trace=fsync,fdatasync,renameat"]
    equal(scenario.world.run(*scenario.command, before=before).code, 0, "traced")
    with open(path, encoding="utf-8", errors="replace") as file:
        made = re.findall(r"^(\d+) +(\w+)\(", file.read(), re.MULTILINE)
    threads = {thread for thread, _ in made}
    equal(len(threads), 2, "threads that wait for the disk: the first, at the start, and the committer")
    wrong = []
    for name in ("fsync", "fdatasync", "renameat"):
        count = sum(call == name for _, call in made)
        for number in range(1, count + 2):
            scenario.reset()
            result = scenario.world.run(*scenario.command, FAULTS_CALL=f"{name}:{number}")
            equal(result.code, 6 if number <= count else 0, f"exit code, {name} {number} of {count}: {result.err}")
            wrong += [f"{name} {number} of {count}: {problem}" for problem in
                      scenario.problems(result, (6,), locks=True, message=os.strerror(errno.EIO))]
    figure(f"{scenario.name}: syncs and renames of {len(threads)} threads that fail", len(made))
    none(wrong, scenario.name)


def test_of(check, scenario, what):
    def test():
        check(scenario)
    test.__doc__ = f"{scenario.name}: {what}"
    return test


def main():
    root = scratch()
    try:
        if not shutil.which("strace"):
            raise Missing("no strace")
        world = World(root)
        chosen = [s for s in scenarios(world) if s.name in SAMPLE]
        of_two = Scenario(world, "train by two threads", ["2" if word == "1" else word for word in chosen[0].command],
                          before=chosen[0].before)
        if strace(chosen[-1])[0].code != 0:
            raise Missing("strace may not trace here")
    except Missing as reason:
        print(f"1..1\nok 1 - calls # SKIP {reason}")
        return
    tests = [test_of(every_call, scenario, "each file call fails with each error") for scenario in chosen]
    tests += [test_of(interrupted, scenario, "EINTR and single bytes change nothing") for scenario in chosen]
    tests += [test_of(stale, scenario, "temporary files that cannot be removed") for scenario in chosen
              if scenario.before is not None]
    tests.append(test_of(by_committer, of_two, "each sync and rename fails"))
    try:
        run_tests(tests)
    finally:
        shutil.rmtree(root, ignore_errors=True)


main()
