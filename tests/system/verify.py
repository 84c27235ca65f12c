#!/usr/bin/env python3
"""verify.py: cnnview --verify: good files, everything that is wrong with damaged ones, and what it says of the run's
other file. Prints TAP."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases import base, model  # noqa: E402
from runs import BIN, ROOT, cnntrain, environment, equal, read_bytes, run_tests  # noqa: E402

TRAINED, DATA = {}, ""  # the files of a whole run; the directory of its data
NAMES = ("conv1.weight", "conv1.bias", "dense1.weight", "dense1.bias")
FILES = ("model.bin", "checkpoint.bin", "log.csv", "config.yaml")


def verify(*arguments, code=0, program=BIN):
    """(stdout, stderr)"""
    done = subprocess.run([os.path.join(program, "cnnview"), "--verify", *map(str, arguments)], capture_output=True,
                          text=True, timeout=100, env=environment(), check=False)
    assert done.returncode == code, f"{arguments}: exit {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done.stdout, done.stderr


def put(**changes):
    """A directory `run` with the run's files, some of them changed; None: not there."""
    shutil.rmtree("run", ignore_errors=True)
    os.mkdir("run")
    for name in FILES:
        data = changes.get(name.replace(".", "_"), TRAINED[name])
        if data is not None:
            with open(os.path.join("run", name), "wb") as file:
                file.write(data)


def flip(data, at, bit=0):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:]


def states(out):
    """Each tensor's state, by its row."""
    return {name: state for name, state in re.findall(r"^  (\S+) +\[.*?\] +(intact|damaged|cut off|unchecked|lost)", out, re.M)}


def good():
    """a good model and a good checkpoint: a line of what was checked"""
    put()
    out, err = verify("run/model.bin")
    equal(err, "")
    equal(out, f"run/model.bin: good: a model of {len(TRAINED['model.bin']):,} bytes; checked: header and its checksum, "
          "4 tensors (2,010 values, all finite) and their checksums, no hole, no overlap, its config and network of 5 layers "
          "against the tensors\n")
    out, _ = verify("run/model.bin", "-v")
    equal(states(out), dict.fromkeys(NAMES, "intact"))
    equal(verify("run/model.bin", "-q"), ("", ""))
    out, err = verify("run/checkpoint.bin")
    equal(err, "")
    for part in ("good: a checkpoint of", "16 tensors", "epoch 1, step 3\n", "log.csv beside it: goes with it\n"):
        assert part in out, out
    os.unlink("run/model.bin")  # then the weights are the measure
    verify("run/checkpoint.bin")
    put(checkpoint_bin=None, log_csv=None)
    verify("run/model.bin")
    verify(os.path.join(ROOT, "tests", "golden", "model.bin"))


def bits():
    """a flipped bit is found to the bit, and only what it stands in is called damaged"""
    file, parts = TRAINED["model.bin"], TRAINED["model"]
    start = len(file) - len(parts.data)
    for at in [*range(0, 8), *range(8, start, 61), *range(start, len(file), 211)]:
        bit = at % 8
        put(model_bin=flip(file, at, bit))
        out, err = verify("run/model.bin", code=5)
        digits = 8 + model.crc_digits(parts.header)[0]
        if not digits - 16 <= at < digits + 9:  # there the checksum itself is wrong, or not found
            assert f"note: a single flipped bit would explain it: bit {bit} of byte {at}\n" in err, (at, bit, err)
        found = states(out)
        for name, begin, end in (("conv1.weight", 0, 144), ("conv1.bias", 144, 160), ("dense1.weight", 160, 8000),
                                 ("dense1.bias", 8000, 8040)):
            state = found.get(name)
            if at >= start:
                equal(state, "damaged" if begin <= at - start < end else "intact", f"{name}, byte {at}")
            else:  # of a damaged header at most that tensor's entry or checksum is lost
                assert state in ("intact", None) or sum(s != "intact" for s in found.values()) == 1, (at, out)


