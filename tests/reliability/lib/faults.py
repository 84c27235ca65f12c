"""faults.py: what the tests of faults share: small worlds (a directory with data, a config, a run that another one has
left), the commands that are run in them, and what must be true of a world afterwards, whatever went wrong.

A world stands in memory where that can be had. Time stands still in it (interpose.c), so that all bytes of all files,
those of log.csv and report.html too, are known beforehand: a file is right when it is byte for byte one of the versions
that an undisturbed run writes, or what was there before."""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
from cases import formats  # noqa: E402
from runs import BIN, DIGITS, equal, make_subset, read_bytes, write  # noqa: E402

TIER = os.environ.get("TIER", "ci")
CONFIG = """\
seed: {seed}
data: {{train: train-images-idx3-ubyte, validation: 0.25}}
network:
  - conv: {{filters: 3, kernel: 3, activation: relu}}
  - dense: 10
train: {{epochs: 2, batch_size: 16}}
"""
FILES = ("model.bin", "checkpoint.bin", "log.csv", "config.yaml", "report.html")
LINE = re.compile(r"(?P<place>[^:\n]+(:@\d+|:\d+:\d+)?): error: (?P<message>[^\n]+)\n(?P<source> +\d+ \| .*\n +\| .*\n)?"
                  r"([^\n]+: note: [^\n]+\n)?")


class Missing(Exception):
    """A tool that is not here."""


# ---- TAP with figures ----

def figure(what, value):
    print(f"# figure: {what}: {value}", flush=True)


def none(problems, what):
    """No problems, or the first few of them."""
    assert not problems, f"{what}: {len(problems)} problems, the first:\n" + "\n".join(map(str, problems[:12]))


# ---- the interposer, the environment ----

def scratch():
    memory = "/dev/shm"
    path = tempfile.mkdtemp(prefix="cnntrain-faults-", dir=memory if os.access(memory, os.W_OK | os.X_OK) else None)
    os.chmod(path, 0o755)
    return path


def interposer(directory):
    """interpose.c as a library to be preloaded."""
    path = os.path.join(directory, "interpose.so")
    if not os.path.exists(path):
        compiler = os.environ.get("CC", "cc").split()
        if not shutil.which(compiler[0]):
            raise Missing(f"no compiler ({compiler[0]})")
        subprocess.run([*compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", path,
                        os.path.join(HERE, "interpose.c")], check=True)
    return path


def environment(world, **changes):
    return {"PATH": os.environ["PATH"], "LC_ALL": "C", "OMP_WAIT_POLICY": "passive", "LD_PRELOAD": world.library,
            "FAULTS_CLOCK": "1", **changes}


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err  # code: negative for a signal


def program(name):
    return os.path.join(BIN, name)


# ---- worlds ----

class World:
    """A directory in which the runs take place, below `root`; they write to `directory` in it."""

    def __init__(self, root, directory="run"):
        self.root, self.path, self.directory = root, os.path.join(root, "world"), directory
        self.library = interposer(root)
        os.mkdir(self.path)
        here = os.getcwd()
        os.chdir(self.path)
        make_subset(DIGITS, 64, "train")
        write("old.yaml", CONFIG.format(seed=1))
        write("tiny.yaml", CONFIG.format(seed=2))
        self.make_pictures()
        os.chdir(here)
        self.resumed = {}

    def make_pictures(self):
        """A folder of class folders with PNG files, for a model of `tiny.yaml`; and a list of them."""
        rows = []
        for label in range(10):
            os.makedirs(f"pictures/{label}")
            for number in range(2):
                pixels = bytes((number * 7 + i * 13 + label * 29) % 251 for i in range(64))
                with open(f"pictures/{label}/{number}.png", "wb") as file:
                    file.write(formats.png(pixels, 8, 8))
                rows.append(f"{label}/{number}.png,{label}\n")
        write("pictures/list.csv", "".join(rows))

    def put(self, files, directory=None):
        """Make `directory` hold these files and no others."""
        path = os.path.join(self.path, directory or self.directory)
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        for name, data in files.items():
            with open(os.path.join(path, name), "wb") as file:
                file.write(data)

    def get(self, directory=None):
        """Every file there; None for what is no regular file."""
        path = os.path.join(self.path, directory or self.directory)
        if not os.path.isdir(path):
            return {}
        result = {}
        for name in sorted(os.listdir(path)):
            whole = os.path.join(path, name)
            result[name] = read_bytes(whole) if os.path.isfile(whole) and not os.path.islink(whole) else None
        return result

    def run(self, *command, before=(), **changes):
        """Run one command to its end, `before` it e.g. strace."""
        done = subprocess.run([*before, program(command[0]), *command[1:]], cwd=self.path, capture_output=True,
                              timeout=600, env=environment(self, **changes), stdin=subprocess.DEVNULL, check=False)
        return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


