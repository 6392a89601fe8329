"""A paper as the scoreboard and its page show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oldschool.report.inputs import Inputs, origin
from oldschool.report.site import claim, items, notes, runs
from oldschool.report.site.links import relative
from oldschool.runs.config import PROFILES


def summary(inputs: Inputs) -> dict[str, Any]:
    """What every page may say of a paper."""
    replication = inputs.replication
    origins = {origin(manifest): None for manifest in inputs.manifests.values()}
    return {
        "name": replication.name,
        "title": replication.title,
        "citation": replication.citation,
        "page": f"papers/{replication.name}.html",
        "counts": Counter(judged.verdict.word for judged in inputs.judged),
        "claims": [claim.summary(judged) for judged in inputs.judged],
        "what_if": [run for run in origins if run.overrides or run.profile == PROFILES[0]],
    }


def details(
    inputs: Inputs,
    known: Mapping[str, Any],
    figures: list[dict[str, Any]],
    report_dir: Path,
    out: Path,
) -> dict[str, Any]:
    """What the paper's own page has.

    Args:
        inputs: of the paper.
        known: its summary.
        figures: as ``items.figures`` gives them.
        report_dir: where the pages lie in the end.
        out: holds the tables just made.
    """
    folder = inputs.replication.folder
    page_dir = report_dir / "papers"
    return {
        **known,
        "scales": _scales(inputs),
        "readme": relative(folder / "README.md", page_dir),
        "notes": notes.sections(folder, page_dir),
        "runs": [runs.summary(inputs, name, report_dir) for name in inputs.manifests],
        "figures": figures,
        "tables": items.tables(inputs, out),
    }


def _scales(inputs: Inputs) -> dict[str, str]:
    """{experiment: its nets, where these are less than the paper's}, of those with rows."""
    known = {name: inputs.scale_of_experiment(name) for name in inputs.manifests}
    return {name: scale for name, scale in known.items() if scale}
