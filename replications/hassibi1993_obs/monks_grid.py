"""Weight decay times alpha on the MONK's problems: the sensitivity table, and the choice.

Nets of its own (another seed namespace) are trained at every decay and pruned by OBS without
retraining at every alpha; ``monks`` then takes the pair chosen by ``monk_nets.choose``.
"""

from __future__ import annotations

import pandas as pd

from oldschool.pruning.loop import prune
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .monk_nets import HIDDEN_UNITS, MonkNets, data_hashes
from .settings import ObsConfig


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.monks_grid
    return [
        unit
        for transfer in settings.units
        for problem in HIDDEN_UNITS
        for decay in settings.decays
        for unit in blocks(
            "monks_grid",
            {"unit": transfer, "problem": problem, "decay": decay},
            settings.nets,
            settings.block,
        )
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.monks_grid
    how = config.monk_nets
    problem, decay = str(unit.condition["problem"]), float(unit.condition["decay"])
    nets = MonkNets(problem, str(unit.condition["unit"]))
    start = nets.trained(how, decay, unit.replicates, seeds, "monks_grid")
    good = nets.stop.accepts(nets.net.outputs(start.theta, nets.train.x), nets.train)
    frames = []
    for alpha in settings.alphas:
        pruned = prune(nets.net, start.theta, nets.train, OptimalBrainSurgeon(alpha), nets.stop)
        frames.append(
            pd.DataFrame(
                {
                    "unit": nets.unit,
                    "problem": problem,
                    "decay": decay,
                    "alpha": alpha,
                    "replicate": list(unit.replicates),
                    "trained": good & ~start.diverged,
                    "gradient_norm": start.gradient_norm,
                    "start_train_accuracy": nets.train_accuracy(start.theta),
                    "start_test_accuracy": nets.test_accuracy(start.theta),
                    "weights_left": pruned.weights_left,
                    "train_accuracy": nets.train_accuracy(pruned.theta),
                    "test_accuracy": nets.test_accuracy(pruned.theta),
                    "reason": pruned.reason,
                }
            )
        )
    return {"monks_grid": pd.concat(frames, ignore_index=True)}


MONKS_GRID = Experiment(
    name="monks_grid",
    code_version=1,
    settings=("monk_nets", "monks_grid"),
    frames=("monks_grid",),
    plan=plan,
    run=run,
    data=lambda config: data_hashes(),
)
