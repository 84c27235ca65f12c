"""cnntrain.py: cnntrain and cnneval in the bench's protocol (protocol.py): whole processes are run, the rates are what they say.

usage: cnntrain.py LEVEL NETWORK BATCH IMAGES LABELS        LEVEL: as in CNNTRAIN_CPU; '' for the machine's best

Rates are of the loops alone, without reading data and writing files, as those of the peers; of training, the better of two epochs. The
set is repeated to what takes the asked time, which a short run finds out before. Start-up is a whole run of one batch.
"""
import csv
import os
import re
import resource
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import data  # noqa: E402
import protocol  # noqa: E402

FIRST_GUESS = 512  # images a second


class Peer:
    def __init__(self, level, network, batch, images):
        self.network, self.batch, self.images = network, batch, images
        self.environment = {**os.environ, "CNNTRAIN_CPU": level}
        self.name = f"{network}-{level or 'best'}"
        self.config = f"scripts/bench/networks/{network}.yaml"
        self.output = f"{data.BUILD}/runs/{self.name}"
        self.rates = {}

    def run(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            protocol.say("error", done.stderr.splitlines()[0])
            sys.exit(1)
        return done

    def cnntrain(self, threads, images, *settings):
        settings = [word for setting in (f"data.train={images}", f"train.batch_size={self.batch}", *settings) for word in ("-s", setting)]
        return self.run("bin/cnntrain", "-q", "--fresh", "-t", str(threads), "-o", self.output, *settings, self.config)

    def start(self):
        """Seconds of a run of one batch, and the most memory in MiB of one that trains on the whole set for a second."""
        start = time.perf_counter()
        self.cnntrain(2, self.images, f"data.limit={self.batch}", "train.epochs=1")
        seconds = time.perf_counter() - start
        self.cnntrain(2, self.images, "train.max_time=1s")
        return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024

    def train_once(self, threads, images):
        self.cnntrain(threads, images)
        with open(f"{self.output}/log.csv", newline="", encoding="ascii") as file:
            return max(float(row["images_per_second"]) for row in csv.DictReader(file))

    def eval_once(self, threads, images):
        done = self.run("bin/cnneval", "-v", "-t", str(threads), f"{self.output}/model.bin", images)
        return float(re.search(r"([\d,]+) images/s", done.stderr).group(1).replace(",", ""))

    def set_for(self, seconds, rate):
        """The images that take so long, in whole batches."""
        batches = max(int(seconds * rate / self.batch), 2)
        return data.repeat(self.network, batches * self.batch, f"{self.name}-now")

    def measure(self, job, threads, seconds):
        key = job, threads
        if key not in self.rates:
            self.rates[key] = job(threads, self.set_for(1, FIRST_GUESS))
        self.rates[key] = job(threads, self.set_for(seconds, self.rates[key]))
        return self.rates[key]

    def train(self, threads, seconds):
        return self.measure(self.train_once, threads, seconds / 2)

    def eval(self, threads, seconds):
        return self.measure(self.eval_once, threads, seconds)

    def version(self):
        return self.run("bin/cnntrain", "--version").stdout.splitlines()[0]

    def parameters(self):
        table = self.run("bin/cnntrain", "--dry-run", self.config).stdout
        return int(re.search(r"^total +([\d,]+)", table, re.M).group(1).replace(",", ""))


def main():
    level, network, batch, images, _ = sys.argv[1:6]
    peer = Peer(level, network, int(batch), images)
    seconds, memory = peer.start()
    protocol.serve(peer.parameters(), seconds, version=peer.version(), memory=lambda: memory, train=peer.train, eval=peer.eval)


main()
