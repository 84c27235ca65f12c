#!/usr/bin/env python3
"""kills.py: cnntrain killed at every kind of moment.

After each kill: the checkpoint, checked by other code than cnntrain's own, loads and is not older than the last epoch that
was told to be saved; the model loads; --resume (or, before the first checkpoint, the same command) finishes, with the same
model.bin, log.csv (but for its times) and config.yaml as the run that nobody disturbed, and no temporary file is left.

K1 kill -9 at random moments of a run that spends 30 % of its time in saves, and of one by two threads. K2 strace kills before
each file call of a run, start-up included, of a resumed one, and of one that replaces another. K3 kills in a resumed run that
has a log to cut and files to remove. K4 killed every 0.3 s until it is done. K6 the kernel's out-of-memory killer (control
groups; else a watcher that kills). K7 stale temporary files. K8 the same as K1 with files written in place (lib/damage.c) must
fail.
TIER=full: 200 and 100, all, all (more than 50), 30 and more, 20, 500 files, 200; on the disk. In CI 40 and 20, all of an
undisturbed run, 25, 5, 4, 500, 30, in memory where there is /dev/shm, about a minute of one core. RANDOM_SEED chooses other
moments."""
import os
import random
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from cut import (CNNTRAIN, DIGITS, FULL, RANDOM_SEED, Run, check_cut, damage_library, figure,  # noqa: E402
                 have_strace, in_memory, load, proc_status, read_log, said_of, same, signal, temporaries)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import environment, equal, read_bytes, run_tests, write  # noqa: E402

EPOCHS = 120
TINY = f"""\
seed: 3
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, limit: 200, validation: 0.25}}
augment: [translate: 0.1]
network:
  - conv: {{filters: 8, kernel: 3, activation: relu}}
  - batchnorm
  - dropout: 0.2
  - dense: {{units: 40, activation: tanh}}
  - dense: 10
train: {{epochs: {EPOCHS}, batch_size: 16}}
"""
SHORT = ("-s", "train.epochs=2")
FILE_CALLS = ("openat", "open", "read", "pread64", "write", "pwrite64", "fallocate", "fsync", "fdatasync", "ftruncate", "close",
              "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "flock", "mkdir", "fstat", "newfstatat",
              "getdents64", "fcntl", "fchmod")


def begin(config, text=TINY, directory="whole", *arguments):
    """Write the config and train it undisturbed; how long that took."""
    write(config, text)
    start = time.monotonic()
    run = Run(config, directory, *arguments)
    equal(run.end(), 0, f"exit status: {run.words()}")
    return time.monotonic() - start


def finish(config, directory, what, *arguments, whole="whole"):
    """After a kill: what is there is sound; resumed it gives the same bytes."""
    check_cut(directory)
    run = Run(config, directory, *arguments)
    status = run.end()
    assert status == 0, f"{what}: resumed, exit {status}: {run.words()}"
    same(whole, directory, what)


def remove(directory):
    shutil.rmtree(directory, ignore_errors=True)
    if os.path.exists(said_of(directory)):
        os.unlink(said_of(directory))


def share_of_saves(config):
    """What part of its time a run spends in writing its files, as it says itself."""
    said = subprocess.run([CNNTRAIN, "-q", "-t", "1", "--profile", config, "-o", "profiled"], capture_output=True, text=True,
                          check=True, env=environment()).stdout
    remove("profiled")
    found = re.search(r"^log and files +[0-9.]+ +([0-9.]+)%", said, re.MULTILINE)
    assert found, said
    return float(found[1])


def random_kills(count, config, dice, seconds, *arguments, **changes):
    """Kill so many runs at random moments; how many temporary files were left behind, and the faults that were found."""
    killed, stale, faults = 0, 0, []
    while killed < count:
        directory = f"cut{killed}"
        run = Run(config, directory, *arguments, **changes)
        time.sleep(dice.uniform(0, seconds))
        if run.end(signal.SIGKILL) == 0:
            same("whole", directory, "a run that ended before it was killed")
        else:
            killed += 1
            stale += len(temporaries(directory))
            try:
                finish(config, directory, f"kill {killed}", *arguments)
            except (AssertionError, OSError) as fault:
                faults.append(f"kill {killed}: {fault}")
        remove(directory)
    return stale, faults


