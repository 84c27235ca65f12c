"""augment.py: what can be wrong in the `augment` list (group A), and lists that are right."""
from cases.base import BASE, config_cases


def augment(text):
    return BASE.replace("network:\n", f"augment: {text}\nnetwork:\n")


FAULTS = [  # id, config, message
    ("A01 no list", augment("¦rotate"), "'augment' must be a list of augmentations, got text"),
    ("A02 a mapping", augment("¦{rotate: 15}"), "'augment' must be a list of augmentations, got a mapping"),
    ("A03 misspelt", augment("[¦rotat: 15]"), "unknown augmentation 'rotat'; did you mean 'rotate'?"),
    ("A04 a layer", augment("[¦maxpool: 2]"), "unknown augmentation 'maxpool'; known augmentations: rotate, flip"),
    ("A05 nothing to rotate by", augment("[¦rotate]"), "missing key 'degrees' in rotate"),
    ("A06 radians with a unit", augment("[rotate: ¦15deg]"), "'degrees' must be a number, got '15deg'"),
    ("A07 the greater first", augment("[rotate: ¦[15, -15]]"), "'degrees' must be [low, high], got the greater first"),
    ("A08 three ends", augment("[zoom: ¦[1, 2, 3]]"), "'factor' must be a number or [low, high], got a list of 3"),
    ("A09 nothing is left", augment("[zoom: ¦1]"), "'factor' must be 0 to 0.99, got 1"),
    ("A10 a share in per cent", augment("[translate: ¦10]"), "'share' must be 0 to 1, got 10"),
    ("A11 fill as a byte", augment("[rotate: {degrees: 5, fill: ¦128}]"), "'fill' must be 0 to 1, got 128"),
    ("A12 p in per cent", augment("[flip: {p: ¦50}]"), "'p' must be 0 to 1, got 50"),
    ("A13 no direction", augment("[flip: ¦left]"), "unknown direction 'left'; known values: horizontal"),
    ("A14 crop of nothing", augment("[¦crop]"), "crop needs a 'padding' or a 'size' above 0"),
    ("A15 two in an item", augment("[{flip: both, ¦noise: 0.1}]"), "one augmentation per item, got 2"),
    ("A16 an empty item", augment("[¦~]"), "empty augmentation"),
    ("A17 a misspelt key", augment("[noise: {¦sdt: 0.1}]"), "unknown key 'sdt' in noise; did you mean 'std'?"),
    ("A18 three faults", augment("[¦flop, rotate: ¦x, noise: ¦2]"),
     ["unknown augmentation 'flop'; did you mean 'flip'?", "'degrees' must be a number", "'std' must be 0 to 1"]),
    ("A19 too many", augment("[" + "flip, " * 100 + "¦flip]"), "more than 100 augmentations"),
    ("A22 shear of nothing", augment("[¦shear]"), "shear needs an 'x' or 'y' other than 0"),
    ("A23 cutout of no size", augment("[¦cutout]"), "missing key 'size' in cutout"),
    ("A24 cutout of size 0", augment("[cutout: ¦0]"), "'size' must be 1 to 65536, got 0"),
    ("A25 sigma", augment("[blur: ¦100]"), "'sigma' must be 0 to 20, got 100"),
    ("A26 invert takes nothing", augment("[invert: ¦3]"), "'invert' takes no value"),
    ("A27 hue", augment("[hue: ¦180]"), "'shift' must be 0 to 0.5, got 180"),
    ("A32 choose of nothing", augment("[¦choose: {of: []}]"), "choose 1 of 0"),
    ("A33 choose too many", augment("[¦choose: {n: 3, of: [flip, invert]}]"), "choose 3 of 2"),
    ("A34 choose no list", augment("[choose: ¦flip]"), "'of' must be a list of augmentations, got text"),
    ("A35 a fault inside choose", augment("[choose: {n: 1, of: [flip, rotate: ¦abc]}]"), "'degrees' must be a number"),
    ("A36 mixup inside choose", augment("[choose: [flip, ¦mixup: 1]]"), "mixup cannot be one of several"),
    ("A37 choose, four deep", augment("[¦choose: [choose: [choose: [flip]]]]"), "choose within choose more than 2 deep"),
    ("A38 alpha 0", augment("[mixup: ¦0]"), "'alpha' must be 0.01 to 100, got 0"),
    ("A20 below data", BASE.replace("  validation: 0.25\n", "  validation: 0.25\n  ¦augment: [flip]\n"),
     "unknown key 'augment' in data"),
]
TWINS = [
    ("A05t all forms", augment("[rotate: 15, rotate: [0, 15], rotate: {degrees: 15}, flip, flip: {}, crop: [1, 2]]")),
    ("A09t nearly nothing", augment("[zoom: 0.99, brightness: 1]")),
    ("A19t a hundred", augment("[" + "flip, " * 99 + "flip]")),
    ("A21 none", augment("[]")),
    ("A22t all with their defaults", augment("[flip, perspective, elastic, invert, blur, erase, mixup, cutmix]")),
    ("A36t choose", augment("[choose: [flip], choose: {n: 2, p: 0.5, of: [rotate: 5, choose: [flip, invert]]}, mixup]")),
]
# What only the images can tell: cnneval, which reads data.test alone, has nothing against it.
COLOURS = [
    ("A30 saturation of grey images", augment("[flip, ¦saturation: 0.5]"),
     "saturation needs colours: 3 channels, the images have 1"),
    ("A30b within choose", augment("[choose: [flip, ¦hue: 0.1]]"), "hue needs colours: 3 channels, the images have 1"),
    ("A31 hue of grey images", augment("[¦hue: 0.1]"), "hue needs colours: 3 channels, the images have 1"),
]


def cases(_):
    for name, text, message in FAULTS:
        yield from config_cases(name, text, message)
    for name, text, message in COLOURS:
        yield from config_cases(name, text, message, evaluate=False)
    for name, text in TWINS:
        yield from config_cases(name, text, "", code=0, evaluate=False)
