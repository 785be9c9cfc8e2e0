"""The numbers behind a verdict in words."""

import math

from zipo.study.claims.catalogue import (
    Claim,
    DistributionClaim,
    DivergenceClaim,
    EquivalenceClaim,
    ShareClaim,
    SpreadClaim,
    TrendClaim,
    TrialsClaim,
)
from zipo.study.claims.evidence import Evidence


def sentence(claim: Claim, evidence: Evidence, verdict: str, p_holm: float, seeds: int | None) -> str:
    """What was found, how sure it is, and what follows where the verdict does not say it."""
    ending = evidence.remark + _ending(claim, evidence, verdict, seeds)
    if isinstance(claim, DivergenceClaim):
        found = f"{evidence.diverged} of {evidence.runs} runs diverged at {evidence.of}"
        return f"{found} (95 % CI {_among(evidence)}; p = {p_holm:.2g} that more than {claim.bound:g} do).{ending}"
    unit = _unit(claim, evidence.count)
    lost = f" {evidence.diverged} of {evidence.runs} runs diverged and are left out." if evidence.diverged else ""
    if math.isnan(evidence.p):
        too_few = f"a test needs two{' on either side' if isinstance(claim, TrialsClaim) else ''}"
        if not evidence.count:
            return f"No seed could be used at {evidence.of}; {too_few}.{lost}"
        return f"{_found(claim, evidence)}, from {evidence.count} {unit}; {too_few}.{lost}{evidence.remark}"
    numbers = f"(95 % CI {_among(evidence)}; p = {p_holm:.2g} after Holm; {evidence.count:,} {unit})."
    if not isinstance(claim, ShareClaim | DistributionClaim):
        numbers += f" Effects of {_amount(evidence, evidence.scaled(evidence.margin)).lstrip('+')} or more matter."
    return f"{_found(claim, evidence)} {numbers}{lost}{ending}"


def towards(direction: str) -> int:
    """The sign of the effect that a direction asks for, or does not mind."""
    return 1 if direction in ("greater", "no_less") else -1


def _found(claim: Claim, evidence: Evidence) -> str:
    """The numbers that are compared, and their difference."""
    weakest = f", the weakest of {evidence.tests} comparisons" if evidence.tests > 1 else ""
    if isinstance(claim, ShareClaim | DistributionClaim):
        name = f"{claim.measure} at" if isinstance(claim, ShareClaim) else f"{claim.statistic} of"
        words = f"{name} {evidence.of} is {evidence.mean_of:.3g}{weakest}"
        return f"{words}, to be {claim.direction} than {claim.bound:g}"
    assert not isinstance(claim, DivergenceClaim)
    name = claim.measure
    if isinstance(claim, SpreadClaim):
        name = f"the distance of {name} from its median over seeds{', as a share,' if evidence.relative else ''}"
    words = f"{name} is {evidence.mean_of:.4g} at {evidence.of} and {evidence.mean_than:.4g} at {evidence.than}"
    if evidence.count < 2:
        return words
    if isinstance(claim, TrendClaim):
        return f"{words}, with a fitted change of {_amount(evidence, evidence.effect)}"
    return f"{words}{weakest}: {_amount(evidence, evidence.effect)}"


def _ending(claim: Claim, evidence: Evidence, verdict: str, seeds: int | None) -> str:
    """What follows from the numbers, where the verdict does not say it."""
    if verdict == "undecided":
        return f" If things are as seen, {seeds:,} {_unit(claim, seeds)} would decide it." if seeds else ""
    if verdict == "reproduced" or isinstance(claim, ShareClaim | DivergenceClaim | DistributionClaim):
        return ""
    if isinstance(claim, EquivalenceClaim) or claim.direction == "equal":
        return " The difference is larger than that."
    return " The opposite is shown." if evidence.opposite else " Any difference is smaller than that."


def _unit(claim: Claim, count: int) -> str:
    """What is counted: seeds, runs, trials, cells or genes."""
    name = "run" if isinstance(claim, DivergenceClaim) else "trial" if isinstance(claim, TrialsClaim) else "seed"
    name = claim.totals if isinstance(claim, DistributionClaim) else name
    return name if count == 1 else f"{name}s"


def _amount(evidence: Evidence, value: float) -> str:
    return f"{100 * value:+.3g} %" if evidence.relative else f"{value:+.3g}"


def _among(evidence: Evidence) -> str:
    low, high = (evidence.scaled(end) for end in evidence.interval)
    if not evidence.than:
        return f"{low:.3g} to {high:.3g}"
    return f"{_amount(evidence, low)} to {_amount(evidence, high)}"
