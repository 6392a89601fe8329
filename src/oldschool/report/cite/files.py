"""What lies in ``cite/`` of a report folder.

``results.tex`` has the numbers as macros, ``references.bib`` the papers, this project and every
claim, ``tables/<replication>.tex`` the scoreboards, and ``citations.json`` what ``make cite``
prints.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from oldschool import paths
from oldschool.report.cite import bibliography, latex
from oldschool.report.cite.citation import Citation, cited
from oldschool.report.cite.lookup import CITATIONS, FOLDER, REFERENCES
from oldschool.report.inputs import Inputs


def files(read_in: Sequence[Inputs], report_dir: Path, out: Path) -> dict[str, bytes]:
    """{path in the report folder: content}; the folders themselves are not read.

    Raises:
        ConfigError: two claims would have LaTeX macros of the same name.
        DataError: CITATION.cff cannot be read or lacks something.
    """
    citations = [cited(inputs, judged) for inputs in read_in for judged in inputs.judged]
    project = bibliography.load(paths.citation())
    texts = {
        "results.tex": latex.macros(citations),
        REFERENCES: bibliography.render(project, [one.replication for one in read_in], citations),
        CITATIONS: _record(citations),
    }
    for inputs in read_in:
        texts[f"tables/{inputs.replication.name}.tex"] = latex.scoreboard(inputs.judged)
    return {f"{FOLDER}/{name}": text.encode() for name, text in texts.items()}


def _record(citations: Sequence[Citation]) -> str:
    return json.dumps({one.id: one.record() for one in citations}, indent=1) + "\n"