def k1():
    """K1: kill -9 at random moments, in saves for the most part; K7: the next start removes what they leave behind"""
    count, dice = 200 if FULL else 40, random.Random(RANDOM_SEED)
    print(f"# RANDOM_SEED={RANDOM_SEED}", flush=True)
    seconds = min(begin("tiny.yaml"), begin("tiny.yaml", TINY, "again"))
    share = share_of_saves("tiny.yaml")
    assert share >= 30, f"only {share} % of the time is spent in saves"
    stale, faults = random_kills(count, "tiny.yaml", dice, seconds)
    figure("K1: share of the run's time in saves", f"{share:.0f} %")
    figure("K1: random kills, checkpoint sound and resumed to the same bytes", f"{count - len(faults)} of {count}")
    figure("K7: temporary files left by these kills, and after the next start", f"{stale}, 0")
    assert not faults, "\n".join(faults)


def k1_two_threads():
    """K1: the same of runs by two threads, of which a third waits for the disk while the next epoch is trained"""
    count, dice = 100 if FULL else 20, random.Random(RANDOM_SEED + 1)
    print(f"# RANDOM_SEED={RANDOM_SEED}", flush=True)
    seconds = min(begin("tiny.yaml"), begin("tiny.yaml", TINY, "again"))
    stale, faults = random_kills(count, "tiny.yaml", dice, seconds, threads=2)
    figure("K1: random kills of runs by two threads, sound and resumed to the same bytes", f"{count - len(faults)} of {count}")
    figure("K7: temporary files left by these kills, and after the next start", f"{stale}, 0")
    assert not faults, "\n".join(faults)


def k7():
    """K7: 500 stale temporary files are removed; one of a run that lives is not touched, and a file that is none neither"""
    begin("tiny.yaml", TINY, "whole", *SHORT)
    os.mkdir("run")
    for number in range(500):
        write(f"run/.{('model.bin', 'checkpoint.bin', 'x')[number % 3]}.tmp.{number + 1}.{number % 7}", "stale")
    write("run/.mine.tmp", "kept")
    run = Run("tiny.yaml", "run", *SHORT)
    equal(run.end(), 0, run.words())
    equal(temporaries("run"), [], "left")
    assert os.path.exists("run/.mine.tmp"), "a file that is no temporary one was removed"
    os.unlink("run/.mine.tmp")
    same("whole", "run", "with stale files")
    live = Run("tiny.yaml", "live", "-s", "train.epochs=100000")
    while not os.path.exists("live/config.yaml"):
        time.sleep(0.005)
    live.process.send_signal(signal.SIGSTOP)
    name = f"live/.model.bin.tmp.{live.process.pid}.99"
    write(name, "of a run that lives")
    other = Run("tiny.yaml", "live", *SHORT)
    equal(other.end(), 9, other.words())
    assert os.path.exists(name), "the second run removed a file of the first"
    live.process.send_signal(signal.SIGCONT)
    live.end(signal.SIGKILL)
    figure("K7: stale temporary files removed of 500; temporary of a live run", "500; kept")


