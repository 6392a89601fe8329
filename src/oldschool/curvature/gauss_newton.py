"""Per-sample output gradients and the Gauss-Newton matrix made of them.

H = 1/P sum_k X_k X_k^T with X_k = d(output)/d(weights), one X for every output and sample
(Hassibi & Stork 1992, section 3). X is the gradient of the outputs, not of the error: at zero
error the latter vanishes and H with it. For an error function other than the squared one,
H = 1/P sum X a X^T (Hassibi, Stork & Wolff 1993): every X is multiplied by sqrt(a).
"""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.nets.error import SQUARED, Error
from oldschool.nets.mlp import Mlp


def output_gradients(net: Mlp, theta: Tensor, x: Tensor, error: Error = SQUARED) -> Tensor:
    """X sqrt(a), X the derivatives of every output by every weight, sample by sample.

    Args:
        net: the architecture, with K outputs.
        theta: weights (R, N).
        x: inputs (P, inputs).
        error: gives a; 1 for the squared error, which leaves X.

    Returns:
        (R, N, K, P).
    """
    return outputs_and_gradients(net, theta, x, error)[1]


def _from_activities(net: Mlp, theta: Tensor, activities: list[Tensor], error: Error) -> Tensor:
    nets, outputs, samples = activities[-1].shape
    found = theta.new_empty(nets, net.weights, outputs, samples)
    slope = net.layers[-1].transfer.slope(activities[-1]) * error.weight(activities[-1]).sqrt()
    # delta[r, j, k, p] = sqrt(a_k) d output_k / d net input_j of the layer in hand
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


def outputs_and_gradients(
    net: Mlp, theta: Tensor, x: Tensor, error: Error
) -> tuple[Tensor, Tensor]:
    """One forward pass for both the outputs, (R, K, P), and X sqrt(a), (R, N, K, P)."""
    activities = net.activities(theta, x)
    return activities[-1], _from_activities(net, theta, activities, error)


def gauss_newton(gradients: Tensor) -> Tensor:
    """H = 1/P sum X a X^T over outputs and samples: (R, N, N) from X sqrt(a) (R, N, K, P)."""
    flat = gradients.flatten(2)
    return torch.bmm(flat, flat.mT) / gradients.shape[3]
