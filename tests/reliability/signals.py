#!/usr/bin/env python3
"""signals.py: signals, and several processes at once (group X of the list of bad inputs).

SIGINT, SIGTERM and SIGHUP at random moments, twice at once, before each file call of the run (strace), while data are read,
in a resumed run; a reader that goes away, SIGSTOP, nohup, a stray SIGUSR1; a second run, a hundred at the same instant, one
after kill -9, one after the lock file was deleted, file systems without locks; readers of a model that is saved 1,000 times.
Asserted: the exit code, what is said, what is on the disk, and that --resume gives the undisturbed run's bytes.
TIER=full: every file call, 10 s of SIGSTOP; in CI a sample, about 40 s of one core. RANDOM_SEED chooses other moments."""
import os
import random
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from cut import (BIN, CNNTRAIN, DIGITS, FULL, PATIENCE, RANDOM_SEED, Run, acknowledged, check_cut, figure,  # noqa: E402
                 have_strace, in_memory, load, same, signal, temporaries)
from kills import SHORT, TINY, begin, calls_of, points, remove  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import environment, equal, read_bytes, run_tests, write  # noqa: E402

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONG = ("-s", "train.epochs=100000")


def wait_for(path, run):
    while not os.path.exists(path):
        assert run.process.poll() is None, run.words()
        time.sleep(0.002)


def wait_for_epoch(run, epoch=1):
    while acknowledged(run.directory) < epoch:
        assert run.process.poll() is None, run.words()
        time.sleep(0.002)


def stopped_in_order(run, number):
    """A run that was told to stop: its exit code, what it says, and a checkpoint of where it stopped."""
    status = run.end()
    equal(status, 128 + number, f"exit after signal {int(number)}: {run.words()}")
    assert f"stopped by signal {int(number)} in epoch" in run.words(), run.words()
    equal(load(os.path.join(run.directory, "checkpoint.bin"))["finished"], "0", "finished")
    assert not os.path.exists(os.path.join(run.directory, ".lock")), "the lock is left"


def resumed(directory, *arguments, whole="whole"):
    check_cut(directory)
    run = Run("tiny.yaml", directory, *arguments)
    equal(run.end(), 0, run.words())
    same(whole, directory, "resumed")


def while_training():
    """X01, X02: SIGINT, SIGTERM, SIGHUP at random moments of the training: 128 + n, a checkpoint, the same bytes"""
    dice, count, within = random.Random(RANDOM_SEED), 20 if FULL else 3, 0
    print(f"# RANDOM_SEED={RANDOM_SEED}", flush=True)
    begin("tiny.yaml")
    for number in STOPPING * count:
        run = Run("tiny.yaml", "run")
        wait_for("run/config.yaml", run)
        time.sleep(dice.uniform(0, 0.05))
        run.process.send_signal(number)
        stopped_in_order(run, number)
        within += load("run/checkpoint.bin")["batch"] != "0"
        resumed("run")
        remove("run")
    figure("X01, X02: stopped by SIGINT, SIGTERM, SIGHUP, of these within an epoch, and resumed to the same bytes",
           f"{3 * count}, {within}, {3 * count}")


def twice():
    """X03: a second signal ends the process at once, with the old checkpoint as it was"""
    begin("tiny.yaml")
    for first, second in ((signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT), (signal.SIGHUP, signal.SIGINT)):
        run = Run("tiny.yaml", "run")
        wait_for_epoch(run, 3)
        run.process.send_signal(signal.SIGSTOP)  # so that both are there when it goes on
        time.sleep(0.02)
        names = sorted(os.listdir("run"))
        before = {name: read_bytes("run/" + name) for name in names if name.endswith((".bin", ".csv"))}
        run.process.send_signal(first)
        run.process.send_signal(second)
        run.process.send_signal(signal.SIGCONT)
        status = run.end()
        assert status in (128 + first, 128 + second), f"exit {status}"
        assert "stopped by signal" not in run.words(), run.words()
        equal({name: read_bytes("run/" + name) for name in before}, before, "files")
        resumed("run")
        remove("run")
    # A step that takes long, and the second signal 20 ms behind the first.
    slow = ("-s", "network.0.conv.filters=512", "-s", "network.3.dense.units=512", "-s", "data.limit=0",
            "-s", "train.batch_size=1000", "-s", "train.epochs=50")
    times = []
    for _ in range(3):
        run = Run("tiny.yaml", "run", *slow)
        wait_for("run/report.html", run)
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.02)
        start = time.monotonic()
        run.process.send_signal(signal.SIGINT)
        equal(run.end(), 130, run.words())
        times.append(time.monotonic() - start)
        check_cut("run")
        remove("run")
    figure("X03: end after a second SIGINT 20 ms behind the first, the shortest of three", f"{1000 * min(times):.0f} ms")


