"""What all estimates share: numbers of nets in pairs, the rule for diverged nets, joint claims."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from oldschool.claims.estimate import Estimate, NotRun, Result, mean, paired_difference
from oldschool.runs.experiment import Frames, Scalar

Estimator = Callable[[Frames], Result]
Conditions = Mapping[str, Mapping[str, Scalar]]


class Missing(Exception):
    """Rows that an estimate needs are not there; the message says which."""


def guarded(estimator: Estimator) -> Estimator:
    """``estimator`` with ``NotRun``, and the reason, where rows are missing."""

    @functools.wraps(estimator)
    def estimate(frames: Frames) -> Result:
        empty = [name for name, rows in frames.items() if rows.empty]
        if empty:
            return NotRun(f"no rows of {', '.join(empty)}")
        try:
            return estimator(frames)
        except Missing as missing:
            return NotRun(str(missing))

    return estimate


@dataclass(frozen=True)
class Nets:
    """One number a net.

    Attributes:
        table: a line a replicate, a column a condition; float64, all finite.
        left_out: of the replicates that have no line, how many and why; "" for none.
    """

    table: pd.DataFrame
    left_out: str

    def __getitem__(self, label: str) -> pd.Series:
        return self.table[label]

    def note(self, *others: str, unit: str = " %") -> str:
        """The mean of each condition, and how many nets; then what else there is to say."""
        means = ", ".join(f"{name}: {value:.4g}{unit}" for name, value in self.table.mean().items())
        return "; ".join(filter(None, [*others, f"means {means}", self.count()]))

    def count(self) -> str:
        """How many nets a condition, and how many were left out."""
        return "; ".join(filter(None, [f"n = {len(self.table)}", self.left_out]))


def nets(rows: pd.DataFrame, conditions: Conditions, column: str = "test_error") -> Nets:
    """The numbers in ``column`` of the replicates that every condition has.

    A replicate is left out of all conditions if its net diverged under one of them, or has no
    finite number.

    Args:
        rows: one a net, with ``replicate``, ``diverged`` and what tells conditions apart.
        conditions: {label: {column: value}}.
        column: the number.

    Raises:
        Missing: a condition has no row, or no replicate is left.
    """
    parts = {}
    for label, condition in conditions.items():
        holds = np.logical_and.reduce([rows[name] == value for name, value in condition.items()])
        parts[label] = rows[holds].set_index("replicate")
    absent = [label for label, part in parts.items() if part.empty]
    if absent:
        raise Missing(f"no rows of: {', '.join(absent)}")
    table = pd.DataFrame({name: part[column].astype(float) for name, part in parts.items()})
    diverged = pd.DataFrame({name: part.diverged.astype(bool) for name, part in parts.items()})
    shared = table.index[diverged.notna().all(axis=1)]
    if shared.empty:
        raise Missing(f"no replicate was run under each of: {', '.join(parts)}")
    lost = diverged.loc[shared].to_numpy(bool).any(axis=1)
    odd = ~np.isfinite(table.loc[shared].to_numpy()).all(axis=1)
    kept = table.loc[shared][~(lost | odd)]
    why = "a net diverged or has no such number" if (odd & ~lost).any() else "a net diverged"
    left_out = f"{len(shared) - len(kept)} of {len(shared)} replicates left out: {why}"
    if kept.empty:
        raise Missing(left_out)
    return Nets(kept, left_out if len(kept) < len(shared) else "")


def difference(found: Nets, first: str, second: str, *others: str, unit: str = " %") -> Result:
    """Mean of first less second over the replicates."""
    return paired_difference(
        found[first].to_numpy(), found[second].to_numpy(), found.note(*others, unit=unit)
    )


def averaged(values: pd.Series, note: str) -> Result:
    """Mean of a number a replicate.

    Raises:
        Missing: a number is not finite, as a ratio to nought is.
    """
    odd = int((~np.isfinite(values)).sum())
    if odd:
        raise Missing(f"{odd} of {len(values)} replicates have a ratio to nought; {note}")
    return mean(values.to_numpy(float), note)


def saved(found: Nets, dropout: str, none: str, note: str) -> Result:
    """Share of the error that dropout saves, in %: the mean of 100 (1 - e_d / e_n)."""
    return averaged(100 * (1 - found[dropout] / found[none]), note)


def least_of(parts: Mapping[str, Result], note: str = "") -> Result:
    """Of several numbers, all claimed to lie above one edge, the least; so are both ends.

    The interval is above the edge exactly where each of them is: an intersection-union test, so
    "reproduced" has the level of one comparison. "Not reproduced", the interval below the edge,
    rests on whichever is least, and errs more often than one comparison would.
    """
    return _joint(parts, min, note)


def largest_of(parts: Mapping[str, Result], note: str = "") -> Result:
    """The same of numbers that are all claimed to lie below one edge."""
    return _joint(parts, max, note)


def _joint(parts: Mapping[str, Result], pick: Callable[[list[float]], float], note: str) -> Result:
    found: list[Estimate] = []
    told = []
    for label, part in parts.items():
        if isinstance(part, NotRun):
            return NotRun(f"{label}: {part.reason}")
        found.append(part)
        told.append(f"{label}: {part.value:.3g}" + (f" ({part.note})" if part.note else ""))
    return Estimate(
        pick([part.value for part in found]),
        pick([part.low for part in found]),
        pick([part.high for part in found]),
        min(part.n for part in found),
        "; ".join(filter(None, [f"each of {', '.join(told)}", note])),
        f"the worst of several: {found[0].method}",
    )


def level(frame: str, label: str, condition: Mapping[str, Scalar]) -> Estimator:
    """Mean test error of one condition."""

    def estimate(frames: Frames) -> Result:
        found = nets(frames[frame], {label: condition})
        return mean(found[label].to_numpy(), found.note())

    return estimate


def gap(frame: str, conditions: Conditions) -> Estimator:
    """Test error under the first of two conditions less that under the second, in points."""
    first, second = conditions

    def estimate(frames: Frames) -> Result:
        return difference(nets(frames[frame], conditions), first, second)

    return estimate
