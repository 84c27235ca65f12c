#!/usr/bin/env python3
"""power.py: what a loss of power may leave of a run, and that it goes on from there (K5; the idea is that of SQLite's test6.c).

strace records every open, write, truncation, rename, unlink, mkdir and fsync of a run. For each prefix of this trace states
of the directory are built as POSIX allows them: what has been fsynced is there; of what has not, names did or did not change
(none, all, each prefix, each alone, all but one), and data are absent (a new file is empty), a prefix, garbage, zeros, or
complete, per file at random. Bytes that were durable stay, also those that share a sector with others. In each state that
differs from those before: a checkpoint, once there is one, loads and is not older than the last epoch that was told to be
saved before the cut; the model loads; --resume (before the first checkpoint: the same command) finishes with the bytes of
the undisturbed run.

Four runs: a new one in directories that it makes, the same by two threads, which has a third that waits for the disk, a
resumed one that has a log to cut, and one that replaces another. And three damaged ones (lib/damage.c), without fsync of files, of the log, of directories: in each a fault must be found.
TIER=full: all states, more than 2,000; in CI a sample that takes about 40 s. RANDOM_SEED chooses others."""
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from cut import (CNNTRAIN, DIGITS, FULL, RANDOM_SEED, Run, damage_library, figure, have_strace, in_memory, load,  # noqa: E402
                 result)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import environment, equal, read_bytes, run_tests, write  # noqa: E402

SAMPLE = 150  # states of each run in CI
SMALL = f"""\
seed: 3
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz, limit: 60, validation: 0.25}}
network:
  - conv: {{filters: 2, kernel: 3, stride: 2, activation: relu}}
  - dropout: 0.2
  - dense: 10
train: {{epochs: 3, batch_size: 16}}
"""
CALLS = "openat,open,write,pwrite64,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,mkdir,close"


# ---- a file system that forgets ----

class File:
    def __init__(self, content=b""):
        self.durable, self.now, self.pending = content, content, []

    def change(self, operation):
        """operation: (where, bytes) or (length, None), a truncation."""
        self.pending.append(operation)
        self.now = self.applied(self.now, operation)

    @staticmethod
    def applied(content, operation):
        where, data = operation
        if data is None:
            return content[:where].ljust(where, b"\0")
        return content[:where].ljust(where, b"\0") + data + content[where + len(data):]

    def sync(self, count):
        """The first so many changes are durable."""
        for operation in self.pending[:count]:
            self.durable = self.applied(self.durable, operation)
        self.pending = self.pending[count:]

    def after_loss(self, how, dice):
        """What may be on the disk."""
        if how == "complete" or not self.pending:
            return self.now
        if how == "absent":
            return self.durable
        content = self.durable
        if how == "prefix":
            whole = dice.randint(0, len(self.pending) - 1)
            for operation in self.pending[:whole]:
                content = self.applied(content, operation)
            where, data = self.pending[whole]
            return content if data is None else self.applied(content, (where, data[:dice.randint(0, len(data))]))
        for where, data in self.pending:  # the length is right, the sectors are not
            if data is None:
                content = self.applied(content, (where, None))
                continue
            bad = bytearray(data)
            for sector in range(0, len(bad), 512):
                if how == "zeros" or dice.random() < 0.7:
                    part = slice(sector, min(sector + 512, len(bad)))
                    bad[part] = bytes(part.stop - sector) if how == "zeros" else dice.randbytes(part.stop - sector)
            content = self.applied(content, (where, bytes(bad)))
        return content


