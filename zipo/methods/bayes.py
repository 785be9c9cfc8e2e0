"""Control: the posterior mean of simulated counts given the true state of each cell, a bound on what counts can tell.

The oracle knows each cell's own biological noise, which a single cell's counts reveal only in part. This control knows
what rates a cell's state leads to, how far cells of that state vary, and how counts are lost; the rest it infers from
the counts. A method has to infer the states as well, so none can expect to come closer in squared error or Poisson
deviance where the noise of a cell's genes is independent. Where it goes together, as by the copula of counts that are
drawn after real ones, a method may learn from a cell's other genes what this control does not.
"""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import expit
from scipy.stats import gamma

from zipo.shared.errors import InputError

name = "bayes"
env = None
parameters: dict = {}
control = True
seeded = False
sees_truth = True
keeps_library = True
scale = "posterior means of simulated counts, given the true state of each cell"
source = "a control"

LEAST_DISPERSION = 1e-8
"""Less is raised to this, so that rates without noise of their own are gamma variables, too."""
NODES = 96
TAIL = 1e-12
"""Probability on either side of the nodes; the rest of a gamma variable is left out."""
CHUNK = 1 << 18
"""Entries of a chunk, whose arrays of float64 stay within the processor's cache."""


def denoise(counts: ad.AnnData, *, seed: int) -> ad.AnnData:
    """Posterior means of (1 - z) m in layers["denoised"]; the seed changes nothing.

    Those of m and, where there is zero inflation, of z are in layers["rates"] and layers["zero_probability"]. The
    noise of genes is taken as independent given the state, as it is drawn; that a cell's rates add up to its library
    size is not made use of. Raises InputError if the truth is not known.
    """
    if "true_state_rates" not in counts.layers:
        raise InputError("bayes: layers['true_state_rates'] is missing; it is there in simulated data sets only")
    x = csr_matrix(counts.X)
    means, dispersion = counts.layers["true_state_rates"], counts.var["true_dispersion"].to_numpy(np.float64)
    loss = counts.uns.get("true_loss")
    kinds = ("denoised", "rates") if loss is None else ("denoised", "rates", "zero_probability")
    layers = {kind: np.empty(counts.shape, dtype=np.float32) for kind in kinds}
    step = max(1, CHUNK // counts.n_vars)
    for start in range(0, counts.n_obs, step):
        rows = slice(start, start + step)
        observed, prior = x[rows].toarray().astype(np.float64), np.asarray(means[rows], dtype=np.float64)
        for kind, values in posterior(observed, prior, dispersion, loss).items():
            layers[kind][rows] = values
    denoised = counts.copy()
    denoised.layers.update(layers)
    return denoised


def posterior(
    x: np.ndarray, means: np.ndarray, dispersion: np.ndarray, loss: dict[str, float] | None
) -> dict[str, np.ndarray]:
    """Posterior means of rates m given counts x, both (cells, genes); those of z and of (1 - z) m where there is loss.

    m is a gamma variable with the means given and the squared coefficient of variation `dispersion` (genes,). x is
    Poisson, and lost with the probability z(m) = expit(slope (log m - midpoint)).
    """
    shape = np.broadcast_to(1 / np.maximum(dispersion, LEAST_DISPERSION), x.shape)
    scale = means / (shape + means)  # of m given x, unless x was lost
    if loss is None:
        rates = (shape + x) * scale
        return {"denoised": rates, "rates": rates}
    moments = _moments(shape + x, scale, loss, lost=False)
    # a zero was lost, and tells nothing but that, or it was not lost, and is Poisson
    zero = x == 0
    moments[:, zero] *= np.exp(-shape[zero] * np.log1p(means[zero] / shape[zero]))
    moments[:, zero] += _moments(shape[zero], means[zero] / shape[zero], loss, lost=True)
    total, *parts = moments
    parts = [np.divide(part, total, out=np.zeros_like(part), where=total > 0) for part in parts]
    return dict(zip(("rates", "zero_probability", "denoised"), parts, strict=True))


def _moments(shape: np.ndarray, scale: np.ndarray, loss: dict[str, float], lost: bool) -> np.ndarray:
    """E[w], E[w m], E[w z] and E[w (1 - z) m] of gamma variables m, where w is z for lost counts and 1 - z for others.

    By the trapezoidal rule on log m, whose error falls exponentially with the number of nodes.
    """
    moments = np.zeros((4, *shape.shape))
    for value in np.unique(shape):
        at = shape == value
        sums = np.zeros((4, np.count_nonzero(at)))
        for node, weight in zip(*_nodes(value), strict=True):
            m = node * scale[at]
            z = expit(loss["slope"] * (np.log(m + 1e-12) - loss["midpoint"]))
            w = weight * (z if lost else 1 - z)
            sums += np.stack([w, w * m, w * z, w * (1 - z) * m])
        moments[:, at] = sums
    return moments


def _nodes(shape: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the expectation over a gamma variable of scale one."""
    first, last = np.log(gamma(shape).ppf([TAIL, 1 - TAIL]))
    log_nodes = np.linspace(first, last, NODES)
    log_density = shape * log_nodes - np.exp(log_nodes)  # of log m, but for a constant
    weights = np.exp(log_density - log_density.max())
    return np.exp(log_nodes), weights / weights.sum()
