#!/usr/bin/env python3
"""corruption.py: no damaged file is taken for a good one (section 3.7 of the programme, B1 to B7).

Every bit of a model.bin, of a 28x28 PNG and of a gzip IDX file is flipped, every shorter length and 64 longer ones are
tried, every value of every byte of a model's header, and the data of tensors of equal shape change places: corrupt.c does
it in memory, with the library that the commands are made of, and compares what is still read with what the good file
said. Asserted: all refused with an error of the right kind, except the bits that gzip protects by nothing, which are
listed and change nothing; cnnview --verify finds each flipped bit of a model, and names no other tensor; the commands
themselves refuse a sample with exit 5 or 4; with the sanitizers a sample too. CI: a model of 10 KB, a sample of the header
bytes and of verify, under a minute. TIER=full: also a model of 60 KB, everything without a sample, and the same flips by the
plain rules of safetensors, which have no checksum."""
import collections
import os
import random
import shutil
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import runs  # noqa: E402
import safetensors_check  # noqa: E402
from cases import base, formats  # noqa: E402

FULL = os.environ.get("TIER") == "full"
TOOLS = {}  # the program corrupt, by variant
LARGER = """\
data: {train: %s/train-images-idx3-ubyte.gz, validation: 0.2}
network:
  - conv: {filters: 16, kernel: 3, padding: 1}
  - conv: {filters: 16, kernel: 3, padding: 1}
  - conv: {filters: 16, kernel: 3, padding: 1}
  - maxpool: {size: 2, stride: 2}
  - dense: 30
  - dense: 30
  - dense: 10
train: {epochs: 1, batch_size: 64}
output: larger
"""


def figure(what, value):
    print(f"# figure: {what}: {value}", flush=True)


def tool(variant="release"):
    """The program corrupt of a variant, linked with the library that has been built."""
    if variant not in TOOLS:
        library = os.path.join(runs.ROOT, "build", variant, "libcnntrain.a")
        if not os.path.exists(library):
            raise runs.Skip(f"build/{variant}/libcnntrain.a is not built")
        packages = subprocess.run(["pkg-config", "--libs", "yaml-0.1", "zlib", "libdeflate", "jansson", "libjpeg"],
                                  capture_output=True, text=True, check=True).stdout.split()
        sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if variant == "asan" else []
        program = os.path.join(WORK, "corrupt-" + variant)
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", *sanitizers, "-fopenmp",
                        "-I" + os.path.join(runs.ROOT, "src"),
                        os.path.join(runs.ROOT, "tests", "reliability", "corrupt.c"), library, *packages, "-lm", "-o",
                        program], check=True)
        TOOLS[variant] = program
    return TOOLS[variant]


def corrupt(reader, damage, path, *labels, step=1, variant="release"):
    """(how many were tried, how many refused, [(where, what, "same" or "other") of those that were not])"""
    done = subprocess.run([tool(variant), reader, damage, path, str(step), *labels], capture_output=True, text=True,
                          env=runs.environment(), check=False)
    assert done.returncode == 0, f"{reader} {damage}: exit {done.returncode}\n{done.stdout[-500:]}{done.stderr[-3000:]}"
    *accepted, last = done.stdout.splitlines()
    words = last.split()
    accepted = [(int(where), int(what), how) for _, where, what, how in map(str.split, accepted)]
    tried, refused = int(words[1]), int(words[3])
    assert tried > 0 and tried == refused + len(accepted), done.stdout[-500:]
    return tried, refused, accepted


def all_refused(what, *arguments, **options):
    tried, refused, accepted = corrupt(*arguments, **options)
    assert not accepted, f"{what}: accepted (where, what, the same or other): {accepted[:20]}"
    figure(what, f"{refused:,} of {tried:,} refused")