def calls_of(command, directory_mark=None):
    """How often a command makes each file call, as strace sees it; with a mark, [how often before a line that has it]."""
    subprocess.run(["strace", "-f", "-o", "trace", "-e", "trace=" + ",".join(FILE_CALLS), *command], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    counts, before = {}, None
    with open("trace", encoding="utf-8", errors="replace") as file:
        for line in file:
            call = re.match(r"(?:[0-9]+ +)?([a-z0-9_]+)\(", line)
            if directory_mark and before is None and directory_mark in line:
                before = dict(counts)
            if call:
                counts[call[1]] = counts.get(call[1], 0) + 1
    return counts, before or {}


def killed_before(call, number, config, directory, *arguments):
    """Run until just before the n-th such call."""
    run = Run(config, directory, *arguments, wrapper=("strace", "-f", "-o", "/dev/null", "-e", "trace=" + call,
                                                     "-e", f"inject={call}:signal=KILL:when={number}"))
    status = run.end()
    assert status in (-signal.SIGKILL, 128 + signal.SIGKILL), f"before {call} {number}: exit {status}: {run.words()}"


def points(counts, before):
    return [(call, number) for call in FILE_CALLS for number in range(before.get(call, 0) + 1, counts.get(call, 0) + 1)]


def k2_run():
    """K2: killed before each file call of a run: start-up, first files, saves, end"""
    have_strace()
    begin("tiny.yaml", TINY, "whole", *SHORT)
    counts, _ = calls_of([CNNTRAIN, "-t", "1", "tiny.yaml", "-o", "a/b/cut", *SHORT])
    remove("a")
    all_points = points(counts, {})
    for call, number in all_points:
        what = f"killed before {call} {number}"
        killed_before(call, number, "tiny.yaml", "a/b/cut", *SHORT)
        finish("tiny.yaml", "a/b/cut", what, *SHORT)
        remove("a/b/cut")
        remove("a")
    figure("K2: killed before each file call of a run, sound and the same bytes", f"{len(all_points)} of {len(all_points)}")


def half_done(directory):
    """A run killed after epoch 5 with checkpoints every third: the log knows more than the checkpoint, and files lie about."""
    have_strace()
    every = ("-s", "train.epochs=8", "-s", "train.checkpoint.every=3")
    begin("tiny.yaml", TINY, "whole", *every)
    run = Run("tiny.yaml", directory, *every)
    equal(run.end(), 0, run.words())
    whole_log = read_log(directory + "/log.csv")
    remove(directory)
    # The sixth fdatasync is that of the sixth row; the checkpoint is that of epoch 3.
    killed_before("fdatasync", 6, "tiny.yaml", directory, *every)
    equal(load(directory + "/checkpoint.bin")["epoch"], "3", "epoch of the checkpoint")
    equal(len(read_log(directory + "/log.csv")), 6, f"rows of the log of {len(whole_log)}")
    for number in range(5):
        write(f"{directory}/.checkpoint.bin.tmp.{number + 1}.0", "stale")
    return every


def resumed_kills(most):
    """Kill resumed runs before each file call from the directory's opening on, up to so many; how many there were."""
    every = half_done("half")
    shutil.copytree("half", "counted")
    counts, before = calls_of([CNNTRAIN, "-t", "1", "tiny.yaml", "-o", "counted", "--resume", *every], '"counted"')
    # In the order in which they come, as far as one can tell from counts: each call's first ones first.
    chosen = sorted(points(counts, before), key=lambda point: point[1] - before.get(point[0], 0))[:most]
    for call, number in chosen:
        shutil.copytree("half", "cut")
        shutil.copy(said_of("half"), said_of("cut"))
        killed_before(call, number, "tiny.yaml", "cut", *every)
        assert int(load("cut/checkpoint.bin")["epoch"]) >= 3
        run = Run("tiny.yaml", "cut", *every)
        equal(run.end(), 0, f"killed before {call} {number} of a resumed run: {run.words()}")
        same("whole", "cut", f"killed before {call} {number} of a resumed run")
        remove("cut")
    return len(chosen)


def k3():
    """K3: killed while a resumed run removes files, cuts its log and goes on"""
    count = resumed_kills(10 ** 6 if FULL else 25)
    figure("K3: killed in a resumed run's clean-up, log truncation and first saves", f"{count} of {count}")
    assert count >= (50 if FULL else 25), count


def replaced_points(old_epochs, chosen):
    """Kill runs that replace another: whose ever checkpoint is there goes on with its own config, else both begin anew."""
    old, new = ("-s", "seed=77", "-s", f"train.epochs={old_epochs}"), ("-s", "train.epochs=2", "--fresh")
    ends = ("-s", "seed=77", "-s", "train.epochs=2")
    begin("tiny.yaml", TINY, "whole", "-s", "train.epochs=2")
    begin("tiny.yaml", TINY, "whole-old", *ends)
    begin("tiny.yaml", TINY, "half", *old)
    shutil.copytree("half", "counted")
    counts, before = calls_of([CNNTRAIN, "-q", "-t", "1", "tiny.yaml", "-o", "counted", *new], '"counted"')
    done = 0
    for call, number in points(counts, before):
        if call not in chosen:
            continue
        shutil.copytree("half", "cut")
        run = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                              f"inject={call}:signal=KILL:when={number}", CNNTRAIN, "-q", "-t", "1", "tiny.yaml", "-o", "cut",
                              *new], env=environment(), stderr=subprocess.PIPE, check=False)
        assert run.returncode in (-9, 137), (call, number, run.returncode, run.stderr)
        what = f"replacing, killed before {call} {number}"
        config = load("cut/checkpoint.bin")["config"] if os.path.exists("cut/checkpoint.bin") else ""
        is_old = "seed: 77" in config
        again = Run("tiny.yaml", "cut", *(ends if is_old else new[:2]))
        equal(again.end(), 0, f"{what}: {again.words()}")
        same("whole-old" if is_old else "whole", "cut", what)
        remove("cut")
        done += 1
    for directory in ("whole", "whole-old", "half", "counted"):
        remove(directory)
    return done


