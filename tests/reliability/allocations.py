#!/usr/bin/env python3
"""allocations.py: every allocation of a run fails, once and for ever from there on.

A tiny run (64 images, two epochs, each saved) in the place of an older one, its second half by --resume, cnneval,
cnnpredict and cnnview are run once to count their allocations, then for each of them with that one failing (transient)
and with all from that one on failing (persistent); in CI for some of them, spread over all. Asserted of each run: it
ends by itself with exit code 7 and one line, or with 0 and the bytes of an undisturbed run; no block and no descriptor
is still held when main returns; every file is byte for byte an old or a new version; a run that has begun resumes to
the same bytes, one that has not has changed nothing; nothing else is in the directory.

Where jansson gets no memory the command ends at once (src/tools/cli.c says why), and the kernel takes back what it held;
its `.lock`, which locks nobody out, may then stay in the directory. Not counted are the allocations of libgomp and of the dynamic loader: they end the process themselves (libgomp with
"Out of memory" and exit code 1), before the first batch, and nothing in a program can change that.

Also: limits of address space, and plans larger than those. Prints TAP."""
import os
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faults import (LINE, TIER, Missing, Result, World, environment, figure, none, program, scenarios,  # noqa: E402
                    scratch)
from runs import Skip, run_tests, write  # noqa: E402

SAMPLE = 200  # allocations of each command, in CI


class Server:
    """A command that waits just before its main, and does each run in a process forked off there."""

    def __init__(self, scenario):
        self.scenario = scenario
        down, up = os.pipe(), os.pipe()
        changes = environment(scenario.world, FAULTS_SERVER=f"{down[0]},{up[1]}")
        self.process = subprocess.Popen([program(scenario.command[0]), *scenario.command[1:]], env=changes,
                                        pass_fds=(down[0], up[1]), stdin=subprocess.DEVNULL)
        os.close(down[0])
        os.close(up[1])
        self.down, self.up = os.fdopen(down[1], "w"), os.fdopen(up[0])

    def run(self, number, how):
        """Allocation `number` fails; (Result, whether main returned, allocations, failed, live, of libc, files open)"""
        path = self.scenario.world.path
        self.scenario.reset()
        self.down.write(f"{number} {how} {path}\n")
        self.down.flush()
        status, *numbers = map(int, self.up.readline().split())
        with open(path + ".out", "rb") as out, open(path + ".err", "rb") as err:
            return Result(os.waitstatus_to_exitcode(status), out.read(), err.read().decode(errors="replace")), numbers

    def close(self):
        self.down.close()
        self.process.wait()


def problems_of_run(server, number, how, calm):
    result, (returned, _, failed, live, live_libc, descriptors) = server.run(number, how)
    wrong = server.scenario.problems(result, (7,), locks=not returned, message=r"memory|allocate")
    if not failed:
        wrong.append("nothing failed")
    if returned and (live > calm[0] or live_libc > calm[1] or descriptors > calm[2]):
        wrong.append(f"still held: {live} blocks, {live_libc} of the C library, {descriptors} descriptors")
    return result.code, wrong


def spread(count, sample):
    """Some of 1..count: the first and the last ones, and others between at equal distances."""
    if count <= sample:
        return range(1, count + 1)
    return sorted({1 + round(i * (count - 1) / (sample - 1)) for i in range(sample)})


def every_allocation(scenario):
    server = Server(scenario)
    result, (_, count, _, *calm) = server.run(0, "once")
    none(scenario.problems(result, ()), "undisturbed")
    assert calm[0] == 0 and calm[2] == 0, f"an undisturbed run still holds {calm[0]} blocks, {calm[2]} descriptors"
    again, (_, recount, *_) = server.run(0, "once")
    assert recount == count, f"{count} allocations, then {recount}"
    wrong, codes = [], {0: 0, 7: 0}
    chosen = spread(count, count if TIER == "full" else SAMPLE)
    for number in chosen:
        for how in ("once", "ever"):
            code, problems = problems_of_run(server, number, how, calm)
            codes[code] = codes.get(code, 0) + 1
            wrong += [f"allocation {number} of {count} ({how}): {problem}" for problem in problems]
    server.close()
    figure(f"{scenario.name}: allocations", count)
    figure(f"{scenario.name}: runs with an allocation failing once or for ever; exit 7, exit 0 and the same bytes, "
           "anything else", f"{2 * len(chosen)}; {codes[7]}, {codes[0]}, {2 * len(chosen) - codes[7] - codes[0]}")
    none(wrong, scenario.name)


