"""The convolutional net of appendices B.2 and B.3, and its training.

Three convolutions of 5 x 5 kernels with ReLU, each with max-pooling of 3 x 3 in steps of 2, then
two fully connected layers of ReLU and a softmax. Sides are 32, 16, 8, 4, which the paper does not
say: kernels reach two pixels over the edge, and windows at the far edge are cut. Units of a pooled
map are dropped one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from oldschool.dropout.modules import BernoulliDropout, GaussianDropout, max_norm_
from oldschool.dropout.order import Order
from oldschool.dropout.predict import wrong_outputs
from oldschool.dropout.schedules import InverseDecay
from oldschool.runs import checkpoint

from .pictures import CHANNELS, SIDE, Pictures
from .settings import ConvnetSettings

KERNEL, POOL, STEP = 5, 3, 2
_CASES = 1000  # classified at a time


@dataclass(frozen=True)
class Noise:
    """What is dropped.

    Attributes:
        keep: p of the inputs, the three pooled layers of maps and the two layers above.
        kind: of the dropout.
    """

    keep: tuple[float, ...]
    kind: type[BernoulliDropout] | type[GaussianDropout] = BernoulliDropout


_EVERYWHERE = (0.9, 0.75, 0.75, 0.5, 0.5, 0.5)
WAYS: Mapping[str, Noise] = {
    "none": Noise((1.0,) * 6),
    "fully_connected": Noise((1.0, 1.0, 1.0, 1.0, 0.5, 0.5)),
    "everywhere": Noise(_EVERYWHERE),
    "gaussian": Noise(_EVERYWHERE, GaussianDropout),
}


class Times(nn.Module):
    """p y, in training and at test.

    Behind Gaussian noise, N(1, (1 - p) / p), it gives noise N(p, p (1 - p)) of Bernoulli's mean and
    variance, so that start, rate and c mean the same to both nets. Without it weights would have to
    begin and be kept p times as long, at p^2 times the rate.

    Attributes:
        p: the factor.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, y: Tensor) -> Tensor:
        return y * self.p


def pooled(side: int) -> int:
    """Side of a map after pooling."""
    return -(-(side - POOL) // STEP) + 1


def convnet(
    settings: ConvnetSettings,
    classes: int,
    way: str,
    weights: torch.Generator,
    noise: torch.Generator,
) -> nn.Sequential:
    """A net at its start, on the device of ``noise``: weights N(0, 2 / inputs), biases 0.

    Args:
        settings: maps and units.
        classes: outputs, before the softmax.
        way: one of ``WAYS``.
        weights: CPU generator of the weights.
        noise: of what is dropped in training.
    """
    done = WAYS[way]

    def dropout(layer: int) -> list[nn.Module]:
        p = done.keep[layer]
        if p == 1:
            return []
        return [done.kind(p, noise), *([Times(p)] if done.kind is GaussianDropout else [])]

    parts, below, side = dropout(0), CHANNELS, SIDE
    for layer, maps in enumerate(settings.maps, start=1):
        parts += [nn.Conv2d(below, maps, KERNEL, padding=KERNEL // 2), nn.ReLU()]
        parts += [nn.MaxPool2d(POOL, STEP, ceil_mode=True), *dropout(layer)]
        below, side = maps, pooled(side)
    parts.append(nn.Flatten())
    below *= side**2
    for layer in (4, 5):
        parts += [nn.Linear(below, settings.units), nn.ReLU(), *dropout(layer)]
        below = settings.units
    parts.append(nn.Linear(below, classes))
    for part in parts:
        if isinstance(part, nn.Conv2d | nn.Linear):
            fan_in = part.weight[0].numel()
            nn.init.normal_(part.weight, 0.0, (2 / fan_in) ** 0.5, generator=weights)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return nn.Sequential(*parts).to(noise.device)


class Training:
    """A net under stochastic gradient descent: v <- m v + gradient, w <- w - rate v, |w_j| <= c.

    Attributes:
        net: changed in place.
        step: updates made.
    """

    def __init__(
        self,
        net: nn.Sequential,
        data: Pictures,
        settings: ConvnetSettings,
        seed: int,
        noise: torch.Generator,
        input_rate: float,
    ) -> None:
        """A net before its first update.

        Args:
            net: on the device of the data.
            data: the images.
            settings: of the training.
            seed: of the order of the images.
            noise: the generator that the net's dropout draws from.
            input_rate: rate of the lowest convolution as a share of the others'.
        """
        self.net, self.step = net, 0
        self._data, self._settings, self._noise = data, settings, noise
        self._order = Order([seed], len(data.train_y), settings.batch, device=data.train_x.device)
        lowest, *others = [list(part.parameters()) for part in net if list(part.parameters())]
        self._shares = (input_rate, 1.0)
        self._schedule = InverseDecay(settings.rate, settings.rate_tau * settings.updates)
        self._sgd = torch.optim.SGD(
            [{"params": lowest}, {"params": [one for part in others for one in part]}],
            lr=settings.rate,
            momentum=settings.momentum,
        )

    def update(self) -> None:
        """Show the net its next mini-batch."""
        index, rate = self._order.next()[0], self._schedule.at(self.step)
        for group, share in zip(self._sgd.param_groups, self._shares, strict=True):
            group["lr"] = rate * share
        outputs = self.net(self._data.inputs(self._data.train_x[index]))
        self._sgd.zero_grad()
        cross_entropy(outputs, self._data.train_y[index]).backward()  # type: ignore[no-untyped-call]
        self._sgd.step()
        max_norm_(self.net, self._settings.max_norm)
        self.step += 1

    def run(self) -> None:
        """All updates, from the unit's last checkpoint if there is one; fewer if it diverges."""
        saved = checkpoint.load(self._data.train_x.device)
        if saved is not None:
            self.load_state_dict(saved)
        self.net.train()
        while self.step < self._settings.updates:
            self.update()
            if self.step % checkpoint.LOOK == 0:
                if self.diverged:
                    return
                checkpoint.save(self.state_dict, self._data.train_x.device)

    @property
    def diverged(self) -> bool:
        """Whether a weight is no longer a number."""
        return not all(bool(one.isfinite().all()) for one in self.net.parameters())

    def state_dict(self) -> dict[str, Any]:
        """All that the next updates depend on but settings and data; for torch.save, not copied."""
        return {
            "step": self.step,
            "net": self.net.state_dict(),
            "sgd": self._sgd.state_dict(),
            "order": self._order.state_dict(),
            "noise": self._noise.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken; bit for bit on a CPU."""
        self.net.load_state_dict(state["net"])
        self._sgd.load_state_dict(state["sgd"])
        self._order.load_state_dict(state["order"])
        self._noise.set_state(state["noise"])
        self.step = state["step"]


@torch.no_grad()
def wrong(net: nn.Sequential, data: Pictures, x: Tensor, labels: Tensor) -> int:
    """How many of the images (P, 3, 32, 32) the net classifies wrongly, without noise.

    Args:
        net: in evaluation: with what :class:`BernoulliDropout` is over multiplied by p.
        data: makes inputs of the images.
        x: images of ``data``.
        labels: their classes, (P,).
    """
    net.eval()
    pairs = zip(torch.split(x, _CASES), torch.split(labels, _CASES), strict=True)
    return sum(int(wrong_outputs(net(data.inputs(some)), right)) for some, right in pairs)
