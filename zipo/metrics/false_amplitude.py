"""Amplitude of made-up gene modules: how far denoised genes vary together after their counts were permuted.

Within a type the permuted genes are independent, so whatever genes share after denoising, but for the library size,
was made by the denoising. A share of correlated pairs (`zipo.metrics.false_correlations`) is the same for a shared
variation of 0.01 % of a gene's mean and of 100 %; who looks at the cells is misled only by the second.

For each type of enough cells:

1. Cells are scaled to a common library size. It is not their total, of which one gene may hold a fifth: dividing by
   that gene's noise would make all others go together, in undenoised counts as well. Here each gene is divided by the
   root of its mean before genes are added up, which weights them by the precision of their counts and the number of
   their molecules evenly. Factors of whole cells, such as library sizes, drop out.
2. Values that genes share are told from those that each has by itself, such as the counting noise that a method leaves
   in, by parallel analysis (Horn 1965, doi 10.1007/BF02289447). The eigenvalues of the genes' correlation matrix, from
   the largest on, are compared with those after each denoised gene was permuted among the cells, which leaves each
   gene's variance and nothing shared. Both sets have the same sum, so the excess of the leading ones is the number of
   genes' variances that is shared, and their eigenvectors tell how much of it each gene has. Noise that is larger in
   some cells for all genes would look shared; permuted counts have none, since their cells have similar library sizes.
3. A gene's amplitude is the root of its shared variance in units of its mean: 0.3 says that the made-up part moves the
   gene by 30 % up and down from cell to cell (a standard deviation). It is taken of all that is shared, and of the
   leading component alone, the largest module: the same variation in many small modules misleads less.

Gene means times library sizes have 0, and so has no denoising, whose noise, however large, is each gene's own. A module
that is weak beside noise which a method leaves in is given too low: at the edge of what chance explains, as 0. Modules
of the same strength in equally many genes cannot be told apart: the largest may then be a mixture of them.
"""

from collections.abc import Iterator

import numpy as np

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import chunks
from zipo.metrics.shared.within_type import cells_within_types

title = "Amplitude of made-up gene modules"
measures = {"false_module_amplitude": "low", "false_amplitude": "low"}
purpose = {"false_module_amplitude": "to make up no gene modules that anyone would notice"}
needs = ("permuted",)

DRAWS = 5
"""Permutations; the largest of their eigenvalues are exceeded by chance once in six times."""
TOP = 0.9
"""Quantile over genes that stands for the genes of the largest module, of which there should be a tenth at least."""


def score(case: Case) -> dict[str, float]:
    """Amplitude of the largest module that a tenth of the genes exceeds, and the mean of all that is made up.

    Both over the detected genes of all types. A module of amplitude a in a share f of the genes gives a, if f is a
    tenth or more, and f a.
    """
    rng = np.random.default_rng(case.seed)
    by_type = [
        shared_amplitudes(scaled_columns(case.denoised, cells, genes), rng) for cells, genes in cells_within_types(case)
    ]
    if not by_type:
        return dict.fromkeys(measures, float("nan"))
    largest, whole = np.concatenate(by_type, axis=1)
    return {"false_module_amplitude": float(np.quantile(largest, TOP)), "false_amplitude": float(whole.mean())}


def scaled_columns(denoised: np.ndarray, cells: np.ndarray, genes: np.ndarray) -> np.ndarray:
    """Denoised values of some cells and genes at a common library size, float64 (cells, genes).

    The library size is a sum over all genes, each divided by the root of its mean share; a cell without counts is 0.
    """

    def shares() -> Iterator[np.ndarray]:
        for rows in chunks(len(cells), denoised.shape[1]):
            values = np.asarray(denoised[cells[rows]], dtype=np.float64)
            yield _divided(values, values.sum(axis=1, keepdims=True))

    mean = sum(part.sum(axis=0) for part in shares()) / len(cells)
    weights = _divided(1.0, np.sqrt(mean))
    return np.concatenate([_divided(part[:, genes], (part @ weights)[:, None]) for part in shares()])


def shared_amplitudes(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Standard deviations of what each gene shares with others in units of its mean, (2, genes): leading part, and all.

    `values` are (cells, genes). A gene that is constant has 0.
    """
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    standard = _divided(values - mean, deviation)
    eigenvalues, eigenvectors = np.linalg.eigh(_correlations(standard))
    permuted = (rng.permuted(standard, axis=0) for _ in range(DRAWS))
    by_chance = np.max([np.linalg.eigvalsh(_correlations(drawn)) for drawn in permuted], axis=0)
    excess = (eigenvalues - by_chance)[::-1]  # the largest first
    leading = np.logical_and.accumulate(excess > 0)
    shared = np.square(eigenvectors[:, ::-1][:, leading]) * excess[leading]
    return _divided(deviation, mean) * np.sqrt([shared[:, :1].sum(axis=1), shared.sum(axis=1)])


def _correlations(standard: np.ndarray) -> np.ndarray:
    """Pearson correlations of standardised columns, (genes, genes)."""
    return standard.T @ standard / len(standard)


def _divided(values: np.ndarray | float, by: np.ndarray) -> np.ndarray:
    """A quotient, 0 where the divisor is."""
    values, by = np.broadcast_arrays(values, by)
    return np.divide(values, by, out=np.zeros(by.shape), where=by > 0)
