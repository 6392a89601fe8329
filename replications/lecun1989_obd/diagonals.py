"""How far the diagonals that Optimal Brain Damage computes are from the exact one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from torch import Tensor

from oldschool.curvature.jets import exact_diagonals
from oldschool.curvature.recursion import field_saliency, recursive_diagonal
from oldschool.data.task import Task
from oldschool.nets.stack import Stack
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import digits, sources, weights_of
from .nets import small_net
from .settings import PRECISIONS, ObdConfig

# The exact diagonal first, which all others are compared with.
FORMS = ("exact", "gauss_newton", "full", "lm")


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    return blocks("diagonals", {}, min(config.diagonals.nets, config.digits.nets), 1)


def forms(net: Stack, theta: Tensor, task: Task) -> dict[str, Tensor]:
    """h_kk of one net, (N,), in each of ``FORMS``.

    Those of the Hessian and of the Gauss-Newton matrix, and the paper's recursion with and
    without the terms with f''.
    """
    exact = exact_diagonals(net, theta, task)
    return {
        "exact": exact.hessian,
        "gauss_newton": exact.gauss_newton,
        "full": recursive_diagonal(net, theta[None], task).diagonal[0],
        "lm": recursive_diagonal(net, theta[None], task, levenberg_marquardt=True).diagonal[0],
    }


def run(config: ObdConfig, unit: Unit, seeds: Seeds, inputs: Frames) -> Frames:
    settings, dtype = config.diagonals, PRECISIONS[config.digits.precision]
    net, data = small_net(config.digits.unit), digits(28, dtype)
    seen = Task(data.train.x[: settings.samples], data.train.t[: settings.samples])
    rows, weights = [], []
    names = np.array([layer.name for layer in net.layers])[net.layer_of.numpy()]
    nets = weights_of(inputs["digit_weights"], dtype)
    for replicate, theta in zip(unit.replicates, nets, strict=True):
        found = {name: one.double().numpy() for name, one in forms(net, theta, seen).items()}
        saliencies = {name: one * theta.double().numpy() ** 2 / 2 for name, one in found.items()}
        for form in FORMS[1:]:
            for layer in ("all", *(layer.name for layer in net.layers)):
                inside = np.full(len(names), True) if layer == "all" else names == layer
                ours, exact = found[form][inside], found["exact"][inside]
                rows.append(
                    {
                        "replicate": replicate,
                        "form": form,
                        "layer": layer,
                        "weights": int(inside.sum()),
                        "negative": int((ours < 0).sum()),
                        "negative_exact": int((exact < 0).sum()),
                        "rank_correlation": _ranks(ours, exact),
                        "saliency_correlation": _ranks(
                            saliencies[form][inside], saliencies["exact"][inside]
                        ),
                        "median_ratio": float(np.median(ours / exact)),
                        "sum_ratio": float(ours.sum() / exact.sum()),
                    }
                )
        if replicate < settings.drawn:
            weights.append(
                pd.DataFrame({"replicate": replicate, "layer": names,
                              "weight": np.arange(net.weights), "value": theta.double().numpy(),
                              **found})
            )  # fmt: skip
    empty = pd.DataFrame(columns=["replicate", "layer", "weight", "value", *FORMS])
    side = net.inputs.height
    fields = field_saliency(net, nets, seen.x)
    field = pd.DataFrame(
        {
            "replicate": np.repeat(np.array(unit.replicates), side * side),
            "row": np.tile(np.repeat(np.arange(side), side), len(nets)),
            "column": np.tile(np.arange(side), side * len(nets)),
            "saliency": fields.flatten().double().numpy(),
            "ink": seen.x.double().mean(0).repeat(len(nets)).numpy(),
        }
    )
    return {
        "field": field,
        "diagonals": pd.DataFrame(rows),
        "diagonal_weights": pd.concat(weights, ignore_index=True) if weights else empty,
    }


def _ranks(ours: np.ndarray, exact: np.ndarray) -> float:
    return float(stats.spearmanr(ours, exact).statistic)


DIAGONALS = Experiment(
    name="diagonals",
    code_version=2,
    settings=("digits", "diagonals"),
    frames=("diagonals", "diagonal_weights", "field"),
    plan=plan,
    run=run,
    data=sources,
    needs=("digits",),
    reads=("digit_weights",),
    rows_apart=1.0,  # single precision
)
