"""keys_augment.py: the rows of keys.py for the options of augmentations."""
WEIGHTS = "weights"

# What must be given for an augmentation to change something, and per key two values.
AUGMENT_NEEDED = {"rotate": ["degrees: 30"], "crop": ["padding: 3"], "zoom": ["factor: 0.3"], "translate": ["share: 0.3"],
                  "shear": ["x: 20"], "perspective": ["distortion: 0.5"], "brightness": ["factor: 0.5"],
                  "contrast": ["factor: 0.5"], "saturation": ["factor: 0.5"], "hue": ["shift: 0.5"],
                  "gamma": ["exponent: 0.5"], "noise": ["std: 0.2"], "salt_pepper": ["amount: 0.2"], "cutout": ["size: 5"],
                  "choose": ["of: [flip, invert]"]}
COLOURED = {"saturation", "hue"}  # what needs images of three channels
COLOURS = "data.train={images: colour-images, labels: train-labels-idx1-ubyte}"
AUGMENTATIONS = {
    "rotate.degrees": (WEIGHTS, "30", "[0, 30]"),
    "flip.direction": (WEIGHTS, "horizontal", "vertical"),
    "flip.alternate": (WEIGHTS, "false", "true"),
    "crop.padding": (WEIGHTS, "3", "[3, 0]"),
    "crop.size": (WEIGHTS, "0", "[12, 10]"),
    "zoom.factor": (WEIGHTS, "0.3", "[0.7, 1]"),
    "translate.share": (WEIGHTS, "0.3", "[0, 0.3]"),
    "translate.axis": (WEIGHTS, "both", "horizontal"),
    "brightness.factor": (WEIGHTS, "0.5", "[0.5, 1]"),
    "shear.x": (WEIGHTS, "0", "20", "y: 20"),
    "shear.y": (WEIGHTS, "0", "20", "x: 20"),
    "perspective.distortion": (WEIGHTS, "0.5", "0.3"),
    "elastic.alpha": (WEIGHTS, "34", "[0, 34]"),
    "elastic.sigma": (WEIGHTS, "4", "2"),
    "contrast.factor": (WEIGHTS, "0.5", "[0.5, 1]"),
    "gamma.exponent": (WEIGHTS, "0.5", "[0.5, 1]"),
    "noise.std": (WEIGHTS, "0.2", "[0, 0.2]"),
    "salt_pepper.amount": (WEIGHTS, "0.2", "[0, 0.2]"),
    "blur.sigma": (WEIGHTS, "[0.1, 2]", "2"),
    "cutout.size": (WEIGHTS, "5", "[5, 3]"),
    "cutout.count": (WEIGHTS, "1", "2"),
    "cutout.fill": (WEIGHTS, "0", "1"),
    "erase.area": (WEIGHTS, "[0.02, 0.33]", "0.2"),
    "erase.aspect": (WEIGHTS, "[0.3, 3.3]", "2"),
    "erase.fill": (WEIGHTS, "0", "1"),
    "mixup.alpha": (WEIGHTS, "1", "0.2"),
    "cutmix.alpha": (WEIGHTS, "1", "0.2"),
    "choose.of": (WEIGHTS, "[flip, invert]", "[flip, blur]"),
    "choose.n": (WEIGHTS, "1", "2"),
    "saturation.factor": (WEIGHTS, "0.5", "[0.5, 1]"),
    "hue.shift": (WEIGHTS, "0.5", "[0, 0.5]"),
}
for moved in ("rotate", "crop", "zoom", "translate", "shear", "perspective", "elastic"):
    AUGMENTATIONS[f"{moved}.fill"] = (WEIGHTS, "0", "1")
for moved in ("crop", "translate"):
    AUGMENTATIONS[f"{moved}.fill_mode"] = (WEIGHTS, "constant", "reflect")
for moved in ("rotate", "crop", "zoom", "shear", "perspective", "elastic"):
    AUGMENTATIONS[f"{moved}.interpolation"] = (WEIGHTS, "bilinear", "nearest", "size: 12" if moved == "crop" else "")
for changed in ("rotate", "flip", "crop", "zoom", "translate", "shear", "perspective", "elastic", "brightness", "contrast",
                "saturation", "hue", "gamma", "invert", "noise", "salt_pepper", "blur", "cutout", "erase", "mixup", "cutmix",
                "choose"):
    AUGMENTATIONS[f"{changed}.p"] = (WEIGHTS, "1", "0.5")


def flow(*pairs):
    return "{" + ", ".join(pair for pair in pairs if pair) + "}"


def augmentation(name, *pairs):
    given = [pair.split(":")[0] for pair in pairs if pair]
    needed = [pair for pair in AUGMENT_NEEDED.get(name, [])
              if pair.split(":")[0] not in given and not (name == "shear" and "y" in given)]
    return f"augment=[{name}: {flow(*pairs, *needed)}]"
