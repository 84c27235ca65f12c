#!/usr/bin/env python3
"""peers.py: the same damage done to what people would use instead; what they do with it, and what cnntrain does.

Configs: 32 that are wrong in the ways of section 3.9 of the programme, each written for darknet (`darknet ops`) and for
cnntrain (`--dry-run`). Weights: a file cut, lengthened or replaced by text, for darknet (`darknet statistics`) and for
cnneval. One-bit flips and truncations: a state_dict of torch.save, read by torch.load, and a model.bin of ours read by
the plain rules of safetensors, which have no checksum (tests/safetensors_check.py); corruption.py does the same to ours,
every bit. Kills: kill -9 while torch.save writes a checkpoint in place; kills.py does it to ours.

What is asserted is only what cnntrain does, and that the unspoiled input passes everywhere; the peers are counted. A peer that
is not installed is skipped, visibly (darknet: Debian's package of that name, which nothing here installs; PyTorch: python3-torch)."""
import os
import random
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import runs  # noqa: E402
import safetensors_check  # noqa: E402

FULL = os.environ.get("TIER") == "full"
PYTHON = next((python for python in ("/usr/bin/python3", sys.executable)
               if subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0), None)

DARKNET = """[net]
batch=16
height=8
width=8
channels=1
learning_rate=0.001
momentum=0.9
max_batches=8

[convolutional]
filters=8
size=3
stride=1
pad=1
activation=relu

[maxpool]
size=2
stride=2

[dropout]
probability=.25

[connected]
output=10
activation=linear

[softmax]
groups=1
"""

OURS = f"""seed: 1
data:
  train: {runs.DIGITS}/train-images-idx3-ubyte.gz
  input: {{height: 8, width: 8, channels: 1}}
network:
  - conv: {{filters: 8, kernel: 3, stride: 1, padding: 1, activation: relu}}
  - maxpool: {{size: 2, stride: 2}}
  - dropout: 0.25
  - dense: 10
train:
  epochs: 1
  batch_size: 16
  optimizer: {{type: adam, lr: 0.001}}
output: run
"""

BINARY = bytes(1 + i * 37 % 126 for i in range(4096))


def edit(old, new):
    return lambda text: text.replace(old, new, 1)


def whole(text):
    return lambda _: text


def after(line, more):
    return lambda text: text.replace(line, line + more, 1)


