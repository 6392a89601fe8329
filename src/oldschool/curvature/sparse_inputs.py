"""The Gauss-Newton matrix of a net with one hidden layer and sparse inputs, without gradients.

With hidden activities z, slopes s, output slopes f', and weights v from hidden to output units,
the gradient of output o is f'_o v_ok s_k x_h for weight (k, h) below and f'_o z_i for weight
(o, i) above, where the biases read x = 1 and z = 1. Summed over outputs and samples:

    H[(j,g),(k,h)] = 1/P sum_p x_g x_h s_j s_k sum_o f'_o^2 v_oj v_ok
    H[(o,i),(k,h)] = 1/P v_ok sum_p x_h f'_o^2 z_i s_k
    H[(o,i),(o,g)] = 1/P sum_p f'_o^2 z_i z_g,      0 between two outputs

The first sum has terms only where two inputs are on together: with one-hot codes a few dozen
pairs a sample instead of the square of the inputs. That makes it hundreds of times cheaper
than the gradients' Gram matrix, and exact.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.curvature.memory import require_memory
from oldschool.nets.mlp import Layer, Mlp

_CHUNK = 4_000_000  # numbers of a temporary, 32 MB


@dataclass(frozen=True)
class ActivePairs:
    """Which two inputs are on together in which samples; made once for a set of inputs.

    Attributes:
        first: input index of each pair, (pairs,); the bias is index ``inputs``.
        second: the other, not below ``first``.
        products: x_first x_second by pair and sample, sparse CSR (pairs, P).
        samples_of: for each input, bias last: the samples it is on in and its values there.
    """

    first: Tensor
    second: Tensor
    products: Tensor
    samples_of: tuple[tuple[Tensor, Tensor], ...]


def active_pairs(x: Tensor) -> ActivePairs:
    """The pairs of the inputs x (P, inputs) and a constant 1."""
    samples, inputs = x.shape
    full = torch.cat([x, torch.ones_like(x[:, :1])], dim=1)
    sample, source = full.nonzero(as_tuple=True)
    value = full[sample, source]
    counts = torch.bincount(sample, minlength=samples)
    starts = counts.cumsum(0) - counts
    # Each entry meets those of its sample from itself on.
    place = torch.arange(len(sample)) - starts[sample]
    partners = counts[sample] - place
    left = torch.repeat_interleave(torch.arange(len(sample)), partners)
    offset = torch.arange(len(left)) - (partners.cumsum(0) - partners)[left]
    right = left + offset
    key = source[left] * (inputs + 1) + source[right]
    pairs, row = torch.unique(key, return_inverse=True)
    indices = torch.stack([row, sample[left]])
    products = torch.sparse_coo_tensor(
        indices, value[left] * value[right], (len(pairs), samples), check_invariants=False
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        products = products.to_sparse_csr()
    order = source.argsort(stable=True)
    sizes = torch.bincount(source, minlength=inputs + 1).tolist()
    samples_of = tuple(
        zip(torch.split(sample[order], sizes), torch.split(value[order], sizes), strict=True)
    )
    return ActivePairs(pairs // (inputs + 1), pairs % (inputs + 1), products, samples_of)


def sparse_gauss_newton(
    net: Mlp,
    theta: Tensor,
    x: Tensor,
    pairs: ActivePairs,
    kept: Tensor | None = None,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """H = 1/P sum X X^T of one net, on the CPU.

    Args:
        net: an architecture with one hidden layer.
        theta: weights (N,), float64.
        x: inputs (P, inputs), float64.
        pairs: ``active_pairs(x)``.
        kept: indices (n,) of the weights wanted, ascending; all N if left out.
        dtype: what the sums, which are made in float64, are rounded to at the end.

    Returns:
        (n, n), both triangles.

    Raises:
        ValueError: the net has not exactly one hidden layer.
        DoesNotFitError: there is not enough memory.
    """
    if len(net.layers) != 2:
        raise ValueError(f"one hidden layer is needed, not a {'-'.join(map(str, net.sizes))} net")
    index = torch.arange(net.weights) if kept is None else kept
    below, middle, above = (size + 1 for size in net.sizes)
    blocks = below * (middle - 1) * (below + middle * (above - 1))  # by_pair and between
    require_memory("the Hessian", len(index), dtype, beside=blocks * theta.itemsize)
    lower, upper = (_Part.of(layer, index) for layer in net.layers)
    _, hidden, outputs = net.activities(theta[None], x)
    hidden, outputs = hidden[0], outputs[0]
    v = net.matrices(theta[None])[1][0][0]
    squared = net.layers[1].transfer.slope(outputs).square() / len(x)  # f'^2 / P, (outputs, P)
    slope = net.layers[0].transfer.slope(hidden)  # (hidden, P)
    source = torch.cat([hidden, torch.ones_like(hidden[:1])])  # z, (hidden + 1, P)
    found = torch.zeros(len(index), len(index), dtype=dtype)
    inputs = x.shape[1]
    by_pair = v.new_zeros(inputs + 1, inputs + 1, len(v.T))
    for unit in range(len(v.T)):
        back = (v[:, unit, None] * v).T @ squared * slope[unit] * slope  # (hidden k, P)
        sums = pairs.products @ back.T.contiguous()  # (pairs, hidden k)
        by_pair[pairs.first, pairs.second] = sums
        by_pair[pairs.second, pairs.first] = sums
        rows = by_pair.movedim(2, 1)  # H's rows (unit, g) and columns (k, h)
        lower.put_unit(found, unit, lower.columns(rows))
    between = _between(pairs, squared, slope, source, v)
    for unit in range(len(v)):
        block = lower.columns(between[:, unit].permute(1, 2, 0))
        upper.put_unit(found, unit, block, lower.places)
        top = (source * squared[unit]) @ source.T
        upper.put_unit(found, unit, top[:, upper.sources(unit)], upper.places_of(unit))
    found[: lower.count, lower.count :] = found[lower.count :, : lower.count].T
    return found


@dataclass(frozen=True)
class _Part:
    """One layer's weights in H, deleted ones left out.

    Attributes:
        weight: kept of the layer's weights, as (unit, input) flat, ascending.
        bias: kept of its biases, ascending.
        inputs: inputs of the layer, the bias not counted.
        start: place of its first weight in H.
    """

    weight: Tensor
    bias: Tensor
    inputs: int
    start: int

    @classmethod
    def of(cls, layer: Layer, index: Tensor) -> _Part:
        first, middle, last = layer.weights.start, layer.biases.start, layer.biases.stop
        weight = index[(index >= first) & (index < middle)] - first
        bias = index[(index >= middle) & (index < last)] - middle
        return cls(weight, bias, layer.inputs, int((index < first).sum()))

    @property
    def count(self) -> int:
        return len(self.weight) + len(self.bias)

    @property
    def places(self) -> slice:
        """Where in H the layer's kept weights are: weights, then biases."""
        return slice(self.start, self.start + self.count)

    def columns(self, block: Tensor) -> Tensor:
        """(rows, units, inputs + 1), bias last, as the layer's columns of H: (rows, count)."""
        weights = block[..., :-1].flatten(1)[:, self.weight]
        return torch.cat([weights, block[..., -1][:, self.bias]], dim=1)

    def sources(self, unit: int) -> Tensor:
        """Which of the inputs, bias last, the unit still has weights from, in H's order."""
        weight = self.weight[self.weight // self.inputs == unit] % self.inputs
        bias = torch.full_like(self.bias[self.bias == unit], self.inputs)
        return torch.cat([weight, bias])

    def places_of(self, unit: int) -> Tensor:
        """Where in H the unit's kept weights are, in the order of ``sources``."""
        weight = (self.weight // self.inputs == unit).nonzero()[:, 0]
        bias = (self.bias == unit).nonzero()[:, 0] + len(self.weight)
        return self.start + torch.cat([weight, bias])

    def put_unit(
        self, found: Tensor, unit: int, block: Tensor, columns: slice | Tensor | None = None
    ) -> None:
        """Write the rows (inputs + 1, columns), bias last, of one unit's weights into H."""
        rows = block[self.sources(unit)].to(found.dtype)
        places = self.places_of(unit)
        if isinstance(columns, Tensor):
            found[places[:, None], columns[None]] = rows
        else:
            found[places, self.places if columns is None else columns] = rows


def _between(
    pairs: ActivePairs, squared: Tensor, slope: Tensor, source: Tensor, v: Tensor
) -> Tensor:
    """Between the layers: (inputs + 1, outputs o, hidden + 1 i, hidden k).

    For each input h it is f'^2 (outputs, samples) times z_i s_k (samples, (hidden + 1) hidden),
    over the samples that h is on in.
    """
    outputs, hidden = v.shape
    found = v.new_zeros(len(pairs.samples_of), outputs, (hidden + 1) * hidden)
    at_once = max(1, _CHUNK // (hidden * (hidden + 1)))
    for h, (samples, values) in enumerate(pairs.samples_of):
        for part, value in zip(
            torch.split(samples, at_once), torch.split(values, at_once), strict=True
        ):
            moved = source[:, part].T[:, :, None] * (slope[:, part] * value).T[:, None]
            found[h].addmm_(squared[:, part], moved.flatten(1))
    return found.view(-1, outputs, hidden + 1, hidden).mul_(v[:, None])
