"""The one rule that turns a claim and an estimate into a verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from oldschool.claims.claim import Claim, Region
from oldschool.claims.estimate import Estimate, NotRun
from oldschool.digits import fmt
from oldschool.runs.config import PROFILES

REPRODUCED = "reproduced"
PARTLY = "partly"
NOT_REPRODUCED = "not reproduced"
UNDECIDED = "undecided"
NOT_RUN = "not run"
_FAR = 1000  # times the replicates there are, from which an estimate counts as on the edge
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, UNDECIDED, NOT_RUN)


@dataclass(frozen=True)
class Verdict:
    """One of ``VERDICTS`` and the sentence that justifies it."""

    word: str
    reason: str


def judge(claim: Claim, result: Estimate | NotRun, profile: str) -> Verdict:
    """The verdict on ``claim``.

    Args:
        claim: the paper's claim with its acceptance region R.
        result: what we measured.
        profile: profile of the rows behind ``result``.

    Returns:
        ``reproduced`` if the 90 % interval lies inside R; ``undecided`` if it crosses an edge
        of R; outside R ``partly`` if it still lies wholly on R's side of the claim's
        ``null_value``, else ``not reproduced``; ``not run`` if there is no number or its
        profile is below the claim's.
    """
    if isinstance(result, NotRun):
        return Verdict(NOT_RUN, result.reason)
    if PROFILES.index(profile) < PROFILES.index(claim.profile):
        return Verdict(
            NOT_RUN,
            f"not judged: this claim needs profile {claim.profile}, these rows are of profile "
            f"{profile}",
        )
    region = claim.acceptance()
    word = _word(claim, region, result)
    ours = _shown(claim, region, result)
    accepted = f"the accepted region ({region})"
    reason = f"{ours} lies {'inside' if word == REPRODUCED else 'outside'} {accepted}"
    if word == UNDECIDED:
        reason = f"{ours} crosses the edge of {accepted}; {_settling(result, region)}"
    elif word == PARTLY:
        reason += f", but on that side of {claim.null_value:.6g}"
    return Verdict(word, f"{reason}; {result.note}" if result.note else reason)


def _word(claim: Claim, region: Region, result: Estimate) -> str:
    if region.holds(result.low, result.high):
        return REPRODUCED
    if not region.misses(result.low, result.high):
        return UNDECIDED
    return PARTLY if _on_side(claim.null_value, region, result) else NOT_REPRODUCED


def _shown(claim: Claim, region: Region, result: Estimate) -> str:
    """Our number or interval, rounded as in the tables unless rounding would hide the verdict."""
    exact = result.low == result.high
    text = fmt(result.value) if exact else fmt(result.value, result.low, result.high)
    ends = text.partition("[")[2].rstrip("]").split(", ") if not exact else [text, text]
    rounded = replace(result, low=float(ends[0]), high=float(ends[1]))
    if _word(claim, region, rounded) != _word(claim, region, result):
        ends = [f"{result.low:.6g}", f"{result.high:.6g}"]
    return ends[0] if exact else f"the 90 % interval [{', '.join(ends)}]"


def _on_side(null_value: float | None, region: Region, result: Estimate) -> bool:
    """Whether the interval lies strictly beyond ``null_value`` towards ``region``."""
    if null_value is None:
        return False
    if region.low >= null_value:
        return result.low > null_value
    return result.high < null_value


def replicates_to_settle(result: Estimate, region: Region) -> float:
    """Replicates at which an interval that crosses an edge would clear it; inf if on the edge.

    The arm of the interval towards an edge shrinks with the root of n, so clearing the edge
    takes n (arm / distance of the value to the edge)^2, and in any case more than there are.
    """
    needed = result.n + 1.0
    for edge in region.edges():
        distance = abs(result.value - edge)
        if distance == 0.0:
            return math.inf
        arm = result.value - result.low if edge < result.value else result.high - result.value
        needed = max(needed, result.n * (max(arm, 0.0) / distance) ** 2)
    return needed


def _settling(result: Estimate, region: Region) -> str:
    needed = replicates_to_settle(result, region)
    if needed > _FAR * result.n:
        return (
            "the estimate lies so near the edge that more replicates alone would hardly settle it"
        )
    return f"about {round_up(needed):,} replicates would settle it, there are {result.n:,}"


def round_up(number: float) -> int:
    """The least integer of at most two significant digits that is not below ``number`` > 0."""
    step: int = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return math.ceil(number / step) * step
