"""Figs 1a and 1b: weights deleted on one look at the net, without retraining.

Every method deletes from the same nets. For OBD what was foreseen stands beside what came, and
beside it the two approximations that the paper makes before the diagonal one: that the net is at
a minimum, and that the error is quadratic.
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from oldschool.curvature.jets import exact_diagonals
from oldschool.curvature.product import gauss_newton_product
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data.task import Task
from oldschool.nets.stack import Stack
from oldschool.pruning import obd
from oldschool.pruning.large import LargeOptimalBrainSurgeon
from oldschool.pruning.rounds import (
    LeastFirst,
    Pruning,
    RoundMethod,
    Surgery,
    magnitude,
    obd_lm_saliency,
    obd_saliency,
    random_score,
)
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds

from .digits import Digits, digits, measures, sources, weights_of
from .nets import small_net
from .settings import PRECISIONS, ObdConfig

# What other approximations foresee of OBD's deletions, see :func:`_terms`.
TERMS = ("first_order", "quadratic", "output_layer", "as_bias")


def plan(config: ObdConfig, earlier: Frames) -> list[Unit]:
    settings = config.deletion
    nets = min(settings.nets, config.digits.nets)
    others = [alpha for alpha in settings.other_alphas if alpha != settings.alpha]
    ways = [(method, settings.alpha, nets) for method in settings.methods if method == "obs"]
    ways += [("obs", alpha, min(settings.other_nets, nets)) for alpha in others if ways]
    return [
        unit
        for method in settings.methods
        if method != "obs"
        for unit in blocks("deletion", {"method": method}, nets, nets)
    ] + [
        unit
        for method, alpha, count in ways
        for unit in blocks("deletion", {"method": method, "alpha": alpha}, count, settings.block)
    ]


def pruner(name: str, config: ObdConfig, unit: Unit, seeds: Seeds) -> RoundMethod:
    """The method of a unit."""
    settings = config.deletion

    def exact(net: Stack, theta: Tensor, task: Task) -> Tensor:
        seen = Task(task.x[: settings.exact_samples], task.t[: settings.exact_samples])
        return torch.stack([obd.saliency(w, exact_diagonals(net, w, seen).hessian) for w in theta])

    if name == "obs":
        alpha = float(unit.condition["alpha"])
        return Surgery(LargeOptimalBrainSurgeon(alpha), settings.obs_samples)
    return {
        "magnitude": LeastFirst("magnitude", magnitude, foresees=False),
        "obd": LeastFirst("obd", obd_saliency),
        "obd_lm": LeastFirst("obd_lm", obd_lm_saliency),
        "obd_exact": LeastFirst("obd_exact", exact),
        "random": LeastFirst(
            "random",
            random_score(seeds.generators("deletion", unit.replicates, "random order")),
            foresees=False,
        ),
    }[name]


def run(config: ObdConfig, unit: Unit, seeds: Seeds, inputs: Frames) -> Frames:
    settings, dtype = config.deletion, PRECISIONS[config.digits.precision]
    net, data = small_net(config.digits.unit), digits(28, dtype)
    theta = weights_of(inputs["digit_weights"], dtype)
    method = pruner(str(unit.condition["method"]), config, unit, seeds)
    whole = Pruning(
        theta, torch.ones_like(theta, dtype=torch.bool), torch.zeros(len(theta)).double()
    )
    counts = [net.weights - count for count in settings.deleted]
    path = [whole, *method.prune(net, theta, whole.kept, data.train, counts)]
    terms: dict[str, list[list[float]]] = {}
    if method.name == "obd":
        terms = _terms(net, theta, path, data, settings.quadratic_samples)
    nothing = [[torch.nan] * len(theta)] * len(path)
    rows, layers = [], []
    for step, at in enumerate(path):
        deleted = 0 if step == 0 else settings.deleted[step - 1]
        lead = {
            "method": method.name,
            "alpha": unit.condition.get("alpha", torch.nan),
            "replicate": list(unit.replicates),
            "deleted": deleted,
        }
        rows.append(
            pd.DataFrame(
                {
                    **lead,
                    **measures(net, at.theta, data),
                    # E = 1/(2P) sum |t - o|^2 in units of the mean over the ten outputs
                    "foreseen": (at.predicted * 2 / net.outputs_count).tolist(),
                    **{name: terms.get(name, nothing)[step] for name in TERMS},
                }
            )
        )
        for depth, layer in enumerate(net.layers):
            inside = net.layer_of == depth
            left = at.kept[:, inside].sum(1).tolist()
            layers.append(
                pd.DataFrame({**lead, "layer": layer.name, "left": left, "of": int(inside.sum())})
            )
    return {
        "deletion": pd.concat(rows, ignore_index=True),
        "deletion_layers": pd.concat(layers, ignore_index=True),
    }


def _terms(
    net: Stack, theta: Tensor, path: list[Pruning], data: Digits, samples: int
) -> dict[str, list[list[float]]]:
    """What other approximations foresee of the same deletions, in units of the mean square.

    Returns:
        A value a net at each step of ``first_order``, g . dw, which the extremal approximation
        drops; ``quadratic``, 1/2 dw^T H dw with the whole Gauss-Newton matrix; ``output_layer``,
        the same of the deletions in the output layer alone; and ``as_bias``, what of that is the
        mean over digits of the change of each output unit's net input.
    """
    gradient = recursive_diagonal(net, theta, data.train).gradient
    seen, scale = data.train.x[:samples], 2 / net.outputs_count
    found: dict[str, list[list[float]]] = {name: [] for name in TERMS}
    layer = net.layers[-1]
    slope, below = _last_layer(net, theta, seen)
    for at in path:
        change = at.theta - theta
        found["first_order"].append((scale * (gradient * change).sum(1)).tolist())
        found["quadratic"].append(
            [
                scale * 0.5 * float(dw @ gauss_newton_product(net, w, seen, dw))
                for w, dw in zip(theta, change, strict=True)
            ]
        )
        moved = layer.scheme.forward(change[:, layer.weights], change[:, layer.biases], below)
        for name, shift in (("output_layer", moved), ("as_bias", moved.mean(2, keepdim=True))):
            squares = (slope * shift).square().sum((1, 2)) / len(seen)
            found[name].append((scale * 0.5 * squares).tolist())
    return found


def _last_layer(net: Stack, theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Slopes of the output units, (R, 10, P), and what the output layer reads, (R, units, P)."""
    parts = [net.forward(theta, part) for part in torch.split(x, 16)]
    slope = torch.cat([net.layers[-1].transfer.slope(part.outputs) for part in parts], dim=2)
    return slope, torch.cat([part.columns[-1] for part in parts], dim=2)


DELETION = Experiment(
    name="deletion",
    code_version=2,
    settings=("digits", "deletion"),
    frames=("deletion", "deletion_layers"),
    plan=plan,
    run=run,
    data=sources,
    needs=("digits",),
    reads=("digit_weights",),
    rows_apart=1.0,  # single precision, and the nets themselves are of one machine
)
