"""One update of R nets: dropout, back-propagation, momentum, max-norm.

With r the factors that the noise draws, and y~ = r * y (equations 4 to 7 of section 4, here with
one case a row),

    z = y~ W^T + b,   y = f(z),   delta = (delta_above W_above) * r * f'(z),
    v <- m v + 1/P delta^T y~ + penalties,   w <- w - rate v,   |w_j| <= c.

The gradient is never stored: the product delta^T y~ is added to m v by the matrix product itself.
A layer is changed as soon as the pull on the layer below has been taken from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.dropout.descent import descend_, step_
from oldschool.dropout.network import Architecture, Parameters
from oldschool.dropout.penalties import decay_, sparsity_pull_
from oldschool.dropout.settings import Settings


@dataclass(frozen=True)
class _Layer:
    """Tensors of one layer of weights, and views of them that every update needs.

    Attributes:
        w: weights (R, outputs, inputs).
        v: their velocity.
        b: biases (R, outputs).
        vb: their velocity.
        net_input: the layer's activities are computed in it, (R, P, outputs).
        passed: y~, what the layer above reads; ``net_input`` itself unless the noise is Gaussian.
        delta: P dE/dz, (R, P, outputs); of the last layer ``net_input`` itself.
        bias_row: view of b, (R, 1, outputs).
        w_t: view of w, (R, inputs, outputs).
        delta_t: view of delta, (R, outputs, P).
    """

    w: Tensor
    v: Tensor
    b: Tensor
    vb: Tensor
    net_input: Tensor
    passed: Tensor
    delta: Tensor
    bias_row: Tensor
    w_t: Tensor
    delta_t: Tensor


class Sgd:
    """R nets under stochastic gradient descent.

    Attributes:
        parameters: changed in place.
        velocities: changed in place.
        means: running mean activities of the hidden layers, (R, units) each, for the sparsity
            penalty; empty without one.
        inputs: (R, P, inputs), to be filled before every update, which overwrites it.
        targets: (R, P, outputs), to be filled before every update.
        silent: (R, units, more), weights of the first layer from inputs that are always 0 and not
            among ``inputs``: max-norm alone changes them, in place. None if there are none.
    """

    def __init__(
        self,
        net: Architecture,
        parameters: Parameters,
        settings: Settings,
        silent: Tensor | None = None,
    ) -> None:
        """Nets at rest.

        Args:
            net: the architecture.
            parameters: starting weights, not copied.
            settings: of the training; without weight decay if there are silent weights.
            silent: the attribute, not copied.
        """
        self._net, self._settings = net, settings
        self.parameters, self.velocities = parameters, parameters.zeros()
        self.silent = silent
        nets, batch, like = len(parameters), settings.batch, parameters.weights[0]

        def empty(units: int) -> Tensor:
            return like.new_empty(nets, batch, units)

        self.inputs, self.targets = empty(net.sizes[0]), empty(net.sizes[-1])
        self._binary = settings.noise == "bernoulli"
        self._layers = []
        for depth, units in enumerate(net.sizes[1:]):
            last = depth == net.layers - 1
            w, b = parameters.weights[depth], parameters.biases[depth]
            a = empty(units)
            passed = a if last or self._binary else empty(units)
            delta = a if last else empty(units)
            v, vb = self.velocities.weights[depth], self.velocities.biases[depth]
            views = (b.unsqueeze(1), w.mT, delta.mT)
            self._layers.append(_Layer(w, v, b, vb, a, passed, delta, *views))
        sparsity = settings.penalties.sparsity
        self.means = (
            [like.new_full((nets, units), sparsity.target) for units in net.sizes[1:-1]]
            if sparsity
            else []
        )
        self._limit: Tensor | None = None
        if settings.max_norm is not None:
            limit = torch.as_tensor(settings.max_norm, dtype=like.dtype, device=like.device)
            self._limit = limit.view(-1, 1)
        factors = settings.rate_factors
        self._rate_factors = None if factors is None else factors.to(like).view(-1, 1, 1)

    def update(self, factors: Sequence[Tensor | None], step: int) -> None:
        """One update from ``inputs`` and ``targets``.

        Args:
            factors: r of the inputs and the hidden layers, (R, P, units) each, as
                :meth:`~oldschool.dropout.noise.Noise.draw` gives them; 0 and 1 alone if the noise
                is Bernoulli's.
            step: updates made before.
        """
        self._forward(factors)
        self._back(factors, step)

    def _forward(self, factors: Sequence[Tensor | None]) -> None:
        below = self.inputs
        if factors[0] is not None:
            below.mul_(factors[0])
        for depth, layer in enumerate(self._layers):
            torch.baddbmm(layer.bias_row, below, layer.w_t, out=layer.net_input)
            if depth == len(self._layers) - 1:
                self._net.output_(layer.net_input)
                return
            y, factor = self._net.hidden_(layer.net_input), factors[depth + 1]
            if factor is not None:
                torch.mul(y, factor, out=layer.passed)
            elif layer.passed is not y:
                layer.passed.copy_(y)
            below = layer.passed

    def _back(self, factors: Sequence[Tensor | None], step: int) -> None:
        settings = self._settings
        rate, momentum = settings.rate.at(step), settings.momentum.at(step)
        share, penalties = 1.0 / settings.batch, settings.penalties
        self._layers[-1].delta.sub_(self.targets)
        for depth in reversed(range(len(self._layers))):
            layer = self._layers[depth]
            if depth:
                self._pull(depth, factors[depth])
            below = self._layers[depth - 1].passed if depth else self.inputs
            layer.v.baddbmm_(layer.delta_t, below, beta=momentum, alpha=share)
            layer.vb.mul_(momentum).add_(layer.delta.sum(1), alpha=share)
            decay_(layer.v, layer.w, penalties, step)
            silent = None if depth else self.silent
            descend_(layer.w, layer.v, rate, self._rate_factors, self._limit, silent)
            step_(layer.bias_row, layer.vb.unsqueeze(1), rate, self._rate_factors)

    def _pull(self, depth: int, factor: Tensor | None) -> None:
        """The delta of the layer below the layer ``depth``."""
        above, layer = self._layers[depth], self._layers[depth - 1]
        pull = torch.bmm(above.delta, above.w, out=layer.delta)
        sparsity = self._settings.penalties.sparsity
        if sparsity:
            means, hidden = self.means[depth - 1], self._net.hidden
            sparsity_pull_(pull, layer.passed, means, sparsity, hidden)
        if factor is not None and not self._binary:
            pull.mul_(factor)
        # Of Bernoulli noise the mask is in the activities themselves, see Architecture.slope_.
        self._net.slope_(pull, layer.net_input)
