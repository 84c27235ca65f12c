"""cut.py: runs of cnntrain that are cut up: begun or resumed, watched through /proc, ended by a signal, and compared with
the run that nobody disturbed. Used by soak.py, kills.py, power.py and signals.py."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
from cases.formats import png  # noqa: E402
from runs import BIN, DIGITS, Skip, environment, read_bytes, read_idx, read_log, result  # noqa: E402
from safetensors_check import check_header, check_plain, check_tensors  # noqa: E402

FULL = os.environ.get("TIER", "ci") == "full"
RANDOM_SEED = int(os.environ.get("RANDOM_SEED", "20261126"))
CNNTRAIN = os.path.join(BIN, "cnntrain")
# Other programs may have to wait for us or stop us for a while: nothing here is a fault because it took long.
PATIENCE = 1800


def figure(what, value):
    print(f"# figure: {what}: {value}", flush=True)


def in_memory():
    """In CI, work on a file system in memory: what a kill leaves behind is the same, and nobody waits for a disk."""
    if not FULL and os.access("/dev/shm", os.W_OK) and "TMPDIR" not in os.environ:
        tempfile.tempdir = "/dev/shm"


def damage_library():
    """damage.c, compiled."""
    library = os.path.abspath("damage.so")
    if not os.path.exists(library):
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "damage.c")
        subprocess.run([*os.environ.get("CC", "cc").split(), "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def have_strace():
    """Skip what cannot be without it: some containers have it and do not let it trace."""
    if not shutil.which("strace"):
        raise Skip("strace is missing (scripts/deps.sh ci)")
    if subprocess.run(["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("strace may not trace here")


def make_pictures(count, folder="pictures"):
    """A folder of class folders with the first digits as PNG files."""
    (_, height, width), pixels = read_idx(DIGITS + "/train-images-idx3-ubyte.gz")
    _, labels = read_idx(DIGITS + "/train-labels-idx1-ubyte.gz")
    for i in range(count):
        os.makedirs(f"{folder}/{labels[i]}", exist_ok=True)
        with open(f"{folder}/{labels[i]}/{i:04}.png", "wb") as file:
            file.write(png(pixels[i * height * width:(i + 1) * height * width], width, height))


def said_of(directory):
    return directory.replace("/", ",") + ".said"


class Run:
    """A process of cnntrain that trains into `directory`; what it says goes to a file that grows with each run."""

    def __init__(self, config, directory, *arguments, wrapper=(), preload=None, threads=1, **changes):
        self.directory, self.said = directory, said_of(directory)
        resume = ["--resume"] if os.path.exists(os.path.join(directory, "checkpoint.bin")) else []
        command = [*wrapper, CNNTRAIN, "-t", str(threads), "--progress", "never", config, "-o", directory, *resume, *arguments]
        if preload:
            changes["LD_PRELOAD"] = preload
        self.start_of_words = os.path.getsize(self.said) if os.path.exists(self.said) else 0
        with open(self.said, "ab") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                                            env=environment(**changes))

    def end(self, number=None):
        """Wait for the end, after a signal where one is given; the exit status as Popen has it."""
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)

    def words(self):
        with open(self.said, encoding="utf-8", errors="replace") as file:
            file.seek(self.start_of_words)
            return file.read()


def acknowledged(directory):
    """The newest epoch that any process of this run has told to be saved, and 0 when none."""
    try:
        with open(said_of(directory), encoding="utf-8", errors="replace") as file:
            epochs = re.findall(r"^epoch +([0-9]+)/[0-9]+ .*\n", file.read(), re.MULTILINE)
    except FileNotFoundError:
        return 0
    return max(map(int, epochs), default=0)


def load(path):
    """The metadata of a model or checkpoint of which every byte has been checked, by other code than cnntrain's."""
    file = read_bytes(path)
    try:
        start, metadata, tensors = check_plain(file)
        check_header(file[:start], metadata, tensors)
        check_tensors(file[start:], metadata, tensors)
    except (ValueError, LookupError) as reason:
        raise AssertionError(f"{path} ({len(file)} bytes) does not load: {reason}") from reason
    return metadata


def check_cut(directory, every=1):
    """What must be true of a directory at any instant: the checkpoint, once there is one, loads, and is not older than what
    was told; so does the model."""
    told = acknowledged(directory)
    path = os.path.join(directory, "checkpoint.bin")
    if not os.path.exists(path):
        assert told == 0, f"epoch {told} was told to be saved, and there is no checkpoint"
        return 0
    epoch = int(load(path)["epoch"])
    assert epoch >= told - told % every, f"epoch {told} was told to be saved, the checkpoint has epoch {epoch}"
    if os.path.exists(os.path.join(directory, "model.bin")):
        load(os.path.join(directory, "model.bin"))
    return epoch


def temporaries(directory):
    return [name for name in os.listdir(directory) if ".tmp." in name] if os.path.isdir(directory) else []


def same(whole, other, what):
    """The bytes of the run that nobody disturbed, and its config.yaml but for the directory's name."""
    for name, a, b in zip(("model.bin", "log.csv without its times"), result(whole), result(other)):
        assert a == b, f"{what}: {name} of {whole} and {other} differ"
    configs = []
    for directory in (whole, other):
        with open(os.path.join(directory, "config.yaml"), encoding="utf-8") as file:
            configs.append(re.sub(r"(?m)^output:.*$", "", file.read()))
    assert configs[0] == configs[1], f"{what}: config.yaml of {whole} and {other} differ"
    assert not temporaries(other), f"{what}: left in {other}: {temporaries(other)}"


def proc_status(pid):
    """{"VmRSS": KiB, "VmHWM": KiB, "fds": how many} of a process, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
            found = dict(re.findall(r"^(VmRSS|VmHWM):\s+([0-9]+) kB", file.read(), re.MULTILINE))
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
    return {**{key: int(value) for key, value in found.items()}, "fds": descriptors} if len(found) == 2 else None



__all__ = ["BIN", "CNNTRAIN", "DIGITS", "FULL", "PATIENCE", "RANDOM_SEED", "Run", "acknowledged", "check_cut",
           "damage_library", "figure", "have_strace", "in_memory", "load", "make_pictures", "proc_status", "read_log", "result",
           "said_of", "same", "signal", "temporaries"]
