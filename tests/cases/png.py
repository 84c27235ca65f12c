"""png.py: PNG files chunk by chunk (group P): what a walk over the chunks must refuse, each with right checksums so that
nothing else is found, and beside it the good file that is nearly the same. The file stands among good ones in a folder of
images, which cnntrain reads as data.train and cnneval as its TESTSET."""
import struct
import zlib

from cases.formats import JPEGS, PNG_SIGNATURE, chunk, packed_zeros, png
from cases.harness import ANY
from cases.pictures import BAD, END, GOOD, IDAT, PIXELS, SET, both, config, raw

HEAD = GOOD[:33]  # signature and IHDR
DATA = GOOD[IDAT:END]
TAIL = chunk(b"IEND")
COLOURS = chunk(b"PLTE", bytes(768))
BIG = packed_zeros(64)


def ihdr(length=None, **fields):
    """A good file with other fields in its header."""
    f = {"w": 28, "h": 28, "depth": 8, "colour": 0, "compression": 0, "filters": 0, "interlace": 0, **fields}
    packed = struct.pack(">IIBBBBB", *f.values())
    return PNG_SIGNATURE + chunk(b"IHDR", packed if length is None else (packed + bytes(9))[:length]) + DATA + TAIL


def wrong_crc(kind, data):
    return chunk(kind, data, crc=zlib.crc32(kind + data) ^ 1)


def with_data(packed):
    return HEAD + chunk(b"IDAT", packed) + TAIL


def rows(filters):
    return b"".join(bytes([filters.get(y, 0)]) + PIXELS[y * 28:y * 28 + 28] for y in range(28))


def zlib_header(first, second):
    """The good stream behind another header."""
    return bytes([first, second]) + zlib.compress(raw())[2:]


