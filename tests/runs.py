"""runs.py: what the system tests in Python share: TAP, cnntrain in a temporary directory, small IDX sets, and model
files read by the rules of safetensors alone. Needs only Python's own library."""
import array
import csv
import gzip
import json
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.path.abspath(os.environ.get("BIN", os.path.join(ROOT, "bin")))
MNIST = os.path.join(ROOT, "data", "mnist")
DIGITS = os.path.join(ROOT, "data", "digits")
TIMING = ("seconds", "images_per_second")


# ---- TAP ----

class Skip(Exception):
    pass


def run_tests(tests):
    """Run functions, each in a directory of its own; their docstrings are their names."""
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        name = test.__doc__.split("\n")[0]
        work = tempfile.mkdtemp(prefix="cnntrain-test-")
        os.chdir(work)
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception:  # a test that breaks has failed
            failed += 1
            print(f"not ok {number} - {name}")
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()), flush=True)
        finally:
            os.chdir(ROOT)
            shutil.rmtree(work, ignore_errors=True)
    sys.exit(failed > 0)


def equal(got, want, what=""):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


# ---- runs ----

def environment(**changes):
    """Threads that wait sleep: beside other tests, waiting at full speed would cost them and us the processor."""
    result = {key: value for key, value in os.environ.items() if key not in ("CNNTRAIN_CPU", "OMP_NUM_THREADS")}
    return {**result, "OMP_WAIT_POLICY": "passive", **changes}


def cnntrain(*arguments, code=0, **changes):
    """Run cnntrain to its end; its stderr."""
    done = subprocess.run([os.path.join(BIN, "cnntrain"), *map(str, arguments)], capture_output=True, text=True,
                          timeout=100, env=environment(**changes), check=False)
    assert done.returncode == code, f"cnntrain {arguments}: exit {done.returncode}, not {code}:\n{done.stderr}"
    return done.stderr


def start_cnntrain(*arguments, **changes):
    return subprocess.Popen([os.path.join(BIN, "cnntrain"), *map(str, arguments)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, env=environment(**changes))


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def read_log(path):
    with open(path, newline="", encoding="ascii") as file:
        return list(csv.DictReader(file))


def log_without_times(path):
    return [{key: value for key, value in row.items() if key not in TIMING} for row in read_log(path)]


def result(directory):
    """What the same-bytes promise is about."""
    return read_bytes(os.path.join(directory, "model.bin")), log_without_times(os.path.join(directory, "log.csv"))


def same_result(one, other, what=""):
    for name, a, b in zip(("model.bin", "log.csv without its times"), result(one), result(other)):
        assert a == b, f"{what}: {name} of {one} and {other} differ"


# ---- data ----

def write_weights(path, tensors):
    """A safetensors file; tensors: name -> (shape, numbers)."""
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        packed = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def write_idx(path, dimensions, values):
    with open(path, "wb") as file:
        file.write(struct.pack(f">BBBB{len(dimensions)}I", 0, 0, 8, len(dimensions), *dimensions) + bytes(values))


def read_idx(path):
    data = gzip.decompress(read_bytes(path)) if path.endswith(".gz") else read_bytes(path)
    count = data[3]
    return struct.unpack_from(f">{count}I", data, 4), data[4 + 4 * count:]


def make_subset(folder, count, name):
    """The first `count` images of a folder's training set, as plain files; (shape of one, pixels, labels)."""
    (total, height, width), pixels = read_idx(os.path.join(folder, "train-images-idx3-ubyte.gz"))
    _, labels = read_idx(os.path.join(folder, "train-labels-idx1-ubyte.gz"))
    assert count <= total
    pixels, labels = pixels[:count * height * width], labels[:count]
    write_idx(name + "-images-idx3-ubyte", (count, height, width), pixels)
    write_idx(name + "-labels-idx1-ubyte", (count,), labels)
    return (height, width), pixels, labels


# ---- model files ----

def read_model(path):
    """(metadata, {name: (shape, values)}), by the rules of safetensors: a length, a JSON header, the data."""
    data = read_bytes(path)
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = array.array("f", data[8 + size + begin:8 + size + end])
        assert entry["dtype"] == "F32" and len(values) == math.prod(entry["shape"])
        tensors[name] = (entry["shape"], values)
    return metadata, tensors
