"""pictures.py: folders and lists of images (groups P, J, F): what is damaged, what lies, what leads elsewhere; read by
cnntrain as data.train and by cnneval as its TESTSET. The classes are two of the model's: 3 and 7."""
import os
import stat
import struct
import zlib

from cases.base import BASE, NAME, replace
from cases.formats import JPEG_CMYK, JPEGS, PNG_SIGNATURE, chunk, images, labels, png
from cases.harness import ANY, Case

PIXELS = bytes(i % 251 for i in range(784))
GOOD = png(PIXELS, 28, 28)
BAD = "pics/7/b.png"  # the third image of four
SET = {"pics/3/a.png": GOOD, "pics/3/b.png": GOOD, "pics/7/a.png": GOOD, BAD: GOOD}
LIST = b"path,label\n3/a.png,3\n3/b.png,3\n7/a.png,7\n7/b.png,7\n"


def config(**changes):
    text = replace(replace(BASE, "  validation: 0.25\n", ""), "  test: t10k-images-idx3-ubyte.gz\n", "")
    text = replace(text, text[text.index("  early_stopping"):text.index("output:")], "")
    for old, new in {"train-images-idx3-ubyte.gz": "pics", "dense: 10": "dense: 2", "batch_size: 16": "batch_size: 2",
                     **changes}.items():
        text = replace(text, old, new)
    return text.encode()


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def raw(height=28, width=28):
    return b"".join(b"\0" + PIXELS[:width] for _ in range(height))


def header(*fields):
    return PNG_SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *fields)) + chunk(b"IDAT", zlib.compress(raw())) + \
        chunk(b"IEND")


