"""What a report is made from: the collected results of a replication and its claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from oldschool.claims.assess import Judged, Origin, assess
from oldschool.claims.claim import Claim, load_claims
from oldschool.report import speed
from oldschool.report.kept import Kept
from oldschool.runs import config, results
from oldschool.runs.digest import canonical, text_digest
from oldschool.runs.experiment import Replication
from oldschool.runs.frames import Parsed, sha256


@dataclass(frozen=True)
class Inputs:
    """All that one replication brings to the report.

    Attributes:
        replication: the replication.
        frames: {frame: rows}; a frame never run is absent.
        hashes: {frame: sha256 of its rows as text}.
        manifests: {experiment: its collected manifest}; absent if never run.
        judged: every claim of its ``claims.yaml`` with its verdict, in the file's order.
    """

    replication: Replication
    frames: Mapping[str, pd.DataFrame]
    hashes: Mapping[str, str]
    manifests: Mapping[str, Mapping[str, Any]]
    judged: tuple[Judged, ...]

    def experiments_of(self, claim: Claim) -> tuple[str, ...]:
        """Names of the experiments that write the claim's frames, in the order they run."""
        return tuple(
            experiment.name
            for experiment in self.replication.experiments
            if not set(claim.frames).isdisjoint(experiment.frames)
        )

    def commits_of(self, claim: Claim) -> tuple[str, ...]:
        """Commits of the code that the claim's rows were made with; none if there are no rows.

        Rows that these were computed from count, too.
        """
        wanted = list(self.experiments_of(claim))
        for name in wanted:  # grows as it goes
            needs = self.replication.experiment(name).needs
            wanted += [need for need in needs if need not in wanted]
        found = {
            commit(environment)
            for name in wanted
            for environment in self.manifests.get(name, {}).get("environments", ())
        }
        return tuple(sorted(found))

    def scale_of(self, judged: Judged) -> str:
        """The nets behind a claim's number, where these are less than the paper's; else ""."""
        found = map(self.scale_of_experiment, self.experiments_of(judged.claim))
        return "; ".join(dict.fromkeys(filter(None, found)))

    def scale_of_experiment(self, name: str) -> str:
        """What was trained, where it is less than in the paper; "" if not, or not as declared."""
        manifest = self.manifests.get(name)
        if manifest is None or not manifest["frames"] or manifest.get("what_if"):
            return ""
        return self.replication.scales.get(name, {}).get(manifest["profile"], "")

    def digest_of(self, claim: Claim) -> str:
        """Digest of the claim's definition, of the rows it reads, and of what came of it."""
        rows = {frame: self.hashes.get(frame) for frame in claim.frames}
        (row,) = (judged.row() for judged in self.judged if judged.claim.id == claim.id)
        return text_digest(canonical({"claim": asdict(claim), "rows": rows, "line": row}))


def read(report_dir: Path, replication: Replication, afresh: bool = False) -> Inputs:
    """Results and claims of ``replication``, and the verdicts that follow.

    Args:
        report_dir: holds ``results/``.
        replication: whose.
        afresh: work out every estimate, and leave those kept from earlier alone.

    Raises:
        ConfigError: claims.yaml is malformed or does not fit the replication.
        DataError: a results file is damaged or not what its manifest says.
        OSError: estimates cannot be kept.
    """
    found = {
        experiment.name: manifest
        for experiment in replication.experiments
        if (manifest := results.load_manifest(report_dir, replication.name, experiment.name))
    }
    hashes = {
        frame: str(entry["sha256"])
        for manifest in found.values()
        for frame, entry in manifest["frames"].items()
    }
    origins = {
        frame: origin(manifest) for manifest in found.values() for frame in manifest["frames"]
    }
    # Rows without a manifest have no known origin, so they count as never run.
    texts = {
        frame: text
        for frame, text in results.load_texts(report_dir, replication.name).items()
        if frame in hashes
    }
    unavailable = {
        frame: str(manifest["unavailable"])
        for name, manifest in found.items()
        if "unavailable" in manifest
        for frame in replication.experiment(name).frames
    }
    for frame, content in speed.measured(report_dir).items():
        texts[frame], hashes[frame] = content, sha256(content)
    frames = Parsed(texts)
    claims = load_claims(replication.folder)
    if afresh:
        judged = assess(replication, claims, frames, origins, unavailable)
    else:
        kept = Kept(report_dir, replication, claims, hashes, origins)
        judged = assess(replication, claims, frames, origins, unavailable, kept.results)
        kept.save(judged)
    return Inputs(replication, frames, hashes, found, tuple(judged))


def origin(manifest: Mapping[str, Any]) -> Origin:
    """The run that a collected manifest is of."""
    changed = manifest.get("what_if", {})
    return Origin(
        str(manifest["profile"]),
        tuple(config.override(key, value) for key, value in changed.items()),
    )


def commit(environment: Mapping[str, Any]) -> str:
    """A manifest's commit as shown: ten digits, and whether the code differed from it."""
    if not environment["commit"]:
        return "none"
    return str(environment["commit"])[:10] + (" + changes" if environment["dirty"] else "")
