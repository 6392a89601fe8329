"""NETtalk: a net of thousands of weights pruned in stages, retrained between them.

Trained on the 1000 most common words, tested on all other words of the dictionary, as Sejnowski
and Rosenberg tested theirs. Magnitude pruning and OBD prune the same nets at the same counts,
with the same retraining.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import pandas as pd
import torch
from torch import Tensor

from oldschool import paths
from oldschool.curvature.sparse_inputs import ActivePairs, active_pairs, sparse_gauss_newton
from oldschool.data import nettalk as corpus
from oldschool.data.nettalk import Windows
from oldschool.data.task import Task
from oldschool.nets.mlp import Mlp
from oldschool.pruning.large import (
    LargeMagnitude,
    LargeMethod,
    LargeOptimalBrainDamage,
    LargeOptimalBrainSurgeon,
    prune_large,
)
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.objective import Objective
from oldschool.training.outcome import Trained
from oldschool.training.stochastic import stochastic_backpropagation

from .settings import NettalkSettings, ObsConfig

INPUTS, OUTPUTS = corpus.WINDOW * corpus.LETTER_CODES, len(corpus.FEATURES) + len(corpus.STRESSES)

# An output of a smaller standard deviation over the letters does not tell them apart.
DEAD = 0.02


@dataclass(frozen=True)
class Speech:
    """The two lists of words as the net sees them.

    Attributes:
        train: the common words as a task, (P, 203) and (P, 26), float64.
        train_words: the same as letters, phonemes and stresses.
        test_words: all other words.
        pairs: which inputs are on together in the training set.
    """

    train: Task
    train_words: Windows
    test_words: Windows
    pairs: ActivePairs


@lru_cache
def speech(folder: str | None) -> Speech:
    """The data, read once a process."""
    words = corpus.nettalk(paths.data(folder))
    train = words.common.task()
    return Speech(train, words.common, words.rest, active_pairs(train.x))


def architecture(hidden: int) -> Mlp:
    return Mlp((INPUTS, hidden, OUTPUTS), "logistic", "logistic")


def train(
    net: Mlp,
    task: Task,
    settings: NettalkSettings,
    replicates: Sequence[int],
    seeds: Seeds,
    name: str,
) -> Trained:
    """Nets from their starts; ``name`` is the seeds' namespace."""
    theta = net.uniform(seeds.generators(name, replicates, "weights"), settings.init)
    return backpropagation(
        Objective(net, task),
        theta,
        settings,
        settings.epochs,
        seeds.generators(name, replicates, "order"),
    )


def backpropagation(
    objective: Objective,
    theta: Tensor,
    settings: NettalkSettings,
    epochs: int,
    generators: Sequence[torch.Generator],
) -> Trained:
    """The training of the settings, for so many epochs."""
    return stochastic_backpropagation(
        objective,
        theta,
        rate=settings.rate,
        momentum=settings.momentum,
        epochs=epochs,
        batch=settings.batch,
        generators=generators,
    )


def surgeon(data: Speech, alpha: float, precision: str) -> LargeOptimalBrainSurgeon:
    """OBS with the Hessian of one-hot inputs, H^-1 in ``precision``."""
    dtype = {"float64": torch.float64, "float32": torch.float32}[precision]

    def hessian(net: Mlp, theta: Tensor, x: Tensor, kept: Tensor) -> Tensor:
        return sparse_gauss_newton(net, theta, x, data.pairs, kept, dtype)

    return LargeOptimalBrainSurgeon(alpha, hessian)


def measures(net: Mlp, theta: Tensor, data: Speech) -> dict[str, float]:
    """Errors and best guesses on both lists of words; see :func:`evaluate`."""
    return {
        f"{part}_{name}": value
        for part, words in (("train", data.train_words), ("test", data.test_words))
        for name, value in evaluate(net, theta, words).items()
    }