# name, what makes darknet's config wrong, what makes ours wrong in the same way
CONFIGS = (
    ("Y01 empty file", whole(""), whole("")),
    ("Y02 only comments", whole("# nothing\n# here\n"), whole("# nothing\n# here\n")),
    ("Y27 no separator", edit("filters=8", "filters 8"), edit("seed: 1", "seed 1")),
    ("Y40 binary garbage", whole(BINARY), whole(BINARY)),
    ("S07 misspelt key", edit("filters=8", "fliters=8"), edit("filters: 8", "fliters: 8")),
    ("S10 misspelt layer", edit("[convolutional]", "[convolutonal]"), edit("conv:", "convv:")),
    ("S14 key given twice", after("learning_rate=0.001\n", "learning_rate=0.1\n"), after("output: run\n", "seed: 2\n")),
    ("S17 filters: abc", edit("filters=8", "filters=abc"), edit("filters: 8", "filters: abc")),
    ("S18 filters: 0", edit("filters=8", "filters=0"), edit("filters: 8", "filters: 0")),
    ("S19 filters: -8", edit("filters=8", "filters=-8"), edit("filters: 8", "filters: -8")),
    ("S20 filters: 99999999999", edit("filters=8", "filters=99999999999"), edit("filters: 8", "filters: 99999999999")),
    ("S35 a megabyte of digits", edit("filters=8", "filters=" + "8" * 10**6), edit("filters: 8", "filters: " + "8" * 10**6)),
    ("S39 learning rate nan", edit("learning_rate=0.001", "learning_rate=nan"), edit("lr: 0.001", "lr: nan")),
    ("S39 learning rate inf", edit("learning_rate=0.001", "learning_rate=inf"), edit("lr: 0.001", "lr: .inf")),
    ("S49 momentum: abc", edit("momentum=0.9", "momentum=abc"), edit("{type: adam, lr", "{type: sgd, momentum: abc, lr")),
    ("S51 misspelt activation", edit("activation=relu", "activation=relru"), edit("activation: relu", "activation: relru")),
    ("S56 batch: 0", edit("batch=16", "batch=0"), edit("batch_size: 16", "batch_size: 0")),
    ("N01 kernel 0", edit("size=3", "size=0"), edit("kernel: 3", "kernel: 0")),
    ("N02 conv stride 0", edit("stride=1", "stride=0"), edit("stride: 1", "stride: 0")),
    ("N03 maxpool stride 0", edit("stride=2", "stride=0"), edit("stride: 2", "stride: 0")),
    ("N04 kernel larger than the image", edit("size=3\nstride=1\npad=1", "size=100\nstride=1\npad=0"),
     edit("kernel: 3, stride: 1, padding: 1", "kernel: 100, stride: 1, padding: 0")),
    ("N11 no outputs", edit("output=10", "output=0"), edit("dense: 10", "dense: 0")),
    ("N12 2,000,000,000 outputs", edit("output=10", "output=2000000000"), edit("dense: 10", "dense: 2000000000")),
    ("N15 image of 10^6 x 10^6", edit("height=8\nwidth=8", "height=1000000\nwidth=1000000"),
     edit("height: 8, width: 8", "height: 1000000, width: 1000000")),
    ("N16 height 0", edit("height=8", "height=0"), edit("height: 8", "height: 0")),
    ("N16 height -1", edit("height=8", "height=-1"), edit("height: 8", "height: -1")),
    ("N16 no channels", edit("channels=1", "channels=0"), edit("channels: 1", "channels: 0")),
    ("N24 join with a layer that is not there", after("stride=2\n", "\n[route]\nlayers=99\n"),
     after("stride: 2}\n", "  - concat: {from: [nowhere]}\n")),
    ("N26 join with nothing named", after("stride=2\n", "\n[shortcut]\nactivation=linear\n"), after("stride: 2}\n", "  - residual:\n")),
    ("S01 an option before any section", lambda text: "batch=16\n" + text, lambda text: "  kernel: 3\n" + text),
    ("S53 unknown learning rate policy", after("max_batches=8\n", "policy=cosin\n"), after("lr: 0.001}\n", "  schedule: cosin\n")),
    ("S50 dropout of 1.5", edit("probability=.25", "probability=1.5"), edit("dropout: 0.25", "dropout: 1.5")),
)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def run(*command, seconds=60):
    """Exit status, and all that it printed; a signal is a negative status."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "time-out", ""
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def tool(name):
    return os.path.join(runs.BIN, name)


def figure(what, value):
    print(f"# figure: {what}: {value}", flush=True)


def kinds(statuses):
    """How often: died of a signal, refused, accepted."""
    signals = [status for status in statuses if status == "time-out" or status < 0]
    names = {-signal.SIGABRT: "SIGABRT", -signal.SIGSEGV: "SIGSEGV", -signal.SIGFPE: "SIGFPE", "time-out": "time-out"}
    count = ", ".join(f"{signals.count(one)} {names.get(one, one)}" for one in sorted(set(signals), key=str))
    return (f"{statuses.count(0)} accepted, {len(signals)} died{f' ({count})' if count else ''}, "
            f"{len(statuses) - statuses.count(0) - len(signals)} refused")


def test_configs():
    """32 wrong configs: cnntrain refuses each with file, line and column, and exit code 3"""
    write("good.yaml", OURS)
    status, said = run(tool("cnntrain"), "--dry-run", "good.yaml")
    runs.equal(status, 0, said)
    refused, located = 0, 0
    for name, _, ours in CONFIGS:
        write("bad.yaml", ours(OURS))
        status, said = run(tool("cnntrain"), "--dry-run", "bad.yaml")
        place = re.search(r"^bad\.yaml:[1-9]\d*:[1-9]\d*: error: .{8}", said, re.M) or name.startswith("S35")  # too large to read: no place
        assert status == 3 and place and re.search(r"^bad\.yaml\S*: error: ", said, re.M), f"{name}: exit {status}: {said}"
        refused += 1
        located += bool(re.search(r"^bad\.yaml:[1-9]\d*:[1-9]\d*: error: ", said, re.M))
    runs.equal(refused, len(CONFIGS))
    figure("wrong configs, cnntrain", f"{refused} of {len(CONFIGS)} refused, {located} with line and column (the other is too large to be read)")


def test_darknet_configs():
    """The same for darknet"""
    if not shutil.which("darknet"):
        raise runs.Skip("darknet is not installed")
    write("good.cfg", DARKNET)
    runs.equal(run("darknet", "ops", "good.cfg")[0], 0)
    statuses = []
    for name, darknet, _ in CONFIGS:
        text = darknet(DARKNET)
        assert text != DARKNET, f"{name}: nothing spoiled"
        write("bad.cfg", text)
        status, said = run("prlimit", "--as=8589934592", "--core=0", "darknet", "ops", "bad.cfg")
        statuses.append(status)
        print(f"# darknet, {name}: {'accepted' if status == 0 else status}")
        assert not re.search(r"bad\.cfg:\d+", said), "darknet names a line: the claim in docs/reliability.md is to be changed"
    figure("wrong configs, darknet", f"{kinds(statuses)}; none with a line")


def damaged(whole_file):
    """(name, bytes) of a file cut, lengthened, replaced."""
    for share in (0.99, 0.5, 0.1, 0.01, 0.001, 0):
        yield f"cut to {100 * share:g} %", whole_file[:int(len(whole_file) * share)]
    yield "100 kB too long", whole_file + bytes(100_000)
    yield "a text file", b"This is not a model.\n" * 100


def test_weights():
    """Weights cut, lengthened, replaced by text: cnneval refuses each with exit code 5"""
    write("good.yaml", OURS)
    runs.equal(run(tool("cnntrain"), "-q", "good.yaml")[0], 0)
    test_set = os.path.join(runs.DIGITS, "t10k-images-idx3-ubyte.gz")
    runs.equal(run(tool("cnneval"), "-q", "run/model.bin", test_set)[0], 0)
    with open("run/model.bin", "rb") as file:
        good = file.read()
    count = 0
    for name, content in damaged(good):
        write("bad.bin", content)
        status, said = run(tool("cnneval"), "bad.bin", test_set)
        assert status == 5 and re.search(r"^bad\.bin\S*: error: ", said, re.M), f"{name}: exit {status}: {said}"
        count += 1
    figure("damaged weights, cnntrain", f"{count} of {count} refused")


def test_darknet_weights():
    """The same for darknet"""
    if not shutil.which("darknet"):
        raise runs.Skip("darknet is not installed")
    write("good.cfg", DARKNET)
    runs.equal(run("darknet", "partial", "good.cfg", "/dev/null", "good.weights", "9")[0], 0)
    with open("good.weights", "rb") as file:
        good = file.read()
    statuses = []
    for _, content in damaged(good):
        write("bad.weights", content)
        statuses.append(run("prlimit", "--core=0", "darknet", "statistics", "good.cfg", "bad.weights")[0])
    figure("damaged weights, darknet", kinds(statuses))


TORCH_FLIPS = """
import io, random, sys, torch
torch.manual_seed(1)
torch.save({"weight": torch.randn(8, 1, 3, 3), "bias": torch.randn(8), "dense": torch.randn(10, 128)}, "good.pt")
good = open("good.pt", "rb").read()
want = torch.load("good.pt")
def outcome(content):
    try:
        got = torch.load(io.BytesIO(content))
    except Exception:
        return "refused"
    try:
        return "the same" if all(torch.equal(got[name], want[name]) for name in want) else "wrong weights, no error"
    except Exception:
        return "wrong weights, no error"