IDAT = GOOD.index(b"IDAT") - 4
END = len(GOOD) - 12
# id, the image file, offset or None, message
IMAGES = [
    ("P01 empty", b"", 0, "file is empty"),
    ("P02 signature only", GOOD[:8], 8, "no IHDR"),
    ("P03 text mode transfer", GOOD.replace(b"\r\n", b"\n", 1), 4, "damaged by a transfer in text mode"),
    ("P04 text", b"hello, world\n", 0, "not a PNG or JPEG image"),
    ("J04 GIF", b"GIF89a" + bytes(20), 0, "looks like a GIF image"),
    *[(f"J04 {name}{', big-endian' if magic[:2] == b'MM' else ''}", magic + bytes(40), 0, "not a PNG or JPEG image" + (f": looks like {name}" if name[:2] in ("a ", "an") else ""))
      for name, magic in (("a BMP image", b"BM"), ("a TIFF image", b"II*\0"), ("a TIFF image", b"MM\0*"),
                          ("a Photoshop image", b"8BPS"), ("a Radiance image", b"#?RADIANCE\n"), ("a PGM image", b"P5 28 28"),
                          ("a PPM image", b"P6 28 28"), ("a WebP image", b"RIFF\0\0\0\0WEBPVP8 "), ("TGA", b"\0\0\2\0"))],
    ("J05 HTML", b"<!DOCTYPE html><title>404</title>", 0, "looks like HTML, SVG or XML (a bad download?)"),
    ("J05b Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", 0, "run git lfs pull"),
    ("P09 IHDR checksum", flipped(GOOD, 29), 29, "checksum mismatch in IHDR"),
    ("P10 IDAT checksum", flipped(GOOD, IDAT + 20), END - 4, "checksum mismatch in IDAT"),
    ("P14 width 0", header(0, 28, 8, 0, 0, 0, 0), 16, "zero-sized image"),
    ("P15 width 2^31", header(2**31, 28, 8, 0, 0, 0, 0), 16, "width out of range"),
    ("P16 16385x1", header(16385, 1, 8, 0, 0, 0, 0), 16, "width 16385 is larger than 16384"),
    ("P17 2^28 pixels", header(16384, 16384, 8, 0, 0, 0, 0), 16, "more than 67108864 pixels"),
    ("P17b 2^26 pixels in 300 bytes", header(8192, 8192, 16, 6, 0, 0, 0), 33, "image data cut short"),
    ("P18 depth 3", header(28, 28, 3, 0, 0, 0, 0), 24, "bad bit depth 3"),
    ("P19 colour type 5", header(28, 28, 8, 5, 0, 0, 0), 25, "bad colour type 5"),
    ("P24 a chunk of 2 GiB", GOOD[:33] + b"\x7f\xff\xff\xffIDAT" + bytes(100), 33, "runs past the end of the file"),
    ("P27 critical chunk", png(PIXELS, 28, 28, extra=chunk(b"ABCD")), 33, "unknown critical chunk ABCD"),
    ("P31 no image data", GOOD[:33] + chunk(b"IEND"), 33, "no image data"),
    ("P35 cut in the data", GOOD[:IDAT + 40], IDAT, "cut short"),
    ("P36 no IEND", GOOD[:END], END, "no IEND"),
    ("P38 bytes behind the end", GOOD + b"x", len(GOOD), "unexpected bytes after IEND"),
    ("P39 too few rows", png(PIXELS, 28, 28, packed=zlib.compress(raw(27))), None, "image data cut short"),
    ("P40 too many", png(PIXELS, 28, 28, packed=zlib.compress(raw(29))), None, "more image data than 28x28"),
    ("P40b a bomb", png(PIXELS, 28, 28, packed=zlib.compress(raw() + bytes(1 << 25))), None,
     "more image data than 28x28"),
    ("P11 Adler-32", png(PIXELS, 28, 28, packed=zlib.compress(raw())[:-1] + b"\xff"), None, "checksum mismatch in image data"),
    ("P43 no palette", png(PIXELS, 28, 28, colour=3), 33, "no palette"),
    ("P45 palette index", png(PIXELS, 28, 28, colour=3, extra=chunk(b"PLTE", bytes(30))), None,
     "palette index 10 out of range at row 0, column 10"),
    ("P51 animated", png(PIXELS, 28, 28, extra=chunk(b"acTL", bytes(8))), 33, "animated PNG is not supported"),
    ("P52 CgBI", GOOD[:8] + chunk(b"CgBI", bytes(4)) + GOOD[8:], 8, "CgBI"),
    ("J03 half a JPEG", JPEGS[32][:80], None, "bad JPEG: "),
    ("J08 CMYK", JPEG_CMYK, None, "bad JPEG: CMYK is not supported"),
    ("J02 257 Huffman codes", JPEGS[32].replace(b"\xff\xc4\x00\x15\x00" + b"\x01", b"\xff\xc4\x00\x15\x00\xff"), None,
     "bad JPEG: "),
]


def both(name, code, place, message, files, text=None, test_set="pics", **more):
    faults = [(place, message)] if code else []
    files = {NAME: text or config(), **files}
    yield Case(name, code, faults, ["cnntrain", NAME] + (["-nv"] if code == 0 else []), files, **more)
    yield Case(name + " (cnneval)", code, faults, ["cnneval", "model.bin", test_set], files, **more)


