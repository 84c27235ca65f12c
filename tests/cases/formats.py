"""formats.py: writes the files that the cases are made of, right and wrong: IDX, gzip, PNG, safetensors.

Shares no code with cnntrain: what is written here follows the formats' own descriptions (yann.lecun.com "IDX file
format", RFC 1952, the README of safetensors)."""
import json
import math
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


def chunk(kind, data=b"", crc=None):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)


PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(pixels, width, height, colour=0, depth=8, extra=b"", packed=None):
    """A PNG file of rows that are not filtered; `extra`: chunks before the image data, `packed`: other image data."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    row = width * channels * depth // 8
    raw = b"".join(b"\0" + pixels[y * row:(y + 1) * row] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG_SIGNATURE + chunk(b"IHDR", header) + extra + \
        chunk(b"IDAT", zlib.compress(raw) if packed is None else packed) + chunk(b"IEND")


# Grey JPEG files of 16x16 pixels, all 32, 96, 160 and 224 (libjpeg, quality 100: exact), by value.
JPEGS = {32 + 64 * i: bytes.fromhex(text) for i, text in enumerate((
    "ffd8ffe000104a46494600010100000100010000ffdb0043000101010101010101010101010101010101010101010101010101010101"
    "0101010101010101010101010101010101010101010101010101010101010101010101ffc0000b080010001001011100ffc400150001"
    "010000000000000000000000000000000affc40014100100000000000000000000000000000000ffda0008010100003f008ff01fffd9",
    "ffd8ffe000104a46494600010100000100010000ffdb0043000101010101010101010101010101010101010101010101010101010101"
    "0101010101010101010101010101010101010101010101010101010101010101010101ffc0000b080010001001011100ffc400150001"
    "0100000000000000000000000000000009ffc40014100100000000000000000000000000000000ffda0008010100003f009fe03fffd9",
    "ffd8ffe000104a46494600010100000100010000ffdb0043000101010101010101010101010101010101010101010101010101010101"
    "0101010101010101010101010101010101010101010101010101010101010101010101ffc0000b080010001001011100ffc400150001"
    "0100000000000000000000000000000009ffc40014100100000000000000000000000000000000ffda0008010100003f00a0003fffd9",
    "ffd8ffe000104a46494600010100000100010000ffdb0043000101010101010101010101010101010101010101010101010101010101"
    "0101010101010101010101010101010101010101010101010101010101010101010101ffc0000b080010001001011100ffc400150001"
    "010000000000000000000000000000000affc40014100100000000000000000000000000000000ffda0008010100003f00b0001fffd9",
))}
JPEG_CMYK = bytes.fromhex(
    "ffd8ffee000e41646f626500640000000000ffdb00430001010101010101010101010101010101010101010101010101010101010101"
    "010101010101010101010101010101010101010101010101010101010101010101ffc000140800100010044311004d11005911004b11"
    "00ffc40016000101010000000000000000000000000009080affc4001b10000007010000000000000000000000000005072234415271"
    "ffda000e0443004d0059004b00003f00c6da6c5b1db9ae0c71a6c5b1db9ae0c75a6c5b1db9ae0c79a6c5b1db9ae0401362d8edcd7020"
    "09b16c76e6b81004d8b63b735c08026c5b1db9ae08fd362d8edcd7047e9b16c76e6b823f4d8b63b735c11fa6c5b1db9ae0401362d8ed"
    "cd702009b16c76e6b81004d8b63b735c08026c5b1db9ae0fffd9")


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


def zeros(path, data, mib):
    """Write a gzip member of `data` and many zeros, one MiB of them over and over; its trailer is not right."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    with open(path, "wb") as file:
        file.write(bytes.fromhex("1f8b0800000000000003") + packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH))
        block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(mib):
            file.write(block)
        file.write(packer.flush() + bytes(8))


def packed_zeros(mib):
    """A zlib stream of so many zeros, made without holding them."""
    packer = zlib.compressobj(9)
    return b"".join([packer.compress(bytes(1 << 20)) for _ in range(mib)] + [packer.flush()])


def trailer(data):
    return struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def gz(data, flags=0, method=8, extra=b""):
    """One gzip member; `extra` is what the flags say follows the fixed header."""
    return bytes([0x1F, 0x8B, method, flags, 0, 0, 0, 0, 0, 3]) + extra + deflate(data) + trailer(data)


def safetensors(tensors, metadata=None, pad=8, layout=None):
    """A safetensors file as other programs write it: {name: (dtype, shape, bytes)}; `layout`: names in the order of their
    data, where that is not the order of the header."""
    header, at = {} if metadata is None else {"__metadata__": metadata}, 0
    places = {}
    for name in layout or tensors:
        places[name] = [at, at + len(tensors[name][2])]
        at += len(tensors[name][2])
    for name, (dtype, shape, _) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": places[name]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % pad)
    return struct.pack("<Q", len(text)) + text + b"".join(tensors[name][2] for name in layout or tensors)


def f32(shape, first=0.0):
    """A tensor of small numbers."""
    count = math.prod(shape)
    return "F32", list(shape), struct.pack(f"<{count}f", *((i * 37 % 101 - 50) / 400 + first for i in range(count)))


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

    def rebuild(self, keep=lambda name: True, data=None):
        """The file with some of its tensors only, or with other data, as cnntrain would write it."""
        header, data = json.loads(self.header), self.data if data is None else data
        metadata, parts, at = header.pop("__metadata__"), [], 0
        metadata = {key: value for key, value in metadata.items() if not key.startswith("crc32:")}
        tensors = {name: tensor for name, tensor in header.items() if keep(name)}
        for tensor in tensors.values():
            begin, end = tensor["data_offsets"]
            parts.append(data[begin:end])
            tensor["data_offsets"] = [at, at + end - begin]
            at += end - begin
        metadata.update({f"crc32:{name}": f"{zlib.crc32(part):08x}" for name, part in zip(tensors, parts)})
        text = json.dumps({"__metadata__": dict(sorted(metadata.items())), **tensors}, separators=(",", ":"))
        return Model.with_checksum(text.encode() + b" " * (-(len(text) + 8) % 64)) + b"".join(parts)

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
