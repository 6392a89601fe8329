"""Table 1: the MONK's problems pruned by magnitude, OBD and OBS, without and with retraining.

All six prune the very same trained nets, and stop before the training accuracy falls below
the paper's (124/124, 169/169 and 114/122 cases right), or, by ``monks.stop``, before the
training error rises above a level.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from oldschool.data.monks import INPUT_NAMES
from oldschool.pruning.choice import Method
from oldschool.pruning.loop import Pruned, prune
from oldschool.pruning.magnitude import Magnitude
from oldschool.pruning.obd import OptimalBrainDamage
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.pruning.stop import KeepError, StopRule
from oldschool.runs.experiment import Experiment, Frames, Scalar, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.outcome import Trained

from .monk_nets import HIDDEN_UNITS, MonkNets, data_hashes, decay_and_alpha, inputs_left, positives
from .rules import clause_cases, rule
from .settings import ObsConfig


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.monks
    units = []
    for problem in HIDDEN_UNITS:
        decay, alpha = decay_and_alpha(config, earlier["monks_grid"], problem)
        condition: dict[str, Scalar] = {"problem": problem, "decay": decay, "alpha": alpha}
        units += blocks("monks", condition, settings.nets, settings.block)
    return units


def weight_names(nets: MonkNets) -> list[str]:
    """Names in the order of the net's weights, such as ``h1<-a3=2``, ``o<-h2``, ``o<-1``."""
    hidden = range(1, nets.net.sizes[1] + 1)
    return [
        *(f"h{unit}<-{name}" for unit in hidden for name in INPUT_NAMES),
        *(f"h{unit}<-1" for unit in hidden),
        *(f"o<-h{unit}" for unit in hidden),
        "o<-1",
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.monks
    how = config.monk_nets
    problem = str(unit.condition["problem"])
    decay, alpha = float(unit.condition["decay"]), float(unit.condition["alpha"])
    nets = MonkNets(problem, how.unit)
    stop: StopRule = nets.stop if settings.stop == "accuracy" else KeepError(settings.error_level)
    start = nets.trained(how, decay, unit.replicates, seeds, "monks")
    good = stop.accepts(nets.net.outputs(start.theta, nets.train.x), nets.train)
    prunable = torch.ones(nets.net.weights, dtype=torch.bool)
    if not settings.prune_biases:
        prunable = ~nets.net.is_bias

    retrain = nets.retraining(how, decay, settings.retrain_iterations)

    def measure(theta: Tensor, _: Tensor) -> dict[str, Tensor]:
        return {
            "train_accuracy": nets.train_accuracy(theta),
            "test_accuracy": nets.test_accuracy(theta),
        }

    methods: list[Method] = [Magnitude(), OptimalBrainDamage(), OptimalBrainSurgeon(alpha)]
    rows, paths, weights = [], [], []
    followed = max(0, min(settings.paths, unit.stop) - unit.start)
    for method in methods:
        for again in (None, retrain):
            pruned = prune(
                nets.net,
                start.theta,
                nets.train,
                method,
                stop,
                prunable=prunable,
                retrain=again,
                measure=measure if followed else None,
                to_the_end=followed > 0,
            )
            head = {
                "problem": problem,
                "decay": decay,
                "alpha": alpha,
                "method": method.name,
                "retrained": again is not None,
            }
            rows.append(_nets(head, nets, unit, start, good & ~start.diverged, pruned))
            if followed:
                paths.append(_path(head, nets, unit.start, pruned, followed))
            if method.name == "obs" and again is None:
                weights.append(_weights(nets, unit, start.theta, pruned, settings.drawn))
    return {
        "monks": pd.concat(rows, ignore_index=True),
        "monks_paths": _joined(paths, PATH_COLUMNS),
        "monks_weights": _joined(weights, WEIGHT_COLUMNS),
    }


PATH_COLUMNS = (
    "problem", "decay", "alpha", "method", "retrained", "replicate", "weights_left", "weight",
    "predicted", "before", "deleted", "after", "accepted", "train_accuracy", "test_accuracy",
)  # fmt: skip
WEIGHT_COLUMNS = ("problem", "replicate", "weight", "before", "after", "kept")


def _joined(frames: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    found = [frame for frame in frames if len(frame)]
    if not found:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(found, ignore_index=True)[list(columns)]


def _nets(
    head: dict[str, object],
    nets: MonkNets,
    unit: Unit,
    start: Trained,
    good: Tensor,
    pruned: Pruned,
) -> pd.DataFrame:
    """A row a net: what it was, and what was left of it."""
    answers, before = positives(nets, pruned.theta), positives(nets, start.theta)
    is_third = nets.problem == "monk3"
    clause = clause_cases()
    return pd.DataFrame(
        {
            **head,
            "replicate": list(unit.replicates),
            "trained": good,
            "gradient_norm": start.gradient_norm,
            "start_train_accuracy": nets.train_accuracy(start.theta),
            "start_test_accuracy": nets.test_accuracy(start.theta),
            "weights_left": pruned.weights_left,
            "inputs_left": inputs_left(nets.net, pruned.kept),
            "train_accuracy": nets.train_accuracy(pruned.theta),
            "test_accuracy": nets.test_accuracy(pruned.theta),
            "start_is_clause": (before == clause).all(dim=1) & is_third,
            "is_clause": (answers == clause).all(dim=1) & is_third,
            "rule": [rule(row) for row in answers] if is_third else "",
            "reason": pruned.reason,
        }
    )


def _path(
    head: dict[str, object], nets: MonkNets, first: int, pruned: Pruned, followed: int
) -> pd.DataFrame:
    """A row a deletion: predicted and actual increase of the error, accuracies after it."""
    frames = []
    for step, deletion in enumerate(pruned.path, start=1):
        shown = deletion.net < followed
        columns = {
            "replicate": deletion.net + first,
            "weight": deletion.weight,
            "predicted": deletion.predicted,
            "before": deletion.before,
            "deleted": deletion.deleted,
            "after": deletion.after,
            "accepted": deletion.accepted,
            **deletion.measures,
        }
        frames.append(
            pd.DataFrame(
                {
                    **head,
                    "weights_left": nets.net.weights - step,
                    **{name: column[shown] for name, column in columns.items()},
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _weights(nets: MonkNets, unit: Unit, theta: Tensor, pruned: Pruned, drawn: int) -> pd.DataFrame:
    """A row a weight, for the nets that may be drawn."""
    names = weight_names(nets)
    frames = []
    for row, replicate in enumerate(unit.replicates):
        if replicate < drawn:
            frames.append(
                pd.DataFrame(
                    {
                        "problem": nets.problem,
                        "replicate": replicate,
                        "weight": names,
                        "before": theta[row],
                        "after": pruned.theta[row],
                        "kept": pruned.kept[row],
                    }
                )
            )
    return _joined(frames, WEIGHT_COLUMNS)


MONKS = Experiment(
    name="monks",
    code_version=1,
    settings=("monk_nets", "monks"),
    frames=("monks", "monks_paths", "monks_weights"),
    plan=plan,
    run=run,
    data=lambda config: data_hashes(),
    needs=("monks_grid",),
)