def files():
    for name, data, at, message in IMAGES:
        yield from both(name, 4, ANY if at is None else f"{BAD}:@{at}", message, {**SET, BAD: data})
    # Of several the first is reported, on any number of threads.
    many = {**SET, "pics/3/b.png": b"", "pics/7/a.png": b"x", BAD: b"y"}
    for threads in ("1", "3"):
        yield Case(f"P54 three bad images, {threads} threads", 4, [("pics/3/b.png:@0", "file is empty")],
                   ["cnntrain", "-t", threads, NAME], {NAME: config(), **many})
    colour = png(bytes(2352), 28, 28, 2)
    yield Case("P49 grey among colour", 4, [(BAD, "image has 1 channel, 3/a.png has 3; 'channels' of data.input")],
               ["cnntrain", NAME], {NAME: config(), **{name: colour for name in SET}, BAD: GOOD})
    small = png(PIXELS, 20, 28)
    yield Case("P50 28x20 among 28x28", 4, [(BAD, "image is 28x20, 3/a.png is 28x28; 'height', 'width' and 'fit'")],
               ["cnntrain", NAME], {NAME: config(), **SET, BAD: small})
    yield Case("P50t the same, padded by a model", 0, [], ["cnneval", "model.bin", "pics"], {**SET, BAD: small})
    yield Case("P50b larger than a model that pads", 4,
               [(BAD, "image is 28x29, the input 28x28; fit: pad cannot make it smaller")],
               ["cnneval", "model.bin", "pics"], {**SET, BAD: png(bytes(812), 29, 28)})
    fitted = config(**{"train: pics": "train: pics\n  input: {height: 28, width: 28, channels: 1, fit: letterbox}"})
    yield Case("P49t all made the same", 0, [], ["cnntrain", "-nv", NAME],
               {NAME: fitted, **SET, BAD: small, "pics/3/a.png": colour, "pics/3/b.png": JPEGS[96]})
    two = config(**{"train: pics": "train: pics\n  input: {channels: 2}"})
    yield Case("N17 two channels of images", 4, [("pics", "PNG and JPEG images are made into 1 or 3 channels, not 2")],
               ["cnntrain", NAME], {NAME: two, **SET})


TWINS = [
    ("P28 an unknown chunk that may be skipped", png(PIXELS, 28, 28, extra=chunk(b"prIv", b"x"))),
    ("P33 chunks of one byte", GOOD[:33] + b"".join(chunk(b"IDAT", bytes([byte])) for byte in GOOD[IDAT + 8:END - 4]) +
     GOOD[END:]),
    ("P47 16 bits", png(bytes(1568), 28, 28, depth=16)),
    ("P48 alpha", png(bytes(1568), 28, 28, colour=4)),
]


def link(target, name):
    return lambda directory: os.symlink(target, os.path.join(directory, name))


def fifo(name):
    return lambda directory: os.mkfifo(os.path.join(directory, name))


def shut(name):
    return lambda directory: os.chmod(os.path.join(directory, name), 0)


def make(name):
    return lambda directory: os.makedirs(os.path.join(directory, name))


def without(*names):
    return {name: data for name, data in SET.items() if name not in names}


