"""Effects behind the claims by number of cells and width of the network, and what they predict at the paper's sizes.

Fitted is, for each claim and population of cells, the effect on its own scale (the logarithm of a ratio, or a
difference as it is) as a plane over the logarithms of cells and of width, by least squares weighted by the effects'
variances (Gelman et al. 2013, Bayesian Data Analysis, section 14.7). Where the points scatter about the plane by more
than their intervals say, these are widened by the root of chi-square per degree of freedom (Birge 1932,
doi 10.1103/PhysRev.40.207). It predicts as far as effects go on along that plane, which nothing here can show.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from zipo.shared.tables import write_parquet
from zipo.study.claims.tables import read_tables
from zipo.study.readings.planning import WIDTHS

PAPER_CELLS = 63_500
"""Mean number of cells of the paper's three data sets (Table I)."""
PAPER_FIRST_LAYER = 2048
"""Width of the first layer that the paper chooses (section III-A)."""
COEFFICIENTS = 3
ONE_SIGN, CHANGES, OPEN = "one sign", "changes sign", "open"
KEY = ["id", "population"]
COLUMNS = [
    *("id", "figure", "claim", "dataset", "measure", "scale", "verdict"),
    *("effect", "ci_low", "ci_high", "pairs"),
]
"""Columns of the table of readings that are kept."""


def effects_by_size(readings: pd.DataFrame, runs: pd.DataFrame, study: dict[str, Any]) -> pd.DataFrame:
    """A row per claim, data set and width of the network, and one per claim and population at the paper's sizes.

    `readings` is the table of zipo.study.readings.verdicts.decide_under_readings, `runs` the runs table, `study` are
    zipo.study.readings.facts.ReadingFacts as a dictionary. Claims on a ratio or difference of two settings alone have
    a sign. `kind` is measured or predicted; `cells` counts those of the data set, `first_layer` is the base setting's,
    `width` the factor of the study's own widths; `sign` says whether intervals of 95 % without zero lie on one side of
    it or on both.
    """
    cells = runs.groupby("dataset")[["training_cells", "validation_cells", "test_cells"]].first().sum(axis=1)
    widths = {reading["name"]: reading["widths"] for reading in study["readings"]}
    first_layers = {
        reading["name"]: next(iter(reading["experiments"].values()))["base"]["first_layer"]
        for reading in study["readings"]
    }
    table = readings[readings["question"].isin(["", WIDTHS]) & readings["effect"].notna()]
    table = table[table["kind"].isin(["difference", "equivalence"]) & (table["pairs"] > 1)]
    measured = table[COLUMNS].assign(
        kind="measured",
        population=table["dataset"].map(study["populations"]),
        cells=table["dataset"].map(cells).astype(int),
        width=table["reading"].map(widths),
        first_layer=table["reading"].map(first_layers),
    )
    return with_predictions(measured)


def with_predictions(measured: pd.DataFrame) -> pd.DataFrame:
    """Measured effects with their `sign`, and after those of each claim and population the predicted one."""
    parts = []
    for _, rows in measured.groupby(KEY, sort=False):
        parts.append(pd.concat([rows, _predicted(rows)]).assign(sign=sign_of(rows)))
    return pd.concat(parts, ignore_index=True) if parts else measured.assign(sign="")


def sign_of(rows: pd.DataFrame) -> str:
    """Whether effects whose intervals leave zero out are on one side of it or on both."""
    above, below = (rows["ci_low"] > 0).any(), (rows["ci_high"] < 0).any()
    return CHANGES if above and below else ONE_SIGN if above or below else OPEN


def predict(
    effects: np.ndarray, errors: np.ndarray, cells: np.ndarray, widths: np.ndarray, at: tuple[float, float]
) -> tuple[float, float, float] | None:
    """Effect at a number of cells and a width, with its interval of 95 %; None where the points span no plane.

    `effects` and their standard `errors` are on a scale without bounds.
    """
    design = np.column_stack([np.ones(len(effects)), np.log(cells), np.log(widths)])
    freedom = len(effects) - COEFFICIENTS
    if freedom < 1 or np.linalg.matrix_rank(design) < COEFFICIENTS:
        return None
    weighted = design / errors[:, None]
    covariance = np.linalg.inv(weighted.T @ weighted)
    coefficients = covariance @ (weighted.T @ (effects / errors))
    scatter = np.square((effects - design @ coefficients) / errors).sum() / freedom
    place = np.array([1.0, np.log(at[0]), np.log(at[1])])
    middle = float(place @ coefficients)
    half = float(stats.t.ppf(0.975, freedom) * np.sqrt(max(1.0, scatter) * (place @ covariance @ place)))
    return middle, middle - half, middle + half


def _predicted(rows: pd.DataFrame) -> pd.DataFrame:
    """The row of the paper's sizes; none where sizes are too few, or two settings differ by nothing that varies."""
    relative = rows["scale"].iloc[0] == "relative"
    ends = rows[["effect", "ci_low", "ci_high"]].to_numpy(float)
    if relative:
        ends = np.log1p(ends)
    errors = (ends[:, 2] - ends[:, 1]) / (2 * stats.t.ppf(0.975, rows["pairs"].to_numpy() - 1))
    if not (np.isfinite(ends).all() and (errors > 0).all()):
        return rows.iloc[:0]
    at = (PAPER_CELLS, PAPER_FIRST_LAYER)
    values = predict(ends[:, 0], errors, rows["cells"].to_numpy(), rows["first_layer"].to_numpy(), at)
    if values is None:
        return rows.iloc[:0]
    effect, low, high = np.expm1(values) if relative else values
    known = rows.iloc[:1][["id", "figure", "claim", "population", "measure", "scale"]]
    return known.assign(
        kind="predicted", cells=PAPER_CELLS, first_layer=PAPER_FIRST_LAYER, effect=effect, ci_low=low, ci_high=high
    )


def write_table(study: dict[str, Any], readings: Path, runs: Path, target: Path) -> None:
    """Write the table of effects by size, from the files of verdicts under readings and of runs."""
    write_parquet(effects_by_size(pd.read_parquet(readings), read_tables([runs])["runs"], study), target)
