"""A fixed sample of work units run again, and their rows compared with the committed ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oldschool import paths
from oldschool.errors import DataError, UnavailableError
from oldschool.report import committed
from oldschool.runs import frames, launch, provenance
from oldschool.runs.experiment import Experiment, Replication

FLOAT_RTOL = 1e-6  # between machines; rows are stored to nine digits
FLOAT_ATOL = 1e-7  # gradient norms and errors of converged nets are rounding below it
DISTRIBUTION_LEVEL = 1e-3
_NOT_THE_ROWS = ("commit", "dirty", "cores", "memory")  # none of these changes them
_OF_TORCH = ("threads", "default_dtype")  # None where nothing had imported it


def problems(
    report_dir: Path,
    replication: Replication,
    experiment: Experiment,
    manifest: Mapping[str, Any],
    sample: int,
    say: Callable[[str], None],
) -> list[str]:
    """A line for every frame of a sampled unit whose rows do not come out again.

    A unit whose data cannot be had here is passed over, and ``say`` told so; damaged data are a
    problem. A unit that reads gets the committed rows.

    In the environment that the manifest records the rows must be the same to the last digit.
    Elsewhere, and where the processor was recorded by a name that several kinds bear, a row agrees
    if its floats agree to ``FLOAT_RTOL`` or ``FLOAT_ATOL`` and the rest is equal, and the
    experiment's ``rows_apart`` of a unit's rows may fail to; rows that are ``resampled`` agree if
    no column's distribution differs.
    """
    folder = paths.results(report_dir, replication.name)
    earlier = committed.earlier(folder, experiment)
    found = []
    for index in chosen(manifest, sample):
        record = manifest["units"][index]
        unit = launch.unit_of(experiment, record)
        label = unit.label()
        try:
            made = launch.rerun(replication, experiment, record, manifest, earlier.rows(unit))
        except UnavailableError as error:
            say(f"{replication.name}/{label}: not run again: {error}")
            continue
        except DataError as error:
            found.append(f"{replication.name}/{label}: not run again: {error}")
            continue
        recorded = manifest["environments"][record["environment"]]
        same = _same_machine(recorded, provenance.environment())
        say(
            f"{replication.name}/{label}: run again, compared "
            f"{'exactly' if same else _elsewhere(experiment)}"
        )
        for frame in experiment.frames:
            file = committed.file_of(folder, frame)
            content = committed.read(file)
            if content is None:
                continue
            rows = committed.rows_by_unit(content, manifest, frame)[index]
            text = frames.to_csv(made[frame])
            if same:
                what = exact_difference(rows, text)
            elif experiment.resampled:
                what = distribution_difference(rows, text)
            else:
                what = tolerant_difference(rows, text, experiment.rows_apart)
            if what:
                found.append(f"{paths.shown(file)}: {label} run again: {what}")
    return found


def chosen(manifest: Mapping[str, Any], sample: int) -> list[int]:
    """Positions of the units to run again: of the cheaper half, those first by digest."""
    units = manifest["units"]
    cheap = sorted(range(len(units)), key=lambda index: (units[index]["seconds"], index))
    half = cheap[: max(sample, (len(units) + 1) // 2)]
    return sorted(half, key=lambda index: str(units[index]["digest"]))[:sample]


def exact_difference(rows: bytes, made: bytes) -> str:
    """What differs between committed and new rows as text; "" if nothing does."""
    old, new = rows.splitlines(), made.splitlines()
    if len(old) != len(new):
        return f"{len(new) - 1} rows instead of {len(old) - 1}"
    apart = [number for number, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1]]
    if not apart:
        return ""
    first = apart[0]
    return (
        f"{len(apart)} of {len(old) - 1} rows differ, the first is {old[first].decode()!r}, "
        f"now {new[first].decode()!r}"
    )


def tolerant_difference(rows: bytes, made: bytes, rows_apart: float) -> str:
    """What differs between committed and new rows in more than that share of them, or ""."""
    old, new = frames.from_csv(rows), frames.from_csv(made)
    if list(old.columns) != list(new.columns):
        return f"columns {list(new.columns)} instead of {list(old.columns)}"
    if rows_apart >= 1.0:
        return "" if len(new) or not len(old) else "no rows"
    if len(old) != len(new):
        return f"{len(new)} rows instead of {len(old)}"
    apart = np.zeros(len(old), dtype=bool)
    for column in old.columns:
        apart |= ~_agree(old[column], new[column])
    if apart.sum() <= rows_apart * len(old):
        return ""
    return (
        f"{apart.sum()} of {len(old)} rows differ beyond the tolerance "
        f"(relative {FLOAT_RTOL:g} or absolute {FLOAT_ATOL:g} in floats, {rows_apart:.0%} of rows)"
    )


def distribution_difference(rows: bytes, made: bytes) -> str:
    """The column whose two samples hardly come from one distribution, or "".

    Of numbers the two-sample Kolmogorov-Smirnov test, of anything else the chi-square test of
    its values' counts, all columns together at ``DISTRIBUTION_LEVEL`` (Bonferroni). Frames of
    several rows a replicate are compared by their means. Of a hundred replicates it finds a
    shift of about .8 standard deviations.
    """
    old, new = (_by_replicate(frames.from_csv(content)) for content in (rows, made))
    if list(old.columns) != list(new.columns):
        return f"columns {list(new.columns)} instead of {list(old.columns)}"
    chances = {column: _chance(old[column], new[column]) for column in old.columns}
    least = min(chances, key=chances.__getitem__)
    if chances[least] * len(chances) >= DISTRIBUTION_LEVEL:
        return ""
    return f"{least} is distributed otherwise (p = {chances[least]:.1g} for one distribution)"


def _by_replicate(rows: pd.DataFrame) -> pd.DataFrame:
    if "replicate" not in rows or rows.replicate.is_unique:
        return rows
    return rows.groupby("replicate").mean(numeric_only=True)


def _chance(old: pd.Series[Any], new: pd.Series[Any]) -> float:
    """p of the hypothesis that two samples are of one distribution."""
    from scipy import stats

    numbers = [part.dropna() for part in (old, new)]
    if all(pd.api.types.is_numeric_dtype(part) and part.dtype != bool for part in numbers):
        if min(map(len, numbers)) == 0:
            return float(len(numbers[0]) == len(numbers[1]))
        return float(stats.ks_2samp(*numbers).pvalue)
    counts = pd.concat([part.astype(str).value_counts() for part in (old, new)], axis=1).fillna(0)
    if len(counts) == 1:
        return 1.0
    return float(stats.chi2_contingency(counts.to_numpy()).pvalue)


def _elsewhere(experiment: Experiment) -> str:
    how = "by distribution" if experiment.resampled else "within the tolerance"
    return f"{how} (another environment)"


def _agree(old: pd.Series[Any], new: pd.Series[Any]) -> NDArray[np.bool_]:
    """For each row whether two columns agree; missing agrees with missing."""
    if pd.api.types.is_float_dtype(old.dtype) and pd.api.types.is_numeric_dtype(new.dtype):
        a, b = old.to_numpy(dtype=np.float64), new.to_numpy(dtype=np.float64)
        close: NDArray[np.bool_] = np.isclose(
            b, a, rtol=FLOAT_RTOL, atol=FLOAT_ATOL, equal_nan=True
        )
        return close
    same: NDArray[np.bool_] = ((old == new) | (old.isna() & new.isna())).to_numpy(dtype=bool)
    return same


def _same_machine(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    """Whether all agrees that may change the rows, of what was recorded at the time."""
    return all(
        here.get(key) == recorded[key]
        for key in recorded
        if key not in _NOT_THE_ROWS and not (key in _OF_TORCH and recorded[key] is None)
    )
