"""Training of R nets on their mini-batches, with checkpoints from which it goes on bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from oldschool.dropout.network import Architecture, Parameters
from oldschool.dropout.noise import Noise, keep_probabilities
from oldschool.dropout.order import Order
from oldschool.dropout.predict import weight_scaled
from oldschool.dropout.settings import Settings
from oldschool.dropout.sgd import Sgd
from oldschool.dropout.silent import input_parts


class Trainer:
    """R nets, their data, their random streams, and how far they are.

    A net's course depends on its start, seed, settings and data alone, not on the nets trained
    beside it, apart from rounding: matrix products of one shape may be blocked in another way when
    there are more of them. A net that diverges goes on with NaN.

    Attributes:
        net: the architecture.
        settings: of the training.
        keep: p, (R, layers), float64, on the CPU.
        step: updates made.
    """

    def __init__(
        self,
        net: Architecture,
        parameters: Parameters,
        x: Tensor,
        t: Tensor,
        settings: Settings,
        seeds: Sequence[int],
        members: Tensor | None = None,
    ) -> None:
        """Nets before their first update.

        Args:
            net: the architecture.
            parameters: starting weights on the device that is to be trained on; copied.
            x: inputs (N, inputs) of all nets, of the dtype and on the device of the weights.
            t: targets (N, outputs) of that dtype, or the numbers of the classes, (N,) int64.
            settings: of the training.
            seeds: one a net, for the order of its mini-batches and for its noise.
            members: (R, M) int64, the cases that are a net's training set; None for all.

        Raises:
            ValueError: the data do not fit the net, or the weights the seeds.
        """
        like = parameters.weights[0]
        if t.ndim == 1:
            t = torch.nn.functional.one_hot(t, net.sizes[-1]).to(like.dtype)
        fits = x.shape[1:] == net.sizes[:1] and t.shape == (len(x), net.sizes[-1])
        if not fits or len(seeds) != len(parameters):
            raise ValueError(
                f"{len(parameters)} nets {'-'.join(map(str, net.sizes))} take as many seeds, "
                f"inputs (N, {net.sizes[0]}) and targets (N, {net.sizes[-1]}), not {len(seeds)} "
                f"seeds, {tuple(x.shape)} and {tuple(t.shape)}"
            )
        self.net, self.settings, self.step = net, settings, 0
        self._parts = input_parts(x, settings.penalties)
        if members is not None:
            shown = torch.unique(members)
            members = torch.searchsorted(shown, members)
            x, t = (one.index_select(0, shown.to(one.device)) for one in (x, t))
        if self._parts:
            x = x.index_select(1, self._parts.active)
        trained = replace(net, sizes=(x.shape[1], *net.sizes[1:]))
        self._x, self._t = x, t
        self.keep = keep_probabilities(settings.keep, net.layers, len(parameters))
        place = {"device": like.device}
        self._order = Order(seeds, len(x), settings.batch, members=members, **place)
        self._noise = Noise(
            settings.noise,
            self.keep,
            trained.sizes[:-1],
            settings.batch,
            seeds,
            dtype=like.dtype,
            **place,
        )
        if self._parts:
            active, silent = self._parts.apart(parameters)
            self._sgd = Sgd(trained, active, settings, silent)
        else:
            self._sgd = Sgd(net, parameters.clone(), settings)
        self._into = [buffer.flatten(0, 1) for buffer in (self._sgd.inputs, self._sgd.targets)]

    @property
    def parameters(self) -> Parameters:
        """The weights as they are now; the next update may change them in place."""
        sgd = self._sgd
        if self._parts is None or sgd.silent is None:
            return sgd.parameters
        return self._parts.together(sgd.parameters, sgd.silent)

    def at_test(self) -> Parameters:
        """A copy of the weights for use at test: times p, or as they are for Gaussian noise."""
        if self.settings.noise == "gaussian":
            return self.parameters.clone()
        return weight_scaled(self.parameters, self.keep)

    def update(self) -> None:
        """Show every net its next mini-batch."""
        index = self._order.next().view(-1)
        torch.index_select(self._x, 0, index, out=self._into[0])
        torch.index_select(self._t, 0, index, out=self._into[1])
        self._sgd.update(self._noise.draw(), self.step)
        self.step += 1

    def run(
        self, until: int, *, every: int = 0, watch: Callable[[Trainer], None] | None = None
    ) -> None:
        """Updates up to a number of them in all.

        Args:
            until: updates made at the end, those before the call counted.
            every: call ``watch`` whenever this divides the updates made, and at the end; 0 for
                the end alone.
            watch: to evaluate the nets or to save a checkpoint.
        """
        while self.step < until:
            self.update()
            if watch and (self.step == until or (every and self.step % every == 0)):
                watch(self)

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that the next updates depend on but settings and data; for torch.save."""
        return {
            "step": self.step,
            "parameters": [tensor.clone() for tensor in self._changing()],
            "noise": self._noise.state_dict(),
            "order": self._order.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on, bit for bit, from where :meth:`state_dict` was taken.

        Raises:
            ValueError: the state is of other nets.
        """
        mine, saved = self._changing(), state["parameters"]
        if [tensor.shape for tensor in mine] != [tensor.shape for tensor in saved]:
            raise ValueError("the checkpoint is of other nets than these")
        for tensor, value in zip(mine, saved, strict=True):
            tensor.copy_(value)
        self._noise.load_state_dict(state["noise"])
        self._order.load_state_dict(state["order"])
        self.step = state["step"]

    def _changing(self) -> list[Tensor]:
        sgd = self._sgd
        silent = [] if sgd.silent is None else [sgd.silent]
        return [*sgd.parameters.tensors, *sgd.velocities.tensors, *sgd.means, *silent]
