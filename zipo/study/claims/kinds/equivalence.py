"""Claims that two settings differ by less than matters."""

from typing import TYPE_CHECKING, Any, Literal

from zipo.study.claims.comparison import Comparison
from zipo.study.claims.fields import sign

if TYPE_CHECKING:
    import numpy as np

    from zipo.study.claims.evidence import Evidence


class EquivalenceClaim(Comparison):
    """Two settings differ by less than matters: two one-sided paired t tests, or one of them."""

    kind: Literal["equivalence"]
    """No difference that matters."""
    direction: Literal["equal", "no_less", "no_greater"] = "equal"
    """Whether the measure of `of` is neither less nor greater by what matters, or only not less, or not greater."""

    def p_values(self, first: "np.ndarray", second: "np.ndarray") -> dict[str, Any]:
        """Of paired t tests on both sides of the margin or on one, and of Welch's two-sided test of any difference."""
        from zipo.study.claims.t_tests import p_beyond, p_equivalent, p_greater, p_welch

        differences, margin = first - second, self.smallest_effect.margin
        if self.direction == "equal":
            p, against = p_equivalent(differences, margin), p_beyond(differences, margin)
        else:
            allowed = sign(self.direction) * differences
            p, against = p_greater(allowed, -margin), p_greater(-allowed, margin)
        return {"p": p, "p_against": against, "p_welch": 2 * min(p_welch(first, second), p_welch(second, first))}

    def refuted_by(self, evidence: "Evidence") -> str:
        """A difference that matters is the one thing that refutes it."""
        return " The difference is larger than that."

    def seeds_as_observed(self, evidence: "Evidence", level: float) -> int | None:
        """The seeds that would show that the difference lies within the margin, or beyond it."""
        from zipo.study.claims.evidence import seeds_to_decide

        mean = evidence.estimate
        within = evidence.margin + (-abs(mean) if self.direction == "equal" else sign(self.direction) * mean)
        return seeds_to_decide(evidence, level, within, [-within])
