"""A judged claim as it is cited: its sentence, its macros' name and what it rests on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from oldschool.claims.assess import Judged, Origin, command, paper_value
from oldschool.claims.estimate import Estimate
from oldschool.claims.verdict import NOT_RUN
from oldschool.report.inputs import Inputs

OURS = "not in the paper"  # where a claim stands that we added
_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")


@dataclass(frozen=True)
class Citation:
    """A judged claim with all that is printed to cite it.

    Attributes:
        judged: the claim and its verdict.
        paper: BibTeX key of the paper.
        commits: commits of the code that its rows were made with.
        digest: digest of its definition and rows, see :meth:`Inputs.digest_of`.
        scale: our nets and their training, where these are less than the paper's; else "".
    """

    judged: Judged
    paper: str
    commits: tuple[str, ...]
    digest: str
    scale: str

    @property
    def id(self) -> str:
        return self.judged.claim.id

    @property
    def key(self) -> str:
        """BibTeX key of the claim."""
        return f"oldschool:{self.id}"

    @property
    def macro(self) -> str:
        r"""Name, without backslash, that the claim's macros begin with; letters only."""
        parts = re.findall(r"[A-Za-z]+|[0-9]", self.id)
        return "oldschool" + "".join(
            _DIGITS[int(part)] if part.isdigit() else part[0].upper() + part[1:] for part in parts
        )

    @property
    def n(self) -> str:
        """Replicates behind our number; "" if there is none to cite.

        A number of smaller nets than the claim speaks of is not judged, and so not cited.
        """
        result = self.judged.result
        judged = self.judged.verdict.word != NOT_RUN
        return str(result.n) if judged and isinstance(result, Estimate) else ""

    @property
    def command(self) -> str:
        """What gives our number again, or else, as declared, one that can be judged.

        It is "" if nothing does.
        """
        if self.n or not isinstance(self.judged.result, Estimate):
            return self.judged.command
        return command(self.judged.paper, Origin(self.judged.claim.profile))

    def sentence(self) -> str:
        """Our number beside the paper's, with the verdict, ready to be put into a text."""
        claim, verdict = self.judged.claim, self.judged.verdict
        paper = f'"{claim.paper_value}"'
        if not isinstance(claim.paper_value, str):
            paper = f"{paper_value(claim)} {claim.unit}".strip()
        published = f"where the paper reports {paper} ({claim.where})"
        if claim.where == OURS:
            published = f"where we expected {paper} ({OURS})"
        if not self.n:
            return f"{claim.what}: not run ({_plain(verdict.reason)}), {published}."
        value, interval = self.judged.printed()
        ours = f"p = {value}" if claim.unit == "p" else f"{value} {claim.unit}".strip()
        said = f"{f'90 % interval {interval}, ' if interval else ''}n = {self.n}"
        beside = [said] * (self.n != "1") + [f"with {self.scale}"] * bool(self.scale)
        ours += f" ({'; '.join(beside)})" if beside else ""
        return f"{claim.what}: {ours}, {published}: {verdict.word}."

    def record(self) -> dict[str, Any]:
        """What ``citations.json`` keeps, for ``make cite`` and other programs."""
        value, interval = self.judged.printed() if self.n else ("", "")
        return {
            "sentence": self.sentence(),
            "value": value,
            "interval": interval,
            "n": self.n,
            "scale": self.scale,
            "verdict": self.judged.verdict.word,
            "macro": self.macro,
            "key": self.key,
            "paper": self.paper,
            "commits": list(self.commits),
            "digest": self.digest,
            "command": self.command,
        }


def cited(inputs: Inputs, judged: Judged) -> Citation:
    """The citation of a claim of ``inputs``."""
    claim = judged.claim
    return Citation(
        judged,
        inputs.replication.folder.name,
        inputs.commits_of(claim),
        inputs.digest_of(claim),
        inputs.scale_of(judged),
    )


def _plain(text: str) -> str:
    return " ".join(text.split())