def damage():
    """what is wrong, with its place; all of it; and what is left"""
    file, parts = TRAINED["model.bin"], TRAINED["model"]
    start = len(file) - len(parts.data)
    two = flip(flip(file, start + 3), len(file) - 1, 7)
    renamed = file.replace(b'"conv1.bias":{', b'"conv9.bias":{')
    lost = file.replace(b'"conv1.bias":{"d', b'"conv1.bias":{"e')
    for name, data, wanted, left in (
            ("two tensors", two, [f"@{start}: error: checksum mismatch in 'conv1.weight'",
                                  f"@{start + 8000}: error: checksum mismatch in 'dense1.bias'"], "2 of 4"),
            ("a name", renamed, ["error: header checksum mismatch", "the name 'conv9.bias' is damaged: its data are "
                                 "those of 'conv1.bias'"], "4 of 4"),
            ("an entry", lost, ["error: header checksum mismatch", "the header's entry of 'conv1.bias' is damaged; its "
                                f"data are bytes {start + 144} to {start + 159}"], "4 of 4"),
            ("length", struct.pack("<Q", start + 1024) + file[8:], [
                f"@0: error: the header's length is damaged: says {start + 1024}, but the data begin at byte {start}",
                "header checksum mismatch"], "4 of 4"),
            ("length and more", b"\xff" * 8 + flip(file, start + 200)[8:], ["@0: error: the header's length is damaged",
             f"@{start + 160}: error: checksum mismatch in 'dense1.weight'"], "3 of 4"),
            ("a hole in the header", file[:100] + bytes(40) + file[140:], ["header is not JSON", "header checksum"],
             "4 of 4"),
            ("cut", file[:-7890], ["data of 'dense1.weight' end past the end of the file (cut short?): 7850 bytes more",
                                   "data of 'dense1.bias' end past the end"], "1 of 4"),
            ("longer", file + b"PK", [f"@{len(file)}: error: 2 unused bytes after the last tensor"], "4 of 4"),
            ("not finite", parts.change_data(68, struct.pack("<f", float("nan"))),
             [f"@{start + 68}: error: value 17 of 'conv1.weight' is not finite"], "4 of 4"),
            ("no tensor left", file[:300], ["@0: error: header longer than the file"], "no tensor"),
            ("empty", b"", ["@0: error: empty file"], "no tensor"),
            ("7 bytes", file[:7], ["@0: error: not a cnntrain model"], "no tensor"),
            ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(90), ["looks like a PNG image"], "no tensor"),
            ("another program's", struct.pack("<Q", 64) +
             b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'.ljust(64) + bytes(4),
             ["not a cnntrain model (no 'cnntrain.format' in its metadata)"], "no tensor")):
        put(model_bin=data)
        out, err = verify("run/model.bin", code=5)
        for part in wanted:
            assert part in err, f"{name}: {part!r} is not in\n{err}"
        assert f"bad: {left}" in out, f"{name}: {left!r} is not in\n{out}"
        assert all("run/model.bin" in line for line in err.splitlines() if ": error: " in line), err


def network():
    """the config inside and the tensors that it needs"""
    parts = TRAINED["model"]
    for old, new, wanted in (
            ("filters: 4", "filters: 5", ["tensor 'conv1.weight' is [4, 1, 3, 3], its config needs [5, 1, 3, 3]",
                                          "tensor 'conv1.bias' is [4], its config needs [5]",
                                          "tensor 'dense1.weight' is [10, 196], its config needs [10, 245]"]),
            ("- relu:", "- conv: {filters: 4, kernel: 1, name: x}\\n  - relu:", ["tensor 'x.weight' is missing",
                                                                               "tensor 'x.bias' is missing"]),
            ("name: conv1", "name: first", ["tensor 'first.weight' is missing", "tensor 'first.bias' is missing",
                                            "tensor 'conv1.weight' is none that its config needs",
                                            "tensor 'conv1.bias' is none that its config needs"]),
            ("seed: 1", "seeds: 1\\nfoo: 2", ["run/model.bin!config:2:1: error: unknown key 'seeds'",
                                             "run/model.bin!config:3:1: error: unknown key 'foo'"]),
            ('"step":"3"', '"step":"-3"', ["metadata 'epoch' and 'step' must be whole numbers"])):
        put(model_bin=parts.edit(old, new)[0])
        out, err = verify("run/model.bin", code=5)
        for part in wanted:
            assert part in err, f"{part!r} is not in\n{err}"
        assert "bad: all 4 tensors are intact" in out, out
    checkpoint = TRAINED["checkpoint"]
    for old, new, wanted in (('"stopping.best_epoch":"1"', '"stopping.best_epoch":"0"', "tensor 'best.conv1.weight' is none"),
                             ("type: adam", "type: amsgrad", "tensor 'optimizer.greatest.conv1.weight' is missing"),
                             ('"step":"3"', '"step":"x"', "metadata 'step' is not a whole number")):
        put(checkpoint_bin=checkpoint.edit(old, new)[0])
        _, err = verify("run/checkpoint.bin", code=5)
        assert wanted in err, f"{wanted!r} is not in\n{err}"
    start = len(TRAINED["checkpoint.bin"]) - len(checkpoint.data)
    for at, code in ((8040, 0), (16080, 5)):  # optimizer.m, which may be negative, and optimizer.v, which may not
        put(checkpoint_bin=checkpoint.change_data(at, struct.pack("<f", -1.0)))
        _, err = verify("run/checkpoint.bin", code=code)
        wanted = f"@{start + at}: error: value 0 of 'optimizer.v.conv1.weight' is negative, a mean of squares" if code else ""
        assert wanted in err and (code or not err), f"{wanted!r} is not in\n{err}"