def injected(call, number, signal_name, directory, *arguments):
    return Run("tiny.yaml", directory, *arguments, wrapper=("strace", "-f", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                                                           f"inject={call}:signal={signal_name}:when={number}"))


def before_each_call():
    """X04, X05: SIGINT before each file call: while data are read it ends the process, later it saves and ends the run"""
    have_strace()
    begin("tiny.yaml", TINY, "whole", *SHORT)
    counts, loading = calls_of([CNNTRAIN, "-t", "1", "tiny.yaml", "-o", "run", *SHORT], '"run"')
    remove("run")
    chosen, ended = points(counts, {}), {"at once": 0, "saved": 0, "done": 0}
    if not FULL:
        chosen = random.Random(RANDOM_SEED).sample(chosen, 60)
    for call, number in chosen:
        run = injected(call, number, "INT", "run", *SHORT)
        status, what = run.end(), f"SIGINT before {call} {number}"
        if number <= loading.get(call, 0):
            assert status in (-signal.SIGINT, 130), f"{what}, while data are read: exit {status}: {run.words()}"
            assert not os.path.exists("run"), f"{what}: something was written"
            ended["at once"] += 1
        elif status == 0:  # in the last saves or after them: the run is over
            assert "model written" in run.words() and load("run/checkpoint.bin")["finished"] == "1", f"{what}: {run.words()}"
            ended["done"] += 1
        elif "stopped by signal 2" in run.words():
            equal(status, 130, what)
            ended["saved"] += 1
        else:  # the directory is being opened, nothing is trained yet
            assert status in (-signal.SIGINT, 130) and not os.path.exists("run/log.csv"), f"{what}: exit {status}: {run.words()}"
            ended["at once"] += 1
        resumed("run", *SHORT)
        remove("run")
    figure("X04, X05: SIGINT before a file call: ended at once, saved, done; all resumed to the same bytes",
           ", ".join(str(value) for value in ended.values()))
    assert min(ended.values()) > 0, ended


def in_a_resumed_run():
    """X06: SIGTERM before the file calls of a resumed run's clean-up: a second --resume works"""
    have_strace()
    begin("tiny.yaml", TINY, "whole", *SHORT)
    begin("tiny.yaml", TINY, "half", "-s", "train.epochs=1")
    with open("half/log.csv", "ab") as file:
        file.write(b"2,3,half a ro")
    write("half/.model.bin.tmp.3.0", "stale")
    shutil.copytree("half", "run")
    counts, before = calls_of([CNNTRAIN, "-t", "1", "tiny.yaml", "-o", "run", "--resume", *SHORT], '"run"')
    remove("run")
    chosen = points(counts, before)
    if not FULL:
        chosen = random.Random(RANDOM_SEED + 1).sample(chosen, 25)
    for call, number in chosen:
        shutil.copytree("half", "run")
        run = injected(call, number, "TERM", "run", *SHORT)
        status = run.end()
        assert status in (0, 143, -signal.SIGTERM), f"SIGTERM before {call} {number}: exit {status}: {run.words()}"
        assert int(load("run/checkpoint.bin")["epoch"]) >= 1
        again = Run("tiny.yaml", "run", *SHORT)
        equal(again.end(), 0, f"SIGTERM before {call} {number}: {again.words()}")
        same("whole", "run", f"SIGTERM before {call} {number} of a resumed run")
        remove("run")
    figure("X06: SIGTERM before a file call of a resumed run, resumed again to the same bytes", f"{len(chosen)} of {len(chosen)}")


def reader_goes():
    """X07: whoever reads the output goes away: training completes"""
    begin("tiny.yaml", TINY, "whole", *SHORT)
    for streams in ("2>&1", "2>&1 >/dev/null", "--profile 2>/dev/null", "-v 2>&1"):
        command = f"'{CNNTRAIN}' -t 1 tiny.yaml -o run {' '.join(SHORT)} {streams} | head -n 1 >first; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], env=environment(), capture_output=True, text=True, check=False)
        equal(done.returncode, 0, f"{streams}: {done.stderr}")
        assert read_bytes("first"), f"{streams}: nothing was said"
        same("whole", "run", streams)
        remove("run")


