#!/usr/bin/env python3
"""environment.py: runs in a world that is full, read-only, gone, or short of something (group E of the programme).

Full disks are real: a tmpfs of 1 MiB, filled but for 0 to 200 KiB, page by page. Asserted throughout: exit code 6 (7 for
memory, 128 + n for a signal) with one line that says why, or 0 and the bytes of an undisturbed run; what was there
before is byte for byte the same or replaced whole, nothing else is left behind; and when the cause is gone, --resume
goes on to the same bytes. Mounts are made in a mount namespace of our own and vanish with it; where that cannot be had,
and where a test needs another user and we are not root, it is skipped visibly. Prints TAP."""
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from faults import (FILES, LINE, TIER, Missing, Result, Scenario, World, environment, figure, half_run,  # noqa: E402
                    none, old_run, program, scratch, whole_run)
from runs import Skip, equal, read_bytes, read_log, run_tests, write  # noqa: E402

USER = 54321  # who has no other process
MIB = 1 << 20
PAGE = 4096
OWN_MOUNTS = os.environ.get("FAULTS_OWN_MOUNTS") == "1"


def needs_mounts():
    if not OWN_MOUNTS:
        raise Skip("no mount namespace can be had here")


def needs_root():
    if os.geteuid() != 0:
        raise Skip("needs root, to become another user")


def mount(path, *options):
    os.makedirs(path, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", path], check=False)
    if done.returncode != 0:
        raise Skip("tmpfs cannot be mounted here")


def unmount(path):
    subprocess.run(["umount", "-l", path], check=True)


class Place:
    """A world with its scenarios; `small`: the runs are on a tmpfs of 1 MiB."""

    def __init__(self, small=False):
        self.root = scratch()
        self.world = World(self.root, directory="small/run" if small else "run")
        self.small = os.path.join(self.world.path, "small")
        if small:
            mount(self.small, "size=1m", "mode=755")
        old, half = old_run(self.world), half_run(self.world)
        model = whole_run(self.world)["model.bin"]
        with open(os.path.join(self.world.path, "model.bin"), "wb") as file:
            file.write(model)
        command = ["cnntrain", "-q", "-t", "1", "tiny.yaml", "-o", self.world.directory]
        self.train = Scenario(self.world, "train", command, before=old)
        self.fresh = Scenario(self.world, "fresh", command, before={})
        self.resume = Scenario(self.world, "resume", [*command, "--resume"], before=half)
        self.has_mount = small

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.has_mount:
            unmount(self.small)
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.world.path, *names)


def run_limited(scenario, *limits, command=None, reset=True, **changes):
    """A run under limits of resource (RLIMIT_X, value)."""
    def limit():
        for which, value in limits:
            resource.setrlimit(which, (value, value))
    if reset:
        scenario.reset()
    command = command or scenario.command
    user = changes.pop("user", None)
    options = {"user": user, "group": user, "extra_groups": []} if user else {}
    done = subprocess.run([program(command[0]), *command[1:]], cwd=scenario.world.path, capture_output=True, timeout=600,
                          env=environment(scenario.world, **changes), stdin=subprocess.DEVNULL, preexec_fn=limit,
                          check=False, **options)
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


# ---- full disks ----

def fill(folder, leave):
    """Take all room but `leave` bytes."""
    status = os.statvfs(folder)
    size = status.f_bavail * status.f_frsize - leave
    with open(os.path.join(folder, "filling"), "wb") as file:
        if size > 0:
            os.posix_fallocate(file.fileno(), 0, size)


def sweep(place, scenario, rooms):
    wrong, codes = [], {}
    for leave in rooms:
        scenario.reset()
        fill(place.small, leave)
        result = place.world.run(*scenario.command)
        os.unlink(os.path.join(place.small, "filling"))
        codes[result.code] = codes.get(result.code, 0) + 1
        wrong += [f"{leave} bytes left: {problem}"
                  for problem in scenario.problems(result, (6,), message="No space left on device")]
    figure(f"full disk, {scenario.name}: runs with 0 to {max(rooms) // 1024} KiB left; exit 6, exit 0",
           f"{len(rooms)}; {codes.get(6, 0)}, {codes.get(0, 0)}")
    none(wrong, scenario.name)
    assert codes.get(6) and codes.get(0), codes


