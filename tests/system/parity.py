#!/usr/bin/env python3
"""parity.py: the same weights and the same data in PyTorch give the same losses and the same weights, step by step.

Each network is described once, as a list of layers; from it come the config and a PyTorch function. `train.epochs: 0`
gives the initial weights; then ten epochs are trained on a set of one batch, so that train_loss of an epoch is the loss
of its one step. One case has three batches an epoch, in the order and with the dropout masks that base/rng.h describes,
made again here.

PyTorch computes in double, so a difference is cnntrain's. Prints TAP; skipped where there is no PyTorch."""
import json
import os
import subprocess
import sys

try:
    import numpy as np
    import torch
except ImportError:
    DEBIAN = "/usr/bin/python3"  # Debian's python3-torch is only there
    if os.path.exists(DEBIAN) and os.path.realpath(sys.executable) != os.path.realpath(DEBIAN):
        os.execv(DEBIAN, [DEBIAN, *sys.argv])
    print("1..0 # SKIP no PyTorch (Debian: python3-torch)")
    sys.exit(0)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from runs import BIN, DIGITS, MNIST, cnntrain, make_subset, read_log, read_model, run_tests, write  # noqa: E402

F = torch.nn.functional
torch.set_num_threads(1)
STEPS = 10
# Allowed, of a loss: measured 6e-7 at most (the project's promise is 1e-5).
LOSSES = 2e-6
# Allowed of a tensor's weights after all steps: the norm of the difference, of the norm of the tensor (measured 2.2e-6, but
# for lenet5_partial_tile), and the greatest difference, of lr times steps (measured 1.6e-3). Adam divides by the gradient's size: where that is next
# to nothing, a rounding error in it is a visible part of a step; with SGD both are below 2e-6.
WEIGHTS_TOGETHER = 1e-5
WEIGHT_ALONE = 2e-3
STATISTICS = 1e-6  # allowed of running means and variances: the norm of the difference, of 1 and the norm

ACTIVATIONS = {
    "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu, "silu": F.silu, "softplus": F.softplus,
    "elu": F.elu, "leaky_relu": F.leaky_relu, "scaled_tanh": lambda x: 1.7159 * torch.tanh(2 * x / 3),
}


# ---- randomness, as base/rng.h says ----

def philox(seed, counters):
    """Philox 4x32-10 of an array of counters [n][4]."""
    c = [counters[:, i].astype(np.uint64) for i in range(4)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(key[0]), b & low,
             (a >> np.uint64(32)) ^ c[3] ^ np.uint64(key[1]), a & low]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(c, 1)


def shuffled(count, seed, epoch):
    """Fisher-Yates from the end, each place by a word of stream 2: its product with the number of places, upper half."""
    words = philox(seed, np.array([[block, epoch, 0, 2] for block in range(count)])).reshape(-1).tolist()
    order = list(range(count))
    for places in range(count, 1, -1):
        product = words.pop(0) * places
        while product % 2**32 < 2**32 % places:
            product = words.pop(0) * places
        other = product >> 32
        order[places - 1], order[other] = order[other], order[places - 1]
    return order


