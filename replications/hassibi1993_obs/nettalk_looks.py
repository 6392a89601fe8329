"""What alpha, precision, and how often OBS looks at the net do to it on NETtalk.

The paper computes H^-1 anew after each deletion. For the nets of ``nettalk`` that is out of
reach; here it is done every so many deletions or once, and on a net of four hidden units, small
enough, after each. Nothing is retrained.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import torch
from torch import Tensor

from oldschool import paths
from oldschool.data import nettalk as corpus
from oldschool.pruning.large import DriftError, Step, prune_large
from oldschool.runs.experiment import Experiment, Frames, Scalar, Unit, blocks
from oldschool.runs.seeds import Seeds

from .nettalk import architecture, counts, measures, speech, surgeon, train
from .settings import PRECISIONS, ObsConfig


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings, nets = config.nettalk_looks, config.nettalk
    conditions: list[tuple[int, dict[str, Scalar]]] = [
        (settings.nets, {"hidden": nets.hidden, "alpha": alpha, "every": 0})
        for alpha in settings.alphas
    ]
    for hidden, replicates, everies in (
        (nets.hidden, settings.nets, settings.everies),
        (settings.small_hidden, settings.small_nets, settings.small_everies),
    ):
        conditions += [
            (replicates, {"hidden": hidden, "alpha": nets.alpha, "every": every})
            for every in everies
            if (hidden, nets.alpha, every) not in _told(conditions)
        ]
    return [
        unit
        for replicates, condition in conditions
        for unit in blocks("nettalk_looks", condition, replicates, 1)
    ]


def _told(conditions: list[tuple[int, dict[str, Scalar]]]) -> set[tuple[Scalar, ...]]:
    return {tuple(condition.values()) for _, condition in conditions}


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    hidden, alpha = int(unit.condition["hidden"]), float(unit.condition["alpha"])
    every = int(unit.condition["every"])
    how = replace(config.nettalk, hidden=hidden, targets=[1], floor=None)
    is_small = hidden != config.nettalk.hidden
    data = speech(config.data.dir)
    net = architecture(hidden)
    until = net.weights // 4 if is_small else config.nettalk_looks.until
    wanted = counts(net.weights, [], max(1, (net.weights - until) // 20), until)
    rows = []
    for replicate in unit.replicates:
        # The nets of ``nettalk`` themselves where they have as many hidden units.
        name = "nettalk_looks" if is_small else "nettalk"
        theta = train(net, data.train, how, [replicate], seeds, name).theta[0]
        kept = torch.ones(net.weights, dtype=torch.bool)
        found: dict[str, list[Step]] = {}
        reason = dict.fromkeys(PRECISIONS, "")
        for precision in PRECISIONS if every == 0 else PRECISIONS[:1]:
            found[precision] = []
            try:
                method = surgeon(data, alpha, precision)
                for step in prune_large(
                    net, theta, kept, data.train, method, wanted, every or None
                ):
                    found[precision].append(step)
            except DriftError as error:
                reason[precision] = str(error)
        for precision, steps in found.items():
            shared = [_shared(*pair) for pair in zip(steps, found[PRECISIONS[0]], strict=False)]
            apart = _first_apart(steps, found[PRECISIONS[0]])
            head = {"replicate": replicate, "hidden": hidden, "alpha": alpha, "every": every,
                    "precision": precision, "reason": reason[precision]}  # fmt: skip
            if not steps:
                rows.append({**head, "weights_left": net.weights})
            for step, same in zip(steps, shared, strict=False):
                rows.append(
                    {
                        **head,
                        "weights_left": int(step.kept.sum()),
                        "looks": step.looks,
                        "predicted": step.predicted,
                        "drift": step.drift,
                        "first_apart": apart,
                        "survivors_shared": same,
                        **measures(net, step.theta, data),
                    }
                )
    return {"nettalk_looks": pd.DataFrame(rows, columns=COLUMNS)}


COLUMNS = (
    "replicate", "hidden", "alpha", "every", "precision", "reason", "weights_left", "looks",
    "predicted", "drift", "first_apart", "survivors_shared", "train_sse", "train_phoneme",
    "train_stress", "train_dead", "test_sse", "test_phoneme", "test_stress", "test_dead",
)  # fmt: skip


def _shared(step: Step, other: Step) -> float:
    """Per cent of the weights left that the other net has left, too."""
    return 100 * float((step.kept & other.kept).sum()) / float(step.kept.sum())


def _first_apart(steps: list[Step], others: list[Step]) -> int:
    """The first deletion, from 1, at which another weight went; 0 if there is none."""
    ours, theirs = _order(steps), _order(others)
    length = min(len(ours), len(theirs))
    different = (ours[:length] != theirs[:length]).nonzero()
    return int(different[0]) + 1 if len(different) else 0


def _order(steps: list[Step]) -> Tensor:
    return torch.tensor([weight for step in steps for weight in step.deleted])


NETTALK_LOOKS = Experiment(
    name="nettalk_looks",
    code_version=1,
    settings=("nettalk", "nettalk_looks"),
    frames=("nettalk_looks",),
    plan=plan,
    run=run,
    data=lambda config: corpus.hashes(paths.data(config.data.dir)),
    # In single precision, half of a unit's rows, the residual of H^-1 is rounding itself.
    rows_apart=0.6,
)
