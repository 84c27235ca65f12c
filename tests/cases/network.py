"""network.py: networks that do not fit together, or fit nothing (group N). Refused at the layer, before memory is
taken."""
from cases.base import BASE, config_cases, edited
from cases.harness import Case

NETWORK = BASE[BASE.index("  - conv"):BASE.index("train:\n")]


def network(*items):
    return BASE.replace(NETWORK, "".join(f"  - {item}\n" for item in items))


BOUNDS = {"kib": 32 << 10}  # nothing is allocated for a network that is refused


def most_parameters(third):
    """2,147,483,647 = 1232 * 57712 + 57712 + 57712 * 35968 + 35968 * 15 + 15: tensors begin at multiples of 16."""
    return network("dense: 57712", "dense: {units: 35968, bias: false}", third).replace(
        "  validation: 0.25\n", f"  validation: 0.25\n  input: {{height: 44}}\n  classes: [{', '.join('abcdefghijklmno')}]\n")


# id, config, message
FAULTS = [
    ("N01 kernel 0", edited(("kernel: 3", "kernel: ¦0")), "'kernel' must be 1 to 1024, got 0"),
    ("N02 stride 0, conv", edited(("stride: 1", "stride: ¦0")), "'stride' must be 1 to 1024, got 0"),
    ("N03 stride 0, maxpool", edited(("stride: 4", "stride: ¦0")), "'stride' must be 1 to 1024, got 0"),
    ("N03b size [2, 0]", edited(("size: 4", "size: [2, ¦0]")), "'size' must be 1 to 1024, got 0"),
    ("N04 kernel 100 on 28x28", network("¦conv: {filters: 8, kernel: 100}", "dense: 10"),
     "conv 'conv1': its kernel 100x100 is larger than its input 1x28x28 with padding 0x0"),
    ("N04b kernel 29", network("¦conv: {filters: 8, kernel: [1, 29]}", "dense: 10"),
     "its kernel 1x29 is larger than its input"),
    ("N05 maxpool 29", network("¦maxpool: 29", "dense: 10"),
     "maxpool 'maxpool1': its window 29x29 is larger than its input 1x28x28"),
    ("N05b avgpool 29", network("¦avgpool: {name: S2, size: 29}", "dense: 10"), "avgpool 'S2': its window 29x29"),
    ("N06 padding as large as the kernel", edited(("- conv: {filters: 4, kernel: 3, stride: 1, padding: 1}",
                                                   "- ¦conv: {filters: 4, kernel: 3, padding: 3}")),
     "padding 3x3 must be smaller than its kernel 3x3"),
    ("N07 pools until nothing is left", network(*["maxpool: 2"] * 4, "¦maxpool: 2", *["maxpool: 2"] * 7, "dense: 10"),
     "maxpool 'maxpool5': its window 2x2 is larger than its input 1x1x1"),
    ("N08 conv after dense", network("dense: 20", "¦conv: {filters: 8, kernel: 3}", "dense: 10"),
     "its kernel 3x3 is larger than its input 20x1x1"),
    ("N09 nine outputs for ten classes", edited(("- dense: 10", "- ¦dense: 9")),
     "the network ends in dense 'dense1' with output 9x1x1, 9 values, but there are 10 classes"),
    ("N10 ends in a map", edited(("  - dense: 10\n", ""), ("- dropout: 0.25", "- ¦dropout: 0.25")),
     "the network ends in dropout 'dropout1' with output 4x7x7, 196 values, but there are 10 classes"),
    ("N10b ends in an activation", edited(("- dense: 10", "- dense: 9\n  - ¦tanh")),
     "the network ends in tanh 'tanh1'"),
    ("N10c its last layer has an activation", network("¦dense: {units: 9, activation: relu}"), "the network ends in"),
    ("N06b padding as large as the reach", network("¦conv: {filters: 4, kernel: 3, dilation: 2, padding: 5}", "dense: 10"),
     "padding 5x5 must be smaller than its kernel 3x3 with dilation 2x2"),
    ("N04c a kernel that reaches too far", network("¦conv: {filters: 8, kernel: 3, dilation: [2, 14]}", "dense: 10"),
     "its kernel 3x3 with dilation 2x14 is larger than its input 1x28x28"),
    ("N04d dilation 0", edited(("stride: 1", "dilation: ¦0")), "'dilation' must be 1 to 1024, got 0"),
    ("N30 groups that do not divide the input", network("conv: {filters: 6, kernel: 3}",
                                                        "¦conv: {filters: 8, kernel: 3, groups: 4}", "dense: 10"),
     "conv 'conv2': its 6 input channels and its 8 filters must be divisible by its groups, 4"),
    ("N30b groups that do not divide the filters", network("conv: {filters: 6, kernel: 3}",
                                                           "¦conv: {filters: 8, kernel: 3, groups: 3}", "dense: 10"),
     "conv 'conv2': its 6 input channels and its 8 filters must be divisible by its groups, 3"),
    ("N30c groups 0", edited(("stride: 1", "groups: ¦0")), "'groups' must be 1 to 65536, got 0"),
    ("N35 conv1d on maps", network("conv: {filters: 6, kernel: 3}", "¦conv1d: {filters: 8, kernel: 3}", "dense: 10"),
     "conv1d 'conv1d1' takes a sequence, channels x 1 x steps; its input is 6x26x26: put a reshape before it"),
    ("N35b a kernel longer than the sequence", network("¦conv1d: {filters: 8, kernel: 29}", "dense: 10"),
     "conv1d 'conv1d1': its kernel 29 is larger than its input 28 steps of 28 with padding 0"),
    ("N35c a pair for a sequence", network("conv1d: {filters: 8, kernel: ¦[1, 3]}", "dense: 10"),
     "'kernel' must be a whole number, got a list"),
    ("N35d padding: Same", network("conv1d: {filters: 8, kernel: 3, padding: ¦Same}", "dense: 10"),
     "'padding' must be a whole number, valid or same, got 'Same'"),
    ("N35e padding as large as the reach", network("¦conv1d: {filters: 8, kernel: 3, dilation: 2, padding: 5}",
                                                   "dense: 10"),
     "padding 5 must be smaller than its kernel 3 with dilation 2"),
    ("N35f maxpool1d", network("¦maxpool1d: 29", "dense: 10"), "its window 29 is larger than its input 28 steps of 28"),
    ("N35g maxpool on a sequence", network("permute: wch", "conv1d: {filters: 8, kernel: 3}", "¦maxpool: 2", "dense: 10"),
     "maxpool 'maxpool1': its window 2x2 is larger than its input 8x1x26 with padding 0x0; for a sequence there is "
     "maxpool1d"),
    ("N36 reshape to another number of values", network("¦reshape: [28, 27]", "dense: 10"),
     "reshape 'reshape1': its input 1x28x28 has 784 values, which do not fit the shape 28x27"),
    ("N36b reshape with a rest", network("¦reshape: [-1, 5, 5]", "dense: 10"),
     "its input 1x28x28 has 784 values, which do not fit the shape -1x5x5"),
    ("N36c reshape to one number", network("reshape: ¦[784]", "dense: 10"),
     "'shape' must be [channels, steps] or [channels, height, width]"),
    ("N36d reshape with two unknowns", network("reshape: ¦[-1, -1]", "dense: 10"), "'shape' may have only one -1"),
    ("N36e reshape to nothing", network("reshape: [784, ¦0]", "dense: 10"), "'shape' must be 1 to 65536, or -1, got 0"),
    ("N37 permute by numbers", network("permute: ¦[2, 0, 1]", "dense: 10"), "'order' must be chw, cwh, hcw, hwc, wch or whc, got a list"),
    ("N37b an axis twice", network("permute: ¦chh", "dense: 10"), "unknown order 'chh'"),
    ("N11 dense 0", edited(("- dense: 10", "- dense: ¦0")), "'units' must be 1 to 65536, got 0"),
    ("N11b dense -1", edited(("- dense: 10", "- dense: ¦-1")), "'units' must be 1 to 65536"),
    ("N11c dense 65537", edited(("- dense: 10", "- dense: ¦65537")), "'units' must be 1 to 65536, got 65537"),
    ("N12 dense 2000000000", edited(("- dense: 10", "- dense: ¦2000000000")), "'units' must be 1 to 65536"),
    ("N13 too many parameters", network("conv: {filters: 64, kernel: 1}", "¦dense: 65536", "dense: 10"),
     "dense 'dense1' needs 3288334336 parameters, besides the 128 before it; a network may have 2147483647"),
    ("N13b too many together", network("dense: 32768", "dense: 32768", "¦dense: 65536", "dense: 10"),
     "before it; a network may have 2147483647"),
    ("N13c a parameter too many", most_parameters("¦dense: 16"),
     "dense 'dense3' needs 575488 parameters, besides the 2146944112 before it; a network may have 2147483647"),
    ("N17 filters and kernel at their limits",
     network("¦conv: {filters: 65536, kernel: 1024, padding: same}", "dense: 10"),
     "conv 'conv1' needs 68719476736 parameters; a network may have 2147483647"),
    ("N18b one row more", network("¦conv: {filters: 65536, kernel: [1, 28]}", "global_avgpool", "dense: 10").replace(
        "  validation: 0.25\n", "  validation: 0.25\n  input: {height: 32768}\n"),
     "its output 65536x32768x1 is over the limit of 65536 a dimension, 2147483647 in all"),
    ("N18 an output over the limit", network("¦conv: {filters: 65536, kernel: [1, 1]}", "dense: 10").replace(
        "  validation: 0.25\n", "  validation: 0.25\n  input: {height: 1000, width: 1000}\n"),
     "is over the limit of 65536 a dimension, 2147483647 in all"),
    ("N28 softmax", edited(("- dense: 10", "- dense: 10\n  - ¦softmax")), "unknown layer 'softmax'; leave it out: the loss cross_entropy has a softmax of its own"),
    ("N28b softmax as an activation", edited(("- dense: 10", "- dense: {units: 10, activation: ¦softmax}")),
     "unknown activation 'softmax'; leave it out: the loss cross_entropy has a softmax of its own"),
    ("N28c darknet's linear", edited(("- dense: 10", "- dense: {units: 10, activation: ¦linear}")),
     "unknown activation 'linear'; leave it out: without an activation the output is linear"),
    ("N42 two layers of one name", network("dense: {name: a, units: 20}", "¦dense: {name: a, units: 10}"),
     "two layers are called 'a'"),
    ("N42b a name that another gets", network("dense: {name: dense2, units: 20}", "¦dense: 10"),
     "two layers are called 'dense2'"),
    ("N42c a name for a path", network("¦dense: {name: ../a, units: 10}"), "only letters, digits, '_' and '-'"),
    ("N42d a name with a dot", network("¦dense: {name: a.weight, units: 10}"), "only letters, digits, '_' and '-'"),
    ("N42e a name of 65 bytes", network("¦dense: {name: " + "n" * 65 + ", units: 10}"), "at most 64"),
    ("N29 nothing to train", network("relu").replace("  - relu", "  ¦- relu"), "the network has nothing to train"),
    ("N29b all of it frozen", network("dense: {units: 10, freeze: true}").replace("  - dense", "  ¦- dense"),
     "the network has nothing to train: all of its weights are frozen"),
    ("N29c frozen and regularized", network("dense: {units: 20, freeze: true, regularize: {l2: 0.1}}", "dense: 10")
     .replace("- dense: {units: 20", "- ¦dense: {units: 20"), "dense 'dense1' is frozen: its 'regularize' would do nothing"),
    ("N41 freeze where there are no weights", network("relu: {¦freeze: true}", "dense: 10"),
     "unknown key 'freeze' in relu"),
    ("N41b freeze: 1", network("dense: {units: 20, freeze: ¦1}", "dense: 10"),
     "'freeze' must be true or false, got 1; write true"),
    ("N27 batchnorm of one value", network("dense: 20", "¦batchnorm", "dense: 10").replace("batch_size: 16", "batch_size: 1"),
     "batchnorm 'batchnorm1' needs at least 2 values of a channel, and would have 1: its input is 20x1x1, and a batch has "
     "1 image ('batch_size' is 1, of 44)"),
    ("N27b batchnorm of one value in the last batch", network("dense: 20", "¦batchnorm", "dense: 10").replace(
        "batch_size: 16", "batch_size: 43"), "and the last batch of an epoch has 1 image ('batch_size' is 43, of 44)"),
    ("N36c eps: 0", network("batchnorm: {eps: ¦0}", "dense: 10"), "'eps' must be more than 0 and at most 1, got 0"),
    ("N36d momentum: 1.1", network("batchnorm: {momentum: ¦1.1}", "dense: 10"), "'momentum' must be 0 to 1, got 1.1"),
    ("N36e another's name for eps", network("batchnorm: {¦epsilon: 0.1}", "dense: 10"), "unknown key 'epsilon' in batchnorm"),
    ("N37 groups that do not divide", network("conv: {filters: 4, kernel: 3}", "¦groupnorm: 3", "dense: 10"),
     "groupnorm 'groupnorm1': its 4 channels cannot be divided into 3 groups"),
    ("N37b no groups", network("¦groupnorm", "dense: 10"), "missing key 'groups' in groupnorm"),
    ("N37c groups: 0", network("groupnorm: ¦0", "dense: 10"), "'groups' must be 1 to 65536, got 0"),
    ("N37d layernorm of a shape", network("layernorm: {¦normalized_shape: 10}", "dense: 10"),
     "unknown key 'normalized_shape' in layernorm"),
    ("N38 lrn of no channels", network("lrn: {size: ¦0}", "dense: 10"), "'size' must be 1 to 1024, got 0"),
    ("N38b lrn with k: 0", network("lrn: {k: ¦0}", "dense: 10"), "'k' must be more than 0 and at most 1000, got 0"),
    ("N39 subsample to nothing", network("¦subsample: 29", "dense: 10"),
     "subsample 'subsample1': its window 29x29 is larger than its input 1x28x28"),
    ("N39b subsample: 0", network("subsample: ¦0", "dense: 10"), "'size' must be 1 to 1024, got 0"),
    ("N39c subsample with a stride", network("subsample: {size: 2, ¦stride: 1}", "dense: 10"),
     "unknown key 'stride' in subsample"),
    ("N52 whiten behind another layer", network("tanh", "¦conv: {filters: 4, kernel: 3, init: whiten}", "dense: 10"),
     "conv 'conv1': 'init: whiten' is for a conv that reads the images, with all channels for each filter"),
    ("N52b whiten of a dense layer", network("¦dense: {units: 20, init: whiten}", "dense: 10"),
     "dense 'dense1': 'init: whiten' is for a conv that reads the images"),
    ("N52c more filters than components", network("¦conv: {filters: 19, kernel: 3, init: whiten}", "dense: 10"),
     "conv 'conv1': 'init: whiten' has at most 18 filters here, the components of 9 values and their opposites"),
    ("N52d too large a patch", network("¦conv: {filters: 4, kernel: 23, init: whiten}", "dense: 10"),
     "and at most 512 values, within the picture"),
    ("N52e whiten of a sequence", network("¦conv1d: {filters: 4, kernel: 3, init: whiten}", "dense: 10"),
     "conv1d 'conv1d1': 'init: whiten' is for a conv that reads the images"),
    ("N51 codes for another input", network("dense: 83", "¦rbf: digits"),
     "rbf 'rbf1': its codes have 84 values, but its input 83x1x1 has 83"),
    ("N51b unknown codes", network("dense: 84", "rbf: ¦letters"), "'codes' must be digits, or a list with the code of each unit"),
    ("N51c no codes", network("dense: 84", "rbf: ¦[]"), "'codes' must be digits, or a list with the code of each unit"),
    ("N51d codes of unequal length", network("dense: 3", 'rbf: ["##.", ¦"#.", "..."]'),
     "the codes must be equally long: this one has 2 values, the first 3"),
    ("N51e numbers for a code", network("dense: 3", "rbf: [¦[1, -1, 1]]"), "a code must be a text of # (for +1) and . (for -1)"),
    ("N51f another sign", network("dense: 3", 'rbf: ["##.", ¦"+-+"]'), "a code must be a text of # (for +1) and . (for -1)"),
    ("N51g an empty code", network("dense: 3", 'rbf: [¦""]'), "a code must be a text of # (for +1) and . (for -1)"),
    ("N51h three codes for ten classes", network("dense: 2", '¦rbf: ["#.", ".#", "##"]'),
     "the network ends in rbf 'rbf1' with output 3x1x1, 3 values, but there are 10 classes"),
    ("N51j its codes cannot be frozen", network("dense: 84", "rbf: {codes: digits, ¦freeze: true}"), "unknown key 'freeze' in rbf"),
    ("N40 lenet5's connections for another layer", network("¦conv: {filters: 6, kernel: 5, connections: lenet5}", "dense: 10"),
     "conv 'conv1': connections of 16 filters, but it has 6"),
    ("N40b a map that is not there", network("¦conv: {filters: 2, kernel: 5, connections: [[0], [0, 1]]}", "dense: 10"),
     "its filter 1 is connected to input map 1, but there are 1 maps, from 0"),
    ("N40c not a list of lists", network("conv: {filters: 2, kernel: 5, connections: [¦0]}", "dense: 10"),
     "each filter needs a list of the input maps that it sees, from 0"),
    ("N24d darknet's route", network("dense: 20", "¦route: -2", "dense: 10"),
     "unknown layer 'route'; put the layers side by side into 'concat: [[...], [...]]'"),
    ("N25 a residual that does not fit", network("conv: {filters: 4, kernel: 3}",
                                                 "¦residual: [conv: {filters: 8, kernel: 3, padding: 1}]", "dense: 10"),
     "residual 'residual1': its body gives 8x26x26, which cannot be added to 4x26x26; try 'shortcut: conv' or"),
    ("N25b its body shrinks by a border", network("¦residual: [conv: {filters: 1, kernel: 3}]", "dense: 10"),
     "its body gives 1x26x26, which cannot be added to 1x28x28; no stride leads there"),
    ("N25c a fault in its body", network("residual:\n      - tanh\n      - ¦conv: {filters: 8, kernel: 29}", "dense: 10"),
     "conv 'conv1': its kernel 29x29 is larger than its input 1x28x28"),
    ("N25d branches of two sizes", network("¦concat: [[maxpool: 2], [tanh]]", "dense: 10"),
     "its first branch gives 1x14x14, its branch 2 1x28x28: heights and widths must be the same"),
    ("N34e 1,025 layers by repetition", network("repeat: {times: 1024, block: [¦tanh]}", "¦dense: 10").replace(
        "[¦tanh]", "[tanh]"), "more than 1024 layers"),
    ("N34f ends in a residual", network("dense: 9", "¦residual: [tanh]"),
     "the network ends in residual 'residual1' with output 9x1x1"),
    ("N26 no body", network("¦residual", "dense: 10"), "missing key 'body' in residual"),
    ("N26b body in the body's place", network("residual: {¦bdy: [tanh]}", "dense: 10"),
     "unknown key 'bdy' in residual; did you mean 'body'?"),
    ("N24 an unknown shortcut", network("residual: {body: [tanh], shortcut: ¦projection}", "dense: 10"),
     "unknown shortcut 'projection'; known shortcuts: identity, conv, pool"),
    ("N24b a misspelt layer in a branch", network("concat: [[], [¦tahn]]", "dense: 10"),
     "unknown layer 'tahn'; did you mean 'tanh'?"),
    ("N24c one branch", network("concat: ¦[[tanh]]", "dense: 10"), "'branches' must be 2 to 64 lists of layers, got 1"),
    ("N35f a name that is repeated", network("repeat: {times: 2, block: [¦dense: {name: a, units: 9}]}", "dense: 10"),
     "two layers are called 'a': a layer that is repeated cannot have a name"),
    ("N35g repeat: 0", network("repeat: {block: [tanh], times: ¦0}", "dense: 10"), "'times' must be 1 to 1024, got 0"),
    ("N31 dropout inside an activation", network("dense: {units: 10, activation: ¦dropout}"),
     "unknown activation 'dropout'; known activations: relu"),
    ("N32 shape and batch size in one pass",
     network("¦maxpool: 29", "dense: 10").replace("batch_size: 16", "batch_size: ¦99"),
     ["maxpool 'maxpool1': its window 29x29", "'batch_size' 99 is larger than the training set"]),
]
TWINS = [  # id, config, part of the summary
    ("N29t one layer frozen", network("dense: {units: 20, freeze: true}", "dense: 10"), "15,700"),
    ("N04t kernel as large as the input", network("conv: {filters: 8, kernel: 28}", "dense: 10"), "8x1x1"),
    ("N30t depthwise, two filters a channel", network("conv: {filters: 6, kernel: 3}",
                                                      "conv: {filters: 12, kernel: 3, groups: 6}", "dense: 10"),
     "12x24x24         120"),
    ("N35t a sequence of rows", network("permute: wch", "conv1d: {filters: 32, kernel: 3}", "dense: 10"), "  32x26  "),
    ("N36t the rest of a shape", network("reshape: [4, -1, 7]", "conv: {filters: 2, kernel: 3}", "dense: 10"), "4x28x7"),
    ("N04u kernel 30 with padding 1", network("conv: {filters: 8, kernel: 30, padding: 1}", "dense: 10"), "8x1x1"),
    ("N08t 1x1 after dense", network("dense: 20", "conv: {filters: 10, kernel: 1}"), "10x1x1"),
    ("N09t one class more than outputs", edited(("- dense: 10", "- dense: 11"), ("  validation: 0.25\n",
     "  validation: 0.25\n  classes: [a, b, c, d, e, f, g, h, i, j, k]\n")), "11 classes"),
    ("N10t ends in a map of ten values", network("conv: {filters: 10, kernel: 28}"), "10x1x1"),
    ("N23 1,000 layers", network("maxpool: 7", *["conv: {filters: 1, kernel: 3, padding: same}"] * 999,
                                 "dense: 10"), "conv999"),
    ("N27t batchnorm of one image, but many pixels", network("batchnorm", "dense: 10").replace(
        "batch_size: 16", "batch_size: 43"), "batchnorm1"),
    ("N27u a frozen one of one value", network("dense: 20", "batchnorm: {freeze: true}", "dense: 10").replace(
        "batch_size: 16", "batch_size: 1"), "batchnorm1"),
    ("N25t a residual with a shortcut", network("residual: {body: [conv: {filters: 8, kernel: 3, padding: 1, stride: 2}], "
                                                "shortcut: conv}", "dense: 10"), "residual1.conv"),
    ("N34u 1,022 layers by repetition", network("maxpool: 7", "repeat: {times: 1022, block: [tanh]}", "dense: 10"),
     "tanh1022"),
    ("N42t names as the network gives them",
     network("dense: {name: dense2, units: 20}", "dense: {name: dense1, units: 10}"), "dense2"),
    ("N33 an image of one pixel", network("dense: 20", "conv: {filters: 10, kernel: 3, padding: same}"), "10x1x1"),
]
POOLED = ("global_avgpool", "dense: 10")
SMALL = ["--set", "train.memory=8GiB"]  # whatever the machine has
LIMITS = [  # exit 7: a network that is right and needs more memory than there is
    ("N18t an output just within the limit", network("conv: {filters: 65536, kernel: [1, 28]}", *POOLED).replace(
        "  validation: 0.25\n", "  validation: 0.25\n  input: {height: 32767}\n"), "training needs "),
    ("N13t as many parameters as there may be", most_parameters("dense: 15"), "training needs "),
    ("N19 a thousand of them", network("conv: {filters: 65536, kernel: [1, 28]}", *["conv: {filters: 65536, kernel: 1, groups: 65536}"] *
                                    1000, *POOLED).replace(
        "  validation: 0.25\n", "  validation: 0.25\n  input: {height: 32767}\n"), "training needs 264.2 TiB"),
    ("N21 plan of terabytes", network("conv: {filters: 2000, kernel: 1}", "maxpool: 1000", "dense: 10").replace(
        "  validation: 0.25\n", "  validation: 0.25\n  input: {height: 1000, width: 1000}\n"),
     "training needs 715.4 GiB for weights and layers' outputs, and may take 8 GiB (train.memory); the largest: conv1 "),
]


def cases(trained):
    for name, text, message in FAULTS:
        early = any(words in message for words in ("must be 1 to", "must be 0 to", "must be more", "freeze'", "missing key", "unknown ", "'branches' must"))  # known without the data
        yield from config_cases(name, text, message, evaluate=early, **BOUNDS)
    for name, text, says in TWINS:
        yield from config_cases(name, text, "", code=0, evaluate=False, says=says)
    for name, text, message in LIMITS:
        yield Case(name, 7, [("cnntrain", message)], ["cnntrain", "-t", "2", "case.yaml", *([] if "TiB" in message else SMALL)], {"case.yaml": text.encode()}, **BOUNDS)
    more = ["cnntrain", "-n", "-t", "1", "base.yaml", "-s"]
    yield Case("N22 as much as it may take", 0, [], [*more, f"train.memory={trained['arena']}"])
    yield Case("N22b a byte more", 7, [("cnntrain", "(train.memory); the largest: conv1 ")], [*more, f"train.memory={trained['arena'] - 1}"])