def full_disk():
    """E06-E08 a full disk, page by page: exit 6, old files or new ones; with room again --resume goes on"""
    needs_mounts()
    with Place(small=True) as place:
        size = len(place.resume.final["checkpoint.bin"])
        step = PAGE if TIER == "full" else 3 * PAGE
        for scenario in (place.fresh, place.train, place.resume):
            sweep(place, scenario, sorted({0, 1, PAGE, size - 1, size, *range(0, 400 * 1024, step)}))


def full_disk_for_results():
    """a full disk and what cnneval and cnnview write: exit 6 and no part of a file"""
    needs_mounts()
    with Place(small=True) as place:
        write(place.path("rows.csv"), "")
        for command, name in ((["cnneval", "--csv", "small/rows.csv", "model.bin", "train-images-idx3-ubyte"], "rows.csv"),
                              (["cnneval", "--report", "small/page", "model.bin", "train-images-idx3-ubyte"], "page"),
                              (["cnnview", "model.bin", "--filters", "conv1", "-o", "small/f.png"], "f.png")):
            for leave in (0, PAGE):
                place.world.put({})
                if name == "page":
                    os.makedirs(os.path.join(place.small, "page"), exist_ok=True)
                fill(place.small, leave)
                result = place.world.run(*command)
                os.unlink(os.path.join(place.small, "filling"))
                if result.code == 0 and leave > 0:
                    continue  # it is as small as that
                found = LINE.fullmatch(result.err)
                assert result.code == 6 and found and "No space left" in found["message"], (command, leave, result.err)
                left = [entry for entry in os.listdir(place.small) if entry not in ("run", "page")]
                inside = os.listdir(os.path.join(place.small, "page")) if name == "page" else []
                assert not left and not inside, f"{command}: {left + inside} left behind"


# ---- limits ----

def file_size():
    """E09 RLIMIT_FSIZE: exit 6, 'File too large', from 0 bytes to the size of the largest file"""
    with Place() as place:
        wrong, codes = [], []
        for scenario in (place.train, place.resume):
            sizes = sorted({max(map(len, [scenario.final[name], *scenario.versions[name]])) for name in FILES})
            for limit in sorted({0, 1, 100, PAGE, *sizes, *[size - 1 for size in sizes]}):
                result = run_limited(scenario, (resource.RLIMIT_FSIZE, limit))
                codes.append(result.code)
                wrong += [f"{scenario.name}, {limit} bytes: {problem}"
                          for problem in scenario.problems(result, (6,), message="File too large")]
                assert (result.code == 0) == (limit >= sizes[-1]), (limit, sizes, result.code)
        figure("limits of the size of a file: runs; exit 6, exit 0", f"{len(codes)}; {codes.count(6)}, {codes.count(0)}")
        none(wrong, "RLIMIT_FSIZE")
        for command in (["cnneval", "--csv", "rows.csv", "model.bin", "train-images-idx3-ubyte"],
                        ["cnnview", "model.bin", "--filters", "conv1", "-o", "rows.csv"]):
            result = run_limited(place.fresh, (resource.RLIMIT_FSIZE, 50), command=command)
            assert result.code == 6 and "File too large" in result.err, (command, result.code, result.err)
            assert not os.path.exists(place.path("rows.csv")), command


def descriptors():
    """E10 ulimit -n 4 to 16: exit 6, 'Too many open files', or the same bytes"""
    with Place() as place:
        wrong, codes = [], []
        for scenario in (place.fresh, place.train, place.resume):
            for limit in range(4, 17):
                result = run_limited(scenario, (resource.RLIMIT_NOFILE, limit))
                codes.append(result.code)
                wrong += [f"{scenario.name}, {limit} descriptors: {problem}"
                          for problem in scenario.problems(result, (6,), message="Too many open files")]
        figure("limits of descriptors: runs; exit 6, exit 0", f"{len(codes)}; {codes.count(6)}, {codes.count(0)}")
        none(wrong, "RLIMIT_NOFILE")
        assert 6 in codes and 0 in codes