def models():
    """The models to damage: [(what, path)]."""
    yield f"a model.bin of {os.path.getsize(MODEL):,} bytes", MODEL
    if FULL:
        larger = os.path.join(WORK, "larger", "model.bin")
        if not os.path.exists(larger):
            path = runs.write(os.path.join(WORK, "larger.yaml"), LARGER % runs.DIGITS)
            runs.cnntrain("-q", path, "-o", os.path.join(WORK, "larger"))
        assert 50_000 < os.path.getsize(larger) <= 64 << 10, os.path.getsize(larger)
        yield f"a model.bin of {os.path.getsize(larger):,} bytes", larger


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


# ---- models ----

def model_bits():
    """B1: every flipped bit of a model.bin is refused"""
    for what, path in models():
        all_refused(f"bit flips, {what}", "model", "bits", path)
    all_refused("bit flips, a checkpoint.bin, by its reader", "container", "bits", CHECKPOINT, step=1 if FULL else 53)


def model_lengths():
    """B2: every truncation of a model.bin is refused, and 64 extensions"""
    for what, path in models():
        all_refused(f"truncations, {what}", "model", "cuts", path)
        all_refused(f"extensions, {what}", "model", "ends", path)


def model_swaps():
    """B3: tensors of equal shape that have changed places are refused"""
    all_refused("swapped tensors, a checkpoint.bin", "container", "swaps", CHECKPOINT)
    if FULL:
        all_refused("swapped tensors, a model.bin", "model", "swaps", list(models())[1][1])


def model_bytes():
    """B4: every other value of every byte of a model's header is refused"""
    all_refused("other byte values in a model's header" + ("" if FULL else ", a sample"), "model", "bytes", MODEL,
                step=1 if FULL else 13)


def verify_bits():
    """cnnview --verify tells which tensor a flipped bit is in; of the header's bits, none but one is in doubt"""
    all_refused("bit flips that cnnview --verify places right" + ("" if FULL else ", a sample"), "verify", "bits", MODEL,
                step=1 if FULL else 29)
    all_refused("truncations that cnnview --verify reports", "verify", "cuts", MODEL, step=1 if FULL else 31)


# ---- data ----

def pictures():
    """28x28 PNG files: grey with a comment, palette, interlaced"""
    rows = bytes((x * 9 + y * 5) % 256 for y in range(28) for x in range(28))
    comment = formats.chunk(b"tEXt", b"Comment\0hello")
    palette = formats.chunk(b"PLTE", bytes(range(256)) * 3) + formats.chunk(b"tRNS", bytes(256))
    yield "grey", formats.png(rows, 28, 28, extra=comment)
    yield "palette", formats.png(rows, 28, 28, colour=3, extra=palette)
    yield "RGB of 16 bits", formats.png(rows * 6, 28, 28, colour=2, depth=16)


def png():
    """B5, B7: every flipped bit, truncation and extension of a 28x28 PNG is refused"""
    for kind, data in pictures():
        path = write("a.png", data)
        what = f"a {kind} PNG of 28x28, {len(data):,} bytes"
        all_refused(f"bit flips, {what}", "png", "bits", path)
        all_refused(f"truncations, {what}", "png", "cuts", path)
        all_refused(f"extensions, {what}", "png", "ends", path)


def digits(least):
    """An IDX file of handwritten digits that takes at least so many bytes compressed, and its labels."""
    (_, height, width), pixels = runs.read_idx(os.path.join(runs.DIGITS, "train-images-idx3-ubyte.gz"))
    count = next(n for n in range(1, 1000) if len(zlib.compress(pixels[:n * height * width], 6)) >= least)
    return formats.idx([count, height, width], pixels[:count * height * width]), formats.labels(count)