def stopped_for_long():
    """X08: SIGSTOP, and SIGCONT later: the same bytes"""
    begin("tiny.yaml")
    run = Run("tiny.yaml", "run")
    wait_for_epoch(run)
    for _ in range(3):
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(10 if FULL else 0.3)
        run.process.send_signal(signal.SIGCONT)
        time.sleep(0.02)
    equal(run.end(), 0, run.words())
    same("whole", "run", "stopped and continued")


def stray():
    """X09: SIGUSR1 and SIGALRM, which nobody has announced, end the process like any other, and --resume goes on"""
    begin("tiny.yaml")
    for number in (signal.SIGUSR1, signal.SIGALRM, signal.SIGQUIT):
        run = Run("tiny.yaml", "run", wrapper=("sh", "-c", 'ulimit -c 0; exec "$@"', "sh"))
        wait_for_epoch(run, 2)
        equal(run.end(number), -number, run.words())
        resumed("run")
        remove("run")


def nohup():
    """X10: under nohup SIGHUP stays ignored"""
    begin("tiny.yaml")
    run = Run("tiny.yaml", "run", wrapper=("nohup",))
    wait_for_epoch(run)
    run.process.send_signal(signal.SIGHUP)
    equal(run.end(), 0, run.words())
    same("whole", "run", "after SIGHUP")


def second_run():
    """X11, X12: a second run in the same directory is told whose it is; after kill -9 the lock is free"""
    begin("tiny.yaml")
    first = Run("tiny.yaml", "run")
    wait_for_epoch(first)
    first.process.send_signal(signal.SIGSTOP)
    for options in ((), ("--fresh",), ("--resume",)):
        done = subprocess.run([CNNTRAIN, "-q", "-t", "1", "tiny.yaml", "-o", "run", *options], env=environment(),
                              capture_output=True, text=True, check=False)
        equal((done.returncode, done.stderr), (9, f"run: error: in use by process {first.process.pid}\n"), f"{options}")
    first.end(signal.SIGKILL)
    assert os.path.exists("run/.lock"), "the lock file of a killed run"
    resumed("run")


def hundred_starts():
    """X13: a hundred starts at the same instant: exactly one runs"""
    write("tiny.yaml", TINY)
    command = [CNNTRAIN, "-q", "-t", "1", "tiny.yaml", "-o", "run", *LONG]
    # They wait for the end of a pipe that nobody writes to, all for the same one.
    read, go = os.pipe()
    starts = [subprocess.Popen(["sh", "-c", 'read x; exec "$@"', "sh", *command], stdin=read, stderr=subprocess.PIPE, text=True,
                               env=environment()) for _ in range(100)]
    os.close(read)
    time.sleep(0.2)
    os.close(go)
    end = time.monotonic() + PATIENCE
    while sum(start.poll() is None for start in starts) > 1 and time.monotonic() < end:
        time.sleep(0.01)
    running = [start for start in starts if start.poll() is None]
    time.sleep(0.2)
    equal(len(running), 1, "how many run")
    equal(running[0].poll(), None, "and goes on")
    running[0].send_signal(signal.SIGTERM)
    said = [start.communicate()[1] for start in starts]
    refused = [words for start, words in zip(starts, said) if start.returncode == 9 and "in use by" in words]
    equal((len(refused), running[0].returncode), (99, 143), "how many were refused, and how the one ended")
    load("run/checkpoint.bin")
    figure("X13: starts at the same instant: ran, refused with exit 9", f"1, {len(refused)}")


def readers():
    """X14: cnneval reads the model in a loop while it is saved 1,000 times: always a complete one"""
    write("tiny.yaml", TINY.replace(", validation: 0.25", ""))
    run = Run("tiny.yaml", "run", "-s", "train.epochs=1000", "-s", "data.limit=32")
    wait_for("run/model.bin", run)
    reads, seen = 0, set()
    while run.process.poll() is None or reads == 0:
        done = subprocess.run([os.path.join(BIN, "cnneval"), "-q", "-t", "1", "run/model.bin", DIGITS], env=environment(),
                              capture_output=True, text=True, check=False)
        equal(done.returncode, 0, f"read {reads}: {done.stderr}")
        seen.add(load("run/model.bin")["epoch"])
        reads += 1
    equal(run.end(), 0, run.words())
    figure("X14: reads by cnneval during 1,000 saves of the model, all complete; epochs seen by another reader",
           f"{reads}; {len(seen)}")


