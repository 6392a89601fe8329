"""The inverse of the damped Gauss-Newton matrix, H^-1 = (alpha I + 1/P sum X X^T)^-1.

One net, three forms that agree: the paper's recursion (the reference), the same recursion a
block of gradients at a time, and the Gram matrix inverted at once. Many small nets: a batch of
Cholesky factors.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from oldschool.curvature import symmetric
from oldschool.curvature.memory import require_memory


def recursive_inverse(gradients: Tensor, alpha: float) -> Tensor:
    """The paper's recursion for one net, a rank-1 step for every output and sample.

    Hassibi & Stork 1992, eqs. 11-13: H^-1_0 = I / alpha, then for each X
    H^-1 <- H^-1 - H^-1 X X^T H^-1 / (P + X^T H^-1 X).  O(P n^2).

    Args:
        gradients: X of one net, (N, K, P).
        alpha: the small constant of H^-1_0; 1e-8 to 1e-4 in the paper.

    Returns:
        (N, N).

    Raises:
        ValueError: alpha is not positive.
    """
    _check(alpha)
    weights, _, samples = gradients.shape
    inverse = torch.eye(weights, dtype=gradients.dtype) / alpha
    for x in gradients.flatten(1).unbind(1):
        hx = inverse.mv(x)
        inverse = inverse - torch.outer(hx, hx) / (samples + x.dot(hx))
    return inverse


def blocked_inverse(
    blocks: Iterable[Tensor], weights: int, samples: int, alpha: float, dtype: torch.dtype
) -> Tensor:
    """The recursion with b gradients in one step, by Woodbury's identity.

    With the gradients X of a block as columns, n x b,

        H^-1 <- H^-1 - H^-1 X (P I + X^T H^-1 X)^-1 X^T H^-1,

    all of it matrix products. The same H^-1 as b steps of :func:`recursive_inverse`.

    Args:
        blocks: gradients as rows, (b, n) each; see :mod:`oldschool.curvature.blocks`.
        weights: n.
        samples: P, what the sum is divided by; outputs are not counted.
        alpha: the small constant of H^-1_0.
        dtype: of the inverse; blocks of another dtype are converted.

    Returns:
        (n, n), on the device of the blocks (the CPU if there are none).

    Raises:
        ValueError: alpha is not positive.
        DoesNotFitError: there is not enough memory.
    """
    _check(alpha)
    inverse: Tensor | None = None
    for block in blocks:
        if inverse is None:
            inverse = _prior(weights, alpha, dtype, block.device)
        rows = block.to(dtype).contiguous()
        moved = symmetric.times(rows, inverse)
        middle = symmetric.inner(rows, moved)
        middle.diagonal().add_(samples)
        symmetric.add_outer(inverse, symmetric.divide_by_root(middle, moved), -1.0)
    return _prior(weights, alpha, dtype) if inverse is None else symmetric.fill(inverse)


def gram(
    blocks: Iterable[Tensor], weights: int, samples: int, dtype: torch.dtype = torch.float64
) -> Tensor:
    """H = 1/P sum X X^T accumulated block by block; no Jacobian is held.

    Blocks are multiplied in their own dtype. Where that is float32 and ``dtype`` float64, what
    is lost is the rounding of one block's product and not of the sum.

    Args:
        blocks: gradients as rows, (b, n) each.
        weights: n.
        samples: P.
        dtype: of the sum.

    Returns:
        (n, n), both triangles.

    Raises:
        DoesNotFitError: there is not enough memory.
    """
    total: Tensor | None = None
    part: Tensor | None = None
    for block in blocks:
        if total is None:
            mixed = block.dtype != dtype
            copies = 1.0 + mixed * block.element_size() / dtype.itemsize
            require_memory("the Hessian", weights, dtype, copies, block.device)
            total = torch.zeros(weights, weights, dtype=dtype, device=block.device)
            part = torch.zeros_like(total, dtype=block.dtype) if mixed else total
        assert part is not None
        symmetric.add_outer(part, block.contiguous(), 1.0 / samples)
        if part is not total:
            total += part
            part.zero_()
    if total is None:
        return torch.zeros(weights, weights, dtype=dtype)
    return symmetric.fill(total)


def direct_inverse(hessian: Tensor, alpha: float) -> Tensor:
    """(H + alpha I)^-1 of one net through its Cholesky factor, in H's own memory.

    See :func:`oldschool.curvature.symmetric.copies_to_invert` for what it takes beside.

    Args:
        hessian: (n, n), positive semi-definite, upper triangle; overwritten.
        alpha: added to the diagonal, and nothing else.

    Returns:
        ``hessian``, both triangles; NaN where it was not positive definite with alpha.

    Raises:
        ValueError: alpha is not positive.
        DoesNotFitError: there is not enough memory.
    """
    _check(alpha)
    copies = symmetric.copies_to_invert(hessian)
    require_memory("the inverse Hessian", len(hessian), hessian.dtype, copies, hessian.device)
    hessian.diagonal().add_(alpha)
    symmetric.invert(hessian)
    return symmetric.fill(hessian)


def damped_inverse(hessian: Tensor, alpha: float | Tensor) -> Tensor:
    """(H + alpha I)^-1 of a batch by Cholesky factors: what the recursion gives, all at once.

    Args:
        hessian: positive semi-definite matrices (R, n, n).
        alpha: one number, or one a net (R,); nothing else is ever added to the diagonal.

    Returns:
        (R, n, n); NaN for a matrix that is not positive definite with its alpha, so that it
        cannot pass for an inverse.
    """
    damped = hessian.clone()
    diagonal = damped.diagonal(dim1=1, dim2=2)
    diagonal += torch.as_tensor(alpha, dtype=hessian.dtype).reshape(-1, 1)
    factor, failed = torch.linalg.cholesky_ex(damped)
    inverse = torch.cholesky_inverse(factor)
    inverse[failed > 0] = torch.nan
    return inverse


def _prior(
    weights: int, alpha: float, dtype: torch.dtype, device: torch.device | str = "cpu"
) -> Tensor:
    """H^-1_0 = I / alpha, (n, n)."""
    require_memory("the inverse Hessian", weights, dtype, device=device)
    return torch.eye(weights, dtype=dtype, device=device).div_(alpha)


def _check(alpha: float) -> None:
    if not alpha > 0:
        raise ValueError(f"alpha must be positive, not {alpha}")
