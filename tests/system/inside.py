#!/usr/bin/env python3
"""inside.py: what cnnview shows of the inside of a model, against the same network computed in Python. Prints TAP."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from inside_net import BIN, DIGITS, flat, near, test_set, train  # noqa: E402
from png import read_png, write_png  # noqa: E402
from runs import Skip, cnntrain, environment, equal, read_bytes, read_model, run_tests, write  # noqa: E402

GAP, LINE = 6, 10
POSITIVE = ((255, 255, 255), (248, 180, 148), (216, 72, 56), (122, 8, 30))
NEGATIVE = ((255, 255, 255), (152, 196, 228), (56, 124, 188), (8, 46, 112))


def cnnview(*arguments, code=0, **changes):
    """(stdout, stderr)"""
    done = subprocess.run([os.path.join(BIN, "cnnview"), *map(str, arguments)], capture_output=True, text=True,
                          timeout=100, check=False, env=environment(**changes))
    assert done.returncode == code, f"cnnview {arguments}: exit {done.returncode}, not {code}:\n{done.stderr}"
    return done.stdout, done.stderr


def numbers(*arguments):
    """{name: (shape, values)} of what --output numbers.safetensors takes"""
    cnnview(*arguments, "-o", "numbers.safetensors")
    return read_model("numbers.safetensors")[1]


def signed(share):
    stops = NEGATIVE if share < 0 else POSITIVE
    at = min(abs(share), 1) * 3
    before = min(int(at), 2)
    return [a + (b - a) * (at - before) for a, b in zip(stops[before], stops[before + 1])]


def square(rows, x, y, zoom):
    """The colour of a square, which must have one only."""
    colours = {bytes(rows[y + i][3 * (x + k):3 * (x + k) + 3]) for i in range(zoom) for k in range(zoom)}
    equal(len(colours), 1, f"colours of the square at {x}, {y}")
    return colours.pop()


def same_colour(got, want, what):
    assert all(abs(a - b) <= 1 for a, b in zip(got, want)), f"{what}: {list(got)}, want {want}"


def filters():
    """--filters: the pixels are the weights"""
    path, net = train("run")
    weights, shape = net.w("A")
    equal(numbers(path, "--filters", "A")["filters"], (shape, weights), "numbers")
    cnnview(path, "--filters", "A", "-o", "f.png")
    width, height, rows = read_png("f.png")
    zoom, top = 16, 2 * GAP + 2 * LINE + 4  # 3 pixels to at least 64, but at most 16 a pixel
    equal((width, height), (320, top + 3 * zoom + GAP + LINE + GAP), "size")
    for i in range(4):
        most = max(abs(w) for w in weights[9 * i:9 * i + 9])
        for k in range(9):
            colour = square(rows, GAP + i * (3 * zoom + GAP) + k % 3 * zoom, top + k // 3 * zoom, zoom)
            same_colour(colour, signed(weights[9 * i + k] / most), f"filter {i}, weight {k}")


def filters_deep():
    """--filters: a table of filters by channels, a matrix of a dense layer that reads a vector, dense maps"""
    path, net = train("run")
    for layer, cells, zoom, gap in (("B", (6, 4, 2, 2), 10, 3), ("out", (10, 12, 1, 1), 10, 0), ("F", (12, 6, 2, 2), 10, 3)):
        (weights, shape), (count, channels, h, w) = net.w(layer), cells
        got = numbers(path, "--filters", layer)["filters"]
        equal(got, ([count, channels, h, w], weights), f"{layer}: numbers")
        cnnview(path, "--filters", layer, "-o", "f.png")
        rows = read_png("f.png")[2]
        left, top = GAP + 32, 2 * GAP + 3 * LINE + 4
        for i in range(count):
            own = weights[i * channels * h * w:(i + 1) * channels * h * w] if h * w > 1 else weights
            most = max(map(abs, own))
            for k in range(channels * h * w):
                c, y, x = k // (h * w), k // w % h, k % w
                colour = square(rows, left + c * (w * zoom + gap) + x * zoom, top + i * (h * zoom + gap) + y * zoom, zoom)
                same_colour(colour, signed(weights[i * channels * h * w + k] / most), f"{layer}, row {i}, value {k}")


def filters_colour():
    """--filters: those of the first layer of a network for colour images are in colour"""
    os.makedirs("set/a"), os.makedirs("set/b")
    for i in range(4):
        write_png(f"set/{'ab'[i % 2]}/{i}.png", 6, 6, [(7 * k * (i + 1)) % 256 for k in range(108)])
    write("colour.yaml", "data: {train: {folder: set}}\nnetwork: [conv: {name: C, filters: 3, kernel: [2, 4]}, dense: 2]\n"
                         "train: {epochs: 0, batch_size: 2}\n")
    cnntrain("-q", "colour.yaml", "-o", "run")
    cnnview("run/model.bin", "--filters", "C", "-o", "f.png")
    weights = read_model("run/model.bin")[1]["C.weight"][1]
    rows, top = read_png("f.png")[2], 2 * GAP + 2 * LINE + 4
    for i in range(3):
        own = weights[24 * i:24 * i + 24]
        most = max(map(abs, own))
        for k in range(8):
            colour = square(rows, GAP + i * (4 * 16 + GAP) + k % 4 * 16, top + k // 4 * 16, 16)
            same_colour(colour, [255 * (own[8 * c + k] / most + 1) / 2 for c in range(3)], f"filter {i}, pixel {k}")


def activations():
    """--activations: all layers' maps are those computed here, of a set's image and of a file"""
    path, net = train("run")
    images, labels = test_set()
    for i in (0, 17):
        want = net.forward(net.normalized(images[i]))
        got = numbers(path, "--activations", f"{DIGITS}:{i}")
        equal(sorted(got), sorted(want), "layers")
        for name, values in want.items():
            values = flat(values) if isinstance(values[0], list) else values
            near(got[name][1], values, 1e-5, f"image {i}, {name}")
        equal(got["B"][0], [6, 2, 2], "shape of B")
        write_png("digit.png", 8, 8, images[i])
        equal(numbers(path, "--activations", "digit.png"), got, "the same image as a file")
    equal(sorted(numbers(path, "--activations", "digit.png", "--layer", "B")), ["B", "image"], "one layer")
    cnnview(path, "--activations", f"{DIGITS}:0", "-o", "a.png")
    width, height, rows = read_png("a.png")
    equal(width, 1040, "width")
    top = GAP + LINE + 4
    for k, pixel in enumerate(images[0]):
        equal(list(square(rows, GAP + k % 8 * 16, top + k // 8 * 16, 16)), [pixel] * 3, f"pixel {k} of the image")
    maps = net.forward(net.normalized(images[0]))["A"]
    top += 128 + 2 * GAP + LINE + 4
    for c, plane in enumerate(maps):
        most = max(flat([plane])) or 1
        for k in range(36):
            colour = square(rows, GAP + c * (6 * 11 + GAP) + k % 6 * 11, top + k // 6 * 11, 11)
            same_colour(colour, signed(plane[k // 6][k % 6] / most), f"map {c}, value {k}")
    hits = sum(max(range(10), key=net.logits(net.normalized(images[i])).__getitem__) == labels[i] for i in range(60))
    assert hits >= 50, f"{hits} of 60 are right: it has not learned"


def same_bytes():
    """the same bytes with any number of threads, and with AVX2 as with AVX-512"""
    path, _ = train("run")
    fused = "avx512" in read_bytes("/proc/cpuinfo").decode() if os.path.exists("/proc/cpuinfo") else False
    for job in JOBS:
        cnnview(path, *job, "-o", "a.png")
        want = read_bytes("a.png")
        for changes in ({"threads": 1}, {"threads": 3}, {"threads": 2, "CNNTRAIN_CPU": "avx2"}):
            if "CNNTRAIN_CPU" in changes and not fused:
                continue
            cnnview(path, *job, "-t", changes.pop("threads"), "-o", "b.png", **changes)
            assert read_bytes("b.png") == want, f"{job}: other bytes with {changes}"


JOBS = [("--filters", "B"), ("--activations", f"{DIGITS}:5")]


def messages():
    """wrong calls, layers, images"""
    path, _ = train("run")
    for arguments, message in ((("--filters", "A"), "--filters needs --output FILE"),
                               (("--filters", "A", "--activations", "x", "-o", "x.png"),
                                "--filters and --activations cannot be combined"),
                               (("--layer", "A", "-o", "x.png"), "--layer goes with --activations"),
                               (("--layer", "A", "--filters", "A", "-o", "x.png"), "--layer goes with --activations"),
                               (("--filters", ""), "--filters must not be empty, got ''")):
        equal(cnnview(path, *arguments, code=2)[1], f"cnnview: error: {message}\ntry 'cnnview --help'\n")
    for code, arguments, message in (
            (2, ("--filters", "a"), "--filters a: error: no layer 'a'; did you mean 'A'?"),
            (2, ("--filters", "nothing\n"), "--filters nothing\\x0A: error: no layer 'nothing\\x0A'; the summary lists them"),
            (2, ("--filters", "P"), "--filters P: error: maxpool layers have no filters; these have: A, B, F, out"),
            (2, ("--activations", "x", "--layer", "outt"), "--layer outt: error: no layer 'outt'; did you mean 'out'?"),
            (4, ("--activations", "none.png"), "none.png: error: cannot open: No such file or directory"),
            (4, ("--activations", "inside.yaml"), "inside.yaml:@0: error: not a PNG or JPEG image"),
            (4, ("--activations", DIGITS + ":359"), f"{DIGITS}: error: there are images 0 to 358, and no 359"),
            (4, ("--activations", DIGITS + ":99999999999999999999"), "error: cannot open"),
            (4, ("--activations", DIGITS + ":-1"), "error: cannot open")):
        got = cnnview(path, *arguments, "-o", "x.png", code=code)[1]
        assert message in got, f"{arguments}: {got}"
    assert not os.path.exists("x.png")
    assert "no/x.png: error: cannot write" in cnnview(path, "--filters", "A", "-o", "no/x.png", code=6)[1]
    assert "no/x.safetensors: error: cannot write" in cnnview(path, "--filters", "A", "-o", "no/x.safetensors", code=6)[1]


if __name__ == "__main__":
    if not os.path.isdir(DIGITS):
        raise Skip("no digits")
    run_tests([filters, filters_deep, filters_colour, activations, same_bytes, messages])
