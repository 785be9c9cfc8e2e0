"""Claims on the distribution of library sizes or of genes' totals."""

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import model_validator

from zipo.study.claims.claim import Claim
from zipo.study.claims.fields import Bounds, Direction
from zipo.study.claims.source import NotRunError, Source

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from zipo.study.claims.evidence import Evidence

RESAMPLES = 1000


class DistributionClaim(Claim):
    """A number that describes the totals of a data set lies below, or above, a bound: a bootstrap over cells or genes.

    It says how the number would vary among cells or genes of the same kind, and nothing on other data sets.
    """

    kind: Literal["distribution"]
    """The shape of the distribution of totals; totals of zero are left out, and all is done on log10."""
    totals: Literal["cell", "gene"]
    """Library sizes of cells, or totals of genes."""
    statistic: Literal["orders_of_magnitude", "low_outliers", "share_within", "dip"]
    """The number; see zipo/study/claims/kinds/distribution.py."""
    within: Bounds | None = None
    """For share_within: the totals that are counted, in counts."""
    direction: Direction
    """Whether the number is less or greater than the bound."""
    bound: float
    """The bound."""

    @model_validator(mode="after")
    def _within_for_its_share(self) -> Self:
        if (self.within is None) == (self.statistic == "share_within"):
            raise ValueError("expected within, the totals to count, with statistic share_within and with no other")
        if self.statistic == "dip" and self.direction == "less":
            raise ValueError("a dip is tested to be greater than the bound: no test shows that there is one mode")
        return self

    def source(self, tables: "dict[str, pd.DataFrame]", study: dict[str, Any]) -> Source:
        """The totals of all data sets, of cells and of genes."""
        rows = tables["totals"]
        return Source("the study", rows, list(rows["dataset"].unique()), {})

    def evaluate(self, source: Source) -> "Evidence":
        """How often the number of resampled cells or genes lies beyond the bound; of a dip, also the dip test.

        A dip shows two modes if one mode explains it no better than the dip test allows, and none if resampled totals
        stay below the bound, the smallest dip that matters. Counts are spread over the unit around them, since
        repeated small totals are modes of their own.

        Totals of zero have no logarithm and are left out. The bootstrap's p is at least 1 / 1,001 (Davison and Hinkley
        1997, 10.1017/CBO9780511802843, section 4.4). Raises NotRunError without two different totals.
        """
        import numpy as np

        from zipo.study.claims.dip import p_unimodal
        from zipo.study.claims.evidence import Evidence

        table = source.rows
        column = table.loc[(table["of"] == self.totals) & (table["total"] > 0), "total"]
        if column.nunique() < 2:
            raise NotRunError(f"there are no two different totals of a {self.totals}")
        totals, rng = column.to_numpy(float), np.random.default_rng(0)
        if self.statistic == "dip":
            totals = totals + rng.uniform(-0.5, 0.5, len(totals))
        logs, statistic = np.log10(totals), self._statistic()
        resampled = np.array([statistic(rng.choice(logs, len(logs))) for _ in range(RESAMPLES)])
        above, below = (
            (1 + int(np.sum(missed))) / (1 + RESAMPLES) for missed in (resampled <= self.bound, resampled >= self.bound)
        )
        p, against = (above, below) if self.direction == "greater" else (below, above)
        estimate = statistic(logs)
        if self.statistic == "dip":
            p = p_unimodal(estimate, len(logs), rng)
        low, high = np.quantile(resampled, [0.025, 0.975])
        return Evidence(
            f"{self.totals}s", "", count=len(logs), estimate=estimate, spread=math.nan,
            interval=(float(low), float(high)), margin=self.bound, mean_of=estimate, p=p, p_against=against,
        )  # fmt: skip

    def _statistic(self) -> "Callable[[np.ndarray], float]":
        from zipo.study.claims.dip import dip

        if self.within:
            return partial(share_within, ends=self.within.ends)
        named = {"orders_of_magnitude": orders_of_magnitude, "low_outliers": low_outliers, "dip": dip}
        return named[self.statistic]

    @property
    def measured(self) -> str:
        """The number, and what it is of."""
        return f"{self.statistic} of {self.totals}s"

    @property
    def unit(self) -> str:
        """Cells or genes; no more of them can be had, so that no number of them is worked out."""
        return self.totals

    def numbers(self, evidence: "Evidence") -> str:
        """The number, and the bound."""
        level = f"{self.statistic} of {evidence.of} is {evidence.mean_of:.3g}"
        return f"{level}{evidence.weakest}, to be {self.direction} than {self.bound:g}"


def orders_of_magnitude(logs: "np.ndarray") -> float:
    """Powers of ten that 99 % of the values span, half a per cent being left out at either end."""
    import numpy as np

    low, high = np.quantile(logs, [0.005, 0.995])
    return float(high - low)


def low_outliers(logs: "np.ndarray") -> float:
    """Share of values that lie more than 1.5 interquartile ranges below the lower quartile: 0.0035 for a normal.

    The lower fence of Tukey (1977), Exploratory Data Analysis.
    """
    import numpy as np

    lower, upper = np.quantile(logs, [0.25, 0.75])
    return float(np.mean(logs < lower - 1.5 * (upper - lower)))


def share_within(logs: "np.ndarray", ends: tuple[float, float]) -> float:
    """Share of values between two totals, in counts."""
    import numpy as np

    totals = 10**logs
    return float(np.mean((totals >= ends[0]) & (totals <= ends[1])))
