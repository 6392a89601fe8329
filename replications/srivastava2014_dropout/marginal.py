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
    return blocks("marginal", {}, 1, 1)


def run(config: DropoutConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.marginal
    keep = torch.tensor(settings.keep, dtype=torch.float64)
    rows: list[dict[str, Any]] = []
    for problem in range(settings.problems):
        (draw,) = seeds.generators("marginal", [problem], "problem")
        x, y, w = (
            torch.randn(*shape, generator=draw, dtype=torch.float64)
            for shape in ((CASES, INPUTS), (CASES, OUTPUTS), (INPUTS, OUTPUTS))
        )
        lead = {"problem": problem, "data": "random"}
        exact, closed = enumerated_loss(x, y, w, keep), expected_loss(x, y, w, keep)
        for p, a, b in zip(settings.keep, exact.tolist(), closed.tolist(), strict=True):
            rows.append({"check": "identity", **lead, "p": p, "difference": abs(a - b) / a})
        rows += [{"check": "ridge", **lead, **one} for one in ridges(x, y, keep)]
    x, y = some_digits(config)
    lead = {"problem": settings.problems, "data": "digits"}
    rows += [{"check": "ridge", **lead, **one} for one in ridges(x, y, keep)]
    return {"marginal": pd.DataFrame(rows), "marginal_path": path(config, x, y, seeds)}


def some_digits(config: DropoutConfig) -> tuple[Tensor, Tensor]:
    """Pixels (P, 784) and classes as 0 and 1 (P, 10), float64, on the CPU."""
    data, count = digits(config), config.marginal.digits
    y = torch.nn.functional.one_hot(data.train_y[:count], 10)
    return data.train_x[:count].double(), y.double()


def ridges(x: Tensor, y: Tensor, keep: Tensor) -> list[dict[str, float]]:
    """p W of least expected loss against ridge regression with the penalty (1 - p) / p |G w~|^2.

    The latter by least squares with the penalty as further rows, over the inputs that are not
    always nought. Differences are relative, |p W - w~| / |w~|.
    """
    least, found = ridge(x, y, keep), []
    lengths = x.square().sum(0).sqrt()
    live = lengths > 0
    for p, w in zip(keep.tolist(), least, strict=True):
        rows = torch.diag(((1 - p) / p) ** 0.5 * lengths[live])
        tall = torch.cat([x[:, live], rows])
        wide = torch.cat([y, y.new_zeros(len(rows), y.shape[1])])
        other = torch.zeros_like(w)
        other[live] = torch.from_numpy(np.linalg.lstsq(tall.numpy(), wide.numpy(), rcond=None)[0])
        found.append({"p": p, "difference": float((p * w - other).norm() / other.norm())})
    return found


def path(config: DropoutConfig, x: Tensor, y: Tensor, seeds: Seeds) -> pd.DataFrame:
    """Distances along the stochastic path, a line a run and look."""
    settings = config.marginal
    runs = [(p, replicate) for p in settings.keep for replicate in range(settings.nets)]
    looks = np.unique(np.geomspace(1, settings.updates, _LOOKS).round().astype(int)).tolist()
    generators = [
        one
        for p in settings.keep
        for one in seeds.generators("marginal", range(settings.nets), "path", p=p)
    ]
    found = stochastic_path(
        x,
        y,
        torch.tensor([p for p, _ in runs], dtype=torch.float64),
        rate=settings.rate,
        batch=settings.batch,
        updates=looks,
        generators=generators,
    )
    return pd.DataFrame(
        [
            {
                "p": p,
                "replicate": replicate,
                "updates": look,
                "averaged": float(found.averaged[at, k]),
                "last": float(found.last[at, k]),
            }
            for k, (p, replicate) in enumerate(runs)
            for at, look in enumerate(looks)
        ]
    )


MARGINAL = Experiment(
    name="marginal",
    code_version=1,
    settings=("marginal",),
    frames=("marginal", "marginal_path"),
    plan=plan,
    run=run,
    data=sources,
)