def evaluate(net: Mlp, theta: Tensor, words: Windows) -> dict[str, float]:
    """Measures of one net on a list of words.

    The net's outputs are computed in float32, a tenth of the time, and summed in float64: for
    the 140,209 letters of the test words.

    Returns:
        ``sse``, the summed squared error; ``phoneme`` and ``stress``, the share of best guesses
        that are right, in per cent; ``dead``, the output units that say the same to every letter.
    """
    small = theta.to(torch.float32)[None]
    (first, bias), (second, top) = ((w[0], b[0]) for w, b in net.matrices(small))
    columns = words.letters + corpus.LETTER_CODES * torch.arange(corpus.WINDOW)
    hidden = torch.nn.functional.embedding_bag(columns, first.T.contiguous(), mode="sum")
    outputs = torch.sigmoid(torch.addmm(top, torch.sigmoid(hidden + bias), second.T)).T
    phoneme, stress = corpus.best_guess(outputs[None], words)
    sse = (outputs - words.targets(torch.float32).T).square().sum(dtype=torch.float64)
    return {
        "sse": float(sse),
        "phoneme": 100 * float(phoneme),
        "stress": 100 * float(stress),
        "dead": float((outputs.std(dim=1) < DEAD).sum()),
    }


def counts(start: int, targets: list[int], step: int, floor: int) -> list[int]:
    """Weights left at which a net is measured: the targets and every ``step`` below ``start``."""
    grid = {count for count in range(floor, start, step)} | {floor}
    return sorted(grid | {target for target in targets if floor <= target < start}, reverse=True)


