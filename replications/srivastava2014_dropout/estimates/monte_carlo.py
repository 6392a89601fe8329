"""Fig. 11: averages of k thinned nets against weight scaling."""

from __future__ import annotations

from oldschool.claims.estimate import Result, mean, median
from oldschool.runs.experiment import Frames

from .nets import Conditions, Estimator, Missing, Nets, averaged, difference, least_of, nets

_SCALING = "weight scaling"
_MOST = 119


def _k(k: int) -> str:
    return f"k = {k}"


def _nets(frames: Frames, *counts: int) -> Nets:
    """Weight scaling and averages of so many nets; a row of k = 0 is weight scaling."""
    averages: Conditions = {_k(k): {"k": k} for k in counts}
    return nets(frames["monte_carlo"], {_SCALING: {"k": 0}, **averages})


def _over_scaling(k: int, paper: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        found = _nets(frames, k)
        return averaged(100 * (found[_k(k)] / found[_SCALING] - 1), found.note(f"paper {paper}"))

    return estimate


def _falls(frames: Frames) -> Result:
    found = _nets(frames, 5, 21, _MOST)
    parts = {
        f"k = {few} to {many}": averaged(
            100 * (found[_k(few)] - found[_k(many)]) / found[_SCALING], ""
        )
        for few, many in ((5, 21), (21, _MOST))
    }
    return least_of(parts, found.note("paper 2.3 %"))


def _scaling(frames: Frames) -> Result:
    found = _nets(frames)
    return mean(found[_SCALING].to_numpy(), found.note())


def _most(frames: Frames) -> Result:
    found = _nets(frames, _MOST)
    return mean(found[_k(_MOST)].to_numpy(), found.note())


def _better(frames: Frames) -> Result:
    return difference(_nets(frames, _MOST), _k(_MOST), _SCALING)


def _enough(frames: Frames) -> Result:
    """The least k whose averages are as good; one beyond the largest k where none is."""
    counts = sorted({int(k) for k in frames["monte_carlo"].k} - {0})
    if not counts:
        raise Missing("no average of thinned nets was measured")
    found = _nets(frames, *counts)
    good = found.table[[_k(k) for k in counts]].le(found[_SCALING], axis=0).to_numpy()
    reached = good.any(axis=1)
    least = [counts[row.argmax()] if row.any() else counts[-1] + 1 for row in good]
    note = (
        f"of {len(counts)} k, {counts[0]} to {counts[-1]}; {int((~reached).sum())} of "
        f"{len(least)} nets never reach it and count as {counts[-1] + 1}; {found.count()}"
    )
    return median(least, note)


MONTE_CARLO_ESTIMATES: dict[str, Estimator] = {
    "dropout.fig11.scaling": _scaling,
    "dropout.fig11.k50": _enough,
    "dropout.fig11.k120": _most,
    "dropout.fig11.small_k": _over_scaling(5, "12.2 %"),
    "dropout.fig11.falls": _falls,
    "dropout.fig11.large_k": _over_scaling(_MOST, "-0.56 %"),
    "dropout.fig11.better": _better,
}
