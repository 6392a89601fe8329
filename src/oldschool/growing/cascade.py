"""Cascade-Correlation as a thing to use: a net grown on tensors (X, y)."""

from __future__ import annotations

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.growing.batched import grow
from oldschool.growing.network import CascadeModule
from oldschool.growing.outcome import LEARNED, Grown, PhaseReport
from oldschool.growing.settings import GENERAL, CascadeSettings


class CascadeCorrelation:
    """Grows one net until it has learned every case.

    Example:
        >>> import torch
        >>> from oldschool.growing.cascade import CascadeCorrelation
        >>> x = torch.tensor([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])
        >>> y = torch.tensor([-0.5, 0.5, 0.5, -0.5])
        >>> cascade = CascadeCorrelation().fit(x, y, torch.Generator().manual_seed(0))
        >>> cascade.learned, cascade.hidden
        (True, 1)
        >>> (cascade.predict(x) > 0).tolist()
        [False, True, True, False]
        >>> module = cascade.to_module()  # an ordinary torch.nn.Module

    For many nets at once see :func:`oldschool.growing.batched.grow`.
    """

    def __init__(self, settings: CascadeSettings = GENERAL) -> None:
        """``settings`` are the defaults of the authors' programs unless given."""
        self.settings = settings
        self._grown: Grown | None = None
        self._flat = False

    def fit(self, x: Tensor, y: Tensor, generator: torch.Generator) -> CascadeCorrelation:
        """Grow a net, in the precision and on the device of the data.

        Args:
            x: inputs, (P, inputs), float.
            y: targets, (P, outputs) or (P,), of the same type, within what the output units
                reach: -0.5 to 0.5 for sigmoid outputs.
            generator: a CPU generator, draws all weights.

        Returns:
            Itself.

        Raises:
            ValueError: the data do not fit each other or the settings.
        """
        if x.ndim != 2 or y.ndim not in (1, 2):
            raise ValueError(
                f"x must be (P, inputs) and y (P, outputs) or (P,), "
                f"not {tuple(x.shape)} and {tuple(y.shape)}"
            )
        self._flat = y.ndim == 1
        task = Task(x, y[:, None] if self._flat else y)
        self._grown = grow(task, self.settings, [generator])
        return self

    @property
    def grown(self) -> Grown:
        """All there is to know of the trial.

        Raises:
            ValueError: nothing has been grown yet.
        """
        if self._grown is None:
            raise ValueError("no net has been grown yet: call fit first")
        return self._grown

    @property
    def learned(self) -> bool:
        """Whether every output is right within the threshold."""
        return self.reason == LEARNED

    @property
    def reason(self) -> str:
        """Why the trial stopped."""
        return self.grown.reason[0]

    @property
    def hidden(self) -> int:
        """Hidden units of the net."""
        return int(self.grown.hidden)

    @property
    def history(self) -> list[PhaseReport]:
        """What each phase did, in order."""
        return self.grown.history(0)

    def predict(self, x: Tensor) -> Tensor:
        """Outputs (P, outputs) for inputs (P, inputs); (P,) where ``fit`` was given such."""
        outputs = self.grown.nets().outputs(x)[0].mT
        return outputs[:, 0] if self._flat else outputs

    def to_module(self) -> CascadeModule:
        """The net as an ordinary module: (..., inputs) in, (..., outputs) out."""
        return self.grown.nets().to_module()
