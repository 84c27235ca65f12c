"""model.py: model.bin and checkpoint.bin, damaged and made up (group M), and resumed runs that do not fit (group Q).

Edits of a header get a right checksum over it, so that what is wrong is found by the check that looks for it and not
by the checksum; the mark ¦ stands where the fault is reported."""
import json
import os
import struct

from cases.base import BASE, edited
from cases.formats import Model, labels
from cases.harness import ANY, Case

CONV1 = '"conv1.weight":{"dtype":"F32","shape":[4,1,3,3],"data_offsets":[0,144]}'
BIAS1 = '"conv1.bias":{"dtype":"F32","shape":[4],"data_offsets":[144,160]}'


def tensor(text):
    """What "conv1.weight" is replaced by."""
    return CONV1, '¦"conv1.weight":' + text


def shape(text):
    return tensor('{"dtype":"F32","shape":%s,"data_offsets":[0,144]}' % text)


def offsets(text):
    return tensor('{"dtype":"F32","shape":[4,1,3,3],"data_offsets":%s}' % text)


def dtype(text):
    return tensor('{"dtype":%s,"shape":[4,1,3,3],"data_offsets":[0,144]}' % text)


# id, old text of the header, new one, message
HEADERS = [
    ("M21 trailing comma", '"data_offsets":[8000,8040]}}', '"data_offsets":[8000,8040]},}', "header is not JSON"),
    ("M21b missing comma", CONV1 + ",", CONV1, "header is not JSON"),
    ("M21c missing colon", '"step":"3"', '"step""3"', "header is not JSON"),
    ("M21d single quotes", '"step":"3"', "'step':'3'", "header is not JSON"),
    ("M21e comment", '"step":"3"', '"step":/* */"3"', "header is not JSON"),
    ("M21f key without quotes", '"step":"3"', 'step:"3"', "header is not JSON"),
    ("M16 invalid UTF-8", '"step":"3"', '"step":"\udcff"', "invalid UTF-8"),
    ("M18 NUL", '"step":"3"', '"step":"\0"', "header is not JSON"),
    ("M18b \\u0000", '"step":"3"', '"step":"\\u0000"', "NUL in a string"),
    ("M19 lone surrogate", '"step":"3"', '"step":"\\ud800"', "header is not JSON"),
    ("M20 bad escape", '"step":"3"', '"step":"\\x"', "header is not JSON"),
    *[(f"M22 offset {n}", *offsets(f"[0,{n}]"), message) for n, message in (
        ("NaN", "header is not JSON"), ("Infinity", "header is not JSON"), ("-1", "expected a whole number"),
        ("144.0", "expected a whole number"), ("1e3", "expected a whole number"), ("0144", "header is not JSON"),
        ("+144", "header is not JSON"), ("0x90", "header is not JSON"), ('"144"', "expected a whole number"),
        ("null", "expected a whole number"))],
    ("M23 offset 2^64", *offsets("[0,18446744073709551616]"), "number too large"),
    ("M24 offset 2^53+1", *offsets("[0,9007199254740993]"), "end past the end of the file"),
    ("M25 nested too deep", CONV1, '"conv1.weight":[[¦[[1]]]]', "unexpected '[': nested deeper than 3 levels"),
    ("M25b 10,000 brackets", CONV1, '"conv1.weight":[[¦' + "[" * 10000, "unexpected '[': nested deeper than 3 levels"),
    ("M26 duplicate tensor", BIAS1, BIAS1.replace("bias", "weight"), "duplicate name"),
    ("M27 duplicate by escape", BIAS1, BIAS1.replace("conv1.bias", "\\u0063onv1.weight"), "duplicate name"),
    ("M28 duplicate __metadata__", BIAS1, '"__metadata__":{}', "duplicate name"),
    ("M29 duplicate dtype", *tensor('{"dtype":"F32","dtype":"F32","shape":[4,1,3,3],"data_offsets":[0,144]}'),
     "duplicate name"),
    ("M30 no dtype", *tensor('{"shape":[4,1,3,3],"data_offsets":[0,144]}'), "missing dtype of 'conv1.weight'"),
    ("M30b no shape", *tensor('{"dtype":"F32","data_offsets":[0,144]}'), "missing shape of 'conv1.weight'"),
    ("M30c no data_offsets", *tensor('{"dtype":"F32","shape":[4,1,3,3]}'), "missing data_offsets of 'conv1.weight'"),
    ("M31 a key more", *tensor('{"dtype":"F32","shape":[4,1,3,3],"data_offsets":[0,144],"x":1}'),
     "unknown key in 'conv1.weight'"),
    ("M32 a number as tensor", CONV1, '"conv1.weight":5', "expected an object as the value of 'conv1.weight'"),
    ("M32b a list as tensor", CONV1, '"conv1.weight":[]', "expected an object as the value of 'conv1.weight'"),
    *[(f"M33 dtype {t}", *dtype(t), "weights must be F32") for t in ('"F31"', '"f32"', "5", "null", '"\\u001b[31m"')],
    *[(f"M34 dtype {t}", *dtype(t), f"dtype of 'conv1.weight' is {t[1:-1]}: weights must be F32") for t in
      ('"F64"', '"BF16"', '"F16"', '"I32"')],
    ("M35 dtype F4, an odd number", *tensor('{"dtype":"F4","shape":[3],"data_offsets":[0,144]}'), "weights must be F32"),
    ("M36 shape no list", *shape("4"), "bad shape of 'conv1.weight': expected a list"),
    ("M36b shape of text", *shape('["4",1,3,3]'), "expected a whole number"),
    ("M36c shape below 0", *shape("[-4,1,3,3]"), "expected a whole number"),
    ("M36d shape with a point", *shape("[4.0,1,3,3]"), "expected a whole number"),
    ("M37 rank 9", *shape("[4,1,3,3,1,1,1,1,1]"), "'conv1.weight' has more than 8 dimensions"),
    ("M38 2 x (2^64-2)", *shape("[2,18446744073709551614]"), "number too large"),
    ("M39 2 x (2^63-1)", *shape("[2,9223372036854775807]"), "size overflow"),
    ("M40 2^32 x 2^32", *shape("[4294967296,4294967296]"), "size overflow"),
    ("M41 a 0", *shape("[4,0,3,3]"), "'conv1.weight' is zero-sized"),
    ("M42 another shape of the same size", CONV1, CONV1.replace("[4,1,3,3]", "[4,9]"),
     "tensor 'conv1.weight' is [4, 9], its config needs [4, 1, 3, 3]"),
    ("M43 one offset", *offsets("[0]"), "data_offsets of 'conv1.weight' must be two numbers"),
    ("M43b three offsets", *offsets("[0,144,144]"), "must be two numbers"),
    ("M44 begin after end", *offsets("[144,0]"), "begin after end"),
    ("M45 past the file", *offsets("[0,999999]"), "end past the end of the file"),
    ("M46 too few bytes", *offsets("[0,140]"), "'conv1.weight': 140 bytes declared, shape needs 144"),
    ("M47 overlap", BIAS1, '¦' + BIAS1.replace("[144,160]", "[128,144]"), "data of 'conv1.bias' overlap those before"),
    ("M48 gap", BIAS1, '¦' + BIAS1.replace("[144,160]", "[148,164]"), "4 unused bytes before 'conv1.bias'"),
    ("M49 starts at 64", *offsets("[64,208]"), "64 unused bytes before 'conv1.weight'"),
    ("M54 empty name", '"conv1.bias":{', '¦"":{', "bad name '' of a tensor"),
    ("M54b name of 256 bytes", '"conv1.bias":{', '"' + "n" * 256 + '":{', "bad name 'nnnn"),
    ("M54c name with /", '"conv1.bias":{', '"../conv1.bias":{', "bad name '../conv1.bias' of a tensor"),
    ("M54d name with escapes", '"conv1.bias":{', '"\\u001b[31m":{', "bad name '\\x1B[31m' of a tensor"),
    ("M55 no metadata", '"__metadata__"', '"__metadatum__"',
     "not a cnntrain model (no 'cnntrain.format' in its metadata)"),
    ("M56 a number in the metadata", '"step":"3"', '"step":3', "metadata values must be strings: 'step' is not"),
    ("M56b null", '"step":"3"', '"step":null', "metadata values must be strings"),
    ("M56c an object", '"step":"3"', '"step":{}', "metadata values must be strings"),
    ("M57 no format", '"cnntrain.format":"1",', "", "not a cnntrain model (no 'cnntrain.format' in its metadata)"),
    ("M58 written by PyTorch", '"cnntrain.format":"1",', '"format":"pt",', "not a cnntrain model"),
    ("M59 format 2", '"cnntrain.format":"1"', '¦"cnntrain.format":"2"',
     "made by a newer cnntrain (format 2); this one reads 1"),
    *[(f"M60 format {v!r}", '"cnntrain.format":"1"', f'¦"cnntrain.format":"{v}"', "bad version") for v in
      ("1.0", " 1", "-1", "", "one")],
    ("M63 no checksum", '"crc32:conv1.bias"', '"crc33:conv1.bias"', "checksum entry 'crc32:conv1.bias' missing"),
    ("M63b checksum of nothing", '"crc32:dense1.weight"', '"crc32:conv1.x":"00000000","crc32:dense1.weight"',
     "checksum entry 'crc32:conv1.x' belongs to no tensor"),
    ("M69 step -1", '"step":"3"', '"step":"-1"', "metadata 'epoch' and 'step' must be whole numbers"),
    ("M69c step 2^64", '"step":"3"', '"step":"18446744073709551616"', "metadata 'epoch' and 'step' must be whole numbers"),
    ("M69b epoch 1e3", '"epoch":"1"', '"epoch":"1e3"', "must be whole numbers"),
    ("M73 a tensor of another name", '"conv1.bias":{', '"conv2.bias":{', "checksum entry 'crc32:conv2.bias' missing"),
    ("M75 no list of classes", '"classes":"[', '"classes":"x[', "metadata 'classes' is not a list of at least 2 names"),
    ("M75b nine classes", ',\\"9\\"]","cnntrain', ']","cnntrain', "10 values, but there are 9 classes"),
    ("M81 input without its numbers", '"input":"1 28 28 ', '"input":"1 28 ',
     "metadata 'input' is not a shape and its normalisation"),
    ("M81b input of 0 rows", '"input":"1 28 28 ', '"input":"1 0 28 ', "metadata 'input' is not a shape"),
    ("M81c input of another size", '"input":"1 28 28 ', '"input":"1 32 32 ',
     "its tensors have 2010 values, its config needs"),
    ("M82 no config", '"config":"', '"confit":"', "metadata 'config' is missing"),
    ("M83 spaces in the header", '"step":"3"', '"step": "3"', "header is not as cnntrain writes it"),
    ("M83b another order", '"conv1.weight":{"dtype":"F32",', '"conv1.weight":{', "missing dtype"),
]
# id, old text of the config inside, new one, place in it, message
CONFIGS = [
    ("M71 config that is no YAML", "name: base", "name: [base", "model.bin!config:2:5", "expected ',' or ']'"),
    ("M70 a seed that is no number", "seed: 1", "seed: x", "model.bin!config:2:7", "'seed' must be"),
    ("M70b a seed below 0", "seed: 1", "seed: -1", "model.bin!config:2:7", "'seed' must be"),
    ("M71b unknown key", "seed: 1", "seeds: 1", "model.bin!config:2:1", "unknown key 'seeds'; did you mean 'seed'?"),
    ("M71c unknown layer", "- relu:", "- relo:", "model.bin!config:{line}:5", "unknown layer 'relo'"),
    ("M71d tag", "seed: 1", "seed: !!python/object:os.system 1", "model.bin!config:2:7", "tags are not supported"),
    ("M71e alias", "seed: 1", "seed: *x", "model.bin!config:2:7", "no anchor '&x'"),
    ("M71f duplicate key", "seed: 1", "seed: 1\\nseed: 1", "model.bin!config:3:1", "duplicate key 'seed'"),
    ("M71g a list", "name: base", "- a", "model.bin!config:2:1", "expected"),
    ("M72 more filters", "filters: 4", "filters: 5", "model.bin", "its tensors have 2010 values, its config needs"),
    ("M72b padding that changes a size", "kernel: 3,", "kernel: 4,", "model.bin", "its config needs"),
    ("M72c a layer more", "- relu:", "- conv: {filters: 4, kernel: 1, name: x}\\n  - relu:", "model.bin",
     "4 tensors, its config needs 6"),
    ("M72d a terabyte", "filters: 4", "filters: 65536", "model.bin", "its tensors have 2010 values, its config needs"),
    ("M72f weights of other classes", "label_smoothing: 0", "label_smoothing: 0\\n  class_weights: [1, 2]",
     ANY, "'class_weights' has 2 numbers, but there are 10 classes"),
    ("M72g weights that wait for a training set", "label_smoothing: 0", "label_smoothing: 0\\n  class_weights: balanced",
     ANY, "'class_weights' has 0 numbers, but there are 10 classes"),
    ("M72e a pool that leaves nothing", "size: 4, stride", "size: 99, stride", "model.bin!config:{line}:5",
     "its window 99x99 is larger"),
]
TWINS = [  # id, old, new
    ("M69t a later epoch", '"epoch":"1"', '"epoch":"1000"'),
    ("M84t class names that need escapes", '"classes":"[\\"0\\",', '"classes":"[\\"\\\\u001b[31m\\",'),
]


