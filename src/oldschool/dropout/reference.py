"""Dropout for one net as the paper writes it, case by case and unit by unit: to be read.

The feed-forward operation with dropout (equations of section 4), back-propagation through the
thinned net of each case (section 5.1), the update with momentum of the authors' code, and the
projection to max-norm. Slow; :mod:`oldschool.dropout.sgd` is the form to train with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class ReferenceNet:
    """One net with ReLU hidden units and softmax outputs, trained on the cross-entropy.

    Attributes:
        weights: a layer each, (outputs, inputs); changed in place.
        biases: a layer each, (outputs,); changed in place.
        weight_velocities: v, of the weights' shapes.
        bias_velocities: v, of the biases' shapes.
    """

    weights: list[Array]
    biases: list[Array]
    weight_velocities: list[Array]
    bias_velocities: list[Array]

    def case(self, x: Array, label: int, r: Sequence[Array]) -> tuple[list[Array], list[Array]]:
        """Gradients of -ln o_label of one case through its thinned net.

        Args:
            x: inputs (inputs,).
            label: the right class.
            r: r^(l), a factor a unit, of the inputs and of every hidden layer.

        Returns:
            Gradients of the weights and of the biases, a layer each.
        """
        layers = len(self.weights)
        y, passed, z = x, [], []
        for k in range(layers):
            passed.append(r[k] * y)  # y~^(l) = r^(l) * y^(l)
            w, b = self.weights[k], self.biases[k]
            z.append(np.array([w[i] @ passed[k] + b[i] for i in range(len(b))]))
            y = np.array([max(0.0, a) for a in z[k]])  # y^(l+1) = f(z^(l+1))
        exponentials = np.exp(z[-1] - max(z[-1]))
        outputs = exponentials / sum(exponentials)
        delta = np.array([o - (i == label) for i, o in enumerate(outputs)])
        of_weights: list[Array] = []
        of_biases: list[Array] = []
        for k in reversed(range(layers)):
            of_weights.insert(0, np.outer(delta, passed[k]))
            of_biases.insert(0, delta)
            if k:
                pull = [self.weights[k][:, j] @ delta for j in range(len(passed[k]))]
                # y~ = r f(z): what comes down passes the factor, then the unit's slope.
                delta = np.array([pull[j] * r[k][j] * (z[k - 1][j] > 0) for j in range(len(pull))])
        return of_weights, of_biases

    def update(
        self,
        x: Array,
        labels: Sequence[int],
        r: Sequence[Array],
        *,
        rate: float,
        momentum: float,
        max_norm: float | None,
        l2: float = 0.0,
    ) -> None:
        """One update with the mean gradient of a mini-batch of P cases.

        Args:
            x: (P, inputs).
            labels: (P,).
            r: factors of the inputs and of every hidden layer, (P, units) each.
            rate: of learning.
            momentum: m.
            max_norm: c, None for none.
            l2: weight decay, on the weights alone.
        """
        cases = [self.case(x[p], labels[p], [factor[p] for factor in r]) for p in range(len(x))]
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            gradient = sum(case[0][k] for case in cases) / len(cases)
            bias_gradient = sum(case[1][k] for case in cases) / len(cases)
            v, vb = self.weight_velocities[k], self.bias_velocities[k]
            v[:] = momentum * v + l2 * w + gradient
            vb[:] = momentum * vb + bias_gradient
            w -= rate * v
            b -= rate * vb
            if max_norm is not None:
                for i in range(len(w)):
                    norm = math.sqrt(w[i] @ w[i])
                    if norm > max_norm:
                        w[i] *= max_norm / norm
