"""Verdicts on the paper's claims: reproduced, not reproduced, undecided or not run, with the numbers."""

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from zipo.study.claims import t_tests
from zipo.study.claims.catalogue import Catalogue
from zipo.study.claims.claim import Claim
from zipo.study.claims.evidence import Evidence
from zipo.study.claims.source import NotRunError

VERDICTS = ("reproduced", "not reproduced", "undecided", "not run")
COUNTS = ["figure", "tests", "pairs", "runs", "diverged", "seeds_needed", "seeds_for_smallest"]
COLUMNS = [
    "id", "figure", "section", "claim", "kind", "dataset", "verdict", "sentence", "measure", "of", "than", "mean_of",
    "mean_than", "scale", "effect", "ci_low", "ci_high", "smallest_effect", "p", "p_holm", "p_against",
    "p_against_holm", "p_welch", *COUNTS[1:],
]  # fmt: skip


def decide(tables: dict[str, pd.DataFrame], study: dict[str, Any], claims: Catalogue) -> pd.DataFrame:
    """A row per claim and data set, in the order of the claims.

    `tables` are those of zipo.study.claims.tables. `study` has `experiments`, for each its `datasets` and `base`, the
    base setting; and `left_out`, data sets that cannot be had. p-values are Holm-corrected within a figure, those for
    and those against by themselves.
    """
    evaluated = [
        (name, claim, dataset, evidence)
        for name, claim in claims.items()
        for dataset, evidence in _on_each_dataset(tables, study, claim)
    ]
    tests = [evidence if isinstance(evidence, Evidence) else None for *_, evidence in evaluated]
    table = pd.DataFrame(
        {
            "figure": [claim.figure or 0 for _, claim, *_ in evaluated],
            "p": [evidence.p if evidence else math.nan for evidence in tests],
            "against": [evidence.p_against if evidence else math.nan for evidence in tests],
        },
        dtype=float,
    )
    family = table.groupby("figure")
    table["size"] = family["p"].transform("count")
    for column in ("p", "against"):
        table[f"{column}_holm"] = family[column].transform(lambda p: pd.Series(t_tests.holm(p), p.index))
    corrected = table[["p_holm", "against_holm", "size"]].itertuples(index=False)
    rows = [_row(*one, *numbers) for one, numbers in zip(evaluated, corrected, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(COUNTS, "Int64"))


def _on_each_dataset(
    tables: dict[str, pd.DataFrame], study: dict[str, Any], claim: Claim
) -> list[tuple[str, Evidence | str]]:
    """The evidence on each data set, or why there is none."""
    try:
        source = claim.source(tables, study)
        if claim.dataset in study["left_out"]:
            raise NotRunError(f"data set {claim.dataset} was left out: access to it is controlled")
        if not source.datasets:
            raise NotRunError(f"{source.name} has no data set that can be had")
        if claim.dataset and claim.dataset not in source.datasets:
            raise NotRunError(f"{source.name} is on {', '.join(source.datasets)}, not on {claim.dataset}")
    except NotRunError as absent:
        return [(claim.dataset or "", str(absent))]
    results: list[tuple[str, Evidence | str]] = []
    for dataset in [claim.dataset] if claim.dataset else source.datasets:
        rows = source.rows[source.rows["dataset"] == dataset]
        try:
            if rows.empty:
                raise NotRunError(f"{source.name} has no runs on {dataset}")
            results.append((dataset, claim.evaluate(replace(source, rows=rows))))
        except NotRunError as absent:
            results.append((dataset, str(absent)))
    return results


def _row(
    name: str, claim: Claim, dataset: str, evidence: Evidence | str, p_holm: float, against_holm: float, family: float
) -> dict[str, Any]:
    """A row of the table; `family` is the number of tests that p-values are corrected for."""
    identity = {
        "id": name, "figure": claim.figure, "section": claim.section, "claim": claim.claim, "kind": claim.kind,
        "dataset": dataset,
    }  # fmt: skip
    if isinstance(evidence, str):
        return identity | {"verdict": "not run", "sentence": f"Not run: {evidence}."}
    if p_holm <= t_tests.LEVEL and not against_holm <= t_tests.LEVEL:
        verdict = "reproduced"
    else:
        verdict = "not reproduced" if against_holm <= t_tests.LEVEL else "undecided"
    level = t_tests.LEVEL / max(family, 1)  # Holm's strictest
    seeds = claim.seeds_as_observed(evidence, level) if verdict == "undecided" else None
    numbers = {
        "measure": claim.measured, "of": evidence.of, "than": evidence.than, "mean_of": evidence.mean_of,
        "mean_than": evidence.mean_than, "scale": "relative" if evidence.relative else "absolute",
        "effect": evidence.effect, "ci_low": evidence.scaled(evidence.interval[0]),
        "ci_high": evidence.scaled(evidence.interval[1]), "smallest_effect": evidence.scaled(evidence.margin),
        "p": evidence.p, "p_holm": p_holm, "p_against": evidence.p_against, "p_against_holm": against_holm,
        "p_welch": evidence.p_welch, "tests": evidence.tests, "pairs": evidence.count, "runs": evidence.runs,
        "diverged": evidence.diverged, "seeds_needed": seeds,
        "seeds_for_smallest": claim.seeds_for_smallest(evidence, level) if verdict == "undecided" else None,
    }  # fmt: skip
    return identity | {"verdict": verdict, "sentence": claim.sentence(evidence, verdict, p_holm, seeds)} | numbers
