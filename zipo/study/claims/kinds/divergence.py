"""Claims that runs fail to converge, or that they do converge."""

import math
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from zipo.study.claims.claim import RunsClaim
from zipo.study.claims.fields import Direction, Measure, Selector
from zipo.study.claims.source import NotRunError, Source

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from zipo.study.claims.evidence import Evidence


class DivergenceClaim(RunsClaim):
    """Runs fail, or do not: an exact binomial test of the share of those that do.

    A run fails if it diverged; with `times`, also if its measure exceeds that many times the median of other settings.
    """

    kind: Literal["divergence"]
    """Failure to converge, or numbers far beyond those of other settings."""
    of: Selector
    """Settings of which the claim speaks; every one of them must hold it."""
    direction: Direction = "greater"
    """Whether the share of runs that fail is less or greater than the bound."""
    bound: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The bound of the share of runs that fail."""
    times: Annotated[float, Field(gt=1)] | None = None
    """A run also fails if its measure exceeds this many times the median of the runs of `than` that converged."""
    measure: Measure | None = None
    """For times: column of the runs table that is compared."""
    than: Selector = {}
    """For times: settings whose median is the scale."""

    @model_validator(mode="after")
    def _times_of_something(self) -> Self:
        if len({self.times is None, self.measure is None, not self.than}) > 1:
            raise ValueError("expected times, measure and than together, or none of them")
        return self

    def evaluate(self, source: Source) -> "Evidence":
        """The weakest of the tests of each setting."""
        from zipo.study.claims.evidence import weakest
        from zipo.study.claims.selection import matching, runs_by_setting

        runs = source.rows[matching(source.rows, self.where, source.base)]
        limit = self._limit(runs, source) if self.times else math.inf
        groups = runs_by_setting(runs, self.of, source.base)
        return weakest([self._share(label, group, limit) for label, group in groups.items()])

    def _limit(self, runs: "pd.DataFrame", source: Source) -> float:
        """The number beyond which a run fails."""
        from zipo.study.claims.selection import column, matching

        others = runs[matching(runs, self.than, source.base) & (runs["status"] == "ok")]
        if others.empty:
            raise NotRunError("no run converged of those whose median is the scale")
        return float(self.times or 0) * float(column(others, self.measure or "").median())

    def _share(self, label: str, runs: "pd.DataFrame", limit: float) -> "Evidence":
        """The share of a setting's runs that failed, with the interval of Clopper and Pearson."""
        from scipy import stats

        from zipo.study.claims.evidence import Evidence
        from zipo.study.claims.numbers import facts

        failed, count = int(self._failed(runs, limit).sum()), len(runs)
        exact = stats.binomtest(failed, count, self.bound).proportion_ci(0.95)
        above = float(stats.binom.sf(failed - 1, count, self.bound))
        below = float(stats.binom.cdf(failed, count, self.bound))
        p, against = (above, below) if self.direction == "greater" else (below, above)
        return Evidence(
            label, "", count=count, estimate=failed / count, spread=math.nan,
            interval=(float(exact.low), float(exact.high)), margin=self.bound, mean_of=failed / count, p=p,
            p_against=against, **facts(runs, measure="status"),
        )  # fmt: skip

    def _failed(self, runs: "pd.DataFrame", limit: float) -> "np.ndarray":
        """Which runs failed."""
        failed = (runs["status"] == "diverged").to_numpy()
        return failed | (runs[self.measure] > limit).to_numpy() if self.measure else failed

    @property
    def measured(self) -> str:
        """The column of the runs table that tells which runs fail."""
        return self.measure or "status"

    @property
    def unit(self) -> str:
        """Every run counts, diverged or not."""
        return "run"

    def numbers(self, evidence: "Evidence") -> str:
        """How many runs failed, and how."""
        from zipo.study.claims.selection import wanted_in_words

        failed = f"{round(evidence.mean_of * evidence.count)} of {evidence.count} runs diverged"
        if self.times:
            others = ", ".join(f"{name} {wanted_in_words(wanted)}" for name, wanted in self.than.items())
            failed += f" or exceed {self.times:g} times the median {self.measure} at {others}"
        return f"{failed}, at {evidence.of}"

    def sentence(self, evidence: "Evidence", verdict: str, p_holm: float, power: str) -> str:
        """The count and its test, which exists for any number of runs."""
        side = "more" if self.direction == "greater" else "fewer"
        tested = f"(95 % CI {evidence.interval_in_words}; p = {p_holm:.2g} that {side} than {self.bound:g} do)."
        return f"{self.numbers(evidence)} {tested}{self.ending(evidence, verdict, power)}"

    def seeds_as_observed(self, evidence: "Evidence", level: float) -> int | None:
        """The runs at which this share of failures could be told from the bound; None from a thousand on."""
        from scipy import stats

        for count in range(evidence.count + 1, 1000):
            failed = round(evidence.mean_of * count)
            above, below = stats.binom.sf(failed - 1, count, self.bound), stats.binom.cdf(failed, count, self.bound)
            if min(above, below) <= level:
                return count
        return None
