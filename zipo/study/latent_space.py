"""Tables of the latent variables of runs: places in two dimensions, and agreement with cell types (figure 16)."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from zipo.datasets.prepared import read_pedigree
from zipo.shared.embedding import agreement, tsne


def embed(pairs: list[tuple[Path, Path]], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """t-SNE places of every cell, and scores of every pair of a data set file and its latents.

    Places: dataset, model, setting, cell, x, y, cell_type. Scores: dataset, model, setting, seed, cells, silhouette
    of the cell types in the latents, adjusted Rand index and normalised mutual information of Leiden clusters of
    the latents with the cell types. Cells without a type are placed, but not scored.
    """
    places, scores = [], []
    for data, latents in pairs:
        with np.load(latents) as arrays:
            values, setting, model = arrays["latents"], str(arrays["setting"]), str(arrays["likelihood"]).upper()
            run_seed = int(arrays["seed"])
        obs = ad.read_h5ad(data, backed="r").obs
        types = obs["cell_type"] if "cell_type" in obs else pd.Series(np.nan, index=obs.index)
        identity = {"dataset": read_pedigree(data)["id"], "model": model, "setting": setting}
        x, y = tsne(values, seed).T
        places.append(pd.DataFrame({**identity, "cell": obs.index, "x": x, "y": y, "cell_type": types.to_numpy()}))
        typed = types.notna().to_numpy()
        if types[typed].nunique() > 1:
            agreements = agreement(values[typed], types[typed].astype(str).to_numpy(), seed)
            scores.append(identity | {"seed": run_seed, "cells": int(typed.sum())} | agreements)
    columns = ["dataset", "model", "setting", "seed", "cells", "silhouette", "ari", "nmi"]
    return pd.concat(places, ignore_index=True), pd.DataFrame(scores, columns=columns)