class Folder:
    def __init__(self):
        self.durable, self.now, self.pending = {}, {}, []

    def change(self, operation):
        """operation: (name, entry or None), or (from, to), of two names."""
        self.pending.append(operation)
        self.apply(self.now, operation)

    @staticmethod
    def apply(entries, operation):
        name, other = operation
        if isinstance(other, str):
            if name in entries:
                entries[other] = entries.pop(name)
        elif other is None:
            entries.pop(name, None)
        else:
            entries[name] = other

    def sync(self, count):
        for operation in self.pending[:count]:
            self.apply(self.durable, operation)
        self.pending = self.pending[count:]

    def choices(self, dice):
        """Which of the pending changes may have happened; of very many (only a damaged program has such) some."""
        count = len(self.pending)
        chosen = [tuple(range(n)) for n in range(1, count)]
        chosen += [(n,) for n in range(count)] + [tuple(k for k in range(count) if k != n) for n in range(count)]
        return list(dict.fromkeys([(), tuple(range(count)), *dice.sample(chosen, min(len(chosen), 24))]))

    def after_loss(self, chosen):
        entries = dict(self.durable)
        for number in chosen:
            self.apply(entries, self.pending[number])
        return entries


class Disk:
    """The file system below the working directory, and the descriptors of the process."""

    def __init__(self, folder):
        self.root, self.descriptors, self.syncing, self.told = self.read(folder), {}, {}, 0

    def read(self, path):
        folder = Folder()
        for name in os.listdir(path):
            full = os.path.join(path, name)
            folder.now[name] = self.read(full) if os.path.isdir(full) else File(read_bytes(full))
        folder.durable = dict(folder.now)
        return folder

    def find(self, base, path):
        """(folder, last name), or (None, None) where that is not below the working directory."""
        if path.startswith("/") or base is None:
            return None, None
        *parents, name = [part for part in path.split("/") if part not in ("", ".")] or ["."]
        for part in parents:
            base = base.now.get(part)
            if not isinstance(base, Folder):
                return None, None
        return base, name

    def entry(self, base, path):
        folder, name = self.find(base, path)
        return folder if folder is None or name == "." else folder.now.get(name)

    def base(self, text):
        return self.root if text == "AT_FDCWD" else self.descriptors.get(int(text), (None, 0))[0]

    def open(self, base, path, flags, number):
        folder, name = self.find(base, path)
        self.descriptors.pop(number, None)
        if folder is None:
            return
        entry = self.entry(base, path)
        if entry is None:
            entry = File()
            folder.change((name, entry))
        elif "O_TRUNC" in flags:
            entry.change((0, None))
        self.descriptors[number] = [entry, None if "O_APPEND" in flags else 0]

    def write(self, number, data, where=None):
        if number == 2 and re.match(rb"epoch +[0-9]+/", data):
            self.told += 1
        if number not in self.descriptors:
            return
        entry, offset = self.descriptors[number]
        at = where if where is not None else len(entry.now) if offset is None else offset
        entry.change((at, data))
        if where is None and offset is not None:
            self.descriptors[number][1] = at + len(data)

    def begin_sync(self, number):
        if number in self.descriptors:
            self.syncing[number] = len(self.descriptors[number][0].pending)

    def sync(self, number):
        """What was there when the call began is durable when it is done; what came meanwhile is not."""
        if number in self.descriptors:
            entry = self.descriptors[number][0]
            entry.sync(self.syncing.pop(number, len(entry.pending)))


def whole_calls(lines):
    """A call that others came between is in the trace twice, when it began and when it was done: it counts when it was done,
    and the beginning of a sync is told as a "sync_begins". But a close counts when it began: before it is done another thread
    may have opened a file under the number that it gave back."""
    begun = {}
    for line in lines:
        thread = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[thread] = line[:-len("<unfinished ...>")].rstrip()
            found = re.search(r" (fsync|fdatasync|close)\(([0-9]+)", line)
            if found:
                yield f"{'close' if found[1] == 'close' else 'sync_begins'}({found[2]}) = 0"
        elif " resumed>" in line:
            call = begun.pop(thread)
            if " close(" not in call:
                yield call + line.split(" resumed>", 1)[1]
        else:
            yield line


TEXT = r'"((?:\\x[0-9a-f]{2})*)"'
LINE = re.compile(r"(?:[0-9]+ +)?([a-z0-9_]+)\((.*)\) += (-?[0-9]+)")


def unhex(text):
    return bytes.fromhex(text.replace("\\x", ""))


