"""The output gradients of one net as a stream of blocks, so that no Jacobian is ever held."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from oldschool.curvature.gauss_newton import output_gradients
from oldschool.curvature.stack_gradients import output_gradient_rows
from oldschool.nets.net import Net
from oldschool.nets.stack import Stack

# Samples of a net of planes whose gradients are taken at once: more leave the cache.
_PLANES_AT_ONCE = 16


def gradient_blocks(
    net: Net, theta: Tensor, x: Tensor, rows: int = 2048, kept: Tensor | None = None
) -> Iterator[Tensor]:
    """X^T for every sample and output, in blocks of at most ``rows`` rows.

    Args:
        net: the architecture, with K outputs.
        theta: weights of one net, (N,).
        x: inputs (P, inputs).
        rows: most rows of a block; at least one sample's, K of them.
        kept: indices (n,) of the weights wanted; all N if left out.

    Yields:
        (b, n), contiguous: K rows a sample, samples one after the other.
    """
    if isinstance(net, Stack):
        for part in torch.split(x, max(1, min(rows // net.outputs_count, _PLANES_AT_ONCE))):
            found = output_gradient_rows(net, theta, part)
            yield found if kept is None else found[:, kept]
        return
    for part in torch.split(x, max(1, rows // net.sizes[-1])):
        gradients = output_gradients(net, theta[None], part)[0]  # (N, K, p)
        if kept is not None:
            gradients = gradients[kept]
        yield gradients.permute(2, 1, 0).flatten(0, 1).contiguous()
