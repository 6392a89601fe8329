"""Pruning a torch module of your own, by the masks of torch.nn.utils.prune.

    report = prune_module(model, x, t, share=0.3)
    print(report)

The error is E = 1/(2P) sum |t - o|^2 over the P samples given, in evaluation mode. Methods:

    magnitude     |w|, for any module
    obd           h_kk w^2 / 2 by Optimal Brain Damage's recursion (LeCun, Denker & Solla 1989) in
                  its Levenberg-Marquardt form, for a Sequential of the layers that
                  :func:`oldschool.nets.from_module.translate` knows
    obd_full      the same with the f'' terms; away from a minimum many saliencies are negative
    gauss_newton  h_kk w^2 / 2, h_kk the exact diagonal of the Gauss-Newton matrix, for any module
    obs           w^2 / (2 [H^-1]_kk), and the other weights move (Optimal Brain Surgeon, Hassibi &
                  Stork 1992), H = 1/P sum X X^T + alpha I of all weights, for any module; H is
                  computed once a call, so that several calls with rising shares look anew
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from oldschool.curvature.downdate import ShrinkingInverse
from oldschool.curvature.module import error_of
from oldschool.errors import require
from oldschool.nets.parameters import flat
from oldschool.pruning.look import AGREEMENT, ALPHA, Seen, drifted, look, rows
from oldschool.pruning.obs import excise


class NotAtMinimumWarning(UserWarning):
    """First-order terms that the saliencies leave out are larger than the saliencies."""


@dataclass(frozen=True)
class Saliencies:
    """What each weight is worth, before any goes.

    Attributes:
        method: what they are.
        values: for each parameter, by its dotted name, a float64 tensor of its shape; 0 where it
            is pruned already.
        error: E.
        gradient_norm: |dE/dw|, of the weights not pruned; 0 at a minimum.
        ratio: sum of |first-order change| over sum of |saliency|, the first-order change of a
            weight being dE/dw . dw for the dw that deletes it: -w alone, for ``obs`` with the
            moves of the others. Neither the units of E nor those of any weight matter to it (but
            for the alpha of ``obs``). Above ``LARGEST_RATIO`` = 1 a :class:`NotAtMinimumWarning`
            is given, as what is left out is then more than what is kept; NaN for ``magnitude``,
            which leaves nothing out.
    """

    method: str
    values: dict[str, Tensor]
    error: float
    gradient_norm: float
    ratio: float


@dataclass(frozen=True)
class Pruned:
    """What :func:`prune_module` has done.

    Attributes:
        method: by which method.
        deleted: how many weights this call deleted in each parameter.
        left: how many are left in it.
        predicted: rise of E that the method predicts, the sum of the saliencies at each deletion;
            NaN for ``magnitude``.
        first_order: dE/dw . dw of the whole change, which the prediction leaves out.
        error: E before.
        error_after: E after.
        gradient_norm: see :class:`Saliencies`.
        ratio: see :class:`Saliencies`.
        warning: the line of the :class:`NotAtMinimumWarning`, if there was one.
    """

    method: str
    deleted: dict[str, int]
    left: dict[str, int]
    predicted: float
    first_order: float
    error: float
    error_after: float
    gradient_norm: float
    ratio: float
    warning: str | None

    def __str__(self) -> str:
        gone, left = sum(self.deleted.values()), sum(self.left.values())
        lines = [
            f"{self.method}: {gone} of {gone + left} weights deleted, E {self.error:.4g} -> "
            f"{self.error_after:.4g}, predicted rise {self.predicted:.3g}, "
            f"actual {self.error_after - self.error:.3g}, |dE/dw| {self.gradient_norm:.2g}",
            *(
                f"  {name}: {count} deleted, {self.left[name]} left"
                for name, count in self.deleted.items()
            ),
        ]
        return "\n".join(lines)


def saliencies(
    model: nn.Module, x: Tensor, t: Tensor, method: str = "obd", *, alpha: float = ALPHA
) -> Saliencies:
    """The saliency of every weight of a module that requires a gradient.

    Args:
        model: takes (P, ...) and gives a float tensor with P first; not changed.
        x: samples, as the model takes them.
        t: targets, float, of the shape of the outputs.
        method: one of :data:`oldschool.pruning.look.METHODS`.
        alpha: of ``obs``.

    Raises:
        ConfigError: there is no such method, or alpha is not positive.
        NoRuleError: ``obd`` and ``obd_full``: there is no rule for a layer, which is named.
        UnmaskableError: torch.nn.utils.prune could not mask the module.
        DoesNotFitError: ``obs``: H would not fit into memory.
        DriftError: ``obs``: alpha is too small.
        UserError: E or a saliency is not finite.
        ValueError: targets or inputs do not fit the model.
    """
    seen = look(model, x, t, method, alpha)
    if seen.warning:
        warnings.warn(seen.warning, NotAtMinimumWarning, stacklevel=2)
    shaped = [
        piece.view(one.leaf.shape)
        for one, piece in zip(seen.parameters, seen.pieces(seen.saliency), strict=True)
    ]
    values = {one.name: piece for one, piece in zip(seen.parameters, shaped, strict=True)}
    return Saliencies(method, values, seen.error, seen.gradient_norm, seen.ratio)


def prune_module(
    model: nn.Module,
    x: Tensor,
    t: Tensor,
    share: float = 0.3,
    method: str = "obd",
    *,
    biases: bool = True,
    alpha: float = ALPHA,
) -> Pruned:
    """Delete the weights of least saliency, by masks of torch.nn.utils.prune.

    An optimizer made before goes on with the same parameters, deleted weights stay 0 in
    retraining, and torch.nn.utils.prune.remove makes the zeros ordinary ones.

    Args:
        model: as for :func:`saliencies`; changed in place.
        x: samples, as the model takes them.
        t: targets, float, of the shape of the outputs.
        share: of the prunable weights, how many are to be deleted in the end, 0 to 1; those that
            masks delete already count, so that 0.3, retraining, then 0.5 goes on from 30 % to 50 %.
        method: one of :data:`oldschool.pruning.look.METHODS`.
        biases: whether parameters whose name ends in "bias" are prunable, too.
        alpha: of ``obs``.

    Raises:
        As for :func:`saliencies`; the model is then as it was.
    """
    require(0 <= share <= 1, "share", share, "must be from 0 to 1")
    seen = look(model, x, t, method, alpha)
    if seen.warning:
        warnings.warn(seen.warning, NotAtMinimumWarning, stacklevel=2)
    may_go = [torch.full_like(one.kept, biases or not one.is_bias) for one in seen.parameters]
    prunable = flat(may_go)
    count = round(share * int(prunable.sum())) - int((prunable & ~seen.kept).sum())
    delete = _delete if seen.inverse is None else _operate
    weights, gone, predicted = delete(seen, prunable & seen.kept, max(0, count))
    if seen.inverse is not None:
        _check_prediction(model, x, seen, weights, predicted, alpha)
    _apply(seen, weights, gone)
    names = [one.name for one in seen.parameters]
    deleted, left = (
        {name: int(piece.sum()) for name, piece in zip(names, seen.pieces(which), strict=True)}
        for which in (gone, seen.kept & ~gone)
    )
    return Pruned(
        method,
        deleted,
        left,
        predicted,
        float(seen.gradient @ (weights - seen.weights)),
        seen.error,
        error_of(model, x, t),
        seen.gradient_norm,
        seen.ratio,
        seen.warning,
    )


def _delete(seen: Seen, candidates: Tensor, count: int) -> tuple[Tensor, Tensor, float]:
    """The least salient go, the others stay: weights (n,), which went (n,), predicted rise."""
    index = candidates.nonzero()[:, 0]
    least = index[seen.saliency[index].argsort(stable=True)[:count]]
    gone = torch.zeros_like(candidates)
    gone[least] = True
    makes_none = bool(seen.first_order.isnan().any())
    predicted = math.nan if makes_none else float(seen.saliency[gone].sum())
    return seen.weights.masked_fill(gone, 0.0), gone, predicted


def _operate(seen: Seen, candidates: Tensor, count: int) -> tuple[Tensor, Tensor, float]:
    """Optimal Brain Surgeon with H as it is: see :func:`_delete`; takes over the inverse."""
    assert seen.inverse is not None
    index = seen.kept.nonzero()[:, 0]
    w, predicted = seen.weights[index], 0.0
    barred = torch.zeros_like(w).masked_fill_(~candidates[index], torch.inf)
    inverse = ShrinkingInverse(seen.inverse)
    for _ in range(count):
        found = excise(w, inverse, barred)
        if found is None:  # H^-1 has drifted, as the check of the prediction then says
            predicted = math.nan
            break
        predicted += found[1]
    weights = seen.weights.clone()
    weights[index] = w
    gone = torch.zeros_like(seen.kept)
    gone[index] = ~inverse.alive
    return weights, gone, predicted


def _check_prediction(
    model: nn.Module, x: Tensor, seen: Seen, weights: Tensor, predicted: float, alpha: float
) -> None:
    """The rises of all steps add up to 1/2 dw^T H dw of the whole way, unless H^-1 has drifted."""
    change = (weights - seen.weights)[seen.kept]
    rise = alpha * float(change @ change)
    for block in rows(model, seen.parameters, seen.kept, x):
        rise += float((block @ change).square().sum()) / len(x)
    rise *= 0.5
    if not abs(rise - predicted) <= AGREEMENT * rise:
        raise drifted(alpha)


def _apply(seen: Seen, weights: Tensor, gone: Tensor) -> None:
    """Write the weights that moved, and mask those that went."""
    pieces = zip(seen.parameters, seen.pieces(weights), seen.pieces(gone), strict=True)
    for one, values, masked in pieces:
        if seen.inverse is not None:
            with torch.no_grad():
                one.leaf.copy_(values.view(one.leaf.shape))
        if bool(masked.any()):
            mask = ~masked.view(one.leaf.shape)
            for module, attribute in dict.fromkeys(one.owners):
                prune.custom_from_mask(module, attribute, mask)  # type: ignore[no-untyped-call]
