"""The numbers of runs that claims are tested on: losses of diverged runs, trainings cut off, sizes of the split."""

import math
import re
from typing import Any

import pandas as pd

from zipo.study.claims.selection import column

LOSS = re.compile(
    r"(test|training|validation)_nll(_observed_library)?|test_mse_(rates|means)|test_library_error|"
    r"pruned_.+_(nll|mse_rates)"
)
"""Measures of which a larger value is worse, and which a run that diverged has none of."""
CUT_OFF = ("epochs", "best_epoch", "compute_seconds")
"""Measures that the cap of epochs cuts off: all that is known of such a run is that it would have had more."""


def numbers(runs: pd.DataFrame, measure: str) -> pd.Series:
    """A measure of each run: of those that diverged infinite for a loss, which is then the worst; NaN for others."""
    values = column(runs, measure).astype(float)
    return values.where(runs["status"] == "ok", math.inf if LOSS.fullmatch(measure) else math.nan)


def diverged(*runs: pd.DataFrame) -> int:
    """The number of runs that diverged."""
    return sum(int((table["status"] == "diverged").sum()) for table in runs)


def facts(*runs: pd.DataFrame, measure: str) -> dict[str, Any]:
    """What is said of runs beside their numbers, as fields of Evidence."""
    table = pd.concat(runs)
    capped = int((table["stopped_by"] == "max_epochs").sum())
    return {
        "runs": len(table),
        "diverged": diverged(table),
        "capped": capped,
        "cut_off": capped > 0 and measure in CUT_OFF,
        "test_share": float((table["test_cells"] / table["training_cells"]).mean()),
    }
