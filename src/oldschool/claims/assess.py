"""From the frames of a replication to one judged row a claim, as ``claims.csv`` has them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oldschool.claims.claim import Claim
from oldschool.claims.estimate import Estimate, NotRun, Result
from oldschool.claims.verdict import Verdict, judge
from oldschool.digits import fmt
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
class Origin:
    """The run that rows come from.

    Attributes:
        profile: its profile.
        overrides: settings, as ``key=value``, in which it differs from the declared ones.
    """

    profile: str
    overrides: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.profile, *self.overrides])


@dataclass(frozen=True)
class Judged:
    """A claim beside what we found.

    Attributes:
        claim: the paper's claim.
        paper: name of the replication.
        result: our number, or why there is none.
        verdict: what the rule says.
        profile: profile of the rows it rests on; "" if there are none.
        command: what gives the number again, or one where there is none yet; "" for a claim
            declared ``not_run``.
    """

    claim: Claim
    paper: str
    result: Estimate | NotRun
    verdict: Verdict
    profile: str
    command: str

    def printed(self) -> tuple[str, str]:
        """Our number and its interval in the digits they are good for.

        Without a number both are empty, and the interval of one that was counted or computed.
        """
        ours = self.result
        if isinstance(ours, NotRun):
            return "", ""
        value, _, interval = fmt(ours.value, ours.low, ours.high).partition(" ")
        return value, interval if ours.sampled else ""

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
    origins: Mapping[str, Origin],
    unavailable: Mapping[str, str] | None = None,
    known: Mapping[str, Result] | None = None,
) -> list[Judged]:
    """Every claim of ``replication`` judged, in the order given.

    Args:
        replication: where the estimates are.
        claims: its claims.
        frames: all frames there are; those never run are absent.
        origins: {frame: the run its rows come from}.
        unavailable: {frame: why its data cannot be had}.
        known: {claim id: its estimate from these very frames}; all others are worked out.

    Raises:
        ConfigError: a claim without an estimate, an estimate without a claim, or a frame that
            no experiment writes.
    """
    _check_links(replication, claims)
    given = (frames, origins, unavailable or {}, known or {})
    return [_assess(replication, claim, *given) for claim in claims]


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
    replication: Replication,
    claim: Claim,
    frames: Frames,
    origins: Mapping[str, Origin],
    unavailable: Mapping[str, str],
    known: Mapping[str, Result],
) -> Judged:
    result, origin = _estimate(replication, claim, frames, origins, unavailable, known)
    profile = origin.profile if origin else ""
    return Judged(
        claim,
        replication.name,
        result,
        judge(claim, result, profile or claim.profile),
        profile,
        "" if claim.not_run else command(replication.name, _wanted(claim, result, origin)),
    )


def _wanted(claim: Claim, result: Estimate | NotRun, origin: Origin | None) -> Origin:
    """The run that gives the number again, or the least that gives one where there is none."""
    if origin is None:
        return Origin(claim.profile)
    if isinstance(result, NotRun):
        profile = max(claim.profile, origin.profile, key=PROFILES.index)
        return Origin(profile, origin.overrides)
    return origin


def command(name: str, origin: Origin) -> str:
    """The ``make`` command of a run of the replication called ``name``."""
    words = [f"make replicate-{name}"]
    if origin.profile != "default":
        words.append(f"PROFILE={origin.profile}")
    if origin.overrides:
        words.append(f"ARGS={_quoted(' '.join(map(_shell_word, origin.overrides)))}")
    return " ".join(words)


def _shell_word(override: str) -> str:
    """An override as the shell of a make recipe must find it."""
    return shlex.quote(override).replace("$", "$$")


def _quoted(words: str) -> str:
    return shlex.quote(words) if set(words) & set('"$`\\!') else f'"{words}"'


def _estimate(
    replication: Replication,
    claim: Claim,
    frames: Frames,
    origins: Mapping[str, Origin],
    unavailable: Mapping[str, str],
    known: Mapping[str, Result],
) -> tuple[Result, Origin | None]:
    """Our number and the run of the rows behind it."""
    if claim.not_run:
        return NotRun(claim.not_run), None
    missing = [frame for frame in claim.frames if frame not in frames]
    if missing and missing[0] in unavailable:
        return NotRun(unavailable[missing[0]]), None
    if missing:
        return NotRun(f"no rows yet: {', '.join(missing)}"), None
    # A claim that reads no rows is arithmetic: it holds from its own profile on.
    runs = {origins[frame] for frame in claim.frames} or {Origin(claim.profile)}
    if len(runs) > 1:
        mixed = ", ".join(f"{frame}: {origins[frame]}" for frame in claim.frames)
        what = "settings" if len({run.profile for run in runs}) == 1 else "profiles"
        return NotRun(f"rows of different {what} are never mixed ({mixed})"), None
    if claim.id in known:
        return known[claim.id], runs.pop()
    try:
        result = replication.estimates[claim.id](
            {frame: frames[frame].copy(deep=False) for frame in claim.frames}
        )
    except Exception as error:
        error.add_note(f"while estimating {claim.id}")
        raise
    return result, runs.pop()
