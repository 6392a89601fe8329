"""A pruned net as the connections that it still has, so that a deleted weight costs no time.

The dense forms multiply by a deleted weight's 0 as by any other number. Here every layer is one
sparse matrix over its units, with shared weights written out at each of their connections:

    pruned = unrolled(net, theta)
    labels = pruned.classify(x)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse, special
from torch import Tensor

from oldschool.nets.stack import Place, Stack
from oldschool.nets.units import LECUN_SCALE, LECUN_SLOPE

Array = NDArray[np.floating[Any]]

_AT_ONCE = 64  # units below whose connections are found at a time


def _lecun_tanh(a: Array) -> Array:
    a *= LECUN_SLOPE
    np.tanh(a, out=a)
    a *= LECUN_SCALE
    return a


# As oldschool.nets.units has them; on the few units of one sample torch's take four times as long.
# Their argument may be changed.
TRANSFERS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda a: a,
    "tanh": lambda a: np.tanh(a, out=a),
    "logistic": lambda a: np.asarray(special.expit(a, out=a)),
    "lecun_tanh": _lecun_tanh,
    "relu": lambda a: np.maximum(a, 0, out=a),
}


@dataclass(frozen=True)
class Layer:
    """One layer, x above = f(W x + b).

    Attributes:
        matrix: W, a scipy CSR array (units above, units below) without zeros.
        biases: b, (units above, 1), with what a layer sees around its planes added.
        transfer: f.
    """

    matrix: Any
    biases: Array
    transfer: Callable[[Array], Array]


@dataclass(frozen=True)
class Unrolled:
    """One net, for use alone; it is not trained.

    Attributes:
        layers: from the inputs up.
    """

    layers: tuple[Layer, ...]

    @property
    def connections(self) -> int:
        """Those that are left, biases not counted."""
        return sum(int(layer.matrix.nnz) for layer in self.layers)

    def outputs(self, x: Tensor) -> Tensor:
        """(K, P) for inputs (P, inputs) of the weights' dtype."""
        below = x.T.contiguous().numpy()
        for layer in self.layers:
            a = layer.matrix @ below
            a += layer.biases
            below = layer.transfer(a)
        return torch.from_numpy(below)

    def classify(self, x: Tensor) -> Tensor:
        """(P,) int64: which output is the largest."""
        return self.outputs(x).argmax(0)


def unrolled(net: Stack, theta: Tensor) -> Unrolled:
    """The net of one vector of weights.

    Args:
        net: the architecture.
        theta: weights (N,), float32 or float64, 0 where deleted.
    """
    return Unrolled(tuple(_layer(place, theta[None]) for place in net.layers))


def _layer(place: Place, theta: Tensor) -> Layer:
    """W column by column, as what the layer makes of a change of one unit below it."""
    w, b = theta[:, place.weights], theta[:, place.biases]
    scheme, still = place.scheme, place.scheme.still
    eye = torch.eye(scheme.below.units, dtype=theta.dtype)
    parts = [
        sparse.csr_array(still.forward(w, torch.zeros_like(b), still.columns(part))[0].numpy())
        for part in torch.split(eye, _AT_ONCE, dim=1)
    ]
    biases = scheme.forward(w, b, scheme.columns(torch.zeros_like(eye[:, :1])))[0]
    return Layer(sparse.hstack(parts, format="csr"), biases.numpy(), TRANSFERS[place.transfer.name])
