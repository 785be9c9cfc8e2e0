"""Latents in two dimensions, and how well their clusters agree with known cell types (figure 16)."""

from functools import cache
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from zipo.study.table import read_pedigree

SILHOUETTE_CELLS = 10_000  # its cost grows with the square of the cells


def embed(pairs: list[tuple[Path, Path]], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """t-SNE places of every cell, and scores of every pair of a data set file and its latents.

    Places: dataset, model, setting, cell, x, y, cell_type. Scores: dataset, model, setting, seed, cells, silhouette
    of the cell types in the latents, adjusted Rand index and normalised mutual information of Leiden clusters of
    the latents with the cell types. Cells without a type are placed, but not scored.
    """
    places, scores = [], []
    for data, latents in pairs:
        with np.load(latents) as kept:
            values, setting, model = kept["latents"], str(kept["setting"]), str(kept["likelihood"]).upper()
            run_seed = int(kept["seed"])
        obs = ad.read_h5ad(data, backed="r").obs
        types = obs["cell_type"] if "cell_type" in obs else pd.Series(np.nan, index=obs.index)
        identity = {"dataset": read_pedigree(data)["id"], "model": model, "setting": setting}
        x, y = tsne(values, seed).T
        places.append(pd.DataFrame({**identity, "cell": obs.index, "x": x, "y": y, "cell_type": types.to_numpy()}))
        known = types.notna().to_numpy()
        if types[known].nunique() > 1:
            scored = agreement(values[known], types[known].astype(str).to_numpy(), seed)
            scores.append(identity | {"seed": run_seed, "cells": int(known.sum())} | scored)
    columns = ["dataset", "model", "setting", "seed", "cells", "silhouette", "ari", "nmi"]
    return pd.concat(places, ignore_index=True), pd.DataFrame(scores, columns=columns)


def tsne(latents: np.ndarray, seed: int) -> np.ndarray:
    """Two dimensions of the latents (cells x latents) by t-SNE (van der Maaten 2008), started from their PCA."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(latents) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(latents)


def agreement(latents: np.ndarray, types: np.ndarray, seed: int) -> dict[str, float]:
    """Silhouette of the types, and ARI and NMI of Leiden clusters of the latents with them."""
    import scanpy as sc
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score

    _keep_compiled()
    graph = ad.AnnData(latents)
    sc.pp.neighbors(graph, use_rep="X", n_neighbors=min(15, len(latents) - 1), random_state=seed)
    sc.tl.leiden(graph, flavor="igraph", n_iterations=2, directed=False, random_state=seed)
    clusters = graph.obs["leiden"].to_numpy()
    size = min(SILHOUETTE_CELLS, len(latents))
    return {
        "silhouette": float(silhouette_score(latents, types, sample_size=size, random_state=seed)),
        "ari": float(adjusted_rand_score(types, clusters)),
        "nmi": float(normalized_mutual_info_score(types, clusters)),
    }


@cache
def _keep_compiled() -> None:
    """Have the loops behind scanpy's graph compiled once and for all; umap would compile them again in each process,
    which takes longer than all that is done with them here."""
    from umap import umap_

    for loop in (umap_.smooth_knn_dist, umap_.compute_membership_strengths):
        loop.enable_caching()
