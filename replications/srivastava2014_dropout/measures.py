"""What is measured of features and activations; the paper shows them as pictures only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

SIDE = 28
_BINS = 50


def effective_pixels(w: Tensor) -> Tensor:
    """Over how many pixels the square of a weight vector is spread: (sum w^2)^2 / sum w^4.

    1 where one pixel has all of it, d where all d weights are of one size.

    Args:
        w: (..., d).

    Returns:
        (...,).
    """
    squares = w.double().square()
    return squares.sum(-1).square() / squares.square().sum(-1)


def neighbour_correlation(w: Tensor, varying: Tensor) -> Tensor:
    """Pearson's correlation of weights at pixels beside or below one another.

    Args:
        w: (..., 784).
        varying: pixels that vary in the training set, (784,) bool; pairs of two such count.

    Returns:
        (...,).
    """
    pixel = torch.arange(SIDE * SIDE, device=w.device).view(SIDE, SIDE)
    one = torch.cat([pixel[:, :-1].flatten(), pixel[:-1].flatten()])
    other = torch.cat([pixel[:, 1:].flatten(), pixel[1:].flatten()])
    both = varying[one] & varying[other]
    a, b = (w[..., side[both]].double() for side in (one, other))
    a, b = (side - side.mean(-1, keepdim=True) for side in (a, b))
    return (a * b).sum(-1) / (a.square().sum(-1) * b.square().sum(-1)).sqrt()


def histogram(activations: Tensor, highest: float) -> pd.DataFrame:
    """Shares of activations in %, exact zeros by themselves in a row from 0 to 0.

    Args:
        activations: of any shape, 0 or more.
        highest: end of the last bin, which takes all that is above, too.
    """
    values = activations.flatten()
    edges = np.linspace(0.0, highest, _BINS + 1)
    zeros = int((values == 0).sum())
    above = values[values > 0].clamp(max=highest).cpu().numpy()
    counts = np.histogram(above, bins=edges)[0]
    return pd.DataFrame(
        {
            "low": [0.0, *edges[:-1]],
            "high": [0.0, *edges[1:]],
            "share": 100 * np.array([zeros, *counts]) / len(values),
        }
    )


def drawn_weights(w: Tensor, units: Tensor, count: int, lead: Mapping[str, str]) -> pd.DataFrame:
    """Weights of the first ``count`` of ``units`` of one net, a line a unit and pixel.

    Args:
        w: (H, 784).
        units: numbers of units to draw from.
        count: how many.
        lead: further columns.
    """
    chosen = units[:count].tolist()
    pixels = w.shape[1]
    return pd.DataFrame(
        {
            **lead,
            "unit": np.repeat(chosen, pixels),
            "pixel": np.tile(np.arange(pixels), len(chosen)),
            "value": w[chosen].flatten().double().cpu().numpy(),
        }
    )
