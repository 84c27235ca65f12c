"""data.py: data sets that are damaged, or lie, or do not fit (groups I and G), read by cnntrain as data.train and by
cnneval as its TESTSET. Offsets are those of the file, or, where (gz) stands, of what is packed in it."""
import os
import struct
import zlib

from cases.base import BASE, NAME, edited
from cases.formats import bomb, deflate, gz, idx, images, labels, trailer, zeros
from cases.harness import ANY, Case

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
GOOD, TAGS = images(64), labels(64)
SIZE = 64 * 784
PLAIN = edited((IMAGES + ".gz", IMAGES)).encode()
FLOATS = struct.pack(">784f", *range(784)) * 64


def changed(data, at, new):
    return data[:at] + new + data[at + len(new):]


def header(*dims, data=b"", code=8):
    return idx(dims, data, code)


def floats(index, value):
    return idx([64, 28, 28], changed(FLOATS, 4 * index, struct.pack(">f", value)), 13)


# id, the images file, offset, message
IMAGE_FILES = [
    ("I01 empty", b"", 0, "file is empty, expected IDX header"),
    ("I02 1 byte", b"\0", 0, "shorter than the 4-byte magic"),
    ("I02b 2 bytes", b"\0\0", 0, "shorter than the 4-byte magic"),
    ("I02c 3 bytes", b"\0\0\x08", 0, "shorter than the 4-byte magic"),
    ("I03 7 bytes", GOOD[:7], 4, "header cut short"),
    ("I03b 15 bytes", GOOD[:15], 4, "header cut short"),
    ("I04 first byte", changed(GOOD, 0, b"\1"), 0, "not an IDX file"),
    ("I04b second byte", changed(GOOD, 1, b"\1"), 0, "not an IDX file"),
    ("I05 little-endian", b"\x03\x08\0\0" + GOOD[4:], 0, "byte order reversed (little-endian IDX?)"),
    ("I06 type 0x07", changed(GOOD, 2, b"\x07"), 2, "unknown element type 0x07"),
    ("I06b type 0x0A", changed(GOOD, 2, b"\x0a"), 2, "unknown element type 0x0a"),
    ("I06c type 0xFF", changed(GOOD, 2, b"\xff"), 2, "unknown element type 0xff"),
    ("I08 NaN in sample 5", floats(5 * 784 + 3, float("nan")), 16 + 4 * (5 * 784 + 3), "sample 5: value is not finite"),
    ("I09 +inf", floats(0, float("inf")), 16, "sample 0: value is not finite"),
    ("I09b -inf in the last value", floats(SIZE - 1, float("-inf")), 16 + 4 * (SIZE - 1),
     "sample 63: value is not finite"),
    ("I09c a double that is no float", header(64, 28, 28, data=struct.pack(">d", 1e300) + bytes(8 * (SIZE - 1)),
                                              code=14), 16,
     "sample 0: value is beyond the range of a float"),
    ("I10 0 dimensions", b"\0\0\x08\0", 3, "images need at least 2 and at most 4 dimensions, got 0"),
    ("I11 labels in place of images", TAGS, 3, "this is a label file"),
    ("I13 5 dimensions", header(64, 1, 1, 28, 28, data=bytes(SIZE)), 3, "at most 4 dimensions, got 5"),
    ("I13b 255 dimensions", b"\0\0\x08\xff" + bytes(1020), 3, "at most 4 dimensions, got 255"),
    ("I14 no images", header(0, 28, 28), 4, "data set is empty"),
    ("I15 no rows", header(64, 0, 28), 8, "zero-sized image"),
    ("I15b no columns", header(64, 28, 0), 12, "zero-sized image"),
    ("I16 65,537 rows", header(1, 65537, 1, data=bytes(65537)), 8, "height 65537 must be 1..65536"),
    ("I16b 65,537 columns", header(1, 1, 65537, data=bytes(65537)), 12, "width 65537 must be 1..65536"),
    ("I16c 5 channels", header(1, 5, 28, 28, data=bytes(5 * 784)), 8, "channels 5 must be 1..4"),
    ("I17 2^32-1 everywhere", header(*[2**32 - 1] * 3), 4, "size overflow"),
    ("I18 2^16 everywhere", header(*[2**16] * 3), 4, "larger than the file: 65536 images, needs 256.0 TiB"),
    ("I19 2^64 bytes, 0 to the careless", header(*[2**16] * 4), 4, "size overflow"),
    ("I20 a count of 2^31", header(2**31, 28, 28, data=bytes(SIZE)), 4, "larger than the file: 2147483648 images"),
    ("I21 one byte short", GOOD[:-1], len(GOOD) - 1, "file ends early, in image 63 of 64"),
    ("I22 one byte long", GOOD + b"\0", len(GOOD), "1 unexpected byte after the data"),
    ("I23 half the data", GOOD[:16 + SIZE // 2], 16 + SIZE // 2, "file ends early, in image 32 of 64"),
    ("I24 count one less", changed(GOOD, 4, struct.pack(">I", 63)), 16 + 63 * 784,
     "784 unexpected bytes after the data"),
    ("I38 HTML", b"<!DOCTYPE html><title>404</title>", 0, "not an IDX file: looks like HTML or XML (a bad download?)"),
    ("I39 Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", 0,
     "a Git LFS pointer: run git lfs pull"),
    ("I44 text", b"label,pixel\n0,1\n", 0, "not an IDX file"),
    ("I45 escapes", b"\x1b[31mred\x1b[0m\n", 0, "not an IDX file"),
    ("G22 zlib stream", zlib.compress(GOOD), 0, "not an IDX file: looks like a zlib stream, expected gzip"),
    ("G23 zip", b"PK\3\4" + bytes(40), 0, "looks like a zip archive"),
    ("G23b xz", b"\xfd7zXZ\0" + bytes(40), 0, "looks like xz data: unpack it"),
    ("G23c bzip2", b"BZh91AY&SY" + bytes(40), 0, "looks like bzip2 data: unpack it"),
    ("G23d zstd", b"\x28\xb5\x2f\xfd" + bytes(40), 0, "looks like zstd data: unpack it"),
    ("G23e PNG", b"\x89PNG\r\n\x1a\n" + bytes(40), 0, "looks like a PNG image"),
    ("G23f NumPy", b"\x93NUMPY\1\0" + bytes(40), 0, "looks like a NumPy array"),
]
# id, the labels file, offset, message
LABEL_FILES = [
    ("I01l empty labels", b"", 0, "file is empty, expected IDX header"),
    ("I12 images in place of labels", GOOD, 3, "labels need 1 dimension, got 3: this is an images file"),
    ("I25 63 labels", labels(63), 4, "63 labels for 64 images in " + IMAGES),
    ("I26 65 labels", labels(65), 4, "65 labels for 64 images in " + IMAGES),
    ("I25b 2^32-1 labels", header(2**32 - 1), 4, "4294967295 labels for 64 images"),
    ("I21l one label short", TAGS[:-1], 71, "file ends early, in label 63 of 64"),
    ("I22l one label more than it says", TAGS + b"\0", 72, "1 unexpected byte after the data"),
    ("I29 labels int32 with -1", header(64, data=struct.pack(">64i", *([0] * 7 + [-1] + [0] * 56)), code=12), 8 + 28,
     "sample 7: label -1 is not in 0..65535"),
    ("I29b labels int32 with 65536", header(64, data=struct.pack(">64i", *([0] * 63 + [65536])), code=12), 8 + 252,
     "sample 63: label 65536 is not in 0..65535"),
    ("I29c labels that are floats", header(64, data=bytes(256), code=13), 2,
     "labels must be whole numbers, not floats"),
]
PACKED = gz(GOOD)
END = len(PACKED)
DEFLATED = 10 + len(deflate(GOOD))  # where the trailer stands


def inflates(at):
    """Whether the deflate data with one bit of byte `at` flipped still make so many bytes."""
    try:
        unpacker = zlib.decompressobj(-15)
        made = unpacker.decompress(changed(PACKED, at, bytes([PACKED[at] ^ 1]))[10:])
        return len(made) == len(GOOD) and made != GOOD and unpacker.unused_data == PACKED[-8:]
    except zlib.error:
        return None


FLIP = next(at for at in range(200, END - 8) if inflates(at) is None)
QUIET = next(at for at in range(100, END - 8) if inflates(at))
# id, the images file as .gz, offset, message; "(gz)" before the offset: in what is packed
GZ_FILES = [
    *[(f"G01 {n} bytes of the header", PACKED[:n], str(n), "gzip header cut short") for n in (2, 3, 5, 9)],
    ("G01b 1 byte", PACKED[:1], "1", "gzip header cut short"),
    ("G02 cut in the stream", PACKED[:END // 2], str(END // 2), "compressed data cut short"),
    ("G02b cut behind the header", PACKED[:10], "10", "compressed data cut short"),
    ("G03 no trailer", PACKED[:-8], str(END - 8), "gzip trailer cut short"),
    ("G03b half a trailer", PACKED[:-4], str(END - 4), "gzip trailer cut short"),
    ("G03c one byte of it missing", PACKED[:-1], str(END - 1), "gzip trailer cut short"),
    ("G04 CRC-32", changed(PACKED, END - 8, bytes([PACKED[-8] ^ 1])), str(END - 8), "gzip checksum mismatch"),
    ("G05 length", changed(PACKED, END - 4, bytes([PACKED[-4] ^ 1])), str(END - 4), "gzip length mismatch"),
    ("G06 a bit of the deflate data", changed(PACKED, FLIP, bytes([PACKED[FLIP] ^ 1])), None, "corrupt compressed data"),
    ("G06b one that only the checksum sees", changed(PACKED, QUIET, bytes([PACKED[QUIET] ^ 1])), str(END - 8),
     "gzip checksum mismatch"),
    ("G07 method 7", gz(GOOD, method=7), "2", "unknown compression method"),
    ("G08 reserved flags", gz(GOOD, flags=0x20), "3", "reserved gzip flags are set"),
    ("G09 extra field past the end", PACKED[:3] + b"\4" + PACKED[4:10] + b"\xff\xff" + PACKED[10:], "10",
     "gzip header cut short"),
    ("G10 name of 1 MiB", gz(GOOD, flags=8, extra=b"a" * (1 << 20) + b"\0"), "10", "gzip header too long"),
    ("G10b name without an end", PACKED[:3] + b"\x08" + PACKED[4:10] + b"name", "10", "gzip header cut short"),
    ("G11 header checksum", gz(GOOD, flags=2, extra=b"\0\0"), "10", "gzip header checksum mismatch"),
    ("G13 bytes behind the end", PACKED + b"xyz", str(END), "unexpected bytes after gzip data"),
    ("G14 zeros behind the end", PACKED + bytes(512), str(END), "unexpected bytes after gzip data"),
    ("G16 second member damaged", gz(GOOD[:999]) + gz(GOOD[999:])[:-8] + bytes(8),
     str(len(gz(GOOD[:999]) + gz(GOOD[999:])) - 8), "gzip checksum mismatch in member 2"),
    ("G17 20,000 empty members", gz(b"") * 20000 + PACKED, str(20 * 1000), "too many gzip members (limit 1000)"),
    ("G18 bomb behind the data", bomb(GOOD, 512), f"(gz){16 + SIZE}", "unexpected bytes after the data"),
    ("G19 bomb: the header declares 16 GiB", gz(header(2**21, 128, 64)), "(gz)4", "larger than the file"),
    ("G20 100,000 empty blocks", bytes.fromhex("1f8b0800000000000003") + bytes.fromhex("000000ffff") * 100000, "500010",
     "compressed data cut short"),
    ("G21 packed twice", gz(PACKED), "(gz)0", "looks like gzip data, compressed twice"),
    ("G24 reference before the start", bytes.fromhex("1f8b0800000000000003") + bytes.fromhex("4b04120000"), "13",
     "corrupt compressed data"),
    ("I14z no images, packed", gz(header(0, 28, 28)), "(gz)4", "data set is empty"),
    ("I22z one byte long, packed", gz(GOOD + b"\0"), f"(gz){len(GOOD)}", "unexpected bytes after the data"),
    ("I21z one byte short, packed", gz(GOOD[:-1]), f"(gz){len(GOOD) - 1}", "file ends early, in image 63 of 64"),
]
TWINS = [  # id, images, labels
    ("I07 signed bytes", header(64, 28, 28, data=bytes(SIZE), code=9), TAGS),
    ("I07b int16", header(64, 28, 28, data=bytes(2 * SIZE), code=11), TAGS),
    ("I07c int32", header(64, 28, 28, data=bytes(4 * SIZE), code=12), TAGS),
    ("I07d floats", header(64, 28, 28, data=FLOATS, code=13), TAGS),
    ("I07e doubles", header(64, 28, 28, data=bytes(8 * SIZE), code=14), TAGS),
    ("I09t 1e38 and a denormal", floats(0, 1e38), TAGS),
    ("I29t int32 labels", GOOD, header(64, data=struct.pack(">64i", *[i % 10 for i in range(64)]), code=12)),
    ("I37 packed, without .gz", PACKED, gz(TAGS)),
    ("I36 named .gz, but plain", {"gz": True}, None),
    ("G12 a name with ../", gz(GOOD, flags=8, extra=b"../../etc/passwd\0"), TAGS),
    ("G12b extra field, name, comment, checksum", None, TAGS),
    ("G15 two members", gz(GOOD[:999]) + gz(GOOD[999:]), TAGS),
    ("V03 black images", header(64, 28, 28, data=bytes(SIZE)), TAGS),
]


def both(name, code, place, message, files, config=PLAIN, test_set=IMAGES, says=None):
    """As data.train, and as a TESTSET."""
    faults = [(place, message)] if code else []
    files = {NAME: config, **files}
    yield Case(name, code, faults, ["cnntrain", NAME] + (["-nv"] if code == 0 else []), files, says=says)
    yield Case(name + " (cnneval)", code, faults, ["cnneval", "model.bin", test_set], files, says=says)


def with_all_of_a_header():
    start = bytes.fromhex("1f8b081e000000000003") + b"\5\0extra" + b"name\0" + b"comment\0"
    return start + struct.pack("<H", zlib.crc32(start) & 0xFFFF) + deflate(GOOD) + trailer(GOOD)


def twins():
    for name, pixels, tags in TWINS:
        if pixels is None:
            pixels = with_all_of_a_header()
        files = {IMAGES: pixels, LABELS: tags} if tags else {IMAGES + ".gz": GOOD, LABELS + ".gz": TAGS}
        config = edited(("  validation: 0.25\n", ""),
                        ("  early_stopping: {monitor: val_loss, patience: 2, min_delta: 0, "
                                                      "restore_best: true}\n", ""))
        if tags:
            config = config.replace(IMAGES + ".gz", IMAGES)
        yield Case(name, 0, [], ["cnntrain", "-nv", NAME], {NAME: config.encode(), **files})
        if tags and (pixels[2] == 8):  # a model of bytes takes bytes; packed, 8 is the method
            yield Case(name + " (cnneval)", 0, [], ["cnneval", "model.bin", IMAGES], files)


def fit():
    """Sets that are right, but not for this network, model or config."""
    small = {"test-images-idx3-ubyte": images(8, 32, 32), "test-labels-idx1-ubyte": labels(8)}
    yield Case("Q01 32x32 for a model of 28x28", 5,
               [("test-images-idx3-ubyte", "images are 32x32, the model takes 28x28")],
               ["cnneval", "model.bin", "test-images-idx3-ubyte"], small)
    colour = {"test-images": images(8, channels=2), "test-labels": labels(8)}
    yield Case("Q02 two channels for one", 5, [("test-images", "images have 2 channels, the model takes 1 channel")],
               ["cnneval", "model.bin", "test-images"], colour)
    more = {"test-images": images(8), "test-labels": idx([8], bytes([0, 1, 2, 3, 4, 5, 6, 11]))}
    yield Case("Q03 label 11 of 10 classes", 5, [("test-labels:@15", "sample 7: label 11, model has 10 classes")],
               ["cnneval", "model.bin", "test-images"], more)
    few = {"test-images": images(3), "test-labels": labels(3)}
    yield Case("Q05 a subset of the classes", 0, [], ["cnneval", "model.bin", "test-images"], few)
    yield Case("Q05b smaller images, padded", 0, [], ["cnneval", "model.bin", "test-images"],
               {"test-images": images(8, 20, 20), "test-labels": labels(8)})
    yield Case("Q06 an empty test set", 4, [("test-images:@4", "data set is empty")], ["cnneval", "model.bin", "test-images"],
               {"test-images": idx([0, 28, 28]), "test-labels": idx([0])})
    yield Case("Q07 floats for a model of bytes", 5, [("test-images", "pixels are floats, the model takes bytes")],
               ["cnneval", "model.bin", "test-images"],
               {"test-images": idx([64, 28, 28], FLOATS, 13), "test-labels": TAGS})
    yield Case("I27 label 10 of classes 0 to 9", 4, [(LABELS + ":@15", "sample 7: label 9, classes are 0..8")],
               ["cnntrain", NAME], {NAME: PLAIN.replace(b"  validation: 0.25\n",
                                                        b"  classes: [a, b, c, d, e, f, g, h, i]\n"
                                                        ).replace(b"  early", b"  #").replace(b"dense: 10",
                                                                                              b"dense: 9"),
                                    LABELS: changed(labels(64), 8, bytes([0, 1, 2, 3, 4, 5, 6, 9]) + bytes(56))})
    yield Case("I28 label 255", 3, [(NAME + ":11:5", "10 values, but there are 256 classes")], ["cnntrain", NAME],
               {NAME: PLAIN.replace(b"validation: 0.25", b"validation: t10k-images-idx3-ubyte"),
                LABELS: changed(TAGS, 8, b"\xff")})
    yield Case("I46 a class of one sample and validation", 4, [(LABELS + ":@8", "class 99 has one sample")],
               ["cnntrain", NAME],
               {NAME: PLAIN, LABELS: changed(TAGS, 8, b"\x63")})
    yield Case("I46b a class of fewer samples than folds", 4, [(LABELS + ":@12", "class 4 has 6 samples: not enough for 7")],
               ["cnntrain", NAME], {NAME: PLAIN.replace(b"validation: 0.25", b"validation: {folds: 7}"), LABELS: TAGS})
    yield Case("I46c a limit that leaves no image of a class", 4, [(IMAGES, "6 of 64 images leave none of class 0, which")],
               ["cnntrain", NAME], {NAME: PLAIN.replace(b"validation: 0.25", b"validation: 0.25\n  limit: 6"), LABELS: TAGS})
    other = {"v-images": images(8, 32, 32), "v-labels": labels(8)}
    yield Case("I32 validation of another size", 4, [("v-images", "images are 32x32, the network takes 28x28")],
               ["cnntrain", NAME], {NAME: PLAIN.replace(b"validation: 0.25", b"validation: v-images"), **other})
    yield Case("I33 validation of three channels", 4,
               [("v-images", "images have 3 channels, the network takes 1 channel")],
               ["cnntrain", NAME], {NAME: PLAIN.replace(b"validation: 0.25", b"validation: v-images"),
                                    "v-images": images(8, channels=3),
                                    "v-labels": labels(8)})
    yield Case("I47 a folder without a test set", 4, 
               [("empty", "this folder holds neither class folders nor t10k-*images*")],
               ["cnneval", "model.bin", "empty"], prepare=lambda d: os.mkdir(os.path.join(d, "empty")))
    yield Case("I47r a folder without a training set", 4,
               [("empty", "this folder holds neither class folders nor train-*images* files")], ["cnntrain", "-n", NAME],
               {NAME: PLAIN.replace(b"train: train-images-idx3-ubyte", b"train: empty")},
               prepare=lambda d: os.mkdir(os.path.join(d, "empty")))
    yield Case("I47s a folder with one", 0, [], ["cnntrain", "-n", NAME],
               {NAME: PLAIN.replace(b"train: train-images-idx3-ubyte", b"train: .")})
    yield Case("I47t a folder with one", 0, [], ["cnneval", "model.bin", "."])
    yield Case("I48 no word 'images' in the name", 4, [("pixels", "no 'images' in this name to find its labels by")],
               ["cnneval", "model.bin", "pixels"], {"pixels": GOOD})
    yield Case("I48b no labels file", 6, [("my-images", "its labels file is not there: no my-labels, plain or .gz")],
               ["cnneval", "model.bin", "my-images"], {"my-images": GOOD})


def whole():
    """What is odd, and works or is warned of."""
    yield Case("I30 one class only", 0, [], ["cnntrain", "-n", NAME],
               {NAME: PLAIN.replace(b"dense: 10", b"dense: 4"), LABELS: idx([64], b"\3" * 64)},
               says="warning: class '0' and 2 more have no image in the training set")
    yield Case("I31 a class that is not there", 0, [], ["cnntrain", "-n", NAME],
               {NAME: PLAIN, LABELS: idx([64], bytes(5 if i % 10 == 4 else i % 10 for i in range(64)))},
               says="warning: class '4' has no image in the training set")
    swapped = BASE.replace("train-images", "T").replace("t10k-images", "train-images").replace("train: T", "train: t10k-images")
    yield Case("I34 train and test changed places", 0, [], ["cnntrain", "-nv", NAME], {NAME: swapped.encode()},
               says="train t10k-images-idx3-ubyte.gz: 32 images")
    yield Case("I35 tested on the training set", 0, [], ["cnntrain", "-n", NAME],
               {NAME: edited(("test: t10k", "test: train")).encode()}, says="case.yaml:4:9: warning: the test set is the training set")
    # Files of 10 MB and more, written where they are needed: the list of cases has to stay small.
    for name, command in (("G18b 10 GiB of zeros behind the data", ["cnntrain", NAME]),
                          ("G18b 10 GiB of zeros behind the data (cnneval)", ["cnneval", "model.bin", "x-images.gz"])):
        yield Case(name, 4, [(f"x-images.gz(gz):@{16 + SIZE}", "unexpected bytes after the data")], command,
                   {NAME: PLAIN.replace(IMAGES.encode(), b"x-images.gz"), "x-labels": TAGS},
                   prepare=lambda d: zeros(d + "/x-images.gz", GOOD, 10 << 10))
    yield Case("G19b bomb: 16 GiB declared and there", 7,
               [("x-images.gz(gz):@4", "needs 16 GiB, memory limit 1 GiB (data.memory)")], ["cnntrain", NAME],
               {NAME: PLAIN.replace(IMAGES.encode(), b"x-images.gz\n  memory: 1GiB"), "x-labels": header(2**21, data=bytes(2**21))},
               prepare=lambda d: zeros(d + "/x-images.gz", header(2**21, 128, 64), 16 << 10))


def where():
    """Paths that lead to no set."""
    path = "data: {train: %s}\nnetwork: [dense: 10]\n"
    yield Case("S66 no such file", 6, [("nope-images", "cannot open: No such file or directory")], ["cnntrain", NAME],
               {NAME: b"data: {train: nope-images}\nnetwork: [dense: 10]\n"}, notes="it is data.train at case.yaml:1:15")
    yield Case("S66b (cnneval)", 6, [("nope-images", "cannot open: No such file or directory")],
               ["cnneval", "model.bin", "nope-images"])
    yield Case("S66c a share with %", 6, [("20%", "cannot open: No such file or directory")], ["cnntrain", NAME],
               {NAME: BASE.replace("validation: 0.25", "validation: 20%").encode()}, notes="it is data.validation at case.yaml:5:15")
    yield Case("S65 path of 4,096 bytes", 6, [("..." + "a" * 1020, "path too long")], ["cnntrain", NAME],
               {NAME: (path % ("a" * 4096)).encode()})
    yield Case("S65b path of 300 bytes", 6, [("a" * 300, "File name too long")], ["cnntrain", NAME],
               {NAME: (path % ("a" * 300)).encode()})
    yield Case("I41 FIFO", 6, [("pipe-images", "not a regular file")], ["cnneval", "model.bin", "pipe-images"],
               prepare=lambda d: os.mkfifo(os.path.join(d, "pipe-images")))
    yield Case("I41b device", 6, [("/dev/zero", "not a regular file")], ["cnneval", "model.bin", "/dev/zero"])
    yield Case("I41c a name with escapes", 6, [("\\x1B[31m-images", "cannot open")],
               ["cnneval", "model.bin", "\x1b[31m-images"])
    yield Case("I41d a name that is no UTF-8", 6, [("\\xFF-images", "cannot open")],
               ["cnneval", "model.bin", b"\xff-images"])


def cases(trained):
    for name, data, at, message in IMAGE_FILES:
        yield from both(name, 4, f"{IMAGES}:@{at}", message, {IMAGES: data})
    for name, data, at, message in LABEL_FILES:
        yield from both(name, 4, f"{LABELS}:@{at}", message, {LABELS: data})
    for name, data, at, message in GZ_FILES:
        place = f"{IMAGES}.gz(gz):@{at[4:]}" if at and at.startswith("(gz)") else f"{IMAGES}.gz:@{at}" if at else ANY
        yield from both(name, 4, place, message, {IMAGES + ".gz": data}, BASE.encode(), IMAGES + ".gz")
    yield from twins()
    yield from fit()
    yield from whole()
    yield from where()
