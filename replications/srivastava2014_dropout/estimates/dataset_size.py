"""Fig. 10: dropout and none by the number of training digits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oldschool.claims.estimate import Estimate, NotRun, Result, mean
from oldschool.runs.experiment import Frames

from .nets import Conditions, Estimator, Missing, Nets, averaged, largest_of, least_of, nets, saved
from .plausible import METHOD, ends, plausible_means

SIZES = (100, 500, 1000, 5000, 10_000, 50_000)
NEEDED = SIZES[:-1]  # by the crossing: without those it could not leave the accepted region
_WAYS = {"dropout": "dropout_max_norm", "none": "none"}
_SEED = 20140601
Array = NDArray[np.float64]


def _pair(digits: int) -> Conditions:
    return {f"{digits} {name}": {"digits": digits, "way": way} for name, way in _WAYS.items()}


def _nets(frames: Frames, *sizes: int) -> Nets:
    """Both ways at each of ``sizes``."""
    pairs = {label: way for digits in sizes for label, way in _pair(digits).items()}
    return nets(frames["dataset_size"], pairs)


def _level(digits: int, name: str) -> Estimator:
    label = f"{digits} {name}"

    def estimate(frames: Frames) -> Result:
        found = nets(frames["dataset_size"], {label: _pair(digits)[label]})
        return mean(found[label].to_numpy(), found.note())

    return estimate


def _saved(frames: Frames, *sizes: int) -> dict[str, Result]:
    """Share that dropout saves at each size, whose nets and sets are its own."""
    found = {digits: _nets(frames, digits) for digits in sizes}
    return {
        f"{digits} digits": saved(at, f"{digits} dropout", f"{digits} none", at.note())
        for digits, at in found.items()
    }


def _small(frames: Frames) -> Result:
    return largest_of(_saved(frames, 100, 500), "paper -0.92 %")


def _middle(frames: Frames) -> Result:
    return least_of(_saved(frames, 5000, 10_000), "paper 26.9 %")


def _large(frames: Frames) -> Result:
    return least_of(_saved(frames, 5000, 10_000, 50_000), "paper 24.3 %")


def _worse_at_100(frames: Frames) -> Result:
    found = _nets(frames, 100)
    return averaged(found["100 dropout"] - found["100 none"], found.note())


def _gain(frames: Frames) -> Result:
    found = _nets(frames, 100, 5000, 50_000)
    points = {n: found[f"{n} none"] - found[f"{n} dropout"] for n in (100, 5000, 50_000)}
    parts = {f"less that at {n}": averaged(points[5000] - points[n], "") for n in (100, 50_000)}
    return least_of(parts, found.note("paper 1.34 points"))


def crossing(sizes: NDArray[np.int64], gains: Array) -> Array:
    """Training digits from which on dropout has the lower error at every larger size.

    Between two sizes the gain is a straight line over log n.

    Args:
        sizes: of the training sets (S,), rising.
        gains: error without dropout less that with (..., S).

    Returns:
        Digits (...): 0 if dropout is lower at all sizes, and one more than the largest size if
        it is not lower there.
    """
    lines = gains.reshape(-1, len(sizes))
    lower = lines > 0
    last = len(sizes) - 1 - np.argmax(~lower[:, ::-1], axis=1)  # where it is last not lower
    left = np.minimum(last, len(sizes) - 2)
    row = np.arange(len(lines))
    before, after = lines[row, left], lines[row, left + 1]
    logs = np.log(sizes)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # lines without a crossing
        found = np.exp(logs[left] - before / (after - before) * (logs[left + 1] - logs[left]))
    found = np.where(lower[:, -1], found, sizes[-1] + 1.0)
    return np.where(lower.all(axis=1), 0.0, found).reshape(gains.shape[:-1])


def _crossing(frames: Frames) -> Result:
    """Its ends are quantiles over plausible means, pairs of nets staying together.

    Each size has its own draws of digits, and may have more or fewer of them.
    """
    rows = frames["dataset_size"]
    run = sorted({int(digits) for digits in rows.digits})
    absent = [f"{digits}" for digits in NEEDED if digits not in run]
    if absent:
        raise Missing(f"training sizes not run: {', '.join(absent)}")
    found = {digits: _nets(frames, digits) for digits in run}
    gains = {
        digits: (at[f"{digits} none"] - at[f"{digits} dropout"]).to_numpy()
        for digits, at in found.items()
    }
    few = min(len(values) for values in gains.values())
    if few < 2:
        return NotRun(f"an interval needs at least 2 replicates of each size, there are {few}")
    generator = np.random.default_rng(_SEED)
    draws = [plausible_means(values[:, None], generator)[:, 0] for values in gains.values()]
    sizes = np.array(run)
    crossings = crossing(sizes, np.stack(draws, axis=1))
    low, high = ends(crossings)
    value = crossing(sizes, np.array([values.mean() for values in gains.values()]))
    notes = [at.note() for at in found.values()]
    if value > run[-1]:
        share = 100 * float((crossings <= run[-1]).mean())
        notes.insert(
            0,
            f"dropout does not have the lower mean at {run[-1]}, the largest size: it has with "
            f"{share:.1f} % of the plausible means",
        )
    return Estimate(float(value), low, high, few, "; ".join(notes), METHOD)


DATASET_SIZE_ESTIMATES: dict[str, Estimator] = {
    **{
        f"dropout.fig10.n{digits}.{name}": _level(digits, name)
        for digits in SIZES
        for name in _WAYS
    },
    "dropout.fig10.small": _small,
    "dropout.fig10.worse_at_100": _worse_at_100,
    "dropout.fig10.middle": _middle,
    "dropout.fig10.large": _large,
    "dropout.fig10.crossing": _crossing,
    "dropout.fig10.gain": _gain,
}
