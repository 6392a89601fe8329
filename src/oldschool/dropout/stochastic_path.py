"""How stochastic gradient descent on inputs with dropout comes to the ridge solution.

Srivastava et al. 2014, section 9.1, says where dropout's noise leads a linear model on average.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.dropout.marginal import Noise, bernoulli, ridge


@dataclass(frozen=True)
class StochasticPath:
    """Distances of R runs from the ridge solution W*, at some of their updates.

    The distance of W is |W - W*|_H / |W*|_H, |D|_H^2 = p^2 |X D|^2 + p (1 - p) |G D|^2. Its
    square is the expected loss above its minimum, as a share of that at the start, W = 0. A
    direction counts as much as the loss feels it; one in which the expected loss is flat, such
    as the weight of an input that is always nought, does not.

    Attributes:
        updates: how many updates were done, (C,) int64.
        averaged: of the mean of all weights so far, the start left out, (C, R).
        last: of the weights themselves, (C, R).
    """

    updates: Tensor
    averaged: Tensor
    last: Tensor


def stochastic_path(
    x: Tensor,
    y: Tensor,
    p: Tensor,
    *,
    rate: float,
    batch: int,
    updates: Sequence[int],
    generators: Sequence[torch.Generator],
    noise: Noise = bernoulli,
) -> StochasticPath:
    """Descend with a constant rate, and watch the distance to the closed form.

        W <- W - rate / batch sum_i x~_i (x~_i W - y_i),    x~_i = r_i * x_i, r_i fresh,

    cases i drawn with replacement. The weights end up moving about W* at random, while their
    average goes to W*: the expected loss above its minimum is at most a constant / updates, so
    the distance in the end falls as 1 / sqrt(updates), however flat the loss, for a rate below
    1 / max_i |x_i|^2 with Bernoulli noise (Bach & Moulines 2013, theorem 1, R^2 there being at
    most max_i |x_i|^2). A batch of B allows 1 / (max_i |x_i|^2 / B + s), s the largest
    eigenvalue of p^2 X'X/n + p (1 - p) G^2/n. As long as flat directions are still to be gone,
    the weights themselves may be nearer than their average, which drags its start along.

    Args:
        x: X, (n, d), float64 as all else, shared by the runs.
        y: Y, (n, K).
        p: probability of keeping an input, (R,), of each run.
        rate: learning rate.
        batch: cases of a mini-batch.
        updates: counts of updates at which to look, rising, from 1.
        generators: one a run; draws update by update the cases, then r.
        noise: how r is drawn.

    Returns:
        The distances; not finite for a run that diverged.

    Raises:
        ValueError: the shapes do not fit, a p is not above 0 and at most 1, or the counts do
            not rise from 1.
    """
    if not updates or updates[0] < 1 or list(updates) != sorted(set(updates)):
        raise ValueError(f"the counts of updates must rise from 1 or more: {list(updates)}")
    aim, gram = ridge(x, y, p), x.T @ x
    fit, penalty = (p * p)[:, None, None], (p * (1 - p))[:, None, None] * gram.diagonal()[:, None]

    def norm(w: Tensor) -> Tensor:
        """|W|_H, (R,), through X'X: what it costs does not grow with the cases."""
        return (w * (fit * (gram @ w) + penalty * w)).sum((1, 2)).sqrt()

    size = norm(aim)
    w, total = torch.zeros_like(aim), torch.zeros_like(aim)
    averaged: list[Tensor] = []
    last: list[Tensor] = []
    for update in range(1, updates[-1] + 1):
        picked = [
            torch.randint(len(x), (batch,), generator=one, device=one.device) for one in generators
        ]
        cases = torch.stack(picked).to(x.device)
        dropped = noise((batch, x.shape[1]), p, generators).mul_(x[cases])
        wrong = torch.baddbmm(y[cases], dropped, w, beta=-1)
        w.baddbmm_(dropped.mT, wrong, alpha=-rate / batch)
        total += w
        if update == updates[len(last)]:
            averaged.append(norm(total / update - aim) / size)
            last.append(norm(w - aim) / size)
    return StochasticPath(torch.tensor(updates), torch.stack(averaged), torch.stack(last))
