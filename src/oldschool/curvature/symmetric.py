"""Symmetric matrices of one large net, updated in place and kept in their upper triangle.

Half of a symmetric matrix is half the arithmetic. BLAS has routines for that (syrk, symm, and
LAPACK's potrf and potri), torch has none on the CPU, so there scipy's are called on the tensor's
own memory. On other devices torch multiplies whole matrices, and both triangles are right.
"""

from __future__ import annotations

from typing import Any

import torch
from scipy.linalg import blas, lapack
from torch import Tensor

_STRIPE = 1024  # rows mirrored at once


def _scipy(matrix: Tensor, name: str, library: Any = blas) -> Any:
    """BLAS's or LAPACK's ``name`` for the matrix's dtype, or None where torch must do."""
    kind = {torch.float64: "d", torch.float32: "s"}.get(matrix.dtype)
    if matrix.device.type != "cpu" or kind is None:
        return None
    return getattr(library, kind + name)


def _columns(tensor: Tensor) -> Any:
    """The tensor's memory as LAPACK reads it, column by column: its transpose.

    The upper triangle of a tensor is the lower triangle of what LAPACK sees.
    """
    if not tensor.is_contiguous():
        raise ValueError("the tensor must be contiguous")
    return tensor.numpy().T


def add_outer(matrix: Tensor, rows: Tensor, scale: float = 1.0) -> None:
    """``matrix`` += scale rows^T rows, in place: (n, n) and (b, n), contiguous."""
    syrk = _scipy(matrix, "syrk")
    if syrk is None:
        matrix.addmm_(rows.mT, rows, alpha=scale)
    else:
        syrk(scale, _columns(rows), beta=1.0, c=_columns(matrix), lower=1, overwrite_c=1)


def times(rows: Tensor, matrix: Tensor) -> Tensor:
    """rows matrix: (b, n) from (b, n) and (n, n), contiguous."""
    symm, symv = _scipy(matrix, "symm"), _scipy(matrix, "symv")
    if symm is None:
        return rows @ matrix
    if len(rows) == 1:
        return torch.from_numpy(symv(1.0, _columns(matrix), rows[0].numpy(), lower=1))[None]
    return torch.from_numpy(symm(1.0, _columns(matrix), _columns(rows), lower=1).T)


def invert(matrix: Tensor) -> bool:
    """Replace a positive definite ``matrix`` (n, n) by its inverse, in its own memory.

    Returns:
        False if it is not positive definite; its content is then NaN, so that it cannot pass
        for an inverse.
    """
    potrf = _scipy(matrix, "potrf", lapack)
    if potrf is None:
        fill(matrix)
        factor, failed = torch.linalg.cholesky_ex(matrix)
        good = int(failed) == 0
        if good:
            torch.cholesky_inverse(factor, out=matrix)
    else:
        columns = _columns(matrix)
        good = potrf(columns, lower=1, overwrite_a=1, clean=0)[1] == 0
        if good:
            potri = _scipy(matrix, "potri", lapack)
            good = potri(columns, lower=1, overwrite_c=1)[1] == 0
    if not good:
        matrix.fill_(torch.nan)
    return good


def row(matrix: Tensor, index: int) -> Tensor:
    """Row ``index``, whole, of a matrix whose upper triangle holds: a copy, (n,)."""
    return torch.cat([matrix[:index, index], matrix[index, index:]])


def fill(matrix: Tensor) -> Tensor:
    """Copy the upper triangle into the lower one, stripe by stripe, and return ``matrix``."""
    for start in range(0, len(matrix), _STRIPE):
        stop = min(start + _STRIPE, len(matrix))
        corner = matrix[start:stop, start:stop]
        corner.copy_(corner.triu() + corner.triu(1).mT)
        matrix[stop:, start:stop] = matrix[start:stop, stop:].mT
    return matrix
