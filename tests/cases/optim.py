"""optim.py: mistakes in what stands between gradients and weights (group O): schedules, penalties, clipping, averages."""
from cases.base import config_cases, edited

ADAM = "{type: adam, lr: 0.001, beta1: 0.9, beta2: 0.999, eps: 1.0e-8}"
STOP = ("  early_stopping: {monitor: val_loss, patience: 2, min_delta: 0, restore_best: true}\n", "")


def in_train(text):
    return [("train:\n", f"train:\n  {text}\n")]


def scheduled(text):
    """BASE with a schedule."""
    return in_train(f"schedule: {text}")


# id, edits of BASE, message (or one for each mark)
FAULTS = [
    ("O01 regularize: l2", in_train("regularize: ¦l2"), "expected a mapping in regularize, got text"),
    ("O02 a number for regularize", in_train("regularize: ¦0.001"), "expected a mapping in regularize, got text"),
    ("O03 weight_decay", in_train("regularize: {¦weight_decay: 0.1}"),
     "unknown key 'weight_decay' in regularize; known keys: l1, l2, max_norm, biases"),
    ("O04 biases of no penalty", in_train("regularize: ¦{biases: true, max_norm: 1}"),
     "'biases' needs an 'l1' or 'l2' above 0"),
    ("O05 and in a layer", [("dense: 10", "dense: {units: 10, regularize: ¦{biases: true}}")],
     "'biases' needs an 'l1' or 'l2' above 0"),
    ("O06 a layer without weights", [("dropout: 0.25", "dropout: {rate: 0.25, ¦regularize: {l2: 1}}")],
     "unknown key 'regularize' in dropout"),
    ("O07 clip_norm of a layer", [("dense: 10", "dense: {units: 10, ¦clip_norm: 1}")], "unknown key 'clip_norm' in dense"),
    ("O08 ema 1", in_train("ema: ¦1"), "'ema' must be at least 0 and less than 1, got 1"),
    ("O09 swa without a start", in_train("swa: ¦{}"), "missing key 'start' in swa"),
    ("O10 swa: 1", in_train("swa: ¦1"), "expected a mapping in swa, got text"),
    ("O11 swa from epoch 0", in_train("swa: {start: ¦0}"), "'start' must be 1 to 1000000, got 0"),
    ("O12 swa after the end", in_train("swa: {start: ¦2}") + [STOP], "swa's 'start' 2 is after the last epoch, 1"),
    ("O13 swa and ema", in_train("swa: ¦{start: 1}\n  ema: 0.9") + [STOP], "'swa' and 'ema' are two averages: choose one"),
    ("O14 swa and the best epoch", in_train("swa: ¦{start: 1}"),
     "'swa' makes the model of the mean, early_stopping of the best epoch: give it restore_best: false"),
    ("O40 lookahead: true", in_train("lookahead: ¦true"), "expected a mapping in lookahead, got text"),
    ("O40b lookahead every 0 steps", in_train("lookahead: {every: ¦0}"), "'every' must be 1 to 1000000, got 0"),
    ("O40c lookahead that never moves", in_train("lookahead: {alpha: ¦0}"), "'alpha' must be more than 0 and at most 1, got 0"),
    ("O40d lookahead and ema", in_train("lookahead: ¦{every: 5}\n  ema: 0.9"),
     "'lookahead' makes the model of its slow weights, 'ema' of another average: choose one"),
    ("O40e lookahead and swa", in_train("lookahead: ¦{every: 5}\n  swa: {start: 1}") + [STOP],
     "'lookahead' makes the model of its slow weights, 'swa' of another average: choose one"),
    ("O41 bias_lr below 0", in_train("bias_lr: ¦-1"), "'bias_lr' must be 0 to 1000, got -1"),
    ("O15 cosin", scheduled("¦cosin"), "unknown schedule 'cosin'; did you mean 'cosine'?"),
    ("O16 step without its size", scheduled("¦step"), "missing key 'step_size' in step"),
    ("O17 PyTorch's T_max", scheduled("{type: cosine, ¦T_max: 10}"), "unknown key 'T_max' in cosine; known keys: min_lr"),
    ("O18 {cosine: ..}", scheduled("{¦cosine: {epochs: 10}}"), "write {type: cosine, ...}"),
    ("O19 milestones not whole", scheduled("{type: ¦multistep, milestones: [2, 2.5]}"),
     "'milestones' must be whole numbers, got 2.5"),
    ("O20 milestones fall", scheduled("{type: ¦multistep, milestones: [5, 2]}"), "'milestones' must grow, got 2 after 5"),
    ("O21 one milestone without a list", scheduled("{type: multistep, milestones: ¦5}"),
     "'milestones' must be a list of numbers, got 5"),
    ("O22 restarts of what", scheduled("{type: ¦cosine, restarts: true}"), "'restarts' needs 'epochs'"),
    ("O23 factor of no restart", scheduled("{type: ¦cosine, restart_factor: 2}"), "'restart_factor' needs 'restarts: true'"),
    ("O24 min_lr not below lr", scheduled("{type: ¦plateau, min_lr: 0.001}"),
     "'min_lr' must be less than the optimizer's lr, 0.001, got 0.001"),
    ("O25 up and down in more than all", scheduled("{type: ¦one_cycle, three_phase: true, pct_start: 0.6}"),
     "'three_phase' needs a 'pct_start' of at most 0.5"),
    ("O26 one momentum", scheduled("{type: ¦one_cycle, cycle_momentum: [0.9]}"),
     "'cycle_momentum' must be [least, greatest], got 1 value"),
    ("O27 momentum of rmsprop", scheduled("{type: ¦one_cycle, cycle_momentum: [0.85, 0.95]}") + [(ADAM, "rmsprop")],
     "'cycle_momentum' needs an optimizer of the sgd or adam kind; 'rmsprop' has no momentum that can be moved"),
    ("O28 warmup below 0", scheduled("{type: constant, warmup: ¦-1}"), "'warmup' must be 0 to 1000000, got -1"),
    ("O29 gamma 1", scheduled("{type: exponential, gamma: ¦1}"), "'gamma' must be more than 0 and less than 1, got 1"),
    ("O30 monitor", scheduled("{type: plateau, monitor: ¦loss}"), "unknown monitor 'loss'"),
    ("O31 two faults of a schedule", scheduled("{type: step, step_size: ¦0, gamma: ¦0}"),
     ["'step_size' must be 1 to 1000000, got 0", "'gamma' must be more than 0"]),
    ("O32 l2 below 0", in_train("regularize: {l2: ¦-0.1}"), "'l2' must be 0 to 1000, got -0.1"),
    ("O33 l1 of a layer", [("padding: 1}", "padding: 1, regularize: {l1: ¦x}}")], "'l1' must be a number, got 'x'"),
    ("O34 max_norm", in_train("regularize: {max_norm: ¦-1}"), "'max_norm' must be 0 to 1000000, got -1"),
    ("O35 clip_norm below 0", in_train("clip_norm: ¦-1"), "'clip_norm' must be 0 to 1000000, got -1"),
    ("O36 clip_value a word", in_train("clip_value: ¦none"), "'clip_value' must be a number, got 'none'"),
    ("O50 accumulate 0", in_train("accumulate: ¦0"), "'accumulate' must be 1 to 4096, got 0"),
]
TRAINING = [  # what cnneval has no business with
    ("O51 accumulate more than there is", in_train("accumulate: ¦4"),
     "'accumulate' 4 is more than the 3 batches of an epoch"),
    ("O37 plateau without validation",
     scheduled("{type: ¦plateau, monitor: val_accuracy}") + [("  validation: 0.25\n", ""), STOP],
     "the schedule needs data.validation: the test set never chooses anything (monitor: train_loss needs none)"),
]
TWINS = [
    ("O51t accumulate all there is", in_train("accumulate: 3"), {}),
    ("O38t swa and early stopping that keeps the last", in_train("swa: {start: 1}") +
     [("restore_best: true", "restore_best: false")], {}),
    ("O39t a schedule by its name", scheduled("cosine"), {}),
    ("O40t plateau that watches the training", scheduled("{type: plateau, monitor: train_loss}") +
     [("  validation: 0.25\n", ""), STOP], {}),
]


def cases(trained):
    for name, edits, messages in FAULTS:
        yield from config_cases(name, edited(*edits), messages)
    for name, edits, messages in TRAINING:
        yield from config_cases(name, edited(*edits), messages, evaluate=False)
    for name, edits, more in TWINS:
        yield from config_cases(name, edited(*edits), "", code=0, **more)
