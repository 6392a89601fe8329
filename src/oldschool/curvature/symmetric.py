"""Symmetric matrices of one large net, updated in place and kept in their upper triangle.

Half of a symmetric matrix is half the arithmetic. BLAS has routines for that (syrk, symm, and
LAPACK's potrf and potri), torch has none on the CPU, so there scipy's are called on the tensor's
own memory. On other devices torch multiplies whole matrices, and both triangles are right.

OpenBLAS 0.3.30, which scipy brings, crashes in syrk with more than one thread somewhere between
16,500 and 18,400 rows, and potrf and potri call it. Matrices beyond ``_BLAS_ROWS`` are therefore
updated by stripes with torch's products, and factored and inverted by halves.
"""

from __future__ import annotations

from typing import Any

import torch
from scipy.linalg import blas, lapack
from torch import Tensor

_STRIPE = 1024  # rows mirrored, or updated, at once
_BLAS_ROWS = 16384


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
    elif len(matrix) > _BLAS_ROWS:
        _add_product(matrix, rows, rows, scale)
    else:
        syrk(scale, _columns(rows), beta=1.0, c=_columns(matrix), lower=1, overwrite_c=1)


def _add_product(matrix: Tensor, left: Tensor, right: Tensor, scale: float) -> None:
    """Upper triangle of ``matrix`` (n, n) += scale left^T right, symmetric; (b, n) both."""
    for start in range(0, len(matrix), _STRIPE):
        stop = min(start + _STRIPE, len(matrix))
        part = matrix[start:stop, start:]
        part.addmm_(left[:, start:stop].mT, right[:, start:], alpha=scale)


def times(rows: Tensor, matrix: Tensor) -> Tensor:
    """rows matrix: (b, n) from (b, n) and (n, n), contiguous."""
    symm, symv = _scipy(matrix, "symm"), _scipy(matrix, "symv")
    if symm is None:
        return rows @ matrix
    if len(rows) == 1:
        return torch.from_numpy(symv(1.0, _columns(matrix), rows[0].numpy(), lower=1))[None]
    return torch.from_numpy(symm(1.0, _columns(matrix), _columns(rows), lower=1).T)


def inner(left: Tensor, right: Tensor) -> Tensor:
    """left right^T: (b, b) from (b, n) both, contiguous; by the same library as the rest.

    Two libraries with threads of their own in turn wait for each other's to go to sleep.
    """
    gemm = _scipy(left, "gemm")
    if gemm is None:
        whole: Tensor = left @ right.mT
        return whole
    return torch.from_numpy(gemm(1.0, _columns(left), _columns(right), trans_a=1))


def divide_by_root(matrix: Tensor, rows: Tensor) -> Tensor:
    """R^-T rows with R^T R = ``matrix``, positive definite: (b, n) from (b, b) and (b, n).

    Both may be overwritten. NaN where the matrix is not positive definite.
    """
    trsm = _scipy(rows, "trsm")
    if trsm is None:
        factor, failed = torch.linalg.cholesky_ex(matrix)
        found: Tensor = torch.linalg.solve_triangular(factor, rows, upper=False).contiguous()
        return found.fill_(torch.nan) if int(failed) else found
    matrix = matrix.contiguous()
    if not _factor(matrix):
        return rows.fill_(torch.nan)
    # As LAPACK sees it, column by column: rows^T R^-1, and R is the transpose of what it sees.
    trsm(1.0, _columns(matrix), _columns(rows), side=1, lower=1, trans_a=1, overwrite_b=1)
    return rows


def copies_to_invert(matrix: Tensor) -> float:
    """How many times the matrix's own memory :func:`invert` takes beside it."""
    if _scipy(matrix, "potrf", lapack) is None:
        return 2.0
    return 0.75 if len(matrix) > _BLAS_ROWS else 0.0


def invert(matrix: Tensor) -> bool:
    """Replace a positive definite ``matrix`` (n, n) by its inverse, in its own memory.

    Returns:
        False if it is not positive definite; its content is then NaN, so that it cannot pass
        for an inverse.
    """
    if _scipy(matrix, "potrf", lapack) is None:
        fill(matrix)
        factor, failed = torch.linalg.cholesky_ex(matrix)
        good = int(failed) == 0
        if good:
            torch.cholesky_inverse(factor, out=matrix)
    else:
        good = _factor(matrix) and _from_factor(matrix)
    if not good:
        matrix.fill_(torch.nan)
    return good


def _factor(matrix: Tensor) -> bool:
    """Replace M by its Cholesky factor R, M = R^T R, all in upper triangles; False if not.

    By halves [[A, B], [B^T, D]] the factor is [[R_A, X], [0, R_S]], X = R_A^-T B, S = D - X^T X.
    """
    if len(matrix) <= _BLAS_ROWS:
        info = _scipy(matrix, "potrf", lapack)(_columns(matrix), lower=1, overwrite_a=1, clean=0)
        return bool(info[1] == 0)
    a, b, d = _halves(matrix)
    if not _factor(a):
        return False
    b.copy_(torch.linalg.solve_triangular(a.mT, b, upper=False))
    _add_product(d, b, b, -1.0)
    if not _factor(d):
        return False
    _put_halves(matrix, a, d)
    return True


def _from_factor(matrix: Tensor) -> bool:
    """Replace R by (R^T R)^-1, in the upper triangle; False where R is singular.

    With W = R_A^-1 X and V = W S^-1 it is [[A^-1 + V W^T, -V], [-V^T, S^-1]].
    """
    if len(matrix) <= _BLAS_ROWS:
        info = _scipy(matrix, "potri", lapack)(_columns(matrix), lower=1, overwrite_c=1)
        return bool(info[1] == 0)
    a, b, d = _halves(matrix)
    w = torch.linalg.solve_triangular(a, b, upper=True)
    if not (_from_factor(d) and _from_factor(a)):
        return False
    v = torch.mm(w, fill(d), out=b)
    _add_product(a, v.mT, w.mT, 1.0)
    b.neg_()
    _put_halves(matrix, a, d)
    return True


def _halves(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Copies of the halves on the diagonal, and a view of the block to their right."""
    half = len(matrix) // 2
    upper, lower = matrix[:half, :half], matrix[half:, half:]
    return upper.contiguous(), matrix[:half, half:], lower.contiguous()


def _put_halves(matrix: Tensor, upper: Tensor, lower: Tensor) -> None:
    half = len(upper)
    matrix[:half, :half], matrix[half:, half:] = upper, lower


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
