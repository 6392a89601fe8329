"""What every experiment tells of a trial: tidy rows of grown nets."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from oldschool.data.task import Task
from oldschool.growing.outcome import Grown


def rows(grown: Grown, replicates: Sequence[int]) -> pd.DataFrame:
    """A row a trial: how it ended, and what it cost."""
    return pd.DataFrame(
        {
            "replicate": list(replicates),
            "ended": grown.reason,
            "learned": grown.learned.tolist(),
            "hidden": grown.hidden.tolist(),
            "output_epochs": grown.output_epochs.tolist(),
            "candidate_epochs": grown.candidate_epochs.tolist(),
            "epochs": (grown.output_epochs + grown.candidate_epochs).tolist(),
            "crossings": grown.crossings.tolist(),
            "error_bits": grown.error_bits.tolist(),
        }
    )


def phases(grown: Grown, replicates: Sequence[int]) -> pd.DataFrame:
    """A row a phase of each trial, in order."""
    return pd.DataFrame(
        [
            {
                "replicate": replicate,
                "phase": phase.kind,
                "hidden": phase.hidden,
                "epochs": phase.epochs,
                "error_bits": phase.error_bits,
                "squared_error": phase.squared_error,
                "score": phase.score,
            }
            for trial, replicate in enumerate(replicates)
            for phase in grown.history(trial)
        ]
    ).astype({"error_bits": "Int64"})


def cast(task: Task, dtype: torch.dtype) -> Task:
    return Task(task.x.to(dtype), task.t.to(dtype))


def wrong(outputs: Tensor, targets: Tensor) -> Tensor:
    """Share of cases with an output on the wrong side of 0, in per cent, (R,).

    Args:
        outputs: (R, K, P).
        targets: (P, K) or (R, P, K).
    """
    miss = (outputs > 0) != (targets.mT > 0)
    return 100.0 * miss.any(1).double().mean(1)
