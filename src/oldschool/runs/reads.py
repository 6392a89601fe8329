"""The rows of earlier experiments that a unit reads, as the text in which they are collected.

A unit gets text, and what it sees is read from that text alone. So whatever it sees is in the
hash that its digest has, however many other rows there are and whether the earlier experiment
was run just now or kept.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oldschool.runs import frames
from oldschool.runs.experiment import Experiment, Unit

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Earlier:
    """The frames that an experiment reads, to be cut into the rows of its units."""

    def __init__(self, experiment: Experiment, texts: Mapping[str, bytes]) -> None:
        """Take what the experiment reads out of what there is.

        Args:
            experiment: which reads.
            texts: {frame: its collected rows as CSV}; more than is read may be there.

        Raises:
            ValueError: a frame's rows cannot be told apart by replicate.
        """
        self._lines = {
            name: _lines(name, texts[name]) for name in experiment.reads if name in texts
        }
        self._cut: dict[tuple[int, int], dict[str, bytes]] = {}

    def rows(self, unit: Unit) -> dict[str, bytes]:
        """{frame: header and rows of the unit's replicates}; units of one block share the text."""
        block = (unit.start, unit.stop)
        if block not in self._cut:
            self._cut[block] = {name: lines.of(unit) for name, lines in self._lines.items()}
        return self._cut[block]


def hashes(rows: Mapping[str, bytes]) -> dict[str, str]:
    """{frame: sha256 of its rows}, which is what digests and manifests say about them."""
    return {name: frames.sha256(text) for name, text in rows.items()}


@dataclass(frozen=True)
class _Lines:
    header: bytes
    lines: list[bytes]
    replicates: NDArray[Any]

    def of(self, unit: Unit) -> bytes:
        wanted = (self.replicates >= unit.start) & (self.replicates < unit.stop)
        return b"".join([self.header, *(self.lines[index] for index in wanted.nonzero()[0])])


def _lines(name: str, text: bytes) -> _Lines:
    import pandas as pd

    header, *lines = text.splitlines(keepends=True)
    if "replicate" not in frames.from_csv(header).columns:
        raise ValueError(f"frame {name} is read by units, but has no column replicate")
    column = pd.read_csv(io.BytesIO(text), usecols=["replicate"])["replicate"]
    replicates = pd.to_numeric(column).to_numpy()
    if len(lines) != len(replicates):
        raise ValueError(f"frame {name} is read by units, but has line breaks within a field")
    return _Lines(header, lines, replicates)