PACKED = zlib.compress(raw())
HALF = len(PACKED) // 2
# id, the image file, offset or None, message
FILES = [
    ("P02b 7 bytes", GOOD[:7], 7, "PNG signature cut short"),
    ("P06 no IHDR", PNG_SIGNATURE + DATA + TAIL, 8, "first chunk must be IHDR"),
    ("P06b a comment before IHDR", PNG_SIGNATURE + chunk(b"tEXt", b"a\0b") + GOOD[8:], 8, "first chunk must be IHDR"),
    ("P07 IHDR of 12 bytes", ihdr(12), 8, "IHDR must be 13 bytes, is 12"),
    ("P07b IHDR of 14 bytes", ihdr(14), 8, "IHDR must be 13 bytes, is 14"),
    ("P08 two IHDR", HEAD + GOOD[8:33] + DATA + TAIL, 33, "second IHDR"),
    ("P08b IHDR behind the image", HEAD + DATA + GOOD[8:33] + TAIL, END, "second IHDR"),
    ("P12 a comment's checksum", HEAD + wrong_crc(b"tEXt", b"Comment\0x") + DATA + TAIL, 33 + 17, "checksum mismatch in tEXt"),
    ("P12b IEND's checksum", HEAD + DATA + wrong_crc(b"IEND", b""), END + 8, "checksum mismatch in IEND"),
    ("P13 a bit of the data", GOOD[:IDAT + 30] + bytes([GOOD[IDAT + 30] ^ 16]) + GOOD[IDAT + 31:], END - 4, "checksum mismatch in IDAT"),
    ("P14b height 0", ihdr(h=0), 20, "zero-sized image"),
    ("P15b width 2^32-1", ihdr(w=2**32 - 1), 16, "width out of range"),
    ("P15c height 2^31", ihdr(h=2**31), 20, "height out of range"),
    ("P16b 1x16385", ihdr(w=1, h=16385), 16, "height 16385 is larger than 16384"),
    ("P18b depth 0", ihdr(depth=0), 24, "bad bit depth 0"),
    ("P18c depth 32", ihdr(depth=32), 24, "bad bit depth 32"),
    ("P19b colour type 1", ihdr(colour=1), 25, "bad colour type 1"),
    ("P19c colour type 7", ihdr(colour=7), 25, "bad colour type 7"),
    ("P20 colours of 4 bits", ihdr(colour=2, depth=4), 24, "depth 4 not allowed for colour type 2"),
    ("P20b a palette of 16 bits", ihdr(colour=3, depth=16), 24, "depth 16 not allowed for colour type 3"),
    ("P20c alpha of 2 bits", ihdr(colour=4, depth=2), 24, "depth 2 not allowed for colour type 4"),
    ("P21 compression 1", ihdr(compression=1), 26, "unknown compression method 1"),
    ("P21b filter method 1", ihdr(filters=1), 27, "unknown filter method 1"),
    ("P22 interlace 2", ihdr(interlace=2), 28, "unknown interlace method 2"),
    ("P22b interlace 1 of rows that are not", ihdr(interlace=1), None, "bad filter in row 2"),
    ("P25 a chunk of 2^32-1", HEAD + b"\xff\xff\xff\xffIDAT" + DATA[8:] + TAIL, 33, "chunk length out of range"),
    ("P25b a chunk of 2^31", HEAD + b"\x80\0\0\0IDAT" + DATA[8:] + TAIL, 33, "chunk length out of range"),
    ("P26 a chunk type with a zero", HEAD + chunk(b"ID\0T", b"") + DATA + TAIL, 37, "bad chunk type"),
    ("P26b with a digit", HEAD + chunk(b"te1t", b"") + DATA + TAIL, 37, "bad chunk type"),
    ("P26c with an escape", HEAD + chunk(b"\x1b[3m", b"") + DATA + TAIL, 37, "bad chunk type"),
    ("P29 100,001 chunks", HEAD + chunk(b"tEXt") * 100000 + DATA + TAIL, 33 + 12 * 99999, "too many chunks (limit 100000)"),
    ("P31b nothing behind the header", HEAD, 33, "no IEND"),
    ("P32 an empty IDAT", with_data(b""), None, "image data cut short"),
    ("P32b an IDAT of one byte", with_data(PACKED[:1]), None, "image data cut short"),
    ("P34 IDATs with a comment between", HEAD + chunk(b"IDAT", PACKED[:HALF]) + chunk(b"tEXt", b"a\0b") +
     chunk(b"IDAT", PACKED[HALF:]) + TAIL, 33 + 12 + HALF + 15, "IDAT chunks must be consecutive"),
    ("P35b cut in the data of the second IDAT", (HEAD + chunk(b"IDAT", PACKED[:HALF]) + chunk(b"IDAT", PACKED[HALF:]))[:-9],
     33 + 12 + HALF, "cut short: chunk IDAT runs past the end of the file"),
    ("P37 IEND of one byte", HEAD + DATA + chunk(b"IEND", b"x"), END, "IEND must be empty"),
    ("P38b a second image behind the first", GOOD + GOOD, len(GOOD), "unexpected bytes after IEND"),
    ("P38c a zip file behind it", GOOD + b"PK\5\6" + bytes(18), len(GOOD), "unexpected bytes after IEND"),
    ("P39b no rows", with_data(zlib.compress(b"")), None, "image data cut short, in row 0 of 28"),
    ("P40c bytes behind the zlib stream", with_data(PACKED + b"x"), None, "unexpected bytes after the image data"),
    ("P41 filter 5 in row 3", with_data(zlib.compress(rows({3: 5}))), None, "bad filter in row 3"),
    ("P41b filter 255 in the last row", with_data(zlib.compress(rows({27: 255}))), None, "bad filter in row 27"),
    ("P42 a preset dictionary", with_data(zlib_header(0x78, 0x20 | (31 - (0x7820 % 31)) % 31)), None,
     "corrupt image data"),
    ("P42b a window of 64 KiB", with_data(zlib_header(0x88, (31 - 0x8800 % 31) % 31)), None, "corrupt image data"),
    ("P42c a header checksum", with_data(zlib_header(0x78, 0x9d)), None, "corrupt image data (incorrect header check)"),
    ("P43b a palette behind the data", png(PIXELS, 28, 28, colour=3)[:-12] + COLOURS + TAIL, 33, "no palette"),
    ("P43c two palettes", png(PIXELS, 28, 28, colour=3, extra=COLOURS * 2), 33 + 780, "second PLTE"),
    ("P43d a palette in a grey image", png(PIXELS, 28, 28, extra=COLOURS), 33, "a palette in a grey image"),
    *[(f"P44 palette of {n} bytes", png(bytes(784), 28, 28, colour=3, extra=chunk(b"PLTE", bytes(n))), 33,
       "bad palette length") for n in (4, 0, 769, 771)],
    ("P44b 17 colours for 4 bits", png(bytes(392), 28, 28, colour=3, depth=4, extra=chunk(b"PLTE", bytes(51))), 33,
     "bad palette length"),
    ("P46 tRNS longer than the palette", png(bytes(784), 28, 28, colour=3, extra=chunk(b"PLTE", bytes(6)) +
                                             chunk(b"tRNS", bytes(3))), 33 + 18, "bad tRNS"),
    ("P46b tRNS of RGBA", png(bytes(3136), 28, 28, colour=6, extra=chunk(b"tRNS", bytes(6))), 33, "bad tRNS"),
    ("P46c tRNS before the palette", png(bytes(784), 28, 28, colour=3, extra=chunk(b"tRNS", bytes(2)) + COLOURS), 33,
     "bad tRNS"),
    ("P46d tRNS of 3 bytes in grey", png(PIXELS, 28, 28, extra=chunk(b"tRNS", bytes(3))), 33, "bad tRNS"),
    ("P51b a frame of an animation", png(PIXELS, 28, 28, extra=chunk(b"fcTL", bytes(26))), 33, "animated PNG is not supported"),
]


