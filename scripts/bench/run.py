#!/usr/bin/env python3
"""run.py: cnntrain against what its users would pick instead, and against the machine's peak.

usage: scripts/bench/run.py [--networks LIST] [--batches LIST] [--peers LIST] [--convolutions LIST] [--kernels LIST]
                            [--rounds N] [--seconds S] [--output PREFIX] [--keep]

LISTs are words with commas between, such as `--networks vgg-bn --peers torch,onnx`; `none` is none of them. For each network and batch
size all programs are started and then asked in turn, round after round, so that a slow moment of the machine meets them all. Then the
same for single convolutions, on one thread. Writes PREFIX.md, which it prints, and PREFIX.csv (default build/bench/table); with --keep
both also have what PREFIX.csv has of earlier runs and this one does not measure. Needs only Python; programs that are not installed (`scripts/deps.sh bench` does it) are left out, and the table says so.
"""
import argparse
import os
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
import data  # noqa: E402
import tables  # noqa: E402
from programs import KERNEL_PROGRAMS, NETWORK_PROGRAMS, Missing, Program, operations, peaks  # noqa: E402

NETWORKS = ("lenet5", "mlp", "mnist-cnn", "vgg-bn", "resnet-cifar")
KERNEL_IMAGES = 64  # as in kernels/serve.h
KERNEL_JOBS = ("forward", "input", "weight")

# What the networks have, and what larger ones have: c h w oc k stride padding groups.
CONVOLUTIONS = {
    "lenet5-C1": (1, 32, 32, 6, 5, 1, 0, 1), "lenet5-C3": (6, 14, 14, 16, 5, 1, 0, 1), "lenet5-C5": (16, 5, 5, 120, 5, 1, 0, 1),
    "mnist-cnn-2": (32, 26, 26, 64, 3, 1, 0, 1),
    "vgg-bn-1": (1, 28, 28, 32, 3, 1, 1, 1), "vgg-bn-2": (32, 28, 28, 32, 3, 1, 1, 1), "vgg-bn-3": (32, 14, 14, 64, 3, 1, 1, 1),
    "vgg-bn-4": (64, 14, 14, 64, 3, 1, 1, 1), "vgg-bn-5": (64, 7, 7, 128, 3, 1, 1, 1), "vgg-bn-6": (128, 7, 7, 128, 3, 1, 1, 1),
    "resnet-16": (16, 32, 32, 16, 3, 1, 1, 1), "resnet-16-to-32": (16, 32, 32, 32, 3, 2, 1, 1), "resnet-32": (32, 16, 16, 32, 3, 1, 1, 1),
    "resnet-32-to-64": (32, 16, 16, 64, 3, 2, 1, 1), "resnet-64": (64, 8, 8, 64, 3, 1, 1, 1),
    "256-8x8": (256, 8, 8, 256, 3, 1, 1, 1), "64-112x112": (64, 112, 112, 64, 3, 1, 1, 1), "1x1-64-to-128": (64, 28, 28, 128, 1, 1, 0, 1),
    "groups-4": (64, 28, 28, 64, 3, 1, 1, 4), "groups-16": (64, 28, 28, 64, 3, 1, 1, 16),
    "depthwise": (64, 28, 28, 64, 3, 1, 1, 64), "depthwise-2": (64, 28, 28, 64, 3, 2, 1, 64), "depthwise-5x5": (64, 28, 28, 64, 5, 1, 2, 64),
}


