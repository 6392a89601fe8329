"""The step along the velocity, and max-norm after it (section 5.1)."""

from __future__ import annotations

from torch import Tensor

from oldschool.compiled.descent import compiled
from oldschool.dropout.max_norm import max_norm_

LARGE = 1 << 19  # weights of a layer; fewer stay in the cache from one operation to the next


def descend_(
    w: Tensor,
    v: Tensor,
    rate: float,
    factors: Tensor | None,
    limit: Tensor | None,
    others: Tensor | None = None,
) -> None:
    """w <- w - rate v, then |w_j| <= c for every unit j, in place.

    Args:
        w: weights of R nets, (R, units, inputs), of any dtype.
        v: their velocities, likewise.
        rate: of all nets.
        factors: of each net's rate, (R, 1, 1); None for 1.
        limit: c, (R, 1) or (1, 1); None for none.
        others: (R, units, more), further weights of the same units, as :func:`max_norm_` has them.
    """
    if limit is not None and w[0].numel() >= LARGE:
        compiled_step = compiled(*(one for one in (w, v, others) if one is not None))
        if compiled_step is not None:
            each = w.new_ones(1) if factors is None else factors.view(-1)
            rates, limits = (one.expand(len(w)).tolist() for one in (rate * each, limit.view(-1)))
            for net, (own_rate, c) in enumerate(zip(rates, limits, strict=True)):
                further = None if others is None else others[net]
                compiled_step(w[net], v[net], own_rate, c, further)
            return
    step_(w, v, rate, factors)
    if limit is not None:
        max_norm_(w, limit, others)


def step_(w: Tensor, v: Tensor, rate: float, factors: Tensor | None) -> None:
    """w <- w - rate v, in place.

    Args:
        w: weights (R, units, inputs) or biases (R, 1, units), of any dtype.
        v: their velocities, likewise.
        rate: of all nets.
        factors: of each net's rate, (R, 1, 1); None for 1.
    """
    if factors is None:
        w.add_(v, alpha=-rate)
    else:
        w.addcmul_(v, factors, value=-rate)
