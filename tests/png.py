"""png.py: PNG files, read and written by the rules of the format alone. Needs only Python's own library."""
import struct
import zlib

from runs import equal, read_bytes


def read_png(path):
    """(width, height, rows of bytes): 8 bits, three channels; any filter."""
    data = read_bytes(path)
    equal(data[:8], b"\x89PNG\r\n\x1a\n", "signature")
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + size]
        equal(struct.unpack_from(">I", data, at + 8 + size)[0], zlib.crc32(kind + body), "CRC")
        if kind == b"IHDR":
            width, height, *rest = struct.unpack(">IIBBBBB", body)
            equal(rest, [8, 2, 0, 0, 0], "format")
        packed += body if kind == b"IDAT" else b""
        at += size + 12
    raw, rows, before = zlib.decompress(packed), [], bytearray(width * 3)
    for y in range(height):
        kind, line = raw[y * (width * 3 + 1)], bytearray(raw[y * (width * 3 + 1) + 1:(y + 1) * (width * 3 + 1)])
        for i in range(width * 3) if kind else ():
            a, b, c = (line[i - 3], before[i], before[i - 3]) if i >= 3 else (0, before[i], 0)
            if kind == 4:
                guess = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            else:
                guess = (0, a, b, (a + b) // 2)[kind]
            line[i] = (line[i] + guess) & 255
        rows.append(line)
        before = line
    return width, height, rows


def write_png(path, width, height, pixels):
    """Bytes, one a pixel or three."""
    channels = len(pixels) // (width * height)
    row = width * channels
    raw = b"".join(b"\0" + bytes(pixels[y * row:(y + 1) * row]) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[channels], 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
            file.write(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