def replay(disk, line):
    """Let the line of the trace happen; whether it changed anything."""
    found = LINE.match(line)
    if not found or int(found[3]) < 0:
        return False
    call, text, value = found[1], found[2], int(found[3])
    strings = [unhex(string) for string in re.findall(TEXT, text)]
    plain = [part.strip() for part in re.sub(TEXT, "", text).split(",")]
    names = [string.decode("utf-8", "replace") for string in strings[:2]]
    if call in ("openat", "open"):
        disk.open(disk.base(plain[0] if call == "openat" else "AT_FDCWD"), names[0], text, value)
        return "O_CREAT" in text or "O_TRUNC" in text
    if call == "close":
        disk.descriptors.pop(int(plain[0]), None)
        return False
    if call == "mkdir":
        folder, name = disk.find(disk.root, names[0])
        if folder is not None:
            folder.change((name, Folder()))
    elif call in ("unlink", "unlinkat"):
        folder, name = disk.find(disk.base(plain[0] if call == "unlinkat" else "AT_FDCWD"), names[0])
        if folder is not None:
            folder.change((name, None))
    elif call in ("rename", "renameat", "renameat2"):
        folder, name = disk.find(disk.base("AT_FDCWD" if call == "rename" else plain[0]), names[0])
        if folder is not None:
            folder.change((name, names[1]))
    elif call == "sync_begins":
        disk.begin_sync(int(plain[0]))
        return False
    elif call in ("fsync", "fdatasync"):
        disk.sync(int(plain[0]))
    elif call == "write":
        assert len(strings[0]) == value, "strace has cut a string"
        disk.write(int(plain[0]), strings[0])
    elif call == "pwrite64":
        disk.write(int(plain[0]), strings[0], int(plain[3]))
    elif call in ("ftruncate", "fallocate") and int(plain[0]) in disk.descriptors:
        entry, _ = disk.descriptors[int(plain[0])]
        length = int(plain[1]) if call == "ftruncate" else max(len(entry.now), int(plain[2]) + int(plain[3]))
        entry.change((length, None))
    return True


HOWS = ("absent", "prefix", "garbage", "zeros", "complete", "mixed")


def tree(folder, pick, how, dice, path=""):
    """{path: content, or None for a folder} of what is left."""
    result_ = {}
    for name, entry in sorted(folder.after_loss(pick(folder)).items()):
        if isinstance(entry, Folder):
            result_[path + name] = None
            result_.update(tree(entry, pick, how, dice, path + name + "/"))
        else:
            result_[path + name] = entry.after_loss(dice.choice(HOWS[:5]) if how == "mixed" else how, dice)
    return result_


def folders(folder):
    return [folder] + [found for entry in folder.now.values() if isinstance(entry, Folder) for found in folders(entry)]


def states(disk, dice):
    """All trees that a loss of power may leave now, as far as we look."""
    unsure = [folder for folder in folders(disk.root) if folder.pending]
    for looked_at in unsure or [disk.root]:
        for chosen in looked_at.choices(dice):
            for others in (0, 1):  # the other folders' changes: none or all
                for how in HOWS:
                    def pick(folder, at=looked_at, mine=chosen, all_=others):
                        return mine if folder is at else range(len(folder.pending) if all_ else 0)
                    yield tree(disk.root, pick, how, dice)
                if len(unsure) < 2:
                    break


def states_of(trace, folder, dice):
    """[(what was told before, tree)]: the different states of all prefixes of a trace that began in this folder."""
    disk, different = Disk(folder), {}
    with open(trace, encoding="ascii", errors="replace") as file:
        lines = file.read().splitlines()
    for line in ["", *whole_calls(lines)]:
        if line and not replay(disk, line):
            continue
        for state in states(disk, dice):
            digest = hashlib.sha256(repr((disk.told, sorted(state.items()))).encode()).digest()
            different.setdefault(digest, (disk.told, state))
    return list(different.values())


# ---- runs ----

