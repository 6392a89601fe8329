"""R nets of planes as one batch: any stack of dense, convolution and subsampling layers.

As in :mod:`oldschool.nets.mlp` the weights of R nets of one architecture are one tensor (R, N),
and activities have the samples last, (R, units, P).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from torch import Tensor

from oldschool.nets.planes import Connections, Planes
from oldschool.nets.units import Unit, unit


@dataclass(frozen=True)
class Place:
    """Where one layer's weights lie in the flat vector of a net.

    Attributes:
        name: how rows and messages call the layer.
        scheme: its connections.
        transfer: its unit function.
        weights: slice of its weights, whose order is that of the scheme.
        biases: slice of its biases.
    """

    name: str
    scheme: Connections
    transfer: Unit
    weights: slice
    biases: slice


@dataclass(frozen=True)
class Trace:
    """What a forward pass leaves for the passes back.

    Attributes:
        activities: the inputs, (inputs, P) or (R, inputs, P), then each layer's, (R, units, P).
        columns: what each layer read, as its connections take it.
    """

    activities: list[Tensor]
    columns: list[Tensor]

    @property
    def outputs(self) -> Tensor:
        """(R, K, P)."""
        return self.activities[-1]


@dataclass(frozen=True)
class Stack:
    """The architecture of a net of planes.

    Attributes:
        schemes: connections of the layers from the inputs up.
        units: the layers' unit functions, or one for all; see :data:`oldschool.nets.units.UNITS`.
        names: how the layers are called; numbers from 1 if left out.
    """

    schemes: tuple[Connections, ...]
    units: tuple[str, ...] | str = "lecun_tanh"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.schemes:
            raise ValueError("a net needs a layer")
        for lower, upper in pairwise(self.schemes):
            if lower.above.units != upper.below.units:
                raise ValueError(f"{upper} cannot stand on {lower.above}")
        for wanted, name in ((self.units, "units"), (self.names, "names")):
            if not isinstance(wanted, str) and wanted and len(wanted) != len(self.schemes):
                raise ValueError(f"{len(self.schemes)} layers need as many {name}: {wanted}")

    @cached_property
    def layers(self) -> tuple[Place, ...]:
        found, start = [], 0
        for depth, scheme in enumerate(self.schemes):
            middle = start + scheme.weights
            found.append(
                Place(
                    self.names[depth] if self.names else str(depth + 1),
                    scheme,
                    unit(self.units if isinstance(self.units, str) else self.units[depth]),
                    slice(start, middle),
                    slice(middle, middle + scheme.biases),
                )
            )
            start = middle + scheme.biases
        return tuple(found)

    @property
    def inputs(self) -> Planes:
        """The field that the first layer reads."""
        return self.schemes[0].below

    @property
    def outputs_count(self) -> int:
        """K."""
        return self.schemes[-1].above.units

    @cached_property
    def weights(self) -> int:
        """N, the free parameters of a net, biases counted."""
        return int(self.layers[-1].biases.stop)

    @cached_property
    def uses(self) -> Tensor:
        """(N,) int64: how many connections share each weight."""
        return torch.cat([scheme.uses for scheme in self.schemes])

    @cached_property
    def connections(self) -> int:
        """Connections, each use of a shared weight counted, those to biases included."""
        return int(self.uses.sum())

    @cached_property
    def units_count(self) -> int:
        """Units, inputs counted, the bias not."""
        return self.inputs.units + sum(scheme.above.units for scheme in self.schemes)

    @cached_property
    def layer_of(self) -> Tensor:
        """(N,) int64: the layer, from 0, that each weight belongs to."""
        sizes = torch.tensor([scheme.weights + scheme.biases for scheme in self.schemes])
        return torch.repeat_interleave(torch.arange(len(sizes)), sizes)

    def uniform(
        self,
        generators: Sequence[torch.Generator],
        scale: float,
        dtype: torch.dtype = torch.float64,
    ) -> Tensor:
        """Starting weights (R, N), U(-scale/F, scale/F), F the fan-in; one generator a net."""
        bound = scale / torch.cat([scheme.fan_in for scheme in self.schemes]).to(dtype)
        draws = [torch.rand(self.weights, generator=one, dtype=dtype) for one in generators]
        return (2 * torch.stack(draws) - 1) * bound

    def forward(self, theta: Tensor, x: Tensor) -> Trace:
        """A forward pass.

        Args:
            theta: weights (R, N).
            x: inputs shared by the nets, (P, inputs), or of each net its own, (R, P, inputs).

        Raises:
            ValueError: the inputs or the weights do not fit the architecture.
        """
        self.require(theta, x)
        below = x.mT.contiguous()  # layers read runs of samples
        activities, columns = [below], []
        for layer in self.layers:
            read = layer.scheme.columns(below)
            columns.append(read)
            a = layer.scheme.forward(theta[:, layer.weights], theta[:, layer.biases], read)
            below = layer.transfer.f(a)
            activities.append(below)
        return Trace(activities, columns)

    def require(self, theta: Tensor, x: Tensor) -> None:
        """Raises a ValueError for inputs or weights that do not fit the architecture."""
        fits = x.ndim == 2 or (x.ndim == 3 and len(x) == len(theta))
        if not fits or x.shape[-1] != self.inputs.units or theta.shape[1:] != (self.weights,):
            raise ValueError(
                f"the net takes weights (R, {self.weights}) and inputs (P, {self.inputs.units}) "
                f"or (R, P, {self.inputs.units}), not {tuple(theta.shape)} and {tuple(x.shape)}"
            )

    def outputs(self, theta: Tensor, x: Tensor) -> Tensor:
        """Outputs (R, K, P) for weights (R, N) and inputs (P, inputs) or (R, P, inputs)."""
        return self.forward(theta, x).outputs

    def push_forward(self, theta: Tensor, trace: Trace, change: Tensor) -> Tensor:
        """J change: how the outputs change to first order.

        Args:
            theta: weights (R, N).
            trace: of the forward pass at these weights.
            change: of the weights, (R, N).

        Returns:
            (R, K, P).
        """
        moved: Tensor | None = None
        for depth, layer in enumerate(self.layers):
            dw, db = change[:, layer.weights], change[:, layer.biases]
            da = layer.scheme.forward(dw, db, trace.columns[depth])
            if moved is not None:
                read = layer.scheme.still.columns(moved)
                da += layer.scheme.forward(theta[:, layer.weights], torch.zeros_like(db), read)
            moved = layer.transfer.slope(trace.activities[depth + 1]).mul_(da)
        assert moved is not None
        return moved

    def pull_back(self, theta: Tensor, trace: Trace, pull: Tensor) -> Tensor:
        """J^T pull: the gradient of an error whose slope at the outputs is ``pull``.

        Args:
            theta: weights (R, N).
            trace: of the forward pass at these weights.
            pull: (R, K, P).

        Returns:
            (R, N), summed over the samples.
        """
        found = torch.empty_like(theta)
        for depth in reversed(range(len(self.layers))):
            layer = self.layers[depth]
            delta = layer.transfer.slope(trace.activities[depth + 1]).mul_(pull)
            sums, biases = layer.scheme.gather(delta, trace.columns[depth])
            found[:, layer.weights] = sums
            found[:, layer.biases] = biases
            if depth:
                pull = layer.scheme.back(theta[:, layer.weights], delta)
        return found
