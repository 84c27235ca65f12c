"""numbers.py: data and rates that break careless arithmetic (group V), whole runs; and models that meet other classes
than theirs (Q04)."""
import random
import struct

from cases.base import NAME, edited
from cases.formats import idx, images, labels, png
from cases.harness import Case

STOP = ("  early_stopping: {monitor: val_loss, patience: 2, min_delta: 0, restore_best: true}\n", "")
WHOLE = ("  validation: 0.25\n", "")
PLAIN = ("train-images-idx3-ubyte.gz", "train-images-idx3-ubyte")
SIZE = 64 * 784


def data(pixels, tags=labels(64)):
    return {"train-images-idx3-ubyte": pixels, "train-labels-idx1-ubyte": tags}


def run(name, edits, files=None, code=0, faults=(), **more):
    return Case(name, code, list(faults), ["cnntrain", "-q", NAME], {NAME: edited(PLAIN, *edits).encode(), **(files or {})},
                writes=True, **more)


def numbers():
    norm = ("  - relu\n", "  - batchnorm\n  - relu\n")
    # Pixels of 1e32 and more: their variance is beyond a float, all else is not.
    yield run("V02 a variance that is infinite, and a loss that is not",
              [("  validation: 0.25\n", "  normalize: {mean: [0], std: [1.0e-30]}\n"), STOP, ("- conv: {", "- batchnorm\n  - conv: {")],
              code=8, faults=[("run/checkpoint.bin", "not written: value 0 of 'batchnorm1.running_var' is not finite")],
              lacks=["run/model.bin"])
    black = idx([64, 28, 28], bytes(SIZE))
    yield run("V03b a whole run on black images", [norm], data(black), makes=["run/model.bin"])
    flat = bytearray(images(64))
    for i in range(SIZE):
        if i % 28 == 5:
            flat[16 + i] = 77
    yield run("V04 a column that is the same in all images", [norm], data(bytes(flat)), makes=["run/model.bin"])
    yield run("V05 two images in batches of two", [WHOLE, STOP, norm, ("batch_size: 16", "batch_size: 2"), ("dense: 10", "dense: 2")],
              {"train-images-idx3-ubyte": images(2), "train-labels-idx1-ubyte": labels(2), "t10k-images-idx3-ubyte.gz": images(2),
               "t10k-labels-idx1-ubyte.gz": labels(2)}, makes=["run/model.bin"])
    yield run("V06 the last batch has one image, for batchnorm of maps", [WHOLE, STOP, norm, ("batch_size: 16", "batch_size: 63")],
              makes=["run/model.bin"])
    chance = random.Random(7)
    noise = idx([64, 28, 28], bytes(chance.randrange(256) for _ in range(SIZE)))
    yield run("V07 noise with labels by chance", [WHOLE, STOP, ("epochs: 1", "epochs: 3")],
              data(noise, idx([64], bytes(range(10)) + bytes(chance.randrange(10) for _ in range(54)))), makes=["run/model.bin"])
    yield Case("V12 classes without an image in the test set", 0, [], ["cnneval", "model.bin", "t-images"],
               {"t-images": images(3), "t-labels": labels(3)}, lacks_text="nan")


def immense(directory):
    """Images of 65,536 x 65,536 pixels, as many as the file says, which has no blocks."""
    with open(f"{directory}/one-images", "wb") as file:
        file.write(idx([1, 65536, 65536]))
        file.truncate(16 + 65536 * 65536)


def cases(_trained):
    tags = struct.pack(">64i", *[i % 10 for i in range(63)], 65535)
    yield Case("N15t label 65,535: as many classes as there may be", 3, [(NAME + ":11:5", "10 values, but there are 65536 classes")],
               ["cnntrain", NAME], {NAME: edited(PLAIN, WHOLE, STOP, ("seed: 1\n", "seed: 1\n\n")).encode(),
                                    **data(images(64), idx([64], tags, 12))})
    yield Case("N14 an image of 2^32 pixels", 4, [("one-images:@8", "an image of 4294967296 values; the most are 2147483647")], ["cnntrain", NAME],
               {NAME: edited(("train-images-idx3-ubyte.gz", "one-images")).encode(), "one-labels": labels(1)},
               prepare=immense)
    yield from numbers()
    white = png(bytes(784), 28, 28)
    yield Case("Q04 a folder of other classes", 5, [("set/dog", "class 'dog' is not one of the model's")], ["cnneval", "model.bin", "set"],
               {"set/3/a.png": white, "set/dog/a.png": white})
    yield Case("Q04t its classes in another order, and not all", 0, [], ["cnneval", "model.bin", "set"],
               {"set/7/a.png": white, "set/3/b.png": white}, says="accuracy")
    yield Case("Q04b a list with another class", 5, [("list.csv", "class 'dog' is not one of the model's")], ["cnneval", "model.bin", "list.csv"],
               {"3/a.png": white, "3/b.png": white, "list.csv": b"path,label\n3/a.png,3\n3/b.png,dog\n"})