class Scenario:
    """A run to be traced: in the folder `start`, with these arguments, into `directory`."""

    def __init__(self, name, directory, arguments, told=0, every=1, wholes=(("seed: 3", (), "whole"),), threads=1):
        self.name, self.directory, self.arguments, self.wholes, self.threads = name, directory, arguments, wholes, threads
        self.told, self.every = told, every  # epochs told to be saved before the trace; how many epochs a checkpoint is apart

    def trace(self, damage=None):
        """Run it in a copy of its start, traced."""
        shutil.copytree(self.name, "traced")
        changes = {"LD_PRELOAD": damage_library(), "DAMAGE": damage} if damage else {}
        command = ["strace", "-f", "-xx", "-s", "10000000", "-o", os.path.abspath("trace"), "-e", "trace=" + CALLS,
                   *[word for key, value in changes.items() for word in ("-E", f"{key}={value}")], CNNTRAIN, "-t", str(self.threads),
                   "--progress", "never", "small.yaml", "-o", self.directory, *self.arguments]
        done = subprocess.run(command, cwd="traced", capture_output=True, text=True, env=environment(), check=False)
        assert done.returncode == 0, f"{self.name}: exit {done.returncode}: {done.stderr}"
        shutil.rmtree("traced")

    def check(self, told, state):
        """Build this state and go on from it."""
        os.mkdir("state")
        os.chdir("state")
        try:
            for path, content in state.items():
                if content is None:
                    os.mkdir(path)
                else:
                    with open(path, "wb") as file:
                        file.write(content)
            arguments, whole = self.sound(told)
            run = Run("small.yaml", self.directory, *arguments)
            status = run.end()
            assert status == 0, f"exit {status}: {run.words()}"
            for name, a, b in zip(("model.bin", "log.csv"), result(os.path.join("..", whole)), result(self.directory)):
                assert a == b, f"{name} differs from the undisturbed run's"
        finally:
            os.chdir("..")
            shutil.rmtree("state")

    def sound(self, told):
        """What is there is sound; the arguments and the result of the run that it belongs to."""
        checkpoint = os.path.join(self.directory, "checkpoint.bin")
        model = os.path.join(self.directory, "model.bin")
        if os.path.exists(model):
            load(model)
        if not os.path.exists(checkpoint):
            assert told == 0, f"epoch {told} was told to be saved, and there is no checkpoint"
            return self.wholes[0][1:]
        metadata = load(checkpoint)
        if told > 0:
            assert self.wholes[0][0] in metadata["config"] and int(metadata["epoch"]) >= told, \
                f"epoch {told} was told to be saved, the checkpoint has epoch {metadata['epoch']}"
        return next(whole[1:] for whole in self.wholes if whole[0] in metadata["config"])

    def faults(self, states_, until=10 ** 9):
        found = []
        for told, state in states_:
            try:
                epochs = self.told + told
                self.check(epochs - epochs % self.every if told else 0, state)
            except (AssertionError, OSError) as fault:
                found.append(f"{self.name}, {self.told + told} epochs told, {sorted(state)}: {fault}")
                if len(found) >= until:
                    break
        return found


def train(folder, directory, *arguments, code=0):
    os.makedirs(folder, exist_ok=True)
    write(os.path.join(folder, "small.yaml"), SMALL)
    done = subprocess.run([CNNTRAIN, "-q", "-t", "1", "small.yaml", "-o", directory, *arguments], cwd=folder, env=environment(),
                          capture_output=True, text=True, check=False)
    equal(done.returncode, code, f"exit code: {done.stderr}")


def new(threads=1):
    train(".", "whole")
    os.mkdir("new")
    write("new/small.yaml", SMALL)
    return Scenario("new", "runs/deep/er", (), threads=threads)