class Bench:
    def __init__(self, options):
        self.options = options
        self.peaks = peaks()
        self.results, self.missing, self.versions = [], {}, {}

    def progress(self, text):
        print(f"run.py: {text}", file=sys.stderr, flush=True)

    def start(self, title, command):
        """A program that runs, or None."""
        try:
            program = Program(command())
            self.versions[title] = program.text("version")
            return program
        except Missing as reason:
            if title not in self.missing:
                self.progress(f"not measured: {title}: {reason}")
            self.missing[title] = str(reason)
            return None

    def peak(self, title, threads):
        level = "avx2" if "AVX2" in title else max(level for level, _ in self.peaks)
        return self.peaks.get((level, threads)) or threads * self.peaks[level, 1]

    def finish(self):
        """Measure the peak again, since the first time may have been a bad one, and say what share of it each result is."""
        for key, rate in peaks().items():
            self.peaks[key] = max(rate, self.peaks[key])
        for r in self.results:
            r.share = r.gflops / self.peak(r.program, r.threads)

    def measure_network(self, network, batch):
        files, running, results = data.prepare(network), [], {}
        parameters, flops = operations(network)
        for name in self.options.peers:
            kind = NETWORK_PROGRAMS[name]
            program = self.start(kind.title, lambda k=kind: [*k.command(network, files), network, str(batch), *files])
            if program:
                if program.parameters not in (0, parameters):
                    sys.exit(f"run.py: {kind.title} has {program.parameters} parameters in {network}, cnntrain {parameters}")
                running.append((kind, program))
        for number in range(self.options.rounds):
            self.progress(f"{network}, batch {batch}, round {number + 1} of {self.options.rounds}")
            for kind, program in running:
                for job in kind.jobs:
                    for threads in kind.threads:
                        rate = program.ask(job, threads, self.options.seconds)
                        results.setdefault((kind.title, job, threads), []).append(rate)
        resources = {}
        for kind, program in running:
            resources[kind.title] = program.ask("memory"), program.start_up
            program.close()
        for (title, job, threads), rates in results.items():
            result = tables.Result(network, batch, title, job, threads, rates)
            result.gflops = 1e-9 * result.median * flops[job]
            result.memory, result.start_up = resources[title]
            self.results.append(result)

    def measure_convolutions(self):
        running = {}
        for name in self.options.kernels:
            program = self.start(f"convolutions of {name}", KERNEL_PROGRAMS[name])
            if program:
                running[name] = program
        for subject in self.options.convolutions:
            shape = CONVOLUTIONS[subject]
            self.progress(f"convolution {subject}")
            for job in KERNEL_JOBS:
                rates = {name: [] for name in running}
                for _ in range(self.options.rounds):
                    for name, program in running.items():
                        rates[name].append(program.ask(job, *shape, self.options.seconds / 8))
                for name, values in rates.items():
                    result = tables.Result(subject, KERNEL_IMAGES, name, job, 1, values)
                    result.gflops = result.median
                    self.results.append(result)
        for program in running.values():
            program.close()

    def keep(self, path):
        """Add what an earlier run wrote to our results, in the usual order."""
        ours = {r.key for r in self.results}
        if os.path.exists(path):
            self.results += [r for r in tables.read_csv(path) if r.key not in ours]
        order = [*NETWORKS, *CONVOLUTIONS]
        programs = [kind.title for kind in NETWORK_PROGRAMS.values()] + list(KERNEL_PROGRAMS)
        jobs = list(tables.WORDS) + list(KERNEL_JOBS)
        self.results.sort(key=lambda r: (order.index(r.subject), r.batch, programs.index(r.program), jobs.index(r.job), -r.threads))

    def text(self):
        networks = [r for r in self.results if r.is_network]
        convolutions = [r for r in self.results if not r.is_network]
        subjects = list(dict.fromkeys((r.subject, r.batch) for r in networks))
        peaks = ", ".join(f"{level} {rate:.0f} on {threads}" for (level, threads), rate in self.peaks.items())
        parts = [f"Medians (minimum to maximum) of {self.options.rounds} rounds. The peak, nothing but fused multiply-adds, in GFLOP/s "
                 f"by threads: {peaks}.\n"]
        if self.versions:
            parts.append("Measured: " + "; ".join(dict.fromkeys(self.versions.values())) + ".\n")
        parts += [f"not measured: {title}: {reason}\n" for title, reason in self.missing.items()]
        if networks:
            parts.append("How many times as fast cnntrain's 2 threads are as ...\n")
            parts.append(tables.ratios(networks, subjects))
            parts += [tables.network_table(networks, job, *subject) for subject in subjects for job in ("train", "eval")]
        if convolutions:
            parts.append(f"Single convolutions of {KERNEL_IMAGES} images on one thread, GFLOP/s of the direct sum and share of the peak; "
                         "Winograd's way needs fewer multiplications than it is credited with.\n")
            parts.append(tables.kernel_table(convolutions, [name for name in KERNEL_PROGRAMS if tables.of(convolutions, program=name)]))
        return "\n".join(parts)


def listed(choices):
    def parse(text):
        words = [] if text == "none" else text.split(",")
        wrong = [word for word in words if word not in choices]
        if wrong:
            raise argparse.ArgumentTypeError(f"unknown '{wrong[0]}'; known are {', '.join(choices)}, none")
        return words
    return parse


def main():
    parser = argparse.ArgumentParser(description="cnntrain against its peers; see the head of this file")
    parser.add_argument("--networks", type=listed(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--batches", type=lambda text: [int(word) for word in text.split(",")], default=[64, 128])
    parser.add_argument("--peers", type=listed(NETWORK_PROGRAMS), default=list(NETWORK_PROGRAMS))
    parser.add_argument("--convolutions", type=listed(CONVOLUTIONS), default=list(CONVOLUTIONS))
    parser.add_argument("--kernels", type=listed(KERNEL_PROGRAMS), default=list(KERNEL_PROGRAMS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one measured run")
    parser.add_argument("--output", default=f"{data.BUILD}/table", metavar="PREFIX")
    parser.add_argument("--keep", action="store_true", help="rows of earlier runs that this one does not measure")
    options = parser.parse_args()
    os.makedirs(data.FOLDER, exist_ok=True)
    bench = Bench(options)
    for network in options.networks:
        for batch in options.batches:
            bench.measure_network(network, batch)
    if options.convolutions and options.kernels:
        bench.measure_convolutions()
    bench.finish()
    if options.keep:
        bench.keep(options.output + ".csv")
    text = bench.text()
    with open(options.output + ".md", "w", encoding="utf-8") as file:
        file.write(text)
    tables.write_csv(options.output + ".csv", bench.results)
    print(text, end="")


main()