# id, files, what else is made, place, message (None: it is right), exit code
FOLDERS = [
    ("F03 no class folder", {"pics/notes.txt": b"x"}, None, "pics", "this folder holds neither class folders", 4),
    ("F05 a class without images", SET, make("pics/9"), "pics/9", "class '9' has no images", 4),
    ("F06 an image in the root", {**SET, "pics/x.PNG": GOOD}, None, "pics/x.PNG", "image outside a class folder", 4),
    ("F07 a folder in a class", {**SET, "pics/7/more/x.png": GOOD}, None, "pics/7/more",
     "a folder inside a class folder", 4),
    ("F15 a class that is no UTF-8", SET, make(b"pics/\xff".decode(errors="surrogateescape")), "pics",
     "class name '\\xFF' is not UTF-8", 4),
    ("F17 hidden files and folders", {**SET, "pics/.git/x": b"x", "pics/7/.DS_Store": b"x", "pics/7/Thumbs.db": b"x",
                                      "pics/3/desktop.ini": b"x", "pics/README": b"x"}, None, None, None, 0),
    ("F18 a link out of the set", SET, link("/etc/passwd", "pics/7/x.png"), "pics/7/x.png",
     "leads out of the data set", 4),
    ("F18b a link up and out", SET, link("../../base.yaml", "pics/7/x.png"), "pics/7/x.png",
     "leads out of the data set", 4),
    ("F19 a link inside", SET, link("../3/a.png", "pics/7/x.png"), None, None, 0),
    ("F20 a loop", SET, link("x.png", "pics/7/x.png"), "pics/7/x.png", "Too many levels of symbolic links", 4),
    ("F21 a link to nothing", SET, link("nothing", "pics/7/x.png"), "pics/7/x.png", "No such file", 4),
    ("F22 a class that leads out", {**SET, "other/a.png": GOOD}, link("../other", "pics/5"), "pics/5",
     "leads out of the data set", 4),
    ("F24 a FIFO", SET, fifo("pics/7/x.png"), "pics/7/x.png", "not a regular file", 4),
    ("F25 a folder that is linked as an image", SET, link("../3", "pics/7/x.png"), "pics/7/x.png", "is a directory", 4),
    ("J06 Thumbs.db, .DS_Store, desktop.ini", {**SET, "pics/Thumbs.db": b"x", "pics/7/Thumbs.db": b"x", "pics/3/.DS_Store": b"x",
                                               "pics/7/desktop.ini": b"x", "pics/__MACOSX/x.png": b"x"}, None, None, None, 0),
    ("F12 names of 255 bytes", {**SET, "pics/3/" + "i" * 255: GOOD}, None, None, None, 0),
    ("F13 names with a line break, a tab, quotes, commas", {**SET, 'pics/7/a\n\t"\',;.png': GOOD}, None, None, None, 0),
    ("F14t a name with an escape", {**SET, "pics/7/\x1b[31m.png": GOOD}, None, None, None, 0),
    ("F14b a damaged one", {**SET, "pics/7/\x1b[31m\n.png": b"x"}, None, "pics/7/\\x1B[31m\\x0A.png:@0", "not a PNG or JPEG", 4),
    ("F16 a name that a spreadsheet would run", {**SET, "pics/7/=cmd().png": GOOD}, None, None, None, 0),
    ("F23 hard links", SET, lambda d: os.link(d + "/pics/3/a.png", d + "/pics/7/x.png"), None, None, 0),
    ("F24b a FIFO in place of a class", SET, fifo("pics/5"), None, None, 0),
    ("F25b a socket", SET, lambda d: os.mknod(d + "/pics/7/x.png", 0o600 | stat.S_IFSOCK), "pics/7/x.png", "cannot open: No such device", 4),
    ("J07 another file in a class", {**SET, "pics/7/notes.txt": b"x"}, None, "pics/7/notes.txt:@0",
     "not a PNG or JPEG image", 4),
]


def folders():
    for name, content, prepare, place, message, code in FOLDERS:
        yield from both(name, code, place, message, content, prepare=prepare)
    for name, prepare, place in (("F26 an image that may not be read", shut(BAD), BAD),
                                 ("F27 a folder that may not be read", shut("pics/7"), "pics/7")):
        yield Case(name, 4, [(place, "Permission denied")], ["cnneval", "model.bin", "pics"], SET, prepare=prepare,
                   user=65534)
    one = without("pics/7/a.png", BAD)
    yield Case("F04 one class", 4, [("pics", "only one class, '3': at least 2 are needed")], ["cnntrain", NAME],
               {NAME: config(), **one})
    yield Case("F04t one class of a model's", 0, [], ["cnneval", "model.bin", "pics"], one)
    yield Case("F08 a class that the model does not have", 5, [("pics/cat", "class 'cat' is not one of the model's")],
               ["cnneval", "model.bin", "pics"], {**SET, "pics/cat/a.png": GOOD})
    other = {**SET, "more/3/a.png": GOOD, "more/cat/a.png": GOOD}
    yield Case("F08b a validation class that is not in training", 4,
               [("more/cat", "class 'cat' is not one of the training set's")], ["cnntrain", NAME],
               {NAME: config(**{"train: pics": "train: pics\n  validation: more"}), **other})
    yield Case("F08c a class that is not in data.classes", 4, [("pics/7", "class '7' is not one of data.classes")],
               ["cnntrain", NAME], {NAME: config(**{"train: pics": 'train: pics\n  classes: ["3", "4"]'}), **SET})
    yield Case("F01 no such folder", 6, [("nowhere", "cannot open: No such file or directory")], ["cnntrain", NAME],
               {NAME: config(**{"train: pics": "train: {folder: nowhere}"})})
    yield Case("F02 a file", 6, [("base.yaml", "cannot open: Not a directory")], ["cnntrain", NAME],
               {NAME: config(**{"train: pics": "train: {folder: base.yaml}"})})
    yield Case("F14 a class with an escape", 4, [("pics/\\x1B[31m", "class '\\x1B[31m' has no images")],
               ["cnntrain", NAME], {NAME: config(), **SET}, prepare=make("pics/\x1b[31m"))
    yield Case("I46f a class of one image and validation", 4,
               [("pics", "class '7' has one sample: not enough to train and to validate")], ["cnntrain", NAME],
               {NAME: config(**{"train: pics": "train: pics\n  validation: 0.5"}), **without(BAD)})


