#!/usr/bin/env python3
"""threads.py: what a second thread can bring on this machine, and what it brings: one thread alone, two processes of one thread each side
by side, and one process of two threads take turns. The two processes share nothing but the machine (its outer cache, memory, clock), so
what they fall short of twice one is the machine's, and what two threads fall short of them is cnntrain's.

usage: scripts/bench/threads.py [ROUNDS [NETWORK...]]        default 5 rounds of the five networks of run.py

Prints a table in Markdown: images/s of one thread, medians; then how many times that, median (minimum to maximum) of the rounds; and
how far from each other the host had the cores, least and most: the ns that a core needs to write a line of memory that both have read
(kernels/lines.c). A run takes about a second, or SECONDS_A_RUN in the environment.
"""
import csv
import os
import re
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import data  # noqa: E402
import programs  # noqa: E402

os.chdir(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
NETWORKS = ["lenet5", "mlp", "mnist-cnn", "vgg-bn", "resnet-cifar"]
SECONDS = float(os.environ.get("SECONDS_A_RUN", "1"))


def lines():
    """The ns of a line that both cores have read; nothing where the program cannot be built."""
    try:
        program = programs.build("lines", [programs.KERNELS + "lines.c"])
    except programs.Missing:
        return []
    each = dict(os.environ, OMP_PROC_BIND="true", OMP_PLACES="cores")
    return [float(subprocess.run([program], capture_output=True, text=True, check=True, env=each).stdout.split()[0])]


class Network:
    def __init__(self, name):
        self.name, self.config = name, f"scripts/bench/networks/{name}.yaml"
        self.first = data.prepare(name)[0]

    def start(self, job, threads, number, images):
        """A process that trains twice over `images`, or evaluates them."""
        output = f"{data.BUILD}/runs/threads-{self.name}-{number}"
        command = ["bin/cnntrain", "-q", "--fresh", "-o", output, "-s", f"data.train={images}", self.config] if job == "training" else \
            ["bin/cnneval", "-v", f"{output}/model.bin", images]
        return output, subprocess.Popen([*command, "-t", str(threads)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def rates(self, job, threads, count, images):
        """images/s of `count` processes side by side."""
        found = []
        for output, process in [self.start(job, threads, number, images) for number in range(count)]:
            _, errors = process.communicate()
            if process.returncode != 0:
                sys.exit(f"threads.py: {errors}")
            if job == "training":
                with open(f"{output}/log.csv", newline="", encoding="ascii") as file:
                    found.append(float(list(csv.DictReader(file))[-1]["images_per_second"]))
            else:
                found.append(float(re.search(r"([\d,]+) images/s", errors).group(1).replace(",", "")))
        return found

    def row(self, job, rounds):
        rate = max(self.rates(job, 1, 2, self.first))
        images = data.repeat(self.name, max(int(SECONDS * rate) // 64, 4) * 64, f"threads-{self.name}")
        alone, two_threads, two_processes, far = [], [], [], lines()
        for _ in range(rounds):
            alone += self.rates(job, 1, 1, images)
            two_processes.append(sum(self.rates(job, 1, 2, images)) / alone[-1])
            two_threads.append(self.rates(job, 2, 1, images)[0] / alone[-1])
            far += lines()

        def times(values):
            return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
        return f"| {self.name}, {job} | {statistics.median(alone):,.0f} | {times(two_processes)} | {times(two_threads)} | " \
            f"{f'{min(far):.0f} to {max(far):.0f}' if far else ''} |"


def main():
    rounds, names = int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:] or NETWORKS
    if set(names) - set(NETWORKS):
        print(f"threads.py: networks are {', '.join(NETWORKS)}", file=sys.stderr)
        sys.exit(2)
    print("| | one thread | two processes | two threads | ns a line |\n|---|---:|---:|---:|---:|")
    for network in map(Network, names):
        for job in ("training", "evaluation"):
            print(network.row(job, rounds), flush=True)


main()
