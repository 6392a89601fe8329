"""R multilayer perceptrons of one architecture, layer by layer, for training with dropout.

Activities have the samples first, (R, P, units): the products of the forward pass, of the way back
and of the gradients then all read weights (R, outputs, inputs) row by row, which on one core is up
to a quarter faster than with the samples last, and a mini-batch is gathered by whole rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

HIDDEN = ("relu", "logistic")
OUTPUTS = ("softmax", "logistic", "linear")


@dataclass(frozen=True)
class Parameters:
    """Weights of R nets; the tensors may be changed in place.

    Attributes:
        weights: a layer each, (R, outputs, inputs), contiguous.
        biases: a layer each, (R, outputs).
    """

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.weights[0])

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (*self.weights, *self.biases)

    def clone(self) -> Parameters:
        return Parameters(
            tuple(w.clone() for w in self.weights), tuple(b.clone() for b in self.biases)
        )

    def zeros(self) -> Parameters:
        """Of the same shapes, for velocities."""
        return Parameters(
            tuple(torch.zeros_like(w) for w in self.weights),
            tuple(torch.zeros_like(b) for b in self.biases),
        )

    def nets(self, index: Sequence[int]) -> Parameters:
        """A copy of the nets ``index`` alone."""
        chosen = list(index)
        return Parameters(
            tuple(w[chosen] for w in self.weights), tuple(b[chosen] for b in self.biases)
        )

    def to(self, device: torch.device | str) -> Parameters:
        return Parameters(
            tuple(w.to(device) for w in self.weights), tuple(b.to(device) for b in self.biases)
        )


@dataclass(frozen=True)
class Architecture:
    """The architecture of a net with biases, and by its outputs the error it is trained on.

    With every kind of output goes the error whose derivative with respect to the net input is
    o - t: softmax and the cross-entropy -sum t ln o; logistic and the cross-entropy
    -sum t ln o + (1 - t) ln(1 - o); linear and the squared error |o - t|^2 / 2.

    Attributes:
        sizes: units per layer from inputs to outputs, such as (784, 1024, 1024, 2048, 10).
        hidden: unit function of the hidden layers, ``"relu"`` or ``"logistic"``.
        output: ``"softmax"``, ``"logistic"`` or ``"linear"``.
    """

    sizes: tuple[int, ...]
    hidden: str = "relu"
    output: str = "softmax"

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"a net needs two or more layers of one or more units: {self.sizes}")
        for name, known in ((self.hidden, HIDDEN), (self.output, OUTPUTS)):
            if name not in known:
                raise ValueError(f"no units {name!r} here; there are {', '.join(known)}")

    @property
    def layers(self) -> int:
        """Layers of weights; dropout acts on as many: the inputs and all hidden layers."""
        return len(self.sizes) - 1

    def gaussian(
        self,
        generators: Sequence[torch.Generator],
        sds: Sequence[float],
        dtype: torch.dtype = torch.float32,
    ) -> Parameters:
        """Starting weights N(0, sd^2), biases 0.

        Args:
            generators: CPU generators, one a net.
            sds: a layer each, such as :func:`fan_in_sds` gives.
            dtype: of the weights.
        """
        nets = len(generators)
        drawn: list[Tensor] = []
        for inputs, outputs, sd in zip(self.sizes[:-1], self.sizes[1:], sds, strict=True):
            weights = torch.empty(nets, outputs, inputs, dtype=dtype)
            for net, generator in enumerate(generators):
                weights[net].normal_(0.0, sd, generator=generator)
            drawn.append(weights)
        biases = tuple(torch.zeros(nets, outputs, dtype=dtype) for outputs in self.sizes[1:])
        return Parameters(tuple(drawn), biases)

    def hidden_(self, net_inputs: Tensor) -> Tensor:
        """The hidden units' activities, in place of their net inputs."""
        return net_inputs.relu_() if self.hidden == "relu" else net_inputs.sigmoid_()

    def slope_(self, pull: Tensor, activities: Tensor) -> Tensor:
        """Multiplies ``pull`` (R, P, units), in place, by the hidden units' slopes f'.

        Both slopes, [y > 0] and y (1 - y), are those of the units that are kept where y is an
        activity times a mask of 0 and 1, and 0 where a unit is dropped: no mask is needed then.
        """
        aten = torch.ops.aten
        if self.hidden == "relu":
            aten.threshold_backward.grad_input(pull, activities, 0, grad_input=pull)
        else:
            aten.sigmoid_backward.grad_input(pull, activities, grad_input=pull)
        return pull

    def output_(self, net_inputs: Tensor) -> Tensor:
        """The outputs, in place of their net inputs (R, P, outputs)."""
        if self.output == "softmax":
            return torch.softmax(net_inputs, 2, out=net_inputs)
        return net_inputs.sigmoid_() if self.output == "logistic" else net_inputs

    def activities(
        self, parameters: Parameters, x: Tensor, factors: Sequence[Tensor | None] | None = None
    ) -> list[Tensor]:
        """Activities of the hidden layers and of the outputs, (R, P, units) each.

        Args:
            parameters: R nets.
            x: inputs shared by the nets, (P, inputs), or of each net its own, (R, P, inputs).
            factors: multiply the inputs and the hidden layers, as :class:`~.noise.Noise` draws
                them; None where, or if, nothing is dropped. The activities given are those after
                multiplication, y~ = r * y.
        """
        below = x.expand(len(parameters), -1, -1) if x.ndim == 2 else x
        if factors is not None and factors[0] is not None:
            below = below * factors[0]
        found = []
        for depth, (w, b) in enumerate(zip(parameters.weights, parameters.biases, strict=True)):
            a = torch.baddbmm(b.unsqueeze(1), below, w.mT)
            if depth == self.layers - 1:
                below = self.output_(a)
            else:
                below = self.hidden_(a)
                factor = None if factors is None else factors[depth + 1]
                if factor is not None:
                    below.mul_(factor)
            found.append(below)
        return found

    def outputs(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Outputs (R, P, outputs) without dropout; arguments as :meth:`activities`."""
        return self.activities(parameters, x)[-1]


def fan_in_sds(sizes: Sequence[int], scale: float = 1.0) -> tuple[float, ...]:
    """Standard deviations scale / sqrt(inputs) of each layer's starting weights."""
    return tuple(scale / math.sqrt(inputs) for inputs in sizes[:-1])


def fan_out_sds(sizes: Sequence[int], scales: Sequence[float]) -> tuple[float, ...]:
    """Standard deviations scale / sqrt(outputs), with a scale a layer."""
    pairs = zip(scales, sizes[1:], strict=True)
    return tuple(scale / math.sqrt(outputs) for scale, outputs in pairs)
