"""How rate, mu and digits a step of the digit nets were chosen: on a part of the training set.

    python scripts/choose_training.py small --batch 4 --mu 0.1 --passes 30 .001 .0015 .002

trains a net at each rate, all from one start, on 5833 training digits drawn at random, and prints
how they do on these and on the other 1458. The test set is not touched. README.md of
``replications/lecun1989_obd`` has what came out.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # replications/ is no installed package

from oldschool.data.task import Task
from oldschool.training.diagonal_lm import DiagonalSchedule, stochastic_diagonal_lm
from replications.lecun1989_obd.digits import Digits, digits, measures
from replications.lecun1989_obd.nets import large_net, small_net

HELD_OUT = 1458
SEEDS = {"split": 77, "weights": 1, "order": 5}


def main() -> None:
    """Train and print a line a rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("net", choices=("small", "larger"))
    parser.add_argument("rates", nargs="+", type=float)
    parser.add_argument("--mu", type=float, default=0.1)
    parser.add_argument("--passes", type=float, default=10)
    parser.add_argument("--batch", type=int, default=4)
    given = parser.parse_args()
    torch.set_num_threads(1)
    small = given.net == "small"
    net = (small_net if small else large_net)("lecun_tanh")
    whole = digits(28 if small else 16, torch.float32).train
    order = torch.randperm(len(whole), generator=_generator("split"))
    held, used = order[-HELD_OUT:], order[:-HELD_OUT]
    data = Digits(*(Task(whole.x[part], whole.t[part]) for part in (used, held)))
    start = net.uniform([_generator("weights")], 2.4, torch.float32)
    common = DiagonalSchedule(0.0, given.mu, given.passes, given.batch)
    for rate in given.rates:
        schedule = replace(common, rate=rate)
        theta = stochastic_diagonal_lm(net, start, data.train, schedule, [_generator("order")])
        found = {name: value[0] for name, value in measures(net, theta, data).items()}
        print(
            f"rate {rate:g}: training MSE {found['train_mse']:.4f}, {found['train_wrong']:.2f} % "
            f"wrong; held out {found['test_mse']:.4f}, {found['test_wrong']:.2f} % wrong"
        )


def _generator(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(SEEDS[name])


if __name__ == "__main__":
    main()
