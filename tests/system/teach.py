#!/usr/bin/env python3
"""teach.py: what cnnview --explain says, against the lecture's worked examples and sums of our own. Prints TAP."""
import math
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from png import write_png  # noqa: E402
from runs import (BIN, DIGITS, ROOT, cnntrain, environment, equal, read_model, run_tests, write, write_weights,  # noqa: E402
                  write_idx, read_idx)


def run(program, *arguments, code=0, directory=None):
    """(stdout, stderr)"""
    done = subprocess.run([os.path.join(BIN, program), *map(str, arguments)], capture_output=True, text=True,
                          timeout=100, env=environment(), check=False, cwd=directory)
    assert done.returncode == code, f"{program} {arguments}: exit {done.returncode}, not {code}:\n{done.stderr}"
    return done.stdout, done.stderr


def cnnview(*arguments, **more):
    return run("cnnview", *arguments, **more)


def row(out, what, which=0):
    """The value of a step."""
    return [float(value) for value in re.findall(rf"^{re.escape(what)} +(-?\d\S*)", out, re.M)][which]


# ---- the lecture ----

# x, w, b, y of the three worked examples: stride and padding are 1 and 0 in A, 2 and 1 in B and C.
A = ([[[0, 1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 0, 0],
       [0, 0, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0]]],
     [[[[1, 0, 1], [0, 1, 0], [1, 0, 1]]]], [0],
     [[[1, 4, 3, 4, 1], [1, 2, 4, 3, 3], [1, 2, 3, 4, 1], [1, 3, 3, 1, 1], [3, 3, 1, 1, 0]]], 1, 0)
B = ([[[0, 1, 1, 1, 1], [1, 2, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 1, 0, 0, 0]]],
     [[[[-1, 1, 0], [-1, 0, -1], [-1, 1, 0]]], [[[0, -1, -1], [-1, 1, 1], [1, -1, 1]]]], [1, 0],
     [[[1, -2, 0], [2, 0, 0], [0, 0, 0]], [[2, 3, 0], [-2, -1, 0], [1, -2, 0]]], 2, 1)
C = ([[[1, 2, 0, 0, 0], [2, 2, 0, 0, 0], [2, 2, 2, 1, 0], [1, 0, 0, 2, 0], [1, 1, 0, 1, 0]],
      [[1, 0, 0, 1, 0], [1, 0, 0, 0, 1], [0, 0, 1, 2, 0], [0, 1, 0, 1, 0], [1, 1, 1, 1, 2]],
      [[0, 0, 2, 2, 2], [1, 2, 2, 2, 0], [1, 1, 1, 1, 0], [1, 2, 0, 0, 0], [2, 2, 2, 1, 0]]],
     [[[[0, 0, -1], [-1, 0, 0], [-1, -1, -1]], [[1, 1, -1], [0, 0, 0], [-1, 1, 1]],
       [[-1, -1, -1], [0, 1, 1], [0, -1, 0]]],
      [[[-1, 0, 0], [1, -1, -1], [0, 0, -1]], [[-1, 0, 1], [1, -1, 1], [-1, 0, 1]],
       [[-1, -1, -1], [-1, 1, -1], [0, 1, -1]]]], [1, 0],
     [[[-3, -1, 4], [-2, -7, -4], [1, -1, 1]], [[-7, 3, 1], [-7, -11, -1], [-4, -2, -4]]], 2, 1)


def flat(values):
    return [v for value in values for v in flat(value)] if isinstance(values, list) else [values]


def write_example(example):
    """lecture.yaml: the example's image, kernels and biases; behind the convolution the layers that the slides show."""
    x, w, b, _, stride, padding = example
    c, size = len(x), len(x[0])
    write_idx("x-images-idx4-ubyte", (2, c, size, size), flat(x) * 2)
    write_idx("x-labels-idx1-ubyte", (2,), [0, 1])
    write_weights("w.safetensors", {"C1.weight": ([len(w), c, 3, 3], flat(w)), "C1.bias": ([len(b)], b)})
    write("lecture.yaml", f"""\
data: {{train: x-images-idx4-ubyte, normalize: none}}
network:
  - conv: {{name: C1, filters: {len(w)}, kernel: 3, stride: {stride}, padding: {padding}}}
  - relu
  - maxpool: {{size: 2, stride: 2}}
  - dense: 2
initialize: {{from: w.safetensors, layers: [C1]}}
train: {{batch_size: 2}}
""")


