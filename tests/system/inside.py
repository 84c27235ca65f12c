#!/usr/bin/env python3
"""inside.py: what cnnview shows of the inside of a model, against the same network computed in Python. Prints TAP."""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from inside_net import BIN, DIGITS, conv_back, flat, gate, near, pool_back, softmax, test_set, train  # noqa: E402
from png import read_png, write_png  # noqa: E402
from runs import Skip, cnntrain, environment, equal, read_bytes, read_model, run_tests, write  # noqa: E402
from scikit import scikit  # noqa: E402

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


def score_of(net, image, target):
    return net.logits(image)[target]


def saliency_of(path, image, method, *more):
    return numbers(path, "--saliency", f"{DIGITS}:{image}", "--method", method, *more)["saliency"]


def saliency_gradient():
    """--saliency gradient: numeric differences of the class's score; the class that is named; the picture"""
    path, net = train("run")
    for i, more in ((0, ()), (5, ("--class", "3"))):
        image = net.normalized(test_set()[0][i])
        logits = net.logits(image)
        target = int(more[1]) if more else max(range(10), key=logits.__getitem__)
        want, step = [], 1e-6
        for k in range(64):
            sides = []
            for sign in (1, -1):
                moved = [list(row) for row in image]
                moved[k // 8][k % 8] += sign * step
                sides.append(score_of(net, moved, target))
            want.append((sides[0] - sides[1]) / (2 * step))
        near(saliency_of(path, i, "gradient", *more)[1], want, 1e-5, f"image {i}, class {target}")
        out, err = cnnview(path, "--saliency", f"{DIGITS}:{i}", *more, "-o", "s.png")
        equal(out, f"class {target}  score {logits[target]:.4g}  probability {softmax(logits)[target]:.4f}\n")
        equal(err, "")
        rows, most = read_png("s.png")[2], max(map(abs, want))
        for k in range(64):
            colour = square(rows, GAP + 8 * 32 + 2 * GAP + k % 8 * 32, GAP + 28 + k // 8 * 32, 32)
            same_colour(colour, signed(want[k] / most), f"pixel {k} of the map")


def saliency_rules():
    """--saliency guided, deconvnet: what rectifiers pass on, and the switches of max pooling"""
    path, net = train("run")
    found = {}
    for i in (1, 8):
        values = net.forward(net.normalized(test_set()[0][i]))
        target = max(range(10), key=values["out"].__getitem__)
        for rule in ("gradient", "guided", "deconvnet"):
            want = flat([net.back_from_b(values, net.back_to_b(values, target, rule), rule)])
            found[rule] = list(saliency_of(path, i, rule)[1])
            near(found[rule], want, 1e-5, f"image {i}, {rule}")
        assert found["gradient"] != found["guided"] != found["deconvnet"] != found["gradient"]


def deconvnet_switches():
    """--saliency deconvnet: through max pooling everything comes from the places of the maxima"""
    write("pool.yaml", f"data: {{train: {DIGITS}/train-images-idx3-ubyte.gz}}\n"
                       "network: [maxpool: 4, dense: {name: out, units: 10}]\ntrain: {epochs: 1}\n")
    cnntrain("-q", "pool.yaml", "-o", "run")
    pixels = test_set()[0][2]
    got = list(saliency_of("run/model.bin", 2, "deconvnet")[1])
    places = set()
    for top in (0, 4):
        for left in (0, 4):
            window = [(-pixels[(top + y) * 8 + left + x], (top + y) * 8 + left + x) for y in range(4) for x in range(4)]
            places.add(min(window)[1])
    equal({k for k, v in enumerate(got) if v != 0}, places, "places")
    assert "'deconvnet' is its gradient" in cnnview("run/model.bin", "--saliency", f"{DIGITS}:2", "--method", "deconvnet",
                                                    "-o", "s.png")[1]
    assert "the projections are gradients" in cnnview("run/model.bin", "--top-patches", "out:1", "--data", DIGITS, "-o",
                                                      "t.png")[1]


def bilinear(plane, side):
    """[2+][2+] to [side][side]; pixels are squares."""
    n = len(plane)

    def place(i):
        at = min(max((i + 0.5) * n / side - 0.5, 0), n - 1)
        low = min(int(at), n - 2)
        return low, at - low
    out = []
    for y in range(side):
        (i, v), line = place(y), []
        for x in range(side):
            j, u = place(x)
            line.append((plane[i][j] * (1 - u) + plane[i][j + 1] * u) * (1 - v) +
                        (plane[i + 1][j] * (1 - u) + plane[i + 1][j + 1] * u) * v)
        out.append(line)
    return out


def gradcam():
    """--saliency gradcam: maps weighed by mean gradients, of the last layer with maps and of another"""
    path, net = train("run")
    for i in (0, 3, 11):
        values = net.forward(net.normalized(test_set()[0][i]))
        target = max(range(10), key=values["out"].__getitem__)
        db = net.back_to_b(values, target)
        alpha = [sum(flat([plane])) / 4 for plane in db]
        want = [[max(0, sum(a * values["B"][k][y][x] for k, a in enumerate(alpha))) for x in (0, 1)] for y in (0, 1)]
        near(saliency_of(path, i, "gradcam")[1], flat([bilinear(want, 8)]), 1e-5, f"image {i}, B")
        equal(saliency_of(path, i, "gradcam: B"), saliency_of(path, i, "gradcam"), "the same layer")
        da = pool_back(values["A"], conv_back(gate(db, values["B"], "gradient"), *net.w("B"), 3, 3))
        alpha = [sum(flat([plane])) / 36 for plane in da]
        want = [[max(0, sum(a * values["A"][k][y][x] for k, a in enumerate(alpha))) for x in range(6)] for y in range(6)]
        near(saliency_of(path, i, "gradcam: {layer: A}")[1], flat([bilinear(want, 8)]), 1e-5, f"image {i}, A")


def occlusion():
    """--saliency occlusion: what covering each square does to the score, image by image"""
    path, net = train("run")
    image = net.normalized(test_set()[0][4])
    logits = net.logits(image)
    target = max(range(10), key=logits.__getitem__)
    for method, (h, w), (step_y, step_x) in (("occlusion", (2, 2), (1, 1)), ("occlusion: 3", (3, 3), (1, 1)),
                                             ("occlusion: {size: [4, 1], stride: [3, 2]}", (4, 1), (3, 2))):
        want = [0.0] * 64
        for y in range(0, 8, step_y):
            for x in range(0, 8, step_x):
                top, left = y + (step_y - 1) // 2 - (h - 1) // 2, x + (step_x - 1) // 2 - (w - 1) // 2
                covered = [[0.0 if top <= i < top + h and left <= j < left + w else image[i][j] for j in range(8)]
                           for i in range(8)]
                fall = logits[target] - score_of(net, covered, target)
                for i in range(y, min(8, y + step_y)):
                    for j in range(x, min(8, x + step_x)):
                        want[8 * i + j] = fall
        near(saliency_of(path, 4, method)[1], want, 1e-5, method)


def mean_value(net, image, layer, unit):
    value = net.before_activation(image, layer)[unit]
    return sum(flat([value])) / 4 if isinstance(value, list) else value


def maximize():
    """--maximize: the image raises the unit about as far as any of a test set, or further; the same image alone and among others"""
    path, net = train("run")
    images = [net.normalized(pixels) for pixels in test_set()[0][:120]]
    low, high = -net.mean / net.std, (1 - net.mean) / net.std
    for layer, count in (("B", 6), ("F", 12), ("out", 10)):
        got = numbers(path, "--maximize", layer)
        equal(got["images"][0], [count, 1, 8, 8], "shape")
        far, said = [], []
        for unit in range(count):
            pixels = got["images"][1][64 * unit:64 * unit + 64]
            assert low - 1e-5 <= min(pixels) and max(pixels) <= high + 1e-5, f"{layer}:{unit}: {min(pixels)}, {max(pixels)}"
            value = mean_value(net, [list(pixels[8 * y:8 * y + 8]) for y in range(8)], layer, unit)
            near([got["end"][1][unit]], [value], 1e-4, f"{layer}:{unit}")
            best = max(mean_value(net, image, layer, unit) for image in images)
            assert value > got["start"][1][unit], f"{layer}:{unit}: {value}, of noise {got['start'][1][unit]}"
            logits = net.logits([list(pixels[8 * y:8 * y + 8]) for y in range(8)])
            far.append(value > 0.8 * best)
            said.append(layer != "out" or max(range(10), key=logits.__getitem__) == unit)
        # a climb from one start may end on a low hill
        assert far.count(False) <= 2 and said.count(False) <= 2, f"{layer}: {far}, {said}"
        alone = numbers(path, "--maximize", f"{layer}:4")
        equal(list(alone["images"][1]), list(got["images"][1][256:320]), f"{layer}:4 alone")
    out, err = cnnview(path, "--maximize", "out:7", "-o", "m.png")
    start, end = numbers(path, "--maximize", "out:7")["start"][1][0], numbers(path, "--maximize", "out:7")["end"][1][0]
    equal((out, err), (f"out:7  {start:.4g} of noise, {end:.4g} of this\n", ""), "report")
    rows, pixels = read_png("m.png")[2], numbers(path, "--maximize", "out:7")["images"][1]
    for k, v in enumerate(pixels):
        colour = square(rows, GAP + k % 8 * 32, 2 * GAP + LINE + k // 8 * 32, 32)
        same_colour(colour, [255 * (v * net.std + net.mean)] * 3, f"pixel {k}")
    few = numbers(path, "--maximize", "out:7", "--steps", 3)
    assert start < few["end"][1][0] < end
    equal(list(few["start"][1]), [start], "the same noise")


def top_patches():
    """--top-patches: the nine greatest of a set by brute force, what each comes from, and its deconvnet projection"""
    path, net = train("run")
    pixels, labels = test_set()
    for unit in (0, 2, 5):
        ranking = []
        for i, own in enumerate(pixels):
            values = net.before_activation(net.normalized(own), "B")[unit]
            y, x = max(((y, x) for y in (0, 1) for x in (0, 1)), key=lambda at: values[at[0]][at[1]])
            ranking.append((-values[y][x], i, y, x))
        ranking.sort()
        best = ranking[:9]
        got = numbers(path, "--top-patches", f"B:{unit}", "--data", DIGITS)
        equal([int(v) for v in got["samples"][1]], [i for _, i, _, _ in best], f"unit {unit}: images")
        near(got["values"][1], [-v for v, _, _, _ in best], 1e-5, f"unit {unit}: values")
        equal(list(got["places"][1]), [v for _, _, y, x in best for v in (y, x)], f"unit {unit}: places")
        for rank, (_, i, y, x) in enumerate(best):
            values = net.forward(net.normalized(pixels[i]))
            near(got["images"][1][64 * rank:64 * rank + 64], flat([net.normalized(pixels[i])]), 1e-6, "image")
            one = [[[float((k, r, c) == (unit, y, x)) for c in (0, 1)] for r in (0, 1)] for k in range(6)]
            da = pool_back(values["A"], conv_back(one, *net.w("B"), 3, 3))
            want = conv_back(gate(da, values["A"], "deconvnet"), *net.w("A"), 8, 8)
            near(got["projections"][1][64 * rank:64 * rank + 64], flat(want), 1e-5, f"unit {unit}: projection {rank}")
        out = cnnview(path, "--top-patches", f"B:{unit}", "--data", DIGITS, "-o", "t.png")[0]
        rows = [line.split() for line in out.splitlines()[1:]]
        equal([(int(r[0]), r[1], int(r[3]), int(r[4])) for r in rows],
              [(i, str(labels[i]), y, x) for _, i, y, x in best], "report")
        width, _, picture = read_png("t.png")
        step, top, zoom = 3 * (6 * 16 + 8) + 16, 2 * (GAP + LINE) + 4, 16  # it sees 6x6 pixels
        equal(width, 2 * step + GAP, "width")
        for rank, (_, i, y, x) in enumerate(best):
            left, upper = GAP + rank % 3 * (6 * 16 + 8), top + rank // 3 * (6 * 16 + LINE + 8)
            part = [pixels[i][(2 * y + r) * 8 + 2 * x + c] for r in range(6) for c in range(6)]
            shown = [square(picture, left + k % 6 * zoom, upper + k // 6 * zoom, zoom)[0] for k in range(36)]
            equal(shown, part, f"unit {unit}: patch {rank}")
            back = got["projections"][1][64 * rank:64 * rank + 64]
            part = [back[(2 * y + r) * 8 + 2 * x + c] for r in range(6) for c in range(6)]
            equal(sum(v != 0 for v in part), sum(v != 0 for v in back), "nothing comes from outside of what it sees")
            for k, v in enumerate(part):
                colour = square(picture, left + step + k % 6 * zoom, upper + k // 6 * zoom, zoom)
                same_colour(colour, signed(v / max(map(abs, part))), f"unit {unit}: projection {rank}, pixel {k}")


def principal(points, count):
    """The first axes and their variances, by power iteration and deflation, and the trace."""
    n, d = len(points), len(points[0])
    mean = [sum(p[i] for p in points) / n for i in range(d)]
    rows = [[p[i] - mean[i] for i in range(d)] for p in points]
    cov = [[sum(r[i] * r[j] for r in rows) / (n - 1) for j in range(d)] for i in range(d)]
    trace, axes, variances = sum(cov[i][i] for i in range(d)), [], []
    for _ in range(count):
        v = [1.0 + 0.1 * i for i in range(d)]
        for _ in range(3000):
            w = [sum(a * b for a, b in zip(row, v)) for row in cov]
            length = sum(a * a for a in w) ** 0.5
            v = [a / length for a in w]
        most = max(range(d), key=lambda i: abs(v[i]))
        v = [a if v[most] > 0 else -a for a in v]
        axes.append(v)
        variances.append(length)
        cov = [[cov[i][j] - length * v[i] * v[j] for j in range(d)] for i in range(d)]
    return mean, axes, variances, trace


def embed():
    """--embed: the points are those of a principal component analysis here; as SVG, PNG and numbers"""
    path, net = train("run")
    pixels, labels = test_set()
    points = [net.forward(net.normalized(own))["F"] for own in pixels]
    mean, axes, variances, trace = principal(points, 2)
    got = numbers(path, "--embed", DIGITS)
    equal((got["axes"][0], got["points"][0]), ([2, 12], [len(pixels), 2]), "shapes")
    first, second = got["axes"][1][:12], got["axes"][1][12:]
    assert abs(sum(a * b for a, b in zip(first, second))) < 1e-6, "the axes are not at right angles"
    assert got["variance"][1][0] >= got["variance"][1][1] > 0
    near(got["variance"][1], variances, 1e-5, "variance")
    near(got["share"][1], [v / trace for v in variances], 1e-5, "share")
    near(first, axes[0], 1e-4, "first axis")
    near(second, axes[1], 1e-4, "second axis")
    want = [sum((p[i] - mean[i]) * axis[i] for i in range(12)) for p in points for axis in axes]
    near(got["points"][1], want, 1e-4, "points")
    equal(list(got["labels"][1]), list(labels), "labels")
    out, _ = cnnview(path, "--embed", DIGITS, "-o", "e.svg")
    equal(out, f"359 images, 12 values of F; share of the variance: {variances[0] / trace:.4f} across, "
          f"{variances[1] / trace:.4f} up\n")
    root = xml.etree.ElementTree.parse("e.svg").getroot()
    name = "{http://www.w3.org/2000/svg}"
    paths = [element.get("d") for element in root.iter(name + "path")]
    equal([d.count("M") for d in paths], [sum(label == k for label in labels) for k in range(10)], "points of each class")
    texts = [element.text for element in root.iter(name + "text")]
    for k in range(10):
        assert f"{k} ({sum(label == k for label in labels)})" in texts, texts
    at = [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)h0", "".join(paths))]
    order = [i for k in range(10) for i in range(len(labels)) if labels[i] == k]
    scale = (at[1][0] - at[0][0]) / (want[2 * order[1]] - want[2 * order[0]])
    near([y - at[0][1] for _, y in at], [-scale * (want[2 * i + 1] - want[2 * order[0] + 1]) for i in order], 2e-3, "height")
    cnnview(path, "--embed", DIGITS, "-o", "e.png")
    equal(read_png("e.png")[:2], (902, 716), "size")


PCA = """
from sklearn.decomposition import PCA
pca = PCA(n_components=2, svd_solver="full").fit(values[0])
print(json.dumps([pca.components_.tolist(), pca.explained_variance_.tolist(), pca.explained_variance_ratio_.tolist()]))
"""


def embed_by_scikit_learn():
    """--embed: axes and variances are those of scikit-learn's PCA, but for the signs of the axes"""
    path, net = train("run")
    axes, variance, share = scikit(PCA, [net.forward(net.normalized(own))["F"] for own in test_set()[0]])
    got = numbers(path, "--embed", DIGITS)
    near(got["variance"][1], variance, 1e-5, "variance")
    near(got["share"][1], share, 1e-5, "share")
    for k, axis in enumerate(axes):
        mine = got["axes"][1][12 * k:12 * k + 12]
        sign = 1 if sum(a * b for a, b in zip(mine, axis)) > 0 else -1
        near(mine, [sign * a for a in axis], 1e-4, f"axis {k}")


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


JOBS = [("--filters", "B"), ("--activations", f"{DIGITS}:5"),
        *(("--saliency", f"{DIGITS}:5", "--method", method) for method in ("gradient", "guided", "deconvnet", "gradcam",
                                                                          "occlusion")),
        ("--maximize", "F"), ("--top-patches", "B:2", "--data", DIGITS), ("--embed", DIGITS)]


def messages():
    """wrong calls, layers, images"""
    path, _ = train("run")
    for arguments, message in ((("--filters", "A"), "--filters needs --output FILE"),
                               (("--filters", "A", "--activations", "x", "-o", "x.png"),
                                "--filters and --activations cannot be combined"),
                               (("--layer", "A", "-o", "x.png"), "--layer goes with --activations"),
                               (("--layer", "A", "--filters", "A", "-o", "x.png"), "--layer goes with --activations"),
                               (("--method", "guided", "-o", "x.png"), "--method goes with --saliency"),
                               (("--class", "3", "--filters", "A", "-o", "x.png"), "--class goes with --saliency"),
                               (("--top-patches", "A:0", "-o", "x.png"), "--top-patches needs --data TESTSET"),
                               (("--data", "x", "--embed", "x", "-o", "x.png"), "--data goes with --top-patches"),
                               (("--steps", 3, "--filters", "A", "-o", "x.png"), "--steps goes with --maximize"),
                               (("--maximize", "A:0", "--steps", 0), "--steps must be 1 to 100000, got '0'"),
                               (("--filters", ""), "--filters must not be empty, got ''")):
        equal(cnnview(path, *arguments, code=2)[1], f"cnnview: error: {message}\ntry 'cnnview --help'\n")
    for code, arguments, message in (
            (2, ("--filters", "a"), "--filters a: error: no layer 'a'; did you mean 'A'?"),
            (2, ("--filters", "nothing\n"), "--filters nothing\\x0A: error: no layer 'nothing\\x0A'; the summary lists them"),
            (2, ("--filters", "P"), "--filters P: error: maxpool layers have no filters; these have: A, B, F, out"),
            (2, ("--activations", "x", "--layer", "outt"), "--layer outt: error: no layer 'outt'; did you mean 'out'?"),
            (2, ("--saliency", "x", "--method", "gradcan"), "--method:1:1: error: unknown method 'gradcan'; did you mean 'gradcam'?"),
            (2, ("--saliency", "x", "--method", "occlusion: {size: 0}"), "--method:1:19: error: 'size' must be 1 to 16384, got 0"),
            (2, ("--saliency", "x", "--method", "gradient: 3"), "error: 'gradient' takes no value"),
            (2, ("--saliency", "x", "--method", "[guided]"), "--method:1:1: error: "),
            (2, ("--saliency", DIGITS + ":0", "--method", "gradcam: F"),
             "--method gradcam: error: layer 'F' gives a vector: it has no maps to weigh"),
            (2, ("--saliency", DIGITS + ":0", "--method", "gradcam: G"), "--method gradcam: G: error: no layer 'G'"),
            (2, ("--saliency", DIGITS + ":0", "--class", "10"), "--class 10: error: no class '10'; did you mean '0'?"),
            (2, ("--maximize", "A:4"), "--maximize A:4: error: layer 'A' has units 0 to 3"),
            (2, ("--maximize", "out:ten"), "--maximize out:ten: error: layer 'out' has units 0 to 9"),
            (2, ("--maximize", "A:"), "--maximize A:: error: layer 'A' has units 0 to 3"),
            (2, ("--maximize", "C:1"), "--maximize C:1: error: no layer 'C'"),
            (2, ("--top-patches", "A", "--data", DIGITS), "--top-patches A: error: a unit is meant: LAYER:UNIT, as in 'A:0'"),
            (2, ("--top-patches", "A:-1", "--data", DIGITS), "--top-patches A:-1: error: layer 'A' has units 0 to 3"),
            (4, ("--top-patches", "A:1", "--data", "inside.yaml"), "inside.yaml:@0: error: "),
            (6, ("--embed", "none"), "none: error: cannot open"),
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
    run_tests([filters, filters_deep, filters_colour, activations, saliency_gradient, saliency_rules,
               deconvnet_switches, gradcam, occlusion, maximize, top_patches, embed, embed_by_scikit_learn, same_bytes,
               messages])
