"""Denoised shallow counts against deep counts of the same cells.

After Huang 2018, doi 10.1038/s41592-018-0033-z. Methods denoise a tenth of the molecules and are compared with the
other nine tenths. These share no molecule with what was denoised: all ten would favour the counts themselves.

What it cannot tell: the deep counts have noise of their own, so that the truth itself has no correlation of one. The
best correlation on the log scale has the mean of what a cell may be, and between types it is larger than within, so
that a smoothing to type means does well by the correlations and neighbours; the distance of the correlations between
genes, from which the noise of the deep counts is removed, shows what is lost or made up by that.
"""

import numpy as np
from scipy.sparse import csr_matrix

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.chunks import DECIMALS, chunks, cp10k, log_cp10k
from zipo.metrics.shared.components import principal_components
from zipo.metrics.shared.correlations import CONSTANT, correlations, moments
from zipo.metrics.shared.neighbours import alike, nearest

title = "Deep counts of the same cells"
measures = {
    "deep_gene_correlation": "high",
    "deep_cell_correlation": "high",
    "deep_neighbours": "high",
    "deep_correlation_distance": "low",
}
purpose = {
    "deep_gene_correlation": "to see in shallow counts what deeper sequencing of the same cells shows",
    "deep_correlation_distance": "to see in shallow counts which genes go together in deep ones",
}
needs = ("shallow", "held_out")

DETECTED = 0.1
"""Share of the cells in which a gene must be detected in the deep counts, else they are noise themselves."""
NEIGHBOURS = 30
COMPONENTS = 30
MOST_CELLS = 2000  # whose neighbours are compared, drawn at random
MOST_GENES = 500  # of which all pairs are compared: those with most deep counts
RELIABLE = 0.2
"""Least share of a gene's variance in the deep counts that is no sampling noise: else its correlations are unknown."""


def score(case: Case) -> dict[str, float]:
    """The four measures; a prediction that is constant tells nothing: 0 correlations and neighbours.

    - deep_gene_correlation: Pearson correlation over cells of log1p(CP10k), mean over detected genes.
    - deep_cell_correlation: the same over detected genes, mean over cells, after subtracting each gene's mean. Without
      that, the differences between genes' means, which every method knows, would give all a high correlation.
    - deep_neighbours: share of a cell's nearest neighbours, in components of log1p(CP10k), that are those of the deep
      counts.
    - deep_correlation_distance: mean absolute difference between correlations of gene pairs, of CP10k.
    """
    by_gene, by_cell = log_scale_correlations(case)
    return {
        "deep_gene_correlation": by_gene,
        "deep_cell_correlation": by_cell,
        "deep_neighbours": shared_neighbours(case),
        "deep_correlation_distance": correlation_distance(case),
    }


def log_scale_correlations(case: Case) -> tuple[float, float]:
    """Mean correlations of genes and of cells; NaN if no gene is detected enough."""
    cells, genes = case.counts.shape
    detected = np.asarray((case.held_out > 0).sum(axis=0)).ravel() / cells >= DETECTED
    if not detected.any():
        return float("nan"), float("nan")
    by_gene = np.zeros((5, int(detected.sum())))
    for rows in chunks(cells, genes):
        x, y = (log_cp10k(part[rows])[:, detected] for part in (case.denoised, case.held_out))
        by_gene += moments(x, y, axis=0)
    x_mean, y_mean = by_gene[:2] / cells
    by_cell = []
    for rows in chunks(cells, genes):
        x = log_cp10k(case.denoised[rows])[:, detected] - x_mean
        y = log_cp10k(case.held_out[rows])[:, detected] - y_mean
        # a decimal less than DECIMALS, so that rounding leaves zeros of a constant gene
        by_cell.append(correlations(moments(np.round(x, DECIMALS - 1), y, axis=1), x.shape[1]))
    return float(np.nanmean(correlations(by_gene, cells))), float(np.nanmean(np.concatenate(by_cell)))


def shared_neighbours(case: Case) -> float:
    """Mean share of the neighbours that denoised and deep counts have in common; by chance neighbours / cells."""
    coordinates = principal_components(case.denoised, COMPONENTS, case.seed)
    if alike(coordinates):
        return 0.0
    deep = principal_components(case.held_out, COMPONENTS, case.seed)
    size = len(deep)
    cells = np.random.default_rng(case.seed).choice(size, min(MOST_CELLS, size), replace=False)
    k = min(NEIGHBOURS, size - 1)
    pairs = zip(nearest(coordinates, cells, k, case.seed), nearest(deep, cells, k, case.seed), strict=True)
    return float(np.mean([len(np.intersect1d(ours, theirs)) / k for ours, theirs in pairs]))


def correlation_distance(case: Case) -> float:
    """Mean absolute difference over all pairs of reliable genes; NaN if there are fewer than two."""
    totals = np.asarray(case.held_out.sum(axis=0)).ravel()
    genes = np.argsort(-totals, kind="stable")[:MOST_GENES]
    mean, products, noise = (part / case.counts.shape[0] for part in sums(case.held_out, genes, noise=True))
    observed = products - np.outer(mean, mean)
    covariance = observed - noise
    reliable = np.diag(covariance) > RELIABLE * np.diag(observed)
    if reliable.sum() < 2:
        return float("nan")
    deep = as_correlations(covariance[np.ix_(reliable, reliable)])
    mean, products, _ = (part / case.counts.shape[0] for part in sums(case.denoised, genes[reliable]))
    covariance = products - np.outer(mean, mean)
    constant = np.diag(covariance) <= CONSTANT * np.diag(products)
    covariance[constant] = covariance[:, constant] = 0
    difference = as_correlations(covariance) - deep
    return float(np.abs(difference[np.triu_indices(len(difference), k=1)]).mean())


def sums(
    values: np.ndarray | csr_matrix, genes: np.ndarray, noise: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over cells of the genes' shares y, of y y', and, if asked for, of the covariance of their sampling noise.

    Molecules of a cell with n of them are multinomial: (diag(y) - y y') / (n - 1) is that covariance without bias.
    """
    mean, products, covariance = (np.zeros(shape) for shape in (len(genes), (len(genes),) * 2, (len(genes),) * 2))
    for rows in chunks(*values.shape):
        y = cp10k(values[rows])[:, genes] / 1e4
        mean += y.sum(axis=0)
        products += y.T @ y
        if noise:
            weights = 1 / np.maximum(np.asarray(values[rows].sum(axis=1), dtype=np.float64) - 1, 1)
            covariance += np.diag((weights * y).sum(axis=0)) - (weights * y).T @ y
    return mean, products, covariance


def as_correlations(covariance: np.ndarray) -> np.ndarray:
    """Correlations of a covariance, between -1 and 1; 0 where a variance is 0."""
    deviation = np.sqrt(np.diag(covariance))
    scale = np.outer(deviation, deviation)
    return np.clip(np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0), -1, 1)
