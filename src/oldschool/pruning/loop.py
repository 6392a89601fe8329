"""The pruning loop over a batch of nets: choose, delete, perhaps retrain, look, go on or stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.nets.error import SQUARED, Error
from oldschool.nets.mlp import Mlp
from oldschool.pruning.choice import Method
from oldschool.pruning.stop import StopRule

# (weights (R, N), kept (R, N), net ids (R,)) -> retrained weights (R, N)
Retrain = Callable[[Tensor, Tensor, Tensor], Tensor]
# (weights (R, N), net ids (R,)) -> named measures, (R,) each
Measure = Callable[[Tensor, Tensor], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Deletion:
    """One deletion in each of the nets that were still in the loop.

    Attributes:
        net: which nets of the batch, (A,) int64.
        weight: the weight deleted, (A,) int64.
        predicted: the method's prediction of the error's increase, (A,).
        before: training error before the deletion, (A,).
        deleted: training error after the method's own update, before retraining, (A,).
        after: training error after retraining; the same as ``deleted`` without, (A,).
        accepted: whether the stop rule accepts the net after it, (A,) bool.
        measures: what ``measure`` told of the nets after it, (A,) each.
    """

    net: Tensor
    weight: Tensor
    predicted: Tensor
    before: Tensor
    deleted: Tensor
    after: Tensor
    accepted: Tensor
    measures: Mapping[str, Tensor]


@dataclass(frozen=True)
class Pruned:
    """R pruned nets.

    Attributes:
        theta: each net's weights before the deletion its stop rule refused, (R, N).
        kept: the weights it still has, (R, N) bool.
        reason: why each net stopped.
        path: every deletion, the refused ones included, in order.
    """

    theta: Tensor
    kept: Tensor
    reason: list[str]
    path: list[Deletion]

    @property
    def weights_left(self) -> Tensor:
        """(R,) int64."""
        return self.kept.sum(1)


def prune(
    net: Mlp,
    theta: Tensor,
    task: Task,
    method: Method,
    stop: StopRule,
    *,
    prunable: Tensor | None = None,
    retrain: Retrain | None = None,
    measure: Measure | None = None,
    to_the_end: bool = False,
    error: Error = SQUARED,
) -> Pruned:
    """Deletes one weight a net at a time until each net's stop rule refuses the next deletion.

    Args:
        net: the architecture.
        theta: trained weights (R, N); not changed.
        task: the training set.
        method: magnitude, OBD or OBS.
        stop: a net whose deletion it refuses keeps its weights from before that deletion.
        prunable: (N,) bool, which weights may go; all by default.
        retrain: called after every deletion.
        measure: further measures to record after every deletion, such as the test error.
        to_the_end: follow the path of a refused net on, until no weight is left; what is
            returned as pruned stays the net from before the first refusal.
        error: the error function recorded along the path.

    Returns:
        The pruned nets; one that the rule refuses before any deletion keeps all its weights,
        with the reason ``refused before pruning``, or ``error is not finite``.
    """
    theta = theta.clone()
    kept = torch.ones_like(theta, dtype=torch.bool)
    may_go = torch.ones(net.weights, dtype=torch.bool) if prunable is None else prunable
    outputs = net.outputs(theta, task.x)
    first_error = error.value(outputs, task.t)
    good = stop.accepts(outputs, task) & first_error.isfinite()
    reason = [
        "" if ok else "refused before pruning" if finite else "error is not finite"
        for ok, finite in zip(good.tolist(), first_error.isfinite().tolist(), strict=True)
    ]
    final_theta, final_kept = theta.clone(), kept.clone()
    path: list[Deletion] = []
    alive = torch.arange(len(theta)) if to_the_end else good.nonzero()[:, 0]
    part = task.subset(alive)
    w, k, before = theta[alive], kept[alive], first_error[alive]
    for _ in range(int(may_go.sum())):
        if len(alive) == 0:
            break
        choice = method.choose(net, w, part, k, k & may_go)
        k = k.scatter(1, choice.weight[:, None], False)
        w = (w + choice.change) * k
        outputs = net.outputs(w, part.x)
        deleted = after = error.value(outputs, part.t)
        if retrain is not None:
            w = retrain(w, k, alive)
            outputs = net.outputs(w, part.x)
            after = error.value(outputs, part.t)
        finite = after.isfinite()
        accepted = stop.accepts(outputs, part) & finite
        measures = dict(measure(w, alive)) if measure is not None else {}
        path.append(
            Deletion(
                alive,
                choice.weight,
                choice.predicted,
                before,
                deleted,
                after,
                accepted,
                measures,
            )
        )
        good[alive] &= accepted
        for row in (~accepted).nonzero()[:, 0].tolist():
            number = int(alive[row])
            if not reason[number]:
                reason[number] = (
                    "refused by the stop rule" if finite[row] else "error is not finite"
                )
        last = good[alive]
        final_theta[alive[last]], final_kept[alive[last]] = w[last], k[last]
        before = after
        going = finite if to_the_end else last
        if not going.all():
            alive, w, k, before = alive[going], w[going], k[going], before[going]
            part = part.subset(going)
    reason = [text or "no weight left to delete" for text in reason]
    return Pruned(final_theta, final_kept, reason, path)
