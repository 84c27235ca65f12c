"""schema.py: configs that are YAML but not what the tables of options take (group S): keys, types, ranges, words."""
from cases.base import BASE, TRAIN, config_cases, edited
from cases.harness import Case

ADAM = "{type: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1.0e-8}"
CONV = "conv: {filters: 4, kernel: 3, stride: 1, padding: 1}"
WHOLE = "'filters' must be a whole number"
RANGE = "'filters' must be 1 to 65536, got "


def value(key, text):
    """One value of BASE replaced: `value("lr: 0.001", "abc")` marks the new one."""
    name = key.split(": ")[0]
    return [(key, f"{name}: ¦{text}")]


def filters(text):
    return value("filters: 4", text)


def lr(text):
    return value("lr: 0.001", text)


def added(text):
    """Further lines at the top of the config."""
    return [("seed: 1\n", text + "seed: 1\n")]


def in_data(text):
    return [("  validation: 0.25\n", f"  validation: 0.25\n  {text}\n")]


# id, edits of BASE, message (or one for each mark)
KEYS = [
    ("S01 no network", "¦" + BASE[:BASE.index("network")] + BASE[BASE.index("train:\n"):], "missing key 'network'"),
    ("S02 no data", "¦" + BASE[:BASE.index("data:")] + BASE[BASE.index("network"):], "missing key 'data'"),
    ("S03 no filters", [(CONV, "conv: ¦{kernel: 3}")], "missing key 'filters' in conv"),
    ("S03b no option at all", [("- dense: 10", "- ¦dense")], "missing key 'units' in dense"),
    ("S03c no option, colon", [("- dense: 10", "- ¦dense:")], "missing key 'units' in dense"),
    ("S04 network: []", BASE[:BASE.index("network")] + "network: ¦[]\n" + BASE[BASE.index("train:\n"):],
     "'network' needs at least one layer"),
    ("S05 network: {}", BASE[:BASE.index("network")] + "network: ¦{}\n" + BASE[BASE.index("train:\n"):],
     "'network' must be a list of layers, got a mapping"),
    ("S06 network: nothing", BASE[:BASE.index("network")] + "network:¦\n" + BASE[BASE.index("train:\n"):],
     "'network' must be a list of layers, got nothing"),
    ("S06b network: a word", BASE[:BASE.index("network")] + "network: ¦conv\n" + BASE[BASE.index("train:\n"):],
     "'network' must be a list of layers, got text"),
    ("S06c data: a word", "data: ¦mnist\nnetwork: [dense: 10]\n", "expected a mapping in data, got text"),
    ("S06e train: a list", "data: {train: train-images-idx3-ubyte}\nnetwork: [dense: 10]\ntrain: ¦[]\n",
     "expected a mapping in train, got a list"),
    ("S07 fliters", [("filters: 4", "¦fliters: 4")], "unknown key 'fliters' in conv; did you mean 'filters'?"),
    ("S08 Filters", [("filters: 4", "¦Filters: 4")], "unknown key 'Filters' in conv; did you mean 'filters'?"),
    ("S09 netwrok", [("network:", "¦netwrok:")], "unknown key 'netwrok'; did you mean 'network'?"),
    ("S09b unknown, nothing near", added("¦colour: red\n"), "unknown key 'colour'; known keys: name, seed, precision,"),
    ("S09c key of another place", added("¦epochs: 3\n"), "unknown key 'epochs'"),
    ("S09d escape in a key", added('¦"\\e[31mred": 1\n'), "unknown key '\\x1B[31mred'"),
    ("S09e key of 300 bytes", added("¦" + "k" * 300 + ": 1\n"), "unknown key '" + "k" * 80 + "...'"),
    ("S09f colon forgotten in { }", [("filters: 4", "¦filters 4")], "unknown key 'filters 4' in conv"),
    ("S10 convolutonal", [("- " + CONV, "- ¦convolutonal: {filters: 4, kernel: 3}")],
     "unknown layer 'convolutonal'; known layers: conv, maxpool"),
    ("S10b conf", [("- " + CONV, "- ¦conf: {filters: 4, kernel: 3}")], "unknown layer 'conf'; did you mean 'conv'?"),
    ("S11 two layers in an item", [("- relu", "- {relu: , ¦dense: 10}")], "one layer per item, got 2"),
    ("S11b options on the same column", [("- dense: 10", "- dense:\n    ¦units: 10")], "one layer per item, got 2"),
    ("S12 a number as layer", [("- relu", "- ¦5")], "expected a layer name, got a number"),
    ("S12b a list as layer", [("- relu", "- ¦[relu]")], "expected a layer name, got a list"),
    ("S13 empty item", [("- relu", "-¦")], "empty layer"),
    ("S13v value for a layer that takes none", [("- relu", "- relu: ¦3")], "'relu' takes no value"),
    ("S13b option that is none of the layer's", [("- relu", "- relu: {¦slope: 3}")],
     "unknown key 'slope' in relu; known keys: name"),
    ("S14 seed twice", BASE + "¦seed: 2\n", "duplicate key 'seed'"),
    ("S15 filters twice", [("stride: 1,", "stride: 1, ¦filters: 4,")], "duplicate key 'filters'"),
    ("S16 network twice", BASE + "¦network: [dense: 10]\n", "duplicate key 'network'"),
    ("S16b seed twice, quoted", BASE + '¦"seed": 2\n', "duplicate key 'seed'"),
]
NUMBERS = [
    ("S17 abc", filters("abc"), WHOLE + ", got 'abc'"),
    ("S18 0", filters("0"), RANGE + "0"),
    ("S19 -8", filters("-8"), RANGE + "-8"),
    ("S20 99999999999", filters("99999999999"), RANGE + "99999999999"),
    ("S20b 65537", filters("65537"), RANGE + "65537"),
    ("S21 2^64+1", filters("18446744073709551617"), RANGE + "18446744073709551617"),
    ("S21b 2^32+4", filters("4294967300"), RANGE + "4294967300"),
    ("S22 8.0", filters("8.0"), WHOLE + ", got 8.0"),
    ("S23 8.5", filters("8.5"), WHOLE + ", got 8.5"),
    ("S24 1e1", filters("1e1"), WHOLE + ", got 1e1"),
    ("S25 010", filters("010"), "a leading zero is not accepted"),
    ("S25b -0", filters("-0"), RANGE),
    ("S26 0x10", filters("0x10"), "only decimal numbers are accepted"),
    ("S26b 0o17", filters("0o17"), "only decimal numbers are accepted"),
    ("S27 1_000", filters("1_000"), "leave out the '_'"),
    ("S28 1:30", filters("1:30"), "numbers to base 60 are not accepted"),
    ("S29 quoted", filters('"8"'), "got the text \"8\"; remove the quotes"),
    ("S30 +8", filters("+8"), "leave out the '+'"),
    ("S31 8 8", filters("8 8"), WHOLE + ", got '8 8'"),
    ("S32 ~", filters("~"), "'filters' is empty: it must be a whole number"),
    ("S32b nothing", [("filters: 4", "filters: ¦")], "'filters' is empty: it must be a whole number"),
    ("S33 [8]", filters("[8]"), WHOLE + ", got a list"),
    ("S34 {a: 1}", filters("{a: 1}"), WHOLE + ", got a mapping"),
    ("S36 4,000 digits", filters("9" * 4000), "got '" + "9" * 80 + "...'"),
    ("S37 Arabic digit", filters("٨"), WHOLE + ", got '٨'"),
    ("S37b direction override", filters("\u202e8"), WHOLE + ", got '\\xE2\\x80\\xAE8'"),
    ("S38 abc", lr("abc"), "'lr' must be a number, got 'abc'"),
    ("S39 .nan", lr(".nan"), "'lr' must be a finite number, got '.nan'"),
    ("S39b nan", lr("nan"), "'lr' must be a finite number"),
    ("S40 .inf", lr(".inf"), "'lr' must be a finite number"),
    ("S40b -inf", lr("-inf"), "'lr' must be a finite number"),
    ("S40c 1e400", lr("1e400"), "'lr' must be a finite number"),
    ("S40d 1e39", lr("1e39"), "'lr' must be"),
    ("S41 0", lr("0"), "'lr' must be more than 0 and at most 100, got 0"),
    ("S41b -0.1", lr("-0.1"), "'lr' must be more than 0"),
    ("S42 1e-400", lr("1e-400"), "too small to hold"),
    ("S42b 1e-46", lr("1e-46"), "too small to hold"),
    ("S43 comma, block", [("optimizer: {type: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1.0e-8}",
                           "optimizer:\n    type: adam\n    lr: ¦0,001")], "decimal comma? use a point"),
    ("S43b comma, { }", [("lr: 0.001", "lr: ¦0,¦001")],
     ["'lr' must be more than 0", "unknown key '001' in adam; a decimal comma? write a point"]),
    ("S44 1.", lr("1."), "a digit must follow the point"),
    ("S44b 1e", lr("1e"), "'lr' must be a number"),
    ("S44c 1e+", lr("1e+"), "'lr' must be a number"),
    ("S44d -", lr("-"), "'lr' must be a number, got '-'"),
    ("S45 1000", lr("1000"), "at most 100, got 1000"),
    ("S46 beta1 1", value("beta1: 0.9,", "1.0,"), "'beta1' must be at least 0 and less than 1, got 1.0"),
    ("S46b beta1 -0.1", value("beta1: 0.9,", "-0.1,"), "'beta1' must be at least 0"),
    ("S46c beta1 nearly 1", value("beta1: 0.9,", "0.99999999999999999999,"), "'beta1' must be at least 0 and less"),
    ("S47 beta2 1", value("beta2: 0.999", "1"), "'beta2' must be at least 0 and less than 1, got 1"),
    ("S48 eps 0", value("eps: 1.0e-8", "0"), "'eps' must be more than 0"),
    ("S55 epochs -1", value("epochs: 1", "-1"), "'epochs' must be 0 to 1000000, got -1"),
    ("S55b epochs too many", value("epochs: 1", "1000001"), "'epochs' must be 0 to 1000000"),
    ("S56 batch_size 0", value("batch_size: 16", "0"), "'batch_size' must be 1 to 65536, got 0"),
    ("S56b batch_size -1", value("batch_size: 16", "-1"), "'batch_size' must be 1 to 65536"),
    ("S58 seed -1", value("seed: 1", "-1"), "'seed' must be 0 to 18446744073709551615, got -1"),
    ("S58b seed 1.5", value("seed: 1", "1.5"), "'seed' must be a whole number, got 1.5"),
    ("S58c seed 2^64", value("seed: 1", "18446744073709551616"), "'seed' must be 0 to 18446744073709551615"),
    ("S58d seed a word", value("seed: 1", "random"), "'seed' must be a whole number, got 'random'"),
    ("S74 patience 0", value("patience: 2", "0"), "'patience' must be 1 to 1000000, got 0"),
    ("S75 min_delta -1", value("min_delta: 0", "-1"), "'min_delta' must be 0 to 1000000, got -1"),
    ("S76 validation 0", value("validation: 0.25", "0"), "'validation' must be more than 0 and less than 1, got 0"),
    ("S76b validation 1", value("validation: 0.25", "1"), "'validation' must be more than 0 and less than 1"),
    ("S77 stride of three", value("stride: 1", "[1, 2, 3]"), "'stride' must be a whole number or [height, width]"),
    ("S77b stride of words", [("stride: 1", "stride: [¦a, ¦b]")], ["'stride' must be whole numbers, got 'a'",
                                                                  "'stride' must be whole numbers, got 'b'"]),
    ("S77c kernel 1025", value("kernel: 3", "1025"), "'kernel' must be 1 to 1024"),
    ("S77d kernel -2^31", [("kernel: 3", "kernel: [3, ¦-2147483648]")], "'kernel' must be 1 to 1024"),
    ("S78 height 0", in_data("input: {height: ¦0}"), "'height' must be 1 to 65536, got 0"),
    ("S78b width -1", in_data("input: {width: ¦-1}"), "'width' must be 1 to 65536, got -1"),
    ("S78c channels 5", in_data("input: {channels: ¦5}"), "'channels' must be 1 to 4, got 5"),
    ("S79 std 0", in_data("normalize: {mean: [0], std: [¦0]}"), "'std' must be more than 0, got 0"),
    ("S79b mean a word", in_data("normalize: {mean: [¦a], std: [1]}"), "'mean' must be a number, got 'a'"),
    ("S79c mean without std", in_data("normalize: ¦{mean: [0]}"), "missing key 'std' in normalize"),
    ("S79d two means, one std", in_data("normalize: ¦{mean: [0, 0], std: [1]}"), "2 means, but 1 standard deviation"),
]
TIME = "'max_time' must be a time such as 90s, 30m, 2h or 1h30m"