class Scenario:
    """A command in a world, and what it makes of it when nothing goes wrong."""

    def __init__(self, world, name, command, before=None, writes=()):
        self.world, self.name, self.command = world, name, command
        self.before = before  # the files of the output directory; None: the command writes no run
        self.writes = writes  # files that it makes otherwise
        self.result = None
        self.measure()

    def reset(self):
        if self.before is not None:
            self.world.put(self.before)
        for name in self.writes:
            if os.path.exists(os.path.join(self.world.path, name)):
                os.unlink(os.path.join(self.world.path, name))

    def measure(self):
        """Every version of every file that the run writes on its way, and the last ones."""
        self.reset()
        self.names = sorted(os.listdir(self.world.path))
        kept = os.path.join(self.world.root, "kept-" + self.name.replace(" ", "-"))
        os.mkdir(kept)
        self.result = self.world.run(*self.command, FAULTS_KEEP=kept)
        equal(self.result.code, 0, self.result.err)
        self.final = self.world.get()
        self.others = {name: read_bytes(os.path.join(self.world.path, name)) for name in self.writes}
        self.versions = {name: [] for name in FILES}
        for name in sorted(os.listdir(kept), key=lambda n: int(n.rsplit(".", 1)[1])):
            if name.rsplit(".", 1)[0] in self.versions:
                self.versions[name.rsplit(".", 1)[0]].append(read_bytes(os.path.join(kept, name)))
        self.reset()

    # ---- what must be true afterwards ----

    def log_is_right(self, data):
        """The log of the run before, or a beginning of this one's, to the end of a line."""
        return data == (self.before or {}).get("log.csv") or (
            self.final["log.csv"].startswith(data) and data.endswith(b"\n"))

    def problems_of_files(self, locks=False):
        """What is wrong with the files; `locks`: the process could not take its lock or its probe away."""
        found, wrong = self.world.get(), []
        for name, data in found.items():
            if name in (".lock", ".probe") and locks:
                continue
            if name not in FILES:
                wrong.append(f"{name} is left behind")
            elif name == "log.csv":
                wrong += [] if self.log_is_right(data) else [f"log.csv is none of the run: {data[-80:]!r}"]
            elif data != self.before.get(name) and data not in self.versions[name]:
                wrong.append(f"{name} is neither the old nor a new one")
        for name in self.before:
            if name not in found and name != "model.bin":
                wrong.append(f"{name} is gone")
        others = [name for name in sorted(os.listdir(self.world.path)) if name not in self.names + list(self.writes)]
        return wrong + [f"{name} is new" for name in others]

    def problems_of_resume(self):
        """A run that has begun goes on from what is there to the same bytes; one that has not leaves what was."""
        found = self.world.get()
        if {n: found.get(n) for n in FILES} in ({n: self.before.get(n) for n in FILES},
                                                {n: self.final.get(n) for n in FILES}):
            return []
        if found.get("checkpoint.bin") == self.before.get("checkpoint.bin") and "--resume" not in self.command:
            changed = [name for name in FILES if found.get(name) != self.before.get(name)]
            return [f"the run has not begun, but changed: {', '.join(changed)}"]
        key = hashlib.sha256(b"".join(hashlib.sha256(found.get(n) or b"").digest() for n in FILES)).digest()
        if key not in self.world.resumed:
            self.world.resumed[key] = self.resume(found)
        return self.world.resumed[key]

    def resume(self, found):
        self.world.put({name: data for name, data in found.items() if data is not None}, "again")
        again = self.world.run("cnntrain", "-q", "-t", "1", "tiny.yaml", "-o", "again", "--resume")
        made = self.world.get("again")
        shutil.rmtree(os.path.join(self.world.path, "again"))
        if again.code != 0:
            return [f"--resume ends with {again.code}: {again.err}"]
        return [f"after --resume, {name} is not that of the whole run"
                for name in ("model.bin", "checkpoint.bin", "log.csv") if made.get(name) != self.final[name]]

    def problems(self, result, codes, locks=False, place=None, message=None, printed=False):
        """What is wrong with a run in which something failed. `codes`: its documented exit codes beside 0; `printed`: it
        failed when the results were out."""
        wrong = []
        if result.code == 0:
            if result.err != self.result.err or result.out != self.result.out:
                wrong.append(f"exit code 0, but it printed other things: {result.err!r}")
            if self.before is not None and {k: v for k, v in self.world.get().items() if k != ".lock"} != self.final:
                wrong.append("exit code 0, but other files")
            for name, data in self.others.items():
                path = os.path.join(self.world.path, name)
                if not os.path.exists(path) or read_bytes(path) != data:
                    wrong.append(f"exit code 0, but another {name}")
        elif result.code not in codes:
            wrong.append(f"exit code {result.code}: {result.err!r}")
        else:
            found = LINE.fullmatch(result.err)
            if not found or result.err.count(": error: ") != 1:
                wrong.append(f"stderr is not one line: {result.err!r}")
            elif place and not re.search(place, found["place"]):
                wrong.append(f"message does not name {place}: {result.err!r}")
            elif message and not re.search(message, found["message"]):
                wrong.append(f"message lacks {message!r}: {result.err!r}")
            if result.out and not printed:
                wrong.append(f"{len(result.out)} bytes on stdout of a run that failed")
            for name, data in self.others.items():
                path = os.path.join(self.world.path, name)
                if os.path.exists(path) and read_bytes(path) != data:
                    wrong.append(f"a part of {name} is left behind")
        if self.before is not None:
            wrong += self.problems_of_files(locks) or self.problems_of_resume()
        return wrong