def small_stack():
    """E11 a stack of 256 KiB: all commands work, with one thread and with more"""
    with Place() as place:
        for threads in ("1", "3"):
            for scenario in (place.train, place.resume):
                command = [threads if word == "1" else word for word in scenario.command]
                result = run_limited(scenario, (resource.RLIMIT_STACK, 256 << 10), command=command)
                found = {**place.world.get(), "report.html": None}  # which tells the number of threads
                equal((result.code, result.err), (0, ""), f"{scenario.name}, {threads} threads")
                equal(found, {**scenario.final, "report.html": None}, f"{scenario.name}, {threads} threads")
            for command in (["cnneval", "--json", "model.bin", "pictures"], ["cnnpredict", "model.bin", "pictures/3"],
                            ["cnnview", "model.bin"], ["cnnview", "model.bin", "--activations", "pictures/3/0.png", "-o",
                                                       "maps.png"], ["cnntrain", "--list"],
                            ["cnntrain", "--gradcheck", "tiny.yaml"], ["cnntrain", "--doctor", "run"]):
                result = run_limited(place.train, (resource.RLIMIT_STACK, 256 << 10),
                                     command=[*command, "-t", threads], reset=False)
                assert result.code == 0, (command, threads, result.code, result.err)


def processor_time():
    """E13 ulimit -t 1: exit 152, the checkpoint is that of the batch under way, --resume goes on to the same bytes"""
    with Place() as place:
        place.world.put({})
        command = ["cnntrain", "-q", "-t", "1", "tiny.yaml", "-o", "run"]

        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (1, 30))
        done = subprocess.run([program(command[0]), *command[1:], "-s", "train.epochs=1000000"], preexec_fn=limit,
                              cwd=place.world.path, env=environment(place.world), capture_output=True, check=False)
        equal(done.returncode, 152, f"exit code: {done.stderr}")
        rows = len(read_log(place.path("run", "log.csv")))
        ends = f"train.epochs={rows + 1}"
        result = place.world.run(*command, "--resume", "-s", ends)
        equal(result.code, 0, result.err)
        resumed = place.world.get()
        place.world.put({})
        equal(place.world.run(*command, "-s", ends).code, 0, "the whole run")
        whole = place.world.get()
        assert all(resumed[name] == whole[name] for name in ("model.bin", "log.csv", "checkpoint.bin")), "other bytes"
        figure("ulimit -t 1: epochs until SIGXCPU, then resumed to the same bytes", rows)


def threads():
    """E26 1,024 threads: the same bytes; threads cannot be created: a warning, fewer threads, the same bytes"""
    needs_root()
    with Place() as place:
        place.train.reset()
        result = place.world.run(*["1024" if word == "1" else word for word in place.train.command])
        assert result.code == 0 and result.err == "", result.err
        equal({**place.world.get(), "report.html": None}, {**place.train.final, "report.html": None}, "1,024 threads")
        for scenario in (place.train, place.resume):
            command = ["4" if word == "1" else word for word in scenario.command if word != "-q"]
            scenario.reset()
            give_away(place, scenario)
            result = run_limited(scenario, (resource.RLIMIT_NPROC, 1), command=command, reset=False, user=USER)
            assert result.code == 0, (result.code, result.err)
            assert "warning: only 1 of 4 threads can be created" in result.err, result.err
            found = {**place.world.get(), "report.html": None}  # which tells the number of threads
            equal(found, {**scenario.final, "report.html": None}, scenario.name)
        result = run_limited(place.train, (resource.RLIMIT_NPROC, 1), reset=False, user=USER,
                             command=["cnneval", "-q", "-t", "8", "model.bin", "pictures"])
        assert result.code == 0 and result.err == "", result.err


def give_away(place, scenario):
    """The output directory to USER."""
    path = place.path(place.world.directory)
    for name in ["."] + sorted(scenario.before):
        os.chown(os.path.join(path, name), USER, USER)


# ---- rights ----

