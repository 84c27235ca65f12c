"""pages.py: what the tests of report.html share: its data, its pictures, and how to ask a browser. Needs only Python's own
library."""
import base64
import json
import re
import struct
import zlib

from runs import equal, read_bytes


def read_page(path):
    """(text, data, timing)"""
    text = read_bytes(path).decode("utf-8")
    found = [re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text) for name in ("data", "timing")]
    return (text, *(json.loads(match.group(1)) for match in found))


def page_without_times(path):
    """All of the page but the one line of what differs from run to run."""
    lines = read_bytes(path).split(b"\n")
    kept = [line for line in lines if b'id="timing"' not in line]
    equal(len(lines) - len(kept), 1, "lines with times")
    return kept


def read_picture(uri):
    """(width, height, channels, bytes [h][w][channels]) of a PNG in a data: URI, 8 bits, grey or RGB, unfiltered rows."""
    kind, text = uri.split(",", 1)
    equal(kind, "data:image/png;base64", "picture")
    png = base64.b64decode(text, validate=True)
    equal(png[:8], b"\x89PNG\r\n\x1a\n", "signature")
    at, chunks = 8, []
    while at < len(png):
        size, name = struct.unpack_from(">I4s", png, at)
        body = png[at + 8:at + 8 + size]
        equal(struct.unpack_from(">I", png, at + 8 + size)[0], zlib.crc32(name + body), "CRC-32")
        chunks.append((name, body))
        at += size + 12
    equal([name for name, _ in chunks], [b"IHDR", b"IDAT", b"IEND"], "chunks")
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    channels = {0: 1, 2: 3}[rest[1]]
    equal(rest, [8, rest[1], 0, 0, 0], "format")
    raw, row = zlib.decompress(chunks[1][1]), width * channels + 1
    equal(len(raw), row * height, "size")
    equal(set(raw[::row]), {0}, "filters")
    return width, height, channels, b"".join(raw[y * row + 1:(y + 1) * row] for y in range(height))
