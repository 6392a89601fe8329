"""Grown nets as data, and one of them as an ordinary torch module.

Every unit of a cascade sees the bias, all inputs and all hidden units before it, in this order;
so do the outputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.growing.units import unit_named


@dataclass(frozen=True)
class CascadeNets:
    """R cascades, which may have different numbers of hidden units.

    Attributes:
        hidden_weights: incoming weights, (R, H, 1 + inputs + H) with H the largest number of
            hidden units; those of hidden unit h are the first 1 + inputs + h of its row, and
            everything else is 0.
        hidden: hidden units of each net, (R,) int64.
        output_weights: (R, O, 1 + inputs + H), 0 where a net has no unit.
        hidden_unit: name of the hidden units' function.
        output_unit: name of the output units' function.
    """

    hidden_weights: Tensor
    hidden: Tensor
    output_weights: Tensor
    hidden_unit: str
    output_unit: str

    @property
    def inputs(self) -> int:
        return self.hidden_weights.shape[2] - self.hidden_weights.shape[1] - 1

    def values(self, x: Tensor) -> Tensor:
        """Values of all units but the outputs.

        Args:
            x: inputs shared by the nets, (P, inputs), or of each net its own, (R, P, inputs).

        Returns:
            (R, 1 + inputs + H, P): the bias, 1, the inputs and the hidden units, 0 where a net
            has none.

        Raises:
            ValueError: the inputs do not fit the nets.
        """
        nets, most, width = self.hidden_weights.shape
        fits = x.ndim == 2 or (x.ndim == 3 and len(x) == nets)
        if not fits or x.shape[-1] != self.inputs:
            raise ValueError(
                f"{nets} nets take inputs (P, {self.inputs}) or ({nets}, P, {self.inputs}), "
                f"not {tuple(x.shape)}"
            )
        activation = unit_named(self.hidden_unit).value
        values = self.hidden_weights.new_zeros(nets, width, x.shape[-2])
        values[:, 0] = 1.0
        below = 1 + self.inputs
        values[:, 1:below] = x.mT
        for unit in range(most):
            w = self.hidden_weights[:, unit : unit + 1, : below + unit]
            exists = (self.hidden > unit)[:, None]
            value = activation(torch.bmm(w, values[:, : below + unit]))[:, 0]
            values[:, below + unit] = value * exists
        return values

    def outputs(self, x: Tensor) -> Tensor:
        """Outputs (R, O, P) for inputs (P, inputs) or (R, P, inputs), see :meth:`values`."""
        return unit_named(self.output_unit).value(torch.bmm(self.output_weights, self.values(x)))

    def to_module(self, net: int = 0) -> CascadeModule:
        """One of the nets as a module with weights of its own."""
        return CascadeModule(self, net)


class CascadeModule(torch.nn.Module):
    """One cascade as an ordinary module: inputs (..., inputs) in, outputs (..., O) out.

    Attributes:
        hidden: a ``torch.nn.Linear`` for each hidden unit, on the inputs and the hidden units
            before it.
        output: a ``torch.nn.Linear`` on the inputs and all hidden units.
    """

    def __init__(self, nets: CascadeNets, net: int) -> None:
        super().__init__()
        count, below = int(nets.hidden[net]), 1 + nets.inputs
        rows = nets.hidden_weights[net, :, None]
        self.hidden = torch.nn.ModuleList(
            _linear(rows[unit, :, : below + unit]) for unit in range(count)
        )
        self.output = _linear(nets.output_weights[net, :, : below + count])
        self.hidden_activation = _Activation(nets.hidden_unit)
        self.output_activation = _Activation(nets.output_unit)

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.hidden:
            x = torch.cat([x, self.hidden_activation(unit(x))], -1)
        outputs: Tensor = self.output_activation(self.output(x))
        return outputs


class _Activation(torch.nn.Module):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self._value: Callable[[Tensor], Tensor] = unit_named(name).value

    def forward(self, sums: Tensor) -> Tensor:
        return self._value(sums)

    def extra_repr(self) -> str:
        return self.name


def _linear(weights: Tensor) -> torch.nn.Linear:
    """A layer of the weights (units, 1 + inputs), the biases first."""
    layer = torch.nn.Linear(
        weights.shape[1] - 1, len(weights), device=weights.device, dtype=weights.dtype
    )
    with torch.no_grad():
        layer.bias.copy_(weights[:, 0])
        layer.weight.copy_(weights[:, 1:])
    return layer
