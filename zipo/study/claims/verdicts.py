"""Verdicts on the paper's claims: reproduced, not reproduced, undecided or not run, with the numbers."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from zipo.study.claims import t_tests
from zipo.study.claims.catalogue import (
    Claim,
    DistributionClaim,
    DivergenceClaim,
    EquivalenceClaim,
    OfRuns,
    ShareClaim,
    TrialsClaim,
)
from zipo.study.claims.evidence import Evidence, weigh
from zipo.study.claims.selection import NotRunError
from zipo.study.claims.sentences import sentence, towards
from zipo.study.claims.totals import weigh_totals
from zipo.study.claims.trials import weigh_trials

VERDICTS = ("reproduced", "not reproduced", "undecided", "not run")
COUNTS = ["figure", "tests", "pairs", "runs", "diverged", "seeds_needed", "seeds_for_smallest"]
COLUMNS = [
    "id", "figure", "section", "claim", "kind", "dataset", "verdict", "sentence", "measure", "of", "than", "mean_of",
    "mean_than", "scale", "effect", "ci_low", "ci_high", "smallest_effect", "p", "p_holm", "p_against",
    "p_against_holm", "p_welch", *COUNTS[1:],
]  # fmt: skip


def decide(tables: dict[str, pd.DataFrame], study: dict[str, Any], claims: dict[str, Claim]) -> pd.DataFrame:
    """A row per claim and data set, in the order of the claims.

    `tables` are those of zipo.study.claims.tables. `study` has `experiments`, for each its `datasets` and `base`, the
    base setting; and `left_out`, data sets that cannot be had. p-values are Holm-corrected within a figure, those for
    and those against by themselves.
    """
    names = {claim.experiment for claim in claims.values() if isinstance(claim, OfRuns)}
    experiments = {name: _runs_of(tables["runs"], name) for name in names}
    found = [
        (name, claim, dataset, evidence)
        for name, claim in claims.items()
        for dataset, evidence in _on_each_dataset(experiments, tables, study, claim)
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
        table[f"{column}_holm"] = family[column].transform(lambda p: pd.Series(t_tests.holm(p), p.index))
    corrected = table[["p_holm", "against_holm", "size"]].itertuples(index=False)
    rows = [_row(*one, *numbers) for one, numbers in zip(found, corrected, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(COUNTS, "Int64"))


def _runs_of(runs: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """The runs of an experiment; a run that several experiments share belongs to each."""
    return runs[np.array([experiment in names.split(",") for names in runs["experiments"]], dtype=bool)]


def _on_each_dataset(
    experiments: dict[str, pd.DataFrame], tables: dict[str, pd.DataFrame], study: dict[str, Any], claim: Claim
) -> list[tuple[str, Evidence | str]]:
    """The evidence on each data set, or why there is none."""
    try:
        rows, datasets, weighed, what = _matter(experiments, tables, study, claim)
        if claim.dataset in study["left_out"]:
            raise NotRunError(f"data set {claim.dataset} was left out: access to it is controlled")
        if not datasets:
            raise NotRunError(f"{what} has no data set that can be had")
        if claim.dataset and claim.dataset not in datasets:
            raise NotRunError(f"{what} is on {', '.join(datasets)}, not on {claim.dataset}")
    except NotRunError as absent:
        return [(claim.dataset or "", str(absent))]
    found: list[tuple[str, Evidence | str]] = []
    for dataset in [claim.dataset] if claim.dataset else datasets:
        here = rows[rows["dataset"] == dataset]
        try:
            if here.empty:
                raise NotRunError(f"{what} has no runs on {dataset}")
            found.append((dataset, weighed(here)))
        except NotRunError as absent:
            found.append((dataset, str(absent)))
    return found


def _matter(
    experiments: dict[str, pd.DataFrame], tables: dict[str, pd.DataFrame], study: dict[str, Any], claim: Claim
) -> tuple[pd.DataFrame, list[str], Callable[[pd.DataFrame], Evidence], str]:
    """What decides a claim: the rows, their data sets, how they are weighed, and what they are called."""
    if isinstance(claim, OfRuns):
        experiment = study["experiments"].get(claim.experiment)
        if experiment is None:
            raise NotRunError(f"experiment {claim.experiment} is not part of the study")
        weighed = partial(weigh, claim=claim, base=experiment["base"])
        return experiments[claim.experiment], experiment["datasets"], weighed, f"experiment {claim.experiment}"
    if isinstance(claim, TrialsClaim):
        if "trials" not in tables:
            raise NotRunError("the study has no search for hyper-parameters")
        rows = tables["trials"]
        return rows, list(rows["dataset"].unique()), partial(weigh_trials, claim=claim), "the search"
    rows = tables["totals"]
    return rows, list(rows["dataset"].unique()), partial(weigh_totals, claim=claim), "the study"


def _row(
    name: str, claim: Claim, dataset: str, evidence: Evidence | str, p_holm: float, against_holm: float, family: float
) -> dict[str, Any]:
    told = {
        "id": name, "figure": claim.figure, "section": claim.section, "claim": claim.claim, "kind": claim.kind,
        "dataset": dataset,
    }  # fmt: skip
    if isinstance(evidence, str):
        return told | {"verdict": "not run", "sentence": f"Not run: {evidence}."}
    if p_holm <= t_tests.LEVEL and not against_holm <= t_tests.LEVEL:
        verdict = "reproduced"
    else:
        verdict = "not reproduced" if against_holm <= t_tests.LEVEL else "undecided"
    level = t_tests.LEVEL / max(family, 1)  # Holm's strictest
    seeds = _seeds_as_seen(claim, evidence, level) if verdict == "undecided" else None
    relative = evidence.relative
    numbers = {
        "measure": _measure(claim), "of": evidence.of, "than": evidence.than,
        "mean_of": evidence.mean_of, "mean_than": evidence.mean_than, "scale": "relative" if relative else "absolute",
        "effect": evidence.effect, "ci_low": evidence.scaled(evidence.interval[0]),
        "ci_high": evidence.scaled(evidence.interval[1]), "smallest_effect": evidence.scaled(evidence.margin),
        "p": evidence.p, "p_holm": p_holm, "p_against": evidence.p_against, "p_against_holm": against_holm,
        "p_welch": evidence.p_welch, "tests": evidence.tests, "pairs": evidence.count, "runs": evidence.runs,
        "diverged": evidence.diverged, "seeds_needed": seeds,
        "seeds_for_smallest": _seeds_for_smallest(claim, evidence, level) if verdict == "undecided" else None,
    }  # fmt: skip
    return told | {"verdict": verdict, "sentence": sentence(claim, evidence, verdict, p_holm, seeds)} | numbers


def _measure(claim: Claim) -> str:
    if isinstance(claim, DistributionClaim):
        return f"{claim.statistic} of {claim.totals}s"
    return "status" if isinstance(claim, DivergenceClaim) else claim.measure


def _seeds_as_seen(claim: Claim, evidence: Evidence, level: float) -> int | None:
    """The seeds that would decide a claim with t_tests.POWER if mean and spread are as seen; more than there are."""
    if isinstance(claim, DivergenceClaim):
        return _runs_needed(evidence.mean_of, claim.bound, evidence.count, level)
    mean, spread, margin = evidence.estimate, evidence.spread, evidence.margin
    # how far the mean is on the side that shows the claim, and on those that refute it
    if isinstance(claim, ShareClaim | DistributionClaim):
        shown = towards(claim.direction) * (mean - margin)
        refuted = [-shown]
    elif isinstance(claim, EquivalenceClaim) or claim.direction == "equal":
        shown = margin - abs(mean) if claim.direction == "equal" else margin + towards(claim.direction) * mean
        refuted = [-shown]
    else:
        shown = towards(claim.direction) * mean
        refuted = [-shown, margin - abs(mean)]
    needed = [t_tests.seeds_needed(shown, spread, level)]
    needed += [t_tests.seeds_needed(distance, spread, level / evidence.tests) for distance in refuted]
    return max(evidence.count + 1, min(found)) if (found := [n for n in needed if n]) else None


def _seeds_for_smallest(claim: Claim, evidence: Evidence, level: float) -> int | None:
    """The seeds that would find the smallest effect that matters, or show equivalence where there is no effect."""
    if isinstance(claim, ShareClaim | DivergenceClaim | DistributionClaim):
        return None
    # shown from both sides, each of which may miss it half as often
    twice = claim.direction == "equal"
    return t_tests.seeds_needed(
        evidence.margin, evidence.spread, level, (1 + t_tests.POWER) / 2 if twice else t_tests.POWER
    )


def _runs_needed(share: float, bound: float, count: int, level: float) -> int | None:
    """The runs at which this share of diverged ones could be told from the bound."""
    for n in range(count + 1, 1000):
        failed = round(share * n)
        if min(stats.binom.sf(failed - 1, n, bound), stats.binom.cdf(failed, n, bound)) <= level:
            return n
    return None