def test_of(scenario):
    def test():
        every_allocation(scenario)
    test.__doc__ = f"{scenario.name}: each allocation fails, once and for ever"
    return test


# ---- limits of address space ----

WIDE = """\
data: {train: train-images-idx3-ubyte}
network: [dense: {units: 60000, activation: relu}, dense: 10]
train: {epochs: 1, batch_size: 16}
"""
MIB = 1 << 20


def limited(world, mib, directory):
    """WIDE within so much address space: (Result, seconds of processor time)"""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (mib * MIB, mib * MIB))
    path = os.path.join(world.root, "limited")
    with open(path, "w+b") as err:
        process = subprocess.Popen([program("cnntrain"), "-q", "-t", "1", "wide.yaml", "-o", directory],
                                   cwd=world.path, env=environment(world), preexec_fn=limit, stderr=err,
                                   stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        return Result(process.returncode, b"", err.read().decode()), usage.ru_utime + usage.ru_stime


def address_space(world):
    def test():
        write(os.path.join(world.path, "wide.yaml"), WIDE)
        world.put({})
        need = 95  # MiB, as --dry-run says; the program itself takes some more address space
        whole, _ = limited(world, 4096, "run")
        assert whole.code == 0, whole.err
        want, wrong, codes = world.get(), [], []
        for mib in range(16, 136, 6):
            world.put({})
            result, _ = limited(world, mib, "run")
            codes.append(result.code)
            if result.code == 0:
                wrong += [f"{mib} MiB: other files"] if world.get() != want else []
            elif result.code != 7 or not LINE.fullmatch(result.err):
                wrong.append(f"{mib} MiB: exit code {result.code}: {result.err!r}")
            elif mib > need + 30:
                wrong.append(f"{mib} MiB are enough: {result.err!r}")
            elif world.get():
                wrong.append(f"{mib} MiB: {', '.join(world.get())} left behind")
        assert codes == sorted(codes, reverse=True) and 0 in codes and 7 in codes, f"exit codes {codes}"
        figure("limits of address space, 16 to 130 MiB, for a run of 95 MiB; exit 7, exit 0 and the same bytes",
               f"{len(codes)}; {codes.count(7)}, {codes.count(0)}")
        none(wrong, "address space")
    test.__doc__ = "20 limits of address space: exit code 7 or the same bytes"
    return test


def large_plan(world):
    def test():
        write(os.path.join(world.path, "wide.yaml"), WIDE.replace("[dense", "[dense: 20000, dense").replace("60000", "20000"))
        world.put({})
        result, seconds = limited(world, 1024, "run")
        assert result.code == 7 and LINE.fullmatch(result.err), f"exit code {result.code}: {result.err!r}"
        figure("a plan of 8 GiB in 1 GiB of address space: exit code, processor time", f"7, {1000 * seconds:.0f} ms")
        assert seconds < 0.1, f"{seconds:.3f} s"
        assert not world.get(), "files were left behind"
    test.__doc__ = "a plan larger than the address space: exit code 7 within 100 ms"
    return test


def main():
    try:
        root = scratch()
        world = World(root)
        tests = [test_of(scenario) for scenario in scenarios(world)] + [address_space(world), large_plan(world)]
    except Missing as reason:
        print(f"1..1\nok 1 - allocations # SKIP {reason}")
        return
    try:
        run_tests(tests)
    finally:
        shutil.rmtree(root, ignore_errors=True)


main()
