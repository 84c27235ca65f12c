"""programs.py: the programs that run.py measures: how each is found, built and called, and how one that runs is asked.

A program that is not there raises Missing, with the reason that the tables show. Compiled ones go to build/bench.
"""
import functools
import os
import re
import shutil
import subprocess
import sys
import time

from data import BUILD

PEERS = "scripts/bench/peers/"
KERNELS = "scripts/bench/kernels/"
LIBRARY = "build/release/libcnntrain.a"
ONNX_BATCHES = "16,64,256"


class Missing(Exception):
    pass


# ---- what is there ----

def build(name, sources, *options, language="cc"):
    """Compile a program where it is older than its sources; its path."""
    target = f"{BUILD}/{name}"
    compiler = os.environ.get("CXX", "c++") if language == "c++" else os.environ.get("CC", "cc")
    inputs = [path for path in sources if path.endswith((".c", ".cpp", ".a"))]
    if os.path.exists(target) and all(os.path.getmtime(path) < os.path.getmtime(target) for path in sources):
        return target
    standard = "-std=c++14" if language == "c++" else "-std=gnu11"
    command = [*compiler.split(), standard, "-O2", "-march=native", "-fopenmp", "-Isrc", *inputs, *options, "-o", target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        fault = next((line for line in done.stderr.splitlines() if "error" in line), "the compiler failed")
        raise Missing(fault.strip())
    return target


@functools.lru_cache(None)
def python_with_torch():
    """A system package of Python is for the system's Python, which need not be the first in PATH."""
    for python in ("python3", "/usr/bin/python3"):
        if shutil.which(python) and subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0:
            return python
    raise Missing("PyTorch is not installed")


def onnx_library():
    folder = BUILD + "/node_modules/onnxruntime-node/bin"
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(os.uname().machine, "none")
    for path, _, files in os.walk(folder):
        for name in files:
            if name.startswith("libonnxruntime.so") and os.path.basename(path) == machine:
                return os.path.join(path, name)
    raise Missing("ONNX Runtime is not installed")


# ---- the command of each, without its last arguments ----

def cnntrain(level):
    return lambda network, files: [sys.executable, PEERS + "cnntrain.py", level]


def torch(*options, blas=()):
    """OpenBLAS has threads of its own, which stand in the way of PyTorch's where layers are small: `blas` may keep it to one."""
    return lambda network, files: ["env", *blas, python_with_torch(), PEERS + "pytorch.py", *options]


def dlib(network, files):
    if not os.path.exists("/usr/include/dlib/dnn.h"):
        raise Missing("dlib is not installed")
    return [build("dlib", [PEERS + "dlib.cpp"], "-ldlib", "-lopenblas", language="c++")]


def onnx(network, files):
    library, model = onnx_library(), f"{BUILD}/{network}.onnx"
    exporter = PEERS + "torch_networks.py"
    if not os.path.exists(model) or os.path.getmtime(model) < os.path.getmtime(exporter):
        subprocess.run([python_with_torch(), "-W", "ignore", PEERS + "pytorch.py", "--export", model, network, "64", *files],
                       check=True, stdout=subprocess.DEVNULL)
    return [sys.executable, PEERS + "onnx_runtime.py", library, model, ONNX_BATCHES]


class Kind:
    """A program for whole networks: its title, what it is asked for, with how many threads, and its command."""

    def __init__(self, title, jobs, threads, command):
        self.title, self.jobs, self.threads, self.command = title, jobs, threads, command


BOTH = ("train", "eval")
NETWORK_PROGRAMS = {
    "cnntrain": Kind("cnntrain", BOTH, (2, 1), cnntrain("")),
    "cnntrain-avx2": Kind("cnntrain, AVX2", BOTH, (2, 1), cnntrain("avx2")),
    "torch": Kind("PyTorch", BOTH, (2, 1), torch()),
    "torch-blas-1": Kind("PyTorch, BLAS on 1 thread", BOTH, (2, 1), torch(blas=("OPENBLAS_NUM_THREADS=1",))),
    "torch-channels-last": Kind("PyTorch, channels_last", BOTH, (2, 1), torch("--channels-last")),
    "dlib": Kind("dlib", BOTH, (2, 1), dlib),
    "onnx": Kind("ONNX Runtime, best batch", ("eval",), (2,), onnx),
}


def kernel_program(name, *more, libraries=(), arguments=()):
    shared = [KERNELS + "serve.c", KERNELS + "serve.h"]
    return lambda: [build(f"kernels-{name}", [f"{KERNELS}{name}.c", *shared, *more], *libraries), *arguments]


KERNEL_PROGRAMS = {
    "ours": kernel_program("ours", LIBRARY, libraries=("-lm",)),
    "ours-direct": kernel_program("ours", LIBRARY, libraries=("-lm",), arguments=("direct",)),
    "onednn": kernel_program("onednn", libraries=("-ldnnl",)),
    "openblas": kernel_program("openblas", libraries=("-lopenblas",)),
}


def peaks():
    """{(level, threads): GFLOP/s of nothing but fused multiply-adds}."""
    program = build("peak", [KERNELS + "peak.c", LIBRARY], "-lm")
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    return {(level, int(threads)): float(rate) for level, threads, rate in map(str.split, lines)}


def operations(network):
    """(parameters, {job: floating-point operations an image}): two a multiply-add; training does them forward, for the weights'
    gradient and, but for the first layer, for the input's."""
    table = subprocess.run(["bin/cnntrain", "--dry-run", f"scripts/bench/networks/{network}.yaml"],
                           capture_output=True, text=True, check=True).stdout
    counts = [int(count.replace(",", "")) for count in re.findall(r" ([\d,]+)$", table.split("\n\n")[0], re.M)]
    first, total = counts[0], counts[-1]
    parameters = int(re.search(r"^total +([\d,]+)", table, re.M).group(1).replace(",", ""))
    return parameters, {"eval": 2 * total, "train": 2 * (3 * total - first)}


# ---- one that runs ----

class Program:
    """A running program of the protocol (peers/protocol.py)."""

    def __init__(self, command):
        start = time.perf_counter()
        self.process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        _, parameters, *seconds = self.read().split()
        self.parameters = int(parameters)
        self.start_up = float(seconds[0]) if seconds else time.perf_counter() - start

    def read(self):
        line = self.process.stdout.readline()
        if line.startswith("error"):
            raise Missing(line[len("error"):].strip())
        if not line:
            raise Missing("the program ended early")
        return line

    def ask(self, *request):
        """The number that answers a request."""
        return float(self.text(*request))

    def text(self, *request):
        print(*request, file=self.process.stdin, flush=True)
        return self.read().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
