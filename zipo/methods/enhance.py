"""ENHANCE: counts of similar cells added up, and what their principal components leave of them.

Wagner, Barkley and Yanai 2019, doi 10.1101/655365; written from the paper. Monet, a later package of its first author,
adds up cells in one round, and a hundredth of them at most.
"""

from typing import TYPE_CHECKING

import anndata as ad
import numpy as np
from scipy.sparse import csr_matrix

from zipo.methods.shared.freeman_tukey import freeman_tukey, inverse
from zipo.methods.shared.library import library_of, normalised, to_library

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

name = "enhance"
env = None
parameters = {"components": None, "target_counts": 200_000, "largest_share": 0.02, "rounds": 2}
seeded = True
keeps_library = True
scale = "a low-rank approximation of counts summed over similar cells, scaled to the cell's own library size: counts"
source = "Wagner 2019, doi 10.1101/655365, written from the paper"
imports = ("sklearn.decomposition", "sklearn.neighbors")

MOST_COMPONENTS = 50  # that may be chosen
NOISE_FOLD = 2  # by which a component's variance exceeds that of the first one of noise


def denoise(
    counts: ad.AnnData,
    *,
    seed: int,
    components: int | None = None,
    target_counts: float = 200_000,
    largest_share: float = 0.02,
    rounds: int = 2,
) -> ad.AnnData:
    """ENHANCE's expression in layers["denoised"], and the components that it is made of in obsm["latent"].

    - `components`: their number; None takes those whose variance is more than that of noise.
    - `target_counts`: so many cells are added up that one of median library size has so many counts.
    - `largest_share`: of all cells, how many are added up at most.
    - `rounds`: how often similar cells are chosen; in rounds after the first, by the components of the sums.
    """
    matrix = csr_matrix(counts.X)
    if components is None:
        components = chosen_components(matrix, seed)
    components = min(components, *np.subtract(counts.shape, 1))
    size = group_size(matrix, target_counts, largest_share)
    total = float(np.median(library_of(matrix)))
    sums = matrix
    for _ in range(rounds):
        model = fitted(normalised(sums, total), components, seed)
        sums = summed(matrix, model.transform(freeman_tukey(normalised(matrix, total))), size)
    model = fitted(values := normalised(sums), components, seed)
    latent = model.transform(freeman_tukey(values))
    denoised = counts.copy()
    denoised.layers["denoised"] = to_library(inverse(model.inverse_transform(latent)), matrix)
    denoised.obsm["latent"] = latent.astype(np.float32)
    return denoised


def chosen_components(matrix: csr_matrix, seed: int) -> int:
    """How many components vary NOISE_FOLD times as much as the first of cells that differ by Poisson noise alone."""
    most = min(MOST_COMPONENTS, *np.subtract(matrix.shape, 1))
    values, total = normalised(matrix), float(np.median(library_of(matrix)))
    noise = csr_matrix(np.random.default_rng(seed).poisson(values.mean(axis=0), size=values.shape))
    of_noise = fitted(normalised(noise, total), 1, seed).explained_variance_
    return max(1, int((fitted(values, most, seed).explained_variance_ >= NOISE_FOLD * of_noise).sum()))


def group_size(matrix: csr_matrix, target_counts: float, largest_share: float) -> int:
    """How many cells are added up, the cell itself among them."""
    wanted = int(np.ceil(target_counts / np.median(library_of(matrix))))
    return min(wanted, max(1, int(largest_share * matrix.shape[0])))


def summed(matrix: csr_matrix, latent: np.ndarray, size: int) -> csr_matrix:
    """Counts of each cell and of those nearest to it by their latents, `size` cells in all, added up."""
    from sklearn.neighbors import NearestNeighbors

    return csr_matrix(NearestNeighbors(n_neighbors=size).fit(latent).kneighbors_graph(latent) @ matrix)


def fitted(values: np.ndarray, components: int, seed: int) -> "PCA":
    """The principal components of transformed counts (cells, genes)."""
    from sklearn.decomposition import PCA

    return PCA(components, svd_solver="randomized", random_state=seed).fit(freeman_tukey(values))
