"""Every page and what they share, as files: scoreboard, papers, claims, gallery, style, script."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from oldschool.claims.claim import KINDS
from oldschool.claims.verdict import VERDICTS
from oldschool.report import speed
from oldschool.report.inputs import Inputs
from oldschool.report.site import claim, items, paper
from oldschool.runs.config import PROFILES

INDEX = "index.html"
_TEMPLATES = "oldschool.report.site"
_SHARED = ("site.css", "site.js")


def files(read_in: Sequence[Inputs], report_dir: Path, out: Path) -> dict[str, bytes]:
    """All pages, as {path in the report folder: content}.

    Args:
        read_in: all replications, in order.
        report_dir: where the pages will lie in the end; links are relative to it.
        out: holds the figures and tables just made.

    Raises:
        ConfigError: the README of a replication cannot be read.
        DataError: the kept ratios of speed are damaged.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    papers = [paper.summary(inputs) for inputs in read_in]
    environment.globals.update(
        papers=papers, verdicts=VERDICTS, kinds=KINDS, profiles=PROFILES, marks=claim.MARKS
    )

    def page(template: str, root: str, **values: Any) -> bytes:
        return environment.get_template(template).render(root=root, **values).encode()

    shared = importlib.resources.files(_TEMPLATES) / "templates"
    made = {name: (shared / name).read_bytes() for name in _SHARED}
    ratios = [row | {"bar": speed.bar(row)} for row in speed.read(report_dir)]
    made[INDEX] = page("index.html.j2", "", speed=ratios)
    shown = [items.figures(inputs, out) for inputs in read_in]
    made["gallery.html"] = page("gallery.html.j2", "", figures=shown)
    order = [row for summary in papers for row in summary["claims"]]
    number = 0
    for inputs, summary, figures in zip(read_in, papers, shown, strict=True):
        details = paper.details(inputs, summary, figures, report_dir, out)
        made[f"papers/{summary['name']}.html"] = page("paper.html.j2", "../", paper=details)
        for judged, row in zip(inputs.judged, summary["claims"], strict=True):
            made[f"claims/{row['id']}.html"] = page(
                "claim.html.j2",
                "../",
                paper=details,
                claim=row | claim.details(inputs, judged, details, report_dir),
                before=order[number - 1] if number else None,
                after=order[number + 1] if number + 1 < len(order) else None,
            )
            number += 1
    return made