def lecture():
    """each output of the lecture's examples, by its patches, products, sum and bias"""
    for name, example in (("A", A), ("B", B), ("C", C)):
        write_example(example)
        for channel, rows in enumerate(example[3]):
            for y, values in enumerate(rows):
                for x, value in enumerate(values):
                    out, _ = cnnview("--explain", "conv", "--config", "lecture.yaml", "--layer", "C1", "--at",
                                     f"{y},{x}", "--channel", channel)
                    bias = example[2][channel]
                    equal((row(out, "sum of the products"), row(out, "bias"), row(out, "output: sum + bias")),
                          (value - bias, bias, value), f"example {name}, {channel}, {y}, {x}")
                    assert re.search(rf"the network's own output +{value}   equal\n", out), out


def lecture_text():
    """the first output of the lecture's example with two kernels, as the slide has it"""
    write_example(B)
    out, _ = cnnview("--explain", "conv", "--config", "lecture.yaml", "--at", "0,0")
    equal(out, """\
conv 'C1', 1x5x5 -> 2x3x3: output channel 0, row 0, column 0
output = sum of patch x kernel + bias

input channel 0, rows -1 to 1, columns -1 to 1  (. is padding):
      patch        kernel        products
     .  .  .     -1   1   0      0   0   0
     .  0  1  x  -1   0  -1  =   0   0  -1
     .  1  2     -1   1   0      0   1   0
    0 x (-1) + 0 x 1 + 0 x 0 +
    0 x (-1) + 0 x 0 + 1 x (-1) +
    0 x (-1) + 1 x 1 + 2 x 0 = 0

sum of the products                           0
bias                                          1
output: sum + bias                            1
the network's own output                      1   equal
""")
    out, _ = cnnview("--explain", "maxpool", "--config", "lecture.yaml", "--at", "0,0", "--channel", 1)
    equal((row(out, "in row"), row(out, "in column"), row(out, "output: the greatest")), (0, 1, 3), "maxpool")
    out, _ = cnnview("--explain", "relu", "--config", "lecture.yaml", "--at", "0,1")
    equal((row(out, "x"), row(out, "output")), (-2, 0), "relu")


# ---- a trained model ----

def convolve(x, w, b, padding):
    """Planes x[c][h][w] by w[oc][c][kh][kw], stride 1, in double."""
    h, width, kh, kw = len(x[0]), len(x[0][0]), len(w[0][0]), len(w[0][0][0])
    return [[[b[o] + sum(x[c][y + i - padding][k + j - padding] * w[o][c][i][j]
                         for c in range(len(x)) for i in range(kh) for j in range(kw)
                         if 0 <= y + i - padding < h and 0 <= k + j - padding < width)
              for k in range(width + 2 * padding - kw + 1)] for y in range(h + 2 * padding - kh + 1)]
            for o in range(len(w))]


def shaped(shape, values):
    if len(shape) == 1:
        return list(values)
    step = len(values) // shape[0]
    return [shaped(shape[1:], values[i * step:(i + 1) * step]) for i in range(shape[0])]


def model():
    """a model's second convolution and what is behind it, against sums from the tensors in the file"""
    write("net.yaml", f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz}}
network:
  - conv: {{filters: 5, kernel: 3, padding: 1, activation: relu}}
  - conv: {{filters: 6, kernel: [2, 3], padding: 0}}
  - batchnorm
  - avgpool: 2
  - dense: {{units: 10, name: out}}
