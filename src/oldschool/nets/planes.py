"""The connections between two layers of planes: dense, convolution, subsampling.

Every layer of a net computes a = W x + b, where W may hold a weight many times. A connection
scheme here knows the three products that back-propagation needs, for R nets at once:

    forward   a = W x + b
    back      W^T delta
    gather    for each weight, the sum over its connections (i, j) of delta_i x_j

Second derivatives by Optimal Brain Damage's recursion use the same three with W and x squared,
element by element. Activities have the samples last, (R, units, P); the units of a layer are
counted plane by plane and row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Planes(NamedTuple):
    """A layer's units: so many maps of height x width."""

    maps: int
    height: int = 1
    width: int = 1

    @property
    def units(self) -> int:
        return self.maps * self.height * self.width


class Connections(Protocol):
    """How one layer reads the one below it.

    Attributes:
        below: the planes it reads.
    """

    @property
    def below(self) -> Planes: ...

    @property
    def above(self) -> Planes:
        """The planes it feeds."""
        ...

    @property
    def weights(self) -> int:
        """Free weights, biases not counted."""
        ...

    @property
    def biases(self) -> int:
        """Free biases."""
        ...

    @property
    def uses(self) -> Tensor:
        """Connections that each weight and bias is shared by, (weights + biases,) int64."""
        ...

    @property
    def fan_in(self) -> Tensor:
        """Connections of the unit that a weight leads to, (weights + biases,)."""
        ...

    @property
    def still(self) -> Connections:
        """The same for changes of the activities: what surrounds the planes does not change."""
        ...

    def columns(self, x: Tensor, power: int = 1) -> Tensor:
        """x^power, 1 or 2, as the products take it; x is (R, units, P) or shared (units, P)."""
        ...

    def forward(self, w: Tensor, b: Tensor, columns: Tensor) -> Tensor:
        """Net inputs (R, units above, P) from weights (R, weights) and biases (R, biases)."""
        ...

    def back(self, w: Tensor, delta: Tensor) -> Tensor:
        """W^T delta, (R, units below, P), for delta (R, units above, P)."""
        ...

    def gather(self, delta: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Sums over connections and samples: (R, weights) and (R, biases)."""
        ...


@dataclass(frozen=True)
class Dense:
    """Every unit reads every unit below.

    Attributes:
        below: the planes it reads.
        units: its units.
    """

    below: Planes
    units: int

    def __post_init__(self) -> None:
        _require(self.units >= 1, "units", self.units)

    @property
    def above(self) -> Planes:
        return Planes(self.units)

    @property
    def weights(self) -> int:
        return self.units * self.below.units

    @property
    def biases(self) -> int:
        return self.units

    @property
    def uses(self) -> Tensor:
        return torch.ones(self.weights + self.biases, dtype=torch.int64)

    @property
    def fan_in(self) -> Tensor:
        return torch.full((self.weights + self.biases,), self.below.units + 1)

    @property
    def still(self) -> Dense:
        return self

    def columns(self, x: Tensor, power: int = 1) -> Tensor:
        return x if power == 1 else x * x

    def forward(self, w: Tensor, b: Tensor, columns: Tensor) -> Tensor:
        matrix = w.view(-1, self.units, self.below.units)
        if columns.ndim == 2:  # one product for all nets: the inputs are shared
            flat = torch.addmm(b.reshape(-1, 1), matrix.reshape(-1, self.below.units), columns)
            return flat.view(len(w), self.units, -1)
        return torch.baddbmm(b.unsqueeze(2), matrix, columns)

    def back(self, w: Tensor, delta: Tensor) -> Tensor:
        return torch.bmm(w.view(-1, self.units, self.below.units).mT, delta)

    def gather(self, delta: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        return _outer(delta, columns).flatten(1), delta.sum(2)


@dataclass(frozen=True)
class Convolution:
    """Maps of units that share a kernel, each reading some of the planes below.

    Attributes:
        below: the planes it reads.
        maps: its maps.
        kernel: side of the square that a unit reads of each plane.
        stride: how far the squares of neighbouring units are apart.
        padding: rows and columns put around every plane below.
        border: the value they have.
        table: for each map the planes it reads, in rising order; None for all of them.
        shared_bias: one bias a map; else one a unit.
    """

    below: Planes
    maps: int
    kernel: int
    stride: int = 1
    padding: int = 0
    border: float = 0.0
    table: tuple[tuple[int, ...], ...] | None = None
    shared_bias: bool = True

    def __post_init__(self) -> None:
        for name in ("maps", "kernel", "stride"):
            _require(getattr(self, name) >= 1, name, getattr(self, name))
        _require(self.padding >= 0, "padding", self.padding)
        room = min(self.below.height, self.below.width) + 2 * self.padding
        _require(self.kernel <= room, "kernel", self.kernel)
        planes = range(self.below.maps)
        fits = self.table is None or (
            len(self.table) == self.maps
            and all(row == tuple(sorted(set(row))) and row for row in self.table)
            and all(plane in planes for row in self.table for plane in row)
        )
        _require(fits, "table", self.table)

    @cached_property
    def above(self) -> Planes:
        height, width = (
            (side + 2 * self.padding - self.kernel) // self.stride + 1 for side in self.below[1:]
        )
        return Planes(self.maps, height, width)

    @cached_property
    def _table(self) -> tuple[tuple[int, ...], ...]:
        return self.table or (tuple(range(self.below.maps)),) * self.maps

    @cached_property
    def kernels(self) -> int:
        """How many pairs of a map and a plane that it reads."""
        return sum(len(row) for row in self._table)

    @cached_property
    def weights(self) -> int:
        return self.kernels * self.kernel**2

    @cached_property
    def biases(self) -> int:
        return self.maps if self.shared_bias else self.above.units

    @cached_property
    def uses(self) -> Tensor:
        positions = self.above.height * self.above.width
        of_bias = positions if self.shared_bias else 1
        return torch.tensor([positions] * self.weights + [of_bias] * self.biases)

    @cached_property
    def fan_in(self) -> Tensor:
        fan = [len(row) * self.kernel**2 + 1 for row in self._table]
        of_weights = [one for one in fan for _ in range(one - 1)]
        each = self.biases // self.maps
        return torch.tensor(of_weights + [one for one in fan for _ in range(each)])

    @cached_property
    def _groups(self) -> int:
        """Blocks of maps that read blocks of planes apart: their products are smaller."""
        for groups in range(self.below.maps, 1, -1):
            planes, maps = self.below.maps // groups, self.maps // groups
            if (
                self.below.maps % groups == 0
                and self.maps % groups == 0
                and all(
                    plane // planes == number // maps
                    for number, row in enumerate(self._table)
                    for plane in row
                )
            ):
                return groups
        return 1

    @cached_property
    def _slots(self) -> NDArray[np.int64]:
        """Where each weight stands in the matrices with zeros for planes that are not read.

        An array, as a tensor first made inside a torch.func transform cannot be kept.
        """
        planes, area = self.below.maps // self._groups, self.kernel**2
        return np.array(
            [
                (number * planes + plane % planes) * area + k
                for number, row in enumerate(self._table)
                for plane in row
                for k in range(area)
            ]
        )

    @cached_property
    def _sources(self) -> NDArray[np.int64]:
        """Which weight stands in each place of these matrices, one past the last for none."""
        places = {slot: k for k, slot in enumerate(self._slots.tolist())}
        size = self.maps * self.below.maps // self._groups * self.kernel**2
        return np.array([places.get(slot, self.weights) for slot in range(size)])

    @cached_property
    def _sizes(self) -> tuple[int, int, int, int]:
        """Groups, maps of one, what a map reads at a position, positions."""
        groups = self._groups
        depth = self.below.maps // groups * self.kernel**2
        return groups, self.maps // groups, depth, self.above.height * self.above.width

    def _matrices(self, w: Tensor) -> Tensor:
        """(R, groups, maps of a group, what they read)."""
        groups, maps, depth, _ = self._sizes
        if self.weights < self.maps * depth:
            w = torch.nn.functional.pad(w, (0, 1)).index_select(1, torch.from_numpy(self._sources))
        return w.reshape(-1, groups, maps, depth)

    @cached_property
    def still(self) -> Convolution:
        return replace(self, border=0.0)

    def columns(self, x: Tensor, power: int = 1) -> Tensor:
        """(R, groups, what a unit reads, positions * P); without R where x is shared."""
        lead = x.ndim - 2
        if power == 2:
            x = x * x
        planes = x.reshape(*x.shape[:lead], *self.below, x.shape[-1])
        if self.padding:
            # pad() knows the last dimensions only: 0 for the samples, then columns and rows
            sides = (0, 0, *(self.padding,) * 4)
            planes = torch.nn.functional.pad(planes, sides, value=self.border**power)
        squares = planes.unfold(lead + 1, self.kernel, self.stride)
        squares = squares.unfold(lead + 2, self.kernel, self.stride)
        # (..., maps, height, width, P, kernel, kernel) -> (..., maps, kernel, kernel, ...)
        order = [*range(lead + 1), lead + 4, lead + 5, lead + 1, lead + 2, lead + 3]
        groups, _, depth, positions = self._sizes
        shape = (*x.shape[:lead], groups, depth, positions * x.shape[-1])
        return squares.permute(order).reshape(shape)

    def forward(self, w: Tensor, b: Tensor, columns: Tensor) -> Tensor:
        groups, maps, depth, positions = self._sizes
        matrices = self._matrices(w)
        if columns.ndim == 3:  # one product for all nets: the inputs are shared
            tall = matrices.transpose(0, 1).reshape(groups, -1, depth)
            a = torch.bmm(tall, columns).view(groups, len(w), maps, -1).transpose(0, 1)
        else:
            a = torch.bmm(matrices.flatten(0, 1), columns.flatten(0, 1))
        a = a.reshape(len(w), self.maps, positions, -1)
        a += b.view(len(w), self.maps, -1, 1)
        return a.reshape(len(w), self.above.units, -1)

    def back(self, w: Tensor, delta: Tensor) -> Tensor:
        groups, maps, _, positions = self._sizes
        samples = delta.shape[2]
        flat = delta.reshape(len(w) * groups, maps, positions * samples)
        spread = torch.bmm(self._matrices(w).flatten(0, 1).mT, flat)
        _, height, width = self.above
        side, step, edge = self.kernel, self.stride, self.padding
        spread = spread.view(len(w), self.below.maps, side, side, height, width, samples)
        _, rows, columns = self.below
        # Overlapping squares are added up, first along the height, then along the width.
        tall = w.new_zeros(len(w), self.below.maps, side, rows + 2 * edge, width, samples)
        for k in range(side):
            tall[:, :, :, k : k + step * (height - 1) + 1 : step] += spread[:, :, k]
        whole = w.new_zeros(len(w), self.below.maps, rows + 2 * edge, columns + 2 * edge, samples)
        for k in range(side):
            whole[:, :, :, k : k + step * (width - 1) + 1 : step] += tall[:, :, k]
        inside = whole[:, :, edge : edge + rows, edge : edge + columns]
        return inside.reshape(len(w), self.below.units, samples)

    def gather(self, delta: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        groups, maps, depth, positions = self._sizes
        nets, samples = len(delta), delta.shape[2]
        flat = delta.reshape(nets, groups, maps, positions * samples)
        if columns.ndim == 3:
            tall = flat.transpose(0, 1).reshape(groups, nets * maps, -1)
            sums = torch.bmm(tall, columns.mT).view(groups, nets, maps, depth).transpose(0, 1)
        else:
            sums = torch.bmm(flat.flatten(0, 1), columns.flatten(0, 1).mT)
        sums = sums.reshape(nets, self.maps * depth)
        if self.weights < self.maps * depth:
            sums = sums.index_select(1, torch.from_numpy(self._slots))
        if self.shared_bias:
            return sums, delta.view(nets, self.maps, -1).sum(2)
        return sums, delta.sum(2)


@dataclass(frozen=True)
class Subsampling:
    """A plane for each plane below; a unit weighs the sum of its square by one weight a plane.

    Attributes:
        below: the planes it reads.
        size: side of the squares, which do not overlap.
    """

    below: Planes
    size: int = 2

    def __post_init__(self) -> None:
        fits = self.size >= 1 and not any(side % self.size for side in self.below[1:])
        _require(fits, "size", self.size)

    @cached_property
    def above(self) -> Planes:
        return Planes(
            self.below.maps, self.below.height // self.size, self.below.width // self.size
        )

    @property
    def weights(self) -> int:
        return self.below.maps

    @property
    def biases(self) -> int:
        return self.below.maps

    @property
    def uses(self) -> Tensor:
        positions, maps = self.above.height * self.above.width, self.below.maps
        return torch.tensor([positions * self.size**2] * maps + [positions] * maps)

    @property
    def fan_in(self) -> Tensor:
        return torch.full((2 * self.below.maps,), self.size**2 + 1)

    @property
    def still(self) -> Subsampling:
        return self

    def columns(self, x: Tensor, power: int = 1) -> Tensor:
        """Sums over each unit's square: (R, units above, P), without R where x is shared."""
        if power == 2:
            x = x * x
        lead, (maps, height, width) = x.shape[:-2], self.above
        cut = x.reshape(*lead, maps, height, self.size, width, self.size, x.shape[-1])
        rows = cut[..., 0, :, :, :]
        for k in range(1, self.size):
            rows = rows + cut[..., k, :, :, :]
        found = rows[..., 0, :]
        for k in range(1, self.size):
            found = found + rows[..., k, :]
        return found.reshape(*lead, self.above.units, x.shape[-1])

    def forward(self, w: Tensor, b: Tensor, columns: Tensor) -> Tensor:
        sums = columns.view(
            -1, self.below.maps, columns.shape[-2] // self.below.maps, columns.shape[-1]
        )
        return torch.addcmul(b[:, :, None, None], w[:, :, None, None], sums).flatten(1, 2)

    def back(self, w: Tensor, delta: Tensor) -> Tensor:
        maps, height, width = self.above
        pulled = delta.reshape(len(w), maps, height * width, -1) * w[:, :, None, None]
        # First along the rows, then whole rows: long runs are copied much faster than short ones.
        wide = pulled.view(len(w), maps, height, width, 1, -1).expand(-1, -1, -1, -1, self.size, -1)
        rows = wide.reshape(len(w), maps, height, 1, -1).expand(-1, -1, -1, self.size, -1)
        return rows.reshape(len(w), self.below.units, -1)

    def gather(self, delta: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
        shape = (len(delta), self.below.maps, -1)
        return (delta * columns).reshape(shape).sum(2), delta.reshape(shape).sum(2)


def _require(fits: bool, name: str, value: object) -> None:
    if not fits:
        raise ValueError(f"{name} does not fit the planes: {value}")


def _outer(delta: Tensor, below: Tensor) -> Tensor:
    """sum over samples of delta x^T: (R, units above, units below); x may be shared."""
    if below.ndim == 2:
        return (delta.flatten(0, 1) @ below.T).view(len(delta), delta.shape[1], -1)
    return torch.bmm(delta, below.mT)
