"""Inputs that are 0 in every case of the data, such as the margins of MNIST's digits.

No gradient reaches their weights: without weight decay nothing changes these but max-norm, which
needs no more of them than their share of the norm. Left out of the matrix products they cost no
time. No noise is drawn for them either: a net without noise is the same but for rounding, one with
noise has other masks from the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from oldschool.dropout.network import Parameters
from oldschool.dropout.penalties import Penalties

ROW = 16  # single-precision numbers in a cache line, by which matrix products are fastest


@dataclass(frozen=True)
class InputParts:
    """The inputs in two parts.

    Attributes:
        active: numbers of the inputs that are trained on, int64, ascending.
        silent: of the others, which are always 0; at least one.
    """

    active: Tensor
    silent: Tensor

    def apart(self, parameters: Parameters) -> tuple[Parameters, Tensor]:
        """Copies of the weights: nets of the active inputs, and the first layer's silent ones."""
        first, *above = parameters.clone().weights
        ours = first.index_select(2, self.active)
        biases = tuple(b.clone() for b in parameters.biases)
        return Parameters((ours, *above), biases), first.index_select(2, self.silent)

    def together(self, parameters: Parameters, silent: Tensor) -> Parameters:
        """The whole nets; layers above the first are not copied."""
        first, *above = parameters.weights
        inputs = len(self.active) + len(self.silent)
        whole = first.new_empty(*first.shape[:2], inputs)
        whole[:, :, self.active] = first
        whole[:, :, self.silent] = silent
        return Parameters((whole, *above), parameters.biases)


def input_parts(x: Tensor, penalties: Penalties) -> InputParts | None:
    """The parts of the inputs ``x`` (N, inputs); None where all have to be trained on.

    That is where next to none is silent, or all are, or where L2 or L1 pull at every weight. So
    many silent inputs are counted as active that these are a multiple of ``ROW``.
    """
    if penalties.l2 or penalties.l1:
        return None
    active = x.amax(0).ne(0) | x.amin(0).ne(0)  # three times as fast as any()
    silent = (~active).nonzero().view(-1)
    spare = -int(active.sum()) % ROW
    active[silent[:spare]] = True
    if len(silent) <= spare or len(silent) == x.shape[1]:
        return None
    return InputParts(active.nonzero().view(-1), silent[spare:])
