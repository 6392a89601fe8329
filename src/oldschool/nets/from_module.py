"""A torch.nn.Sequential as a net of planes, weight for weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard, TypeVar

import torch
from torch import Tensor, nn

from oldschool.errors import UserError
from oldschool.nets.parameters import evaluating
from oldschool.nets.planes import Connections, Convolution, Dense, Planes, Subsampling
from oldschool.nets.stack import Stack

M = TypeVar("M", bound=nn.Module)

_UNITS: dict[type[nn.Module], str] = {nn.Tanh: "tanh", nn.Sigmoid: "logistic", nn.ReLU: "relu"}
# In evaluation they let everything through.
_NOTHING = (
    nn.Identity,
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
_ADVICE: dict[type[nn.Module], str] = {
    nn.BatchNorm1d: "fold it into the layer before it, or ",
    nn.BatchNorm2d: "fold it into the layer before it, or ",
    nn.MaxPool2d: "take AvgPool2d in its place, or ",
}


class NoRuleError(UserError, ValueError):
    """Optimal Brain Damage's recursion has no rule for a part of a module."""


@dataclass(frozen=True)
class Translation:
    """A module as a net of planes.

    A bias that a layer of the module does without is a weight of the net, 0, and so is the 1/k^2
    of an average; they are no parameters of the module.

    Attributes:
        net: the architecture.
        theta: its weights, detached, (1, N).
        places: for each parameter of the module, by its dotted name, where in (N,) it lies and
            its shape; the order within it is the same.
    """

    net: Stack
    theta: Tensor
    places: dict[str, tuple[slice, torch.Size]]

    def by_parameter(self, values: Tensor) -> dict[str, Tensor]:
        """What belongs to each parameter of the module: views of ``values``, (N,)."""
        return {name: values[where].view(shape) for name, (where, shape) in self.places.items()}


def stack_of(module: nn.Sequential, shape: tuple[int, ...]) -> tuple[Stack, Tensor]:
    """The net and its weights (1, N) of :func:`translate`."""
    found = translate(module, shape)
    return found.net, found.theta


def translate(module: nn.Module, shape: tuple[int, ...]) -> Translation:
    """A net of planes that computes what ``module`` does in evaluation.

    Args:
        module: a Sequential, or Sequentials in one another, of Linear, Conv2d (square kernel and
            stride, padding with zeros, groups), AvgPool2d (squares that do not overlap), Flatten,
            Unflatten, Tanh, Sigmoid, ReLU, Identity and Dropout; with masks of
            torch.nn.utils.prune or without.
        shape: of one sample, such as (1, 28, 28) or (10,).

    Returns:
        The net; it takes the samples flattened, (P, inputs), and its outputs are flattened.

    Raises:
        NoRuleError: there is no rule for the module, a layer of it, or a layer's settings.
        ValueError: a layer does not fit the shape below it.
    """
    net = _Builder(tuple(shape), next(module.parameters(), torch.empty(0)))
    with evaluating(module):
        for name, layer in _leaves("", module):
            net.add(name, layer)
    if not net.schemes:
        raise NoRuleError(f"{type(module).__name__} has no layer with weights")
    stack = Stack(tuple(net.schemes), tuple(unit or "linear" for unit in net.units))
    return Translation(stack, torch.cat(net.weights)[None], net.places)


