"""The scoreboard's summary in the project's README.md, between two marks.

Of the repository's own ``reports/`` alone: the report of other settings leaves the README as it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from oldschool import paths
from oldschool.claims.verdict import VERDICTS
from oldschool.runs.experiment import Replication

START, END = "<!-- scoreboard -->", "<!-- /scoreboard -->"
_BLOCK = re.compile(f"{START}\n.*?{END}", re.DOTALL)


def file_of(report_dir: Path) -> Path | None:
    """The README that is to show the scoreboard of ``report_dir``; None if there is none."""
    if report_dir.resolve() != paths.reports().resolve():
        return None
    file = paths.root() / "README.md"
    return file if file.is_file() else None


def has_scoreboard(text: str) -> bool:
    """Whether a README has the two marks."""
    return _BLOCK.search(text) is not None


def updated(text: str, claims: str, replications: Iterable[Replication]) -> str:
    """The README's text with the verdicts of ``claims.csv``'s text counted anew.

    Without the marks it stays as it is.
    """
    block = f"{START}\n{scoreboard(claims, replications)}{END}"
    return _BLOCK.sub(lambda _: block, text)


def scoreboard(claims: str, replications: Iterable[Replication]) -> str:
    """A Markdown table of how many claims have each verdict, a line a paper and one for all."""
    counts = Counter((row["paper"], row["verdict"]) for row in csv.DictReader(io.StringIO(claims)))
    lines = [("claims of", *VERDICTS, "all"), ("---", *("---:" for _ in VERDICTS), "---:")]
    total = Counter[str]()
    for replication in replications:
        of = Counter({word: counts[replication.name, word] for word in VERDICTS})
        lines.append(_line(replication.title, of))
        total += of
    lines.append(_line("**all papers**", total))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _line(name: str, counts: Counter[str]) -> tuple[str, ...]:
    return (name, *(str(counts[word]) for word in VERDICTS), str(counts.total()))
