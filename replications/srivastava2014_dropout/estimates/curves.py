"""Rows of ``architectures``: ends of trainings, what is read off their course, Fig. 4's nets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .nets import Conditions, Missing

NONE, DROPOUT = "none", "dropout_max_norm"
LAYERS = (2, 3, 4)
PRINTED_WIDTHS = (1024, 2048)
MOMENTS = 20  # that a curve has at least
_NET = ["layers", "width", "hidden", "way", "replicate"]
Read = Callable[[NDArray[np.int64], NDArray[np.float64]], float]


def ends(rows: pd.DataFrame) -> pd.DataFrame:
    """The last measured moment of each net, which has diverged if it ever has."""
    ever = rows.groupby(_NET).diverged.transform("any")
    last = rows.assign(diverged=ever).sort_values("updates", kind="stable")
    return last.drop_duplicates(_NET, keep="last")


def fig4(rows: pd.DataFrame) -> list[tuple[int, int]]:
    """(layers, width) of the six nets of ReLU that were trained with dropout and without.

    Raises:
        Missing: there are not six, of 2, 3 and 4 layers of two widths.
    """
    relu = rows[rows.hidden == "relu"]
    there = set(zip(relu.layers, relu.width, relu.way, strict=True))
    widths = [
        width
        for width in sorted({int(width) for width in relu.width})
        if all((layers, width, way) in there for layers in LAYERS for way in (NONE, DROPOUT))
    ]
    if len(widths) != 2:
        have = ", ".join(map(str, widths)) or "none"
        raise Missing(
            "Fig. 4 takes nets of 2, 3 and 4 layers of two widths, each with dropout and "
            f"without; widths with all of these: {have}"
        )
    return [(layers, width) for layers in LAYERS for width in widths]


def label(net: tuple[int, int], way: str) -> str:
    """A net's name in notes."""
    return f"{shape(net)} {'dropout' if way == DROPOUT else 'none'}"


def shape(net: tuple[int, int]) -> str:
    """A net's layers and width in notes."""
    return f"{net[0]}x{net[1]}"


def of(shapes: list[tuple[int, int]], *ways: str) -> Conditions:
    """The conditions of nets of ReLU, labelled."""
    return {
        label(net, way): {"layers": net[0], "width": net[1], "hidden": "relu", "way": way}
        for way in ways
        for net in shapes
    }


def read_off(rows: pd.DataFrame, shapes: list[tuple[int, int]], read: Read) -> pd.DataFrame:
    """A row a net with the number that ``read`` makes of its (updates, test errors), ``read``.

    Raises:
        Missing: a curve has fewer than 20 moments.
    """
    wanted = (rows.hidden == "relu") & rows.way.isin([NONE, DROPOUT])
    found = []
    for key, curve in rows[wanted].sort_values("updates").groupby(_NET):
        net = dict(zip(_NET, key, strict=True))
        if (net["layers"], net["width"]) not in shapes:
            continue
        if len(curve) < MOMENTS:
            raise Missing(f"a curve needs {MOMENTS} measured moments, there are {len(curve)}")
        number = read(curve.updates.to_numpy(np.int64), curve.test_error.to_numpy(float))
        found.append({**net, "diverged": curve.diverged.any(), "read": number})
    return pd.DataFrame(found)