def adam7(pixels, side):
    """The rows of the seven images of an interlaced one."""
    return b"".join(b"\0" + bytes(pixels[y * side + x] for x in range(first_x, side, step_x))
                    for first_y, first_x, step_y, step_x in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4),
                                                             (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
                    for y in range(first_y, side, step_y))


TWINS = [
    ("P05 JPEG named .png", JPEGS[96]),
    ("J01 a good JPEG", JPEGS[160]),
    ("P12t comments with their checksums", HEAD + chunk(b"tEXt", b"a\0b") + DATA + chunk(b"tEXt", b"c\0d") + TAIL),
    ("P23 interlaced", PNG_SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 1)) +
     chunk(b"IDAT", zlib.compress(adam7(PIXELS, 28))) + TAIL),
    ("P29t 99,997 chunks more", HEAD + chunk(b"tEXt") * 99997 + DATA + TAIL),
    ("P30b zTXt, iTXt and iCCP that would be 64 MiB", HEAD + chunk(b"iCCP", b"p\0\0" + BIG) + chunk(b"zTXt", b"c\0\0" + BIG) +
     chunk(b"iTXt", b"c\0\1\0\0\0" + BIG) + DATA + TAIL),
    ("P32t empty IDATs around the data", HEAD + chunk(b"IDAT") + DATA + chunk(b"IDAT") + TAIL),
    ("P34t IDATs without a gap", HEAD + chunk(b"IDAT", PACKED[:HALF]) + chunk(b"IDAT", PACKED[HALF:]) + TAIL),
    ("P41t all filters", with_data(zlib.compress(rows({y: y % 5 for y in range(28)})))),
    ("P44t one colour", png(bytes(784), 28, 28, colour=3, extra=chunk(b"PLTE", b"\1\2\3"))),
    ("P46t tRNS as long as the palette", png(bytes(784), 28, 28, colour=3, extra=chunk(b"PLTE", bytes(6)) + chunk(b"tRNS", bytes(2)))),
    ("P47b colours of 16 bits", png(bytes(4704), 28, 28, colour=2, depth=16)),
    ("P48b colours and alpha", png(bytes(3136), 28, 28, colour=6)),
]


def large_comment(directory):
    with open(directory + "/pics/7/x.png", "wb") as file:
        file.write(HEAD + struct.pack(">I", 9 << 20) + b"tEXt")
        crc = zlib.crc32(b"tEXt")
        for _ in range(9 << 4):
            file.write(bytes(1 << 16))
            crc = zlib.crc32(bytes(1 << 16), crc)
        file.write(struct.pack(">I", crc) + DATA + TAIL)


def cases(trained):
    yield from both("P30 a comment of 9 MiB", 4, "pics/7/x.png:@33", "chunk tEXt is larger than 8 MiB", SET, prepare=large_comment)
    for name, data, at, message in FILES:
        yield from both(name, 4, ANY if at is None else f"{BAD}:@{at}", message, {**SET, BAD: data})
    text = config(**{"train: pics": "train: pics\n  input: {height: 28, width: 28, channels: 1, fit: letterbox}"})
    for name, data in TWINS:
        yield from both(name, 0, None, None, {**SET, BAD: data}, text)