def umask():
    """E14 umask 0777: what a run writes, another user than root can read again"""
    needs_root()
    with Place() as place:
        os.chmod(place.world.path, 0o777)
        for output in ("run", "new/a/b"):
            place.world.put({})
            give_away(place, place.fresh)
            done = subprocess.run(["sh", "-c", 'umask 0777; exec "$@"', "sh", program("cnntrain"), "-q", "-t", "1",
                                   "tiny.yaml", "-o", output], cwd=place.world.path, env=environment(place.world),
                                  user=USER, group=USER, extra_groups=[], capture_output=True, text=True, check=False)
            equal((done.returncode, done.stderr), (0, ""), output)
            done = subprocess.run([program("cnneval"), f"{output}/model.bin", "train-images-idx3-ubyte"],
                                  cwd=place.world.path, user=USER, group=USER, extra_groups=[], capture_output=True,
                                  text=True, check=False)
            equal(done.returncode, 0, done.stderr)
            equal(place.world.get(output).keys(), place.fresh.final.keys(), output)


def read_only():
    """E03, E04 a directory without write permission, a read-only file system: exit 6 before the first batch"""
    needs_root()
    with Place() as place:
        place.train.reset()
        os.chown(place.path("run"), USER, USER)
        os.chmod(place.path("run"), 0o555)
        os.chmod(place.world.path, 0o777)
        for options in ((), ("--fresh",)):
            result = run_limited(place.train, command=[*place.train.command, *options], reset=False, user=USER)
            none(place.train.problems(result, (6,), place="^run$", message="Permission denied"), "mode 555")
            assert result.code == 6, result.code
            equal(place.world.get(), place.train.before, "files")
        os.chmod(place.path("run"), 0o755)
    needs_mounts()
    with Place(small=True) as place:
        for scenario in (place.train, place.resume):
            scenario.reset()
            subprocess.run(["mount", "-o", "remount,ro", place.small], check=True)
            result = place.world.run(*scenario.command)
            subprocess.run(["mount", "-o", "remount,rw", place.small], check=True)
            assert result.code == 6 and "Read-only file system" in result.err, (result.code, result.err)
            equal(place.world.get(), scenario.before, "files")


# ---- names ----

def links():
    """E17, E18 every file a symbolic link: replaced, its target untouched; .lock: refused"""
    with Place() as place:
        for name in FILES:
            for target in ("../victim", "../nowhere"):
                write(place.path("victim"), "precious")
                place.world.put({})
                os.symlink(target, place.path("run", name))
                result = place.world.run(*place.train.command, "--fresh")
                equal((result.code, result.err), (0, ""), name)
                equal(place.world.get(), place.train.final, name)
                equal(read_bytes(place.path("victim")), b"precious", "the link's target")
                assert not os.path.exists(place.path("nowhere")), "the link's target was made"
        place.world.put({})
        os.symlink("../victim", place.path("run", ".lock"))
        result = place.world.run(*place.train.command)
        assert result.code == 6 and "symbolic links" in result.err, result.err
        equal(read_bytes(place.path("victim")), b"precious", "the lock's target")


def folders():
    """E19 every file a directory: exit 6 or 9 before the first batch, it stays"""
    with Place() as place:
        for name in (*FILES, ".lock"):
            for options, codes in (((), (6, 9)), (("--fresh",), (6,))):
                place.world.put({})
                os.makedirs(place.path("run", name, "inside"))
                result = place.world.run(*place.train.command, *options)
                assert result.code in codes and LINE.fullmatch(result.err), (name, result.code, result.err)
                assert os.path.isdir(place.path("run", name, "inside")), name
                assert "model.bin" not in place.world.get() or name == "model.bin", f"{name}: it was trained first"


def started(place, *options):
    """A run without end; returned when it has written some epochs."""
    place.world.put({})
    process = subprocess.Popen([program("cnntrain"), "-q", "-t", "1", "tiny.yaml", "-o", "run", "-s",
                                "train.epochs=1000000", *options], cwd=place.world.path, env=environment(place.world),
                               stderr=subprocess.PIPE, text=True)
    wait_for_rows(place, 2)
    return process


def wait_for_rows(place, more):
    path, want = place.path("run", "log.csv"), None
    for _ in range(20000):
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                rows = file.read().count("\n")
            want = want or rows + more
            if rows >= want:
                return
        time.sleep(0.001)
    raise AssertionError("the run makes no epochs")