def _leaves(name: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if _is(module, nn.Sequential):
        # named_children() would leave out a layer's second use.
        for key, child in zip(module._modules, module, strict=True):
            yield from _leaves(f"{name}.{key}" if name else key, child)
    else:
        yield name, module


def _is(module: nn.Module, kind: type[M]) -> TypeGuard[M]:
    """A module of that kind, or of a class of its own that computes the same."""
    return isinstance(module, kind) and type(module).forward is kind.forward


@dataclass
class _Builder:
    """The net as far as it has been read.

    Attributes:
        shape: of a sample as the next layer gets it.
        like: of the dtype and on the device of the module.
        units: unit function of each scheme, empty as long as none has followed it.
        weights: flat, the weights and the biases of each scheme.
    """

    shape: tuple[int, ...]
    like: Tensor
    schemes: list[Connections] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    weights: list[Tensor] = field(default_factory=list)
    places: dict[str, tuple[slice, torch.Size]] = field(default_factory=dict)

    def add(self, name: str, layer: nn.Module) -> None:
        kind = f"{name} ({type(layer).__name__})" if name else type(layer).__name__
        if _is(layer, nn.Linear):
            self._dense(name, kind, layer)
        elif _is(layer, nn.Conv2d):
            self._convolution(name, kind, layer)
        elif _is(layer, nn.AvgPool2d):
            self._average(kind, layer)
        elif _is(layer, nn.Flatten) or _is(layer, nn.Unflatten):
            self._reshape(kind, layer)
        elif type(layer) in _UNITS:
            self._transfer(_UNITS[type(layer)])
        elif not isinstance(layer, _NOTHING):
            inside = f"{kind}, which is no torch.nn.Sequential" if any(layer.children()) else kind
            raise _no_rule(inside, _ADVICE.get(type(layer), ""))

    def _dense(self, name: str, kind: str, layer: nn.Linear) -> None:
        if len(self.shape) != 1:
            raise _no_rule(
                f"{kind}, which reads the last dimension of {self.shape} alone",
                "put a Flatten before it, or ",
            )
        _require(self.shape[0] == layer.in_features, kind, self.shape)
        self._trained(name, layer, Dense(Planes(*self.shape), layer.out_features))
        self.shape = (layer.out_features,)

    def _convolution(self, name: str, kind: str, layer: nn.Conv2d) -> None:
        padding = (0, 0) if layer.padding == "valid" else layer.padding
        unsquare = [
            f"{setting}={value!r}"
            for setting, value in (
                ("kernel_size", layer.kernel_size),
                ("stride", layer.stride),
                ("padding", padding),
            )
            if isinstance(value, str) or value[0] != value[1]
        ]
        if layer.dilation != (1, 1):
            unsquare.append(f"dilation={layer.dilation}")
        if layer.padding_mode != "zeros":
            unsquare.append(f"padding_mode={layer.padding_mode!r}")
        if unsquare:
            raise _no_rule(f"{kind} with {', '.join(unsquare)}")
        _require(len(self.shape) == 3 and self.shape[0] == layer.in_channels, kind, self.shape)
        planes, maps = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        scheme = Convolution(
            Planes(*self.shape),
            layer.out_channels,
            layer.kernel_size[0],
            layer.stride[0],
            int(padding[0]),
            table=tuple(
                tuple(range(group * planes, (group + 1) * planes))
                for group in range(layer.groups)
                for _ in range(maps)
            ),
        )
        self._trained(name, layer, scheme)
        self.shape = tuple(scheme.above)

    def _average(self, kind: str, layer: nn.AvgPool2d) -> None:
        kernel, stride, padding = (
            (value, value) if isinstance(value, int) else tuple(value)
            for value in (layer.kernel_size, layer.stride, layer.padding)
        )
        size = kernel[0]
        if kernel != (size, size) or stride != kernel or padding != (0, 0):
            raise _no_rule(f"{kind} with {layer.extra_repr()}")
        _require(len(self.shape) == 3, kind, self.shape)
        if any(side % size for side in self.shape[1:]):
            raise _no_rule(f"{kind} that leaves a rest of {self.shape}")
        self._fixed(Subsampling(Planes(*self.shape), size), 1 / (layer.divisor_override or size**2))
        self.shape = tuple(self.schemes[-1].above)

    def _reshape(self, kind: str, layer: nn.Module) -> None:
        after = tuple(layer(torch.empty(2, *self.shape)).shape)
        if after[0] != 2:
            raise ValueError(f"{kind} makes one of several samples")
        self.shape = after[1:]

    def _transfer(self, unit: str) -> None:
        if not self.units or self.units[-1]:
            units = int(torch.Size(self.shape).numel())
            self._fixed(Subsampling(Planes(1, 1, units), 1), 1.0)
        self.units[-1] = unit

    def _trained(self, name: str, layer: nn.Linear | nn.Conv2d, scheme: Connections) -> None:
        start = sum(len(piece) for piece in self.weights)
        weight, bias = layer.weight.detach(), layer.bias
        self.places[f"{name}.weight" if name else "weight"] = (
            slice(start, start + scheme.weights),
            weight.shape,
        )
        if bias is not None:
            self.places[f"{name}.bias" if name else "bias"] = (
                slice(start + scheme.weights, start + scheme.weights + scheme.biases),
                bias.shape,
            )
        none = weight.new_zeros(scheme.biases)
        self._put(scheme, weight.flatten(), none if bias is None else bias.detach())

    def _fixed(self, scheme: Subsampling, value: float) -> None:
        weights = self.like.new_full((scheme.weights,), value)
        self._put(scheme, weights, torch.zeros_like(weights))

    def _put(self, scheme: Connections, weights: Tensor, biases: Tensor) -> None:
        self.schemes.append(scheme)
        self.units.append("")
        self.weights += [weights, biases]


def _no_rule(what: str, advice: str = "") -> NoRuleError:
    return NoRuleError(
        f"Optimal Brain Damage's recursion has no rule for {what}: "
        f'{advice}use method="gauss_newton", which needs none'
    )


def _require(fits: bool, kind: str, shape: tuple[int, ...]) -> None:
    if not fits:
        raise ValueError(f"{kind} does not fit samples of shape {shape}")
