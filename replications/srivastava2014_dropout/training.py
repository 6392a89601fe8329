"""Feed-forward nets of all experiments: what is done to them, and how they are trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from oldschool.dropout.network import Architecture, Parameters, fan_in_sds, fan_out_sds
from oldschool.dropout.noise import Kind
from oldschool.dropout.penalties import Penalties
from oldschool.dropout.predict import wrong
from oldschool.dropout.schedules import InverseDecay, Saturating
from oldschool.dropout.settings import Settings
from oldschool.dropout.train import Trainer
from oldschool.runs import checkpoint
from oldschool.runs.experiment import Unit
from oldschool.runs.seeds import Seeds

from .digits import Digits
from .settings import RecipeSettings, ScheduleConfig

INPUTS, CLASSES = 784, 10
_FIRST = 0.001  # of the authors' first layer


@dataclass(frozen=True)
class Way:
    """What is done against overfitting.

    Attributes:
        keep: p of the inputs and of every hidden layer; None for no noise.
        noise: its kind.
        max_norm: c; None for none.
        penalties: weight decay and others.
    """

    keep: tuple[float, ...] | None = None
    noise: Kind = "bernoulli"
    max_norm: float | None = None
    penalties: Penalties = field(default_factory=Penalties)


def way(recipe: RecipeSettings, name: str, layers: int) -> Way:
    """The ways that several experiments share.

    Args:
        recipe: their strengths.
        name: ``none``, ``dropout`` or ``dropout_max_norm``.
        layers: of weights.
    """
    if name == "none":
        return Way(penalties=Penalties(l2=recipe.l2))
    plain = Way((recipe.keep_input, *[recipe.keep] * (layers - 1)))
    if name == "dropout":
        return replace(plain, penalties=Penalties(l2=recipe.l2_dropout))
    return replace(plain, max_norm=recipe.max_norm)


def device_of(recipe: RecipeSettings) -> torch.device:
    """Where nets are trained."""
    if recipe.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(recipe.device)


def start(
    net: Architecture, recipe: RecipeSettings, unit: Unit, seeds: Seeds, device: torch.device
) -> Parameters:
    """Starting weights, the same for every condition and experiment with these sizes."""
    sds = fan_in_sds(net.sizes, 2**0.5)
    if recipe.start == "authors":
        sds = fan_out_sds(net.sizes, (_FIRST, *[1.0] * (net.layers - 1)))
    sizes = "-".join(map(str, net.sizes))
    generators = seeds.generators("dropout", unit.replicates, "weights", sizes=sizes)
    return net.gaussian(generators, sds).to(device)


def course(schedule: ScheduleConfig, updates: int) -> tuple[InverseDecay, Saturating]:
    """Rate and momentum of a training of so many updates."""
    rate = InverseDecay(schedule.rate, schedule.rate_tau * updates)
    start, end = schedule.momentum_start, schedule.momentum_end
    return rate, Saturating(start, end, schedule.momentum_tau * updates)


def settings_of(recipe: RecipeSettings, done: Way, updates: int) -> Settings:
    """Training by the recipe; nets with dropout or max-norm have a schedule of their own."""
    restrained = done.keep is not None or done.max_norm is not None
    rate, momentum = course(recipe.dropout if restrained else recipe.plain, updates)
    return Settings(
        rate=rate,
        momentum=momentum,
        keep=done.keep,
        noise=done.noise,
        max_norm=done.max_norm,
        penalties=done.penalties,
        batch=recipe.batch,
    )


def train(
    net: Architecture,
    recipe: RecipeSettings,
    done: Way,
    data: Digits,
    updates: int,
    unit: Unit,
    seeds: Seeds,
    *,
    parameters: Parameters | None = None,
    members: Tensor | None = None,
    every: int = 0,
    measure: Callable[[Trainer], list[dict[str, Any]]] | None = None,
) -> tuple[Trainer, list[dict[str, Any]]]:
    """Train the nets of a unit, from their last checkpoint if there is one.

    Args:
        net: the architecture.
        recipe: how nets are trained.
        done: what is done against overfitting.
        data: the digits; nets see the first ``recipe.digits``, or ``members``.
        updates: how many.
        unit: its replicates are the nets.
        seeds: of the run; nets of one replicate share start and order.
        parameters: to start from; None for :func:`start`.
        members: (R, M), numbers of each net's own training digits.
        every: measure whenever this divides the updates made; 0 for the end alone.
        measure: what is measured, as rows.

    Returns:
        The trainer at the end, and all rows measured.
    """
    streams = [seeds.seed("dropout", replicate, "course") for replicate in unit.replicates]
    x, y = data.train_x, data.train_y
    if members is None:
        x, y = x[: recipe.digits], y[: recipe.digits]
    if parameters is None:
        parameters = start(net, recipe, unit, seeds, x.device)
    trainer = Trainer(
        net,
        parameters,
        x,
        y,
        settings_of(recipe, done, updates),
        streams,
        members,
    )
    rows: list[dict[str, Any]] = []
    saved = checkpoint.load(x.device)
    if saved is not None:
        trainer.load_state_dict(saved["trainer"])
        rows = saved["rows"]

    def watch(at: Trainer) -> None:
        due = at.step == updates or (every and at.step % every == 0)
        if due and measure is not None:
            rows.extend(measure(at))
        if at.step < updates:
            checkpoint.save(lambda: {"trainer": at.state_dict(), "rows": rows}, x.device)

    trainer.run(updates, every=every or checkpoint.LOOK, watch=watch)
    return trainer, rows


def errors(
    net: Architecture, parameters: Parameters, data: Digits, seen: Tensor | int
) -> dict[str, list[Any]]:
    """How R nets do, with weights as they are to be used.

    Args:
        net: the architecture.
        parameters: R nets.
        data: the digits.
        seen: training digits, so many from the first, or (R, M) numbers.

    Returns:
        ``test_wrong``, test digits; ``test_error`` and ``train_error`` in %; and ``diverged``.
    """
    found = test_errors(net, parameters, data)
    if isinstance(seen, int):
        count = wrong(net, parameters, data.train_x[:seen], data.train_y[:seen]).cpu()
        share = count.double() / seen
    else:
        counts = [
            int(wrong(net, parameters.nets([k]), data.train_x[few], data.train_y[few])[0])
            for k, few in enumerate(seen)
        ]
        share = torch.tensor(counts).double() / seen.shape[1]
    return {
        "test_wrong": found["test_wrong"],
        "test_error": found["test_error"],
        "train_error": (100 * share).tolist(),
        "diverged": found["diverged"],
    }


def test_errors(net: Architecture, parameters: Parameters, data: Digits) -> dict[str, list[Any]]:
    """The same without the training digits."""
    count = wrong(net, parameters, data.test_x, data.test_y).cpu()
    finite = torch.stack([one.flatten(1).isfinite().all(1) for one in parameters.tensors]).all(0)
    return {
        "test_wrong": count.tolist(),
        "test_error": (100 * count.double() / len(data.test_y)).tolist(),
        "diverged": (~finite).tolist(),
    }


def classifier(hidden: Sequence[int], units: str = "relu") -> Architecture:
    """A net for the digits with these hidden layers."""
    return Architecture((INPUTS, *hidden, CLASSES), units)
