"""R multilayer perceptrons as one batch.

The weights of R nets of one architecture are one tensor ``theta`` (R, N). Activities have the
samples last, (R, units, P): the first layer of all nets is then a single matrix product with
the shared inputs, and every later one a batched product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from oldschool.nets.units import Unit, unit


@dataclass(frozen=True)
class Layer:
    """Where one layer's weights lie in the flat vector of a net.

    Attributes:
        inputs: units below.
        outputs: units of this layer.
        weights: slice of the (outputs, inputs) weights, row by row.
        biases: slice of the biases.
        transfer: the layer's unit function.
    """

    inputs: int
    outputs: int
    weights: slice
    biases: slice
    transfer: Unit


@dataclass(frozen=True)
class Mlp:
    """The architecture of a multilayer perceptron with biases.

    Attributes:
        sizes: units per layer from inputs to outputs, such as (17, 3, 1).
        hidden: unit function of the hidden layers.
        output: unit function of the output layer.
    """

    sizes: tuple[int, ...]
    hidden: str = "tanh"
    output: str = "tanh"

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"a net needs two or more layers of one or more units: {self.sizes}")
        unit(self.hidden), unit(self.output)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        layers, start = [], 0
        for depth, (inputs, outputs) in enumerate(zip(self.sizes, self.sizes[1:], strict=False)):
            middle = start + inputs * outputs
            last = depth == len(self.sizes) - 2
            transfer = unit(self.output if last else self.hidden)
            layers.append(
                Layer(
                    inputs,
                    outputs,
                    slice(start, middle),
                    slice(middle, middle + outputs),
                    transfer,
                )
            )
            start = middle + outputs
        return tuple(layers)

    @cached_property
    def weights(self) -> int:
        """N, the number of weights, biases counted."""
        return int(self.layers[-1].biases.stop)

    @cached_property
    def is_bias(self) -> Tensor:
        """(N,) bool: which of the weights are biases."""
        flags = torch.zeros(self.weights, dtype=torch.bool)
        for layer in self.layers:
            flags[layer.biases] = True
        return flags

    def uniform(
        self,
        generators: Sequence[torch.Generator],
        bound: float,
        dtype: torch.dtype = torch.float64,
    ) -> Tensor:
        """Starting weights U(-bound, bound), one generator a net: (R, N)."""
        draws = [
            torch.rand(self.weights, generator=generator, dtype=dtype) for generator in generators
        ]
        return (2 * torch.stack(draws) - 1) * bound

    def matrices(self, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Views of theta (R, N): a layer's weights (R, outputs, inputs) and biases (R, outputs)."""
        return [
            (
                theta[:, layer.weights].view(-1, layer.outputs, layer.inputs),
                theta[:, layer.biases],
            )
            for layer in self.layers
        ]

    def activities(self, theta: Tensor, x: Tensor) -> list[Tensor]:
        """Activities of every layer.

        Args:
            theta: weights (R, N).
            x: inputs shared by the nets, (P, inputs), or of each net its own, (R, P, inputs).

        Returns:
            The inputs as (inputs, P) or (R, inputs, P), then for each layer its activities
            (R, outputs, P).

        Raises:
            ValueError: the inputs or the weights do not fit the architecture.
        """
        fits = x.ndim == 2 or (x.ndim == 3 and len(x) == len(theta))
        if not fits or x.shape[-1] != self.sizes[0] or theta.shape[1:] != (self.weights,):
            raise ValueError(
                f"a {'-'.join(map(str, self.sizes))} net takes weights (R, {self.weights}) and "
                f"inputs (P, {self.sizes[0]}) or (R, P, {self.sizes[0]}), "
                f"not {tuple(theta.shape)} and {tuple(x.shape)}"
            )
        below = x.mT
        found = [below]
        for layer, (w, b) in zip(self.layers, self.matrices(theta), strict=True):
            if below.ndim == 2:  # one product for all nets: the inputs are shared
                flat = torch.addmm(b.reshape(-1, 1), w.reshape(-1, layer.inputs), below)
                a = flat.view(len(theta), layer.outputs, -1)
            else:
                a = torch.baddbmm(b.unsqueeze(2), w, below)
            below = layer.transfer.f(a)
            found.append(below)
        return found

    def outputs(self, theta: Tensor, x: Tensor) -> Tensor:
        """Outputs (R, outputs, P) for weights (R, N) and inputs (P, inputs), (R, P, inputs)."""
        return self.activities(theta, x)[-1]


def backwards(w: Tensor, delta: Tensor) -> Tensor:
    """W^T delta, from a layer's net inputs to the activities below it.

    Args:
        w: weights (R, outputs, inputs).
        delta: (R, outputs, P).

    Returns:
        (R, inputs, P).
    """
    if w.shape[1] == 1:  # one output unit: an outer product, faster than a batched one
        return w.mT * delta
    return torch.bmm(w.mT, delta)
