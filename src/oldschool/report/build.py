"""Everything in a report folder that follows from the collected results; nothing is trained."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from oldschool.claims.assess import COLUMNS
from oldschool.report import artefacts, checklist, crate, readme
from oldschool.report.artefacts import Artefact, Ledger
from oldschool.report.cite import files as cite
from oldschool.report.inputs import Inputs, read
from oldschool.report.site import pages
from oldschool.runs.experiment import Figure, Replication, Table

CLAIMS = "claims.csv"
# What is written from all inputs at once: each gives {path in the report folder: content}.
Files = Callable[[Sequence[Inputs], Path, Path], Mapping[str, bytes]]


def build(
    report_dir: Path,
    replications: Iterable[Replication],
    out: Path | None = None,
    say: Callable[[str], None] = print,
    afresh: bool = False,
) -> None:
    """Figures, tables, verdicts, pages and provenance from the results in ``report_dir``.

    The README's scoreboard follows where ``out`` is the repository's own ``reports/``.
    Only what is out of date is made again, and only what differs is written. All replications
    must be given: the files of those left out are removed.

    Args:
        report_dir: holds ``results/``.
        replications: all there are, in the order of the report.
        out: where to write; ``report_dir`` itself if left out. Links are as from ``report_dir``.
        say: takes lines that tell what was kept, rebuilt, skipped or removed, and why.
        afresh: work out every estimate, whatever is kept from earlier.

    Raises:
        ConfigError: a claims.yaml is malformed or does not fit its replication, or a README.md
            cannot be read.
        DataError: results, the record of artefacts or CITATION.cff cannot be read.
        StorageError: a file cannot be written; what was there stays.
    """
    out = out or report_dir
    ledger = Ledger(out)
    read_in = [read(report_dir, replication, afresh) for replication in replications]
    for inputs in read_in:
        _make(inputs, ledger, say)
    for key in ledger.close():
        say(f"{key}: removed (no longer made)")
    made = {
        name: content
        for files in _FILES
        for name, content in files(read_in, report_dir, out).items()
    }
    for name, content in made.items():
        artefacts.write(out / name, content)
    shown_in = readme.file_of(out)
    if shown_in:
        papers = [inputs.replication for inputs in read_in]
        text = shown_in.read_text(encoding="utf-8")
        text = readme.updated(text, made[CLAIMS].decode(), papers)
        artefacts.write(shown_in, text.encode())
    for file in sorted(file for folder in _OWNED for file in (out / folder).rglob("*")):
        if file.is_file() and file.relative_to(out).as_posix() not in made:
            artefacts.remove(file)
            say(f"{file.relative_to(out).as_posix()}: removed (no longer made)")
    # Last, as it has the hashes of all the others.
    artefacts.write(
        out / crate.FILE, crate.render(read_in, report_dir, out, {*ledger.files(), *made})
    )


def _checklist(read_in: Sequence[Inputs], report_dir: Path, out: Path) -> dict[str, bytes]:
    return {checklist.FILE: checklist.render(read_in).encode()}


def _claims(read_in: Sequence[Inputs], report_dir: Path, out: Path) -> dict[str, bytes]:
    return {CLAIMS: claims_csv(read_in).encode()}


_OWNED = ("claims", "papers", "cite")  # folders that hold only what is made so
_FILES: tuple[Files, ...] = (_claims, pages.files, cite.files, _checklist)


def claims_csv(read_in: Iterable[Inputs]) -> str:
    """Every claim of every replication as a line: the contract with everyone outside."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for inputs in read_in:
        writer.writerows(judged.row() for judged in inputs.judged)
    return text.getvalue()


def _make(inputs: Inputs, ledger: Ledger, say: Callable[[str], None]) -> None:
    """Figures and tables of one replication, with a line each kind."""
    replication = inputs.replication
    owner = artefacts.owners(replication)
    ready: dict[str, list[Artefact]] = {"figures": [], "tables": []}
    items: list[Figure | Table] = [*replication.figures, *replication.tables]
    skipped = []
    for item in items:
        kind = "figures" if isinstance(item, Figure) else "tables"
        lacking = artefacts.missing(inputs, item)
        if lacking:
            line = f"{replication.name} {kind}: {item.name} skipped (no rows yet: {lacking[0]})"
            skipped.append(line)
        else:
            ready[kind].append(_artefact(inputs, item))
    if items and len(skipped) == len(items):
        skipped = [f"{replication.name}: all figures and tables skipped (no rows yet)"]
    for line in skipped:
        say(line)
    for kind, wanted in ready.items():
        if wanted:
            say(f"{replication.name} {kind}: {ledger.bring_up_to_date(wanted, owner)}")


def _artefact(inputs: Inputs, item: Figure | Table) -> Artefact:
    if isinstance(item, Figure):
        return artefacts.figure_artefact(inputs, item)
    return artefacts.table_artefact(inputs, item)
