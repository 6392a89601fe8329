"""What a pruning method sees of a torch module: one vector of weights, one of saliencies."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from oldschool.curvature.inverse import direct_inverse, gram
from oldschool.curvature.memory import require_memory
from oldschool.curvature.module import error_and_gradient, gauss_newton_diagonal, gradient_blocks
from oldschool.curvature.recursion import recursive_diagonal
from oldschool.data.task import Task
from oldschool.errors import UserError, require
from oldschool.nets.from_module import translate
from oldschool.nets.parameters import Parameter, flat, free_parameters
from oldschool.pruning import obd
from oldschool.pruning.large import DriftError

METHODS = ("magnitude", "obd", "obd_full", "gauss_newton", "obs")
ALPHA = 1e-4  # the largest that Hassibi & Stork name
LARGEST_RATIO = 1.0  # of what the saliencies leave out to what they take in
AGREEMENT = 0.01  # relative, of what comes of H^-1 and the same by an exact product with H


@dataclass(frozen=True)
class Seen:
    """A model as a method sees it; n weights in all, those pruned already among them, float64.

    Attributes:
        parameters: whose weights they are, one after the other.
        weights: (n,), 0 where pruned.
        kept: (n,) bool.
        error: E.
        gradient: dE/dw, (n,), 0 where pruned.
        saliency: (n,), 0 where pruned.
        first_order: dE/dw . dw of each deletion, (n,); NaN if the method leaves nothing out.
        inverse: H^-1 of the weights kept; None without one.
    """

    parameters: list[Parameter]
    weights: Tensor
    kept: Tensor
    error: float
    gradient: Tensor
    saliency: Tensor
    first_order: Tensor
    inverse: Tensor | None

    @property
    def gradient_norm(self) -> float:
        return float(self.gradient.norm())

    @property
    def ratio(self) -> float:
        left_out, taken = float(self.first_order.abs().sum()), float(self.saliency.abs().sum())
        if taken == 0.0:
            return math.inf if left_out > 0.0 else left_out
        return left_out / taken

    @property
    def warning(self) -> str | None:
        if not self.ratio > LARGEST_RATIO:
            return None
        return (
            "the model is not at a minimum of 1/(2P) sum |t - o|^2 on these data: |dE/dw| = "
            f"{self.gradient_norm:.2g}, and the first-order changes that the saliencies leave out "
            f"are {self.ratio:.2g} times as large as these; train it further on this error, or "
            'use method="magnitude"'
        )

    def pieces(self, values: Tensor) -> tuple[Tensor, ...]:
        """What belongs to each parameter of ``values``, (n,)."""
        return torch.split(values, [one.leaf.numel() for one in self.parameters])


def look(model: nn.Module, x: Tensor, t: Tensor, method: str, alpha: float) -> Seen:
    """See :func:`oldschool.pruning.module.saliencies` for arguments and errors."""
    require(method in METHODS, "method", method, f"must be one of {', '.join(METHODS)}")
    require(alpha > 0, "alpha", alpha, "must be above 0")
    parameters = free_parameters(model)
    weights = flat([one.value for one in parameters]).double()
    kept = flat([one.kept for one in parameters])
    error, gradient = error_and_gradient(model, parameters, x, t)
    gradient = gradient.double()
    inverse = None
    if method == "magnitude":
        saliency = weights.abs()
        first = torch.full_like(weights, torch.nan)
    elif method == "obs":
        inverse = _inverse(model, parameters, kept, x, alpha)
        variance, w = inverse.diagonal(), weights[kept]
        saliency, first = torch.zeros_like(weights), torch.zeros_like(weights)
        saliency[kept] = w * w / (2 * variance)
        first[kept] = -w * (inverse @ gradient[kept]) / variance
    else:
        if method == "gauss_newton":
            diagonal = gauss_newton_diagonal(model, parameters, x)
        else:
            diagonal = _recursion(model, parameters, x, t, full=method == "obd_full")
        saliency = obd.saliency(weights, diagonal.double())
        first = -gradient * weights
    if not (math.isfinite(error) and bool(saliency.isfinite().all())):
        raise UserError(f"E = {error:g} on these data, or a saliency, is not a finite number")
    return Seen(parameters, weights, kept, error, gradient, saliency, first, inverse)


def _recursion(
    model: nn.Module, parameters: Sequence[Parameter], x: Tensor, t: Tensor, full: bool
) -> Tensor:
    """h_kk by Optimal Brain Damage's recursion, (n,)."""
    found = translate(model, tuple(x.shape[1:]))
    task = Task(x.flatten(1), t.flatten(1))
    h = recursive_diagonal(found.net, found.theta, task, levenberg_marquardt=not full).diagonal[0]
    values = found.by_parameter(h)
    # A tied parameter has the sum over its places, as any shared weight.
    return flat(
        [
            sum((values[name] for name in one.names), torch.zeros_like(one.leaf.detach()))
            for one in parameters
        ]
    )


def _inverse(
    model: nn.Module, parameters: Sequence[Parameter], kept: Tensor, x: Tensor, alpha: float
) -> Tensor:
    """H^-1 of the weights kept, float64, both triangles."""
    count = int(kept.sum())
    if count == 0:
        return torch.empty(0, 0, dtype=torch.float64, device=kept.device)
    # H itself, and what its inversion takes beside: said before the gradients are computed.
    require_memory("Optimal Brain Surgeon", count, torch.float64, 2.0, kept.device)
    inverse = direct_inverse(gram(rows(model, parameters, kept, x), count, len(x)), alpha)
    vector = torch.ones(count, dtype=inverse.dtype, device=inverse.device)
    vector[1::2] = -1.0
    moved = inverse @ vector
    back = alpha * moved
    for block in rows(model, parameters, kept, x):
        back += block.T @ (block @ moved) / len(x)
    # H is exact in this product, so that it sees the rounding of H^-1; NaN is a failure, too.
    exact = bool((back - vector).norm() <= AGREEMENT * vector.norm())
    if not (exact and bool((inverse.diagonal() > 0).all())):
        raise drifted(alpha)
    return inverse


def rows(
    model: nn.Module, parameters: Sequence[Parameter], kept: Tensor, x: Tensor
) -> Iterator[Tensor]:
    """X^T of the weights kept, block by block, float64."""
    for block in gradient_blocks(model, parameters, x):
        yield block[:, kept].double()


def drifted(alpha: float) -> DriftError:
    """H^-1 has lost its digits."""
    return DriftError(f"H^-1 at alpha={alpha:g} is no inverse: take a larger alpha")
