"""Claims that seeds scatter less, or more, in one setting than in another."""

from typing import TYPE_CHECKING, Any, Literal

from zipo.study.claims.comparison import Comparison
from zipo.study.claims.fields import Direction

if TYPE_CHECKING:
    import numpy as np


class SpreadClaim(Comparison):
    """Seeds scatter less, or more, in one setting than in another.

    A one-sided paired t test of the seeds' distances from the median: the test of Brown and Forsythe (1974,
    10.1080/01621459.1974.10482955) for pairs.
    """

    kind: Literal["spread"]
    """A difference in scatter; with a relative smallest effect, distances are of logarithms."""
    direction: Direction
    """Whether the seeds of `of` scatter less or more."""

    def compared(self, values: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
        """Distances of the seeds from their median, and the same as differences or ratios less one."""
        import numpy as np

        scaled, _ = super().compared(values)
        distances = np.abs(scaled - np.median(scaled)) if len(scaled) else scaled  # of a run that diverged infinite
        return distances, np.expm1(distances) if self.smallest_effect.is_relative else distances

    def p_values(self, first: "np.ndarray", second: "np.ndarray") -> dict[str, Any]:
        """Of a paired t test of the distances, and of Welch's test."""
        from zipo.study.claims.evidence import directed_pairs

        return directed_pairs(first, second, self.smallest_effect.margin, self.direction)

    @property
    def subject(self) -> str:
        """The distances in words."""
        share = ", as a share," if self.smallest_effect.is_relative else ""
        return f"the distance of {self.measure} from its median over seeds{share}"
