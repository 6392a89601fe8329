"""Restricted Boltzmann machines with dropout, R of them as one batch.

Srivastava et al. 2014, section 8. Visible units v and hidden units h are 0 or 1; r, drawn anew
for every case, says which hidden units are there, each with probability p:

    P(h, v | r) = 1 / Z(r) exp(a v + b h + h W v), all h with h_j <= r_j,
    P(h_j = 1 | r, v) = [r_j = 1] sigma(b_j + sum_i W_ij v_i),
    P(v_i = 1 | h) = sigma(a_i + sum_j W_ij h_j).

Given r this is an ordinary machine of the hidden units left, so it learns as one does; p = 1 is
the standard machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

_ENUMERABLE = 20  # visible units: a million states


@dataclass(frozen=True)
class Rbm:
    """R machines.

    Attributes:
        weights: W, (R, hidden, visible), float32 or float64, on any device.
        visible_bias: a, (R, visible).
        hidden_bias: b, (R, hidden).
    """

    weights: Tensor
    visible_bias: Tensor
    hidden_bias: Tensor

    def hidden_means(self, v: Tensor, r: Tensor | None = None) -> Tensor:
        """P(h_j = 1 | r, v), nought for a dropped unit.

        Args:
            v: visible units, or their means, (P, visible) shared by the machines or (R, P,
                visible).
            r: 1 for a hidden unit that is there, 0 for one dropped, (R, P, hidden) of any dtype;
                None when all are there.

        Returns:
            (R, P, hidden).
        """
        means = self._net_inputs(v).sigmoid_()
        return means if r is None else means.mul_(r)

    def visible_means(self, h: Tensor) -> Tensor:
        """P(v_i = 1 | h), (R, P, visible), of hidden units (R, P, hidden)."""
        return torch.baddbmm(self.visible_bias.unsqueeze(1), h, self.weights).sigmoid_()

    def test_means(self, v: Tensor, p: float) -> Tensor:
        """What the hidden units do at test, when none is dropped: p sigma(b_j + sum W_ij v_i).

        That is the mean of P(h_j = 1 | r, v) over a fresh r, exactly. Whatever h feeds, the
        visible units or a layer above, thus sees the mean net input it learnt with; it is the
        same to leave sigma as it is and to multiply the weights out of h by p (section 2).

        Args:
            v: as in :meth:`hidden_means`.
            p: probability of keeping a hidden unit in training.

        Returns:
            (R, P, hidden).
        """
        return self.hidden_means(v).mul_(p)

    def free_energy(self, v: Tensor, r: Tensor | None = None) -> Tensor:
        """F(v | r) = -a v - sum_j r_j ln(1 + exp(b_j + sum_i W_ij v_i)), (R, P).

        exp(-F) is the sum of exp(-energy) over the hidden states that r allows: a dropped unit
        has only the state 0, a factor 1. The arguments are those of :meth:`hidden_means`.
        """
        hidden = softplus(self._net_inputs(v))
        if r is not None:
            hidden.mul_(r)
        visible = torch.matmul(v, self.visible_bias.unsqueeze(2)).squeeze(2)
        return -visible - hidden.sum(2)

    def log_partition(self, r: Tensor | None = None) -> Tensor:
        """ln Z(r) of each machine, (R,), by enumeration of the visible states.

        Args:
            r: the hidden units that are there, (R, hidden); None when all are.

        Raises:
            ValueError: the machines have more than 20 visible units.
        """
        visible = self.weights.shape[2]
        if visible > _ENUMERABLE:
            raise ValueError(
                f"{visible} visible units have too many states to enumerate; "
                f"at most {_ENUMERABLE} do not"
            )
        codes = torch.arange(2**visible, device=self.weights.device)
        bits = torch.arange(visible, device=self.weights.device)
        states = (codes[:, None] >> bits & 1).to(self.weights.dtype)
        present = None if r is None else r.unsqueeze(1)
        return torch.logsumexp(-self.free_energy(states, present), 1)

    def log_likelihood(self, v: Tensor, r: Tensor | None = None) -> Tensor:
        """ln P(v | r) = -F(v | r) - ln Z(r) of every case, (R, P), exactly; tiny machines only.

        Args:
            v: as in :meth:`hidden_means`.
            r: as in :meth:`log_partition`.

        Raises:
            ValueError: the machines have more than 20 visible units.
        """
        present = None if r is None else r.unsqueeze(1)
        return -self.free_energy(v, present) - self.log_partition(r).unsqueeze(1)

    def _net_inputs(self, v: Tensor) -> Tensor:
        """b_j + sum_i W_ij v_i, (R, P, hidden)."""
        v = v.expand(len(self.weights), -1, -1)
        return torch.baddbmm(self.hidden_bias.unsqueeze(1), v, self.weights.mT)


def gaussian_rbm(
    generators: Sequence[torch.Generator],
    visible: int,
    hidden: int,
    sd: float = 0.01,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Rbm:
    """Machines to start from: W ~ N(0, sd^2), one generator a machine; no biases.

    The paper gives no start; sd 0.01 is Hinton's advice (A practical guide to training
    restricted Boltzmann machines, 2010, section 8).
    """
    drawn = [
        torch.randn(hidden, visible, generator=one, dtype=dtype, device=one.device)
        for one in generators
    ]
    weights = torch.stack(drawn).to(device).mul_(sd)
    return Rbm(
        weights, weights.new_zeros(len(drawn), visible), weights.new_zeros(len(drawn), hidden)
    )
