"""Prediction by nets trained with dropout: scaled weights, or the mean of many thinned nets.

Section 4 and Figure 11: at test every unit stays and its outgoing weights are multiplied by p;
or, dearer, the softmax outputs of k nets thinned at random, afresh for every case, are averaged.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from oldschool.dropout.network import Architecture, Parameters
from oldschool.dropout.noise import Noise


def weight_scaled(parameters: Parameters, keep: Tensor) -> Parameters:
    """The weights for use at test, W_test = p W; biases are as they were.

    For nets trained with Bernoulli noise; those trained with Gaussian noise are used as they are.

    Args:
        parameters: R nets.
        keep: p of the inputs and of every hidden layer, (R, layers).
    """
    scales = keep.to(parameters.weights[0]).unbind(1)
    scaled = [w * p.view(-1, 1, 1) for w, p in zip(parameters.weights, scales, strict=True)]
    return Parameters(tuple(scaled), tuple(b.clone() for b in parameters.biases))


def wrong(
    net: Architecture, parameters: Parameters, x: Tensor, labels: Tensor, chunk: int = 1000
) -> Tensor:
    """How many cases each net classifies wrongly, without noise.

    Args:
        net: the architecture.
        parameters: R nets, with weights as they are to be used.
        x: inputs (N, inputs).
        labels: classes (N,) int64.
        chunk: cases at a time.

    Returns:
        (R,) int64. A net with outputs that are no numbers has all those cases wrong.
    """
    found = torch.zeros(len(parameters), dtype=torch.int64, device=x.device)
    for some, right in zip(torch.split(x, chunk), torch.split(labels, chunk), strict=True):
        found += wrong_outputs(net.outputs(parameters, some), right)
    return found


def wrong_outputs(outputs: Tensor, labels: Tensor) -> Tensor:
    """How many of the cases' largest outputs are not the right ones.

    Args:
        outputs: (..., P, K).
        labels: classes (P,) int64.

    Returns:
        (...,) int64; outputs that are not finite are wrong.
    """
    right = (outputs.argmax(-1) == labels) & outputs.isfinite().all(-1)
    return (~right).sum(-1)


def thinned(net: Architecture, parameters: Parameters, x: Tensor, noise: Noise) -> Tensor:
    """Outputs of thinned nets, a net drawn afresh for every case.

    Args:
        net: the architecture.
        parameters: R nets as they were trained, not scaled.
        x: inputs (N, inputs); N is a multiple of the cases that ``noise`` is for.
        noise: of the kind and with the p that the nets were trained with.

    Returns:
        (R, N, outputs).

    Raises:
        ValueError: N is no such multiple.
    """
    if len(x) % noise.samples:
        raise ValueError(f"noise for {noise.samples} cases at a time does not fit {len(x)} cases")
    return torch.cat(
        [
            net.activities(parameters, some, noise.draw())[-1]
            for some in torch.split(x, noise.samples)
        ],
        1,
    )


def monte_carlo(
    net: Architecture, parameters: Parameters, x: Tensor, noise: Noise
) -> Iterator[Tensor]:
    """Means over 1, 2, 3, ... thinned nets, without end.

    Yields:
        The mean of the outputs of the thinned nets so far, (R, N, outputs), a new tensor each.
    """
    total, count = thinned(net, parameters, x, noise), 1
    while True:
        yield total / count
        total += thinned(net, parameters, x, noise)
        count += 1


def geometric_mean(outputs: Tensor) -> Tensor:
    """The geometric mean of softmax outputs, normalised to add up to 1.

    Weight scaling gives it exactly for softmax units without hidden ones, if the nets are those
    of all masks, as often as the masks are probable.

    Args:
        outputs: of k thinned nets, (k, ..., K).

    Returns:
        (..., K).
    """
    return torch.softmax(outputs.log().mean(0), -1)
