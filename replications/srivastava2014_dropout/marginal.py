"""Section 9: dropout of the inputs of a linear regression, marginalised.

The identity of 9.1 by enumeration of all masks; the least expected loss as ridge regression by
another road; and how far stochastic descent on dropped inputs has come from there, on digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from oldschool.dropout.marginal import enumerated_loss, expected_loss, ridge
from oldschool.dropout.stochastic_path import stochastic_path
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import digits, sources
from .settings import DropoutConfig

CASES, INPUTS, OUTPUTS = 12, 7, 2  # of the random problems
_LOOKS = 24  # at the path, evenly spaced on a logarithmic scale


def plan(config: DropoutConfig, earlier: Frames) -> list[Unit]:
    return [unit for p in config.marginal.keep for unit in blocks("marginal", {"p": p}, 1, 1)]


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, p = config.marginal, float(unit.condition["p"])
    rows: list[dict[str, Any]] = []
    for problem in range(settings.problems):
        (draw,) = seeds.generators("marginal", [problem], "problem")
        x, y, w = (
            torch.randn(*shape, generator=draw, dtype=torch.float64)
            for shape in ((CASES, INPUTS), (CASES, OUTPUTS), (INPUTS, OUTPUTS))
        )
        keep = torch.tensor([p], dtype=torch.float64)
        exact = float(enumerated_loss(x, y, w, keep)[0])
        identity = abs(exact - float(expected_loss(x, y, w, keep)[0])) / exact
        for check, difference in (("identity", identity), ("ridge", ridges(x, y, p))):
            rows.append(_row(check, problem, "random", p, difference))
    x, y = some_digits(config)
    rows.append(_row("ridge", settings.problems, "digits", p, ridges(x, y, p)))
    return {"marginal": pd.DataFrame(rows), "marginal_path": path(config, x, y, p, seeds)}


def _row(check: str, problem: int, data: str, p: float, difference: float) -> dict[str, Any]:
    return {"check": check, "problem": problem, "data": data, "p": p, "difference": difference}


def some_digits(config: DropoutConfig) -> tuple[Tensor, Tensor]:
    """Pixels (P, 784) and classes as 0 and 1 (P, 10), float64, on the CPU."""
    data, count = digits(config), config.marginal.digits
    y = torch.nn.functional.one_hot(data.train_y[:count], 10)
    return data.train_x[:count].double(), y.double()


def ridges(x: Tensor, y: Tensor, p: float) -> float:
    """p W of least expected loss against ridge regression with the penalty (1 - p) / p |G w~|^2.

    The latter by least squares with the penalty as further rows, over the inputs that are not
    always nought.

    Returns:
        |p W - w~| / |w~|.
    """
    least = p * ridge(x, y, torch.tensor([p], dtype=torch.float64))[0]
    lengths = x.square().sum(0).sqrt()
    live = lengths > 0
    rows = torch.diag(((1 - p) / p) ** 0.5 * lengths[live])
    tall = torch.cat([x[:, live], rows])
    wide = torch.cat([y, y.new_zeros(len(rows), y.shape[1])])
    other = torch.zeros_like(least)
    other[live] = torch.from_numpy(np.linalg.lstsq(tall.numpy(), wide.numpy(), rcond=None)[0])
    return float((least - other).norm() / other.norm())


def path(config: DropoutConfig, x: Tensor, y: Tensor, p: float, seeds: Seeds) -> pd.DataFrame:
    """Distances along the stochastic path, a line a run and look."""
    settings = config.marginal
    looks = np.unique(np.geomspace(1, settings.updates, _LOOKS).round().astype(int)).tolist()
    found = stochastic_path(
        x,
        y,
        torch.full((settings.nets,), p, dtype=torch.float64),
        rate=settings.rate,
        batch=settings.batch,
        updates=looks,
        generators=seeds.generators("marginal", range(settings.nets), "path", p=p),
    )
    return pd.DataFrame(
        [
            {
                "p": p,
                "replicate": replicate,
                "updates": look,
                "averaged": float(found.averaged[at, replicate]),
                "last": float(found.last[at, replicate]),
            }
            for replicate in range(settings.nets)
            for at, look in enumerate(looks)
        ]
    )


MARGINAL = Experiment(
    name="marginal",
    code_version=2,
    settings=("marginal",),
    frames=("marginal", "marginal_path"),
    plan=plan,
    run=run,
    data=sources,
)