def layer_words(size, seed, samples, epoch, node):
    """Of a layer that is random in training: a word for each of `size` elements of each sample."""
    blocks = -(-size // 4)
    counters = np.array([[block, sample, epoch, 4 + 256 * node] for sample in samples for block in range(blocks)])
    return philox(seed, counters).reshape(len(samples), -1)[:, :size]


def random_layer(kind, options, x, words):
    """`words`: layer_words of a number of elements"""
    if kind == "gaussian_noise" or kind == "gaussian_dropout":
        u = torch.from_numpy((words(x[0].numel()) >> np.uint64(9)).astype(float) / 2**22 + 2.0**-23 - 1)
        normal = (2**0.5 * torch.erfinv(u)).reshape(x.shape)
        if kind == "gaussian_noise":
            return x + options["std"] * normal
        return x * (1 + (options["rate"] / (1 - options["rate"]))**0.5 * normal)
    elements = x.shape[1:] if kind == "dropout" else (x.shape[1], 1, 1)
    mask = (words(int(np.prod(elements))) >= options["rate"] * 2**32) / (1 - options["rate"])
    return x * torch.from_numpy(mask).reshape(len(x), *elements)


# ---- networks: [(type, {option: value}), ...] ----

def to_yaml(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {to_yaml(v)}" for key, v in value.items()) + "}"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict):  # a layer
        return f"{value[0]}: {to_yaml(value[1])}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(to_yaml, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def pair(value):
    return list(value) if isinstance(value, (list, tuple)) else [value, value]


def pad(x, kernel, stride, padding, value=0.0):
    """`same` puts the odd row below and the odd column at the right."""
    sides = []
    for size, k, s, p in zip(x.shape[2:], kernel, stride, pair(padding)):
        total = max((-(-size // s) - 1) * s + k - size, 0) if padding == "same" else 2 * p
        before = total // 2 if padding == "same" else p
        sides = [before, total - before] + sides
    return F.pad(x, sides, value=value)


TABLE_I = """X...XXX..XXXX.XX XX...XXX..XXXX.X XXX...XXX..X.XXX .XXX..XXXX..X.XX ..XXX..XXXX.XX.X ...XXX..XXXX.XXX"""


def connected(connections, w):
    """1 and 0 for the weights [filters][maps][1][1] of a convolution; LeCun et al. 1998, table I, a row a map."""
    if connections == "lenet5":
        rows = TABLE_I.split()
        return torch.tensor([[[[float(row[k] == "X")]] for row in rows] for k in range(16)], dtype=torch.float64)
    return torch.tensor([[[[float(map in maps)]] for map in range(w.shape[1])] for maps in connections], dtype=torch.float64)


def named(layers, counts):
    """(name as in the model, type, options) of each layer; `counts` goes on through the lists within lists."""
    for kind, options in layers:
        if kind != "repeat":
            counts[kind] = counts.get(kind, 0) + 1
        yield f"{kind}{counts.get(kind)}", kind, options


def forward_1d(kind, options, x, w, b):
    """x [n][c][steps]; the result [n][c][1][steps]"""
    size, padding = options.get("kernel", options.get("size")), options.get("padding", 0)
    stride, dilation = options.get("stride", 1 if kind == "conv1d" else size), options.get("dilation", 1)
    padding = "same" if padding == "same" else [0, padding]
    if kind == "avgpool1d":
        y = F.avg_pool1d(x, size, stride, padding[1], count_include_pad=options.get("count_padding", True))
    else:
        x = pad(x[:, :, None], [1, (size - 1) * dilation + 1], [1, stride], padding,
                0 if kind == "conv1d" else -float("inf"))[:, :, 0]
        y = F.conv1d(x, w, b, stride, 0, dilation, options.get("groups", 1)) if kind == "conv1d" else \
            F.max_pool1d(x, size, stride)
    return y[:, :, None]


def frozen_names(layers, counts):
    for name, _, options in named(layers, counts):
        if options.get("freeze"):
            yield name
        for inner in [options.get("body", []), *options.get("branches", [])]:
            yield from frozen_names(inner, counts)
        for _ in range(options.get("times", 0)):
            yield from frozen_names(options["block"], counts)


def add_shortcut(name, kind, body, weights, x):
    """The sum of a residual block."""
    if kind == "conv":
        step = [-(-x.shape[d] // body.shape[d]) for d in (2, 3)]
        x = F.conv2d(x, weights[name + ".conv.weight"], weights.get(name + ".conv.bias"), step)
        norm = [weights.get(f"{name}.batchnorm.{part}") for part in ("running_mean", "running_var", "weight", "bias")]
        x = F.batch_norm(x, *norm, True, 0.1, 1e-5) if norm[0] is not None else x
    elif kind == "pool":
        step = [-(-x.shape[d] // body.shape[d]) for d in (2, 3)]
        x = x[:, :, ::step[0], ::step[1]]
        x = torch.cat([x, torch.zeros_like(body[:, x.shape[1]:])], 1)
    return body + x


def forward(layers, weights, x, words, counts=None):
    """`words`: of random layers, by their size and place in the list."""
    counts = {} if counts is None else counts
    for place, (name, kind, options) in enumerate(named(layers, counts)):
        w, b = weights.get(name + ".weight"), weights.get(name + ".bias")
        w = w * connected(options["connections"], w) if "connections" in options else w
        if kind == "conv":
            stride, dilation = pair(options.get("stride", 1)), pair(options.get("dilation", 1))
            reach = [(size - 1) * holes + 1 for size, holes in zip(pair(options["kernel"]), dilation)]
            x = F.conv2d(pad(x, reach, stride, options.get("padding", 0)), w, b, stride, 0, dilation,
                         options.get("groups", 1))
        elif kind.endswith("1d"):
            x = forward_1d(kind, options, x.flatten(1, 2), w, b)
        elif kind == "global_avgpool":
            x = F.adaptive_avg_pool2d(x, 1)
        elif kind == "global_maxpool":
            x = F.adaptive_max_pool2d(x, 1)
        elif kind == "flatten":
            x = x.flatten(1)[:, :, None, None]
        elif kind == "reshape":
            shape = options["shape"]
            x = x.reshape(len(x), *(shape if len(shape) == 3 else (shape[0], 1, shape[1])))
        elif kind == "permute":
            x = x.permute(0, *(1 + "chw".index(axis) for axis in options["order"]))
        elif kind in ("maxpool", "avgpool"):
            size = pair(options["size"])
            stride, padding = pair(options.get("stride", size)), options.get("padding", 0)
            if kind == "maxpool":
                x = F.max_pool2d(pad(x, size, stride, padding, -float("inf")), size, stride)
            else:
                x = F.avg_pool2d(x, size, stride, padding, count_include_pad=options.get("count_padding", True))
        elif kind == "dense":
            x = F.linear(x.flatten(1), w, b)
        elif kind == "rbf":
            x = -(x.flatten(1)[:, None] - w).square().sum(2)
        elif "dropout" in kind or kind == "gaussian_noise":
            x = random_layer(kind, options, x, lambda size, place=place: words(size, place))
        elif kind == "batchnorm":
            x = F.batch_norm(x, weights[name + ".running_mean"], weights[name + ".running_var"], w, b,
                             not options.get("freeze"), options.get("momentum", 0.1), options.get("eps", 1e-5))
        elif kind == "layernorm":
            shape = x.shape[1:]
            x = F.layer_norm(x, shape, *(None if t is None else t.reshape(shape) for t in (w, b)), options.get("eps", 1e-5))
        elif kind == "groupnorm":
            x = F.group_norm(x, options["groups"], w, b, options.get("eps", 1e-5))
        elif kind == "lrn":
            numbers = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 1}
            x = F.local_response_norm(x, **{**numbers, **options})
        elif kind == "subsample":
            size = pair(options.get("size", 2))
            sums = F.avg_pool2d(x, size) * (size[0] * size[1])
            x = sums * w[:, None, None] + b[:, None, None]
        elif kind == "residual":
            body = forward(options["body"], weights, x, words, counts)
            x = add_shortcut(name, options.get("shortcut"), body, weights, x)
        elif kind == "concat":
            x = torch.cat([forward(branch, weights, x, words, counts) for branch in options["branches"]], 1)
        elif kind == "repeat":
            for _ in range(options["times"]):
                x = forward(options["block"], weights, x, words, counts)
        else:
            numbers = {"elu": {"alpha": options.get("alpha", 1.0)},
                       "leaky_relu": {"negative_slope": options.get("slope", 0.01)}}
            x = ACTIVATIONS[kind](x, **numbers.get(kind, {}))
    return x


def focal(z, labels, weights, gamma):
    log_p = F.log_softmax(z, 1).gather(1, labels[:, None])[:, 0]
    weight = torch.ones_like(log_p) if weights is None else weights[labels]
    return -(weight * (1 - log_p.exp()) ** gamma * log_p).sum() / weight.sum()


def loss_of(train, z, labels):
    """`train`: the keys of the config's train that concern the loss."""
    options = dict(train["loss"]) if isinstance(train["loss"], dict) else {"type": train["loss"]}
    kind, weights = options.pop("type"), train.get("class_weights")
    if weights == "balanced":  # of the whole set, which is one batch
        count = labels.bincount(minlength=z.shape[1])
        weights = len(labels) / (len(count) * count)
    weights = None if weights is None else torch.as_tensor(weights, dtype=torch.float64)
    if kind == "cross_entropy":
        return F.cross_entropy(z, labels, weights, label_smoothing=train.get("label_smoothing", 0))
    if kind == "focal":
        return focal(z, labels, weights, options.get("gamma", 2))
    if kind == "map":  # equation 9, of minus the distances
        nothing = torch.full((len(z), 1), -options.get("j", 1.0), dtype=torch.float64)
        return (torch.logsumexp(torch.cat([z, nothing], 1), 1) - z.gather(1, labels[:, None])[:, 0]).mean()
    if kind == "hinge":
        return F.multi_margin_loss(z, labels, **options)
    return {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}[kind](
        z, F.one_hot(labels, z.shape[1]).double(), **options)


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2, which PyTorch does not have: straight from the paper."""

    def __init__(self, weights, lr, betas):
        super().__init__(weights, {"lr": lr, "betas": betas})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2), decay = group["lr"], group["betas"], group.get("weight_decay", 0)
            for w in group["params"]:
                m = self.state[w].setdefault("m", torch.zeros_like(w))
                w -= lr * (torch.sign(beta1 * m + (1 - beta1) * w.grad) + decay * w)
                m.copy_(beta2 * m + (1 - beta2) * w.grad)


class NAdam(torch.optim.Optimizer):
    """As PyTorch documents it and computes it since 2.0; until then its product of momenta counted one of them twice."""

    def __init__(self, weights, lr, betas=(0.9, 0.999), eps=1e-8, momentum_decay=0.004):
        super().__init__(weights, {"lr": lr})
        self.betas, self.eps, self.psi, self.count, self.product = betas, eps, momentum_decay, 0, 1.0

    @torch.no_grad()
    def step(self):
        beta1, beta2 = self.betas
        self.count += 1
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * self.psi)) for t in (self.count, self.count + 1))
        self.product *= mu
        for group in self.param_groups:
            for w in group["params"]:
                state, g = self.state[w], w.grad
                state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
                state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g * g
                ahead = mu_next / (1 - self.product * mu_next) * state["m"] + (1 - mu) / (1 - self.product) * g
                w -= group["lr"] * ahead / ((state["v"] / (1 - beta2 ** self.count)).sqrt() + self.eps)


OPTIMIZERS = {  # class, what its name alone says
    "adam": (torch.optim.Adam, {}), "adamw": (torch.optim.AdamW, {"weight_decay": 0.01}),
    "amsgrad": (torch.optim.Adam, {"amsgrad": True}), "nadam": (NAdam, {}), "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}), "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {}), "adagrad": (torch.optim.Adagrad, {}), "adadelta": (torch.optim.Adadelta, {}),
    "lion": (Lion, {"betas": (0.9, 0.99)}),
}


def optimizer_of(options, weights):
    """`weights`: by name. A decay that is not the gradient's spares biases, unless it is told otherwise."""
    kind, more = OPTIMIZERS[options["type"]]
    more = {**more, **{key: value for key, value in options.items() if key not in ("type", "decay_bias")}}
    if "beta1" in more or "beta2" in more:
        more["betas"] = (more.pop("beta1", 0.9), more.pop("beta2", 0.999))
    decay = more.pop("weight_decay", 0)
    bias_decay = decay if options.get("decay_bias") else 0
    return kind([{"params": [w], "bias": name.endswith(".bias"), "weight_decay": bias_decay if name.endswith("bias") else decay}
                 for name, w in weights.items()], **more)


S = torch.optim.lr_scheduler


def one_cycle(o, d, steps, epochs):
    """PyTorch's max_lr is our optimizer's lr."""
    momentum = d.pop("cycle_momentum", None)
    more = {"base_momentum": momentum[0], "max_momentum": momentum[1]} if momentum else {"cycle_momentum": False}
    return S.OneCycleLR(o, max_lr=o.param_groups[0]["lr"], total_steps=epochs * steps, **d, **more)


# PyTorch's schedule for the optimizer o, the options d, so many steps an epoch, so many epochs; whether it goes by steps.
SCHEDULES = {
    "constant": (lambda o, d, steps, epochs: S.ConstantLR(o, 1), False),
    "step": (lambda o, d, steps, epochs: S.StepLR(o, **d), False),
    "multistep": (lambda o, d, steps, epochs: S.MultiStepLR(o, **d), False),
    "exponential": (lambda o, d, steps, epochs: S.ExponentialLR(o, **d), False),
    "polynomial": (lambda o, d, steps, epochs: S.PolynomialLR(o, epochs * steps, **d), True),
    "linear": (lambda o, d, steps, epochs: S.LinearLR(o, d.get("start_factor", 1), d.get("end_factor", 0),
                                                      epochs * steps), True),
    "cosine": (lambda o, d, steps, epochs: S.CosineAnnealingWarmRestarts(
        o, epochs * steps, d.get("restart_factor", 1), d.get("min_lr", 0)) if d.get("restarts") else
        S.CosineAnnealingLR(o, epochs * steps, d.get("min_lr", 0)), True),
    "one_cycle": (one_cycle, True),
    "plateau": (lambda o, d, steps, epochs: S.ReduceLROnPlateau(o, **{k: v for k, v in d.items() if k != "monitor"}), False),
}


class Rates:
    """What PyTorch's schedule does to an optimizer that has nothing else to do, with our warmup on top."""

    def __init__(self, options, lr, steps):
        options = dict(options or {"type": "constant"})
        self.make, self.by_steps = SCHEDULES[options.pop("type")]
        self.warmup, self.steps, self.done = options.pop("warmup", 0) * steps, steps, 0
        self.base = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr, momentum=0.9)
        self.cycles = "cycle_momentum" in options
        self.schedule = self.make(self.base, options, steps, options.pop("epochs", STEPS))
        self.base.step()

    def set(self, optimizer):
        """The rate of the next step."""
        group, self.done = self.base.param_groups[0], self.done + 1
        lr = group["lr"] * (min(1, self.done / self.warmup) if self.warmup else 1)
        for target in optimizer.param_groups:
            target["lr"] = lr
            if self.cycles:
                target["momentum"] = group["momentum"]
        if self.by_steps:
            self.go_on()
        return lr

    def end_epoch(self, loss):
        if not self.by_steps:
            self.go_on(*([loss] if isinstance(self.schedule, S.ReduceLROnPlateau) else []))

    def go_on(self, *loss):
        if self.by_steps and self.done >= STEPS * self.steps:
            return  # OneCycleLR counts its steps
        self.schedule.step(*loss)


def penalty_of(name, layers, train):
    """What a layer's `regularize` says, in place of train's."""
    counts = {}
    for kind, options in layers:
        counts[kind] = counts.get(kind, 0) + 1
        if name.startswith(f"{kind}{counts[kind]}.") and "regularize" in options:
            return options["regularize"]
    return train.get("regularize", {})


def shape_gradients(weights, train, penalties):
    if train.get("clip_value"):
        torch.nn.utils.clip_grad_value_(weights.values(), train["clip_value"])
    if train.get("clip_norm"):
        torch.nn.utils.clip_grad_norm_(weights.values(), train["clip_norm"])
    for name, w in weights.items():
        if name.endswith("weight") or penalties[name].get("biases"):
            w.grad += penalties[name].get("l2", 0) * w.detach() + penalties[name].get("l1", 0) * torch.sign(w.detach())


@torch.no_grad()
def bound(weights, penalties):
    for name, w in weights.items():
        if penalties[name].get("max_norm") and name.endswith("weight"):
            w.copy_(torch.renorm(w, 2, 0, penalties[name]["max_norm"]))


@torch.no_grad()
def average(averages, weights, keep):
    for name, w in weights.items():
        averages[name].mul_(keep).add_(w, alpha=1 - keep)


def look_ahead(slow, fast, options, number, all):
    """Zhang et al. 2019, algorithm 1; alpha may go from 1 to what it shall be."""
    if number % options.get("every", 5) == 0:
        alpha = 1 - (1 - options.get("alpha", 0.5)) * (number / all) ** options.get("power", 0)
        average(slow, fast, 1 - alpha)
        average(fast, slow, 0)


# ---- one case ----

SEED = 42


def ours(layers, optimizer, train, batch, size, level):
    """cnntrain on the files part-*: the initial weights, each epoch's loss and last rate, the final weights."""
    write("net.yaml", f"seed: {SEED}\n"
          f"data: {{train: part-images-idx3-ubyte, input: {{height: {size[0]}, width: {size[1]}}}, "
          f"classes: {list('0123456789')}}}\n"
          "network:\n" + "".join(f"  - {kind}: {to_yaml(options)}\n" for kind, options in layers) +
          "train: " + to_yaml({**train, "epochs": STEPS, "batch_size": batch, "optimizer": optimizer}) + "\n")
    cnntrain("-q", "net.yaml", "-o", "initial", "-s", "train.epochs=0", CNNTRAIN_CPU=level)
    cnntrain("-q", "net.yaml", "-o", "run", CNNTRAIN_CPU=level)
    losses = [(float(row["train_loss"]), float(row["lr"])) for row in read_log("run/log.csv")]
    weights = [{name: torch.tensor(values, dtype=torch.float64).reshape(shape)
                for name, (shape, values) in read_model(f"{run}/model.bin")[1].items()} for run in ("initial", "run")]
    return weights[0], losses, weights[1]


def theirs(layers, optimizer, train, batch, x, labels, weights):
    """PyTorch, in double: trains `weights`; returns each epoch's loss and last rate."""
    trained = {name: w for name, w in weights.items() if w.requires_grad}
    steps, losses = optimizer_of(optimizer, trained), []
    averages = {name: w.detach().clone() for name, w in trained.items()}
    penalties = {name: penalty_of(name, layers, train) for name in trained}
    rates, number = Rates(train.get("schedule"), optimizer["lr"], -(-len(x) // batch)), 0
    for epoch in range(STEPS):
        order, total = shuffled(len(x), SEED, epoch), 0
        for first in range(0, len(x), batch):
            index = order[first:first + batch]
            value = loss_of(train, forward(layers, weights, x[index], lambda size, place: layer_words(
                size, SEED, index, epoch, place)).flatten(1), labels[index])
            rate = rates.set(steps)
            steps.zero_grad()
            value.backward()
            shape_gradients(trained, train, penalties)
            for group in steps.param_groups:
                group["lr"] *= train.get("bias_lr", 1) if group["bias"] else 1
            steps.step()
            bound(trained, penalties)
            number += 1
            if "lookahead" in train:
                look_ahead(averages, trained, train["lookahead"], number, STEPS * -(-len(x) // batch))
            if train.get("ema"):
                average(averages, trained, train["ema"])
            total += value.item() * len(index)
        losses.append((total / len(x), rate))
        rates.end_epoch(total / len(x))
        if train.get("swa") and epoch + 1 >= train["swa"]["start"]:
            average(averages, trained, 1 - 1 / (epoch + 2 - train["swa"]["start"]))
    if train.get("ema") or train.get("swa") or "lookahead" in train:
        average(trained, averages, 0)
    return losses


def compare(layers, optimizer, loss="cross_entropy", data=None, count=64, batch=None, size=None, level="",
            together_at_most=WEIGHTS_TOGETHER, **train):
    """Without `data`: MNIST, or the small digits where it is absent. `level`: of the CPU; "" is the best. `train`: more
    keys of the config's train."""
    train["loss"] = loss
    data = data or (MNIST if os.path.exists(os.path.join(MNIST, "train-images-idx3-ubyte.gz")) else DIGITS)
    shape, pixels, labels = make_subset(data, count, "part")
    height, width = size or shape
    weights, got, final = ours(layers, optimizer, train, batch or count, (height, width), level)

    images = np.frombuffer(pixels, np.uint8).reshape(count, *shape) / 255
    top, left = (height - shape[0]) // 2, (width - shape[1]) // 2
    x = np.zeros((count, 1, height, width))
    x[:, 0, top:top + shape[0], left:left + shape[1]] = images
    x = torch.from_numpy((x - images.mean()) / images.std())
    frozen = tuple(name + "." for name in frozen_names(layers, {}))
    for name, weight in weights.items():
        weight.requires_grad_(not name.startswith((*frozen, "rbf")) and ".running_" not in name)
    step = (batch or count) * train.get("accumulate", 1)
    want = theirs(layers, optimizer, train, step, x, torch.tensor(list(labels)), weights)

    worst = max(abs(a[0] - b[0]) / b[0] for a, b in zip(got, want))
    assert len(got) == STEPS and want[-1] < want[0] and worst <= LOSSES, f"losses: {list(zip(got, want))}"
    worst = max(abs(a[1] - b[1]) / optimizer["lr"] for a, b in zip(got, want))
    assert worst <= 1e-7, f"rates: {list(zip(got, want))}"
    for name, weight in weights.items():
        off = final[name] - weight.detach()
        if ".running_" in name:
            assert off.norm().item() <= STATISTICS * (1 + weight.norm().item()), f"{name} is off by {off}"
            continue
        if not weight.requires_grad:
            assert off.abs().max().item() == 0, f"{name} has moved"
            continue
        together, alone = (off.norm() / weight.norm()).item(), (off.abs().max() / (STEPS * optimizer["lr"])).item()
        assert together <= together_at_most and alone <= WEIGHT_ALONE, f"{name} is off by {together:.3g}, {alone:.3g}"
    return [rate for _, rate in want]


ADAM = {"type": "adam", "lr": 0.001}
LENET5 = [("conv", {"filters": 6, "kernel": 5}), ("tanh", {}), ("avgpool", {"size": 2}),
          ("conv", {"filters": 16, "kernel": 5}), ("tanh", {}), ("avgpool", {"size": 2}),
          ("conv", {"filters": 120, "kernel": 5}), ("tanh", {}),
          ("dense", {"units": 84}), ("tanh", {}), ("dense", {"units": 10})]


def lenet5_adam():
    """LeNet-5, Adam: ten steps of 64 images"""
    compare(LENET5, ADAM, size=(32, 32))


def lenet5_partial_tile():
    """LeNet-5, Adam with other options: 50 images, so that the last tile is not full"""
    optimizer = {"type": "adam", "lr": 0.003, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6}
    # conv2 is off by 1.5e-5 here: steps of 0.003, thrice as long as elsewhere, along gradients that are next to nothing
    compare(LENET5, optimizer, count=50, size=(32, 32), together_at_most=3e-5)


def momentum():
    """LeNet-5, SGD with momentum"""
    compare(LENET5, {"type": "sgd", "lr": 0.02, "momentum": 0.9}, size=(32, 32))


def plain_sgd_one_image():
    """SGD without momentum, a batch of one image"""
    compare([("dense", {"units": 10})], {"type": "sgd", "lr": 0.01}, data=DIGITS, count=1)


def nesterov_and_mse():
    """Nesterov momentum, mean squared error, max pooling, ReLU, padding same with stride 2"""
    compare([("conv", {"filters": 8, "kernel": 3, "stride": 2, "padding": "same"}), ("relu", {}),
             ("maxpool", {"size": 3, "stride": 1, "padding": 1}), ("dense", {"units": 10})],
            {"type": "sgd", "lr": 0.01, "momentum": 0.9, "nesterov": True}, loss="mse", data=DIGITS)


def frozen_layers():
    """the first and a middle layer frozen, Adam and momentum"""
    layers = [("conv", {"filters": 6, "kernel": 3, "freeze": True}), ("relu", {}), ("maxpool", {"size": 2}),
              ("conv", {"filters": 8, "kernel": 3}), ("tanh", {}), ("dense", {"units": 20, "freeze": True}), ("tanh", {}),
              ("dense", {"units": 10})]
    compare(layers, ADAM, data=DIGITS)
    compare(layers, {"type": "sgd", "lr": 0.02, "momentum": 0.9}, data=DIGITS)


THREE_LAYERS = [("conv", {"filters": 8, "kernel": 3, "stride": 2}), ("tanh", {}), ("dense", {"units": 24}), ("tanh", {}),
                ("dense", {"units": 10})]


def other_optimizers():
    """ten steps of each other optimizer, with the defaults and with other options"""
    for optimizer in (
            {"type": "momentum", "lr": 0.01}, {"type": "nesterov", "lr": 0.02, "momentum": 0.8},
            {"type": "adamw", "lr": 0.001}, {"type": "adamw", "lr": 0.01, "weight_decay": 1, "decay_bias": True},
            {"type": "amsgrad", "lr": 0.001}, {"type": "amsgrad", "lr": 0.003, "beta1": 0.5, "beta2": 0.6},
            {"type": "nadam", "lr": 0.002}, {"type": "nadam", "lr": 0.001, "beta1": 0.8, "momentum_decay": 0.5},
            {"type": "rmsprop", "lr": 0.001}, {"type": "rmsprop", "lr": 0.001, "alpha": 0.9, "momentum": 0.5, "eps": 0.001},
            {"type": "rmsprop", "lr": 0.001, "alpha": 0.9, "centered": True},
            {"type": "adagrad", "lr": 0.01}, {"type": "adagrad", "lr": 0.05, "lr_decay": 0.1,
                                              "initial_accumulator_value": 0.01, "eps": 0.001},
            {"type": "adadelta", "lr": 1}, {"type": "adadelta", "lr": 2, "rho": 0.7, "eps": 0.0001},
            {"type": "lion", "lr": 0.0001}, {"type": "lion", "lr": 0.001, "weight_decay": 0.5, "beta1": 0.8, "beta2": 0.9}):
        try:
            compare(THREE_LAYERS, optimizer, data=DIGITS)
        except AssertionError as error:
            raise AssertionError(f"{optimizer}: {error}") from error


def blocks():
    """residual with every shortcut, concat with an empty branch, repeat"""
    conv = [("conv", {"filters": 6, "kernel": 3, "padding": 1}), ("tanh", {})]
    compare([*conv,
             ("repeat", {"times": 2, "block": [("residual", {"body": [*conv, ("residual", {"body": conv})]}), ("relu", {})]}),
             ("residual", {"body": [("conv", {"filters": 8, "kernel": 3, "padding": 1, "stride": 2}), *conv],
                           "shortcut": "conv"}),
             ("concat", {"branches": [[], [("maxpool", {"size": 3, "stride": 1, "padding": 1})], conv]}), ("tanh", {}),
             ("residual", {"body": [("conv", {"filters": 20, "kernel": 3, "padding": 1, "stride": 2})],
                           "shortcut": "pool"}),
             ("dense", {"units": 10})], {"type": "sgd", "lr": 0.02, "momentum": 0.9}, data=DIGITS)


def batchnorm():
    """batch normalisation after conv and dense, running statistics, several options, frozen; the last tile not full"""
    layers = [("batchnorm", {"affine": False}), ("conv", {"filters": 6, "kernel": 3, "bias": False}), ("batchnorm", {}),
              ("tanh", {}), ("conv", {"filters": 8, "kernel": 3, "bias": False}), ("batchnorm", {"momentum": 0.3, "eps": 0.01}), ("relu", {}),
              ("batchnorm", {"freeze": True}), ("dense", {"units": 20, "bias": False}), ("batchnorm", {}), ("tanh", {}),
              ("dense", {"units": 10})]
    compare(layers, {"type": "sgd", "lr": 0.02, "momentum": 0.9}, data=DIGITS, count=75)
    compare(layers, {"type": "sgd", "lr": 0.02, "momentum": 0.9}, data=DIGITS, count=50, batch=20)


def other_norms():
    """layer, group and local response normalisation, with the defaults and with other options"""
    layers = [("conv", {"filters": 6, "kernel": 3}), ("layernorm", {}), ("tanh", {}),
              ("conv", {"filters": 8, "kernel": 3, "bias": False}), ("groupnorm", {"groups": 4, "eps": 0.001}), ("relu", {}),
              ("lrn", {}), ("layernorm", {"eps": 0.1, "affine": False}), ("groupnorm", {"groups": 2, "affine": False}),
              ("lrn", {"size": 4, "alpha": 0.7, "beta": 0.6, "k": 1.5}), ("dense", {"units": 20}), ("layernorm", {}),
              ("dense", {"units": 10})]
    compare(layers, {"type": "sgd", "lr": 0.02, "momentum": 0.9}, data=DIGITS, count=50)
    compare(layers, {"type": "sgd", "lr": 0.02, "momentum": 0.9}, data=DIGITS, count=50, batch=20)


def lenet_of_1998():
    """LeNet-5 of 1998: C3's connections, trained pooling, scaled tanh, radial basis functions, its loss"""
    def squashed(kind, **options):
        return [(kind, options), ("scaled_tanh", {})]
    layers = [*squashed("conv", filters=6, kernel=5), *squashed("subsample"),
              *squashed("conv", filters=16, kernel=5, connections="lenet5"), *squashed("subsample", size=2),
              *squashed("conv", filters=120, kernel=5), *squashed("dense", units=84)]
    compare([*layers, ("dense", {"units": 10})], {"type": "sgd", "lr": 0.01, "momentum": 0.9}, size=(32, 32), count=50)
    for j in (0.5, 30):
        compare([*layers, ("rbf", {"codes": "digits"})], {"type": "sgd", "lr": 0.0005}, {"type": "map", "j": j},
                size=(32, 32), count=50)


def resnet():
    """a small ResNet: batch normalisation in residual blocks and behind the shortcut's convolution"""
    def conv(filters, stride=1):
        return [("conv", {"filters": filters, "kernel": 3, "padding": 1, "stride": stride, "bias": False}), ("batchnorm", {})]
    block = ("residual", {"body": [*conv(6), ("relu", {}), *conv(6)]})
    down = ("residual", {"body": [*conv(12, 2), ("relu", {}), *conv(12)], "shortcut": "conv"})
    compare([*conv(6), ("relu", {}), ("repeat", {"times": 2, "block": [block, ("relu", {})]}), down, ("relu", {}),
             ("dense", {"units": 10})], {"type": "sgd", "lr": 0.02, "momentum": 0.9}, data=DIGITS, count=50)


def all_activations():
    """every activation, windows that are not square, average pooling with and without its padding counted"""
    compare([("conv", {"filters": 5, "kernel": [3, 2], "padding": [1, 0]}), ("gelu", {}),
             ("avgpool", {"size": 3, "stride": 2, "padding": 1, "count_padding": False}), ("silu", {}),
             ("conv", {"filters": 7, "kernel": 2, "bias": False, "padding": "same"}), ("leaky_relu", {"slope": 0.2}),
             ("avgpool", {"size": [2, 3], "stride": 1, "padding": 1}), ("elu", {"alpha": 0.7}),
             ("dense", {"units": 31}), ("softplus", {}), ("dense", {"units": 23}), ("sigmoid", {}),
             ("dense", {"units": 17}), ("scaled_tanh", {}), ("dense", {"units": 10})], ADAM, data=DIGITS)


def generic_level():
    """LeNet-5, Adam, without any vector instructions"""
    compare(LENET5, ADAM, size=(32, 32), level="generic")


def batches_and_dropout():
    """three batches an epoch, the last one smaller, in the shuffled order, with dropout"""
    compare([("conv", {"filters": 6, "kernel": 3}), ("relu", {}), ("dropout", {"rate": 0.25}), ("dense", {"units": 20}),
             ("tanh", {}), ("dropout", {"rate": 0.5}), ("dense", {"units": 10})],
            {"type": "sgd", "lr": 0.05, "momentum": 0.9}, data=DIGITS, count=50, batch=20)


SMALL = [("conv", {"filters": 4, "kernel": 3}), ("tanh", {}), ("dense", {"units": 10})]
SGD = {"type": "sgd", "lr": 0.05, "momentum": 0.9}
WEIGHTS = [0.5, 1, 2, 0.25, 3, 1.5, 1, 0.75, 1.25, 4]


def dilation_and_groups():
    """dilated, grouped, depthwise and pointwise convolutions"""
    compare([("conv", {"filters": 6, "kernel": 3, "dilation": 2, "padding": "same"}), ("tanh", {}),
             ("conv", {"filters": 8, "kernel": 3, "groups": 2, "padding": 1}), ("tanh", {}),
             ("conv", {"filters": 16, "kernel": [3, 2], "groups": 8, "stride": 2, "dilation": [1, 2], "bias": False}),
             ("tanh", {}), ("conv", {"filters": 5, "kernel": 1}), ("dense", {"units": 10})], SGD, data=DIGITS)


def sequences():
    """1-D layers: rows as channels, rows as steps, depthwise and dilated; pooling; global pooling; other shapes"""
    compare([("conv1d", {"filters": 12, "kernel": 3}), ("tanh", {}), ("maxpool1d", {"size": 2, "stride": 1}),
             ("conv1d", {"filters": 6, "kernel": 3, "groups": 6, "dilation": 2, "padding": "same"}), ("tanh", {}),
             ("avgpool1d", {"size": 3, "padding": 1, "count_padding": False}), ("dense", {"units": 10})],
            SGD, data=DIGITS)
    compare([("permute", {"order": "wch"}), ("conv1d", {"filters": 12, "kernel": 4, "stride": 2, "padding": 2}),
             ("tanh", {}), ("global_maxpool", {}), ("dense", {"units": 10})], SGD, data=DIGITS)
    compare([("conv", {"filters": 12, "kernel": 3}), ("tanh", {}), ("reshape", {"shape": [6, 24, 3]}),
             ("conv", {"filters": 8, "kernel": 2}), ("tanh", {}), ("permute", {"order": "hwc"}), ("flatten", {}),
             ("conv", {"filters": 20, "kernel": 1}), ("tanh", {}), ("reshape", {"shape": [5, 4]}),
             ("conv1d", {"filters": 10, "kernel": 2}), ("global_avgpool", {})], SGD, data=DIGITS)


def random_layers():
    """spatial dropout, gaussian dropout and noise, by the numbers that base/rng.h describes"""
    compare([("gaussian_noise", {"std": 0.3}), ("conv", {"filters": 9, "kernel": 3}), ("tanh", {}),
             ("spatial_dropout", {"rate": 0.4}), ("dense", {"units": 20}), ("tanh", {}),
             ("gaussian_dropout", {"rate": 0.3}), ("dense", {"units": 10})], SGD, data=DIGITS, count=50, batch=20)


def label_smoothing():
    """label smoothing, without and with class weights; several batches, the mean of each by its weights"""
    compare(SMALL, SGD, data=DIGITS, label_smoothing=0.1)
    compare(SMALL, SGD, data=DIGITS, label_smoothing=0.3, class_weights=WEIGHTS, count=50, batch=20)


def class_weights():
    """class weights, given and balanced, of cross-entropy and focal"""
    compare(SMALL, ADAM, data=DIGITS, class_weights=WEIGHTS, count=50, batch=20)
    compare(SMALL, SGD, data=DIGITS, class_weights="balanced")
    compare(SMALL, SGD, loss="focal", data=DIGITS, class_weights="balanced")
    compare(SMALL, SGD, loss={"type": "focal", "gamma": 0.5}, data=DIGITS, class_weights=WEIGHTS, count=50, batch=20)


def evaluate(model, images):
    """The loss that cnneval reports."""
    done = subprocess.run([os.path.join(BIN, "cnneval"), "--json", model, images], capture_output=True, check=True)
    return json.loads(done.stdout)["loss"]


def validation():
    """val_loss and cnneval's loss are those of a criterion with the same label smoothing and class weights"""
    (height, width), pixels, labels = make_subset(DIGITS, 50, "part")
    write("net.yaml", "data: {train: part-images-idx3-ubyte, validation: {images: part-images-idx3-ubyte}, "
          f"normalize: unit, classes: {list('0123456789')}}}\nnetwork: [dense: 10]\noutput: run\n"
          f"train: {{epochs: 1, batch_size: 25, label_smoothing: 0.2, class_weights: {WEIGHTS}}}\n")
    cnntrain("-q", "net.yaml")
    weights = {name: torch.tensor(values, dtype=torch.float64).reshape(shape)
               for name, (shape, values) in read_model("run/model.bin")[1].items()}
    x = torch.from_numpy(np.frombuffer(pixels, np.uint8).reshape(50, 1, height, width) / 255)
    want = loss_of({"loss": "cross_entropy", "label_smoothing": 0.2, "class_weights": WEIGHTS},
                   forward([("dense", {})], weights, x, None), torch.tensor(list(labels))).item()
    for got in (float(read_log("run/log.csv")[0]["val_loss"]), evaluate("run/model.bin", "part-images-idx3-ubyte")):
        assert abs(got - want) <= LOSSES * want, f"{got} is not {want}"


def other_losses():
    """focal, LeNet's (over plain outputs), mean absolute error, Huber, multi-class hinge"""
    for loss in ({"type": "focal", "gamma": 3}, "map", "mae", {"type": "huber", "delta": 0.3}, "huber", "hinge",
                 {"type": "hinge", "margin": 0.5}):
        compare(SMALL, {"type": "sgd", "lr": 0.01}, loss=loss, data=DIGITS)


if __name__ == "__main__":
    run_tests([dilation_and_groups, sequences, random_layers, label_smoothing, class_weights, validation, other_losses,
               lenet5_adam, lenet5_partial_tile, momentum, plain_sgd_one_image, nesterov_and_mse, frozen_layers, blocks,
               batchnorm, other_norms, lenet_of_1998, resnet, other_optimizers, all_activations, generic_level,
               batches_and_dropout])
