#!/usr/bin/env python3
"""Make data/lecture: the three convolutions that the lecture works out, and its three filters, as files that cnntrain reads.

usage: make-lecture.py [DIR]        (default: data/lecture)

example-a, -b and -c are an image each, twice, as a set wants at least two classes (labels 0 and 1), and the filters and biases of
its convolution as layer C1 of a safetensors file. filters.safetensors has the filters that smooth, find edges (Laplace) and find
vertical edges (Sobel). configs/tutorial says what is done with them. The bytes are always the same. Needs only Python's standard library.
"""
import json
import os
import struct
import sys

# name: image [channel][row][column], filters [filter][channel][row][column], biases
EXAMPLES = {
    "example-a": ([[[0, 1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0], [0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 1, 1, 0, 0],
                    [0, 0, 1, 1, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0]]],
                  [[[[1, 0, 1], [0, 1, 0], [1, 0, 1]]]],
                  [0]),
    "example-b": ([[[0, 1, 1, 1, 1], [1, 2, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 1, 0, 0, 0]]],
                  [[[[-1, 1, 0], [-1, 0, -1], [-1, 1, 0]]],
                   [[[0, -1, -1], [-1, 1, 1], [1, -1, 1]]]],
                  [1, 0]),
    "example-c": ([[[1, 2, 0, 0, 0], [2, 2, 0, 0, 0], [2, 2, 2, 1, 0], [1, 0, 0, 2, 0], [1, 1, 0, 1, 0]],
                   [[1, 0, 0, 1, 0], [1, 0, 0, 0, 1], [0, 0, 1, 2, 0], [0, 1, 0, 1, 0], [1, 1, 1, 1, 2]],
                   [[0, 0, 2, 2, 2], [1, 2, 2, 2, 0], [1, 1, 1, 1, 0], [1, 2, 0, 0, 0], [2, 2, 2, 1, 0]]],
                  [[[[0, 0, -1], [-1, 0, 0], [-1, -1, -1]], [[1, 1, -1], [0, 0, 0], [-1, 1, 1]],
                    [[-1, -1, -1], [0, 1, 1], [0, -1, 0]]],
                   [[[-1, 0, 0], [1, -1, -1], [0, 0, -1]], [[-1, 0, 1], [1, -1, 1], [-1, 0, 1]],
                    [[-1, -1, -1], [-1, 1, -1], [0, 1, -1]]]],
                  [1, 0]),
}
SMOOTH = [[0, 1 / 8, 0], [1 / 8, 4 / 8, 1 / 8], [0, 1 / 8, 0]]
LAPLACE = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
SOBEL = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]


def flat(values):
    return [v for value in values for v in flat(value)] if isinstance(values, list) else [values]


def write_idx(path, dimensions, values):
    with open(path, "wb") as file:
        file.write(struct.pack(">BBBB%dI" % len(dimensions), 0, 0, 0x08, len(dimensions), *dimensions) + bytes(values))


def write_layer(path, filters, biases):
    """A safetensors file: the length of a JSON header, the header, the numbers."""
    shape = [len(filters), len(filters[0]), 3, 3]
    weights, end = flat(filters), 4 * len(flat(filters))
    header = json.dumps({"C1.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, end]},
                         "C1.bias": {"dtype": "F32", "shape": [len(biases)], "data_offsets": [end, end + 4 * len(biases)]}}).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + struct.pack("<%df" % (len(weights) + len(biases)), *weights, *biases))


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] and sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    directory = sys.argv[1] if len(sys.argv) == 2 else "data/lecture"
    os.makedirs(directory, exist_ok=True)
    for name, (image, filters, biases) in EXAMPLES.items():
        path = os.path.join(directory, name)
        write_idx(path + "-images-idx4-ubyte", [2, len(image), len(image[0]), len(image[0][0])], flat(image) * 2)
        write_idx(path + "-labels-idx1-ubyte", [2], [0, 1])
        write_layer(path + ".safetensors", filters, biases)
    write_layer(os.path.join(directory, "filters.safetensors"), [[SMOOTH], [LAPLACE], [SOBEL]], [0, 0, 0])


main()
