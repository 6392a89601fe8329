"""The squared error of a batch of nets."""

from __future__ import annotations

from torch import Tensor


def squared_error(outputs: Tensor, targets: Tensor) -> Tensor:
    """E = 1/(2P) sum |t - o|^2 of each net, (R,), for outputs (R, K, P) and targets (P, K)."""
    residual = outputs - targets.T
    return 0.5 * (residual * residual).sum((1, 2)) / len(targets)
