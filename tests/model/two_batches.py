"""A simulated set measured in two batches, each gene of the second caught better or worse than in the first."""

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix


def in_two_batches(simulated: ad.AnnData) -> ad.AnnData:
    """The simulated cells, of each type half in batch A and half in B, with counts drawn anew.

    var["effect"] is the factor on a gene's rates in B; layers["rates_in_A"] are what the cells would have in A.
    """
    rng = np.random.default_rng(5)
    in_b = rng.permutation(np.arange(simulated.n_obs) % 2) == 1
    effect = rng.lognormal(0, 0.7, simulated.n_vars)
    rates = simulated.layers["true_rates"]
    measured = rng.poisson(rates * np.where(in_b[:, None], effect, 1))
    measured[rng.random(rates.shape) < simulated.layers["true_zero_probability"]] = 0
    obs = simulated.obs.assign(batch=np.where(in_b, "B", "A"))
    layers = {"rates_in_A": rates, "zero_probability": simulated.layers["true_zero_probability"]}
    return ad.AnnData(csr_matrix(measured.astype(np.float32)), obs, simulated.var.assign(effect=effect), layers=layers)


def mixing(latent: np.ndarray, batch: np.ndarray, neighbours: int = 20) -> float:
    """How often a cell's nearest neighbours are of the other one of two batches: 1 is as by chance, 0 never."""
    distances = ((latent[:, None] - latent[None]) ** 2).sum(axis=-1)
    np.fill_diagonal(distances, np.inf)
    near = np.argsort(distances, axis=1)[:, :neighbours]
    shares = (batch[near] != batch[:, None]).mean(axis=1)
    return float(np.mean([shares[batch == level].mean() / (batch != level).mean() for level in np.unique(batch)]))