def resumed():
    """Every second epoch is saved; killed before the fourth row of the log is synced, files lie about."""
    every = ("-s", "train.epochs=5", "-s", "train.checkpoint.every=2")
    train(".", "whole", *every)
    os.mkdir("resumed")
    write("resumed/small.yaml", SMALL)
    subprocess.run(["strace", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:signal=KILL:when=4", CNNTRAIN,
                    "-q", "-t", "1", "small.yaml", "-o", "run", *every], cwd="resumed", env=environment(), check=False)
    equal(load("resumed/run/checkpoint.bin")["epoch"], "2", "epoch")
    write("resumed/run/.model.bin.tmp.1.0", "stale")
    return Scenario("resumed", "run", ("--resume", *every), 2, 2, (("seed: 3", every, "whole"),))


def replaced():
    """An unfinished run of another seed, thrown away."""
    other = ("-s", "seed=77")
    train(".", "whole")
    train(".", "whole-other", *other)
    train("replaced", "run", *other, "-s", "train.epochs=1")
    return Scenario("replaced", "run", ("--fresh",), 0, 1, (("seed: 3", (), "whole"), ("seed: 77", other, "whole-other")))


def survive(make):
    have_strace()
    dice = random.Random(RANDOM_SEED)
    print(f"# RANDOM_SEED={RANDOM_SEED}", flush=True)
    scenario = make()
    scenario.trace()
    different = states_of("trace", scenario.name, dice)
    chosen = different if FULL else dice.sample(different, min(SAMPLE, len(different)))
    faults = scenario.faults(chosen)
    figure(f"K5: loss of power, {scenario.name} run: different states; gone on from to the same bytes",
           f"{len(different)}; {len(chosen) - len(faults)} of {len(chosen)}")
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:5])


def calls_that_overlap():
    """a call that another thread's came between counts where it took effect: a close as it began, a sync for what it found"""
    os.mkdir("empty")
    disk = Disk("empty")
    a, b, c = ("".join(f"\\x{byte:02x}" for byte in word) for word in (b"a", b"b", b"c"))
    trace = [f'1 openat(AT_FDCWD, "{a}", O_WRONLY|O_CREAT, 0666) = 3', "1 close(3 <unfinished ...>",
             f'2 openat(AT_FDCWD, "{b}", O_WRONLY|O_CREAT, 0666) = 3', "1 <... close resumed>) = 0", f'2 write(3, "{b}", 1) = 1',
             "2 fsync(3 <unfinished ...>", f'1 write(3, "{c}", 1) = 1', "2 <... fsync resumed>) = 0"]
    for line in whole_calls(trace):
        replay(disk, line)
    file = disk.root.now["b"]
    equal((file.durable, file.now), (b"b", b"bc"), "what is durable, and what is not yet")


def new_run():
    """K5: loss of power in a new run, in directories that it makes"""
    survive(new)


def new_run_of_two_threads():
    """K5: loss of power in a run of two threads, while a third waits for the disk"""
    survive(lambda: new(2))


def resumed_run():
    """K5: loss of power in a resumed run, which cuts its log and removes files"""
    survive(resumed)


def replaced_run():
    """K5: loss of power in a run that replaces another"""
    survive(replaced)


def without(damage, what):
    """The damaged program must be found out."""
    have_strace()
    dice = random.Random(RANDOM_SEED + 1)
    scenario = new()
    scenario.trace(damage)
    different = states_of("trace", scenario.name, dice)
    dice.shuffle(different)
    faults = scenario.faults(different, 1)
    figure(f"K5: without {what} a fault is found", "yes: " + faults[0].split(": ", 1)[1].splitlines()[0] if faults else "no")
    assert faults, f"no fault in {len(different)} states"


def without_file_sync():
    """K5: without fsync of files a fault is found"""
    without("no-file-sync", "fsync of files")


def without_log_sync():
    """K5: without fdatasync of the log a fault is found"""
    without("no-log-sync", "fdatasync of the log")


def without_directory_sync():
    """K5: without fsync of directories a fault is found"""
    without("no-dir-sync", "fsync of directories")


if __name__ == "__main__":
    in_memory()
    run_tests([calls_that_overlap, new_run, new_run_of_two_threads, resumed_run, replaced_run, without_file_sync, without_log_sync,
               without_directory_sync])