def classes(*names):
    return {f"pics/{name}/{image}.png": GOOD for name in names for image in "ab"}


def many(count):
    """A hundred images, `count` of them empty, no two of the others equal."""
    return {f"pics/{'37'[i % 2]}/x{i:03}.png": b"" if i < count else png(PIXELS[i:] + PIXELS[:i], 28, 28) for i in range(100)}


def broken(count):
    """The faults of `count` of them, at most 20, in their order."""
    return [(f"pics/{'37'[k]}/x{i:03}.png:@0", "file is empty") for k in (0, 1) for i in range(k, count, 2)][:20]


def large(path):
    with open(path, "wb") as file:
        file.write(GOOD)
        file.truncate(65 << 20)


def end_of(path):
    """As an error shows a path that is too long for it."""
    return path if len(path) < 1024 else "..." + path[-1020:]


def sets():
    """Sets that are right or wrong as a whole."""
    three = config(**{"dense: 2": "dense: 3"})
    yield Case("F10 classes that differ in case only", 0, [], ["cnntrain", "-nv", NAME],
               {NAME: three, **classes("cat", "Cat", "CAT")}, says="3 classes")
    yield Case("F12b classes of 255 bytes", 0, [], ["cnntrain", "-nv", NAME],
               {NAME: config(), **classes("c" * 255, "d" * 255)}, says="2 classes")
    yield Case("F13b classes with a line break, an escape, a formula: a whole run", 0, [], ["cnntrain", "-q", NAME],
               {NAME: three, **classes('a\n\t",', "\x1b[31m", "=cmd()")}, writes=True)
    deep = "/".join("d" * 200 for _ in range(5))
    names = {f"{deep}/{c * 255}/{'i' * 255}": GOOD for c in "ab"}
    text = config(**{"train: pics": f"train: {deep}"})
    yield Case("F32 paths of 1,500 bytes", 0, [], ["cnntrain", "-nv", NAME], {NAME: text, **names})
    yield Case("F32b a damaged one", 4, [(end_of(f"{deep}/{'a' * 255}/{'i' * 255}") + ":@0", "file is empty")], ["cnntrain", NAME],
               {NAME: text, **names, f"{deep}/{'a' * 255}/{'i' * 255}": b""})
    yield Case("F32c a folder of 1,024 bytes", 6, [(end_of(f"{deep}/{'d' * 19}"), "path too long")], ["cnntrain", NAME],
               {NAME: config(**{"train: pics": f"train: {{folder: {deep}/{'d' * 19}}}"})})
    yield Case("P53 65 MiB", 4, [("pics/7/x.png", "larger than 64 MiB")], ["cnntrain", NAME], {NAME: config(), **SET},
               prepare=lambda d: large(d + "/pics/7/x.png"))
    yield Case("P54b 20 bad images of 100, listed", 4, broken(20), ["cnntrain", "--check-data", NAME],
               {NAME: config(), **many(20)}, reports=True, says="20  images that cannot be used")
    yield Case("P55 21 bad images: 20 and one more", 4, broken(21), ["cnntrain", "--check-data", NAME],
               {NAME: config(), **many(21)}, reports=True, says="and 1 more")
    validated = config(**{"train: pics": "train: pics\n  validation: more"})
    more = {"more/3/a.png": GOOD, "more/7/a.png": b"x"}
    yield Case("P56 a bad image in the validation set only, before the first epoch", 4,
               [("more/7/a.png:@0", "not a PNG or JPEG image")], ["cnntrain", NAME], {NAME: validated, **SET, **more})
    tested = config(**{"train: pics": "train: pics\n  test: more"})
    yield Case("P56b in the test set, which cnneval reads", 4, [("more/7/a.png:@0", "not a PNG or JPEG image")],
               ["cnneval", "model.bin", NAME], {NAME: tested, **SET, **more})
    yield Case("P56c and --check-data", 4, [("more/7/a.png:@0", "not a PNG or JPEG image")],
               ["cnntrain", "--check-data", NAME], {NAME: tested, **many(0), **more, "more/3/a.png": png(bytes(784), 28, 28)},
               reports=True)
    yield Case("F09 a class without a validation image", 0, [], ["cnntrain", "-nv", NAME],
               {NAME: validated, **SET, "more/3/a.png": GOOD}, says="validate 1")