def planted():
    """E20 links at the names of temporary files, planted while a run writes: another name is taken, no link followed"""
    with Place() as place:
        write(place.path("victim"), "precious")
        process = started(place)
        for name in ("checkpoint.bin", "model.bin", "report.html"):
            for _ in range(1000):
                try:
                    os.symlink("../victim", place.path("run", f".{name}.tmp.{process.pid}.0"))
                    break
                except FileExistsError:  # just now it is there
                    pass
        wait_for_rows(place, 5)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
        equal((process.returncode, err), (143, ""), "exit code")
        equal(read_bytes(place.path("victim")), b"precious", "the links' target")
        links_left = [name for name in os.listdir(place.path("run")) if os.path.islink(place.path("run", name))]
        equal(len(links_left), 3, "links")
        result = place.world.run("cnntrain", "-q", "-t", "1", "tiny.yaml", "-o", "run", "--fresh")
        equal(result.code, 0, result.err)
        equal(place.world.get(), place.fresh.final, "files, the links removed")


def removed():
    """E05 the directory removed during training: exit 6, and it is not made again"""
    with Place() as place:
        process = started(place)
        os.rename(place.path("run"), place.path("gone"))
        shutil.rmtree(place.path("gone"))
        _, err = process.communicate(timeout=60)
        assert process.returncode == 6 and LINE.fullmatch(err), (process.returncode, err)
        assert "has been removed" in err or "No such file" in err, err
        assert not os.path.exists(place.path("run")) and not os.path.exists(place.path("gone"))


def missing():
    """E01, E02 an output directory that is missing is made, with its parents; a file is none"""
    with Place() as place:
        result = place.world.run(*place.train.command[:-1], "a/b/c")
        equal((result.code, result.err), (0, ""), "made")
        equal(place.world.get("a/b/c").keys(), place.fresh.final.keys(), "files")
        write(place.path("file"), "")
        for output in ("file", "file/run"):
            result = place.world.run(*place.train.command[:-1], output)
            assert result.code == 6 and "Not a directory" in result.err, result.err


def stale():
    """E21 500 stale temporary files: removed at the start, what is only like them stays"""
    with Place() as place:
        for scenario in (place.train, place.resume):
            scenario.reset()
            for number in range(500):
                write(place.path("run", f".{FILES[number % 5]}.tmp.{number}.{number % 7}"), "stale")
            others = {".model.bin.tmp.1": b"mine", ".tmp.1.2": b"mine", "model.bin.tmp.1.2": b"mine"}
            for name, data in others.items():
                write(place.path("run", name), data.decode())
            result = place.world.run(*scenario.command)
            equal((result.code, result.err), (0, ""), scenario.name)
            equal(place.world.get(), {**scenario.final, **others}, scenario.name)


# ---- descriptors ----

def closed():
    """E15 descriptors 0, 1 and 2 closed, in all combinations: no message and no result gets into a file"""
    with Place() as place:
        for closed_ones in range(8):
            redirections = "".join(f" {fd}{'<' if fd == 0 else '>'}&-" for fd in range(3) if closed_ones >> fd & 1)
            for scenario in (place.train, place.resume):
                scenario.reset()
                command = [word for word in scenario.command if word != "-q"]
                done = subprocess.run(["sh", "-c", f'exec "$@"{redirections}', "sh", program("cnntrain"), *command[1:]],
                                      cwd=place.world.path, env=environment(place.world), capture_output=True, check=False)
                equal(done.returncode, 0, f"cnntrain {redirections}: {done.stderr}")
                equal(place.world.get(), scenario.final, f"cnntrain {redirections}")
            done = subprocess.run(["sh", "-c", f'exec "$@"{redirections}', "sh", program("cnneval"), "model.bin",
                                   "train-images-idx3-ubyte"], cwd=place.world.path, env=environment(place.world),
                                  capture_output=True, check=False)
            equal(done.returncode, 6 if closed_ones & 2 else 0, f"cnneval {redirections}: {done.stderr}")


