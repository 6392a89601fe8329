"""Cascade-Correlation the straightforward way: one trial, ordinary tensors, an epoch at a time."""

import torch
from torch import Tensor

from oldschool.growing.settings import CascadeSettings, PhaseSettings


class Weights:
    """Weights under Quickprop."""

    def __init__(self, start: Tensor) -> None:
        self.w, self.slope, self.step = start, torch.zeros_like(start), torch.zeros_like(start)

    def update(self, slope: Tensor, phase: PhaseSettings, share: float) -> None:
        s, shrink = slope + phase.decay * self.w, phase.mu / (1 + phase.mu)
        limited = torch.where(self.step < 0, s >= shrink * self.slope, s <= shrink * self.slope)
        parabola = self.step * s / (self.slope - s)
        jump = torch.where(limited, phase.mu * self.step, parabola)
        plain = -phase.epsilon / share * s
        downhill = torch.where(self.step * s < 0, plain, torch.zeros_like(s))
        self.step = torch.where(self.step == 0, plain, jump + downhill)
        self.w, self.slope = self.w + self.step, s

    def join(self, new: Tensor) -> None:
        zero = torch.zeros_like(new)
        self.w = torch.cat([self.w, new], 1)
        self.slope, self.step = torch.cat([self.slope, zero], 1), torch.cat([self.step, zero], 1)


class Patience:
    """Whether a value has not changed for too many epochs."""

    def __init__(self, phase: PhaseSettings) -> None:
        self.phase, self.last, self.quit = phase, None, phase.epochs + 1

    def is_over(self, epoch: int, value: float) -> bool:
        if self.last is None:
            self.last = value
        elif abs(value - self.last) > self.last * self.phase.change:
            self.last, self.quit = value, epoch + self.phase.patience
        return epoch >= self.quit


def sigmoid(sums: Tensor) -> Tensor:
    return torch.sigmoid(sums.clamp(-15, 15)) - 0.5


def grow(x: Tensor, t: Tensor, settings: CascadeSettings, random: torch.Generator) -> int:
    """Grow one net on x (P, inputs), t (P, 1); returns its hidden units."""
    cases, draw = len(x), {"generator": random, "dtype": x.dtype}
    values = torch.cat([torch.ones_like(x[:, :1]), x], 1).T.contiguous()
    outputs = Weights(2 * torch.rand(1, len(values), **draw) - 1)
    for hidden in range(settings.max_hidden + 1):
        patience = Patience(settings.output)
        for epoch in range(1, settings.output.epochs + 1):
            out = sigmoid(outputs.w @ values)
            miss = out - t.T
            errors = miss * (0.25 + settings.slope_offset - out * out)
            if not (miss.abs() >= settings.threshold).any():
                return hidden
            outputs.update(errors @ values.T, settings.output, cases)
            if patience.is_over(epoch, float(miss.square().sum())):
                break
        pool = Weights(2 * torch.rand(settings.pool, len(values), **draw) - 1)
        target = ((errors - errors.mean()) / errors.square().sum()).T
        score = sigmoid(pool.w @ values) @ target
        patience = Patience(settings.candidate)
        for epoch in range(1, settings.candidate.epochs + 1):
            v = sigmoid(pool.w @ values)
            slope = -score.sign() * ((0.25 - v * v) * target.T @ values.T)
            score = v @ target
            pool.update(slope, settings.candidate, cases * len(values))
            if patience.is_over(epoch, float(score.abs().max())):
                break
        best = score.abs()[:, 0].argmax()
        values = torch.cat([values, sigmoid(pool.w[best][None] @ values)])
        outputs.join(-score[best][None])
    return settings.max_hidden
