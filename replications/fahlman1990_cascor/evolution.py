"""The paper's Figs 3 and 4: one trial on the spirals, drawn over the plane unit by unit."""

from __future__ import annotations

import pandas as pd
import torch

from oldschool.growing.outcome import Grown
from oldschool.runs.experiment import Experiment, Frames, Unit
from oldschool.runs.seeds import Seeds

from .settings import CascorConfig
from .spirals import TASK, grown


def plan(config: CascorConfig, earlier: Frames) -> list[Unit]:
    """The first trial with the units asked for, and the block of ``spirals`` that it is of.

    The block is grown again as a whole: alone, rounding would make another trial of it.
    """
    rows = earlier["spirals"]
    learned = rows[rows.learned]
    if learned.empty:
        return []
    wanted = learned[learned.hidden == config.evolution.hidden]
    if wanted.empty:
        wanted = learned[learned.hidden == learned.hidden.min()]
    replicate, block = int(wanted.replicate.iloc[0]), config.spirals.block
    start = replicate // block * block
    stop = min(start + block, config.spirals.trials)
    return [Unit("evolution", {"replicate": replicate}, start, stop)]


def run(config: CascorConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings, spirals = config.evolution, config.spirals
    found = grown(spirals.cascade.settings(), spirals.precision, unit.replicates, seeds)
    trial = int(unit.condition["replicate"]) - unit.start
    return {"evolution": over_the_plane(found, trial, settings.points, settings.extent)}


def over_the_plane(found: Grown, trial: int, points: int, extent: float) -> pd.DataFrame:
    """Values on a square grid of the plane, for the net with 0, 1, ... hidden units.

    Args:
        found: the trials.
        trial: which of them.
        points: points on a side.
        extent: the square goes to plus and minus this.

    Returns:
        Rows ``hidden``, ``x``, ``y``, ``output`` of the net with so many hidden units at the end
        of its output phase, and ``field``, the value of the last of these units; values to two
        decimals.
    """
    side = torch.linspace(-extent, extent, points, dtype=torch.float64)
    plane = torch.cartesian_prod(side, side)
    parts = []
    for hidden in range(int(found.hidden[trial]) + 1):
        nets = found.nets(hidden)
        values = nets.values(plane.to(nets.output_weights))[trial]
        outputs = nets.outputs(plane.to(nets.output_weights))[trial, 0]
        field = values[nets.inputs + hidden] if hidden else torch.full_like(outputs, torch.nan)
        parts.append(
            pd.DataFrame(
                {
                    "hidden": hidden,
                    "x": plane[:, 0].numpy().round(4),
                    "y": plane[:, 1].numpy().round(4),
                    "output": outputs.double().numpy().round(2),
                    "field": field.double().numpy().round(2),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


EVOLUTION = Experiment(
    name="evolution",
    code_version=1,
    settings=("spirals", "evolution"),
    frames=("evolution",),
    plan=plan,
    run=run,
    data=lambda config: {"two_spirals": TASK.sha256()},
    needs=("spirals",),
    rows_apart=1.0,  # another machine may draw another trial of the same number
)
