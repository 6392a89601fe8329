"""Estimates kept in ``runs/``, so that an interval whose rows and code are unchanged is not redone.

An estimate is used again only under the key it was kept by: the rows it reads, where they come
from, ``claims.yaml``, the sources of the replication and all they import, and the versions of the
packages. What is damaged, edited or of another key is worked out again.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from oldschool import paths
from oldschool.claims.assess import Judged, Origin
from oldschool.claims.claim import CLAIMS, Claim
from oldschool.claims.estimate import Estimate, NotRun, Result
from oldschool.report.sources import source_digest
from oldschool.runs import files, provenance
from oldschool.runs.digest import canonical, text_digest
from oldschool.runs.experiment import Replication
from oldschool.runs.frames import sha256
from oldschool.runs.registry import PACKAGE


class Kept:
    """The estimates of one replication from the rows of one report folder."""

    def __init__(
        self,
        report_dir: Path,
        replication: Replication,
        claims: Sequence[Claim],
        hashes: Mapping[str, str],
        origins: Mapping[str, Origin],
    ) -> None:
        """Read what is kept.

        Args:
            report_dir: the folder that holds the rows.
            replication: whose estimates they are.
            claims: its claims.
            hashes: {frame: sha256 of its rows as text}; estimates from other frames are not kept.
            origins: {frame: the run its rows come from}.
        """
        folder = text_digest(str(report_dir.resolve()))
        self._file = paths.kept_estimates() / folder / f"{replication.name}.json"
        common = [
            source_digest(f"{PACKAGE}.{replication.folder.name}"),
            sha256((replication.folder / CLAIMS).read_bytes()),
            provenance.packages(),
            platform.python_version(),
        ]
        self._keys = {
            claim.id: text_digest(
                canonical([[hashes[name], str(origins[name])] for name in claim.frames] + common)
            )
            for claim in claims
            if not claim.not_run and all(name in origins for name in claim.frames)
        }
        self.results: Mapping[str, Result] = self._read()

    def save(self, judged: Sequence[Judged]) -> None:
        """Keep the estimates that the verdicts rest on, and no others.

        Raises:
            OSError: ``runs/`` cannot be written.
        """
        entries = {
            one.claim.id: _entry(one.claim.id, self._keys[one.claim.id], one.result)
            for one in judged
            if one.claim.id in self._keys
        }
        text = json.dumps(entries, indent=1, sort_keys=True) + "\n"
        files.replace_if_different(self._file, text.encode())

    def _read(self) -> dict[str, Result]:
        """{claim id: result} of the entries that are whole and have the key of now."""
        try:
            entries = dict(json.loads(self._file.read_bytes()))
        except (OSError, ValueError, TypeError):
            return {}
        found: dict[str, Result] = {}
        for name, key in self._keys.items():
            try:
                values = entries[name]["result"]
                result = Estimate(**values) if "value" in values else NotRun(**values)
                if entries[name] == _entry(name, key, result):
                    found[name] = result
            except (KeyError, TypeError, ValueError):
                continue
        return found


def _entry(name: str, key: str, result: Result) -> dict[str, Any]:
    values = asdict(result)
    return {"key": key, "result": values, "seal": text_digest(canonical([name, key, values]))}
