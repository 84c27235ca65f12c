"""lint.py: configs that are allowed and surely not meant (group W): a warning at its place, and the exit code stays 0; under
--strict the same as an error, exit code 3. And beside each the config that is nearly the same and fine."""
from cases.base import NAME, edited, places
from cases.harness import Case

LONG = ("epochs: 1\n", "epochs: 9\n")  # BASE has one epoch, which no patience can shorten


def stopping(text):
    return ("early_stopping: {monitor: val_loss, patience: 2, min_delta: 0, restore_best: true}",
            f"early_stopping: {{{text}}}")


def scheduled(text):
    return ("  batch_size: 16\n", f"  batch_size: 16\n  schedule: {text}\n")


# id, edits of BASE with the mark ¦ where the warning stands, how the message begins
WARNINGS = [
    ("W01 dropout rate 0.1", [LONG, ("- dropout: 0.25", "- ¦dropout: 0.1")],
     "the dropout rate 0.1 is outside 0.2 to 0.5: too little to prevent overfitting"),
    ("W02 dropout rate 0.75", [LONG, ("- dropout: 0.25", "- ¦dropout: 0.75")],
     "the dropout rate 0.75 is outside 0.2 to 0.5: the network learns from less than half"),
    ("W03 relu as the last layer", [LONG, ("- dense: 10", "- dense: 10\n  - ¦relu")],
     "'relu' is the last layer, but cross_entropy has a softmax of its own"),
    ("W03m an activation before map", [LONG, ("- dense: 10", "- dense: 10\n  - ¦tanh"), ("train:\n", "train:\n  loss: map\n")],
     "'tanh' is the last layer, but map has a softmax of its own"),
    ("W04 an activation of the last layer", [LONG, ("- dense: 10", "- ¦dense: {units: 10, activation: sigmoid}")],
     "'sigmoid' is the last layer, but cross_entropy"),
    ("W05 dropout as the last layer", [LONG, ("- dense: 10", "- dense: 10\n  - ¦dropout: 0.3")],
     "'dropout' is the last layer: it disturbs the answer itself"),
    ("W06 batch_size above half of the set", [LONG, ("batch_size: 16", "batch_size: ¦23")],
     "'batch_size' 23 is more than half of the 44 samples of an epoch, which has 2 steps"),
    ("W07 batch_size of the whole set", [LONG, ("batch_size: 16", "batch_size: ¦44")],
     "'batch_size' 44 is more than half of the 44 samples of an epoch, which has one step"),
    ("W08 patience up to the end", [LONG, ("patience: 2", "patience: ¦8")],
     "early stopping can never end this run of 9 epochs: with patience 8 it ends after epoch 9 at the soonest"),
    ("W09 patience from a late epoch on", [LONG, stopping("monitor: val_loss, patience: ¦2, start_epoch: 7")],
     "early stopping can never end this run of 9 epochs: with patience 2 it ends after epoch 9 at the soonest"),
    ("W10 default patience", [("epochs: 1\n", "epochs: 5\n"), ("early_stopping: {monitor: val_loss, patience: 2, min_delta: "
                                                              "0, restore_best: true}", "early_stopping: ¦{}")],
     "early stopping can never end this run of 5 epochs: with patience 5"),
    ("W11 mode max of a loss", [LONG, stopping("monitor: val_loss, patience: 2, mode: ¦max")],
     "mode max takes the epoch with the greatest val_loss for the best one"),
    ("W12 mode min of an accuracy", [LONG, stopping("monitor: val_accuracy, patience: 2, mode: ¦min")],
     "mode min takes the epoch with the least val_accuracy for the best one"),
    ("W13 no checkpoint before the end", [("epochs: 1\n", "epochs: 9\n  checkpoint: {every: ¦9}\n")],
     "no checkpoint before the end: every 9 epochs, of 9"),
    ("W14 the test set is the training set", [LONG, ("test: t10k-images", "test: ¦train-images")],
     "the test set is the training set"),
    ("W15 the validation set is the test set", [LONG, ("validation: 0.25", "validation: ¦t10k-images-idx3-ubyte.gz")],
     "the validation set is the test set"),
    ("W16 the validation set is the training set, under another name",
     [LONG, ("validation: 0.25", "validation: ¦train-images-idx3-ubyte")], "the validation set is the training set"),
    ("W17 a class without images", [LONG, ("validation: 0.25", "validation: 0.25\n  classes: ¦[a, b, c, d, e, f, g, h, i, j, k]"),
                                    ("- dense: 10", "- dense: 11")], "class 'k' has no image in the training set"),
    ("W17b three of them", [LONG, ("validation: 0.25", "validation: 0.25\n  classes: ¦[a, b, c, d, e, f, g, h, i, j, k, l, m]"),
                            ("- dense: 10", "- dense: 13")], "class 'k' and 2 more have no image in the training set"),
    ("W18 classes balanced twice", [("epochs: 1\n", "epochs: 9\n  class_weights: balanced\n"),
                                    ("validation: 0.25\n", "validation: 0.25\n  over_sample: ¦balanced\n")],
     "over_sample draws the classes evenly, and class_weights: balanced makes up for them once more"),
    ("W19 a warmup as long as the run", [("epochs: 1\n", "epochs: 9\n  schedule: {type: cosine, warmup: ¦9}\n")],
     "the warmup of 9 epochs lasts as long as the run of 9"),
    ("W31 a schedule that ends before the run", [LONG, scheduled("{type: cosine, epochs: ¦5}")],
     "the rate is 0 from epoch 6 on"),
    ("W32 steps longer than the run", [LONG, scheduled("¦{type: step, step_size: 9}")],
     "the schedule never changes the rate in 9 epochs"),
    ("W33 milestones behind the end", [LONG, scheduled("¦{type: multistep, milestones: [30, 60]}")],
     "the schedule never changes the rate in 9 epochs"),
    ("W34 patience up to the end", [LONG, scheduled("¦{type: plateau, patience: 7}")],
     "the schedule never changes the rate in 9 epochs"),
]
FINE = [
    ("W19t a shorter one", [("epochs: 1\n", "epochs: 9\n  schedule: {type: cosine, warmup: 8.5}\n")]),
    ("W18t classes balanced once", [LONG, ("validation: 0.25\n", "validation: 0.25\n  over_sample: balanced\n")]),
    ("W01t dropout rates at the bounds, and off",
     [LONG, ("- dropout: 0.25", "- dropout: 0.2\n  - dropout: 0.5\n  - dropout: 0")]),
    ("W03t tanh as the last layer before mse", [("epochs: 1\n", "epochs: 9\n  loss: mse\n"),
                                               ("- dense: 10", "- dense: 10\n  - tanh")]),
    ("W06t half of the set", [LONG, ("batch_size: 16", "batch_size: 22")]),
    ("W08t patience to the last epoch but one", [LONG, ("patience: 2", "patience: 7")]),
    ("W11t modes that say what is so anyway", [LONG, stopping("monitor: val_accuracy, patience: 2, mode: max")]),
    ("W13t a checkpoint in the last epoch but one", [("epochs: 1\n", "epochs: 9\n  checkpoint: {every: 8}\n")]),
    ("W13u every epoch of one", [("epochs: 1\n", "epochs: 1\n  checkpoint: {every: 1}\n"),
                                 ("  early_stopping: {monitor: val_loss, patience: 2, min_delta: 0, restore_best: true}\n",
                                  "")]),
    ("W31t a schedule that begins anew",
     [LONG, scheduled("{type: cosine, epochs: 3, restarts: true}")]),
    ("W31u a schedule that ends at a least rate", [LONG, scheduled("{type: cosine, epochs: 5, min_lr: 0.0001}")]),
    ("W32t steps of all epochs but one", [LONG, scheduled("{type: step, step_size: 8}")]),
    ("W34t patience that leaves an epoch", [LONG, scheduled("{type: plateau, patience: 6}")]),
]


