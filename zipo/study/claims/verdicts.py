"""Verdicts on the paper's claims: reproduced, not reproduced, undecided or not run, with the numbers."""

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from zipo.study.claims import t_tests
from zipo.study.claims.catalogue import Catalogue
from zipo.study.claims.claim import Claim
from zipo.study.claims.evidence import Evidence
from zipo.study.claims.power import Power
from zipo.study.claims.source import NotRunError

VERDICTS = ("reproduced", "not reproduced", "undecided", "not run")
COUNTS = [
    "figure", "tests", "pairs", "runs", "diverged", "capped", "seeds_needed", "seeds_needed_low", "seeds_needed_high",
    "seeds_for_smallest",
]  # fmt: skip
COLUMNS = [
    "id", "figure", "section", "claim", "kind", "dataset", "papers_data", "verdict", "sentence", "measure", "of",
    "than", "mean_of", "mean_than", "scale", "effect", "ci_low", "ci_high", "ci_low_new_cells", "ci_high_new_cells",
    "smallest_effect", "detectable", "p", "p_holm", "p_against", "p_against_holm", "p_welch", *COUNTS[1:],
]  # fmt: skip


def decide(tables: dict[str, pd.DataFrame], study: dict[str, Any], claims: Catalogue) -> pd.DataFrame:
    """A row per claim and data set, in the order of the claims.

    `tables` are those of zipo.study.claims.tables. `study` has `experiments`, for each its `datasets` and `base`, the
    base setting; and `left_out`, data sets that cannot be had. p-values are Holm-corrected within a figure, those for
    and those against by themselves. `papers_data` is whether the paper says the claim of that data set.
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
        if not source.datasets:
            raise NotRunError(f"{source.name} has no data set that can be had")
        datasets = [name for name in source.datasets if claim.elsewhere or name in claim.data]
        if not datasets:
            left_out = [name for name in claim.data if name in study["left_out"]]
            if left_out:
                raise NotRunError(f"data set {left_out[0]} was left out: access to it is controlled")
            named = " or ".join(claim.data)
            raise NotRunError(
                f"{source.name} is on {', '.join(source.datasets)}, and the paper says it of {named} alone"
            )
    except NotRunError as absent:
        return [("" if claim.elsewhere else ", ".join(claim.data), str(absent))]
    results: list[tuple[str, Evidence | str]] = []
    for dataset in datasets:
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
        "dataset": dataset, "papers_data": dataset in claim.data,
    }  # fmt: skip
    if isinstance(evidence, str):
        return identity | {"verdict": "not run", "sentence": f"Not run: {evidence}."}
    if p_holm <= t_tests.LEVEL and not against_holm <= t_tests.LEVEL:
        verdict = "reproduced"
    else:
        verdict = "not reproduced" if against_holm <= t_tests.LEVEL else "undecided"
    level = t_tests.LEVEL / max(family, 1)  # Holm's strictest
    power = Power.of(claim, evidence, level) if verdict == "undecided" else Power()
    new_cells = evidence.interval_for_new_cells
    numbers = {
        "measure": evidence.level or claim.measured, "of": evidence.of, "than": evidence.than,
        "mean_of": evidence.mean_of, "mean_than": evidence.mean_than,
        "scale": "relative" if evidence.relative else "absolute",
        "effect": evidence.effect, "ci_low": evidence.scaled(evidence.interval[0]),
        "ci_high": evidence.scaled(evidence.interval[1]), "ci_low_new_cells": evidence.scaled(new_cells[0]),
        "ci_high_new_cells": evidence.scaled(new_cells[1]), "smallest_effect": evidence.scaled(evidence.margin),
        "detectable": evidence.scaled(power.detectable),
        "p": evidence.p, "p_holm": p_holm, "p_against": evidence.p_against, "p_against_holm": against_holm,
        "p_welch": evidence.p_welch, "tests": evidence.tests, "pairs": evidence.count, "runs": evidence.runs,
        "diverged": evidence.diverged, "capped": evidence.capped, "seeds_needed": power.seeds,
        "seeds_needed_low": power.fewest, "seeds_needed_high": power.most, "seeds_for_smallest": power.for_smallest,
    }  # fmt: skip
    sentence = claim.sentence(evidence, verdict, p_holm, power.in_words(claim, evidence))
    return identity | {"verdict": verdict, "sentence": sentence} | numbers
