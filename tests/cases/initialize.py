"""initialize.py: `initialize: {from:, layers:}` with files that are damaged, or do not fit, or fit in part (group T)."""
import struct

from cases.base import NAME, edited, places
from cases.formats import f32, safetensors
from cases.harness import ANY, Case

FILE = "w.safetensors"
# What BASE's network has: 4 filters of 3x3, and from 4x7x7 to 10.
CONV, BIAS, DENSE, LAST = f32((4, 1, 3, 3)), f32((4,)), f32((10, 196)), f32((10,))
ALL = {"conv1.weight": CONV, "conv1.bias": BIAS, "dense1.weight": DENSE, "dense1.bias": LAST}


def without(*names, **new):
    tensors = {name: tensor for name, tensor in ALL.items() if name not in names}
    return safetensors({**tensors, **{name.replace("_", "."): tensor for name, tensor in new.items()}})


def half(tensor):
    """The same numbers in fp16."""
    _, shape, data = tensor
    return "F16", shape, b"".join(struct.pack("<e", value) for value, in struct.iter_unpack("<f", data))


NAN = ("F16", [4], struct.pack("<4e", 1, float("nan"), 2, 3))
INF = ("F32", [4], struct.pack("<4f", 1, 2, 3, float("inf")))
# id, what stands in the config behind `initialize: ` with marks, the file, exit code, messages: at the marks, or in the file
ROWS = [
    ("T30 no such layer", "{from: %s, layers: [¦conv9]}", without(), 3, "the network has no layer 'conv9'; did you mean"),
    ("T30b nor one like it", "{from: %s, layers: [¦features]}", without(), 3, "the network has no layer 'features'"),
    ("T31 a layer without weights", "{from: %s, layers: [conv1, ¦maxpool1]}", without(), 3,
     "layer 'maxpool1' has no weights to take"),
    ("T32 a named layer that is not there", "{from: %s, layers: [¦conv1]}", without("conv1.weight"), 5,
     "'conv1.weight' cannot be taken from w.safetensors: not in the file"),
    ("T33 half of a named layer", "{from: %s, layers: [¦conv1]}", without("conv1.bias"), 5,
     "'conv1.bias' cannot be taken from w.safetensors: not in the file"),
    ("T34 of another shape", "{from: %s, layers: [conv1, ¦dense1]}", without("dense1.weight", dense1_weight=f32((5, 196))), 5,
     "'dense1.weight' cannot be taken from w.safetensors: it is [5, 196] in the file, here [10, 196]"),
    ("T34b of another rank", "{from: %s, layers: [¦dense1]}", without("dense1.weight", dense1_weight=f32((10, 4, 7, 7))), 5,
     "it is [10, 4, 7, 7] in the file, here [10, 196]"),
    ("T35 of another type", "{from: %s, layers: [¦conv1]}", without("conv1.bias", conv1_bias=("I32", [4], bytes(16))), 5,
     "it is I32 in the file: only F32, F16 and BF16 are taken"),
    ("T36 two of them, in one pass", "{from: %s, layers: [¦a, conv1, ¦relu1]}", without(), 3,
     ["the network has no layer 'a'", "layer 'relu1' has no weights"]),
    ("T37 nothing to take", "{from: ¦%s}", safetensors({"a": BIAS}), 5,
     "no tensor of w.safetensors has the name and the shape of one of the network's"),
    ("T37b an empty file of tensors", "{from: ¦%s}", safetensors({}), 5, "no tensor of w.safetensors has"),
    ("T37c no layers", "{from: %s, layers: ¦[]}", without(), 3, "'layers' is empty: nothing would be taken"),
    ("T38 not from anywhere", "¦{layers: [conv1]}", without(), 3, "missing key 'from' in initialize"),
    ("T38b a bare path", "¦%s", without(), 3, "expected a mapping in initialize, got text"),
    ("T38c one layer, not a list", "{from: %s, layers: ¦conv1}", without(), 3, "'layers' must be a list of texts"),
    ("T39 no such file", "{from: nowhere.bin}", without(), 6, [("nowhere.bin", "cannot open")]),
    ("T40 NaN in fp16", "{from: %s}", without("conv1.bias", conv1_bias=NAN), 5,
     [(ANY, "value 1 of 'conv1.bias' is not finite")]),
    ("T40b infinite in fp32", "{from: %s, layers: [conv1]}", without("conv1.bias", conv1_bias=INF), 5,
     [(ANY, "value 3 of 'conv1.bias' is not finite")]),
    ("T41 cut short", "{from: %s}", without()[:-1], 5, [(ANY, "end past the end of the file (cut short?)")]),
    ("T41b longer", "{from: %s}", without() + b"\0", 5, [(ANY, "1 unused bytes after the last tensor")]),
    ("T42 a pickle", "{from: %s}", b"\x80\x02}q\x00.", 5, [(FILE + ":@0", "not a safetensors file: looks like a Python pickle")]),
    ("T43 a header of 2^40 bytes", "{from: %s}", struct.pack("<Q", 1 << 40) + b"{}", 5,
     [(FILE + ":@0", "header larger than")]),
    ("T44 a tensor of 2^50 elements", "{from: %s}", safetensors({"x": ("F32", [1 << 50], b"")}), 5,
     [(ANY, "'x': 0 bytes declared, shape needs 4503599627370496")]),
    ("T45 an escape in a name", "{from: ¦%s}", safetensors({"\x1b[31mx": BIAS}), 5, "no tensor of"),
]
# id, behind `initialize: `, file, what the summary says
TWINS = [
    ("T50 all of it", "{from: %s}", without(), "dense1.weight          taken"),
    ("T51 in fp16, with metadata, in another order, unaligned",
     "{from: %s, layers: [conv1]}", safetensors({"conv1.weight": half(CONV), "byte": ("U8", [1], b"x"), "conv1.bias": BIAS},
                                                {"format": "pt"}, pad=1, layout=["byte", "conv1.bias", "conv1.weight"]),
     "conv1.weight           taken"),
    ("T52 what does not fit stays as it was initialised", "{from: %s}", without("dense1.weight", dense1_weight=f32((5, 196))),
     "dense1.weight          as initialised: it is [5, 196] in the file, here [10, 196]"),
    ("T53 what is not there too", "{from: %s}", safetensors({"conv1.bias": BIAS, "running": LAST}),
     "conv1.weight           as initialised: not in the file"),
    ("T54 a value that is not finite where nobody looks", "{from: %s, layers: [dense1]}", without("conv1.bias", conv1_bias=NAN),
     "dense1.bias            taken"),
    ("T55 a model of ours", "{from: model.bin, layers: [conv1, dense1]}", without(), "weights from model.bin:"),
]


def config(text):
    text = text.replace("%s", FILE)
    return places(edited(("output: run\n", f"initialize: {text}\noutput: run\n")))


def cases(_trained):
    for name, text, file, code, messages in ROWS:
        text, where = config(text)
        messages = messages if isinstance(messages, list) else [messages]
        faults = messages if isinstance(messages[0], tuple) else list(zip(where, messages))
        assert len(faults) == len(messages), name
        for arguments in (["--dry-run"], []):
            yield Case(name + (" (--dry-run)" if arguments else ""), code, faults, ["cnntrain", "-q", *arguments, NAME],
                       {NAME: text.encode(), FILE: file})
    for name, text, file, says in TWINS:
        yield Case(name, 0, [], ["cnntrain", "--dry-run", NAME], {NAME: config(text)[0].encode(), FILE: file}, says=says)