def sibling():
    """what is said of the run's other file is so"""
    file, other = TRAINED["model.bin"], TRAINED["checkpoint.bin"]
    put(model_bin=file[:-1])
    out, _ = verify("run/model.bin", code=5)
    assert "checkpoint.bin beside it: good, epoch 1, step 3; 'cnntrain --resume' goes on" in out, out
    assert "log.csv beside it: goes with it" in out, out
    cnntrain("-q", "--resume", "-o", os.path.abspath("run"), "-s", f"data.train={DATA}/train-images-idx3-ubyte.gz",
             "-s", f"data.test={DATA}/t10k-images-idx3-ubyte.gz", os.path.join(DATA, "base.yaml"))
    equal(read_bytes("run/model.bin"), file, "the model written again")
    put(model_bin=file[:-1], checkpoint_bin=flip(other, 5000))
    assert "checkpoint.bin beside it: bad too\n" in verify("run/model.bin", code=5)[0]
    put(model_bin=file[:-1], checkpoint_bin=None)
    assert "checkpoint.bin beside it: cannot open: No such file or directory\n" in verify("run/model.bin", code=5)[0]
    put(checkpoint_bin=other[:-1])
    assert "model.bin beside it: good, epoch 1; it can be used" in verify("run/checkpoint.bin", code=5)[0]
    put(log_csv=TRAINED["log.csv"][:-9])
    assert "log.csv beside it: is not the one that this checkpoint knows" in verify("run/checkpoint.bin")[0]
    put(log_csv=None)
    assert "log.csv beside it: cannot open" in verify("run/checkpoint.bin")[0]


def agrees():
    """of every model of the list of bad inputs it says the same as cnneval: where TIER is set, with the sanitizers"""
    count = 0
    program = os.path.join(ROOT, "build", "asan", "bin") if os.environ.get("TIER") else BIN
    for case in model.models(TRAINED):
        data = case.files.get("model.bin")
        if data is not None:
            put(model_bin=data)
            out, err = verify("run/model.bin", code=case.code, program=program if os.path.isdir(program) else BIN)
            assert (case.code == 0) == (err == "") and "run/model.bin: " in out, f"{case.name}:\n{out}{err}"
            if case.code:
                assert ": error: " in err, f"{case.name}: no fault in\n{err}"
            count += 1
    assert count > 120, count


def usage():
    """files that are none, and wrong calls"""
    put()
    for path, message in (("none.bin", "cannot open: No such file or directory"), ("run", "is a directory"),
                          ("/dev/zero", "not a regular file")):
        equal(verify(path, code=6), ("", f"{path}: error: {message}\n"))
    with open("a\033[31m\n.bin", "wb") as file:
        file.write(TRAINED["model.bin"])
    assert verify("a\033[31m\n.bin")[0].startswith("a\\x1B[31m\\x0A.bin: good: ")
    for arguments in (("-o", "x.png", "run/model.bin"), ("--filters", "conv1", "run/model.bin"), ("--curves", "run"),
                      ("--explain", "conv", "run/model.bin"), ("--augment", "base.yaml")):
        assert "--verify draws nothing: give it alone" in verify(*arguments, code=2)[1]
    assert "MODEL is missing" in verify(code=2)[1] or "usage:" in verify(code=2)[1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="cnntrain-test-") as work:
        DATA = os.path.join(work, "data")
        TRAINED = base.make_template(DATA, BIN)
        run_tests([good, bits, damage, network, sibling, agrees, usage])
