"""formats.py: writes the files that the cases are made of, right and wrong: IDX, gzip, safetensors.

Shares no code with cnntrain: what is written here follows the formats' own descriptions (yann.lecun.com "IDX file
format", RFC 1952, the README of safetensors)."""
import json
import re
import struct
import zlib

CLASSES = 10
MARK = "¦"  # in a text: the fault stands here


def unmark(text):
    """`text` (str or bytes) without its marks, and their offsets in it."""
    mark = MARK.encode() if isinstance(text, bytes) else MARK
    parts = text.split(mark)
    offsets, length = [], 0
    for part in parts[:-1]:
        length += len(part)
        offsets.append(length)
    return text[:0].join(parts), offsets


def idx(dims, data=b"", code=8):
    return bytes([0, 0, code, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims) + data


def images(count, height=28, width=28, channels=None, seed=0):
    """Bars whose place says the class, so that there is something to learn; some noise for each."""
    planes = []
    for i in range(count):
        label = i % CLASSES
        for channel in range(channels or 1):
            row = bytearray(width)
            for x in range(width):
                row[x] = 250 if x * CLASSES // width == label else (i * 7 + x * 3 + channel + seed) % 11
            planes.append(bytes(row) * height)
    dims = [count, height, width] if channels is None else [count, channels, height, width]
    return idx(dims, b"".join(planes))


def labels(count):
    return idx([count], bytes(i % CLASSES for i in range(count)))


def deflate(data):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def bomb(data, mib):
    """One gzip member of `data` and many zeros, made without holding them."""
    packer, crc = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.crc32(data)
    packed, zeros = [packer.compress(data)], bytes(1 << 20)
    for _ in range(mib):
        packed.append(packer.compress(zeros))
        crc = zlib.crc32(zeros, crc)
    packed += [packer.flush(), struct.pack("<II", crc, (len(data) + (mib << 20)) & 0xFFFFFFFF)]
    return bytes.fromhex("1f8b0800000000000003") + b"".join(packed)


def trailer(data):
    return struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def gz(data, flags=0, method=8, extra=b""):
    """One gzip member; `extra` is what the flags say follows the fixed header."""
    return bytes([0x1F, 0x8B, method, flags, 0, 0, 0, 0, 0, 3]) + extra + deflate(data) + trailer(data)


class Model:
    """A safetensors file in its parts: the header's text and the data."""

    def __init__(self, file):
        size = struct.unpack("<Q", file[:8])[0]
        self.header, self.data = file[8:8 + size].decode(), file[8 + size:]

    def edit(self, old, new):
        """The file with one text of its header replaced, and a right checksum over it. Also the marks' offsets."""
        assert self.header.count(old) == 1, (old, self.header.count(old))
        return self.pack(self.header.replace(old, new))

    def pack(self, header):
        header, offsets = unmark(header)
        header = header.rstrip(" ").encode(errors="surrogateescape")
        header += b" " * (-(len(header) + 8) % 64)
        return self.with_checksum(header) + self.data, [8 + offset for offset in offsets]

    @staticmethod
    def with_checksum(header):
        whole = struct.pack("<Q", len(header)) + header
        place = re.search(rb'(?<!\\)"header_crc32":"([0-9a-f]{8})"', whole)
        if place is None:
            return whole
        zeroed = whole[:place.start(1)] + b"0" * 8 + whole[place.end(1):]
        return zeroed[:place.start(1)] + b"%08x" % zlib.crc32(zeroed) + zeroed[place.end(1):]

    def change_data(self, at, new):
        """The file with some bytes of its data replaced, and right checksums."""
        data = self.data[:at] + new + self.data[at + len(new):]
        header = self.header
        tensors = json.loads(header)
        del tensors["__metadata__"]
        for name, tensor in tensors.items():
            begin, end = tensor["data_offsets"]
            header = re.sub(r'"crc32:%s":"[0-9a-f]{8}"' % re.escape(name),
                            '"crc32:%s":"%08x"' % (name, zlib.crc32(data[begin:end])), header)
        return self.with_checksum(header.encode()) + data