def cases(_trained):
    for name, edits, message in WARNINGS:
        text, where = places(edited(*edits))
        files = {NAME: text.encode()}
        yield Case(name, 0, [], ["cnntrain", "--dry-run", NAME], files, says=f"{where[0]}: warning: {message}")
        yield Case(name + " (--strict)", 3, [(where[0], message)], ["cnntrain", "--strict", "--dry-run", NAME], files)
    for name, edits in FINE:
        yield Case(name, 0, [], ["cnntrain", "--strict", "--dry-run", NAME], {NAME: edited(*edits).encode()})
    both = edited(LONG, ("- dropout: 0.25", "- dropout: 0.1"), ("patience: 2", "patience: 8")).encode()
    yield Case("W20 two of them", 3, [("case.yaml:10:5", "the dropout rate"), ("case.yaml:16:49", "early stopping can")],
               ["cnntrain", "--strict", NAME], {NAME: both})
    yield Case("W21 --quiet and --strict", 3, [("case.yaml:10:5", "the dropout rate"), ("case.yaml:16:49", "early")],
               ["cnntrain", "--strict", "--quiet", NAME], {NAME: both})
    yield Case("W22 behind an error there are no warnings", 3, [("case.yaml:1:7", "'seed' must be")],
               ["cnntrain", "--strict", NAME], {NAME: both.replace(b"seed: 1", b"seed: x")})
