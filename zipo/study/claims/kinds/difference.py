"""Claims that one setting's measure is less, or greater, than another's."""

from typing import TYPE_CHECKING, Any, Literal

from zipo.study.claims.comparison import Comparison
from zipo.study.claims.fields import Direction

if TYPE_CHECKING:
    import numpy as np


class DifferenceClaim(Comparison):
    """One setting's measure is less, or greater, than another's: a one-sided paired t test."""

    kind: Literal["difference"]
    """A difference."""
    direction: Direction
    """Whether the measure of `of` is less or greater."""

    def p_values(self, first: "np.ndarray", second: "np.ndarray") -> dict[str, Any]:
        """Of a paired t test, and of Welch's test."""
        from zipo.study.claims.evidence import directed_pairs

        return directed_pairs(first, second, self.smallest_effect.margin, self.direction)
