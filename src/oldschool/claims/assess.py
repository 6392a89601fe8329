"""From the frames of a replication to one judged row a claim, as ``claims.csv`` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oldschool.claims.claim import Claim
from oldschool.claims.estimate import Estimate, NotRun
from oldschool.claims.verdict import Verdict, judge
from oldschool.errors import ConfigError
from oldschool.runs.config import PROFILES
from oldschool.runs.experiment import Frames, Replication

COLUMNS = (
    "id",
    "paper",
    "where",
    "kind",
    "paper_value",
    "unit",
    "estimate",
    "ci_low",
    "ci_high",
    "n",
    "margin",
    "verdict",
    "profile",
    "reason",
    "command",
)


@dataclass(frozen=True)
class Judged:
    """A claim beside what we found.

    Attributes:
        claim: the paper's claim.
        paper: name of the replication.
        result: our number, or why there is none.
        verdict: what the rule says.
        profile: profile of the rows it rests on; "" if there are none.
        command: what regenerates the number; "" for a claim declared ``not_run``.
    """

    claim: Claim
    paper: str
    result: Estimate | NotRun
    verdict: Verdict
    profile: str
    command: str

    def row(self) -> dict[str, str]:
        """The claim's line of ``claims.csv``, formatted the same way every time."""
        claim, ours = self.claim, self.result
        numbers = (
            {
                "estimate": number(ours.value),
                "ci_low": number(ours.low),
                "ci_high": number(ours.high),
                "n": str(ours.n),
            }
            if isinstance(ours, Estimate)
            else {}
        )
        texts = {
            "id": claim.id,
            "paper": self.paper,
            "where": claim.where,
            "kind": claim.kind,
            "paper_value": paper_value(claim),
            "unit": claim.unit,
            "margin": "" if claim.margin is None else number(claim.margin),
            "verdict": self.verdict.word,
            "profile": self.profile,
            "reason": " ".join(self.verdict.reason.split()),
            "command": self.command,
        }
        return {column: (texts | numbers).get(column, "") for column in COLUMNS}


def number(value: float) -> str:
    """Six significant digits, no exponent where it can be helped, never ``-0``."""
    return f"{value + 0.0:.6g}"


def paper_value(claim: Claim) -> str:
    """The paper's value as text."""
    value = claim.paper_value
    return value if isinstance(value, str) else f"{value:.10g}"


def assess(
    replication: Replication,
    claims: Sequence[Claim],
    frames: Frames,
    profiles: Mapping[str, str],
) -> list[Judged]:
    """Every claim of ``replication`` judged, in the order given.

    Args:
        replication: where the estimates are.
        claims: its claims.
        frames: all frames there are; those never run are absent.
        profiles: {frame: profile its rows were run with}.

    Raises:
        ConfigError: a claim without an estimate, an estimate without a claim, or a frame that
            no experiment writes.
    """
    _check_links(replication, claims)
    return [_assess(replication, claim, frames, profiles) for claim in claims]


def _check_links(replication: Replication, claims: Sequence[Claim]) -> None:
    shown = f"{replication.folder.name}/claims.yaml"
    written = {frame for experiment in replication.experiments for frame in experiment.frames}
    for claim in claims:
        unknown = [frame for frame in claim.frames if frame not in written]
        if unknown:
            raise ConfigError(f"{shown}: {claim.id}: no experiment writes the frame {unknown[0]}")
        if not claim.not_run and claim.id not in replication.estimates:
            raise ConfigError(
                f"{shown}: {claim.id}: the replication has no estimate of that id, "
                "and the claim gives no not_run reason"
            )
    known = {claim.id for claim in claims if not claim.not_run}
    for name in replication.estimates:
        if name not in known:
            raise ConfigError(f"{shown}: {name}: there is an estimate but no such claim to judge")


def _assess(
    replication: Replication, claim: Claim, frames: Frames, profiles: Mapping[str, str]
) -> Judged:
    result, profile = _estimate(replication, claim, frames, profiles)
    command = ""
    if not claim.not_run:
        level = max(claim.profile, profile or claim.profile, key=PROFILES.index)
        suffix = "" if level == "default" else f" PROFILE={level}"
        command = f"make replicate-{replication.name}{suffix}"
    return Judged(
        claim,
        replication.name,
        result,
        judge(claim, result, profile or claim.profile),
        profile,
        command,
    )


def _estimate(
    replication: Replication, claim: Claim, frames: Frames, profiles: Mapping[str, str]
) -> tuple[Estimate | NotRun, str]:
    """Our number and the profile of the rows behind it."""
    if claim.not_run:
        return NotRun(claim.not_run), ""
    missing = [frame for frame in claim.frames if frame not in frames]
    if missing:
        return NotRun(f"no rows yet: {', '.join(missing)}"), ""
    # A claim that reads no rows is arithmetic: it holds from its own profile on.
    run_with = {profiles[frame] for frame in claim.frames} or {claim.profile}
    if len(run_with) > 1:
        mixed = ", ".join(f"{frame}: {profiles[frame]}" for frame in claim.frames)
        return NotRun(f"rows of different profiles are never mixed ({mixed})"), ""
    try:
        result = replication.estimates[claim.id](
            {frame: frames[frame].copy(deep=False) for frame in claim.frames}
        )
    except Exception as error:
        error.add_note(f"while estimating {claim.id}")
        raise
    return result, run_with.pop()
