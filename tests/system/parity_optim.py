#!/usr/bin/env python3
"""parity_optim.py: what stands between gradients and weights, against PyTorch, as parity.py does it: schedules, penalties,
clipping, averages of the weights, accumulated gradients. Prints TAP; skipped where there is no PyTorch."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from parity import ADAM, DIGITS, THREE_LAYERS, WEIGHTS, compare, run_tests  # noqa: E402


def schedules():
    """every schedule, three batches an epoch, with and without warmup: rates, losses, weights"""
    for schedule in (
            {"type": "constant", "warmup": 2.5}, {"type": "step", "step_size": 3, "gamma": 0.5},
            {"type": "step", "step_size": 1, "gamma": 0.8, "warmup": 1},
            {"type": "multistep", "milestones": [2, 3, 7], "gamma": 0.5}, {"type": "exponential", "gamma": 0.8},
            {"type": "polynomial"}, {"type": "polynomial", "power": 2.5, "epochs": 8}, {"type": "linear"},
            {"type": "linear", "start_factor": 0.25, "end_factor": 0.75, "epochs": 6, "warmup": 0.5},
            {"type": "cosine"}, {"type": "cosine", "min_lr": 0.002, "warmup": 2},
            {"type": "cosine", "epochs": 3, "restarts": True, "min_lr": 0.001},
            {"type": "cosine", "epochs": 2, "restarts": True, "restart_factor": 2}, {"type": "one_cycle"},
            {"type": "one_cycle", "pct_start": 0.4, "anneal_strategy": "linear", "div_factor": 10, "final_div_factor": 50,
             "cycle_momentum": [0.7, 0.95]},
            {"type": "one_cycle", "three_phase": True, "cycle_momentum": [0.85, 0.95]},
            {"type": "plateau", "monitor": "train_loss", "patience": 0, "threshold": 0.15, "factor": 0.5},
            {"type": "plateau", "monitor": "train_loss", "patience": 1, "threshold": 0.3, "threshold_mode": "abs",
             "cooldown": 1, "factor": 0.3, "min_lr": 0.001}):
        try:
            rates = compare(THREE_LAYERS, {"type": "momentum", "lr": 0.02}, data=DIGITS, count=50, batch=20, schedule=schedule)
            assert len(set(rates)) > 1, "the rate never moved"
        except AssertionError as error:
            raise AssertionError(f"{schedule}: {error}") from error


def penalties_and_clipping():
    """l1, l2, both, on biases, of a layer alone; max_norm; clip_norm, clip_value; all at once"""
    own = {"regularize": {"l2": 0.3, "max_norm": 1.2}}
    mixed = [("conv", {"filters": 8, "kernel": 3, "stride": 2, **own}), ("tanh", {}),
             ("dense", {"units": 24, "regularize": {"l1": 0}}), ("tanh", {}), ("dense", {"units": 10})]
    momentum = {"type": "momentum", "lr": 0.02}
    for layers, optimizer, train in (
            (THREE_LAYERS, momentum, {"regularize": {"l2": 0.1}}), (THREE_LAYERS, ADAM, {"regularize": {"l1": 0.003}}),
            (THREE_LAYERS, momentum, {"regularize": {"l1": 0.01, "l2": 0.1, "biases": True}}),
            (mixed, momentum, {"regularize": {"l1": 0.01, "l2": 0.05}}),
            (THREE_LAYERS, momentum, {"regularize": {"max_norm": 0.9}}), (THREE_LAYERS, ADAM, {"clip_norm": 0.3}),
            (THREE_LAYERS, momentum, {"clip_norm": 0.5}), (THREE_LAYERS, momentum, {"clip_norm": 100}),
            (THREE_LAYERS, momentum, {"clip_value": 0.01}), (THREE_LAYERS, ADAM, {"bias_lr": 0.5}),
            (THREE_LAYERS, {"type": "nadam", "lr": 0.01}, {"bias_lr": 0.1}),
            (mixed, momentum, {"clip_norm": 0.5, "clip_value": 0.02, "schedule": {"type": "cosine"},
                               "regularize": {"l1": 0.001, "l2": 0.1, "max_norm": 0.9}})):
        try:
            compare(layers, optimizer, data=DIGITS, count=50, batch=20, **train)
        except AssertionError as error:
            raise AssertionError(f"{train}: {error}") from error


def averages():
    """exponential and stochastic weight averages, lookahead, three batches an epoch, beside a schedule, max_norm, bias_lr"""
    for train in ({"ema": 0.9}, {"ema": 0.5, "regularize": {"max_norm": 0.9}, "schedule": {"type": "cosine"}},
                  {"swa": {"start": 1}}, {"swa": {"start": 7}, "schedule": {"type": "linear"}},
                  {"lookahead": {}}, {"lookahead": {"every": 2, "alpha": 0.25, "power": 3}, "bias_lr": 8}):
        try:
            compare(THREE_LAYERS, {"type": "momentum", "lr": 0.02}, data=DIGITS, count=50, batch=20, **train)
        except AssertionError as error:
            raise AssertionError(f"{train}: {error}") from error


def accumulated_gradients():
    """steps of three batches, also of part of a tile; the last step of an epoch has less; with class weights"""
    momentum = {"type": "momentum", "lr": 0.02}
    compare(THREE_LAYERS, momentum, data=DIGITS, count=50, batch=8, accumulate=3)
    compare(THREE_LAYERS, ADAM, data=DIGITS, count=50, batch=20, accumulate=2, clip_norm=0.5, class_weights=WEIGHTS)
    compare(THREE_LAYERS, momentum, data=DIGITS, count=60, batch=20, accumulate=3)


if __name__ == "__main__":
    run_tests([schedules, penalties_and_clipping, averages, accumulated_gradients])