def old_run(world):
    """The files of a finished run, by old.yaml."""
    world.put({})
    equal(world.run("cnntrain", "-q", "-t", "1", "old.yaml", "-o", world.directory).code, 0, "the run before")
    return world.get()


def half_run(world):
    """The files of a run by tiny.yaml after its first epoch."""
    world.put({})
    equal(world.run("cnntrain", "-q", "-t", "1", "tiny.yaml", "-o", world.directory, "-s", "train.epochs=1").code, 0, "half")
    return world.get()


def whole_run(world):
    world.put({})
    equal(world.run("cnntrain", "-q", "-t", "1", "tiny.yaml", "-o", world.directory).code, 0, "the whole run")
    return world.get()


def scenarios(world, threads=1):
    """The runs of which every allocation and every call is made to fail."""
    t = ["-t", str(threads)]
    train = ["cnntrain", "-q", *t, "tiny.yaml", "-o", world.directory]
    old, half, model = old_run(world), half_run(world), whole_run(world)["model.bin"]
    with open(os.path.join(world.path, "model.bin"), "wb") as file:
        file.write(model)
    return [Scenario(world, "train", train, before=old),
            Scenario(world, "resume", [*train, "--resume"], before=half),
            Scenario(world, "cnneval", ["cnneval", *t, "model.bin", "train-images-idx3-ubyte"]),
            Scenario(world, "cnneval of pictures", ["cnneval", *t, "--json", "model.bin", "pictures"]),
            Scenario(world, "cnnpredict", ["cnnpredict", *t, "model.bin", "pictures/3/0.png", "pictures/4"]),
            Scenario(world, "cnnview", ["cnnview", *t, "model.bin"]),
            Scenario(world, "cnnview filters", ["cnnview", *t, "model.bin", "--filters", "conv1", "-o", "filters.png"],
                     writes=("filters.png",)),
            Scenario(world, "cnnview activations", ["cnnview", *t, "model.bin", "--activations", "pictures/3/0.png",
                                                    "-o", "maps.png"], writes=("maps.png",))]