def listed(text):
    return {**SET, "pics/list.csv": text}


# id, the list, place, message
LISTS = [
    ("F34 a path with ..", LIST + b"../base.yaml,3\n", "6:1", "this path leads out of the list's folder"),
    ("F34b .. further on", LIST + b"3/../../x.png,3\n", "6:1", "this path leads out of the list's folder"),
    ("F34c an absolute path", LIST + b"/etc/passwd,3\n", "6:1", "this path leads out of the list's folder"),
    ("F34d a path twice", LIST + b"3/a.png,7\n", "6:1", "this image is already in line 2"),
    ("F34e one field", LIST + b"3/a.png\n", "6:8", "one field only; a line is path,label"),
    ("F34f three fields", LIST + b"3/c.png,3,x\n", "6:10", "more than two fields; a line is path,label"),
    ("F34g an open quote", LIST + b'"3/c.png,3\n', "6:1", "this quote is not closed"),
    ("F34y an open quote at the end of the file", LIST + b'"3/c.png', "6:1", "this quote is not closed"),
    ("F34h an open label", LIST + b'3/c.png,"3\n', "6:9", "this quote is not closed"),
    ("F34i a quote inside", LIST + b'3/c"d.png,3\n', "6:4", "a quote inside a field"),
    ("F34j text behind a quote", LIST + b'"3/c.png"x,3\n', "6:10", "text behind the closing quote"),
    ("F34k no label", LIST + b"3/c.png,\n", "6:9", "the label is empty"),
    ("F34l no path", LIST + b",3\n", "6:1", "the path is empty"),
    ("F34m a zero byte", LIST + b"3/\0.png,3\n", "6:3", "a zero byte: not a text file"),
    ("F34n columns are code points", LIST + "3/\u00e4\u00f6.png,\n".encode(), "6:10", "the label is empty"),
    ("F34o a long field", LIST + b"a" * 4096 + b",3\n", "6:1", "a field of more than 4095 bytes"),
]
LIST_TWINS = [
    ("F34p CRLF", LIST.replace(b"\n", b"\r\n")),
    ("F34q no end of line at the end", LIST[:-1]),
    ("F34r quotes", b'"path","label"\n' + b'"3/a.png","3"\n7/a.png,"7"\n'),
    ("F34s no heading, empty lines, a BOM", b"\xef\xbb\xbf" + LIST[LIST.index(b"\n") + 1:] + b"\n\r\n\n"),
]


