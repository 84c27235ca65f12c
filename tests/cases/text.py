"""text.py: configs that are no YAML, or no text, or too much of it (groups Y and L)."""
from cases.base import BASE, NAME, config_cases, edited
from cases.formats import MARK
from cases.harness import ANY, Case

KIB_256 = 256 << 10
# No text costs more to refuse: 0.1 s of processor time were asked, which 1,024 layers take on a machine whose system calls are slow.
BOUNDS = {"seconds": 0.25, "kib": 32 << 10}
M = MARK.encode()  # no bytes literal can hold it
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"

# id, config, message; a config is a text, or a list of edits of BASE
YAML = [
    ("Y01 empty file", "¦", "the config is empty"),
    ("Y02 only comments", "¦# nothing\n# here\n", "the config is empty"),
    ("Y03 only ---", "---\n¦", "the config is empty"),
    ("Y04 only blanks", "¦ \n \n\n", "the config is empty"),
    ("Y05 a list", "¦- a\n- b\n", "expected a mapping of keys, got a list"),
    ("Y06 a word", "¦hello\n", "expected a mapping of keys, got text"),
    ("Y07 NUL", [("train: train", "train: ¦\0train")], "NUL byte"),
    ("Y08 control character", [("filters: 4", "filters: ¦\x01")], "control character 0x01"),
    ("Y08b escape", [("filters: 4", "filters: 4¦\x1b[31m")], "control character 0x1B"),
    ("Y09 DEL", [("lr: 0.001", "lr: ¦\x7f")], "control character 0x7F"),
    ("Y09b raw C1 byte", [("- relu", b"- " + M + b"\x85")], "invalid UTF-8: byte 0x85"),
    ("Y10 FF FE inside", [("test: t10k", b"test: " + M + b"\xff\xfe")], "invalid UTF-8: byte 0xFF"),
    ("Y11 overlong", [("test: t10k", b"test: " + M + b"\xc0\xaf")], "invalid UTF-8: byte 0xC0"),
    ("Y12 surrogate", [("test: t10k", b"test: " + M + b"\xed\xa0\x80")], "invalid UTF-8: byte 0xED"),
    ("Y13 above U+10FFFF", [("test: t10k", b"test: " + M + b"\xf4\x90\x80\x80")], "invalid UTF-8: byte 0xF4"),
    ("Y13b U+2028", [("- relu", "- ¦\u2028relu")], "control character U+2028"),
    ("Y13c U+FEFF inside", [("- relu", "- ¦\ufeffrelu")], "control character U+FEFF"),
    ("Y13d column in code points", [("train: train-images-idx3-ubyte.gz", "train: ä€𝄞-images @x¦: y")],
     "mapping not allowed here"),
    ("Y14 UTF-16LE", M + BASE.encode("utf-16"), "UTF-16 is not accepted; save the file as UTF-8"),
    ("Y15 UTF-16BE", M + BASE.encode("utf-16-be"), "NUL byte"),
    ("Y19 tab as indentation", [("  - relu", "¦\t- relu")], "a tab cannot indent; use spaces"),
    ("Y20 indentation of a key", [("  batch_size: 16", " ¦batch_size: 16")], "check the indentation"),
    ("Y20b deeper key", [("  batch_size: 16", "    batch_size¦: 16")], "mapping not allowed here"),
    ("Y21 unclosed [", [("dense: 10", "dense: [10"), ("train:\n", "train¦:\n")], "expected ',' or ']' in this list"),
    ("Y22 unclosed {", [("padding: 1}", "padding: 1"), ("- maxpool: {", "- maxpool¦: {")],
     "expected ',' or '}' in this mapping"),
    ("Y23 unclosed quote", [("output: run\n", "output: \"run\n¦")], "unterminated string"),
    ("Y24 unknown escape", [("train: train-images", 'train: "¦\\q-images"')], "unknown escape"),
    ("Y25 @", [("train: train-", "train: ¦@")], "cannot start a value; quote the text"),
    ("Y26 backtick", [("train: train-", "train: ¦`")], "cannot start a value; quote the text"),
    ("Y26b %", [("train: train-", "train: ¦%")], "cannot start a value; quote the text"),
    ("Y27 no colon", [("seed: 1", "seed 1"), ("data:", "data¦:")], "or none in the line above"),
    ("Y28 two colons", [("seed: 1", "seed: a¦: 1")], "mapping not allowed here"),
    ("Y29 second document", BASE + "¦---\na: 1\n", "only one document is allowed"),
    ("Y30 text after ...", BASE + "...\n¦a: 1\n", "only one document is allowed"),
    ("Y31 %YAML", "¦%YAML 1.2\n---\n" + BASE, "directives are not supported"),
    ("Y32 %YAML 9.9", "¦%YAML 9.9\n---\n" + BASE, "directives are not supported"),
    ("Y33 many %TAG", "¦" + "".join(f"%TAG !{i}! a\n" for i in range(12000)) + "---\n" + BASE,
     "directives are not supported"),
    ("Y34 python tag", [("seed: 1", "seed: ¦!!python/object:os.system 1")], "tags are not supported"),
    ("Y35 local tag", [("seed: 1", "seed: ¦!local 1")], "tags are not supported"),
    ("Y35b core tag", [("seed: 1", "seed: ¦!!int 1")], "tags are not supported"),
    ("Y35c tag on a mapping", [("conv: {", "conv: ¦!x {")], "tags are not supported"),
    ("Y36 ? key", [("seed: 1", "? ¦seed\n: 1")], "keys must be plain text"),
    ("Y37 list as key", [("seed: 1", "¦[a]: 1")], "keys must be plain text"),
    ("Y37b mapping as key", [("seed: 1", "¦{a: b}: 1")], "keys must be plain text"),
    ("Y38 empty key", [("seed: 1", "¦: 1")], "expected a key here"),
    ("Y38b empty quoted key", [("seed: 1", '¦"": 1')], "empty key"),
    ("Y39 merge of a word", [("seed: 1", "<<: ¦hello\nseed: 1")], "'<<' takes a mapping or a list of mappings"),
    ("Y39b merge brings unknown key", [("seed: 1", "<<: {¦colour: 1}\nseed: 1")], "unknown key 'colour'"),
    ("Y40 binary", M + bytes((1 + i * 37) % 126 for i in range(4096)), "control character 0x01"),
]
FILES = [  # as YAML, with the place at the file itself
    ("Y41 PNG", PNG, "this is a PNG image, not a config"),
    ("Y41b JPEG", b"\xff\xd8\xff\xe0\0\x10JFIF\0", "this is a JPEG image, not a config"),
    ("Y41c gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\3", "this is a gzip file, not a config"),
    ("Y41d zip", b"PK\3\4\x14\0\0\0", "this is a zip file, not a config"),
    ("Y41e program", b"\x7fELF\2\1\1\0", "this is a program, not a config"),
    ("Y43 one line of 300 KiB", b"a" * (300 << 10), "larger than 256 KiB"),
    ("L12b 262,145 bytes", (BASE + "#" * KIB_256)[:KIB_256 + 1].encode(), "larger than 256 KiB"),
    ("L17 1 MiB of line ends", b"\n" * (1 << 20), "larger than 256 KiB"),
    ("S35 1 MB of digits", b"seed: " + b"9" * 1000000, "larger than 256 KiB"),
]
TWINS = [
    ("Y16 byte order mark", "\ufeff" + BASE),
    ("Y17 CRLF", BASE.replace("\n", "\r\n")),
    ("Y18 CR", BASE.replace("\n", "\r")),
    ("Y29b one document, marked", "---\n" + BASE + "...\n# the end\n"),
    ("Y44 no line end at the end", BASE[:-1]),
    ("Y45 JSON", '{"data": {"train": "train-images-idx3-ubyte", "test": "t10k-images-idx3-ubyte"}, '
                 '"network": [{"dense": 10}], "train": {"batch_size": 8}}'),
    ("L02 an anchor that nothing uses", edited(("seed: 1", "seed: &a 1"))),
    ("L15b 1,024 layers", edited(("  - dropout: 0.25\n", "  - dropout: 0.25\n" + "  - relu\n" * 1019))),
    ("L01 anchors, aliases, merges", edited(("conv: {filters: 4,", "conv: {<<: &c {filters: 4},"),
                                            ("  - relu\n",
                                             "  - relu\n  - conv: {<<: *c, kernel: 3, padding: same}\n"))),
    ("L12 262,144 bytes", (BASE + "#" * KIB_256)[:KIB_256]),
]