def wrong_bytes(model, file):
    """id, file, offset, message"""
    data, size = len(file) - len(model.data), len(file)
    n = struct.pack
    yield "M01 empty", b"", 0, "empty file"
    for length in range(1, 8):
        yield f"M02 {length} bytes", file[:length], 0, "not a cnntrain model"
    yield "M03 header length 0", bytes(8) + file[8:], 0, "header length 0"
    yield "M04 header {", n("<Q", 1) + b"{", 0, "header length 1"
    yield "M04b header {.", n("<Q", 2) + b"{.", 10, "header is not JSON"
    yield "M05 header as long as the file", n("<Q", size - 7) + file[8:], 0, "header longer than the file"
    for name, value in (("M06 header length", 100000001), ("M07 header length", 2**63), ("M07 header length", 2**64 - 1),
                        ("M07 header length", 2**64 - 8), ("M08 header length", 0xFFFFFF000000003C),
                        ("M09 header length", (16 << 20) + 1)):
        yield f"{name} {value}", n("<Q", value) + file[8:], 0, "header larger than"
    yield "M10 header length big-endian", n(">Q", len(model.header)) + file[8:], 0, "(wrong byte order)"
    for name, start in (("M11", b" "), ("M12", b"["), ("M12", b'"'), ("M12", b"1"), ("M12", b"n"), ("M17", b"\xef\xbb\xbf")):
        yield f"{name} begins with {start!r}", file[:8] + start + file[9:], 8, "the header must begin with {"
    padded, end = n("<Q", data + 56) + file[8:data] + b" " * 63, data + 63  # a byte is missing
    yield "M13 padding of zeros", padded + b"\0" + file[data:], end, "bytes after the header object"
    yield "M14 padding with a tab", padded + b"\t" + file[data:], end, "bytes after the header object"
    yield "M15 text in the padding", padded + b"x" + file[data:], end, "bytes after the header object"
    yield "M50 a byte more", file + b"\0", size, "1 unused byte after the last tensor"
    yield "M50b a zip file behind it", file + b"PK\5\6" + bytes(18), size, "22 unused bytes after the last tensor"
    for missing in (1, 2, 4096, 8040):
        yield f"M51 {missing} bytes missing", file[:-missing], None, "past the end of the file (cut short?)"
    yield "M51b cut in the header", file[:100], 0, "header longer than the file"
    yield "M52 data not at a multiple of 64", n("<Q", len(model.header) + 1) + file[8:data] + b" " + file[data:], 0, \
        "the data must start at a multiple of 64"
    at = file.index(b"seed: 1")
    yield "M62 a bit of the config", file[:at] + b"r" + file[at + 1:], None, "header checksum mismatch"
    for place, name in ((0, "conv1.weight"), (143, "conv1.weight"), (144, "conv1.bias"), (5000, "dense1.weight"),
                        (8039, "dense1.bias")):
        flipped = model.data[:place] + bytes([model.data[place] ^ 1]) + model.data[place + 1:]
        begin = {"conv1.weight": 0, "conv1.bias": 144, "dense1.weight": 160, "dense1.bias": 8000}[name]
        yield f"M64 a bit of byte {place}", file[:data] + flipped, data + begin, \
            f"checksum mismatch in '{name}': damaged file"
    for value, name in ((float("nan"), "NaN"), (float("inf"), "Inf"), (float("-inf"), "-Inf")):
        yield f"M67 {name}", model.change_data(17 * 4,
                                               n("<f", value)), data + 68, "value 17 of 'conv1.weight' is not finite"
    for name, start in (("a zip archive, as PyTorch and Keras write", b"PK\3\4"), ("a Python pickle", b"\x80\4\x95"),
                        ("a GGUF file", b"GGUF\3\0\0\0"), ("an HDF5 file", b"\x89HDF\r\n\x1a\n"),
                        ("a gzip file", b"\x1f\x8b\x08\0"),
                        ("a PNG image", b"\x89PNG\r\n\x1a\n"), ("a NumPy array", b"\x93NUMPY\1\0"),
                        ("a darknet weights file", b"\0\0\0\0\2\0\0\0"), ("an ONNX file", b"\x08\x07\x12\x07pytorch"),
                        ("a text file", b"[net]\nbatch=1\n")):
        yield f"M76 {name}", start + bytes(60), 0, "not a cnntrain model: looks like " + name


