"""Figs 7, 8, 12 and 13: features and activations of autoencoders and Boltzmann machines."""

from __future__ import annotations

from oldschool.claims.estimate import Result, mean
from oldschool.runs.experiment import Frames

from .nets import Conditions, Estimator, averaged, difference, nets

_WAYS: Conditions = {"dropout": {"way": "dropout"}, "none": {"way": "none"}}


def _ratio(column: str, unit: str, paper: str = "") -> Estimator:
    """Dropout over none."""

    def estimate(frames: Frames) -> Result:
        found = nets(frames["features"], _WAYS, column)
        return averaged(found["dropout"] / found["none"], found.note(paper, unit=unit))

    return estimate


def _gap(frame: str, column: str, unit: str = " %") -> Estimator:
    """Dropout less none."""

    def estimate(frames: Frames) -> Result:
        return difference(nets(frames[frame], _WAYS, column), "dropout", "none", unit=unit)

    return estimate


def _activation(way: str) -> Estimator:
    def estimate(frames: Frames) -> Result:
        found = nets(frames["features"], {way: _WAYS[way]}, "mean_activation")
        return mean(found[way].to_numpy(), found.note(unit=""))

    return estimate


FEATURES_ESTIMATES: dict[str, Estimator] = {
    "dropout.fig7.features": _ratio("effective_pixels", " pixels"),
    "dropout.fig7.reconstruction": _ratio("test_mse", ""),
    "dropout.fig8.mean_none": _activation("none"),
    "dropout.fig8.mean_dropout": _activation("dropout"),
    "dropout.fig8.mean_ratio": _ratio("mean_activation", "", "paper 0.35"),
    "dropout.fig8.sparsity": _gap("features", "near_zero"),
    "dropout.fig12.features": _gap("rbm", "dead"),
    "dropout.fig12.coarser": _gap("rbm", "neighbour_correlation", ""),
    "dropout.fig13.sparsity": _gap("rbm", "near_zero"),
}
