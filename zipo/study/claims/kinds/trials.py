"""Claims on the trials of the search for hyper-parameters."""

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from zipo.study.claims.claim import EffectClaim
from zipo.study.claims.fields import SHAPE, Bounds, SmallestEffect, Value, check_columns, sign
from zipo.study.claims.source import NotRunError, Source
from zipo.study.search.space import SEARCHED

if TYPE_CHECKING:
    import pandas as pd

    from zipo.study.claims.evidence import Evidence

COLUMNS = [*SEARCHED, *SHAPE]


def _check_trial_columns(selector: dict[str, Any]) -> dict[str, Any]:
    if "base" in selector.values():
        raise ValueError("a search has no base setting; expected a value, a list, a range, largest or smallest")
    return check_columns(selector, COLUMNS)


TrialSelector = Annotated[
    dict[str, Value | list[Value] | Bounds],
    Field(min_length=1, json_schema_extra={"propertyNames": {"enum": COLUMNS}}),
    AfterValidator(_check_trial_columns),
]


class TrialsClaim(EffectClaim):
    """Some trials of the search do better than others, or as well: one-sided Welch t tests, or two for `equal`.

    Trials have no seeds to pair them by. They depend on each other, as the search looks where it found good ones, so
    that p is a guide only.
    """

    kind: Literal["trials"]
    """A comparison among the trials of the search that came to their ends."""
    measure: Literal["validation_nll", "test_nll", "test_mse_rates", "test_mse_means", "epochs", "weights"]
    """Column of the trials table that is compared."""
    of: TrialSelector
    """Trials of which the claim speaks, compared with all others."""
    each: Literal["encoder"] | None = None
    """Compare with the trials of each other encoder by itself, and hold the claim for every one of them."""
    direction: Literal["less", "greater", "equal"]
    """Whether the measure of `of` is less or greater, or neither by what matters."""
    smallest_effect: SmallestEffect
    """The smallest effect that matters."""

    smallest_sample: ClassVar[str] = "a test needs two on either side"

    def source(self, tables: "dict[str, pd.DataFrame]", study: dict[str, Any]) -> Source:
        """All trials of the study's search."""
        return trials_of(tables)

    def evaluate(self, source: Source) -> "Evidence":
        """The weakest of the comparisons of the trials with the others, of those that came to their ends."""
        from zipo.study.claims.evidence import weakest
        from zipo.study.claims.numbers import diverged
        from zipo.study.claims.selection import matching

        ended = source.rows[source.rows["status"] == "ok"]
        if ended.empty:
            raise NotRunError("no trial came to its end")
        matches = matching(ended, self.of, source.base)
        trials, rest = ended[matches], ended[~matches]
        if rest.empty:
            raise NotRunError("there is no other trial to compare with")
        label = ", ".join(f"{name} {_span(trials[name])}" for name in self.of)
        groups = [(f"{self.each} {name}", group) for name, group in rest.groupby(self.each)] if self.each else []
        best = ended.loc[ended["validation_nll"].idxmin()]
        values = " and ".join(f"{name} {_in_words(best[name])}" for name in self.of)
        further = {
            "remark": f" The trial of the lowest validation NLL, of {len(ended)}, has {values}.",
            "diverged": diverged(source.rows),
            "runs": len(source.rows),
        }
        others = groups or [("the other trials", rest)]
        return weakest([self._compare((label, trials), other, further) for other in others])

    def _compare(
        self, first: "tuple[str, pd.DataFrame]", second: "tuple[str, pd.DataFrame]", further: dict[str, Any]
    ) -> "Evidence":
        """Welch's tests; against a difference, as with pairs, its opposite or one too small to matter."""
        import numpy as np
        from scipy import stats

        from zipo.study.claims.evidence import Evidence, mean, on_scale
        from zipo.study.claims.t_tests import p_welch, welch

        (label, trials), (other_label, others) = first, second
        a, b = trials[self.measure].to_numpy(float), others[self.measure].to_numpy(float)
        x, y = (on_scale(values, self.smallest_effect, self.measure) for values in (a, b))
        margin, count = self.smallest_effect.margin, len(a) + len(b)
        within = max(p_welch(x + margin, y), p_welch(y + margin, x))
        if self.direction == "equal":
            p, against = within, min(1.0, 2 * min(p_welch(x - margin, y), p_welch(y - margin, x)))
            opposite = False
        else:
            side = sign(self.direction)
            p, reverse = p_welch(side * x, side * y), p_welch(-side * x, -side * y)
            against, opposite = min(reverse, within), reverse <= within
        error, freedom = welch(x, y)
        difference, half = float(np.mean(x) - np.mean(y)), error * float(stats.t.ppf(0.975, freedom))
        return Evidence(
            label, other_label, count=count, estimate=difference, spread=error * math.sqrt(count),
            interval=(difference - half, difference + half), relative=self.smallest_effect.is_relative, margin=margin,
            mean_of=mean(a), mean_than=mean(b), p=p, p_against=against, opposite=opposite, p_welch=p, **further,
        )  # fmt: skip

    @property
    def unit(self) -> str:
        """Trials are counted on either side together."""
        return "trial"

    def refuted_by(self, evidence: "Evidence") -> str:
        """A difference that matters refutes that trials are equal."""
        return " The difference is larger than that." if self.direction == "equal" else super().refuted_by(evidence)

    def seeds_as_observed(self, evidence: "Evidence", level: float) -> int | None:
        """The trials, on either side together, that would decide the claim."""
        from zipo.study.claims.evidence import seeds_to_decide

        if self.direction != "equal":
            return super().seeds_as_observed(evidence, level)
        within = evidence.margin - abs(evidence.estimate)
        return seeds_to_decide(evidence, level, within, [-within])


def trials_of(tables: "dict[str, pd.DataFrame]") -> Source:
    """All trials of the study's search; NotRunError without one."""
    if "trials" not in tables:
        raise NotRunError("the study has no search for hyper-parameters")
    rows = tables["trials"]
    return Source("the search", rows, list(rows["dataset"].unique()), {})


def _span(values: "pd.Series") -> str:
    low, high = values.min(), values.max()
    return _in_words(low) if low == high else f"{_in_words(low)} to {_in_words(high)}"


def _in_words(value: object) -> str:
    from zipo.study.claims.selection import in_words

    return f"{value:.3g}" if isinstance(value, float) else in_words(value)
