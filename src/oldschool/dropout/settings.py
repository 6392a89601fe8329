"""How nets are trained with dropout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from oldschool.dropout.noise import Kind
from oldschool.dropout.penalties import Penalties
from oldschool.dropout.schedules import Schedule


@dataclass(frozen=True)
class Settings:
    """Stochastic gradient descent with momentum, dropout, max-norm and penalties.

    What may differ between the nets of a batch is a number for all or a tensor (R, ...).

    Attributes:
        rate: of learning, on the gradient of a mean over the mini-batch.
        momentum: m in v <- m v + gradient.
        keep: p of the inputs and of every hidden layer, (layers,) or (R, layers); None for no
            dropout.
        noise: ``"bernoulli"`` or ``"gaussian"``.
        max_norm: c, (R,) if a tensor, inf for none; None for none at all.
        rate_factors: (R,), by which each net's rate differs from ``rate``; None for 1.
        penalties: additions to the gradient.
        batch: P, cases of a mini-batch.
    """

    rate: Schedule
    momentum: Schedule
    keep: Sequence[float] | Tensor | None = None
    noise: Kind = "bernoulli"
    max_norm: float | Tensor | None = None
    rate_factors: Tensor | None = None
    penalties: Penalties = field(default_factory=Penalties)
    batch: int = 100
