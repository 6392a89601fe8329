"""The full Hessian of the error: a batched closed form, and automatic differentiation.

Unlike the Gauss-Newton matrix it keeps the terms with (t - o), and may be indefinite.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import hessian as func_hessian
from torch.func import vmap

from oldschool.data.task import Task
from oldschool.nets.error import SQUARED, Error
from oldschool.nets.mlp import Layer, Mlp, backwards


def autodiff_hessian(
    net: Mlp, theta: Tensor, task: Task, error: Error = SQUARED, chunk: int | None = None
) -> Tensor:
    """d2E/dw2 by torch.func: (R, N, N) from weights (R, N).

    Args:
        net: the architecture.
        theta: weights (R, N).
        task: the data.
        error: E.
        chunk: nets differentiated at once; bounds the memory.
    """

    def of_one(one: Tensor) -> Tensor:
        return error.value(net.outputs(one[None], task.x), task.t)[0]

    found: Tensor = vmap(func_hessian(of_one), chunk_size=chunk)(theta)
    return found


def hessian(net: Mlp, theta: Tensor, task: Task, error: Error = SQUARED) -> Tensor:
    """The same in closed form for all nets at once, tens of times as fast.

    For small nets: (inputs + 1)^2 P numbers are held beside the result.

    A shift e_m of the net inputs of layer m moves those of a layer l above by T_lm e_m. With
    S_l = d2E/da_l da_l, delta_l = dE/da_l and x_l the activities of layer l,

        S_(l-1) = F' W_l^T S_l W_l F' + diag(f'' W_l^T delta_l)
        d2E / dW_l[j,i] dW_m[k,h] = sum_p x_(l-1)[i] (S_l T_lm)[j,k] x_(m-1)[h]
                                  + sum_p delta_l[j] (F' T_(l-1)m)[i,k] x_(m-1)[h]   (m < l)

    where biases read a constant 1, which drops them from the second sum as [j,i].

    Args:
        net: the architecture.
        theta: weights (R, N).
        task: the data.
        error: E.

    Returns:
        (R, N, N).
    """
    activities = net.activities(theta, task.x)
    matrices = [w for w, _ in net.matrices(theta)]
    nets, samples, depth = len(theta), len(task), len(matrices)
    # sources[l]: what layer l reads, (inputs + 1, P) or (R, inputs + 1, P), the biases' 1 last
    sources = [torch.cat([x, torch.ones_like(x[..., :1, :])], dim=-2) for x in activities[:-1]]
    slopes = [layer.transfer.slope(x) for layer, x in zip(net.layers, activities[1:], strict=True)]
    first = error.slope(activities[-1], task.t)
    delta = first * slopes[-1]
    bend = net.layers[-1].transfer.bend(activities[-1])
    second = _diagonal(slopes[-1] ** 2 * error.bend(activities[-1], task.t) + first * bend)

    found = theta.new_empty(nets, net.weights, net.weights)
    for upper in reversed(range(depth)):
        shift: Tensor | None = None  # F' T_(upper-1)m, (R, units below upper, units of m, P)
        path = second  # S_upper T_upper,m
        for lower in reversed(range(upper + 1)):
            block = _outer(path, sources[upper], sources[lower])
            if lower < upper:
                if shift is None:
                    shift = _diagonal(slopes[lower])
                else:
                    shift = _through(shift, matrices[lower + 1]) * slopes[lower].unsqueeze(1)
                moved = torch.einsum("rjp,rikp->rjikp", delta, shift)
                block[:, :, :-1] += _over_samples(moved, sources[lower])
            _put(found, block / samples, net.layers[upper], net.layers[lower])
            if lower:
                path = _through(path, matrices[lower]) * slopes[lower - 1].unsqueeze(1)
        if upper:
            w, slope = matrices[upper], slopes[upper - 1]
            # Two products: where opt_einsum is installed, torch would reorder three at once.
            second = torch.einsum("rja,rjbp->rabp", w, _through(second, w))
            second = second * slope.unsqueeze(1) * slope.unsqueeze(2)
            pull = backwards(w, delta)
            bend = net.layers[upper - 1].transfer.bend(activities[upper])
            second.diagonal(dim1=1, dim2=2).add_((pull * bend).mT)
            delta = pull * slope
    return found


def submatrix(matrix: Tensor, index: Tensor) -> Tensor:
    """Rows and columns ``index`` (R, n) of each matrix: (R, n, n) from (R, N, N)."""
    rows = matrix.gather(1, index[:, :, None].expand(-1, -1, matrix.shape[2]))
    return rows.gather(2, index[:, None, :].expand(-1, index.shape[1], -1))


def _diagonal(values: Tensor) -> Tensor:
    """(R, units, P) as diagonal matrices (R, units, units, P)."""
    if values.shape[1] == 1:
        return values.unsqueeze(2)
    return torch.diag_embed(values.mT).permute(0, 2, 3, 1)


def _through(path: Tensor, w: Tensor) -> Tensor:
    """sum_k path[r,j,k,p] w[r,k,h]: one layer further down."""
    if w.shape[1] == 1:
        return path * w.unsqueeze(3)
    return torch.einsum("rjkp,rkh->rjhp", path, w)


def _over_samples(middle: Tensor, source: Tensor) -> Tensor:
    """sum_p middle[r,...,p] source[h,p], the source shared or one a net."""
    if source.ndim == 2:
        return middle @ source.T
    flat = torch.bmm(middle.flatten(1, -2), source.mT)
    return flat.view(*middle.shape[:-1], source.shape[1])


def _outer(middle: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """sum_p left[i] middle[j,k] right[h]: (R, j, i, k, h)."""
    few = right.shape[-2] < middle.shape[1] * middle.shape[2]
    # Inputs twice: one product with all their pairs, where these are shared or the fewer ones.
    if left.ndim == right.ndim and (left.ndim == 2 or few):
        pairs = (left.unsqueeze(-2) * right.unsqueeze(-3)).flatten(-3, -2)
        found = _over_samples(middle, pairs)
        ends = left.shape[-2], right.shape[-2]
        return found.view(*found.shape[:3], *ends).transpose(2, 3)
    return _over_samples(middle.unsqueeze(2) * left[:, None, :, None, :], right)


def _put(found: Tensor, block: Tensor, upper: Layer, lower: Layer) -> None:
    """Writes a block (R, j, i, k, h), biases last in i and h, and its transpose, to its place."""
    nets = len(found)
    for rows, i in ((upper.weights, slice(None, -1)), (upper.biases, slice(-1, None))):
        for columns, h in ((lower.weights, slice(None, -1)), (lower.biases, slice(-1, None))):
            part = block[:, :, i, :, h].reshape(nets, rows.stop - rows.start, -1)
            found[:, rows, columns] = part
            if upper is not lower:
                found[:, columns, rows] = part.mT