def plan(node: str, config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings: NettalkSettings = getattr(config, node)
    return blocks(node, {}, settings.nets, settings.block)


def run(node: str, config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings: NettalkSettings = getattr(config, node)
    data = speech(config.data.dir)
    net = architecture(settings.hidden)
    started = train(net, data.train, settings, unit.replicates, seeds, node)
    everything: dict[str, LargeMethod] = {
        "magnitude": LargeMagnitude(),
        "obd": LargeOptimalBrainDamage(levenberg_marquardt=True),
        "obs": surgeon(data, settings.alpha, settings.precision),
    }
    roads = [
        Road(net, data, settings, everything[name], replicate, theta)
        for replicate, theta in zip(unit.replicates, started.theta, strict=True)
        for name in settings.methods
        if theta.isfinite().all()  # one that diverged is a row without numbers
    ]
    for stage in range(1, len(settings.targets) + 1):
        for road in roads:
            road.prune(stage)
        if not roads:
            break
        replicates = [road.replicate for road in roads]
        again = backpropagation(
            Objective(net, data.train, mask=torch.stack([road.kept for road in roads])),
            torch.stack([road.theta for road in roads]),
            settings,
            settings.retrain_epochs,
            seeds.generators(node, replicates, f"order of stage {stage}"),
        )
        for road, theta in zip(roads, again.theta, strict=True):
            road.go_on_from(theta, stage)
    rows: list[dict[str, object]] = []
    for place, replicate in enumerate(unit.replicates):
        rows.append({"replicate": replicate, "method": "", "stage": 0, "moment": "trained",
                     "weights_left": net.weights, "looks": 0, "predicted": torch.nan,
                     "gradient_norm": float(started.gradient_norm[place]),
                     **measures(net, started.theta[place], data)})  # fmt: skip
        rows += [row for road in roads if road.replicate == replicate for row in road.rows]
    weights = [row for road in roads for row in road.connections]
    return {node: pd.DataFrame(rows), f"{node}_weights": pd.DataFrame(weights)}


@dataclass
class Road:
    """One method's way with one net from trained to its last target.

    Attributes:
        net: the architecture.
        data: the words.
        settings: stages, and how often the methods look at the net again.
        method: prunes.
        replicate: the net's id.
        theta: its weights now, (N,).
        kept: those not deleted, (N,) bool.
        rows: what was measured on the way.
        connections: what was left at the targets, see :func:`connections`.
    """

    net: Mlp
    data: Speech
    settings: NettalkSettings
    method: LargeMethod
    replicate: int
    theta: Tensor
    kept: Tensor = field(init=False)
    rows: list[dict[str, object]] = field(default_factory=list)
    connections: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept = torch.ones_like(self.theta, dtype=torch.bool)

    def prune(self, stage: int) -> None:
        """To the target of a stage, from 1; the net then stands there.

        The first and the last stage are followed beyond their targets to ``settings.floor``,
        without retraining.
        """
        settings = self.settings
        if not self.theta.isfinite().all():
            return  # diverged in the last retraining, as its row says
        target = settings.targets[stage - 1]
        every = settings.obd_every if self.method.name == "obd" else settings.every
        beyond = settings.floor if stage in (1, len(settings.targets)) else None
        floor = target if beyond is None else beyond
        wanted = counts(int(self.kept.sum()), settings.targets, settings.step, floor)
        predicted, at_target = 0.0, (self.theta, self.kept)
        for step in prune_large(
            self.net, self.theta, self.kept, self.data.train, self.method, wanted, every
        ):
            predicted += step.predicted
            row = self._row(stage, "pruned", step.theta, step.kept)
            self.rows.append(
                {**row, "looks": step.looks, "predicted": predicted, "drift": step.drift}
            )
            if row["weights_left"] == target:
                at_target = (step.theta, step.kept)
            if row["weights_left"] in settings.targets:
                self.connections += connections(self.net, step.kept, row)
        self.theta, self.kept = at_target

    def go_on_from(self, theta: Tensor, stage: int) -> None:
        """Take over the retrained weights (N,)."""
        self.theta = theta
        self.rows.append(self._row(stage, "retrained", theta, self.kept))

    def _row(self, stage: int, moment: str, theta: Tensor, kept: Tensor) -> dict[str, object]:
        return {
            "replicate": self.replicate,
            "method": self.method.name,
            "stage": stage,
            "moment": moment,
            "weights_left": int(kept.sum()),
            **measures(self.net, theta, self.data),
        }


def connections(net: Mlp, kept: Tensor, row: dict[str, object]) -> list[dict[str, object]]:
    """How many weights are left from each input code and to each output unit."""
    (below, hidden_bias), (above, bias) = ((w[0], b[0]) for w, b in net.matrices(kept[None]))
    head = {name: row[name] for name in ("replicate", "method", "stage", "weights_left")}
    letters = below.sum(0).view(corpus.WINDOW, corpus.LETTER_CODES)
    outputs = above.sum(1) + bias
    found = [
        {**head, "kind": "input", "position": position - corpus.WINDOW // 2, "code": code,
         "kept": int(letters[position, code]), "weights": len(below)}
        for position in range(corpus.WINDOW)
        for code in range(corpus.LETTER_CODES)
    ]  # fmt: skip
    found.append({**head, "kind": "hidden bias", "kept": int(hidden_bias.sum()),
                  "weights": len(below)})  # fmt: skip
    return found + [
        {**head, "kind": "output", "code": unit, "kept": int(outputs[unit]),
         "weights": above.shape[1] + 1}
        for unit in range(len(above))
    ]  # fmt: skip


def _experiment(node: str, rows_apart: float) -> Experiment:
    return Experiment(
        name=node,
        code_version=1,
        settings=(node,),
        frames=(node, f"{node}_weights"),
        plan=partial(plan, node),
        run=partial(run, node),
        data=lambda config: corpus.hashes(paths.data(config.data.dir)),
        rows_apart=rows_apart,
    )


NETTALK = _experiment("nettalk", 0.05)
# In single precision the residual of H^-1, told in every pruned row, is rounding itself, and two
# prunings of one net part: by 7 % in the training error where the processor's instructions differ.
NETTALK_LARGE = _experiment("nettalk_large", 0.95)
