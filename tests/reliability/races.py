#!/usr/bin/env python3
"""races.py: files that change while they are read, and folders too large or too odd for the list of bad inputs.

The cases I40, I43, F11, F28, F29, F30, F31, F33 and M78 of the programme's section 3.9. meddle.c, preloaded, changes a file
just before a read of it, or takes it away when its folder has been listed; one test truncates and rewrites a model all the
time while cnneval reads it. Asserted: the documented exit code and a line that names the file; never a signal, never a
result from half a file; the order in which a file system lists a folder changes no byte of a model. CI: 50,000 files in a
folder, 40 reads of a model that changes; half a minute. TIER=full: 1,000,000 files, 1,000 reads."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import runs  # noqa: E402
from cases import base, formats, pictures  # noqa: E402
from cases.harness import scratch  # noqa: E402

FULL = os.environ.get("TIER") == "full"
HERE = os.path.dirname(os.path.abspath(__file__))


def figure(what, value):
    print(f"# figure: {what}: {value}", flush=True)


def meddler():
    """The library to preload."""
    path = os.path.join(WORK, "meddle.so")
    if not os.path.exists(path):
        if not shutil.which("cc"):
            raise runs.Skip("there is no cc")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", os.path.join(HERE, "lib", "meddle.c"), "-o", path, "-ldl"], check=True)
    return path


def run(*command, meddle=None, seconds=60):
    """(exit code, stdout, stderr)"""
    changes = {"LD_PRELOAD": meddler(), **{f"MEDDLE_{key}": str(value) for key, value in meddle.items()}} if meddle else {}
    done = subprocess.run([os.path.join(runs.BIN, command[0]), *map(str, command[1:])], capture_output=True, text=True,
                          timeout=seconds, env=runs.environment(**changes), check=False)
    return done.returncode, done.stdout, done.stderr


def expect(code, message, *command, **options):
    found, out, err = run(*command, **options)
    assert found == code and message in err and (code == 0 or out == ""), f"{command}: exit {found}\n{out}{err}"


def fresh():
    """The data and the model of the list of bad inputs, in this directory, and a config for them."""
    for name in os.listdir(DATA):
        shutil.copy(os.path.join(DATA, name), name)
    text = base.BASE.replace("train-images-idx3-ubyte.gz", "train-images-idx3-ubyte")
    runs.write("case.yaml", text)


def folder(**changes):
    """A folder of 8 images, and a config for it."""
    for k in range(8):
        path = os.path.join("pics", "37"[k % 2], f"x{k}.png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(formats.png(pictures.PIXELS[k:] + pictures.PIXELS[:k], 28, 28))
    with open("pics.yaml", "wb") as file:
        file.write(pictures.config(**changes))


# ---- while a file is read ----

def changing_idx():
    """I40: an IDX file that shrinks, grows or changes while it is read: exit 4"""
    for act in ("truncate", "grow", "touch"):
        for name, config in (("train-images-idx3-ubyte", "case.yaml"), ("train-images-idx3-ubyte.gz", "base.yaml")):
            fresh()  # the first read looks what sort of file it is, the second takes all of it
            expect(4, f"{name}: error: the file changed while it was read\n", "cnntrain", config,
                   meddle={"FILE": "/" + name, "READ": 2, "ACT": act})
    fresh()
    expect(4, "t10k-images-idx3-ubyte: error: the file changed while it was read\n", "cnneval", "model.bin",
           "t10k-images-idx3-ubyte", meddle={"FILE": "/t10k-images-idx3-ubyte", "READ": 2, "ACT": "truncate"})
    assert not os.path.exists("run")


def failing_read():
    """I43: whichever read of data, of a model or of a config fails with EIO: exit 6, of an image in a folder 4"""
    fresh()
    folder()
    for file, code, command in (("train-images-idx3-ubyte.gz", 6, ("cnntrain", "-n", "base.yaml")), ("model.bin", 6, ("cnnview", "model.bin")),
                                ("model.bin", 6, ("cnnview", "--verify", "model.bin")), ("base.yaml", 6, ("cnntrain", "-n", "base.yaml")),
                                ("x3.png", 4, ("cnntrain", "-q", "pics.yaml"))):
        failed = 0
        for read in (1, 2, 3, 4):  # the one that only looks what sort of file it is may fail, and so many there may not be
            found, _, err = run(*command, meddle={"FILE": "/" + file, "READ": read, "ACT": "eio"})
            assert found == 0 or (found == code and f"{file}: error: cannot read: Input/output error\n" in err), (file, found, err)
            failed += found != 0
        assert failed > 0, file


def changing_model():
    """M78: a model that shrinks, grows or changes while it is read: exit 5"""
    for act in ("truncate", "grow", "touch"):
        for command in (("cnneval", "model.bin", "t10k-images-idx3-ubyte"), ("cnnview", "model.bin"),
                        ("cnnview", "--verify", "model.bin"), ("cnnpredict", "model.bin", "a.png")):
            fresh()
            runs.write("a.png", "")
            found, _, err = run(*command, meddle={"FILE": "/model.bin", "READ": 1, "ACT": act})
            assert found == 5 and "model.bin: error: the file changed while it was read\n" in err, f"{command}: {found}\n{err}"


def changing_model_for_real():
    """M78: a model that another process truncates and writes again all the time: whole, or exit 5; no signal"""
    fresh()
    good = runs.read_bytes("model.bin")
    _, wanted, _ = run("cnneval", "-q", "model.bin", "t10k-images-idx3-ubyte")
    stop = threading.Event()

    def spoil():
        with open("model.bin", "r+b", buffering=0) as file:
            while not stop.is_set():
                file.truncate(len(good) // 3)
                time.sleep(0.0005)
                file.seek(0)
                file.write(good)
                time.sleep(0.002)

    thread = threading.Thread(target=spoil)
    thread.start()
    whole = refused = 0
    try:
        for _ in range(1000 if FULL else 40):
            found, out, err = run("cnneval", "-q", "model.bin", "t10k-images-idx3-ubyte")
            assert found in (0, 5), f"exit {found}\n{err}"
            assert found == 5 and "model.bin" in err or out == wanted, out + err
            whole, refused = whole + (found == 0), refused + (found == 5)
    finally:
        stop.set()
        thread.join()
    figure("reads of a model that is truncated and written again all the time",
           f"{whole} whole, {refused} refused with exit 5, none from half a file, of {whole + refused}")


# ---- folders ----

def vanishing_image():
    """F28: an image that is deleted between listing and reading: exit 4, by its name"""
    folder()
    expect(4, "pics/7/x3.png: error: cannot open: No such file or directory\n", "cnntrain", "pics.yaml",
           meddle={"FILE": "pics/7/x3.png", "LIST": "/pics/7", "ACT": "unlink"})
    folder()
    expect(4, "pics/7/x3.png: error: the file changed while it was read\n", "cnntrain", "pics.yaml",
           meddle={"FILE": "/x3.png", "READ": 1, "ACT": "grow"})


def replaced_image():
    """F29: an image that is replaced by a larger one, a damaged one or none once the run has begun: exit 4, by its name"""
    for name, spoil, message in (
            ("larger", lambda path: write(path, formats.png(bytes(900), 30, 30)), "30x30"),
            ("damaged", lambda path: write(path, b"\x89PNG"), "PNG signature cut short"),
            ("gone", os.unlink, "cannot open: No such file or directory")):
        shutil.rmtree("run", ignore_errors=True)
        folder(**{"train: pics": "train: pics\n  memory: 1KiB", "epochs: 1": "epochs: 1000000"})
        process = runs.start_cnntrain("-q", "pics.yaml")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None and \
                not (os.path.exists("run/log.csv") and len(runs.read_bytes("run/log.csv").splitlines()) > 2):
            time.sleep(0.01)
        spoil("pics/7/x7.png")
        err = process.communicate(timeout=60)[1]
        assert process.returncode == 4 and "pics/7/x7.png" in err and message in err, f"{name}: exit {process.returncode}\n{err}"


def write(path, data):
    """As another program replaces a file."""
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def many_classes():
    """F11: 65,537 class folders: exit 4"""
    folder()
    for k in range(65537):
        os.mkdir(f"pics/{k + 100}")
    expect(4, "pics: error: more than 65536 classes\n", "cnntrain", "pics.yaml")


def many_files():
    """F30: a folder of very many files: listed and refused by the first bad one in seconds"""
    count = 1_000_000 if FULL else 50_000
    folder()
    for k in range(count):
        os.close(os.open(f"pics/7/{k}", os.O_CREAT | os.O_WRONLY))
    start = time.monotonic()
    expect(4, "pics/7/0:@0: error: file is empty\n", "cnntrain", "pics.yaml", seconds=300)
    took = time.monotonic() - start
    assert took < count / 20_000 + 10, took
    figure(f"a class of {count:,} empty files", f"refused after {took:.1f} s")


def order():
    """F31: the order in which folders are listed changes no byte of the model"""
    folder()
    found = set()
    for seed in ("", 1, 2, 3):
        shutil.rmtree("run", ignore_errors=True)
        expect(0, "", "cnntrain", "-q", "pics.yaml", meddle={"SHUFFLE": seed} if seed else None)
        found.add(runs.read_bytes("run/model.bin"))
    assert len(found) == 1


def mounted():
    """F33: what is mounted below a class folder belongs to the set"""
    folder()
    os.mkdir("other")
    os.rename("pics/7/x3.png", "other/x3.png")
    _, out, _ = run("cnntrain", "-nv", "pics.yaml")
    assert "train 7 images" in out, out
    os.rename("pics/7", "was")
    os.mkdir("pics/7")
    command = "mount --bind was pics/7 && exec \"$@\""
    done = subprocess.run(["unshare", "-m", "sh", "-c", command, "sh", os.path.join(runs.BIN, "cnntrain"), "-nv", "pics.yaml"],
                          capture_output=True, text=True, env=runs.environment(), check=False)
    if "mount" in done.stderr or "unshare" in done.stderr:
        raise runs.Skip("no right to mount")
    assert done.returncode == 0 and "train 7 images" in done.stdout, done.stdout + done.stderr


if __name__ == "__main__":
    WORK = scratch("races.")
    tempfile.tempdir = WORK
    try:
        DATA = os.path.join(WORK, "data")
        os.environ["OMP_WAIT_POLICY"] = "passive"
        base.make_template(DATA, runs.BIN)
        runs.run_tests([changing_idx, failing_read, changing_model, changing_model_for_real, vanishing_image, replaced_image,
                        many_classes, many_files, order, mounted])
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
