"""XOR (sections 4-5, Figs 3-5): which weight each method deletes, and whether it was right.

Every random start that reaches a minimum has each of its nine weights deleted in turn and the
pruned net retrained several times, so that the weights that may go are known by trial. A
method is right at a minimum if the weight it picks is one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from oldschool.curvature.gauss_newton import gauss_newton, output_gradients
from oldschool.data.task import Task
from oldschool.data.xor import xor
from oldschool.nets.error import squared_error
from oldschool.nets.mlp import Mlp
from oldschool.pruning.choice import Method
from oldschool.pruning.magnitude import Magnitude
from oldschool.pruning.obd import OptimalBrainDamage
from oldschool.pruning.obs import OptimalBrainSurgeon
from oldschool.pruning.stop import accuracy
from oldschool.runs.experiment import Experiment, Frames, Unit, blocks
from oldschool.runs.seeds import Seeds
from oldschool.training.momentum import backpropagation
from oldschool.training.objective import Objective
from oldschool.training.outcome import Trained
from oldschool.training.second_order import damped_newton, to_minimum

from .settings import ObsConfig, XorSettings

# The paper's names in the order of the net's weights: u to the hidden units (index 3 the
# bias), v to the output (index 3 the bias).
WEIGHTS = ("u11", "u12", "u21", "u22", "u13", "u23", "v1", "v2", "v3")
HIDDEN_BIASES = ("u13", "u23")


@dataclass(frozen=True)
class SetUp:
    """A transfer function and a pair of targets, which the paper leaves open."""

    unit: str
    low: float
    high: float

    @property
    def net(self) -> Mlp:
        return Mlp((2, 2, 1), self.unit, self.unit)

    @property
    def task(self) -> Task:
        return xor(self.low, self.high)

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    @property
    def scale(self) -> float:
        """Squared distance of the targets: errors are compared in this unit."""
        return (self.high - self.low) ** 2

    @property
    def reachable(self) -> bool:
        """Whether finite weights reach the targets exactly."""
        return self.high < 1


SET_UPS = {
    "logistic 0/1": SetUp("logistic", 0.0, 1.0),
    "logistic 0.1/0.9": SetUp("logistic", 0.1, 0.9),
    "tanh -1/1": SetUp("tanh", -1.0, 1.0),
    "tanh -0.8/0.8": SetUp("tanh", -0.8, 0.8),
}


def solved(set_up: SetUp, theta: Tensor) -> Tensor:
    """(R,) bool: all four patterns on the right side of the middle."""
    outputs = set_up.net.outputs(theta, set_up.task.x)
    return accuracy(outputs, set_up.task.t, set_up.middle) == 1


def error(set_up: SetUp, theta: Tensor) -> Tensor:
    """E in units of the squared distance of the targets, (R,)."""
    return squared_error(set_up.net.outputs(theta, set_up.task.x), set_up.task.t) / set_up.scale


def train(
    settings: XorSettings,
    set_up: SetUp,
    decay: float,
    replicates: range,
    seeds: Seeds,
    stop_error: float | None = None,
) -> tuple[Trained, Tensor]:
    """Trains one net a replicate; the same nets for every method and every alpha.

    Args:
        settings: of the experiment.
        set_up: transfer function and targets.
        decay: weight decay.
        replicates: ids of the starts.
        seeds: of the run.
        stop_error: in place of ``settings.stop_error``.

    Returns:
        The trained nets, and (R,) bool: which of them solve XOR at a minimum.
    """
    how = settings.training
    net = set_up.net
    theta = net.uniform(seeds.generators("xor", replicates, "weights"), how.init)
    objective = Objective(net, set_up.task, decay)
    start = backpropagation(
        objective, theta, rate=how.rate, momentum=how.momentum, epochs=how.epochs
    )
    # Targets out of reach put the minimum at infinity: there an error ends the training.
    ends_by_error = decay == 0 and not set_up.reachable
    wanted = settings.stop_error if stop_error is None else stop_error
    stop = wanted * set_up.scale if ends_by_error else 0.0
    trained = to_minimum(
        objective,
        start.theta,
        iterations=how.iterations,
        newton_iterations=how.newton_iterations,
        gradient_tolerance=how.gradient_tolerance,
        stop_error=stop,
    )
    at_minimum = trained.gradient_norm <= how.gradient_tolerance
    if ends_by_error:
        at_minimum = trained.error <= stop
    return trained, solved(set_up, trained.theta) & at_minimum & ~trained.diverged


def hidden_functions(set_up: SetUp, theta: Tensor) -> list[str]:
    """What the two hidden units compute, each up to its complement, such as ``AND+OR``."""
    hidden = set_up.net.activities(theta, set_up.task.x)[1]
    tables = hidden > set_up.net.layers[0].transfer.f(torch.zeros(()))
    tables = tables ^ tables[:, :, :1]  # a complement is the same solution: f(0,0) is false
    names = {
        "0000": "constant",
        "0001": "AND",
        "0010": "a>b",
        "0011": "a",
        "0100": "b>a",
        "0101": "b",
        "0110": "XOR",
        "0111": "OR",
    }
    found = []
    for pair in tables.tolist():
        found.append("+".join(sorted(names["".join("01"[bit] for bit in unit)] for unit in pair)))
    return found


def canonical(set_up: SetUp, theta: Tensor) -> Tensor:
    """The same nets (R, 9) with the symmetries of the architecture taken out.

    A hidden unit may be turned into its complement (its weights change sign, and so does its
    weight to the output; a logistic unit's old one goes to the output bias), and the two may
    change places. Of these equal nets the one is taken whose units have positive weights from
    the first input, ordered by them.
    """
    nets = theta.clone()
    for unit in ("1", "2"):
        into = [WEIGHTS.index(f"u{unit}{source}") for source in "123"]
        out, bias = WEIGHTS.index(f"v{unit}"), WEIGHTS.index("v3")
        turn = nets[:, into[0]] < 0
        if set_up.unit == "logistic":
            nets[:, bias] += torch.where(turn, nets[:, out], 0.0)
        sign = torch.where(turn, -1.0, 1.0)
        nets[:, [*into, out]] *= sign[:, None]
    swap = nets[:, WEIGHTS.index("u11")] > nets[:, WEIGHTS.index("u21")]
    order = ["u21", "u22", "u11", "u12", "u23", "u13", "v2", "v1", "v3"]
    swapped = nets[:, [WEIGHTS.index(name) for name in order]]
    return torch.where(swap[:, None], swapped, nets)


def relearn(
    settings: XorSettings, set_up: SetUp, decay: float, theta: Tensor, noise: list[torch.Generator]
) -> tuple[Tensor, Tensor]:
    """Deletes each weight of each net in turn and retrains, several attempts each.

    Args:
        settings: of the experiment.
        set_up: transfer function and targets.
        decay: weight decay of the retraining, that of the training.
        theta: minima (R, 9).
        noise: a generator a net.

    A net has relearned XOR if all four patterns are right and, without decay, its error is zero
    again (``settings.zero_error``): an output near the middle is no solution.

    Returns:
        The attempt that solved XOR, counted from 1, 0 for none, (R, 9); and the least error
        of all attempts, in units of the squared distance of the targets, (R, 9).
    """
    nets, count = theta.shape
    mask = ~torch.eye(count, dtype=torch.bool).repeat(nets, 1)
    left = theta.repeat_interleave(count, dim=0) * mask
    attempt_that_solved = torch.zeros(nets * count, dtype=torch.int64)
    least = torch.full((nets * count,), torch.inf, dtype=theta.dtype)
    for attempt in range(1, settings.relearn_attempts + 1):
        todo = (attempt_that_solved == 0).nonzero()[:, 0]
        start = left
        if attempt > 1:
            draws = [torch.randn(count, count, generator=g, dtype=theta.dtype) for g in noise]
            start = (left + settings.relearn_noise * torch.cat(draws)) * mask
        retrained = damped_newton(
            Objective(set_up.net, set_up.task, decay, mask[todo]),
            start[todo],
            iterations=settings.relearn_iterations,
            gradient_tolerance=settings.training.gradient_tolerance,
            stop_error=settings.stop_error * set_up.scale,
        )
        learned = solved(set_up, retrained.theta)
        if decay == 0:
            learned &= retrained.error <= settings.zero_error * set_up.scale
        attempt_that_solved[todo[learned]] = attempt
        least[todo] = torch.minimum(least[todo], retrained.error / set_up.scale)
    return attempt_that_solved.view(nets, count), least.view(nets, count)


def methods(alphas: list[float]) -> list[tuple[Method, float]]:
    """Every method with its alpha, NaN where it has none."""
    return [
        (Magnitude(), torch.nan),
        (OptimalBrainDamage(), torch.nan),
        (OptimalBrainDamage(levenberg_marquardt=True, name="obd_lm"), torch.nan),
        *[(OptimalBrainSurgeon(alpha), alpha) for alpha in alphas],
    ]


def plan(config: ObsConfig, earlier: Frames) -> list[Unit]:
    settings = config.xor
    return [
        unit
        for set_up in SET_UPS
        for decay in settings.decays
        for unit in blocks(
            "xor", {"set_up": set_up, "decay": decay}, settings.starts, settings.block
        )
    ]


def run(config: ObsConfig, unit: Unit, seeds: Seeds) -> Frames:
    settings = config.xor
    name, decay = str(unit.condition["set_up"]), float(unit.condition["decay"])
    set_up = SET_UPS[name]
    trained, minimum = train(settings, set_up, decay, unit.replicates, seeds)
    head = {"set_up": name, "decay": decay}

    right_side = solved(set_up, trained.theta)
    status = [
        "diverged" if bad else "minimum" if ok else "not at a minimum" if right else "not solved"
        for bad, ok, right in zip(
            trained.diverged.tolist(), minimum.tolist(), right_side.tolist(), strict=True
        )
    ]
    hessian = gauss_newton(output_gradients(set_up.net, trained.theta, set_up.task.x))
    squares = hessian.square()
    on_diagonal = squares.diagonal(dim1=1, dim2=2).sum(1) / squares.sum((1, 2))
    starts = pd.DataFrame(
        {
            **head,
            "replicate": list(unit.replicates),
            "status": status,
            "error": trained.error / set_up.scale,
            "gradient_norm": trained.gradient_norm,
            "hidden": hidden_functions(set_up, trained.theta),
            "off_diagonal": 1 - on_diagonal,
            **{weight: trained.theta[:, k] for k, weight in enumerate(WEIGHTS)},
        }
    )

    theta = trained.theta[minimum]
    replicates = [r for r, ok in zip(unit.replicates, minimum.tolist(), strict=True) if ok]
    noise = seeds.generators("xor", replicates, "relearn", set_up=name, decay=decay)
    attempt, least = relearn(settings, set_up, decay, theta, noise)
    deletions = pd.DataFrame(
        {
            **head,
            "replicate": pd.Series(replicates, dtype="int64").repeat(len(WEIGHTS)).to_numpy(),
            "weight": list(WEIGHTS) * len(replicates),
            "attempt": attempt.flatten(),
            "least_error": least.flatten(),
        }
    )

    kept = torch.ones_like(theta, dtype=torch.bool)
    rows = []
    for method, alpha in methods(settings.alphas):
        choice = method.choose(set_up.net, theta, set_up.task, kept, kept)
        after = theta + choice.change
        rows.append(
            pd.DataFrame(
                {
                    **head,
                    "replicate": replicates,
                    "method": method.name,
                    "alpha": alpha,
                    "weight": [WEIGHTS[k] for k in choice.weight.tolist()],
                    "relearns": attempt.gather(1, choice.weight[:, None])[:, 0] > 0,
                    "solved": solved(set_up, after),
                    "zero": error(set_up, after) <= settings.zero_error,
                    "predicted": choice.predicted / set_up.scale,
                    "error": error(set_up, after),
                }
            )
        )
    return {
        "xor": pd.concat(rows, ignore_index=True),
        "xor_starts": starts,
        "xor_deletions": deletions,
    }


XOR = Experiment(
    name="xor",
    code_version=1,
    settings=("xor",),
    frames=("xor", "xor_starts", "xor_deletions"),
    plan=plan,
    run=run,
    data=lambda config: {name: set_up.task.sha256() for name, set_up in SET_UPS.items()},
    # Without decay minima are no points but surfaces: rounding decides where on them a net ends.
    rows_apart=0.2,
)
