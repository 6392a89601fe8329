"""Contrastive divergence for restricted Boltzmann machines with dropout, R of them as one batch.

Hinton 2002; with dropout, Srivastava et al. 2014, section 8.1: r is drawn first, and only the
hidden units that are there take part.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from oldschool.dropout.rbm import Rbm


def cd1_update(
    rbm: Rbm,
    step: Rbm,
    v: Tensor,
    r: Tensor | None,
    u: Tensor,
    *,
    rate: float,
    momentum: float,
) -> None:
    """One update by contrastive divergence with one step of Gibbs sampling, in place.

    Of every case, with m = P(h | r, v) and h drawn from it, v' = P(v | h) and m' = P(h | r, v'),

        dW = rate <m v - m' v'> + momentum dW(before),    likewise da: v - v', db: m - m'.

    The same r holds for both halves, so a dropped unit learns nothing from the case. The
    reconstruction v' is left as probabilities, not drawn, as is usual (Hinton 2010, section
    3.2); the paper does not say.

    Args:
        rbm: changed.
        step: the last change of each weight and bias, nought at the start; changed.
        v: a batch for each machine, (R, B, visible).
        r: hidden units that are there, (R, B, hidden); None when all are.
        u: uniform on [0, 1), (R, B, hidden): h_j = 1 where u_j < m_j.
        rate: learning rate, on the mean over the batch.
        momentum: share of the last change that is repeated.
    """
    data_means = rbm.hidden_means(v, r)
    reconstructed = rbm.visible_means((u < data_means).to(v.dtype))
    model_means = rbm.hidden_means(reconstructed, r)
    alpha = rate / v.shape[1]
    step.weights.baddbmm_(data_means.mT, v, beta=momentum, alpha=alpha)
    step.weights.baddbmm_(model_means.mT, reconstructed, alpha=-alpha)
    step.visible_bias.mul_(momentum).add_((v - reconstructed).sum(1), alpha=alpha)
    step.hidden_bias.mul_(momentum).add_(data_means.sub_(model_means).sum(1), alpha=alpha)
    rbm.weights.add_(step.weights)
    rbm.visible_bias.add_(step.visible_bias)
    rbm.hidden_bias.add_(step.hidden_bias)


def train_rbm(
    rbm: Rbm,
    x: Tensor,
    *,
    p: float,
    rate: float,
    momentum: float,
    epochs: int,
    batch: int,
    generators: Sequence[torch.Generator],
) -> Rbm:
    """CD-1 with momentum on mini-batches, a fresh r for every case every time it is shown.

    Args:
        rbm: where to start; not changed.
        x: cases, 0 to 1: (P, visible) shared by the machines, or (R, P, visible), a set each.
            Values between are taken as probabilities.
        p: probability of keeping a hidden unit; 1 for a standard machine.
        rate: learning rate, on the mean over a batch.
        momentum: share of the last change that is repeated.
        epochs: passes through the cases.
        batch: cases of a mini-batch; a last smaller one is used too.
        generators: one a machine; draws the order of its cases in every pass, then batch by
            batch r, unless p = 1, and the hidden states.

    Returns:
        The trained machines; not finite for one that diverged.

    Raises:
        ValueError: p is not above 0 and at most 1, or machines, cases and generators do not fit.
    """
    machines, hidden, visible = rbm.weights.shape
    fits = x.ndim == 2 or (x.ndim == 3 and len(x) == machines)
    if not fits or x.shape[-1] != visible or len(generators) != machines:
        raise ValueError(
            f"{machines} machines of {visible} visible units take as many generators and cases "
            f"(P, {visible}) or ({machines}, P, {visible}), "
            f"not {len(generators)} and {tuple(x.shape)}"
        )
    if not 0 < p <= 1:
        raise ValueError(f"p, the probability of keeping a unit, must be above 0 to 1, not {p}")
    rbm = Rbm(rbm.weights.clone(), rbm.visible_bias.clone(), rbm.hidden_bias.clone())
    step = Rbm(*map(torch.zeros_like, (rbm.weights, rbm.visible_bias, rbm.hidden_bias)))
    machine = torch.arange(machines)[:, None]

    def uniform(cases: int) -> Tensor:
        drawn = [
            torch.rand(cases, hidden, generator=one, dtype=x.dtype, device=one.device)
            for one in generators
        ]
        return torch.stack(drawn).to(x.device)

    for _ in range(epochs):
        orders = [
            torch.randperm(x.shape[-2], generator=one, device=one.device) for one in generators
        ]
        for part in torch.split(torch.stack(orders).to(x.device), batch, dim=1):
            v = x[part] if x.ndim == 2 else x[machine, part]
            r = None if p == 1 else uniform(v.shape[1]) < p
            u = uniform(v.shape[1])
            cd1_update(rbm, step, v, r, u, rate=rate, momentum=momentum)
    return rbm
