"""What denoising is worth on some counts: numbers, verdict, and what of them an AnnData holds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from zipo.commands.worth.estimates import Estimate
from zipo.commands.worth.names import EXPLAINED, WITHOUT
from zipo.commands.worth.verdicts import FEWEST_MOLECULES, Verdict, verdict
from zipo.commands.worth.wording import text


@dataclass(frozen=True)
class Worth:
    """What denoising is worth on some counts, measured on molecules that were held out.

    Every estimate has a value, and the ends low and high of its 95 % interval. Intervals are over cells; they tell
    nothing of other splits of the molecules and other seeds.
    """

    preset: str
    """Preset that ZiPo was trained with."""
    seed: int
    """Seed of the split, the permutation and the trainings."""
    cells_in_all: int
    """Cells of the counts, of which those that were looked at are drawn, where they are too many for memory."""
    held_out: int
    """Molecules that were held out, a tenth."""
    explained: dict[str, Estimate]
    """Explained shares 1 - deviance / deviance of the gene means, by Poisson deviances of the held-out molecules: of
    ZiPo; of the mixture of counts and gene means, with a weight chosen on a split of the training molecules; of counts
    shrunk gene by gene, with a size of each chosen likewise; and of PCA. Below 1 even for the truth, since molecules
    are caught by chance."""
    gains: dict[str, Estimate]
    """Share by which ZiPo's deviance is below that of each of these, and of the gene means; negative if above."""
    genes: pd.DataFrame
    """A row per gene: mean count, molecules held_out, share that is explained, its standard_error over cells,
    zeros_observed and zeros_expected of the training molecules, gain over the gene's counts shrunk to its mean, with
    gain_error, and judgement: explained, doubtful (worse than the mean, or than the counts shrunk to it, by three
    standard errors), not told apart, or too few molecules (less than 20 held out)."""
    cells: pd.DataFrame
    """A row per cell that was looked at: molecules held_out, and share that is explained."""
    library_ratio: tuple[float, float, float]
    """5 %, 50 % and 95 % quantiles over cells of the sum of denoised counts over that of the training counts."""
    permuted_explained: Estimate
    """ZiPo's explained share on counts of which each gene was permuted among cells of like library size: what of it
    comes from the gene's own counts, since there no other tells anything."""
    permuted_gain: Estimate
    """Share by which ZiPo's deviance is there below that of counts shrunk gene by gene: above 0 if it makes
    predictions of nothing."""
    false_module: float
    """How far the largest gene module that is made up there moves a tenth of the genes or more: a standard deviation
    over cells in units of their means; see `zipo.metrics.false_amplitude`. NaN if too few genes are detected enough."""
    false_module_by_gene: float
    """The same of counts shrunk gene by gene, which take nothing from other genes: what is no fault of denoising."""

    @property
    def verdict(self) -> Verdict:
        """worth it, as well without, or do not denoise; by the rules of `zipo.commands.worth.verdicts`."""
        return verdict(self.gains, WITHOUT, self.permuted_gain)

    @property
    def doubtful_genes(self) -> list[str]:
        """Genes whose denoised counts are not to be believed, as their means or shrunk counts predict better."""
        return list(self.genes.index[self.genes["judgement"] == "doubtful"])

    @property
    def zero_distance(self) -> float:
        """Mean over genes of the distance between expected and observed shares of zeros."""
        return float((self.genes["zeros_expected"] - self.genes["zeros_observed"]).abs().mean())

    def text(self) -> str:
        """Verdict and numbers in plain words."""
        return text(self)

    def of_genes(self) -> dict[str, np.ndarray]:
        """Columns of var: explained shares, NaN for genes that have too few held-out molecules to tell."""
        judged = self.genes["judgement"] != "too few molecules"
        return {EXPLAINED: self.genes["explained"].where(judged).to_numpy()}

    def of_cells(self, names: pd.Index) -> dict[str, np.ndarray]:
        """Columns of obs for cells of these names: explained shares, NaN for cells with too few held-out molecules, and
        for those that were not looked at."""
        judged = self.cells["held_out"] >= FEWEST_MOLECULES
        return {EXPLAINED: self.cells["explained"].where(judged).reindex(names.astype(str)).to_numpy()}

    def state(self) -> dict[str, Any]:
        """The numbers but for those of single cells and genes as plain values, for uns."""
        return {
            "verdict": self.verdict,
            "text": self.text(),
            "preset": self.preset,
            "seed": self.seed,
            "cells": len(self.cells),
            "held_out": self.held_out,
            "explained": {name: np.array(each) for name, each in self.explained.items()},
            "gains": {name: np.array(each) for name, each in self.gains.items()},
            "doubtful_genes": np.array(self.doubtful_genes, dtype=object),
            "zero_distance": self.zero_distance,
            "library_ratio": np.array(self.library_ratio),
            "permuted_explained": np.array(self.permuted_explained),
            "permuted_gain": np.array(self.permuted_gain),
            "false_module": self.false_module,
            "false_module_by_gene": self.false_module_by_gene,
        }
