"""The full Hessian of the error: a batched closed form, and automatic differentiation.

Unlike the Gauss-Newton matrix it keeps the terms with (t - o), and may be indefinite.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.func import hessian as func_hessian
from torch.func import vmap

from oldschool.data.task import Task
from oldschool.nets.error import squared_error
from oldschool.nets.mlp import Mlp


def autodiff_hessian(net: Mlp, theta: Tensor, task: Task, chunk: int | None = None) -> Tensor:
    """d2E/dw2 of E = 1/(2P) sum |t - o|^2 by torch.func: (R, N, N) from weights (R, N).

    Args:
        net: the architecture.
        theta: weights (R, N).
        task: the data.
        chunk: nets differentiated at once; bounds the memory.
    """

    def error(one: Tensor) -> Tensor:
        return squared_error(net.outputs(one[None], task.x), task.t)[0]

    found: Tensor = vmap(func_hessian(error), chunk_size=chunk)(theta)
    return found


def hessian(net: Mlp, theta: Tensor, task: Task) -> Tensor:
    """The same in closed form for all nets at once, tens of times as fast.

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

    Returns:
        (R, N, N).
    """
    activities = net.activities(theta, task.x)
    matrices = [w for w, _ in net.matrices(theta)]
    nets, samples, depth = len(theta), len(task), len(matrices)
    # sources[l]: what layer l reads, (R or 1, inputs + 1, P), the constant of the biases last
    sources = []
    for below in activities[:-1]:
        batch = below if below.ndim == 3 else below[None]
        sources.append(torch.cat([batch, torch.ones_like(batch[:, :1])], dim=1))

    slopes = [layer.transfer.slope(x) for layer, x in zip(net.layers, activities[1:], strict=True)]
    bends = [layer.transfer.bend(x) for layer, x in zip(net.layers, activities[1:], strict=True)]
    residual = activities[-1] - task.t.T
    delta = residual * slopes[-1]
    second = torch.diag_embed((slopes[-1] ** 2 + residual * bends[-1]).mT).permute(0, 2, 3, 1)

    places = [
        torch.cat(
            [
                torch.arange(layer.weights.start, layer.weights.stop).view(layer.outputs, -1),
                torch.arange(layer.biases.start, layer.biases.stop)[:, None],
            ],
            dim=1,
        ).flatten()
        for layer in net.layers
    ]
    found = theta.new_empty(nets, net.weights, net.weights)
    for upper in reversed(range(depth)):
        shift: Tensor | None = None  # F' T_(upper-1)m, (R, units below upper, units of m, P)
        path = second  # S_upper T_upper,m
        for lower in reversed(range(upper + 1)):
            block = _outer(path, sources[upper], sources[lower])
            if lower < upper:
                if shift is None:
                    shift = torch.diag_embed(slopes[lower].mT).permute(0, 2, 3, 1)
                else:
                    shift = _through(shift, matrices[lower + 1]) * slopes[lower].unsqueeze(1)
                moved = torch.einsum("rjp,rikp->rjikp", delta, shift)
                block[:, :, :-1] += moved @ sources[lower].mT[:, None, None]
            flat = block.reshape(nets, len(places[upper]), len(places[lower])) / samples
            found[:, places[upper][:, None], places[lower][None]] = flat
            if lower < upper:
                found[:, places[lower][:, None], places[upper][None]] = flat.mT
            if lower:
                path = _through(path, matrices[lower]) * slopes[lower - 1].unsqueeze(1)
        if upper:
            w, slope = matrices[upper], slopes[upper - 1]
            pull = torch.bmm(w.mT, delta)
            second = torch.einsum("rja,rjkp,rkb->rabp", w, second, w)
            second = second * slope.unsqueeze(1) * slope.unsqueeze(2)
            second.diagonal(dim1=1, dim2=2).add_((pull * bends[upper - 1]).mT)
            delta = pull * slope
    return found


def _through(path: Tensor, w: Tensor) -> Tensor:
    """sum_k path[r,j,k,p] w[r,k,h]: one layer further down."""
    return torch.einsum("rjkp,rkh->rjhp", path, w)


def _outer(middle: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """sum_p left[i] middle[j,k] right[h]: (R, j, i, k, h)."""
    weighted = middle.unsqueeze(2) * left[:, None, :, None, :]
    return weighted @ right.mT[:, None, None]