def gzip_file(data, checksum):
    """With every field of the header; `checksum`: of the header too (FHCRC)."""
    name, comment = b"t10k-images-idx3-ubyte\0", b"a comment\0"
    header = bytes([0x1F, 0x8B, 8, 0x1C | 2 * checksum]) + struct.pack("<I", 1700000000) + bytes([0, 3]) + \
        struct.pack("<H", 8) + b"AP\4\0abcd" + name + comment
    fields = [("ID1, ID2", 2), ("CM", 1), ("FLG", 1), ("MTIME", 4), ("XFL", 1), ("OS", 1), ("XLEN", 2), ("FEXTRA", 8),
              ("FNAME", len(name)), ("FCOMMENT", len(comment))]
    if checksum:
        header += struct.pack("<H", zlib.crc32(header) & 0xFFFF)
        fields.append(("CRC16", 2))
    packed = formats.deflate(data)
    fields += [("deflate data", len(packed)), ("CRC32", 4), ("ISIZE", 4)]
    return header + packed + formats.trailer(data), fields


def field_at(fields, at):
    for name, length in fields:
        if at < length:
            return name
        at -= length
    raise AssertionError("behind the end")


def gzip_bits():
    """B6: every flipped bit of a .gz is refused, but those of the header that gzip protects by nothing: they change nothing"""
    data, labels = digits(4096)
    write("labels", labels)
    for checksum in (0, 1):
        file, fields = gzip_file(data, checksum)
        tried, refused, accepted = corrupt("idx", "bits", write("images", file), "labels")
        assert all(how == "same" for _, _, how in accepted), [a for a in accepted if a[2] != "same"]
        spared = collections.Counter(field_at(fields, at) for at, _, _ in accepted)
        same = spared.pop("deflate data", 0)
        figure(f"bit flips, a .gz of {len(file):,} bytes {'with' if checksum else 'without'} a header checksum",
               f"{refused:,} of {tried:,} refused; taken, with the same images: in the header " +
               (", ".join(f"{name} {count}" for name, count in spared.items()) or "none") +
               f", and {same} that pack the same bytes in another way")
        # All bits of these are free, and FTEXT of FLG, a hint; of the rest those that move no field's end.
        free = {} if checksum else {"FLG": 1, "MTIME": 32, "XFL": 8, "OS": 8}
        assert {name: spared[name] for name in free} == free, spared
        assert spared.keys() <= {*free, *(() if checksum else ("XLEN", "FEXTRA", "FNAME", "FCOMMENT"))}, spared
        assert checksum or spared["FNAME"] + spared["FCOMMENT"] + spared["FEXTRA"] > 200, spared
        assert same < tried / 500, same


def data_lengths():
    """B7: every truncation and extension of a .gz and of an IDX file is refused"""
    data, labels = digits(1024)
    write("labels", labels)
    for what, file in ((f"an IDX file of {len(data):,} bytes", data), ("a .gz IDX file", gzip_file(data, 1)[0]),
                       ("a .gz IDX file of two members", formats.gz(data[:500]) + formats.gz(data[500:]))):
        path = write("images", file)
        all_refused(f"truncations, {what}", "idx", "cuts", path, "labels")
        all_refused(f"extensions, {what}", "idx", "ends", path, "labels")
    header = 16
    tried, refused, accepted = corrupt("idx", "bits", write("images", data), "labels")
    assert [a[:2] for a in accepted if a[0] < header] == [(2, 0)], accepted[:5]  # unsigned bytes become signed ones
    assert all(how == "other" for _, _, how in accepted)
    figure("bit flips, an IDX file without gzip (which has no checksum)",
           f"{refused:,} of {tried:,} refused: {8 * header - 1} of {8 * header} of the header, none of the pixels; --resume "
           "refuses these too, by the checksum of the set")


# ---- the rest ----