def laughs(levels, width):
    lines = ["a0: &a0 lol"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]")
    return "\n".join(lines) + "\n"


def nested(opening, depth=33, count=100000):
    return (opening * depth)[:-len(opening)] + "¦" + opening * (count - depth + 1)


LIMITS = [
    ("L03 billion laughs", laughs(9, 9).replace("[*a4, *a4, *a4, *a4, *a4", "[*a4, ¦*a4, *a4, *a4, *a4"),
     "more than 20000"),
    ("L04 recursive alias", [("seed: 1", "seed: &x [¦*x]")], "'*x' stands inside the value"),
    ("L05 undefined alias", [("seed: 1", "seed: ¦*nope")], "no anchor '&nope' before this alias"),
    ("L05b anchor below", [("seed: 1", "seed: ¦*s"), ("epochs: 1", "epochs: &s 1")], "no anchor '&s'"),
    ("L05c no name", [("seed: 1", "seed: *¦ x")], "expected a name after"),
    ("L06 chain of aliases", "a0: &a0 x\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 32)) +
     "a32: &a32 [¦*a31]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(33, 5000)), "nested deeper than 32"),
    ("L07 100,000 [", nested("["), "nested deeper than 32"),
    ("L08 {a: ", nested("{a: ", count=40000), "nested deeper than 32"),
    ("L09 - - -", nested("- "), "nested deeper than 32"),
    ("L10 ? ? ?", "? ¦? " + "? " * 19998, "keys must be plain text"),
    ("L11 depth 32, unknown key", "¦a: " + "[" * 31 + "]" * 31 + "\n" + BASE, "unknown key 'a'"),
    ("L11b depth 33", "a: " + "[" * 31 + "¦[" + "]" * 32 + "\n" + BASE, "nested deeper than 32"),
    ("L13 20,001 values", "a: [" + "1," * 19997 + "¦1]\n", "more than 20000 values"),
    ("L13b 20,000 values", "¦¦¦a: [" + "1," * 19996 + "1]\n",
     ["missing key 'data'", "missing key 'network'", "unknown key 'a'"]),
    ("L14 scalar of 4,097 bytes", [("train: train-images-idx3-ubyte.gz", "train: ¦" + "x" * 4097)],
     "longer than 4096 bytes"),
    ("L18 folded scalar", "name: ¦>\n" + " \n" * 60000 + "  x\n" + BASE, "longer than 4096 bytes"),
    ("L19 [x, [x,", ("[x," * 33)[:-3] + "¦" + "[x," * 8000, "nested deeper than 32"),
    ("L15 1,025 layers", [("  - relu\n", "  - relu\n" * 1023 + "  - ¦relu\n")], "more than 1024 layers"),
]


def to_text(config):
    """Edits may bring bytes that are no text."""
    if isinstance(config, (str, bytes)):
        return config
    if all(isinstance(new, str) for _, new in config):
        return edited(*config)
    text = BASE.encode()
    for old, new in config:
        assert text.count(old.encode()) == 1
        text = text.replace(old.encode(), new)
    return text


def many_unknown_keys(name, count, more):
    """The first 20 faults are shown, the rest is counted."""
    text = BASE + "".join(f"k{i}: 1\n" for i in range(count))
    first = BASE.count("\n") + 1
    faults = [(f"{NAME}:{first + i}:1", f"unknown key 'k{i}'") for i in range(20)]
    for command in (["cnntrain", NAME], ["cnneval", "model.bin", NAME]):
        yield Case(f"{name} unknown keys ({command[0]})", 3, faults, command, {NAME: text.encode()},
                   says=more and f"{command[0]}: and {more} more", lacks_text=None if more else "more", **BOUNDS)


def cases(trained):
    for name, config, message in YAML + LIMITS:
        yield from config_cases(name, to_text(config), message, **BOUNDS)
    for name, data, message in FILES + [("Y42 a model", trained["model.bin"], "this is a model file, not a config")]:
        yield from config_cases(name, data, message, **BOUNDS)
    for name, text in TWINS:
        yield from config_cases(name, text, "", code=0, **BOUNDS)
    yield from many_unknown_keys("L16 9,000", 9000, 8980)
    yield from many_unknown_keys("L16b 20", 20, None)
    yield from many_unknown_keys("L16c 21", 21, 1)
    yield Case("L14b a path of 4,096 bytes", 6, [(ANY, "path too long")], ["cnntrain", NAME],
               {NAME: edited(("train: train-images-idx3-ubyte.gz", "train: " + "x" * 4096)).encode()}, **BOUNDS)
