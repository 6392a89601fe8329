"""What profile ``default`` trains in place of the printed nets, in words."""

from __future__ import annotations

from collections.abc import Sequence

from . import settings

_RECIPE = settings.RecipeSettings()
_ARCHITECTURES = settings.ArchitecturesSettings()
_REGULARIZERS = settings.RegularizersSettings()
_GAUSSIAN = settings.GaussianSettings()
_RATE = settings.RateSettings()
_DATASET_SIZE = settings.DatasetSizeSettings()
_MONTE_CARLO = settings.MonteCarloSettings()
_FEATURES = settings.FeaturesSettings()
_RBM = settings.RbmSettings()


def net(sizes: Sequence[int]) -> str:
    """A net with these hidden layers, for the digits."""
    return "-".join(map(str, (784, *sizes, 10)))


def _nets(sizes: Sequence[int], updates: int) -> str:
    return (
        f"nets of {net(sizes)} ReLU, {_RECIPE.digits:,} training digits, {updates:,} updates of "
        f"{_RECIPE.batch}"
    )


_WIDTHS = " or ".join(map(str, _ARCHITECTURES.widths))

# The paper gives the units of autoencoders and Boltzmann machines, and nothing of their training.
DEFAULT = {
    "architectures": (
        f"nets of {_ARCHITECTURES.layers[0]} to {_ARCHITECTURES.layers[-1]} layers of {_WIDTHS} "
        f"units, {_RECIPE.digits:,} training digits, {_ARCHITECTURES.updates:,} updates of "
        f"{_RECIPE.batch}"
    ),
    "regularizers": _nets(_REGULARIZERS.sizes, _REGULARIZERS.updates),
    "gaussian": _nets(_GAUSSIAN.sizes, _GAUSSIAN.updates),
    "rate": _nets(_RATE.sizes, _RATE.updates),
    "dataset_size": (
        f"nets of {net(_DATASET_SIZE.sizes)} ReLU, {_DATASET_SIZE.updates[0]:,} updates with the "
        f"fewest digits to {_DATASET_SIZE.updates[-1]:,} with the most, of {_RECIPE.batch}"
    ),
    "monte_carlo": _nets(_MONTE_CARLO.sizes, _MONTE_CARLO.updates),
    "features": (
        f"{_FEATURES.units} units, {_FEATURES.digits:,} training digits, {_FEATURES.updates:,} "
        "updates"
    ),
    "rbm": (
        f"{_RBM.units} hidden units, {_RBM.digits:,} training digits, {_RBM.epochs} passes in "
        f"batches of {_RBM.batch}"
    ),
}
SCALES = {experiment: {"default": phrase} for experiment, phrase in DEFAULT.items()}
