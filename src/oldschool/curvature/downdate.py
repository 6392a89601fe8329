"""Deleting weights from H^-1 one after the other, by rank-1 downdates applied in blocks.

Without weight q, the inverse of what is left of H is (Hassibi & Stork 1992 imply it; it is the
inverse of a matrix without its row and column q)

    G' = G - G e_q e_q^T G / G_qq,          G = H^-1,

so that no inverse is ever computed again while H stands. Applied at once this costs a pass
through the whole matrix for each deletion. But a deletion needs only the diagonal of G and one
column, so the downdates v = G e_q / sqrt(G_qq) are collected as rows of a buffer V, columns are
read as G e_q - V^T V e_q, and G takes in V^T V as one matrix product when the buffer is full.
"""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.curvature import symmetric

_COMPACT_BELOW = 0.85  # share of rows still alive at which the dead ones are taken out


def downdate(inverse: Tensor, index: int) -> Tensor:
    """The rank-1 reference: G - G e_q e_q^T G / G_qq, (n, n); row and column q become zero."""
    column = inverse[:, index]
    return inverse - torch.outer(column, column / column[index])


class ShrinkingInverse:
    """H^-1 of the weights not yet deleted.

    Weights are called by their place in the matrix it starts from, 0 to n - 1.

    Attributes:
        diagonal: [H^-1]_qq, (n,) float64; 1 where deleted.
        alive: (n,) bool.
    """

    def __init__(self, inverse: Tensor, buffer: int = 256) -> None:
        """Take over ``inverse``.

        Args:
            inverse: (n, n), upper triangle, float64 or float32, contiguous, on any device; its
                memory is used and overwritten.
            buffer: downdates collected before they are applied.

        Raises:
            ValueError: ``inverse`` is not contiguous.
        """
        if not inverse.is_contiguous():
            raise ValueError("the inverse must be contiguous")
        weights, device = len(inverse), inverse.device
        self._memory = inverse
        self._matrix = inverse
        self._rows = torch.arange(weights, device=device)  # which weight each row is of
        self._row_of = torch.arange(weights, device=device)
        self._pending = inverse.new_empty(buffer, weights)
        self._count = 0
        self.diagonal = inverse.diagonal().to(torch.float64, copy=True)
        self.alive = torch.ones(weights, dtype=torch.bool, device=device)

    def column(self, weight: int) -> Tensor:
        """H^-1 e_q, (n,) float64; zero where deleted."""
        place = int(self._row_of[weight])
        found = symmetric.row(self._matrix, place)
        if self._count:
            pending = self._pending[: self._count]
            found.addmv_(pending.mT, pending[:, place], alpha=-1.0)
        whole = torch.zeros_like(self.diagonal)
        whole[self._rows] = found.to(torch.float64)
        return whole.mul_(self.alive)

    def delete(self, weight: int, column: Tensor) -> None:
        """Delete a weight.

        Args:
            weight: its place q.
            column: ``self.column(weight)``, whose element q must be positive.
        """
        down = column / column[weight].sqrt()
        self.diagonal.addcmul_(down, down, value=-1.0)
        self.diagonal[weight] = 1.0
        self.alive[weight] = False
        self._pending[self._count] = down[self._rows].to(self._pending.dtype)
        self._count += 1
        if self._count == len(self._pending):
            self.apply()

    def apply(self) -> None:
        """Bring the matrix itself up to date; happens by itself when the buffer is full."""
        if self._count:
            symmetric.add_outer(self._matrix, self._pending[: self._count], -1.0)
            self._count = 0
        living = self.alive[self._rows]
        if int(living.sum()) < _COMPACT_BELOW * len(self._rows):
            self._compact(living.nonzero()[:, 0])

    def times(self, vector: Tensor) -> Tensor:
        """H^-1 v of the weights alive, (n,) float64 from (n,); zero where deleted."""
        self.apply()
        inside = (vector * self.alive)[self._rows].to(self._matrix.dtype)
        whole = torch.zeros_like(self.diagonal)
        whole[self._rows] = symmetric.times(inside[None], self._matrix)[0].to(torch.float64)
        return whole.mul_(self.alive)

    def _compact(self, living: Tensor) -> None:
        """Take dead rows and columns out, within the same memory: row k moves to k or before."""
        size = len(living)
        memory = self._memory.view(-1)
        for new, old in enumerate(living.tolist()):
            memory[new * size : (new + 1) * size] = self._matrix[old, living]
        self._matrix = memory[: size * size].view(size, size)
        self._rows = self._rows[living]
        self._row_of = torch.full_like(self._row_of, -1)
        self._row_of[self._rows] = torch.arange(size, device=living.device)
        self._pending = self._pending.new_empty(len(self._pending), size)
