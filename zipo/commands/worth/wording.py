"""What denoising is worth, in plain words."""

import math
from typing import TYPE_CHECKING

import numpy as np

from zipo.commands.worth.estimates import Estimate
from zipo.commands.worth.names import EXPLAINED, SIMPLE, WITHOUT, ZIPO
from zipo.commands.worth.verdicts import FEWEST_MOLECULES, least_gain

if TYPE_CHECKING:
    from zipo.commands.worth.worth import Worth

NAMED = 10  # genes that the text names
ZEROS_OFF = 0.05  # distance from which on expected and observed shares of zeros of a gene differ
MADE_UP = 0.1  # amplitude above that of counts shrunk gene by gene from which on correlations are warned of


def text(worth: "Worth") -> str:
    """Verdict and numbers, a paragraph each."""
    parts = [_what_was_done(worth), f"{worth.verdict.upper()}: {_verdict(worth)}"]
    parts += [_shares(worth), _genes(worth), _calibration(worth), _permuted(worth)]
    return "\n\n".join(parts)


def _what_was_done(worth: "Worth") -> str:
    drawn = f", drawn from {worth.cells_in_all:,}" if worth.cells_in_all > len(worth.cells) else ""
    return (
        f"{len(worth.cells):,} cells{drawn} x {len(worth.genes):,} genes, preset {worth.preset}: a tenth of the "
        f"molecules ({worth.held_out:,}) was held out\nand predicted from the rest."
    )


def _verdict(worth: "Worth") -> str:
    closest = min(worth.gains, key=lambda name: worth.gains[name].value)
    gain, least = worth.gains[closest], least_gain(worth.permuted_gain)
    if worth.verdict == "worth it":
        return (
            "denoising predicts molecules that it did not see better than anything simple does. Its deviance is\n"
            f"{_below(gain)} that of the best of them, {SIMPLE[closest]}."
        )
    if worth.verdict == "do not denoise":
        worst = min((name for name in worth.gains if WITHOUT[name]), key=lambda name: worth.gains[name].value)
        return (
            f"without it, molecules are predicted better by {SIMPLE[worst]}. The deviance of\nthe denoised counts is "
            f"{_below(worth.gains[worst])} that. Use the counts as they are, or another preset."
        )
    return (
        f"molecules are predicted {'better' if gain.high < 0 else 'as well'} by {SIMPLE[closest]}. The deviance of\n"
        f"the denoised counts is {_below(gain)} that, where {least:.1%} below would be needed.\n"
        f"Use {'the counts as they are' if WITHOUT[closest] else 'PCA'}, or another preset."
    )


def _below(gain: Estimate) -> str:
    """A gain in words, as in 1.5 % (1.2 to 1.7) below."""
    if gain.value >= 0:
        return f"{gain.in_percent} below"
    return f"{Estimate(-gain.value, -gain.high, -gain.low).in_percent} above"


def _shares(worth: "Worth") -> str:
    lines = ["Explained share of the gene means' deviance (95 % interval over cells; the truth, too, is below 100 %):"]
    labels = {ZIPO: f"ZiPo, preset {worth.preset}"} | SIMPLE
    lines += [f"  {labels[name]:48}{share.in_percent}" for name, share in worth.explained.items()]
    shares = worth.of_cells(worth.cells.index)[EXPLAINED]
    if (judged := shares[np.isfinite(shares)]).size:
        lines.append(
            f"Cells: {(judged > 0).mean():.1%} are predicted better than by the gene means; the median cell is "
            f"explained to {np.median(judged):.1%}."
        )
    return "\n".join(lines)


def _genes(worth: "Worth") -> str:
    numbers = worth.genes["judgement"].value_counts()
    lines = [
        f"Genes: {numbers['explained']:,} of {len(worth.genes):,} are predicted better than by their means, "
        f"{numbers['not told apart']:,} cannot be told apart from them,",
        f"{numbers['too few molecules']:,} have too few molecules to judge (less than {FEWEST_MOLECULES} held out).",
    ]
    if doubtful := worth.doubtful_genes:
        least = worth.genes.loc[doubtful, "gain"].sort_values().index[:NAMED]
        more = f" and {len(doubtful) - NAMED:,} more" if len(doubtful) > NAMED else ""
        lines.append(
            f"Do not believe {len(doubtful):,}, which their means, or their counts shrunk to these, predict better:\n"
            f"{', '.join(least)}{more}."
        )
    else:
        lines.append("None is predicted worse than by its mean, or by its counts shrunk to it.")
    return "\n".join(lines)


def _calibration(worth: "Worth") -> str:
    distance = (worth.genes["zeros_expected"] - worth.genes["zeros_observed"]).abs()
    low, median, high = worth.library_ratio
    return (
        f"Zeros: expected and observed shares differ by {100 * worth.zero_distance:.2f} points in the mean gene, by "
        f"more than {100 * ZEROS_OFF:.0f} in {(distance > ZEROS_OFF).mean():.1%} of\nthem. Library sizes: denoised "
        f"counts add up to {median:.3f} of the counts in the median cell ({low:.3f} to {high:.3f} in 90 %)."
    )


def _permuted(worth: "Worth") -> str:
    lines = [
        "Out of nothing: where each gene is permuted among cells of like library size, no gene tells of another.",
        f"There ZiPo's deviance is {_below(worth.permuted_gain)} that of counts shrunk gene by gene.",
    ]
    if math.isnan(worth.false_module):
        lines.append("What gene modules it makes up cannot be told: too few cells, or genes that are detected enough.")
    else:
        lines.append(
            f"The largest gene module that it makes up there moves genes up and down by {worth.false_module:.0%} of "
            f"their means; counts\nshrunk gene by gene, which take nothing from other genes, have "
            f"{worth.false_module_by_gene:.0%}."
        )
        if worth.false_module > worth.false_module_by_gene + MADE_UP:
            lines.append("Do not read correlations between genes off denoised counts of these data.")
    return "\n".join(lines)
