"""Max-norm regularisation: no unit's incoming weight vector longer than c (section 5.1)."""

from __future__ import annotations

import torch
from torch import Tensor


def max_norm_(weights: Tensor, limit: Tensor, others: Tensor | None = None) -> Tensor:
    """Scales every unit's incoming weights w with |w|_2 > c to length c, in place.

    Units below c are untouched to the last bit, and a unit that is not finite stays so. Rounding
    may leave a norm above c by a few units in the last place.

    Args:
        weights: (..., units, inputs).
        limit: c, of a shape that broadcasts with (..., units), such as (R, 1); inf for none.
        others: (..., units, more), further weights of the same w, kept apart; scaled with them.

    Returns:
        The weights.
    """
    norm = torch.linalg.vector_norm(weights, dim=-1)
    if others is not None:
        norm = norm.hypot_(torch.linalg.vector_norm(others, dim=-1))
    scale = (limit / norm).masked_fill_(norm <= limit, 1.0)
    # On a GPU a look at the scales costs more than multiplying all weights. One that is no number
    # makes the least of them none, and must not keep the others from being shortened.
    if weights.is_cuda or not float(scale.min()) >= 1.0:
        weights.mul_(scale.unsqueeze(-1))
        if others is not None:
            others.mul_(scale.unsqueeze(-1))
    return weights
