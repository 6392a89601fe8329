"""The nets that all experiments on the small net work on, and the digits that they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from oldschool.compiled.stack import compiled
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data import usps
from oldschool.data.task import Task
from oldschool.nets.stack import Stack
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.diagonal_lm import stochastic_diagonal_lm

from .nets import BACKGROUND, small_net
from .settings import PRECISIONS, ObdConfig

# Digits whose forward pass is taken at a time, and nets: what they leave has to stay in the cache.
_AT_ONCE, _NETS = 16, 8


@dataclass(frozen=True)
class Digits:
    """Both sets as a net sees them.

    Attributes:
        train: x (7291, inputs), t (7291, 10).
        test: the same of the 2007 test digits.
    """

    train: Task
    test: Task


@cache
def digits(side: int, dtype: torch.dtype) -> Digits:
    """The digits in the middle of a field of ``side`` x ``side``, 16 or more."""
    found, edge = usps.usps(), (side - usps.SIDE) // 2
    fields = [
        Task(
            torch.nn.functional.pad(
                task.x.view(-1, usps.SIDE, usps.SIDE), (edge,) * 4, value=BACKGROUND
            )
            .flatten(1)
            .to(dtype),
            task.t.to(dtype),
        )
        for task in (found.train, found.test)
    ]
    return Digits(*fields)


def sources(config: ObdConfig) -> Mapping[str, str]:
    """The hash of the array file, after a look whether it is sound."""
    usps.usps()
    return {"usps": usps.SHA256}


def outputs(net: Stack, theta: Tensor, x: Tensor) -> Tensor:
    """(R, 10, P) for weights (R, N) and inputs (P, inputs)."""
    code = compiled(net, theta, x)
    if code is not None:
        return code.outputs(theta, x)
    return torch.cat(
        [
            torch.cat([net.outputs(few, part) for part in torch.split(x, _AT_ONCE)], dim=2)
            for few in torch.split(theta, _NETS)
        ]
    )


def measures(net: Stack, theta: Tensor, data: Digits) -> dict[str, list[float]]:
    """How R nets do on both sets.

    Returns:
        ``train_mse`` and ``test_mse``, means of (t - o)^2 over digits and outputs; ``train_wrong``
        and ``test_wrong``, digits whose largest output is not the right one, in per cent; and
        ``test_rejects``, see :func:`rejects`.
    """
    found: dict[str, list[float]] = {}
    for part, task in (("train", data.train), ("test", data.test)):
        o = outputs(net, theta, task.x)
        residual = (o - task.t.T).double()
        found[f"{part}_mse"] = (residual * residual).mean((1, 2)).tolist()
        right = o.argmax(1) == task.t.argmax(1)
        found[f"{part}_wrong"] = (100 * (1 - right.double().mean(1))).tolist()
        if part == "test":
            found["test_rejects"] = [
                rejects(*pair) for pair in zip(o.topk(2, dim=1).values, right, strict=True)
            ]
    return found


def rejects(best: Tensor, right: Tensor, wrong: float = 0.01) -> float:
    """The least share of digits to reject, in per cent, for ``wrong`` errors among the others.

    Digits are rejected in the order of how little the largest output is above the second.

    Args:
        best: the two largest outputs, (2, P).
        right: whether the largest is the right one, (P,) bool.
        wrong: share of errors that is allowed.
    """
    order = (best[0] - best[1]).argsort(descending=True, stable=True)
    errors = (~right[order]).cumsum(0)
    accepted = torch.arange(1, len(order) + 1)
    good = (errors <= wrong * accepted).nonzero()[:, 0]
    most = int(good[-1]) + 1 if len(good) else 0
    return 100 * (1 - most / len(order))


def weights_of(rows: pd.DataFrame, dtype: torch.dtype) -> Tensor:
    """Weights (R, N) from the rows of frame ``digit_weights``, a replicate after the other."""
    table = rows.pivot(index="replicate", columns="weight", values="value")
    return torch.tensor(table.to_numpy(dtype=np.float64), dtype=dtype)


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    return blocks("digits", {}, config.digits.nets, config.digits.block)


def run(config: ObdConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.digits
    dtype = PRECISIONS[settings.precision]
    net, data = small_net(settings.unit), digits(28, dtype)
    theta = stochastic_diagonal_lm(
        net,
        net.uniform(seeds.generators("digits", unit.replicates, "weights"), settings.init, dtype),
        data.train,
        settings.schedule.schedule(),
        seeds.generators("digits", unit.replicates, "order"),
    )
    at = recursive_diagonal(net, theta, data.train)
    rows = pd.DataFrame(
        {
            "replicate": list(unit.replicates),
            "parameters": net.weights,
            "connections": net.connections,
            "units": net.units_count + 1,
            **measures(net, theta, data),
            "gradient_norm": at.gradient.norm(dim=1).tolist(),
            "largest_weight": theta.abs().amax(1).tolist(),
            "diverged": (~theta.isfinite().all(1)).tolist(),
        }
    )
    weights = pd.DataFrame(
        {
            "replicate": np.repeat(np.array(unit.replicates), net.weights),
            "weight": np.tile(np.arange(net.weights), len(theta)),
            "value": theta.flatten().double().numpy(),
        }
    )
    return {"digit_nets": rows, "digit_weights": weights}


DIGITS = Experiment(
    name="digits",
    code_version=2,
    settings=("digits",),
    frames=("digit_nets", "digit_weights"),
    plan=plan,
    run=run,
    data=sources,
    resampled=True,  # rounding parts two runs of 54,000 steps
)
