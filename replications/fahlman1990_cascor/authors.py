"""What the authors' own programs did when they were run for this replication.

cascor1 in Lisp (Fahlman) and its C port (Crowder), public domain, on the 194 points; the numbers
of each run over its trials. A third column beside the paper's and ours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

# {quantity: {program: value}}; "Lisp" with the parameters it advises for the spirals, as "C".
SPIRALS: Mapping[str, Mapping[str, float]] = {
    "trials": {"Lisp": 300, "Lisp, defaults": 100, "C": 100},
    "learned, %": {"Lisp": 100.0, "Lisp, defaults": 100.0, "C": 100.0},
    "hidden_mean": {"Lisp": 14.95, "Lisp, defaults": 15.68, "C": 14.6},
    "hidden_median": {"Lisp": 15, "Lisp, defaults": 15, "C": 15},
    "hidden_min": {"Lisp": 12, "Lisp, defaults": 12, "C": 12},
    "hidden_max": {"Lisp": 20, "Lisp, defaults": 20, "C": 19},
    "epochs": {"Lisp": 1666, "Lisp, defaults": 1668, "C": 1626},
    "crossings": {"Lisp": 17.3e6, "Lisp, defaults": 19.4e6, "C": 16.7e6},
}
SAME_SET_UP = ("Lisp", "C")
# Mean epochs of the Lisp program, by set-up of ``parity`` and N.
PARITY_TRIALS = 20
PARITY_EPOCHS: Mapping[str, Mapping[int, float]] = {
    "rates 1 and 10, inputs +-1": {2: 30, 3: 40, 4: 69, 5: 159, 6: 158, 7: 330, 8: 334},
    "general defaults, inputs +-.5": {2: 36, 3: 50, 4: 87, 5: 194, 6: 205, 7: 350, 8: 389},
}
# Per cent wrong on the cases not trained, by set-up and training cases.
PARITY10_WRONG: Mapping[str, Mapping[int, float]] = {
    "rates 1 and 10, inputs +-1": {512: 3.8, 256: 7.6},
    "general defaults, inputs +-.5": {512: 3.7, 256: 11.9},
}


def listed(quantity: str) -> str:
    """What the programs gave on the spirals, with the same parameters."""
    programs = SPIRALS[quantity]
    told = ", ".join(f"{name} {programs[name]:.6g}" for name in SAME_SET_UP)
    return f"the authors' own programs: {told}"


def z(mean: float, sd: float, n: int, theirs: float, their_trials: int) -> float:
    """How far apart two means are, in standard errors, if their trials scatter as ours."""
    error = sd * math.sqrt(1 / n + 1 / their_trials)
    return (mean - theirs) / error if error > 0 else 0.0
