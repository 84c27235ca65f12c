#!/usr/bin/env python3
"""seeds.py DIR: inputs for the fuzz targets to begin with, as DIR/TARGET/NUMBER.

Most of them are the files of the cases in tests/cases, right and wrong, and the configs of configs/; the rest is made
here so that each kind of each format is there once. Needs bin/cnntrain, for a model. What is committed in
tests/fuzz/corpus is what libFuzzer kept of these and of what it found (fuzzing.py --merge)."""
import itertools
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))

from cases import augment, base, command, data, initialize, lint, model, network, optim, pictures, schema, text  # noqa: E402
from cases.formats import JPEG_CMYK, JPEGS, chunk, deflate, f32, gz, idx, safetensors, trailer  # noqa: E402

GROUPS = (command, text, schema, network, data, pictures, model, lint, initialize, optim, augment)
MOST_BYTES = 4096
PROGRAMS = ("cnntrain", "cnneval", "cnnpredict", "cnnview")
CODES = {0x08: "B", 0x09: "b", 0x0B: ">h", 0x0C: ">i", 0x0D: ">f", 0x0E: ">d"}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def idx_input(image_file, label_file=None, flags=0):
    """As target_idx.c takes two files."""
    if label_file is None:
        return bytes([flags | 1, 0, 0]) + image_file
    return bytes([flags]) + struct.pack("<H", len(label_file)) + image_file + label_file


def idx_seeds():
    for code, form in CODES.items():
        values = b"".join(struct.pack(form, i % 3) for i in range(24))
        for dims in ([4, 6], [2, 3, 4], [2, 3, 2, 2], [2, 2, 2, 3]):
            for flags in (0, 2, 4, 8, 68, 20):
                yield idx_input(idx(dims, values, code), flags=flags)
        yield idx_input(idx([4, 2, 3], bytes(range(24))), idx([4], values[:4 * struct.calcsize(form)], code))


def gz_seeds():
    plain = idx([3, 4, 4], bytes(range(48)))
    yield gz(plain)
    yield gz(plain, 8, extra=b"name\0")
    yield gz(plain, 4 | 16, extra=b"\3\0abccomment\0")
    header = bytes([0x1F, 0x8B, 8, 2, 0, 0, 0, 0, 0, 3])
    yield header + struct.pack("<H", zlib.crc32(header) & 0xFFFF) + deflate(plain) + trailer(plain)
    yield gz(plain[:20]) + gz(plain[20:]) + gz(b"")
    for level, strategy in itertools.product((0, 1, 9), (zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_DEFAULT_STRATEGY)):
        packer = zlib.compressobj(level, zlib.DEFLATED, 31, 8, strategy)
        yield packer.compress(plain) + packer.flush()
    for code, form in CODES.items():
        yield gz(idx([2, 3, 3], b"".join(struct.pack(form, i % 3) for i in range(18)), code))


def packed_row(width, bits):
    return (width * bits + 7) // 8


def png_seeds():
    """Every colour type and depth, plain and interlaced, every filter."""
    width, height = 5, 9
    for colour, depths in DEPTHS.items():
        for depth, interlaced in itertools.product(depths, (0, 1)):
            bits = CHANNELS[colour] * depth
            if interlaced:
                passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
                sizes = [(len(range(x, width, dx)), len(range(y, height, dy))) for x, y, dx, dy in passes]
            else:
                sizes = [(width, height)]
            raw = b"".join(bytes([y % 5]) + bytes((y * 7 + i * 31) % 256 if colour != 3 else 0 for i in range(packed_row(w, bits)))
                           for w, h in sizes if w and h for y in range(h))
            header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
            extra = chunk(b"PLTE", bytes(range(6))) if colour == 3 else b""
            extra += {0: chunk(b"tRNS", b"\0\1"), 2: chunk(b"tRNS", bytes(6)), 3: chunk(b"tRNS", b"\7")}.get(colour, b"")
            body = zlib.compress(raw)
            yield b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", body[:9]) + \
                chunk(b"IDAT", body[9:]) + chunk(b"tEXt", b"a\0b") + chunk(b"IEND")


def foreign_models():
    yield safetensors({"a": f32([2, 3]), "b": f32([4])})
    yield safetensors({"a": ("F16", [2], bytes(4)), "b": ("BF16", [3], bytes(6)), "c": ("F64", [1], bytes(8)),
                       "d": ("BOOL", [2, 0], b""), "e": ("F4", [3, 2], bytes(3))}, {"k": "v"})
    yield safetensors({"a": f32([1]), "b": f32([])}, layout=["b", "a"])


