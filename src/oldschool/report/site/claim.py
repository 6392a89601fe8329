"""A claim as its page and the scoreboard show it."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.claims.assess import Judged, number
from oldschool.claims.claim import Claim, Region
from oldschool.claims.estimate import Estimate, NotRun
from oldschool.claims.verdict import NOT_REPRODUCED, NOT_RUN, PARTLY, REPRODUCED, UNDECIDED
from oldschool.digits import fmt
from oldschool.report import artefacts
from oldschool.report.cite.citation import cited
from oldschool.report.inputs import Inputs
from oldschool.report.site.links import relative

# Verdicts are told apart by word and sign, never by colour alone.
MARKS = {REPRODUCED: "✓", PARTLY: "◐", NOT_REPRODUCED: "✗", UNDECIDED: "?", NOT_RUN: "○"}

_LINE = (20.0, 380.0)  # where the line of numbers starts and ends, in units of the drawing
_ROOM = 0.12  # of the range of the numbers, left on either side
_NEAR = 60.0  # edges of the accepted region whose texts, side by side, might overlap


def summary(judged: Judged) -> dict[str, Any]:
    """What the scoreboard has of a claim."""
    claim, row = judged.claim, judged.row()
    text = isinstance(claim.paper_value, str)
    ours = judged.result if isinstance(judged.result, Estimate) else None
    return {
        **row,
        "what": claim.what,
        "published": claim.paper_value if text else f"{row['paper_value']} {claim.unit}".strip(),
        "sorts_as": "" if text else row["paper_value"],
        "page": f"claims/{claim.id}.html",
        "only_shown": ours is not None and judged.verdict.word == NOT_RUN,
        **_ours(judged, ours),
    }


def _ours(judged: Judged, ours: Estimate | None) -> dict[str, str]:
    """Our number with its unit, and its interval; one that was counted has none."""
    if ours is None:
        return {"ours": "", "interval": ""}
    value, interval = judged.printed()
    return {"ours": f"{value} {judged.claim.unit}".strip(), "interval": interval}


def details(
    inputs: Inputs, judged: Judged, paper: Mapping[str, Any], report_dir: Path
) -> dict[str, Any]:
    """What only the claim's own page has.

    Args:
        inputs: of the claim's paper.
        judged: the claim.
        paper: what the paper's page shows.
        report_dir: where the pages lie in the end.
    """
    claim = judged.claim
    owners = artefacts.owners(inputs.replication)
    wanted = dict.fromkeys(owners[frame] for frame in claim.frames)
    return {
        "accepted": _accepted(claim),
        "rounding": number(claim.rounding) if claim.rounding else "",
        "margin_reason": claim.margin_reason,
        "null_value": "" if claim.null_value is None else number(claim.null_value),
        "inconsistencies": claim.inconsistencies,
        "needs_profile": claim.profile,
        "frames": claim.frames,
        "runs": [run for run in paper["runs"] if run["name"] in wanted],
        "never_run": [name for name in wanted if name not in inputs.manifests],
        "citation": cited(inputs, judged),
        "estimator": _estimator(inputs, claim, report_dir),
        "figures": _of_same_rows(paper["figures"], claim),
        "tables": _of_same_rows(paper["tables"], claim),
        "line": _line(claim, judged.result),
    }


def _accepted(claim: Claim) -> str:
    try:
        return str(claim.acceptance())
    except ValueError:
        return ""


def _estimator(inputs: Inputs, claim: Claim, report_dir: Path) -> dict[str, str] | None:
    """The file whose function makes the number; None for a claim that has none."""
    function: Any = inputs.replication.estimates.get(claim.id)
    if function is None:
        return None
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    file = Path(function.__code__.co_filename)
    return {"name": paths.shown(file), "file": relative(file, report_dir / "claims")}


def _of_same_rows(items: list[dict[str, Any]], claim: Claim) -> list[dict[str, Any]]:
    return [
        item for item in items if not item["lacking"] and set(item["needs"]) & set(claim.frames)
    ]


def _line(claim: Claim, result: Estimate | NotRun) -> dict[str, Any] | None:
    """Places of accepted region, interval, our value and the paper's on a line of numbers."""
    if isinstance(result, NotRun):
        return None
    region = claim.acceptance()
    paper = claim.paper_value if isinstance(claim.paper_value, float) else None
    points = [result.low, result.value, result.high, *region.edges()]
    points += [] if paper is None else [paper]
    low, high = min(points), max(points)
    if not math.isfinite(low) or not math.isfinite(high):
        return None
    room = _ROOM * (high - low) or abs(high) or 1.0
    left, right = low - room, high + room

    def at(value: float) -> float:
        share = (min(max(value, left), right) - left) / (right - left)
        return round(_LINE[0] + share * (_LINE[1] - _LINE[0]), 1)

    return {
        "from": at(region.low),
        "to": at(region.high),
        "edges": _edges({number(edge): at(edge) for edge in region.edges()}),
        "low": at(result.low),
        "value": at(result.value),
        "high": at(result.high),
        "paper": None if paper is None else at(paper),
        "says": _says(region, result, paper),
    }


def _edges(places: Mapping[str, float]) -> list[dict[str, Any]]:
    """Edges of the accepted region; the texts of two that are near run outwards from them."""
    near = max(places.values(), default=0.0) - min(places.values(), default=0.0) < _NEAR
    sides = ("end", "start") if near and len(places) > 1 else ("middle", "middle")
    return [
        {"at": at, "text": text, "anchor": side}
        for (text, at), side in zip(places.items(), sides, strict=False)
    ]


def _says(region: Region, result: Estimate, paper: float | None) -> str:
    """The drawing in words."""
    ours = f"ours {fmt(result.value, result.low, result.high)}"
    said = "" if paper is None else f", the paper's value {number(paper)}"
    return f"A line of numbers: {ours}, accepted {region}{said}."