def sanitized():
    """the same with the sanitizers, a sample"""
    data, labels = digits(1024)
    write("labels", labels)
    step = 7 if FULL else 97
    for reader, damage, path, more in (("model", "bits", MODEL, ()), ("model", "cuts", MODEL, ()), ("model", "bytes", MODEL, ()),
                                       ("verify", "bits", MODEL, ()), ("verify", "cuts", MODEL, ()),
                                       ("png", "bits", write("a.png", next(pictures())[1]), ()),
                                       ("png", "cuts", "a.png", ()),
                                       ("idx", "bits", write("images", gzip_file(data, 1)[0]), ("labels",)),
                                       ("idx", "cuts", "images", ("labels",))):
        each = {"bytes": 40 * step, "cuts": step}.get(damage, step)
        _, _, accepted = corrupt(reader, damage, path, *more, step=each, variant="asan")
        assert all(how == "same" for _, _, how in accepted), accepted


def commands():
    """the commands themselves refuse a sample: exit 5 for models, 4 for pictures and data, and a line that says so"""
    rng = random.Random(7)
    data = runs.read_bytes(MODEL)
    count = 0

    def refused(code, name, *command):
        nonlocal count
        done = subprocess.run([os.path.join(runs.BIN, command[0]), *command[1:]], capture_output=True, text=True,
                              env=runs.environment(), check=False)
        assert done.returncode == code, f"{command}: exit {done.returncode}\n{done.stderr}"
        assert done.stderr.startswith((name + ":", name + "(gz):")) and ": error: " in done.stderr, done.stderr
        assert done.stdout == "" or "--verify" in command, done.stdout
        count += 1

    for _ in range(40 if FULL else 8):
        at = rng.randrange(len(data))
        path = write("model.bin", data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1:])
        refused(5, path, "cnneval", path, f"{DATA}/t10k-images-idx3-ubyte")
        refused(5, path, "cnnpredict", path, "a.png")
        refused(5, path, "cnnview", path)
        refused(5, path, "cnnview", "--verify", path)
    picture, (images, labels) = next(pictures())[1], digits(1024)
    write("labels", labels)
    packed = gzip_file(images, 1)[0]
    for _ in range(40 if FULL else 8):
        at, other = rng.randrange(len(picture)), rng.randrange(len(packed) - 9)
        write("a.png", picture[:at] + bytes([picture[at] ^ 1 << rng.randrange(8)]) + picture[at + 1:])
        refused(4, "a.png", "cnnpredict", MODEL, "a.png")
        write("images", packed[:other] + bytes([packed[other] ^ 1 << rng.randrange(8)]) + packed[other + 1:])
        write("set.yaml", b"data: {train: {images: images, labels: labels}}\nnetwork: [dense: 10]\n")
        refused(4, "images", "cnntrain", "set.yaml", "-o", "run")
    figure("damaged files given to the commands", f"{count} of {count} refused with the right exit code")


def plain_rules():
    """the same flips by the plain rules of safetensors: a figure to compare with"""
    if not FULL:
        raise runs.Skip("TIER=full only")
    data = bytearray(runs.read_bytes(MODEL))
    taken = 0
    for at in range(len(data)):
        for bit in range(8):
            data[at] ^= 1 << bit
            try:
                safetensors_check.check_plain(bytes(data))
                taken += 1
            except (ValueError, RecursionError):
                pass
            data[at] ^= 1 << bit
    tried = 8 * len(data)
    assert taken > tried // 2, taken
    figure(f"peer: the same flips of a model.bin of {len(data):,} bytes by the plain rules of safetensors",
           f"{tried - taken:,} of {tried:,} refused")


if __name__ == "__main__":
    WORK = os.path.realpath(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        DATA = os.path.join(WORK, "data")
        os.environ["OMP_WAIT_POLICY"] = "passive"
        FILES = base.make_template(DATA, runs.BIN)
        MODEL, CHECKPOINT = (write(os.path.join(WORK, name), FILES[name]) for name in ("model.bin", "checkpoint.bin"))
        runs.run_tests([model_bits, model_lengths, model_swaps, model_bytes, verify_bits, png, gzip_bits, data_lengths,
                        sanitized, commands, plain_rules])
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
