"""Claims that runs do not converge."""

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from zipo.study.claims.claim import RunsClaim
from zipo.study.claims.fields import Selector
from zipo.study.claims.source import Source

if TYPE_CHECKING:
    import pandas as pd

    from zipo.study.claims.evidence import Evidence


class DivergenceClaim(RunsClaim):
    """Runs do not converge: an exact binomial test of the share of diverged runs."""

    kind: Literal["divergence"]
    """Failure to converge."""
    of: Selector
    """Settings of which the claim speaks; every one of them must hold it."""
    bound: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The claim holds if more than this share of the runs diverges."""

    def evaluate(self, source: Source) -> "Evidence":
        """The weakest of the tests of each setting."""
        from zipo.study.claims.evidence import weakest
        from zipo.study.claims.selection import matching, runs_by_setting

        runs = source.rows[matching(source.rows, self.where, source.base)]
        return weakest(
            [self._share(label, group) for label, group in runs_by_setting(runs, self.of, source.base).items()]
        )

    def _share(self, label: str, runs: "pd.DataFrame") -> "Evidence":
        """The share of a setting's runs that diverged, with the interval of Clopper and Pearson."""
        from scipy import stats

        from zipo.study.claims.evidence import Evidence, diverged

        failed, count = diverged(runs), len(runs)
        exact = stats.binomtest(failed, count, self.bound).proportion_ci(0.95)
        return Evidence(
            label, "", count=count, estimate=failed / count, spread=math.nan,
            interval=(float(exact.low), float(exact.high)), margin=self.bound, mean_of=failed / count,
            p=float(stats.binom.sf(failed - 1, count, self.bound)),
            p_against=float(stats.binom.cdf(failed, count, self.bound)), runs=count, diverged=failed,
        )  # fmt: skip

    @property
    def measured(self) -> str:
        """The column of the runs table that tells diverged runs."""
        return "status"

    @property
    def unit(self) -> str:
        """Every run counts, diverged or not."""
        return "run"

    def numbers(self, evidence: "Evidence") -> str:
        """How many runs diverged."""
        return f"{evidence.diverged} of {evidence.runs} runs diverged at {evidence.of}"

    def sentence(self, evidence: "Evidence", verdict: str, p_holm: float, seeds: int | None) -> str:
        """The count and its test, which exists for any number of runs."""
        tested = f"(95 % CI {evidence.interval_in_words}; p = {p_holm:.2g} that more than {self.bound:g} do)."
        return f"{self.numbers(evidence)} {tested}{self.ending(evidence, verdict, seeds)}"

    def seeds_as_observed(self, evidence: "Evidence", level: float) -> int | None:
        """The runs at which this share of diverged ones could be told from the bound; None from a thousand on."""
        from scipy import stats

        for count in range(evidence.count + 1, 1000):
            failed = round(evidence.mean_of * count)
            above, below = stats.binom.sf(failed - 1, count, self.bound), stats.binom.cdf(failed, count, self.bound)
            if min(above, below) <= level:
                return count
        return None
