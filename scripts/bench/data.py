"""data.py: the images that all programs of the bench are given, as IDX files in build/bench/data; BENCH_BUILD in the environment is
another folder than build/bench.

MNIST's first images where the network takes digits and data/mnist is there, padded to its size; otherwise noise from a generator of
fixed seed, since no speed depends on what is in a picture.
"""
import gzip
import os
import random
import struct

BUILD = os.environ.get("BENCH_BUILD", "build/bench")
FOLDER = BUILD + "/data"
MNIST = "data/mnist/train-{}-ubyte.gz"
COUNT = 4096  # of different images; a program that is measured for longer meets them again


def read(path):
    """(shape, bytes) of an IDX file of bytes."""
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        raw = file.read()
    rank = raw[3]
    return struct.unpack_from(f">{rank}I", raw, 4), raw[4 + 4 * rank:]


def write(path, shape, values):
    with open(path, "wb") as file:
        file.write(struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + values)


def digits(size):
    """MNIST, with zeros around up to size x size; (shape of an image, pixels, labels)."""
    if not os.path.exists(MNIST.format("labels-idx1")):
        return noise(1, size)
    (_, height, width), pixels = read(MNIST.format("images-idx3"))
    _, labels = read(MNIST.format("labels-idx1"))
    left, above = (size - width) // 2, (size - height) // 2
    blank, side = bytes(size * above), bytes(left)
    images = []
    for first in range(0, COUNT * height * width, height * width):
        rows = [side + pixels[y:y + width] + side for y in range(first, first + height * width, width)]
        images.append(blank + b"".join(rows) + blank)
    return (size, size), b"".join(images), labels[:COUNT]


def noise(channels, size):
    """Images of random bytes in ten classes."""
    generator = random.Random(42)
    shape = (size, size) if channels == 1 else (channels, size, size)
    return shape, generator.randbytes(COUNT * channels * size * size), bytes(i % 10 for i in range(COUNT))


SETS = {"lenet5": lambda: digits(32), "resnet-cifar": lambda: noise(3, 32)}


def paths(name):
    return f"{FOLDER}/{name}-images-idx3-ubyte", f"{FOLDER}/{name}-labels-idx1-ubyte"


def prepare(network):
    """Write a network's set; the paths of images and labels."""
    os.makedirs(FOLDER, exist_ok=True)
    shape, pixels, labels = SETS.get(network, lambda: digits(28))()
    images, classes = paths(network)
    write(images, (COUNT, *shape), pixels)
    write(classes, (COUNT,), labels)
    return images, classes


def repeat(network, count, name):
    """A set of `count` images, the network's over and over, called `name`; the path of its images."""
    for source, target in zip(paths(network), paths(name)):
        (_, *shape), values = read(source)
        size = len(values) // COUNT
        write(target, (count, *shape), (values * (count // COUNT + 1))[:count * size])
    return paths(name)[0]
