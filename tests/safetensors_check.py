#!/usr/bin/env python3
"""safetensors_check.py [--profile] FILE

Is FILE a valid safetensors file, and, with --profile, one as cnntrain writes it? Prints a line for
each tensor; exit code 0, or 1 with the reason. Shares no code with cnntrain and needs only Python's
own library. The rules are those of the format's README and of its reference reader; where the two
differ, the stricter.
"""
import array
import json
import math
import re
import struct
import sys
import zlib

BITS = {8: "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ", 16: "I16 U16 F16 BF16",
        32: "I32 U32 F32", 64: "C64 F64 I64 U64", 6: "F6_E2M3 F6_E3M2", 4: "F4"}
DTYPES = {dtype: bits for bits, dtypes in BITS.items() for dtype in dtypes.split()}


def need(condition, reason):
    if not condition:
        raise ValueError(reason)


def unique(pairs):
    need(len({key for key, _ in pairs}) == len(pairs), "duplicate key")
    return dict(pairs)


def whole_number(text):
    need(text != "-0", "-0 is no size")
    return int(text)


def is_sizes(value):
    return isinstance(value, list) and all(type(n) is int and 0 <= n < 2**64 for n in value)


def check_plain(file):
    """The start of the data, the metadata, the tensors in the header's order."""
    need(len(file) >= 8, "shorter than 8 bytes")
    n = struct.unpack("<Q", file[:8])[0]
    need(n <= 100_000_000, "header larger than 100000000 bytes")
    need(8 + n <= len(file), "header longer than the file")
    text = file[8:8 + n].decode("utf-8")
    need(text.startswith("{"), "header does not begin with {")
    need(not text.rstrip(" ")[-1].isspace(), "padding other than spaces")
    tensors = json.loads(text, object_pairs_hook=unique, parse_int=whole_number)
    json.dumps(tensors, ensure_ascii=False).encode()  # fails on a lone surrogate
    metadata = tensors.pop("__metadata__", {})
    need(isinstance(metadata, dict), "metadata: not an object")
    need(all(isinstance(value, str) for value in metadata.values()), "metadata: not all strings")
    for name, tensor in tensors.items():
        need(isinstance(tensor, dict), f"{name!r}: not an object")
        need(tensor.keys() == {"dtype", "shape", "data_offsets"}, f"{name!r}: wrong keys")
        need(isinstance(tensor["dtype"], str), f"{name!r}: dtype is no string")
        need(tensor["dtype"] in DTYPES, f"{name!r}: unknown dtype")
        need(is_sizes(tensor["shape"]), f"{name!r}: bad shape")
        need(is_sizes(tensor["data_offsets"]), f"{name!r}: bad data_offsets")
        need(len(tensor["data_offsets"]) == 2, f"{name!r}: not two data_offsets")
    position = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = tensor["data_offsets"]
        need(begin == position and end >= begin, f"{name!r}: overlap, gap or end before begin")
        bits = math.prod(tensor["shape"]) * DTYPES[tensor["dtype"]]
        need(bits < 2**64, f"{name!r}: size overflow")
        need(bits % 8 == 0, f"{name!r}: not a whole number of bytes")
        need(bits // 8 == end - begin, f"{name!r}: shape and data_offsets differ")
        position = end
    need(8 + n + position == len(file), "unused or missing bytes at the end")
    return 8 + n, metadata, tensors


def same_escapes(text):
    """JSON libraries differ in the case of \\uXXXX's digits, and in whether DEL needs an escape."""
    text = re.sub(rb"\\u[0-9A-Fa-f]{4}", lambda match: match[0].lower(), text)
    return text.replace(b"\x7f", rb"\u007f")


def check_header(head, metadata, tensors):
    need(len(head) % 64 == 0, "data do not start at a multiple of 64")
    need(not head.endswith(b" " * 64), "too much padding")
    need(head[8:].isascii(), "header is not ASCII")
    need(metadata.get("cnntrain.format") == "1", "cnntrain.format is not 1")
    need(not any("\0" in text for item in metadata.items() for text in item), "NUL in the metadata")
    ordered = dict(sorted(metadata.items(), key=lambda item: item[0].encode()))
    canonical = json.dumps({"__metadata__": ordered, **tensors}, separators=(",", ":")).encode()
    need(same_escapes(head[8:].rstrip(b" ")) == same_escapes(canonical), "not compact or sorted")
    digits = metadata.get("header_crc32", "")
    key = b'"header_crc32":"'
    zeroed = head.replace(key + digits.encode(), key + b"00000000", 1)
    need(digits == f"{zlib.crc32(zeroed):08x}", "header checksum")
    entries = {key[6:] for key in metadata if key.startswith("crc32:")}
    need(entries == tensors.keys(), "checksum entries and tensors differ")


def check_tensors(data, metadata, tensors):
    position, unaligned = 0, False
    for name, tensor in tensors.items():
        begin, end = tensor["data_offsets"]
        need(re.fullmatch(r"[!#-.0-\[\]-~]{1,255}", name), f"{name!r}: bad name")
        need(tensor["dtype"] == "F32", f"{name!r}: not F32")
        need(len(tensor["shape"]) <= 8, f"{name!r}: more than 8 dimensions")
        need(end > begin == position, f"{name!r}: empty, or not in the order of the data")
        need(not unaligned or (end - begin) % 64 != 0, f"{name!r}: behind an unaligned one")
        unaligned, position = (end - begin) % 64 != 0, end
        crc = zlib.crc32(data[begin:end])
        need(metadata["crc32:" + name] == f"{crc:08x}", f"{name!r}: checksum")
        need(all(map(math.isfinite, array.array("f", data[begin:end]))), f"{name!r}: not finite")


def check_profile(file):
    start, metadata, tensors = check_plain(file)
    check_header(file[:start], metadata, tensors)
    check_tensors(file[start:], metadata, tensors)
    return tensors


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    profile, path = "--profile" in sys.argv[1:-1], sys.argv[-1]
    try:
        with open(path, "rb") as stream:
            file = stream.read()
        tensors = check_profile(file) if profile else check_plain(file)[2]
    except (ValueError, RecursionError, OSError) as reason:
        sys.exit(f"{path}: {reason}")
    for name, tensor in tensors.items():
        shape = "x".join(map(str, tensor["shape"])) or "scalar"
        print(name, tensor["dtype"], shape, *tensor["data_offsets"])


if __name__ == "__main__":
    main()