def crc_digits(header):
    at = header.index('"header_crc32":"') + len('"header_crc32":"')
    return at, header[at:at + 8]


def evaluated(name, file, place, message):
    return Case(name, 5, [(place, message)], ["cnneval", "model.bin", "t10k-images-idx3-ubyte"], {"model.bin": file})


def models(trained):
    model, file = trained["model"], trained["model.bin"]
    for name, data, at, message in wrong_bytes(model, file):
        yield evaluated(name, data, ANY if at is None else f"model.bin:@{at}", message)
    for name, old, new, message in HEADERS:
        data, marks = model.edit(old, new)
        exact = marks and "JSON" not in message and message not in ("number too large", "duplicate name")
        yield evaluated(name, data, f"model.bin:@{marks[0]}" if exact else ANY, message)
    for name, old, new, place, message in CONFIGS:
        data, _ = model.edit(old, new)
        line = model.header[:model.header.index(old)].count("\\n", model.header.index('"config":')) + 1
        yield evaluated(name, data, place and place.format(line=line), message)
    at, digits = crc_digits(model.header)
    for name, new in (("upper case", "ABCDEF01"), ("7 digits", digits[:7] + "."), ("another one", "00000000")):
        yield evaluated(f"M61 header checksum, {name}", file[:8 + at] + new.encode() + file[16 + at:],
                        f"model.bin:@{8 + at}",
                        "header checksum")
    for name, old, new in TWINS:
        data, _ = model.edit(old, new)
        yield Case(name, 0, [], ["cnneval", "model.bin", "t10k-images-idx3-ubyte"], {"model.bin": data})
    yield Case("M66 all weights 0", 0, [], ["cnneval", "model.bin", "t10k-images-idx3-ubyte"],
               {"model.bin": model.change_data(0, bytes(len(model.data)))})
    yield Case("M09b a header of 16 MiB and 8 bytes, all there", 5, [("m.bin:@0", "header larger than 16777216 bytes")],
               ["cnneval", "m.bin", "t10k-images-idx3-ubyte"], prepare=lambda d: long_header(d + "/m.bin", file, model))
    crowd = {"__metadata__": {"cnntrain.format": "1"}}
    crowd.update({f"t{i}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * i, 4 * i + 4]} for i in range(16385)})
    crowd["__metadata__"].update({"header_crc32": "00000000"})
    text = json.dumps(crowd, separators=(",", ":")).encode()
    yield evaluated("M53 16,385 tensors", Model.with_checksum(text + b" " * (-(len(text) + 8) % 64)) + bytes(4 * 16385),
                    "model.bin:@8", "more than 16384 tensors")
    yield evaluated("M73b a tensor missing", model.rebuild(lambda name: name != "conv1.bias"), "model.bin",
                    "3 tensors, its config needs 4")
    yield Case("M74 only weights: enough for cnneval", 0, [], ["cnneval", "model.bin", "t10k-images-idx3-ubyte"],
               {"model.bin": model.rebuild()})
    newer = bytes(byte ^ 1 if i % 4 == 0 else byte for i, byte in enumerate(model.data))
    newer = model.rebuild(data=newer)
    for part in (0.3, 0.6, 0.95):
        cut = int(part * len(file))
        yield evaluated(f"M80 a new beginning, an old end, from byte {part:.0%}", newer[:cut] + file[cut:], ANY, "checksum mismatch in")
    yield Case("M85 a checkpoint as model", 5, [(ANY, "")], ["cnneval", "checkpoint.bin", "t10k-images-idx3-ubyte"],
               {"checkpoint.bin": trained["checkpoint.bin"]})
    for name, make, message in (("M77 a directory", lambda d: os.mkdir(d + "/m.bin"), "is a directory"),
                                ("M77b a FIFO", lambda d: os.mkfifo(d + "/m.bin"), "not a regular file"),
                                ("M79 8 GiB and a byte, sparse", lambda d: sparse(d + "/m.bin"), "larger than 8 GiB")):
        yield Case(name, 5 if "M79" in name else 6, [("m.bin", message)],
                   ["cnneval", "m.bin", "t10k-images-idx3-ubyte"],
                   prepare=make)
    yield Case("M77c /dev/zero", 6, [("/dev/zero", "not a regular file")],
               ["cnneval", "/dev/zero", "t10k-images-idx3-ubyte"])
    yield Case("M77d no such file", 6, [("m.bin", "cannot open: No such file or directory")],
               ["cnneval", "m.bin", "t10k"])


def long_header(path, file, model):
    data, most = len(file) - len(model.data), (16 << 20) + 8
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", most) + file[8:data])
        for _ in range((most + 8 - data) // 8):
            out.write(b" " * 8)
        out.write(model.data)


def sparse(path):
    with open(path, "wb") as file:
        file.truncate((8 << 30) + 1)


FRESH = "--fresh begins the run anew"  # what one can do about it


def resumed(name, trained, code, place, message, *edits, files=None, options=("--resume",), config="base.yaml", **more):
    """The finished run of one epoch, to be gone on with."""
    run = {f"run/{n}": trained[n] for n in ("model.bin", "checkpoint.bin", "log.csv", "config.yaml")}
    run.update(files or {})
    run = {n: data for n, data in run.items() if data is not None}
    if edits:
        run["base.yaml"] = edited(("epochs: 1", "epochs: 2"), *edits).encode()
    return Case(name, code, [(place, message)] if code else [], ["cnntrain", *options, config], run, **more)


def differing(trained):
    """id, old, new, what differs and where: the places are those of the config of the resumed run"""
    more = ("a resumed run must have the config that began it")
    for name, old, new, place, key, then in (
            ("Q08 filters", "filters: 4", "filters: 8", "7:21", "network.0.conv.filters", "4"),
            ("Q09 lr", "lr: 0.001", "lr: 0.1", "15:31", "train.optimizer.lr", "0.001"),
            ("Q12 seed", "seed: 1", "seed: 2", "1:7", "seed", "1"),
            ("Q13 batch_size", "batch_size: 16", "batch_size: 8", "14:15", "train.batch_size", "16"),
            ("Q24 share of validation", "validation: 0.25", "validation: 0.5", "5:15", "data.validation", "0.25"),
            ("Q31 less patience", "patience: 2", "patience: 1", "16:49", "train.early_stopping.patience", "2"),
            ("Q32 another monitor", "monitor: val_loss", "monitor: val_accuracy", "16:29",
             "train.early_stopping.monitor", "val_loss"),
            ("Q25b another schedule", "train:\n", "train:\n  schedule: linear\n", "13:13", "train.schedule.type", "constant"),
            ("Q25 another optimizer", "type: adam", "type: sgd", None, None, None)):
        if place:
            yield resumed(name, trained, 5, "base.yaml:" + place,
                          f"'{key}' differs from the checkpoint's ({then}); {more}",
                          (old, new))
    yield resumed("Q23 the checkpoint of another run", trained, 5, "base.yaml:1:7",
                  "'seed' differs from the checkpoint's (1), and so do 'data.validation', 'network.0.conv.filters', "
                  "'network.3.dropout.rate' and 2 more; ",
                  ("seed: 1", "seed: 2"), ("validation: 0.25", "validation: 0.5"), ("filters: 4", "filters: 8"),
                  ("dropout: 0.25", "dropout: 0.5"), ("batch_size: 16", "batch_size: 8"), ("lr: 0.001", "lr: 0.1"))
    yield resumed("Q26 a layer more", trained, 5, "base.yaml:7:3", "'network' differs from the checkpoint's (a list of 5)",
                  ("- relu", "- relu\n  - tanh"))


def resumes(trained):
    checkpoint, file = trained["checkpoint"], trained["checkpoint.bin"]
    yield from differing(trained)
    yield resumed("Q10 more epochs", trained, 0, None, None, ("restore_best: true", "restore_best: true"), writes=True)
    yield resumed("Q10b more patience, another cadence, a limit of time", trained, 0, None, None,
                  ("patience: 2", "patience: 3"), ("  epochs: 2", "  max_time: 1h\n  checkpoint: {every: 3}\n  epochs: 2"),
                  writes=True)
    yield resumed("Q11 fewer epochs than done", trained, 5, "run/checkpoint.bin",
                  "already at epoch 1; train.epochs is 0",
                  files={"base.yaml": BASE.replace("epochs: 1", "epochs: 0").encode()})
    yield resumed("Q14 other data", trained, 5, "run/checkpoint.bin",
                  "the data changed since the checkpoint: the training set",
                  files={"train-labels-idx1-ubyte.gz": labels(64)[:-1] + b"\0"})
    yield resumed("Q15 finished already", trained, 0, None, None, writes=True)
    yield resumed("Q16 no log.csv", trained, 6, "run/log.csv", "No such file", notes=FRESH,
                  files={"run/log.csv": None})
    yield resumed("Q17 log.csv cut", trained, 5, "run/log.csv", "not the log of this run", notes=FRESH,
                  files={"run/log.csv": trained["log.csv"][:-9]})
    yield resumed("Q19 log.csv edited", trained, 5, "run/log.csv", "",
                  files={"run/log.csv": trained["log.csv"].replace(b"1,3,", b"1,4,")})
    yield resumed("Q18 a torn line behind the checkpoint's", trained, 0, None, None,
                  files={"run/log.csv": trained["log.csv"] + b"2,6,0.0"}, writes=True)
    yield resumed("Q21 checkpoint damaged", trained, 5, ANY, "checksum mismatch",
                  notes=FRESH, files={"run/checkpoint.bin": file[:-1] + bytes([file[-1] ^ 1])})
    yield resumed("Q21b checkpoint empty", trained, 5, "run/checkpoint.bin:@0", "empty file",
                  notes=FRESH, files={"run/checkpoint.bin": b""})
    yield resumed("Q21c checkpoint cut", trained, 5, ANY, "cut short", notes=FRESH,
                  files={"run/checkpoint.bin": file[:-100]})
    yield resumed("Q27 a model as checkpoint", trained, 5, "run/checkpoint.bin", "is not a checkpoint",
                  files={"run/checkpoint.bin": trained["model.bin"]})
    yield resumed("M74b no optimizer's tensors", trained, 5, "run/checkpoint.bin", "8 tensors, this run needs 16",
                  files={"run/checkpoint.bin": checkpoint.rebuild(lambda name: not name.startswith("optimizer."))})
    yield resumed("M74t all of them", trained, 0, None, None, files={"run/checkpoint.bin": checkpoint.rebuild()}, writes=True)
    start = len(file) - len(checkpoint.data)
    weights, moments = file[start:start + 144], file[start + 8040:start + 8184]
    yield resumed("M65 two tensors changed places", trained, 5, f"run/checkpoint.bin:@{start}", "checksum mismatch in 'conv1.weight'",
                  files={"run/checkpoint.bin": file[:start] + moments + file[start + 144:start + 8040] + weights +
                         file[start + 8184:]})
    yield resumed("C16 no checkpoint", trained, 5, "run", "there is no checkpoint to resume from",
                  files={"run/checkpoint.bin": None})
    for name, old, new, message in (
            ("Q28 step", '"step":"3"', '"step":"4"', "its counters do not fit"),
            ("Q28b epoch", '"epoch":"1"', '"epoch":"9"', "its counters do not fit"),
            ("Q28c batch", '"batch":"0"', '"batch":"7"', "its counters do not fit"),
            ("Q28d step below 0", '"step":"3"', '"step":"-3"', "metadata 'step' is not a whole number"),
            ("Q28e loss NaN", '"loss_sum":"0x0p+0"', '"loss_sum":"nan"', "metadata 'loss_sum' is not a finite number"),
            ("Q28f best epoch in the future", '"stopping.best_epoch":"1"', '"stopping.best_epoch":"5"',
             "its counters do not fit"),
            ("Q28g no best", '"stopping.best_epoch":"1"', '"stopping.best_epoch":"0"', "16 tensors, this run needs 12"),
            ("Q28h schedule from the future", '"schedule.epochs":"0"', '"schedule.epochs":"5"', "its counters do not fit"),
            ("Q28i schedule without a best", '"schedule.best":"0x0p+0"', '"schedule.best":"inf"',
             "metadata 'schedule.best' is not a finite number"),
            ("Q22 other arithmetic", '"arithmetic":"', '"arithmetic":"x', "the bytes would differ"),
            ("Q29 an optimizer's tensor missing", '"optimizer.m.conv1.bias":{', '"optimizer.n.conv1.bias":{',
             "checksum entry"),
            ("Q30 config inside", "name: base", "name: [base", "the config inside cannot be read")):
        data, _ = checkpoint.edit(old, new)
        yield resumed(name, trained, 5, ANY, message, files={"run/checkpoint.bin": data})
    for state, code in (("m", 0), ("v", 5)):
        at = 8040 if state == "m" else 16080
        yield resumed(f"M68{state} Adam's {state} below 0", trained, code, f"run/checkpoint.bin:@{start + at}",
                      "value 0 of 'optimizer.v.conv1.weight' is negative, a mean of squares", writes=code == 0,
                      files={"run/checkpoint.bin": checkpoint.change_data(at, struct.pack("<f", -1.0))})


def cases(trained):
    yield from models(trained)
    yield from resumes(trained)
