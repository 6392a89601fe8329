"""The inverse of the damped Gauss-Newton matrix, H^-1 = (alpha I + 1/P sum X X^T)^-1."""

from __future__ import annotations

import torch
from torch import Tensor


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
    if not alpha > 0:
        raise ValueError(f"alpha must be positive, not {alpha}")
    weights, _, samples = gradients.shape
    inverse = torch.eye(weights, dtype=gradients.dtype) / alpha
    for x in gradients.flatten(1).unbind(1):
        hx = inverse.mv(x)
        inverse = inverse - torch.outer(hx, hx) / (samples + x.dot(hx))
    return inverse


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