train: {{epochs: 1}}
""")
    cnntrain("-q", "net.yaml", "-o", "run")
    metadata, tensors = read_model("run/model.bin")
    t = {name: shaped(shape, values) for name, (shape, values) in tensors.items()}
    (_, height, width), pixels = read_idx(os.path.join(DIGITS, "train-images-idx3-ubyte.gz"))
    _, _, _, scale, mean, std = map(float, metadata["input"].split())
    image = [[(pixels[(7 * height + y) * width + x] * scale - mean) / std for x in range(width)] for y in range(height)]
    hidden = [[[max(v, 0) for v in line] for line in plane]
              for plane in convolve([image], t["conv1.weight"], t["conv1.bias"], 1)]
    conv2 = convolve(hidden, t["conv2.weight"], t["conv2.bias"], 0)
    normal = [[[(v - t["batchnorm1.running_mean"][c]) / (t["batchnorm1.running_var"][c] + 1e-5) ** 0.5 *
                t["batchnorm1.weight"][c] + t["batchnorm1.bias"][c] for v in line] for line in plane]
              for c, plane in enumerate(conv2)]
    pooled = [[[sum(plane[2 * y + i][2 * x + j] for i in (0, 1) for j in (0, 1)) / 4 for x in range(3)]
               for y in range(3)] for plane in normal]
    out = [b + sum(v * k for v, k in zip(flat(pooled), w)) for w, b in zip(t["out.weight"], t["out.bias"])]
    explain = ("run/model.bin", "--image", f"{DIGITS}/train-images-idx3-ubyte.gz:7", "--explain")

    def check(got, want, what):
        assert abs(got - want) < 1e-5 * (1 + abs(want)), f"{what}: got {got}, want {want}"

    for channel, y, x in ((0, 0, 0), (3, 4, 2), (5, 6, 5)):
        at = ("--channel", channel, "--at", f"{y},{x}")
        text = cnnview(*explain, "conv", "--layer", "conv2", *at)[0]
        check(row(text, "output: sum + bias"), conv2[channel][y][x], "conv2")
        check(row(text, "the network's own output"), conv2[channel][y][x], "conv2's own")
        assert "5 input channels; the 3 with the strongest sums" in text and "sums of all channels:" in text, text
        everything = cnnview(*explain, "conv", "--layer", "conv2", *at, "-v")[0]
        sums = [float(v) for v in re.findall(r"sum of channel \d: (\S+)", everything)]
        check(sum(sums) + t["conv2.bias"][channel], conv2[channel][y][x], "sums of the channels")
        check(row(cnnview(*explain, "batchnorm", *at)[0], "output"), normal[channel][y][x], "batchnorm")
    text = cnnview(*explain, "avgpool", "--channel", 2, "--at", "1,2")[0]
    check(row(text, "output: sum / values"), pooled[2][1][2], "avgpool")
    text = cnnview(*explain, "conv", "--channel", 1, "--at", "3,3")[0]
    check(row(text, "the network's own output", 1), hidden[1][3][3], "relu of conv1")
    text = cnnview(*explain, "dense", "--channel", 4)[0]
    check(row(text, "output: sum + bias"), out[4], "dense")
    # without --at: where it is greatest
    text = cnnview(*explain, "avgpool", "--channel", 3)[0]
    check(row(text, "the network's own output"), max(flat(pooled[3])), "the greatest")


EVERY_TYPE = f"""\
data: {{train: {DIGITS}/train-images-idx3-ubyte.gz}}
network:
  - conv: {{filters: 6, kernel: 3, stride: [1, 2], dilation: [2, 1], padding: same, activation: {{type: elu, alpha: 0.5}}}}
  - conv: {{filters: 6, kernel: 3, groups: 3, padding: 1, bias: false}}
  - conv: {{filters: 4, kernel: 1, connections: [[0, 2], [1], [0, 1, 2], [5]]}}
  - batchnorm: {{affine: false}}
  - subsample: [1, 2]
  - maxpool: {{size: 3, stride: 2, padding: same}}
  - avgpool: {{size: 2, stride: 1, padding: 1, count_padding: false}}
  - reshape: [4, 10]
  - conv1d: {{filters: 20, kernel: 2, padding: 1, activation: gelu}}
  - maxpool1d: 2
  - avgpool1d: {{size: 2, stride: 1}}
  - global_avgpool
  - dense: {{units: 12, bias: false, activation: scaled_tanh}}
  - dropout: 0.5
  - leaky_relu
  - global_maxpool
  - silu
  - softplus
  - sigmoid
  - tanh
  - relu
  - dense: 10
