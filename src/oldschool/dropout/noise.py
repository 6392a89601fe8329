"""Multiplicative noise on units, y~ = r * y (sections 4 and 10), a random stream a net.

Bernoulli noise keeps a unit, r = 1, with probability p and drops it, r = 0, else. Gaussian noise
is r ~ N(1, (1 - p) / p): as much variance as Bernoulli noise has in r / p, and a mean of 1, so
that nothing is to be scaled at test.

What a net draws depends on its seed alone, not on the nets beside it or on their p: at every draw
it takes numbers for all units, needed or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from oldschool.dropout.streams import LEVELS, Source, TorchStreams, Words

Kind = Literal["bernoulli", "gaussian"]
KINDS: tuple[Kind, ...] = ("bernoulli", "gaussian")


def keep_probabilities(keep: Sequence[float] | Tensor | None, layers: int, nets: int) -> Tensor:
    """p of the inputs and of every hidden layer, net by net.

    Args:
        keep: (layers,), for all nets, or (R, layers); None for 1 everywhere.
        layers: the inputs and all hidden layers.
        nets: R.

    Returns:
        (R, layers), float64.

    Raises:
        ValueError: the shape does not fit, or a p is not above 0 and at most 1.
    """
    p = torch.as_tensor([1.0] * layers if keep is None else keep, dtype=torch.float64)
    if p.shape not in {(layers,), (nets, layers)}:
        raise ValueError(
            f"keep probabilities are {layers}, of the inputs and every hidden layer, or "
            f"({nets}, {layers}), not {tuple(p.shape)}"
        )
    if not bool(((p > 0) & (p <= 1)).all()):
        raise ValueError(f"the probability of keeping a unit is above 0 and at most 1: {p}")
    return p.expand(nets, layers)


class Noise:
    """Factors r for the inputs and the hidden layers of R nets.

    Bernoulli probabilities are rounded to multiples of 2^-16, so that one draw of 64 bits serves
    four units, and are never rounded to 0.

    Attributes:
        kind: ``"bernoulli"`` or ``"gaussian"``.
        keep: p, (R, layers), float64.
        samples: P, cases that factors are drawn for at a time.
        factors: the last ones drawn.
    """

    def __init__(
        self,
        kind: Kind,
        keep: Tensor,
        units: Sequence[int],
        samples: int,
        seeds: Sequence[int],
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        """Noise at the start of its streams.

        Args:
            kind: of the noise.
            keep: p as :func:`keep_probabilities` gives it, (R, layers).
            units: of the inputs and of every hidden layer.
            samples: P.
            seeds: one a net.
            dtype: of the factors.
            device: of the factors; streams of the CPU and of a GPU differ.
        """
        if kind not in KINDS:
            raise ValueError(f"no noise {kind!r}; there are {', '.join(KINDS)}")
        self.kind, self.keep, self.samples = kind, keep, samples
        device = torch.device(device)
        nets, total = len(seeds), sum(units) * samples
        binary = kind == "bernoulli"
        self._buffer = torch.empty(
            nets, -(-total // 4) * 4, dtype=torch.int16 if binary else dtype, device=device
        )
        self._source: Source = (
            Words(seeds) if binary and device.type == "cpu" else TorchStreams(seeds, device)
        )
        used = (keep < 1).any(0).tolist()
        self._drawn: list[Tensor | None] = []
        self._scales: list[Tensor] = []
        self.factors: list[Tensor | None] = []
        start = 0
        for layer, count in enumerate(units):
            stop = start + count * samples
            drawn = self._buffer[:, start:stop].view(nets, samples, count)
            self._drawn.append(drawn if used[layer] else None)
            self.factors.append(torch.empty_like(drawn, dtype=dtype) if used[layer] else None)
            p = keep[:, layer].view(-1, 1, 1)
            if binary:  # kept where the int16 is at most this
                highest = (p * LEVELS).round().clamp(min=1) - 1 - LEVELS // 2
                self._scales.append(highest.to(device, torch.int16))
            else:
                self._scales.append(((1 - p) / p).sqrt().to(device, dtype))
            start = stop
        self._needed = any(used)

    def draw(self) -> list[Tensor | None]:
        """New factors, (R, P, units) a layer, None where all p are 1; overwritten by the next."""
        if self._needed:
            self._source.fill(self._buffer)
            for drawn, scale, factor in zip(self._drawn, self._scales, self.factors, strict=True):
                if drawn is None or factor is None:
                    continue
                if self.kind == "bernoulli":
                    torch.le(drawn, scale, out=factor)
                else:
                    torch.mul(drawn, scale, out=factor).add_(1.0)
        return self.factors

    def state_dict(self) -> dict[str, Any]:
        """Where the streams are."""
        return {"kind": self.kind, "streams": self._source.state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken, on the same kind of device."""
        if state["kind"] != self.kind:
            raise ValueError(f"the state is of {state['kind']} noise, not of {self.kind}")
        self._source.restore(state["streams"])
