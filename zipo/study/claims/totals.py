"""What library sizes and totals of genes say on one claim: numbers that describe them, and a bootstrap."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from zipo.study.claims.catalogue import DistributionClaim
from zipo.study.claims.evidence import Evidence
from zipo.study.claims.selection import NotRunError

RESAMPLES = 1000
BIMODAL = 5 / 9
"""What bimodality is for a uniform distribution, and for an exponential one."""


def weigh_totals(totals: pd.DataFrame, claim: DistributionClaim) -> Evidence:
    """The evidence of a data set's totals: how often resampled cells or genes lie beyond the bound.

    Totals of zero have no logarithm and are left out. The bootstrap's p is at least 1 / 1,001 (Davison and Hinkley
    1997, 10.1017/CBO9780511802843, section 4.4). Raises NotRunError without two different totals.
    """
    found = totals.loc[(totals["of"] == claim.totals) & (totals["total"] > 0), "total"]
    if found.nunique() < 2:
        raise NotRunError(f"there are no two different totals of a {claim.totals}")
    logs = np.log10(found.to_numpy(float))
    statistic = _statistic(claim)
    rng = np.random.default_rng(0)
    drawn = np.array([statistic(rng.choice(logs, len(logs))) for _ in range(RESAMPLES)])
    above, below = (
        (1 + int(np.sum(missed))) / (1 + RESAMPLES) for missed in (drawn <= claim.bound, drawn >= claim.bound)
    )
    p, against = (above, below) if claim.direction == "greater" else (below, above)
    estimate = statistic(logs)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Evidence(
        f"{claim.totals}s", "", count=len(logs), estimate=estimate, spread=math.nan,
        interval=(float(low), float(high)), margin=claim.bound, mean_of=estimate, p=p, p_against=against,
    )  # fmt: skip


def _statistic(claim: DistributionClaim) -> Callable[[np.ndarray], float]:
    if claim.within:
        return partial(share_within, ends=claim.within.ends)
    named = {"orders_of_magnitude": orders_of_magnitude, "low_outliers": low_outliers, "bimodality": bimodality}
    return named[claim.statistic]


def orders_of_magnitude(logs: np.ndarray) -> float:
    """Powers of ten that 99 % of the values span, half a per cent being left out at either end."""
    low, high = np.quantile(logs, [0.005, 0.995])
    return float(high - low)


def low_outliers(logs: np.ndarray) -> float:
    """Share of values that lie more than 1.5 interquartile ranges below the lower quartile: 0.0035 for a normal.

    The lower fence of Tukey (1977), Exploratory Data Analysis.
    """
    lower, upper = np.quantile(logs, [0.25, 0.75])
    return float(np.mean(logs < lower - 1.5 * (upper - lower)))


def share_within(logs: np.ndarray, ends: tuple[float, float]) -> float:
    """Share of values between two totals, in counts."""
    totals = 10**logs
    return float(np.mean((totals >= ends[0]) & (totals <= ends[1])))


def bimodality(logs: np.ndarray) -> float:
    """The bimodality coefficient (Pfister 2013, 10.3389/fpsyg.2013.00700): above 5/9 for two modes, 1/3 for a normal.

    (skewness^2 + 1) / (excess kurtosis + 3 (n - 1)^2 / ((n - 2) (n - 3))), both unbiased. Strong skewness raises it
    too, though an exponential distribution only reaches 5/9.
    """
    n = len(logs)
    skewness, excess = stats.skew(logs, bias=False), stats.kurtosis(logs, bias=False)
    return float((skewness**2 + 1) / (excess + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))))
