"""Per-sample output gradients and the Gauss-Newton matrix made of them.

H = 1/P sum_k X_k X_k^T with X_k = d(output)/d(weights), one X for every output and sample
(Hassibi & Stork 1992, section 3). X is the gradient of the outputs, not of the error: at zero
error the latter vanishes and H with it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.nets.mlp import Mlp


def output_gradients(net: Mlp, theta: Tensor, x: Tensor) -> Tensor:
    """X: derivatives of every output with respect to every weight, sample by sample.

    Args:
        net: the architecture, with K outputs.
        theta: weights (R, N).
        x: inputs (P, inputs).

    Returns:
        (R, N, K, P).
    """
    return _from_activities(net, theta, net.activities(theta, x))


def _from_activities(net: Mlp, theta: Tensor, activities: list[Tensor]) -> Tensor:
    nets, outputs, samples = activities[-1].shape
    found = theta.new_empty(nets, net.weights, outputs, samples)
    slope = net.layers[-1].transfer.slope(activities[-1])
    # delta[r, j, k, p] = d output_k / d net input_j of the layer in hand
    delta = torch.diag_embed(slope.mT).permute(0, 2, 3, 1) if outputs > 1 else slope.unsqueeze(2)
    matrices = net.matrices(theta)
    for depth in reversed(range(len(matrices))):
        layer, below = net.layers[depth], activities[depth]
        found[:, layer.biases] = delta
        source = below.expand(nets, -1, -1)
        torch.mul(
            delta.unsqueeze(2),
            source[:, None, :, None, :],
            out=found[:, layer.weights].view(nets, layer.outputs, layer.inputs, outputs, samples),
        )
        if depth:
            slope = net.layers[depth - 1].transfer.slope(below)
            back = torch.bmm(matrices[depth][0].mT, delta.flatten(2))
            delta = back.view(nets, -1, outputs, samples) * slope.unsqueeze(2)
    return found


def residuals_and_gradients(net: Mlp, theta: Tensor, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """One forward pass for both o - t, (R, K, P), and X, (R, N, K, P)."""
    activities = net.activities(theta, x)
    return activities[-1] - t.T, _from_activities(net, theta, activities)


def gauss_newton(gradients: Tensor) -> Tensor:
    """H = 1/P sum X X^T over outputs and samples: (R, N, N) from X (R, N, K, P)."""
    flat = gradients.flatten(2)
    return torch.bmm(flat, flat.mT) / gradients.shape[3]
