"""Pretraining of a feed-forward net by a stack of restricted Boltzmann machines.

Hinton & Salakhutdinov 2006; for dropout, Srivastava et al. 2014, section 5.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from oldschool.dropout.contrastive_divergence import train_rbm
from oldschool.dropout.rbm import Rbm, gaussian_rbm


def stack_of_rbms(
    x: Tensor,
    hidden: Sequence[int],
    *,
    rate: float,
    momentum: float,
    epochs: int,
    batch: int,
    generators: Sequence[torch.Generator],
) -> list[Rbm]:
    """Train layer by layer: each machine's visible units are the hidden means of the one below.

    Nothing is dropped: the pretraining stays as it was before dropout (section 5.2).

    Args:
        x: cases, 0 to 1, (P, visible), shared by the R stacks.
        hidden: units of each layer, from the bottom.
        rate: see :func:`~oldschool.dropout.contrastive_divergence.train_rbm`.
        momentum: share of the last change that is repeated.
        epochs: passes through the cases for every layer.
        batch: cases of a mini-batch.
        generators: one a stack; draws a layer's weights, then what its training draws.

    Returns:
        The layers from the bottom, R machines each, of x's dtype and device.
    """
    layers: list[Rbm] = []
    for units in hidden:
        if layers:
            x = layers[-1].hidden_means(x)
        start = gaussian_rbm(generators, x.shape[-1], units, dtype=x.dtype, device=x.device)
        layers.append(
            train_rbm(
                start,
                x,
                p=1.0,
                rate=rate,
                momentum=momentum,
                epochs=epochs,
                batch=batch,
                generators=generators,
            )
        )
    return layers


def feed_forward(layers: Sequence[Rbm], p: Sequence[float]) -> list[tuple[Tensor, Tensor]]:
    """The stack's weights as those of the lower layers of a net with logistic units.

    A layer's weights are divided by the probability of keeping a unit it is fed by, for the mean
    net input under dropout to be what it was in pretraining (section 5.2). This is for nets
    that drop without rescaling and multiply these weights by p at test; one that divides the
    kept activities by p, and one without dropout, takes p = 1.

    Args:
        layers: machines from the bottom.
        p: probability of keeping a unit below each of them: the inputs', then those of the
            hidden layers but the last.

    Returns:
        Of each layer, from the bottom, weights (R, outputs, inputs) and biases (R, outputs).

    Raises:
        ValueError: p does not fit the layers.
    """
    if len(p) != len(layers) or not all(0 < keep <= 1 for keep in p):
        raise ValueError(f"{len(layers)} layers need as many p above 0 to 1, not {tuple(p)}")
    return [
        (layer.weights / keep, layer.hidden_bias.clone())
        for layer, keep in zip(layers, p, strict=True)
    ]
