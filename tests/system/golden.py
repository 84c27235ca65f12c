#!/usr/bin/env python3
"""golden.py: the pictures of cnnview, against those of tests/golden, pixel by pixel. Prints TAP.

They show tests/golden/model.bin, a small relu network whose weights are kept there, and images of data/digits, so no
training has a part in them. After a change that is meant, `tests/system/golden.py --renew` draws them anew: look at
what git then says has changed, and at the pictures. The model itself was made by
    bin/cnntrain tests/golden/model.yaml -o DIRECTORY
and need not be made again: another libm or compiler may train it to other last bits.

What may differ: nothing on CPU levels with fused multiply-add, AVX2 and AVX-512, which do the same operations in the same
order. The generic level rounds each product, so a colour may be NEAR grey levels off. The machine's libm has a part in
--embed alone, whose search begins with cosines and ends at axes known to some 14 digits, where a hundredth of a pixel
takes 5: that calls for no tolerance. Figures in captions have 4 digits or fewer."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from png import read_png, write_png  # noqa: E402
from runs import BIN, DIGITS, ROOT, Skip, environment, equal, read_bytes, run_tests  # noqa: E402

GOLDEN = os.path.join(ROOT, "tests", "golden")
RENEW = "tests/system/golden.py --renew"
NEAR = 2
SET = os.path.relpath(DIGITS, ROOT)
IMAGE = f"{SET}:5"
METHODS = ("gradient", "guided", "deconvnet", "gradcam", "occlusion")
PICTURES = {"filters-first": ("--filters", "A"), "filters-deep": ("--filters", "B"), "activations": ("--activations", IMAGE),
            "activations-layer": ("--activations", IMAGE, "--layer", "B"),
            **{f"saliency-{method}": ("--saliency", IMAGE, "--method", method) for method in METHODS},
            "maximize": ("--maximize", "out"), "top-patches": ("--top-patches", "B:2", "--data", SET), "embed": ("--embed", SET)}
LEVELS = {"avx512": {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx2", "fma"}, "avx2": {"avx2", "fma"}, "generic": set()}


def golden(name):
    return os.path.join(GOLDEN, name + ".png")


def levels():
    """Those of this CPU, the highest first."""
    flags = set(read_bytes("/proc/cpuinfo").decode().split()) if os.path.exists("/proc/cpuinfo") else set()
    return [level for level, needs in LEVELS.items() if needs <= flags]


def draw(name, level, path):
    """Run at the root, as a picture may name its image's path."""
    done = subprocess.run([os.path.join(BIN, "cnnview"), os.path.join(GOLDEN, "model.bin"), *PICTURES[name], "-o", path],
                          capture_output=True, text=True, timeout=100, check=False, cwd=ROOT,
                          env=environment(CNNTRAIN_CPU=level))
    assert done.returncode == 0, f"{name}: exit {done.returncode}:\n{done.stderr}"


def compare(name, got, want, near, where):
    """Pictures as read_png gives them; near: by how much a channel may differ."""
    equal(got[:2], want[:2], f"{name}, {where}: width and height (if that is meant: {RENEW})")
    off, most = [], 0
    for y, (row, wanted) in enumerate(zip(got[2], want[2])):
        if row != wanted:
            steps = [max(abs(row[3 * x + k] - wanted[3 * x + k]) for k in range(3)) for x in range(got[0])]
            most = max(most, *steps)
            off += [(x, y) for x, step in enumerate(steps) if step > near]
    if off:
        x, y = off[0]
        raise AssertionError(
            f"{name}, {where}: {len(off)} of {got[0] * got[1]} pixels are more than {near} grey levels off, by up to {most}; "
            f"the first at x {x}, y {y}: {list(got[2][y][3 * x:3 * x + 3])}, golden {list(want[2][y][3 * x:3 * x + 3])}. "
            f"Golden is tests/golden/{name}.png; if the change is meant: {RENEW}")


def test_of(name):
    def test():
        want, seen = read_png(golden(name)), {}
        for level in levels():
            draw(name, level, os.path.abspath("got.png"))
            data = read_bytes("got.png")
            if data not in seen:  # reading a picture takes longer than drawing it
                seen[data] = read_png("got.png")
            compare(name, seen[data], want, NEAR if level == "generic" else 0, level)
            if level == "avx2":
                assert len(seen) == 1, f"{name}: other bytes with AVX2 than with AVX-512"
    test.__doc__ = f"{name}: cnnview {' '.join(PICTURES[name])}"
    return test


def told():
    """what is said of a pixel that differs"""
    name = "filters-first"
    width, height, rows = want = read_png(golden(name))
    other = [bytearray(row) for row in rows]
    other[7][3 * 5 + 1] ^= 3
    other[9][3 * 4] ^= 128
    compare(name, (width, height, other[:7] + rows[7:9] + rows[9:]), want, 0, "here")
    for near, count, first in ((0, 2, "x 5, y 7"), (NEAR, 1 + (abs(other[7][16] - rows[7][16]) > NEAR), None)):
        try:
            compare(name, (width, height, other), want, near, "here")
        except AssertionError as error:
            assert f"{name}, here: {count} of {width * height} pixels" in str(error), error
            assert first is None or first in str(error), error
            assert RENEW in str(error), error
        else:
            raise AssertionError(f"nothing is said of {count} pixels")


def all_there():
    """each picture has its golden file, and each file its picture"""
    equal(sorted(file for file in os.listdir(GOLDEN) if file.endswith(".png")), sorted(f"{name}.png" for name in PICTURES))


def all_levels():
    """this CPU has all levels"""
    missing = [level for level in LEVELS if level not in levels()]
    if missing:
        raise Skip(f"no {' and no '.join(missing)} here")


def renew():
    level = levels()[0]
    if level == "generic":
        sys.exit("golden.py: error: the golden pictures are those of AVX2 or AVX-512, which this CPU lacks")
    for name in PICTURES:
        draw(name, level, golden(name))
        width, height, rows = read_png(golden(name))
        write_png(golden(name), width, height, b"".join(rows))  # in fewer bytes than cnnview's
        print(f"tests/golden/{name}.png")


if __name__ == "__main__":
    if not os.path.isdir(DIGITS):
        raise Skip("no digits")
    if sys.argv[1:] == ["--renew"]:
        renew()
    elif sys.argv[1:]:
        sys.exit(f"usage: {RENEW.split()[0]} [--renew]")
    else:
        run_tests([*map(test_of, PICTURES), told, all_there, all_levels])