def max_time(text):
    return [("  epochs: 1\n", f"  epochs: 1\n  max_time: ¦{text}\n")]


TIMES = [
    ("T01 no unit", max_time("30"), TIME + ", got 30; add a unit"),
    ("T02 a decimal", max_time("1.5h"), TIME + ", got '1.5h'; whole numbers only"),
    ("T03 another unit", max_time("3w"), TIME + ", got '3w'; the units are d, h, m and s"),
    ("T04 the wrong order", max_time("30m1h"), TIME + ", got '30m1h'; the units are d, h, m and s, the greater first"),
    ("T05 a unit twice", max_time("1h1h"), TIME),
    ("T06 minutes as a clock shows them", max_time("1:30"), TIME + ", got '1:30'"),
    ("T07 a space", max_time("1h 30m"), TIME + ", got '1h 30m'; without spaces"),
    ("T08 no number", max_time("h"), TIME),
    ("T09 negative", max_time("-5m"), TIME),
    ("T10 0s", max_time("0s"), "'max_time' must be 1s to 365d, got '0s'"),
    ("T11 more than a year", max_time("366d"), "'max_time' must be 1s to 365d, got '366d'"),
    ("T12 beyond 64 bits", max_time("99999999999999999999h"), "'max_time' must be 1s to 365d"),
    ("T12b beyond 64 bits with its unit", max_time("9223372036854775807d"), "'max_time' must be 1s to 365d"),
    ("T13 a list", max_time("[1h]"), TIME + ", got a list"),
    ("T14 nothing", max_time("~"), "'max_time' is empty: it must be a time"),
    ("T15 a capital", max_time("30M"), TIME),
    ("T16 octal", max_time("010m"), TIME),
    ("T17 epochs between checkpoints", [("  epochs: 1\n", "  epochs: 1\n  checkpoint: {every: ¦0}\n")],
     "'every' must be 1 to 1000000, got 0"),
    ("T18 a bare number of epochs", [("  epochs: 1\n", "  epochs: 1\n  checkpoint: ¦5\n")],
     "expected a mapping in checkpoint, got text"),
    ("T19 a time between checkpoints", [("  epochs: 1\n", "  epochs: 1\n  checkpoint: {every: ¦30m}\n")],
     "'every' must be a whole number, got '30m'"),
]
WORDS = [
    ("S49 momentum for adam", [("beta1: 0.9", "¦momentum: 0.9")], "unknown key 'momentum' in adam"),
    ("S49b lrate", [("lr: 0.001", "¦lrate: 0.001")], "unknown key 'lrate' in adam"),
    ("S50 dropout 1", [("dropout: 0.25", "dropout: ¦1.0")], "'rate' must be at least 0 and less than 1, got 1.0"),
    ("S50b dropout -0.1", [("dropout: 0.25", "dropout: ¦-0.1")], "'rate' must be at least 0"),
    ("S50c dropout nearly 1", [("dropout: 0.25", "dropout: ¦0.99999999999")], "'rate' must be at least 0 and less"),
    ("S51 relru", [("padding: 1}", "padding: 1, activation: ¦relru}")],
     "unknown activation 'relru'; did you mean 'relu'"),
    ("S51b a layer that is none", [("padding: 1}", "padding: 1, activation: ¦dense}")], "unknown activation 'dense'"),
    ("S52 padding: yes", value("padding: 1", "yes"),
     "'padding' must be a whole number, [height, width], valid or same, got 'yes'"),
    ("S52b padding: Same", value("padding: 1", "Same"), "valid or same, got 'Same'"),
    ("S52c padding -1", value("padding: 1", "-1"), "'padding' must be 0 to 1024, got -1"),
    ("S53 restore_best: yes", value("restore_best: true", "yes"),
     "'restore_best' must be true or false, got 'yes'; write true"),
    ("S54 1", value("restore_best: true", "1"), "'restore_best' must be true or false, got 1; write true"),
    ("S54b True", value("restore_best: true", "True"), "write true"),
    ("S54c off", value("restore_best: true", "off"), "write false"),
    ("S54d quoted", value("restore_best: true", '"true"'), "remove the quotes"),
    ("S60 one class", in_data("classes: ¦[a]"), "'classes' needs at least 2 names"),
    ("S60b a number of classes", in_data("classes: ¦10"), "'classes' must be a list of texts, got 10"),
    ("S60c two of one name", in_data("classes: ¦[a, b, a]"), "two classes are called 'a'"),
    ("S60d an empty name", in_data('classes: [a, ¦""]'), "'classes' is empty"),
    ("S60e a name of 256 bytes", in_data("classes: ¦[a, " + "x" * 256 + "]"), "class name 1 is longer than 255 bytes"),
    ("S61 precision", added("precision: ¦fp16\n"), "unknown precision 'fp16'"),
    ("S61b normalize", in_data("normalize: ¦standart"), "unknown normalize 'standart'; did you mean 'standard'?"),
    ("S61c fit", in_data("input: {fit: ¦fill}"), "unknown fit 'fill'; known values: pad, stretch, crop, letterbox"),
    ("S61v fit without a size", in_data("input: {fit: ¦crop, height: 20}"), "fit: crop needs 'height' and 'width'"),
    ("S61w memory", in_data("memory: ¦2GB"),
     "'memory' must be a number of bytes: a whole number, alone or with KiB, MiB, GiB or TiB, got '2GB'"),
    ("S61x memory of nothing", in_data("memory: ¦0"), "'memory' must be a number of bytes"),
    ("S61d loss", [("train:\n", "train:\n  loss: ¦crossentropy\n")],
     "unknown loss 'crossentropy'; did you mean 'cross_entropy'?"),
    ("S61l label_smoothing for mse", [("train:\n", "train:\n  loss: mse\n  label_smoothing: ¦0.1\n")],
     "'label_smoothing' means nothing to the loss 'mse'; it is for cross_entropy"),
    ("S61m label_smoothing 1", [("train:\n", "train:\n  label_smoothing: ¦1\n")],
     "'label_smoothing' must be at least 0 and less than 1, got 1"),
    ("S61n label_smoothing of the loss", [("train:\n", "train:\n  loss: {type: cross_entropy, ¦label_smoothing: 0.1}\n")],
     "unknown key 'label_smoothing' in cross_entropy"),
    ("S61o class_weights for hinge", [("train:\n", "train:\n  loss: hinge\n  class_weights: ¦balanced\n")],
     "'class_weights' mean nothing to the loss 'hinge'; they are for cross_entropy or focal"),
    ("S61p class_weights a word", [("train:\n", "train:\n  class_weights: ¦balance\n")],
     "'class_weights' must be balanced or a list of numbers, one a class, got 'balance'"),
    ("S61q class_weights by name", [("train:\n", "train:\n  class_weights: ¦{cat: 2}\n")],
     "'class_weights' must be balanced or a list of numbers, one a class, got a mapping"),
    ("S61r a weight of 0", [("train:\n", "train:\n  class_weights: [1, ¦0, 1, 1, 1, 1, 1, 1, 1, 1]\n")],
     "'class_weights' must be more than 0 and at most 1000000, got 0"),
    ("S61s gamma -1", [("train:\n", "train:\n  loss: {type: focal, gamma: ¦-1}\n")], "'gamma' must be 0 to 100, got -1"),
    ("S61t delta 0", [("train:\n", "train:\n  loss: {type: huber, delta: ¦0}\n")], "'delta' must be more than 0"),
    ("S61u margin of huber", [("train:\n", "train:\n  loss: {type: huber, ¦margin: 1}\n")],
     "unknown key 'margin' in huber"),
    ("S61e optimizer", [("type: adam", "type: ¦adamm")], "unknown optimizer 'adamm'; did you mean 'adam'?"),
    ("S61f monitor", value("monitor: val_loss", "loss"), "unknown monitor 'loss'"),
    ("S61k mode", [("patience: 2,", "patience: 2, mode: ¦down,")],
     "unknown mode 'down'; known values: auto, min, max"),
    ("S61l start_epoch 0", [("patience: 2,", "patience: 2, start_epoch: ¦0,")],
     "'start_epoch' must be 1 to 1000000, got 0"),
    ("S61g init", [("padding: 1}", "padding: 1, init: ¦kaiming}")],
     "unknown initializer 'kaiming'; known initializers: he"),
    ("S61h no type", [("{type: adam,", "¦{")], "missing key 'type' in optimizer"),
    ("S61i optimizer: {adam: ..}", [("{type: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1.0e-8}",
                                     "{¦adam: {lr: 0.1}}")],
     "write {type: adam, ...}"),
    ("S61j nesterov alone", [("{type: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1.0e-8}",
                              "{type: ¦sgd, nesterov: true}")], "'nesterov' needs a 'momentum' above 0"),
    ("S61k decay_bias alone", [(ADAM, "{type: ¦adamw, weight_decay: 0, decay_bias: true}")],
     "'decay_bias' needs a 'weight_decay' above 0"),
    ("S61l weight_decay for adam", [("lr: 0.001", "¦weight_decay: 0.01")], "unknown key 'weight_decay' in adam"),
    ("S61m momentum without momentum", [(ADAM, "{type: momentum, momentum: ¦0}")],
     "'momentum' must be more than 0 and less than 1, got 0"),
    ("S61n lion's decay below 0", [(ADAM, "{type: lion, weight_decay: ¦-0.1}")],
     "'weight_decay' must be 0 to 1000, got -0.1"),
    ("S61o two faults of rmsprop", [(ADAM, "{type: rmsprop, alpha: ¦1, centered: ¦yes}")],
     ["'alpha' must be at least 0 and less than 1", "'centered' must be true or false, got 'yes'"]),
    ("S61p another's option", [(ADAM, "{type: adadelta, ¦alpha: 0.9}")], "unknown key 'alpha' in adadelta"),
    ("S62 data.train: {dir:}", [("train: train-images-idx3-ubyte.gz", "train: {¦dir: x}")],
     "unknown key 'dir' in train"),
    ("S62c folder and csv", [("train: train-images-idx3-ubyte.gz", "train: ¦{folder: x, csv: y}")],
     "'train' has more than one of 'images', 'folder' and 'csv'"),
    ("S62d labels of a folder", [("train: train-images-idx3-ubyte.gz", "train: ¦{folder: x, labels: y}")],
     "'labels' of train is for 'images' only"),
    ("S62e layout", [("train: train-images-idx3-ubyte.gz", "train: {images: x, layout: ¦cwh}")],
     "unknown layout 'cwh'"),
    ("S62b data.train: a list", [("train: train-images-idx3-ubyte.gz", "train: ¦[a]")],
     "'train' must be a path, {images: ..}, {folder: ..} or {csv: ..}, got a list"),
    ("S63 empty path", [("train: train-images-idx3-ubyte.gz", 'train: ¦""')], "'train' is empty"),
    ("S64 NUL in a path", [("train: train-images-idx3-ubyte.gz", 'train: ¦"a\\0b"')], "NUL in text"),
    ("S70 empty output", [("output: run", 'output: ¦""')], "'output' is empty"),
    ("S70b empty name", added('name: ¦""\n'), "'name' is empty"),
    ("S80 ${ without }", [("output: run", "output: ¦${HOME")], "'output' has '${' without '}'"),
    ("S80b ${}", [("output: run", "output: ¦${}")], "'output' has '${}', which names no variable"),
    ("S80c ${1}", [("output: run", "output: ¦${1}")], "'output' has '${1}', which names no variable"),
    ("S80d not set", [("output: run", "output: ¦${NOT_SET}/x")],
     "'output' needs the environment variable 'NOT_SET', which is not set"),
]
SEVERAL = [
    ("S90 faults in every part, in one pass",
     [("seed: 1", "seed: ¦one"), ("validation: 0.25", "validation: ¦2"), ("filters: 4", "filters: ¦0"),
      ("- relu", "- ¦rellu"), ("dropout: 0.25", "dropout: ¦1"), ("epochs: 1", "¦epoch: 1"), ("lr: 0.001", "lr: ¦-1"),
      ("monitor: val_loss", "monitor: ¦loss"), ("output: run", "¦outputs: run")],
     ["'seed' must be", "'validation' must be", "'filters' must be", "unknown layer 'rellu'", "'rate' must be",
      "unknown key 'epoch' in train", "'lr' must be", "unknown monitor", "unknown key 'outputs'"]),
    ("S92 duplicate keys and other faults",
     [("seed: 1\n", "seed: ¦one\n¦seed: 2\n"), ("stride: 1,", "stride: ¦0,")],
     ["'seed' must be a whole number", "duplicate key 'seed'", "'stride' must be 1 to 1024"]),
    ("S91 duplicate keys, all of them", BASE + "¦seed: 2\n¦output: x\n",
     ["duplicate key 'seed'", "duplicate key 'output'"]),
]
TRAINING = [  # what cnneval has no business with
    ("S06d data: nothing", "data:¦\nnetwork: [dense: 10]\n", "missing key 'train' in data"),
    ("S57 batch_size above the set", value("batch_size: 16", "100"),
     "'batch_size' 100 is larger than the training set"),
    ("S57b and above what validation leaves", value("batch_size: 16", f"{TRAIN}"), "is larger than the training set"),
    ("S81 early stopping without validation",
     [("  validation: 0.25\n", ""), ("early_stopping: {", "early_stopping: ¦{")],
     "early_stopping needs data.validation: the test set never chooses anything (monitor: train_loss needs none)"),
    ("S81b and with a mode", [("  validation: 0.25\n", ""), ("early_stopping: {monitor: val_loss,",
                                                            "early_stopping: ¦{monitor: val_accuracy, mode: min,")],
     "early_stopping needs data.validation"),
    ("S84 nine class_weights", [("train:\n", "train:\n  class_weights: ¦[1, 1, 1, 1, 1, 1, 1, 1, 1]\n")],
     "'class_weights' has 9 numbers, but there are 10 classes"),
    ("S84b balanced, with a class of no samples", [("train:\n", "train:\n  class_weights: ¦balanced\n"), (
        "  validation: 0.25\n", "  validation: 0.25\n  classes: [a, b, c, d, e, f, g, h, i, j, k]\n")],
     "class 'k' has no sample in the training set, so there is no balanced weight for it"),
    ("S82 no data.train", [("  train: train-images-idx3-ubyte.gz\n", ""), ("  test: t10k", "  ¦test: t10k")],
     "missing key 'train' in data"),
    ("S83 both of these", [("  train: train-images-idx3-ubyte.gz\n", ""), ("  test: t10k", "  ¦test: t10k"),
                           ("  validation: 0.25\n", ""), ("early_stopping: {", "early_stopping: ¦{")],
     ["missing key 'train' in data", "early_stopping needs data.validation"]),
    ("S84 and with another fault, in one pass",
     [("seed: 1", "seed: ¦x"), ("  validation: 0.25\n", ""), ("early_stopping: {", "early_stopping: ¦{")],
     ["'seed' must be", "early_stopping needs data.validation"]),
    ("S85 two means for one channel", in_data("normalize: ¦{mean: [0, 0], std: [1, 1]}"),
     "but the images have 1 channel"),
    ("S86 channels of another set", in_data("input: {channels: ¦2}"), "input has 2 channels, but the images have 1"),
    ("S87 input below the images", in_data("input: {height: ¦20}"), "input is 20x28, but the images are 28x28"),
]
TWINS = [
    ("S20t filters 65536 as text of the summary", [("filters: 4", "filters: 16")], {}),
    ("S44t .5 and 1e-3", [("lr: 0.001", "lr: .5"), ("eps: 1.0e-8", "eps: 1e-3")], {}),
    ("S45t lr 100", [("lr: 0.001", "lr: 100")], {}),
    ("S50t dropout 0", [("dropout: 0.25", "dropout: 0")], {}),
    ("S55t epochs 0 and 1000000", [("epochs: 1", "epochs: 0"), ("patience: 2", "patience: 1000000")], {}),
    ("S56t batch_size 1", [("batch_size: 16", "batch_size: 1")], {}),
    ("S59 seed 2^64-1", [("seed: 1", "seed: 18446744073709551615")], {}),
    ("S59t seed 0", [("seed: 1", "seed: 0")], {}),
    ("T20t an hour and a half, quoted", [("  epochs: 1\n", '  epochs: 1\n  max_time: "1h30m"\n')], {}),
    ("S81t train_loss needs no validation", [("  validation: 0.25\n", ""), ("monitor: val_loss", "monitor: train_loss")],
     {}),
    ("S62t images and labels", [("train: train-images-idx3-ubyte.gz",
                                 "train: {images: train-images-idx3-ubyte, labels: train-labels-idx1-ubyte.gz}")], {}),
    ("S70t output .", [("output: run", "output: .")], {}),
    ("S77t pairs and words", [("stride: 1, padding: 1", "stride: [1, 1], padding: valid")], {}),
    ("S80t variables", [("output: run", "output: ${HERE}/${NOT_SET:-x}/$${y}")], {"environment": {"HERE": "a"}}),
    ("S60t class names", in_data("classes: [zero, one, two, three, four, five, six, seven, eight, 'nine: 9']"), {}),
    ("S61t optimizer: sgd", [("{type: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1.0e-8}", "sgd")], {}),
    ("S13t layer with nothing behind the colon", [("- relu", "- relu:")], {}),
    ("S13u layer with {}", [("- relu", "- relu: {}")], {}),
    ("S03t only what is needed", None, {}),
]
SETS = [  # --set, which is checked like the file
    ("S95 --set without =", "train.epochs", "--set train.epochs", "expected KEY=VALUE"),
    ("S95b bad value", "train.epochs=abc", "--set train.epochs=abc:1:1", "'epochs' must be a whole number, got 'abc'"),
    ("S95c unknown key", "train.epoch=3", "--set train.epoch=3",
     "unknown key 'epoch' in train; did you mean 'epochs'?"),
    ("S95d item that is not there", "network.9.relu=", "--set network.9.relu=", "is not there: the list has 5 items"),
    ("S95e no number in a list", "network.conv.filters=3", "--set network.conv.filters=3",
     "give the number of an item"),
    ("S95f empty name", "train..epochs=3", "--set train..epochs=3", "has an empty name in its path"),
    ("S95g through a number", "seed.x=3", "--set seed.x=3", "goes into the plain value '1'"),
    ("S95h not YAML", "seed=[1", "--set seed=[1:1:3", "expected ',' or ']' in this list"),
    ("S95i nothing", "seed=", "--set seed=:1:1", "'seed' is empty: it must be a whole number"),
    ("S95j tag", "seed=!!int 3", "--set seed=!!int 3:1:1", "tags are not supported"),
    ("S95k escape", "train.\x1b[31m=3", "--set train.\\x1B[31m=3", "unknown key '\\x1B[31m' in train"),
    ("S95l deep path", ".".join("a" * 40) + "=1", "--set " + ".".join("a" * 40) + "=1", "goes too deep"),
]


def set_cases():
    for name, assignment, place, message in SETS:
        yield Case(name, 3, [(place, message)], ["cnntrain", "--set", assignment, "base.yaml"])
    yield Case("S96 --set in several places", 0, [],
               ["cnntrain", "-n", "-s", "network.0.conv.filters=3", "--set=train.optimizer.lr=0.1", "-strain.epochs=7",
                "base.yaml"], says="7 epochs of 3 steps of 16")


def cases(trained):
    for name, edits, messages in KEYS + NUMBERS + TIMES + WORDS + SEVERAL:
        yield from config_cases(name, edits if isinstance(edits, str) else edited(*edits), messages)
    for name, edits, messages in TRAINING:
        text = edits if isinstance(edits, str) else edited(*edits)
        yield from config_cases(name, text, messages, evaluate=False)
    for name, edits, more in TWINS:
        text = edited(*edits) if edits else ("data: {train: train-images-idx3-ubyte, test: t10k-images-idx3-ubyte}\n"
                                            "network: [dense: 10]\ntrain: {batch_size: 8}\n")
        yield from config_cases(name, text, "", code=0, **more)
    yield from set_cases()
