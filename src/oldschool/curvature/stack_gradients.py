"""The output gradients of one net of planes, a row for every sample and output."""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.nets.stack import Stack


def output_gradient_rows(net: Stack, theta: Tensor, x: Tensor) -> Tensor:
    """X^T, the derivatives of every output by every weight, sample by sample.

    Every pair of a sample and an output is taken as a net of its own with one sample, so that
    sums over connections are taken and sums over samples are not.

    Args:
        net: the architecture, with K outputs.
        theta: weights of one net, (N,).
        x: inputs (P, inputs).

    Returns:
        (P K, N): K rows a sample, samples one after the other.
    """
    trace = net.forward(theta[None], x)
    samples, outputs = len(x), net.outputs_count
    pairs = samples * outputs
    found = theta.new_empty(pairs, net.weights)
    pull = torch.eye(outputs, dtype=theta.dtype, device=theta.device)
    pull = pull[:, None].expand(-1, samples, -1).reshape(1, outputs, pairs)
    for depth in reversed(range(len(net.layers))):
        layer = net.layers[depth]
        below, above = trace.activities[depth : depth + 2]
        slope = layer.transfer.slope(above).repeat_interleave(outputs, dim=2)
        delta = pull * slope
        alone = below.reshape(-1, samples).T[:, :, None]
        columns = layer.scheme.columns(alone.contiguous()).repeat_interleave(outputs, dim=0)
        weights, biases = layer.scheme.gather(delta[0].T[:, :, None].contiguous(), columns)
        found[:, layer.weights], found[:, layer.biases] = weights, biases
        if depth:
            pull = layer.scheme.back(theta[None, layer.weights], delta)
    return found