def k2_replaced():
    """K2: killed before the file calls of a run that replaces another, unfinished (--fresh) or finished"""
    have_strace()
    writing = ("renameat", "renameat2", "fsync", "unlinkat", "fdatasync", "ftruncate", "write", "flock")
    chosen = FILE_CALLS if FULL else writing[:4]
    count = replaced_points(1, chosen) + replaced_points(2, chosen)
    figure("K2: killed before the file calls of a run that replaces another", f"{count} of {count}")


def chain(pause, *arguments):
    """Kill a run that often and resume it until it is done; how many kills there were, and how far they were apart."""
    kills, newest, since = 0, 0, 0
    while True:
        run = Run("tiny.yaml", "chain", *arguments)
        time.sleep(pause)
        if run.end(signal.SIGKILL) == 0:
            return kills, pause
        kills += 1
        epoch = check_cut("chain")
        since = since + 1 if epoch == newest else 0
        newest = epoch
        if since >= 10:  # a machine that is too busy for an epoch in this time
            pause, since = pause * 2, 0


def k4():
    """K4: killed again and again, and resumed, until it is done"""
    pause, least, factor = (0.3, 30, 40) if FULL else (0.15, 5, 12)
    seconds = begin("tiny.yaml", TINY, "measured")
    while True:
        # So much work that an undisturbed run takes as long as so many pauses: more epochs, and then longer ones.
        epochs = int(EPOCHS * pause * factor / seconds) + 1
        longer = max(1, min(epochs // 600, 64))
        slower = ("-s", f"train.epochs={min(epochs, 600)}", "-s", f"data.limit={200 * min(longer, 7)}",
                  "-s", f"network.0.conv.filters={8 * longer}")
        begin("tiny.yaml", TINY, "whole", *slower)
        kills, pause = chain(pause, *slower)
        same("whole", "chain", f"after {kills} kills")
        if kills >= least or factor > 1000:
            break
        factor *= 2
        remove("whole")
        remove("chain")
    figure(f"K4: kills {pause} s apart in one run, resumed to the same bytes", kills)
    assert kills >= least, kills


def memory_group():
    """A control group whose processes may have 48 MiB, or None where none can be had: (its folder, where kills are counted)."""
    name = f"cnntrain-kills-{os.getpid()}"
    for root, limit, events in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.oom_control"),
                                ("/sys/fs/cgroup", "memory.max", "memory.events")):
        folder = os.path.join(root, name)
        try:
            os.mkdir(folder)
            write(os.path.join(folder, limit), str(48 << 20))
            return folder, os.path.join(folder, events)
        except OSError:
            if os.path.isdir(folder):
                os.rmdir(folder)
    return None


HOG = """
import os, sys
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
block = []
sys.stdin.readline()
os.fork() + os.fork()
while True:
    block.append(bytearray(os.urandom(4096)) * 256)
"""


def enter_group(folder):
    write(os.path.join(folder, "cgroup.procs"), str(os.getpid()))
    write("/proc/self/oom_score_adj", "1000")


def out_of_memory(folder, directory, wait):
    """Let the kernel kill the run: others take the memory of its group, each less than would make it the first to go."""
    run = Run("tiny.yaml", directory, wrapper=(sys.executable, os.path.abspath(__file__), "--enter", folder))
    with subprocess.Popen([sys.executable, "-c", HOG, folder], stdin=subprocess.PIPE, start_new_session=True) as hog:
        wait(run)
        hog.stdin.write(b"now\n")
        hog.stdin.close()
        status = run.end()
        os.killpg(hog.pid, signal.SIGKILL)
    while read_bytes(os.path.join(folder, "cgroup.procs")):
        time.sleep(0.001)
    return status


def kill_by_watcher(_, directory, wait):
    run = Run("tiny.yaml", directory)
    wait(run)
    while run.process.poll() is None and (proc_status(run.process.pid) or {}).get("VmRSS", 0) < 2048:
        time.sleep(0.001)
    return run.end(signal.SIGKILL)


def k6():
    """K6: the out-of-memory killer"""
    count, dice = 20 if FULL else 4, random.Random(RANDOM_SEED + 6)
    seconds = begin("tiny.yaml")
    group, killed, tries = memory_group(), 0, 0
    kill = out_of_memory if group else kill_by_watcher

    def wait(run):
        while run.process.poll() is None and not os.path.exists("cut/.lock"):
            time.sleep(0.001)
        time.sleep(dice.uniform(0, 0.7 * seconds))

    try:
        while killed < count:
            assert tries < 10 * count, f"the out-of-memory killer killed {killed} of {tries} runs"
            tries += 1
            status = kill(group and group[0], "cut", wait)
            if status == -signal.SIGKILL:
                killed += 1
                finish("tiny.yaml", "cut", f"kill {killed}")
            remove("cut")
        if group:
            with open(group[1], encoding="ascii") as file:
                found = re.search(r"oom_kill ([0-9]+)", file.read())
            assert not found or int(found[1]) >= count, "the kernel says it killed less"
    finally:
        if group:
            os.rmdir(group[0])
    how = "the kernel's out-of-memory killer in a control group" if group else "a watcher that kills"
    figure(f"K6: kills by {how}, resumed to the same bytes", f"{killed} of {count}")


def k8():
    """K8: written in place the same kills find faults: these tests bite"""
    count, kills, faults, dice = 200 if FULL else 30, 0, [], random.Random(RANDOM_SEED + 8)
    larger = ("-s", "network.3.dense.units=400", "-s", "train.epochs=30")
    seconds = begin("tiny.yaml", TINY, "whole", *larger)
    while not faults and kills < 5 * count:
        faults += random_kills(count, "tiny.yaml", dice, seconds, *larger, preload=damage_library(), DAMAGE="in-place")[1]
        kills += count
    figure("K8: the same kills with files written in place: faults found", f"{len(faults)} of {kills}")
    assert faults, "no fault was found"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--enter"]:
        enter_group(sys.argv[2])
        os.execv(sys.argv[3], sys.argv[3:])
    in_memory()
    run_tests([k1, k1_two_threads, k2_run, k2_replaced, k3, k4, k6, k7, k8])
