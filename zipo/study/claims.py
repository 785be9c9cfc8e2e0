"""Verdicts on the paper's claims: reproduced, not reproduced, undecided or not run, with the numbers."""

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from zipo.study import paired
from zipo.study.claim import Claim, DivergenceClaim, EquivalenceClaim, ShareClaim, TrendClaim
from zipo.study.evidence import Evidence, NotRunError, weigh

VERDICTS = ("reproduced", "not reproduced", "undecided", "not run")
COUNTS = ["figure", "tests", "pairs", "runs", "diverged", "seeds_needed", "seeds_for_smallest"]
COLUMNS = [
    "id", "figure", "section", "claim", "kind", "dataset", "verdict", "sentence", "measure", "of", "than", "mean_of",
    "mean_than", "scale", "effect", "ci_low", "ci_high", "smallest_effect", "p", "p_holm", "p_against",
    "p_against_holm", "p_welch", *COUNTS[1:],
]  # fmt: skip


def decide(runs: pd.DataFrame, study: dict[str, Any], claims: dict[str, Claim]) -> pd.DataFrame:
    """A row per claim and data set, in the order of the claims.

    `study` has `experiments`, for each its `datasets` and `base`, the base setting; and `left_out`, data sets
    that cannot be had. p-values are Holm-corrected within a figure, those for and those against by themselves.
    """
    by_experiment = {name: _by_dataset(runs, name) for name in {claim.experiment for claim in claims.values()}}
    found = [
        (name, claim, dataset, evidence)
        for name, claim in claims.items()
        for dataset, evidence in _on_each_dataset(by_experiment[claim.experiment], study, claim)
    ]
    tested = [evidence if isinstance(evidence, Evidence) else None for *_, evidence in found]
    table = pd.DataFrame(
        {
            "figure": [claim.figure or 0 for _, claim, *_ in found],
            "p": [evidence.p if evidence else math.nan for evidence in tested],
            "against": [evidence.p_against if evidence else math.nan for evidence in tested],
        },
        dtype=float,
    )
    family = table.groupby("figure")
    table["size"] = family["p"].transform("count")
    for column in ("p", "against"):
        table[f"{column}_holm"] = family[column].transform(lambda p: pd.Series(paired.holm(p), p.index))
    corrected = table[["p_holm", "against_holm", "size"]].itertuples(index=False)
    rows = [_row(*one, *numbers) for one, numbers in zip(found, corrected, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(COUNTS, "Int64"))


def _by_dataset(runs: pd.DataFrame, experiment: str) -> dict[str, pd.DataFrame]:
    """The runs of an experiment on each data set; a run that several experiments share belongs to each."""
    here = np.array([experiment in names.split(",") for names in runs["experiments"]], dtype=bool)
    return {str(name): table for name, table in runs[here].groupby("dataset")}


def _on_each_dataset(
    runs: dict[str, pd.DataFrame], study: dict[str, Any], claim: Claim
) -> list[tuple[str, Evidence | str]]:
    """The evidence on each data set, or why there is none."""
    experiment = study["experiments"].get(claim.experiment)
    if experiment is None:
        return [(claim.dataset or "", f"experiment {claim.experiment} is not part of the study")]
    if claim.dataset in study["left_out"]:
        return [(claim.dataset or "", f"data set {claim.dataset} was left out: access to it is controlled")]
    datasets = experiment["datasets"]
    if claim.dataset and claim.dataset not in datasets:
        known = ", ".join(datasets)
        return [(claim.dataset, f"experiment {claim.experiment} ran on {known}, not on {claim.dataset}")]
    found: list[tuple[str, Evidence | str]] = []
    for dataset in [claim.dataset] if claim.dataset else datasets:
        try:
            if dataset not in runs:
                raise NotRunError(f"experiment {claim.experiment} has no runs on {dataset}")
            found.append((dataset, weigh(runs[dataset], claim, experiment["base"])))
        except NotRunError as absent:
            found.append((dataset, str(absent)))
    return found or [("", f"experiment {claim.experiment} has no data set that can be had")]


def _row(
    name: str, claim: Claim, dataset: str, evidence: Evidence | str, p_holm: float, against_holm: float, family: float
) -> dict[str, Any]:
    told = {
        "id": name, "figure": claim.figure, "section": claim.section, "claim": claim.claim, "kind": claim.kind,
        "dataset": dataset,
    }  # fmt: skip
    if isinstance(evidence, str):
        return told | {"verdict": "not run", "sentence": f"Not run: {evidence}."}
    if p_holm <= paired.LEVEL and not against_holm <= paired.LEVEL:
        verdict = "reproduced"
    else:
        verdict = "not reproduced" if against_holm <= paired.LEVEL else "undecided"
    level = paired.LEVEL / max(family, 1)  # Holm's strictest
    seeds = _seeds_as_seen(claim, evidence, level) if verdict == "undecided" else None
    relative = evidence.relative
    numbers = {
        "measure": getattr(claim, "measure", "status"), "of": evidence.of, "than": evidence.than,
        "mean_of": evidence.mean_of, "mean_than": evidence.mean_than, "scale": "relative" if relative else "absolute",
        "effect": evidence.effect, "ci_low": evidence.scaled(evidence.interval[0]),
        "ci_high": evidence.scaled(evidence.interval[1]), "smallest_effect": evidence.scaled(evidence.margin),
        "p": evidence.p, "p_holm": p_holm, "p_against": evidence.p_against, "p_against_holm": against_holm,
        "p_welch": evidence.p_welch, "tests": evidence.tests, "pairs": len(evidence.values), "runs": evidence.runs,
        "diverged": evidence.diverged, "seeds_needed": seeds,
        "seeds_for_smallest": _seeds_for_smallest(claim, evidence, level) if verdict == "undecided" else None,
    }  # fmt: skip
    return told | {"verdict": verdict, "sentence": _sentence(claim, evidence, verdict, p_holm, seeds)} | numbers


def _seeds_as_seen(claim: Claim, evidence: Evidence, level: float) -> int | None:
    """The seeds that would decide a claim with paired.POWER if mean and spread are as seen; more than there are."""
    count = len(evidence.values)
    if isinstance(claim, DivergenceClaim):
        return _runs_needed(evidence.mean_of, claim.bound, count, level)
    if count < 2:
        return None
    mean, spread, margin = float(np.mean(evidence.values)), float(np.std(evidence.values, ddof=1)), evidence.margin
    # how far the mean is on the side that shows the claim, and on those that refute it
    if isinstance(claim, ShareClaim):
        shown = _towards(claim.direction) * (mean - margin)
        refuted = [-shown]
    elif isinstance(claim, EquivalenceClaim):
        shown = margin - abs(mean) if claim.direction == "equal" else margin + _towards(claim.direction) * mean
        refuted = [-shown]
    else:
        shown = _towards(claim.direction) * mean
        refuted = [-shown, margin - abs(mean)]
    needed = [paired.seeds_needed(shown, spread, level)]
    needed += [paired.seeds_needed(distance, spread, level / evidence.tests) for distance in refuted]
    return max(count + 1, min(found)) if (found := [n for n in needed if n]) else None


def _seeds_for_smallest(claim: Claim, evidence: Evidence, level: float) -> int | None:
    """The seeds that would find the smallest effect that matters, or show equivalence where there is no effect."""
    if isinstance(claim, ShareClaim | DivergenceClaim) or len(evidence.values) < 2:
        return None
    spread = float(np.std(evidence.values, ddof=1))
    # shown from both sides, each of which may miss it half as often
    twice = isinstance(claim, EquivalenceClaim) and claim.direction == "equal"
    return paired.seeds_needed(evidence.margin, spread, level, (1 + paired.POWER) / 2 if twice else paired.POWER)


def _towards(direction: str) -> int:
    """The sign of the effect that a direction asks for, or does not mind."""
    return 1 if direction in ("greater", "no_less") else -1


def _runs_needed(share: float, bound: float, count: int, level: float) -> int | None:
    """The runs at which this share of diverged ones could be told from the bound."""
    for n in range(count + 1, 1000):
        failed = round(share * n)
        if min(stats.binom.sf(failed - 1, n, bound), stats.binom.cdf(failed, n, bound)) <= level:
            return n
    return None


def _sentence(claim: Claim, evidence: Evidence, verdict: str, p_holm: float, seeds: int | None) -> str:
    """The numbers in words."""
    if isinstance(claim, DivergenceClaim):
        told = f"{evidence.diverged} of {evidence.runs} runs diverged at {evidence.of}"
        told += f" (95 % CI {_among(evidence)}; p = {p_holm:.2g} that more than {claim.bound:g} do)."
        return told + _ending(claim, evidence, verdict, seeds)
    lost = f" {evidence.diverged} of {evidence.runs} runs diverged and are left out." if evidence.diverged else ""
    count = len(evidence.values)
    if count < 2:
        return f"Only {count} seed{'s' * (count != 1)} could be used at {evidence.of}; a test needs two.{lost}"
    numbers = f"(95 % CI {_among(evidence)}; p = {p_holm:.2g} after Holm; {count} seeds)."
    if isinstance(claim, ShareClaim):
        words = (
            f"{claim.measure} is {evidence.mean_of:.3g} at {evidence.of}, to be {claim.direction} than {claim.bound:g}"
        )
        return f"{words} {numbers}{lost}{_ending(claim, evidence, verdict, seeds)}"
    words = (
        f"{claim.measure} is {evidence.mean_of:.4g} at {evidence.of} and {evidence.mean_than:.4g} at {evidence.than}"
    )
    if isinstance(claim, TrendClaim):
        words += f", with a fitted change of {_amount(evidence, evidence.effect)}"
    elif evidence.tests > 1:
        words += f", the weakest of {evidence.tests} comparisons: {_amount(evidence, evidence.effect)}"
    else:
        words += f": {_amount(evidence, evidence.effect)}"
    matters = f" Effects of {_amount(evidence, evidence.scaled(evidence.margin)).lstrip('+')} or more matter."
    return f"{words} {numbers}{matters}{lost}{_ending(claim, evidence, verdict, seeds)}"


def _ending(claim: Claim, evidence: Evidence, verdict: str, seeds: int | None) -> str:
    """What follows from the numbers, where the verdict does not say it."""
    if verdict == "undecided":
        unit = "runs" if isinstance(claim, DivergenceClaim) else "seeds"
        return f" If things are as seen, {seeds:,} {unit} would decide it." if seeds else ""
    if verdict == "reproduced" or isinstance(claim, ShareClaim | DivergenceClaim):
        return ""
    if isinstance(claim, EquivalenceClaim):
        return " The difference is larger than that."
    opposite = paired.p_greater(-_towards(claim.direction) * evidence.values)
    if opposite <= paired.p_equivalent(evidence.values, evidence.margin):
        return " The opposite is shown."
    return " Any difference is smaller than that."


def _amount(evidence: Evidence, value: float) -> str:
    return f"{100 * value:+.3g} %" if evidence.relative else f"{value:+.3g}"


def _among(evidence: Evidence) -> str:
    low, high = (evidence.scaled(end) for end in evidence.interval)
    if not evidence.than:
        return f"{low:.3g} to {high:.3g}"
    return f"{_amount(evidence, low)} to {_amount(evidence, high)}"
