"""Can XOR be solved at all without a given weight? Each pruned architecture from fresh starts.

What ``xor`` finds by retraining from a minimum's own weights may be luck of the start; this
tells the weights that no start can do without.
"""

from __future__ import annotations

import pandas as pd
import torch

from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.objective import Objective
from oldschool.training.second_order import damped_newton

from .settings import ObsConfig
from .xor import SET_UPS, WEIGHTS, solved


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.xor
    return [
        unit
        for set_up in SET_UPS
        for unit in blocks("xor_structure", {"set_up": set_up}, settings.restarts, 1000)
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.xor
    name = str(unit.condition["set_up"])
    set_up = SET_UPS[name]
    rows = []
    for index, weight in enumerate(WEIGHTS):
        generators = seeds.generators("xor_structure", unit.replicates, "weights", weight=weight)
        theta = set_up.net.uniform(generators, 4 * settings.training.init)
        mask = torch.ones_like(theta, dtype=torch.bool)
        mask[:, index] = False
        trained = damped_newton(
            Objective(set_up.net, set_up.task, mask=mask),
            theta * mask,
            iterations=settings.relearn_iterations,
            gradient_tolerance=settings.training.gradient_tolerance,
            stop_error=settings.stop_error * set_up.scale,
        )
        rows.append(
            {
                "set_up": name,
                "start": unit.start,
                "restarts": len(theta),
                "deleted": weight,
                "solved": int(solved(set_up, trained.theta).sum()),
                "least_error": float(trained.error.min() / set_up.scale),
            }
        )
    return {"xor_structure": pd.DataFrame(rows)}


XOR_STRUCTURE = Experiment(
    name="xor_structure",
    code_version=1,
    settings=("xor",),
    frames=("xor_structure",),
    plan=plan,
    run=run,
    data=lambda config: {name: set_up.task.sha256() for name, set_up in SET_UPS.items()},
)
