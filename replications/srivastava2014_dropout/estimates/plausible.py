"""Means as they might have come out with other replicates, for numbers read off a curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DRAWS = 9999
METHOD = f"quantiles of {DRAWS} draws of means by Student's t"
_LOW, _HIGH = 0.05, 0.95
Array = NDArray[np.float64]


def plausible_means(values: Array, generator: np.random.Generator) -> Array:
    """Draws about the means of n replicates' numbers, replicates staying whole.

    Resampled replicates would spread too little: by sqrt((n - 1) / n), and without the tails that
    few replicates call for. So each draw is mean + t S^(1/2) / sqrt(n), multivariate Student t of
    n - 1 degrees of freedom with S the replicates' covariance: every single mean then has just
    the t interval that it has alone.

    Args:
        values: (n, C), n at least 2.
        generator: of the draws.

    Returns:
        (``DRAWS``, C).
    """
    n = len(values)
    middle = values.mean(axis=0)
    normal = generator.standard_normal((DRAWS, n)) @ (values - middle)
    scale = np.sqrt(generator.chisquare(n - 1, size=(DRAWS, 1)))
    # normal / sqrt(n - 1) has covariance S; dividing by scale / sqrt(n - 1) makes it Student's
    draws: Array = middle + normal / scale / np.sqrt(n)
    return draws


def ends(draws: Array) -> tuple[float, float]:
    """The ends of the two-sided 90 % interval."""
    low, high = np.quantile(draws, (_LOW, _HIGH))
    return float(low), float(high)
