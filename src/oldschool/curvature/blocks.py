"""The output gradients of one net as a stream of blocks, so that no Jacobian is ever held."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from oldschool.curvature.gauss_newton import output_gradients
from oldschool.nets.mlp import Mlp


def gradient_blocks(
    net: Mlp, theta: Tensor, x: Tensor, rows: int = 2048, kept: Tensor | None = None
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
    for part in torch.split(x, max(1, rows // net.sizes[-1])):
        gradients = output_gradients(net, theta[None], part)[0]  # (N, K, p)
        if kept is not None:
            gradients = gradients[kept]
        yield gradients.permute(2, 1, 0).flatten(0, 1).contiguous()
