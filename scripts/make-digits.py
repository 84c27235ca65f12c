#!/usr/bin/env python3
"""Make data/digits from the UCI digits as scikit-learn ships them.

usage: make-digits.py digits.csv.gz [DIR]

The CSV has 1,797 rows: 64 pixels (8 x 8, row by row, 0..16), then the label. Every fifth row (index % 5 == 4) goes to
the test set, the others to the training set, in the CSV's order. Pixels are stretched to 0..255: round(v * 255 / 16).
The same input gives the same four files. Needs only Python's standard library.
"""
import csv
import gzip
import os
import struct
import sys


def write_idx(path, dimensions, values):
    header = struct.pack(">BBBB", 0, 0, 0x08, len(dimensions))
    header += struct.pack(">%dI" % len(dimensions), *dimensions)
    with open(path, "wb") as file:
        # No name and no time in the gzip header, so that the bytes are always the same.
        with gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(header + bytes(values))


def write_set(directory, name, rows):
    labels = [row[64] for row in rows]
    pixels = [int(value * 255 / 16 + 0.5) for row in rows for value in row[:64]]
    write_idx(os.path.join(directory, name + "-images-idx3-ubyte.gz"), [len(rows), 8, 8], pixels)
    write_idx(os.path.join(directory, name + "-labels-idx1-ubyte.gz"), [len(rows)], labels)
    print("%s: %d images" % (name, len(rows)))


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    directory = sys.argv[2] if len(sys.argv) == 3 else "data/digits"
    with gzip.open(sys.argv[1], "rt", newline="") as file:
        rows = [[int(float(value)) for value in row] for row in csv.reader(file)]
    for number, row in enumerate(rows, 1):
        if len(row) != 65 or not all(0 <= v <= 16 for v in row[:64]) or not 0 <= row[64] <= 9:
            sys.exit("%s:%d: error: not 64 pixels of 0..16 and a label of 0..9" % (sys.argv[1], number))
    os.makedirs(directory, exist_ok=True)
    write_set(directory, "train", [row for i, row in enumerate(rows) if i % 5 != 4])
    write_set(directory, "t10k", [row for i, row in enumerate(rows) if i % 5 == 4])


main()
