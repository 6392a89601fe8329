"""The parameters of Cascade-Correlation.

The report of Fahlman & Lebiere (1990) prints none. ``GENERAL`` has the defaults of the authors'
Lisp and C programs, ``SPIRALS`` what a comment in the Lisp program advises for the two spirals.
"""

from __future__ import annotations

from dataclasses import dataclass

from oldschool.growing.score import score_named
from oldschool.growing.units import unit_named


@dataclass(frozen=True)
class PhaseSettings:
    """One kind of training phase: Quickprop until nothing changes any more.

    Attributes:
        epsilon: Quickprop's rate of gradient descent. It is divided by the number of cases and,
            for candidates, by the number of their incoming connections too.
        mu: largest growth of a Quickprop step.
        decay: times the weight, is added to its slope.
        patience: epochs without a change after which the phase ends; 0 for never.
        change: share of its old value by which the error, or the best score, has to differ from
            it to count as changed.
        epochs: limit of the phase's length.
    """

    epsilon: float
    mu: float
    decay: float
    patience: int
    change: float
    epochs: int

    def __post_init__(self) -> None:
        for name in ("epsilon", "mu", "epochs"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)}: must be above 0")
        for name in ("decay", "patience", "change"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}={getattr(self, name)}: must be 0 or more")


@dataclass(frozen=True)
class CascadeSettings:
    """All parameters of a trial.

    Attributes:
        output: the output phases.
        candidate: the candidate phases; their ``epochs`` do not count the first one, in which
            only the scores are computed.
        max_hidden: hidden units at which a trial that has not learned stops.
        pool: candidate units trained at once, of which one is installed.
        weight_range: weights start uniformly between plus and minus this.
        weight_multiplier: a new unit's weight to an output starts at minus its score there times
            this.
        slope_offset: added to the derivative of the output units, never to that of candidates.
        threshold: an output is wrong, an error bit, where it is this far from its target or more.
        hidden_unit: ``sigmoid`` (-1/2 to 1/2), ``gaussian`` or ``tanh``.
        output_unit: ``sigmoid``, ``tanh`` or ``linear``, whose derivative needs no offset.
        score: what candidates maximise, ``covariance`` or ``correlation``.
    """

    output: PhaseSettings
    candidate: PhaseSettings
    max_hidden: int
    pool: int = 8
    weight_range: float = 1.0
    weight_multiplier: float = 1.0
    slope_offset: float = 0.1
    threshold: float = 0.4
    hidden_unit: str = "sigmoid"
    output_unit: str = "sigmoid"
    score: str = "covariance"

    def __post_init__(self) -> None:
        unit_named(self.hidden_unit), unit_named(self.output_unit), score_named(self.score)
        for name, least in (("pool", 1), ("max_hidden", 0), ("slope_offset", 0)):
            if not getattr(self, name) >= least:
                raise ValueError(f"{name}={getattr(self, name)}: must be {least} or more")
        for name in ("weight_range", "threshold"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}={getattr(self, name)}: must be above 0")


# The programs leave the limits of epochs and of units to the caller: 100, 100 and 25 in their
# examples.
GENERAL = CascadeSettings(
    output=PhaseSettings(epsilon=0.35, mu=2.0, decay=1e-4, patience=8, change=0.01, epochs=100),
    candidate=PhaseSettings(epsilon=1.0, mu=2.0, decay=0.0, patience=8, change=0.03, epochs=100),
    max_hidden=25,
)
SPIRALS = CascadeSettings(
    output=PhaseSettings(epsilon=1.0, mu=2.0, decay=1e-4, patience=12, change=0.01, epochs=100),
    candidate=PhaseSettings(epsilon=100.0, mu=2.0, decay=0.0, patience=8, change=0.03, epochs=100),
    max_hidden=25,
)