"""


def every_type():
    """every type that can be explained: its steps come to what the layer computes"""
    write("net.yaml", EVERY_TYPE.replace("  - dense: 10\n", "  - dense: {units: 84, activation: tanh}\n  - rbf: digits\n"))
    _, err = cnnview("--explain", "flatten", "--config", "net.yaml", code=2)
    types = re.search(r"must be one of (.*), got 'flatten'", err)[1].split(", ")
    assert len(types) >= 18, err
    for name in types:
        for image in (0, 5):
            out = cnnview("--explain", name, "--config", "net.yaml", "--image", image, "-v")[0]
            assert "the network's own output" in out, f"{name}: {out}"
    for layer in ("conv2", "conv3"):
        for channel in range(4):
            for at in ("0,0", "7,3", "3,2"):
                cnnview("--explain", "conv", "--config", "net.yaml", "--layer", layer, "--channel", channel, "--at", at)
    out = cnnview("--explain", "conv", "--config", "net.yaml", "--layer", "conv2", "--channel", 5)[0]
    equal(re.findall(r"input channel (\d)", out), ["4", "5"], "the channels of a group")


def messages():
    """what is not there cannot be explained"""
    write("net.yaml", EVERY_TYPE)
    cnntrain("-q", "net.yaml", "-o", "run", "-s", "train.epochs=0")
    config = ("--config", "net.yaml")
    images = f"{DIGITS}/train-images-idx3-ubyte.gz"
    for arguments, code, message in (
            (("--explain", "conf", *config), 2, "--explain must be one of conv, conv1d, maxpool"),
            (("--explain", "lrn", *config), 2, "got 'lrn'"),
            (("--explain", "conv", *config, "--layer", "conv9"), 2, "no layer 'conv9'; did you mean 'conv1'?"),
            (("--explain", "conv", *config, "--layer", "\x1b"), 2, "the network has no layer '\\x1B'"),
            (("--explain", "conv", *config, "--layer", "dense1"), 2, "layer 'dense1' is of type dense, not conv"),
            (("--explain", "conv", *config, "-s", "network=[dense: 10]"), 2, "the network has no conv to explain"),
            (("--explain", "conv", *config, "--at", "8,0"), 2, "the output of 'conv1', 0,0 to 7,3, got '8,0'"),
            (("--explain", "conv", *config, "--at", "-1,0"), 2, "got '-1,0'"),
            (("--explain", "conv", *config, "--at", "1,2,3"), 2, "got '1,2,3'"),
            (("--explain", "conv", *config, "--at", "a"), 2, "got 'a'"),
            (("--explain", "conv", *config, "--channel", "6"), 2, "--channel must be 0 to 5"),
            (("--explain", "conv", *config, "--image", "1438"), 4, "there are images 0 to 1437, and no 1438"),
            (("--explain", "conv", *config, "--image", "none.png"), 4, "none.png: error: cannot open"),
            (("--explain", "conv", *config, "--image", "net.yaml"), 4, "net.yaml:@0: error: not a PNG or JPEG"),
            (("--explain", "conv", *config, "--image", "nowhere:0"), 6, "nowhere: error: cannot open"),
            (("--explain", "conv", "--config", "none.yaml"), 6, "none.yaml: error: cannot open"),
            (("--explain", "conv", *config, "-s", "train.epochs=x"), 3, "must be"),
            (("--explain", "conv", *config, "run/model.bin"), 2, "unexpected argument 'run/model.bin'"),
            (("--explain", "conv"), 2, "MODEL is missing"),
            (("--explain", "conv", "run/model.bin"), 2, "--explain of a model needs --image FILE or --image SET:N"),
            (("--explain", "conv", "run/model.bin", "--image", f"{images}:9999"), 4, "there are images 0 to 1437, and no 9999"),
            (("--explain", "conv", "net.yaml", "--image", f"{images}:0"), 5, "net.yaml"),
            (("--at", "0,0", "run/model.bin"), 2, "--at goes with --explain"),
            (("--layer", "conv1", "run/model.bin"), 2, "--layer goes with --activations"),
            (("--image", "x.png", "run/model.bin"), 2, "--image goes with --explain"),
            (("--channel", "1", "run/model.bin"), 2, "--channel goes with --explain"),
            (config, 2, "--config goes with --explain"),
            (("--explain", "conv", "--augment", "net.yaml"), 2, "--explain draws nothing: give it alone"),
            (("--explain", "conv", *config, "-o", "x.png"), 2, "--explain draws nothing: there is no --output")):
        out, err = cnnview(*arguments, code=code)
        assert message in err and out == "", (arguments, err, out)


# ---- the loss ----

def loss_rows(out):
    """{class: (z, e^z, softmax)}"""
    return {name: tuple(map(float, values)) for name, *values in re.findall(r"^(\S+) +(-?\d\S*) +(\d\S*) +(\d\S*)$", out, re.M)}


def softmax():
    """softmax and cost, against sums from the logits that --explain dense finds"""
    write("net.yaml", f"data: {{train: {DIGITS}/train-images-idx3-ubyte.gz}}\nnetwork: [dense: {{units: 7, activation: relu}}, "
                      f"dense: 10]\n")
    config = ("--config", "net.yaml", "--image", 4)
    out, _ = cnnview("--explain", "cross_entropy", *config)
    rows = loss_rows(out)
    equal(sorted(rows), [str(k) for k in range(10)], "classes")
    logits = [row(cnnview("--explain", "dense", "--layer", "dense2", "--channel", k, *config)[0], "output: sum + bias")
              for k in range(10)]
    total = sum(map(math.exp, logits))
    label = read_idx(f"{DIGITS}/train-labels-idx1-ubyte.gz")[1][4]
    for k, z in enumerate(logits):
        for got, want in zip(rows[str(k)], (z, math.exp(z), math.exp(z) / total)):
            assert math.isclose(got, want, rel_tol=1e-5), (k, rows[str(k)], z)
    assert re.search(rf"^right class +{label}$", out, re.M), out
    assert math.isclose(row(out, "cross-entropy: -ln of it"), -math.log(math.exp(logits[label]) / total), rel_tol=1e-5), out
    assert "the network's own probabilities  equal but for the rounding of floats" in out, out


def softmax_shifted():
    """outputs too large for e^z are shifted; of many classes the most probable and the right one are shown"""
    count = 30
    write_idx("x-images-idx3-ubyte", (count, 1, 1), [255] * count)
    write_idx("x-labels-idx1-ubyte", (count,), range(count))
    write_weights("w.safetensors", {"dense1.weight": ([count, 1], [0] * count), "dense1.bias": ([count], range(0, 50 * count, 50))})
    write("net.yaml", f"data: {{train: x-images-idx3-ubyte, normalize: none}}\nnetwork: [dense: {count}]\ntrain: {{batch_size: 4}}\n"
                      f"initialize: {{from: w.safetensors}}\n")
    config = ("--config", "net.yaml", "--image", 2)
    out, _ = cnnview("--explain", "cross_entropy", *config)
    rows = loss_rows(out)
    equal(sorted(map(int, rows)), [2, *range(20, 30)], "classes")
    equal((rows["29"], rows["28"][0]), ((1450.0, 1.0, 1.0), 1400.0), "the greatest, and the next")
    assert "m, the greatest z, is taken from each" in out and "and 19 less probable ones (--verbose: all)" in out, out
    equal(row(out, "cross-entropy: -ln of it"), 1350.0, "cost")
    equal(len(loss_rows(cnnview("--explain", "cross_entropy", "-v", *config)[0])), count, "all classes")
    for arguments, message in (
            (("softmax",), "got 'softmax'; softmax is in the loss: cross_entropy or focal or map"), (("mse",), "got 'mse'"),
            (("focal",), "the network's loss is cross_entropy, not focal"),
            (("cross_entropy", "--at", "0,0"), "--layer, --at and --channel are of a layer, and cross_entropy is a loss")):
        _, err = cnnview("--explain", *arguments, *config, code=2)
        assert message in err, err
    cnntrain("-q", "net.yaml", "-o", "run", "-s", "train.epochs=0")
    write_png("x.png", 1, 1, bytes(3))
    out, _ = cnnview("--explain", "cross_entropy", "run/model.bin", "--image", "x.png")
    assert "right class" not in out and "sum of all" in out, out


# ---- cnntrain --gradcheck ----

def gradcheck(*arguments, **more):
    """{tensor: (checked, faint, verdict)}"""
    out, err = run("cnntrain", "--gradcheck", *arguments, **more)
    rows = re.findall(r"^(\S+\.\S+) +[\d,]+ +(\d+) +(\d+) +\d+ .*  (ok|zero|WRONG|frozen|nothing)", out, re.M)
    assert rows, out
    return {name: (int(checked), int(faint), verdict) for name, checked, faint, verdict in rows}, out, err


LARGE = {"mnist-best.yaml", "fashion.yaml", "fashion-small.yaml"}  # they take from 5 to 60 s


def shipped_gradients():
    """the gradients of every config that ships, is no large one, and whose data are there, are right, at the start and after
    an epoch"""
    names = [os.path.relpath(os.path.join(folder, name), ROOT) for folder, _, files in os.walk(os.path.join(ROOT, "configs"))
             for name in sorted(files)]
    seen = 0
    for name in names:
        if "fine-tuning" in name:
            continue  # of a model that is not there; below, others begin with one
        if os.path.basename(name) in LARGE:
            continue
        with open(os.path.join(ROOT, name), encoding="utf-8") as file:
            sets = re.findall(r"data/[\w/.-]+", file.read())
        if not all(os.path.exists(os.path.join(ROOT, path)) for path in sets):
            continue
        rows, out, _ = gradcheck(name, directory=ROOT)
        good = [row for row in rows.values() if row[2] == "ok"]
        assert not any(row[2] == "WRONG" for row in rows.values()) and good, out
        # layers.yaml begins with zeros in its last layer, so all gradients before it are 0
        if "layers.yaml" not in name:
            assert len(good) >= len(rows) - 2, f"{name}: {out}"
        seen += 1
    assert seen >= 14, seen
    here = os.getcwd()
    for name in ("digits.yaml", "reference/layers.yaml"):
        done = os.path.join(here, "run")
        run("cnntrain", "-q", f"configs/{name}", "-o", done, "-s", "train.epochs=1", "-s", "data.limit=500", "--fresh",
            directory=ROOT)
        rows, out, _ = gradcheck(f"configs/{name}", "-s", f"initialize.from={done}/model.bin", directory=ROOT)
        good = [row for row in rows.values() if row[2] == "ok"]
        assert not any(row[2] == "WRONG" for row in rows.values()) and len(good) > 0.7 * len(rows), out


def gradient_check():
    """its table: frozen layers, the same for any number of threads, nothing written"""
    write("net.yaml", EVERY_TYPE.replace("units: 12,", "units: 12, freeze: true,"))
    rows, out, _ = gradcheck("net.yaml")
    equal(rows["dense1.weight"], (0, 0, "frozen"), "frozen")
    equal(rows["conv1.weight"][0], 12, "checked")
    assert "frozen: does not move" in out and "kinks: " in out and "16 samples of the first batch" in out, out
    for threads in (1, 3):
        equal(gradcheck("net.yaml", "-t", threads)[1], out, f"{threads} threads")
    equal(os.listdir("."), ["net.yaml"], "files")
    assert "3 samples of the first batch" in gradcheck("net.yaml", "-s", "train.batch_size=3")[1]
    for option in ("--dry-run", "--resume", "--fresh", "--profile"):
        _, err = run("cnntrain", "--gradcheck", option, "net.yaml", code=2)
        assert f"--gradcheck does not train: {option} cannot be combined with it" in err, err
    _, err = run("cnntrain", "--gradcheck", "--check-data", "net.yaml", code=2)
    assert "--check-data and --gradcheck cannot be combined" in err, err
    _, err = run("cnntrain", "--gradcheck", "none.yaml", code=6)
    assert "none.yaml: error: cannot open" in err, err
    write_weights("huge.safetensors", {"dense2.bias": ([10], [3e38] * 5 + [-3e38] * 5)})
    out, err = run("cnntrain", "--gradcheck", "net.yaml", "-s", "initialize.from=huge.safetensors", code=8)
    assert "the loss or a gradient is not finite" in err and out == "", err


if __name__ == "__main__":
    run_tests([lecture_text, lecture, model, every_type, messages, softmax, softmax_shifted, gradient_check, shipped_gradients])