def dev_full():
    """E16 stdout or stderr is /dev/full: results that cannot be written are exit 6, messages are not missed"""
    with Place() as place, open("/dev/full", "wb") as full:
        options = {"cwd": place.world.path, "env": environment(place.world), "check": False}
        for command in (["cnneval", "model.bin", "train-images-idx3-ubyte"], ["cnneval", "--json", "model.bin", "pictures"],
                        ["cnnpredict", "model.bin", "pictures/3"], ["cnnview", "model.bin"], ["cnntrain", "--list"],
                        ["cnntrain", "--help"], ["cnntrain", "--dry-run", "tiny.yaml"]):
            done = subprocess.run([program(command[0]), *command[1:]], stdout=full, stderr=subprocess.PIPE, **options)
            assert done.returncode == 6, (command, done.returncode)
            # What is longer than a buffer fails before the end, and then the reason is not known any more.
            want = f"{command[0]}: error: cannot write results: (No space left on device|a write has failed)\n"
            assert re.fullmatch(want, done.stderr.decode()), (command, done.stderr)
            done = subprocess.run([program(command[0]), *command[1:]], stdout=subprocess.PIPE, stderr=full, **options)
            equal(done.returncode, 0, str(command))
        place.train.reset()
        command = [word for word in place.train.command if word != "-q"]
        done = subprocess.run([program(command[0]), *command[1:]], stdout=full, stderr=full, **options)
        equal(done.returncode, 0, "cnntrain")
        equal(place.world.get(), place.train.final, "cnntrain")


# ---- surroundings ----

def variables():
    """E22, E23 locales, installed or not, and variables that are not set: the same bytes"""
    with Place() as place:
        keep = {"LD_PRELOAD": place.world.library, "FAULTS_CLOCK": "1"}
        sets = [{**keep, "LC_ALL": name, "LANG": name} for name in
                ("de_DE.UTF-8", "tr_TR.UTF-8", "C", "POSIX", "ja_JP.eucJP", "no such locale", "\xff", "x" * 4000)]
        sets += [keep, {**keep, "HOME": "", "PATH": "", "TERM": "", "TZ": ""}, {**keep, "TZ": "nowhere/at all"}]
        for variables_set in sets:
            place.train.reset()
            done = subprocess.run([program("cnntrain"), *place.train.command[1:]], cwd=place.world.path, env=variables_set,
                                  capture_output=True, check=False)
            equal((done.returncode, done.stderr), (0, b""), str(variables_set))
            equal(place.world.get(), place.train.final, str(variables_set))


def clock():
    """E24 the clock of the wall is set back all the time: the same bytes"""
    with Place() as place:
        place.train.reset()
        result = place.world.run(*place.train.command, FAULTS_CLOCK="back")
        equal((result.code, result.err), (0, ""), "exit code")
        equal(place.world.get(), place.train.final, "files")


def no_proc():
    """E25 neither /proc nor /sys: the same bytes"""
    needs_mounts()
    with Place() as place:
        for scenario in (place.train, place.resume):
            scenario.reset()
            done = subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && mount -t tmpfs none /sys && '
                                   'exec "$@"', "sh", program("cnntrain"), *scenario.command[1:]], cwd=place.world.path,
                                  env=environment(place.world), capture_output=True, text=True, check=False)
            if "permission denied" in done.stderr:
                raise Skip("/proc cannot be hidden here")
            equal((done.returncode, done.stderr), (0, ""), scenario.name)
            equal(place.world.get(), scenario.final, scenario.name)


def enter_namespace():
    """Become the first process of a mount namespace of our own, where that can be had."""
    how = ["-m"] if os.geteuid() == 0 else ["-rm"]
    if os.environ.get("FAULTS_OWN_MOUNTS") is None and shutil.which("unshare"):
        probe = subprocess.run(["unshare", *how, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
        if probe.returncode == 0:
            os.environ["FAULTS_OWN_MOUNTS"] = "1"
            os.execvp("unshare", ["unshare", *how, sys.executable, os.path.abspath(__file__)])


def main():
    enter_namespace()
    try:
        with Place():
            pass
    except Missing as reason:
        print(f"1..1\nok 1 - environment # SKIP {reason}")
        return
    run_tests([full_disk, full_disk_for_results, file_size, descriptors, small_stack, processor_time, threads, umask,
               read_only, links, folders, planted, removed, missing, stale, closed, dev_full, variables, clock, no_proc])


main()
