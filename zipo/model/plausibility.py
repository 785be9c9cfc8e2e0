"""Checks that expected counts are plausible: on the scale of the counts, and closer to them than gene means are."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zipo.shared.errors import InputError

CELLS = 10_000  # checked at most; they give every ratio to a percent
TOTAL_OFF, CELL_OFF = 1.1, 1.5  # factors between expected and counted totals, of all cells and of the median cell
ZEROS_OFF = 0.05  # mean zero-inflation probability beyond the share of zeros
WRONG_SCALE = 2.0  # factor of all cells' totals beyond which the result is refused


@dataclass(frozen=True)
class Plausibility:
    """How the expected counts of some cells agree with what was counted in them."""

    cells: int
    """Number of cells that were checked: all, or as many drawn at random."""
    total_ratio: float
    """Sum of the expected counts over that of the counts."""
    cell_ratio: tuple[float, float, float]
    """5 %, 50 % and 95 % quantiles over the cells of the same ratio of each cell; empty cells are left out."""
    nll: float
    """Negative log-likelihood in nats per entry."""
    gene_poisson_nll: float
    """That of the trivial prediction, each gene's share of the training counts times the observed library size."""
    mean_zero_probability: float
    """Mean zero-inflation probability."""
    zero_share: float
    """Share of the entries that are zero."""

    @property
    def problems(self) -> list[str]:
        """Each problem in words; empty for a plausible result."""
        problems = []
        if not 1 / TOTAL_OFF <= self.total_ratio <= TOTAL_OFF:
            problems.append(f"the expected counts add up to {self.total_ratio:.3g} times the counts")
        median = self.cell_ratio[1]
        if not 1 / CELL_OFF <= median <= CELL_OFF:
            problems.append(f"those of the median cell add up to {median:.3g} times its counts")
        if not self.nll <= self.gene_poisson_nll:
            problems.append(
                f"the counts are predicted worse than by the genes' means alone (NLL {self.nll:.4g} against "
                f"{self.gene_poisson_nll:.4g} nats per entry)"
            )
        if self.mean_zero_probability > self.zero_share + ZEROS_OFF:
            problems.append(
                f"zero inflation explains {self.mean_zero_probability:.0%} of the entries as zeros, of which there are "
                f"{self.zero_share:.0%}"
            )
        return problems

    @property
    def in_words(self) -> str:
        """The outcome in one line."""
        if problems := self.problems:
            return f"NOT PLAUSIBLE: {'; '.join(problems)}: train for more epochs, or choose other settings"
        return (
            f"plausible: the expected counts add up to {self.total_ratio:.3f} of the counts, NLL {self.nll:.4f}, "
            f"that of the genes' means {self.gene_poisson_nll:.4f}"
        )

    def refuse(self) -> None:
        """Raise InputError where the scale is wrong by so much that the numbers would mislead."""
        if 1 / WRONG_SCALE <= self.total_ratio <= WRONG_SCALE and math.isfinite(self.nll):
            return
        raise InputError(
            f"the result is not on the scale of the counts: {self.problems[0]}; fit a model to these very counts, or "
            "train for more epochs"
        )

    def state(self) -> dict[str, Any]:
        """The outcome as plain values, for uns."""
        values = asdict(self) | {"cell_ratio": np.array(self.cell_ratio)}
        return values | {"plausible": not self.problems, "outcome": self.in_words}
