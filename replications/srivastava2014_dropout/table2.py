"""Table 2's feed-forward nets and Fig. 4's, beside ours."""

from __future__ import annotations

import pandas as pd

from oldschool.runs.experiment import Frames

from .cells import WAYS, groups, named, ours
from .means import kept, text
from .printed import TABLE2

_NET = ["layers", "width", "hidden", "way"]
_UNITS = {"logistic": "logistic", "relu": "ReLU"}


def table2(frames: Frames) -> pd.DataFrame:
    """Feed-forward nets of Table 2 beside those of ours that are most alike."""
    final = _final(frames["architectures"])
    found = []
    for (hidden, way, layers, width), error in TABLE2.items():
        of = alike(final, hidden, way, layers, width)
        net = "-" if of.empty else _net(int(of.layers.iloc[0]), int(of.width.iloc[0]), hidden)
        found.append(
            {
                "way": WAYS[way],
                "paper's net": _net(layers, width, hidden),
                "paper, %": f"{error:.2f}",
                "our net": net,
                **named(ours(of, "test_error")),
            }
        )
    return pd.DataFrame(found)


def alike(final: pd.DataFrame, hidden: str, way: str, layers: int, width: int) -> pd.DataFrame:
    """Rows of the net of ours that stands for one of the paper's.

    The same net if there is one. Else as many layers, or the most there are, and of their widths
    that with the same place from the widest as in Table 2.
    """
    of = final[(final.hidden == hidden) & (final.way == way)]
    same = of[(of.layers == layers) & (of.width == width)]
    if len(same) or of.empty:
        return same
    of = of[of.layers == (layers if (of.layers == layers).any() else of.layers.max())]
    wider = sum(key[:3] == (hidden, way, layers) and key[3] > width for key in TABLE2)
    widths = sorted(of.width.unique(), reverse=True)
    return of[of.width == widths[wider]] if wider < len(widths) else of.iloc[:0]


def fig4(frames: Frames) -> pd.DataFrame:
    """Fig. 4's nets at the end: without dropout, with, and what it saves of the error."""
    final = _final(frames["architectures"])
    final = final[final.hidden == "relu"]
    found = []
    for (layers, width), of in groups(final, "layers", "width"):
        good = kept(of, "way").pivot(index="replicate", columns="way", values="test_error")
        good = good.reindex(columns=["none", "dropout_max_norm"])
        both = good.dropna()
        found.append(
            {
                "net": f"{layers} x {width}",
                "without dropout, %": text(good.none.dropna()),
                "dropout, max-norm, %": text(good.dropout_max_norm.dropna()),
                "saved, % of the error": text(100 * (1 - both.dropout_max_norm / both.none)),
                "nets": f"{good.none.count()} and {good.dropout_max_norm.count()}",
                "diverged": int(of[of.way.isin(good.columns)].diverged.sum()),
            }
        )
    return pd.DataFrame(found)


def _final(rows: pd.DataFrame) -> pd.DataFrame:
    """Each net's last moment; ``diverged`` if it was so at any."""
    net = [*_NET, "replicate"]
    lost = rows.groupby(net).diverged.transform("any")
    rows = rows.assign(diverged=lost.astype(bool))
    return rows.sort_values("updates").groupby(net, as_index=False).tail(1)


def _net(layers: int, width: int, hidden: str) -> str:
    return f"{layers} x {width} {_UNITS[hidden]}"
