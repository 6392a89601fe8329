"""Linear regression on inputs with dropout, and what is left when the noise is averaged out.

Srivastava et al. 2014, section 9.1, with targets of several outputs. For r_ij independent of mean
p and variance p (1 - p), as Bernoulli(p) has,

    E |Y - (r * X) W|^2 = |Y - p X W|^2 + p (1 - p) |G W|^2,    G = diag(X'X)^(1/2),

which is ridge regression in W~ = p W with the factor (1 - p) / p on |G W~|^2. Only the mean and
the variance of r enter: Gaussian noise N(p, p (1 - p)) has the same expected loss and the same
minimum. B values of p are one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_ENUMERABLE = 16  # inputs: 65536 masks

# (shape, p (B,), generators, one a value of p) -> r (B, *shape)
Noise = Callable[[Sequence[int], Tensor, Sequence[torch.Generator]], Tensor]


def bernoulli(shape: Sequence[int], p: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """r = 1 with probability p, else 0: (B, *shape), of p's dtype."""
    return _drawn(torch.rand, shape, p, generators).lt_(_over(p, shape))


def gaussian(shape: Sequence[int], p: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """r ~ N(p, p (1 - p)): (B, *shape), of p's dtype.

    That is p times section 10's N(1, sigma^2) with sigma^2 = (1 - p) / p.
    """
    sd = (p * (1 - p)).sqrt()
    return _drawn(torch.randn, shape, p, generators).mul_(_over(sd, shape)).add_(_over(p, shape))


def expected_loss(x: Tensor, y: Tensor, w: Tensor, p: Tensor) -> Tensor:
    """E |Y - (r * X) W|^2 in closed form, summed over cases and outputs.

    Args:
        x: X, (n, d), float64 as all else.
        y: Y, (n, K).
        w: W, the weights that dropout trains, (d, K) or for each p its own (B, d, K).
        p: probabilities of keeping an input, (B,).

    Returns:
        (B,).

    Raises:
        ValueError: the shapes do not fit, or a p is not above 0 and at most 1.
    """
    _check(x, y, p)
    fit = (y - p[:, None, None] * (x @ w)).square().sum((1, 2))
    penalty: Tensor = (torch.linalg.vector_norm(x, dim=0)[:, None] * w).square().sum((-2, -1))
    return fit + p * (1 - p) * penalty


def enumerated_loss(x: Tensor, y: Tensor, w: Tensor, p: Tensor) -> Tensor:
    """The same by the definition: over all 2^d masks of a case, weighted, case by case.

    The rows of r are independent and the loss is a sum over them, so no more masks are needed.
    Arguments and result are those of :func:`expected_loss`.

    Raises:
        ValueError: as there, or there are more than 16 inputs.
    """
    _check(x, y, p)
    d = x.shape[1]
    if d > _ENUMERABLE:
        raise ValueError(
            f"{d} inputs have too many masks to enumerate; at most {_ENUMERABLE} do not"
        )
    total = torch.zeros_like(p)
    for code in range(2**d):
        mask = torch.tensor([code >> i & 1 for i in range(d)], dtype=x.dtype, device=x.device)
        kept = code.bit_count()
        loss = (y - (mask * x) @ w).square().sum((-2, -1))
        total += p**kept * (1 - p) ** (d - kept) * loss
    return total


def sampled_losses(
    x: Tensor,
    y: Tensor,
    w: Tensor,
    p: Tensor,
    *,
    samples: int,
    generators: Sequence[torch.Generator],
    noise: Noise = bernoulli,
) -> Tensor:
    """|Y - (r * X) W|^2 for one draw of r after another, (samples, B).

    Args:
        x: as in :func:`expected_loss`, as are y, w, p and the errors.
        y: (n, K).
        w: (d, K) or (B, d, K).
        p: (B,).
        samples: draws of the whole r.
        generators: one a value of p.
        noise: how r is drawn.
    """
    _check(x, y, p)
    losses = x.new_empty(samples, len(p))
    for sample in losses:
        r = noise(x.shape, p, generators)
        sample.copy_((y - r.mul_(x) @ w).square().sum((1, 2)))
    return losses


def ridge(x: Tensor, y: Tensor, p: Tensor) -> Tensor:
    """The W of least expected loss, for each p.

    With U = G W~, W~ = p W, and X~ = X G^-1, whose columns have length one, it is the U of least
    |Y - X~ U|^2 + (1 - p) / p |U|^2. One singular value decomposition of X~ (of its triangular
    factor, as there are more cases than inputs) serves all p:
    U = V diag(s / (s^2 + (1 - p) / p)) Q'Y, without the squared condition of X'X.

    An input that is nought in every case has no say: G is singular, and the loss does not
    depend on its weight, which is returned as nought. At p = 1 nothing is penalised; where X
    has dependent columns it is then, of the many minima, the one of least |G W|, the limit of
    p -> 1, with singular values below max(n, d) eps s_max taken for nought.

    Args:
        x: X, (n, d), float64 as all else.
        y: Y, (n, K).
        p: probabilities of keeping an input, (B,).

    Returns:
        W, the weights that dropout trains, (B, d, K); the net at test has W~ = p W.

    Raises:
        ValueError: as :func:`expected_loss`.
    """
    _check(x, y, p)
    length = torch.linalg.vector_norm(x, dim=0)
    live = length > 0
    # The triangle of [X~ Y] has all that is needed of both; its Q is never formed.
    columns = int(live.sum())
    triangle = torch.linalg.qr(torch.cat([x[:, live] / length[live], y], 1), mode="r").R
    left, s, right = torch.linalg.svd(triangle[:, :columns], full_matrices=False)
    seen = s > max(x.shape) * torch.finfo(x.dtype).eps * s.max() if columns else s > 0
    s, left, right = s[seen], left[:, seen], right[seen]
    filtered = s / (s.square() + ((1 - p) / p)[:, None])
    u = right.T @ (filtered[:, :, None] * (left.T @ triangle[:, columns:]))
    w = x.new_zeros(len(p), x.shape[1], y.shape[1])
    w[:, live] = u / (length[live][:, None] * p[:, None, None])
    return w


def _drawn(
    draw: Callable[..., Tensor],
    shape: Sequence[int],
    p: Tensor,
    generators: Sequence[torch.Generator],
) -> Tensor:
    parts = [draw(*shape, generator=one, dtype=p.dtype, device=one.device) for one in generators]
    return torch.stack(parts).to(p.device)


def _over(values: Tensor, shape: Sequence[int]) -> Tensor:
    """Values (B,) to go with (B, *shape)."""
    return values.view(-1, *(1 for _ in shape))


def _check(x: Tensor, y: Tensor, p: Tensor) -> None:
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or p.ndim != 1:
        raise ValueError(
            f"inputs (n, d), targets (n, K) and p (B,) are needed, "
            f"not {tuple(x.shape)}, {tuple(y.shape)} and {tuple(p.shape)}"
        )
    if not bool(((p > 0) & (p <= 1)).all()):
        raise ValueError(
            f"p, the probability of keeping an input, must be above 0 to 1: {p.tolist()}"
        )
