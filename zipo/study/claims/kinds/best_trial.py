"""Claims on where the best trial of the search for hyper-parameters lies."""

import math
from typing import TYPE_CHECKING, Any, Literal

from zipo.study.claims.claim import Claim
from zipo.study.claims.kinds.trials import TrialSelector, trials_of
from zipo.study.claims.source import NotRunError, Source

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from zipo.study.claims.evidence import Evidence


class BestTrialClaim(Claim):
    """The trial of the lowest validation NLL is among some: how often it is when the trials are drawn again.

    p is the share of bootstrap samples of the trials whose best is not among them, which three best trials of one kind
    bring just below 5 %. It says how much the answer hangs on a few trials, and neither how seeds would change their
    losses nor where another search would look.
    """

    kind: Literal["best_trial"]
    """The place of the best of the trials that came to their ends."""
    of: TrialSelector
    """Trials among which the best is."""

    def source(self, tables: "dict[str, pd.DataFrame]", study: dict[str, Any]) -> Source:
        """All trials of the study's search."""
        return trials_of(tables)

    def evaluate(self, source: Source) -> "Evidence":
        """The chance that the best of as many trials, drawn with replacement, is among those of the claim."""
        from zipo.study.claims.evidence import Evidence
        from zipo.study.claims.numbers import diverged
        from zipo.study.claims.selection import in_words, matching

        ended = source.rows[source.rows["status"] == "ok"].sort_values("validation_nll")
        if ended.empty:
            raise NotRunError("no trial came to its end")
        among = matching(ended, self.of, source.base).to_numpy()
        if among.all():
            raise NotRunError("all trials are those of which the claim speaks")
        share = share_of_bests(among)
        best = ended.iloc[0]
        leading = int(among.argmin() if among[0] else among.argmax())
        values = " and ".join(f"{name} {in_words(best[name])}" for name in self.of)
        return Evidence(
            values, "", count=len(ended), estimate=share, spread=math.nan, interval=(math.nan, math.nan), margin=0.5,
            mean_of=float(among[0]), p=1 - share, p_against=share, runs=len(source.rows),
            diverged=diverged(source.rows),
            remark=f" The {leading} best trials agree in this." if leading > 1 else " The second best differs in this.",
        )  # fmt: skip

    @property
    def measured(self) -> str:
        """The column of the trials table that says which trial is best."""
        return "validation_nll"

    @property
    def unit(self) -> str:
        """Trials are counted."""
        return "trial"

    def numbers(self, evidence: "Evidence") -> str:
        """Where the best trial is, and how often it is where the claim says."""
        sure = f"in {100 * evidence.estimate:.3g} % of bootstrap samples of the trials the best is where the claim says"
        return f"The trial of the lowest validation NLL has {evidence.of}; {sure}"

    def sentence(self, evidence: "Evidence", verdict: str, p_holm: float, power: str) -> str:
        """The place of the best trial, without an interval."""
        return f"{self.numbers(evidence)} (p = {p_holm:.2g} after Holm; {evidence.count} trials).{evidence.remark}"


def share_of_bests(among: "np.ndarray") -> float:
    """The share of bootstrap samples whose best is among some of n numbers; `among` (n) goes from the best on.

    The best of a sample is at least the r-th with probability (1 - r / n)^n, counting from 0.
    """
    import numpy as np

    n = len(among)
    at_least = (1 - np.arange(n + 1) / n) ** n
    return float(np.sum((at_least[:-1] - at_least[1:])[among]))
