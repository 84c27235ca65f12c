#!/usr/bin/env python3
"""memory.py: the peak of memory that --dry-run predicts is what getrusage tells afterwards, within 10 %; and --verbose
says the same at the end. Prints TAP."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from cases.formats import png  # noqa: E402
from runs import BIN, DIGITS, MNIST, Skip, environment, run_tests, write  # noqa: E402

# What a process has had at most begins with what its parent had when it became another program: Python is larger than
# some of these runs, so a small program starts them.
LAUNCHER = r"""
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct rusage usage;
    int status;
    pid_t child = fork();
    if (argc < 2 || child == 0) {
        execv(argv[1], argv + 1);
        _exit(127);
    }
    if (wait4(child, &status, 0, &usage) < 0 || !WIFEXITED(status)) {
        return 126;
    }
    printf("\nmaxrss %ld\n", usage.ru_maxrss);
    return WEXITSTATUS(status);
}
"""


def bytes_of(number, unit):
    return float(number) * {"bytes": 1, "KiB": 2 ** 10, "MiB": 2 ** 20, "GiB": 2 ** 30}[unit]


def measure(*arguments):
    """(bytes at the peak as getrusage tells, stdout and stderr of the run)"""
    if not os.path.exists("launcher"):
        write("launcher.c", LAUNCHER)
        subprocess.run([os.environ.get("CC", "cc"), "-o", "launcher", "launcher.c"], check=True)
    done = subprocess.run(["./launcher", os.path.join(BIN, "cnntrain"), *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=400, env=environment(), check=False)
    assert done.returncode == 0, done.stdout
    return 1024 * int(re.search(r"^maxrss (\d+)$", done.stdout, re.M)[1]), done.stdout


def predicted(out):
    return bytes_of(*re.search(r"^memory (?:about )?([\d.]+) (\w+) at the peak", out, re.M).groups())


def near(got, want, share, what):
    assert abs(got - want) <= share * want, f"{what}: {got / 2 ** 20:.2f} MiB, not {want / 2 ** 20:.2f} MiB"


def compare(config, *arguments):
    """--dry-run against a run of it: what is predicted before, measured, and said at the end."""
    if not os.path.exists(config):
        config = write("c.yaml", config)
    for threads in (1, 3):
        said = predicted(measure("--dry-run", "-t", threads, config, *arguments)[1])
        read = predicted(measure("--dry-run", "-v", "-t", threads, config, *arguments)[1])
        for _ in range(3):
            peak, out = measure("--verbose", "--fresh", "-t", threads, config, "-o", f"run{threads}", *arguments)
            told = bytes_of(*re.search(r"^peak memory ([\d.]+) (\w+)$", out, re.M).groups())
            if abs(told - peak) <= 0.05 * peak:  # else again: Linux adds up now and then what each processor has counted
                break
        print(f"# {threads} threads: {said / 2 ** 20:.2f} MiB predicted, {read / 2 ** 20:.2f} MiB when the pixels are read, {peak / 2 ** 20:.2f} MiB measured", flush=True)
        near(said, peak, 0.1, f"predicted by --dry-run, {threads} threads")
        near(read, peak, 0.1, f"predicted by --dry-run -v, {threads} threads")
        near(predicted(out), peak, 0.1, f"predicted at the start, {threads} threads")
        near(told, peak, 0.05, "said at the end")


def small_set():
    """configs/digits.yaml: little more than the program itself"""
    os.symlink(os.path.dirname(DIGITS), "data")
    compare(os.path.join(os.path.dirname(DIGITS), "..", "configs", "digits.yaml"), "-s", "train.epochs=20")


def mnist():
    """configs/lenet5.yaml: mostly images"""
    if not os.path.exists(os.path.join(MNIST, "train-images-idx3-ubyte.gz")):
        raise Skip("no MNIST")
    os.symlink(os.path.dirname(MNIST), "data")
    compare(os.path.join(os.path.dirname(MNIST), "..", "configs", "lenet5.yaml"), "-s", "train.epochs=1")


NETWORK = """\
data: {{{data}, input: {{height: 32, width: 32, channels: 3, fit: stretch}}}}
augment: [crop: {{padding: 4}}, rotate: 10, elastic]
network:
  - repeat:
      times: 2
      block: [conv: {{filters: 48, kernel: 3, padding: same, bias: false}}, batchnorm, relu]
  - maxpool: 2
  - conv: {{filters: 64, kernel: 3, padding: same, activation: relu}}
  - dense: {{units: {units}, activation: relu}}
  - dense: {classes}
train: {{epochs: 1, batch_size: {batch}, ema: 0.99}}
"""


def large_network():
    """a network with batch normalisation, whose tiles are all kept, and a large dense layer; with validation and without"""
    data = f"train: {DIGITS}/train-images-idx3-ubyte.gz, limit: 160"
    compare(NETWORK.format(data=data, batch=160, units=256, classes=10))
    compare(NETWORK.format(data=data + ", validation: 0.2", batch=32, units=700, classes=10))


def pictures():
    """PNG files of class folders, held in memory and decoded as they are needed"""
    for label in "abc":
        os.makedirs(f"pictures/{label}")
        for number in range(60):
            pixels = bytes((number * 7 + i * 13 + ord(label)) % 251 for i in range(3 * 160 * 120))
            with open(f"pictures/{label}/{number}.png", "wb") as file:
                file.write(png(pixels, 160, 120, colour=2))
    for memory in ("1GiB", "100KiB"):
        compare(NETWORK.format(data=f"train: pictures, validation: 0.5, memory: {memory}", batch=16, units=64, classes=3))


run_tests([small_set, mnist, large_network, pictures])