TARGET_OF = ((b"\x1f\x8b", "gz"), (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"))


def sort_file(name, content):
    """(target, input) of a case's file."""
    for magic, target in TARGET_OF:
        if content.startswith(magic):
            yield target, content
    if content[8:9] == b"{":
        yield "model", content
    elif name.endswith((".yaml", ".yml")):
        yield "config", content
    elif content[:2] == b"\0\0":
        yield "idx", idx_input(content)
    elif name.endswith("log.csv"):
        yield "log", content


def case_seeds(trained):
    for group in GROUPS:
        for case in group.cases(trained):
            for name, content in case.files.items():
                yield from sort_file(name, content)
            if case.command and case.command[0] in PROGRAMS:
                arguments = [os.fsencode(word) for word in case.command]
                which = PROGRAMS.index(case.command[0])
                yield "cli", bytes([which]) + b"\0".join(arguments[1:])
                for word in arguments:
                    if word.startswith(b"--set="):
                        yield "config", base.BASE.encode() + b"\x1e" + word[6:]
                for flag, word in zip(arguments, arguments[1:]):
                    if flag in (b"--set", b"-s"):
                        yield "config", base.BASE.encode() + b"\x1e" + word


def config_seeds():
    for folder, _, names in os.walk(os.path.join(ROOT, "configs")):
        for name in sorted(names):
            if name.endswith(".yaml"):
                with open(os.path.join(folder, name), "rb") as file:
                    yield file.read()


LOG = b"epoch,step,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second\n"


def log_seeds():
    yield LOG
    yield LOG + b"1,3,0.001,2.25,0.1875,2.5,0.25,0.012,4000\n2,6,0.001,1e-05,1,,,0.5,123\n"
    yield LOG.replace(b"\n", b"\r\n") + b"1,3,0.001,2.25,0.1875,2.5,0.25,0.012,4000\r\n2,6,"


def num_seeds():
    for word in ("0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "18446744073709551616",
                 "0.1", "1e-45", "1.7976931348623157e308", "1.8e308", "4.9e-324", "2.4e-324", ".5", "1.", "-0", "0x1", "inf",
                 "nan", "1_0", "1e", "00", "16777217", "3.4028236e38", "1h30m", "7d", "90s", "0.30000000000000004"):
        yield word.encode()


TINY = """\
data: {train: {images: images, labels: labels}}
network: [%s]
train: {epochs: 1, batch_size: 4}
output: run
"""


def tiny_models(work):
    """Models and a checkpoint of a few hundred bytes."""
    with open(os.path.join(work, "images"), "wb") as file:
        file.write(idx([4, 3, 3], bytes(range(36))))
    with open(os.path.join(work, "labels"), "wb") as file:
        file.write(idx([4], bytes([0, 1, 0, 1])))
    for network in ("dense: 2", "conv: {filters: 2, kernel: 2}, batchnorm, relu, dense: 2",
                    "residual: {body: [conv: {filters: 1, kernel: 3, padding: same}]}, dense: 2"):
        with open(os.path.join(work, "tiny.yaml"), "w") as file:
            file.write(TINY % network)
        subprocess.run([os.path.join(ROOT, "bin", "cnntrain"), "-q", "--fresh", "tiny.yaml"], cwd=work, check=True)
        for name in ("model.bin", "checkpoint.bin")[:1 + (network == "dense: 2")]:
            with open(os.path.join(work, "run", name), "rb") as file:
                yield file.read()


def all_seeds(trained, work):
    yield from case_seeds(trained)
    for target, made in (("config", config_seeds()), ("idx", idx_seeds()), ("gz", gz_seeds()), ("png", png_seeds()),
                         ("model", foreign_models()), ("jpeg", [*JPEGS.values(), JPEG_CMYK]), ("log", log_seeds()),
                         ("num", num_seeds()), ("model", tiny_models(work))):
        for content in made:
            yield target, content
    for size in (64, 200, 700):
        for target in ("model_eval", "roundtrip"):
            yield target, bytes((i * i * 37 + i * 11 + size) % 256 for i in range(size))


def main(folder):
    work = tempfile.mkdtemp(prefix="seeds.")
    seen = set()
    try:
        trained = base.make_template(os.path.join(work, "template"), os.path.join(ROOT, "bin"))
        for target, content in all_seeds(trained, work):
            if len(content) > MOST_BYTES or (target, content) in seen:
                continue
            seen.add((target, content))
            os.makedirs(os.path.join(folder, target), exist_ok=True)
            with open(os.path.join(folder, target, f"{len(seen):05}"), "wb") as file:
                file.write(content)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main(sys.argv[1])
