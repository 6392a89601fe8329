"""E(mag) >= E(OBD) >= E(OBS) (section 3): predicted to second order, and as it really is.

Each method deletes its first weight in every net of ``xor`` (without decay) and ``monks``. All
three predictions use one and the same matrix, H = 1/P sum X X^T + alpha I: w^2 H_qq / 2 for a
weight deleted alone, w^2 / (2 [H^-1]_qq) for OBS. There OBD picks by the diagonal of that H
(``obd_lm``, no f'' terms); the OBD of the other experiments picks by the exact diagonal (``obd``).
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from oldschool.curvature.diagonal import backpropagated_diagonal
from oldschool.curvature.gauss_newton import gauss_newton, output_gradients
from oldschool.curvature.inverse import damped_inverse
from oldschool.data.task import Task
from oldschool.nets.error import squared_error
from oldschool.nets.mlp import Mlp
from oldschool.pruning import obd, obs
from oldschool.pruning.choice import delete_only
from oldschool.runs.experiment import Experiment, Frames, Scalar, Unit, blocks
from oldschool.runs.seeds import Seeds

from . import xor
from .monk_nets import HIDDEN_UNITS, MonkNets, data_hashes, decay_and_alpha
from .settings import ObsConfig


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.inequality
    units: list[Unit] = []
    condition: dict[str, Scalar]
    for set_up in xor.SET_UPS:
        condition = {"task": f"xor {set_up}", "decay": 0.0}
        units += blocks("inequality", condition, config.xor.starts, settings.block)
    for problem in HIDDEN_UNITS:
        decay, _ = decay_and_alpha(config, earlier["monks_grid"], problem)
        condition = {"task": problem, "decay": decay}
        units += blocks("inequality", condition, config.monks.nets, settings.block)
    return units


def first_deletion(net: Mlp, theta: Tensor, task: Task, alpha: float) -> dict[str, Tensor]:
    """Predicted and actual error increase of each method's first deletion, (R,) each.

    Columns ``<method>_weight``, ``_predicted``, ``_actual`` for magnitude, obd_lm, obd and obs,
    and ``error`` before the deletion.
    """
    h = gauss_newton(output_gradients(net, theta, task.x))
    h.diagonal(dim1=1, dim2=2).add_(alpha)
    inverse = damped_inverse(h, 0.0)
    alone = obd.saliency(theta, h.diagonal(dim1=1, dim2=2))
    exact = obd.saliency(theta, backpropagated_diagonal(net, theta, task))
    surgeon = obs.saliency(theta, inverse)
    rows = torch.arange(len(theta))
    base = squared_error(net.outputs(theta, task.x), task.t)
    found = {"error": base}
    for name, score, predicted in (
        ("magnitude", theta.abs(), alone),
        ("obd_lm", alone, alone),
        ("obd", exact, exact),
        ("obs", surgeon, surgeon),
    ):
        q = score.argmin(dim=1)
        change = obs.surgery(theta, inverse, q) if name == "obs" else delete_only(theta, q)
        after = squared_error(net.outputs(theta + change, task.x), task.t)
        found[f"{name}_weight"] = q
        found[f"{name}_predicted"] = predicted[rows, q]
        found[f"{name}_actual"] = after - base
    return found


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.inequality
    name, decay = str(unit.condition["task"]), float(unit.condition["decay"])
    if name in HIDDEN_UNITS:
        how = config.monk_nets
        nets = MonkNets(name, how.unit)
        start = nets.trained(how, decay, unit.replicates, seeds, "monks")
        net, task = nets.net, nets.train
        good = nets.stop.accepts(net.outputs(start.theta, task.x), task) & ~start.diverged
    else:
        set_up = xor.SET_UPS[name.removeprefix("xor ")]
        start, good = xor.train(
            config.xor,
            set_up,
            decay,
            unit.replicates,
            seeds,
        )
        net, task = set_up.net, set_up.task
    columns = first_deletion(net, start.theta[good], task, settings.alpha)
    replicates = [r for r, ok in zip(unit.replicates, good.tolist(), strict=True) if ok]
    return {
        "inequality": pd.DataFrame(
            {"task": name, "decay": decay, "replicate": replicates, **columns}
        )
    }


INEQUALITY = Experiment(
    name="inequality",
    code_version=1,
    settings=("xor", "monk_nets", "inequality"),
    frames=("inequality",),
    plan=plan,
    run=run,
    data=lambda config: {
        **data_hashes(),
        **{name: set_up.task.sha256() for name, set_up in xor.SET_UPS.items()},
    },
    needs=("monks_grid",),
)