def lists():
    source = config(**{"train: pics": "train: {csv: pics/list.csv}"})
    for name, text, place, message in LISTS:
        yield from both(name, 4, f"pics/list.csv:{place}", message, listed(text), source, "pics/list.csv")
    for name, text in LIST_TWINS:
        yield from both(name, 0, None, None, listed(text), source, "pics/list.csv")
    yield from both("F34t nothing but a heading", 4, "pics/list.csv", "the list names no images",
                    listed(b"path,label\n"), source, "pics/list.csv")
    yield from both("F34u an image that is not there", 4, "pics/3/c.png", "cannot open: No such file",
                    listed(LIST + b"3/c.png,3\n"), source, "pics/list.csv", says="listed in line 6 of pics/list.csv")
    yield from both("F34v a damaged one", 4, "pics/3/c.png:@0", "file is empty",
                    {**listed(LIST + b"3/c.png,3\n"), "pics/3/c.png": b""}, source, "pics/list.csv",
                    says="listed in line 6 of pics/list.csv")
    yield Case("F34w a label that the model does not have", 5,
               [("pics/list.csv", "class 'cat' is not one of the model's")], ["cnneval", "model.bin", "pics/list.csv"],
               listed(LIST.replace(b"a.png,3", b"a.png,cat")))
    yield Case("F34x no such list", 6, [("no.csv", "cannot open: No such file")], ["cnneval", "model.bin", "no.csv"])


def sets_in_memory():
    """IDX sets with channels, and what can be made of them."""
    shape = {"x-images": images(8, 28, 28, 3), "x-labels": labels(8)}
    yield Case("Q02t three channels for one: made grey", 0, [], ["cnneval", "model.bin", "x-images"], shape)
    text = replace(config(**{"dense: 2": "dense: 8"}).decode(), "train: pics", "train: {images: x-images, layout: hwc}")
    yield Case("I16h chw read as hwc", 4, [("x-images:@16", "channels 28 must be 1..4")], ["cnntrain", NAME],
               {NAME: text.encode(), **shape})
    yield Case("I16i hwc of three dimensions", 4, [("x-images:@3", "layout: hwc needs 4 dimensions, got 3")],
               ["cnntrain", NAME], {NAME: text.encode(), **shape, "x-images": images(8)})
    swapped = images(8, 28, 28, 3)
    swapped = swapped[:8] + struct.pack(">III", 28, 28, 3) + swapped[20:]
    yield Case("I16j hwc read as chw", 4, [("x-images:@8", "channels 28 must be 1..4; or is it layout: hwc?")],
               ["cnneval", "model.bin", "x-images"], {**shape, "x-images": swapped})
    yield Case("I16jt hwc", 0, [], ["cnntrain", "-nv", NAME], {NAME: text.encode(), **shape, "x-images": swapped})
    little = text.replace("layout: hwc}", "layout: chw}\n  memory: 10KiB")
    yield Case("I50 more than data.memory", 7, [("x-images:@4", "needs 18.4 KiB, memory limit 10 KiB (data.memory)")],
               ["cnntrain", NAME], {NAME: little.encode(), **shape})
    stretched = text.replace("layout: hwc}", "layout: chw}\n  input: {height: 20, width: 20, fit: stretch}")
    yield Case("I51 resized", 0, [], ["cnntrain", "-nv", NAME], {NAME: stretched.encode(), **shape})
    yield Case("I51b two channels cannot be", 4, [("x-images", "fit: stretch is for bytes of 1 or 3 channels")],
               ["cnntrain", NAME], {NAME: stretched.encode(), **shape, "x-images": images(8, 28, 28, 2)})


def cases(trained):
    yield from files()
    for name, data in TWINS:
        yield from both(name, 0, None, None, {**SET, BAD: data})
    yield from folders()
    yield from sets()
    yield from lists()
    yield from sets_in_memory()