def count(contents):
    found = [outcome(content) for content in contents]
    return ", ".join(f"{found.count(one)} {one}" for one in sorted(set(found))) + f" of {len(found)}"
def flips(bits):
    for bit in bits:
        content = bytearray(good); content[bit // 8] ^= 1 << bit % 8
        yield bytes(content)
bits = random.Random(1).sample(range(8 * len(good)), min(int(sys.argv[1]), 8 * len(good)))
print("one-bit flips:", count(flips(bits)))
print("truncations:", count(good[:n] for n in range(0, len(good), max(1, len(good) // int(sys.argv[1])))))
"""


def test_torch_flips():
    """One-bit flips and truncations of a file of torch.save, read by torch.load: counted"""
    if PYTHON is None:
        raise runs.Skip("python3-torch is not installed")
    status, said = run(PYTHON, "-c", TORCH_FLIPS, "20000" if FULL else "300", seconds=600)
    runs.equal(status, 0, said)
    for line in said.strip().split("\n"):
        if line.startswith(("one-bit flips: ", "truncations: ")):
            figure("torch.load, " + line.split(": ")[0], line.split(": ")[1])
    assert "one-bit flips: " in said, said


TORCH_SAVE = """
import os, sys, torch
state = {"step": 0, "weight": torch.zeros(430, 1000)}
torch.save(state, "checkpoint.pt")
print("ready", flush=True)
while True:
    state["step"] += 1
    torch.save(state, "checkpoint.pt")
"""
TORCH_LOAD = """
import sys, torch
lost = 0
for path in sys.argv[1:]:
    try:
        torch.load(path)
    except Exception:
        lost += 1
print("lost", lost)
"""


def test_torch_kills():
    """kill -9 while torch.save writes a checkpoint of 1.7 MB in place: how many files are lost"""
    if PYTHON is None:
        raise runs.Skip("python3-torch is not installed")
    kills, chance, kept = 100 if FULL else 3, random.Random(7), []
    for number in range(kills):
        saver = subprocess.Popen([PYTHON, "-c", TORCH_SAVE], stdout=subprocess.PIPE)
        runs.equal(saver.stdout.readline(), b"ready\n")
        try:
            saver.wait(chance.uniform(0.05, 0.25))
        except subprocess.TimeoutExpired:
            pass
        saver.kill()
        saver.wait()
        kept.append(f"killed-{number}.pt")
        os.rename("checkpoint.pt", kept[-1])
    status, said = run(PYTHON, "-c", TORCH_LOAD, *kept, seconds=600)
    runs.equal(status, 0, said)
    figure("kill -9 while torch.save writes in place, without a pause between saves", f"{re.search('lost ([0-9]+)', said)[1]} of {kills} checkpoints lost")


def test_safetensors_flips():
    """One-bit flips of a model.bin, by the plain rules of safetensors, which have no checksum: counted"""
    write("small.yaml", OURS.replace("filters: 8", "filters: 2").replace("size: 2, stride: 2", "size: 4, stride: 4"))
    runs.equal(run(tool("cnntrain"), "-q", "small.yaml")[0], 0)
    with open("run/model.bin", "rb") as file:
        good = file.read()
    safetensors_check.check_plain(good)
    bits = range(0, 8 * len(good), 1 if FULL else 29)
    accepted = 0
    for bit in bits:
        content = bytearray(good)
        content[bit // 8] ^= 1 << bit % 8
        try:
            safetensors_check.check_plain(bytes(content))
            accepted += 1
        except ValueError:
            pass
    assert 0 < accepted < len(bits)
    figure("one-bit flips, plain rules of safetensors", f"{accepted} of {len(bits)} accepted ({100 * accepted / len(bits):.1f} %)")


runs.run_tests([test_configs, test_darknet_configs, test_weights, test_darknet_weights, test_torch_flips, test_torch_kills,
                test_safetensors_flips])
