"""How far towards zero error are the nets trained? OBS on XOR against that error and alpha.

Where no finite weights reach the targets, the error at which training ends is a choice, and the
Hessian's eigenvalues shrink with it: below alpha they no longer count, and OBS is left with
|w| alone.
"""

from __future__ import annotations

import pandas as pd
import torch

from oldschool.pruning.choice import Method
from oldschool.pruning.magnitude import Magnitude
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .settings import ObsConfig
from .xor import HIDDEN_BIASES, SET_UPS, WEIGHTS, solved, train


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.xor
    return [
        unit
        for name, set_up in SET_UPS.items()
        if not set_up.reachable
        for stop_error in settings.stop_errors
        for unit in blocks(
            "xor_stop",
            {"set_up": name, "stop_error": stop_error},
            settings.starts,
            settings.block,
        )
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.xor
    name, stop_error = str(unit.condition["set_up"]), float(unit.condition["stop_error"])
    set_up = SET_UPS[name]
    trained, minimum = train(settings, set_up, 0.0, unit.replicates, seeds, stop_error)
    theta = trained.theta[minimum]
    kept = torch.ones_like(theta, dtype=torch.bool)
    biases = torch.tensor([WEIGHTS.index(weight) for weight in HIDDEN_BIASES])
    rows = []
    methods: list[tuple[Method, float]] = [(Magnitude(), torch.nan)]
    methods += [(OptimalBrainSurgeon(alpha), alpha) for alpha in settings.alphas]
    for method, alpha in methods:
        choice = method.choose(set_up.net, theta, set_up.task, kept, kept)
        rows.append(
            {
                "set_up": name,
                "stop_error": stop_error,
                "start": unit.start,
                "method": method.name,
                "alpha": alpha,
                "starts": len(unit.replicates),
                "minima": len(theta),
                "error": float(trained.error[minimum].median() / set_up.scale),
                "hidden_bias": int(torch.isin(choice.weight, biases).sum()),
                "solved": int(solved(set_up, theta + choice.change).sum()),
            }
        )
    return {"xor_stop": pd.DataFrame(rows)}


XOR_STOP = Experiment(
    name="xor_stop",
    code_version=1,
    settings=("xor",),
    frames=("xor_stop",),
    plan=plan,
    run=run,
    data=lambda config: {name: set_up.task.sha256() for name, set_up in SET_UPS.items()},
)