def side_by_side():
    """X15: two runs in different directories of the same data: both the same bytes"""
    begin("tiny.yaml")
    one, two = Run("tiny.yaml", "one"), Run("tiny.yaml", "two")
    equal((one.end(), two.end()), (0, 0), "exit codes")
    same("whole", "one", "one")
    same("whole", "two", "two")


def files_of(directory):
    return {name: read_bytes(os.path.join(directory, name)) for name in os.listdir(directory) if not name.startswith(".")}


def pause(run):
    run.process.send_signal(signal.SIGSTOP)
    time.sleep(0.05)


def refused(run, before):
    """A paused run whose lock is no longer its own goes on: it must end before it writes anything more."""
    run.process.send_signal(signal.SIGCONT)
    equal(run.end(), 9, run.words())
    assert "the lock file is gone: another process may use the directory" in run.words(), run.words()
    changed = [name for name, content in files_of("run").items() if content != before.get(name)]
    # It may have been paused while it replaced a file.
    assert len(changed) <= 1 and "log.csv" not in changed, f"written after the lock was gone: {changed}"


def lock_deleted():
    """X16: the lock file deleted while it runs: exit 9 before anything more is written"""
    write("tiny.yaml", TINY)
    for every in (1, 100000):  # with a checkpoint each epoch, and with none before the end
        run = Run("tiny.yaml", "run", *LONG, "-s", f"train.checkpoint.every={every}")
        wait_for_epoch(run, 2)
        pause(run)
        os.unlink("run/.lock")
        refused(run, files_of("run"))
        remove("run")


def lock_taken():
    """X16: and a run that has taken it over meanwhile finishes with the same bytes"""
    begin("tiny.yaml")
    run = Run("tiny.yaml", "run")
    wait_for_epoch(run, 2)
    pause(run)
    os.unlink("run/.lock")
    other = Run("tiny.yaml", "run")
    wait_for_epoch(other, acknowledged("run") + 1)
    pause(other)
    refused(run, files_of("run"))
    other.process.send_signal(signal.SIGCONT)
    equal(other.end(), 0, other.words())
    same("whole", "run", "the run that took over")


def lock_taken_in_a_save():
    """X16: taken over while a file is half replaced: the successor removes the temporary one, and the message is the same"""
    have_strace()
    begin("tiny.yaml")
    # strace lets the twelfth rename wait; should that not be long enough, the next save finds the lock gone.
    run = Run("tiny.yaml", "run", wrapper=("strace", "-f", "-o", "/dev/null", "-e", "trace=renameat", "-e",
                                           "inject=renameat:delay_enter=1500000:when=12"))
    waiting, since = None, 0.0
    while waiting is None or time.monotonic() - since < 0.2:
        now = temporaries("run")
        if now != waiting or not now:
            waiting, since = now or None, time.monotonic()
        assert run.process.poll() is None, run.words()
        time.sleep(0.005)
    os.unlink("run/.lock")
    other = Run("tiny.yaml", "run")
    equal(other.end(), 0, other.words())
    equal(run.end(), 9, run.words())
    assert "the lock file is gone: another process may use the directory" in run.words(), run.words()
    same("whole", "run", "the run that took over")


def no_locks():
    """X17: a file system without locks: exit 6, and it says so"""
    have_strace()
    write("tiny.yaml", TINY)
    for name, text in (("ENOLCK", "No locks available"), ("EOPNOTSUPP", "Operation not supported")):
        done = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=flock", "-e", f"inject=flock:error={name}",
                               CNNTRAIN, "-q", "-t", "1", "tiny.yaml", "-o", "run"], env=environment(), capture_output=True,
                              text=True, check=False)
        equal((done.returncode, done.stderr), (6, f"run: error: cannot lock: {text}\n"), name)
        equal([file for file in os.listdir("run") if file != ".lock"], [], "files")


if __name__ == "__main__":
    in_memory()
    run_tests([while_training, twice, before_each_call, in_a_resumed_run, reader_goes, stopped_for_long, stray, nohup, second_run,
               hundred_starts, readers, side_by_side, lock_deleted,
               lock_taken, lock_taken_in_a_save, no_locks])
