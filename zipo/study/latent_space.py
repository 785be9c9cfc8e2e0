"""Tables of the latent variables of runs: places in two dimensions, and agreement with cell types (figure 16)."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from zipo.datasets.prepared import read_pedigree
from zipo.shared.embedding import agreement, tsne


def embed(pairs: list[tuple[Path, Path]], seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """t-SNE places of every cell at the first seed of a setting, and scores of all seeds.

    `pairs` are files of data sets and of latents, of which a setting has one or more, the first seed's first. Places:
    dataset, model, setting, cell, x, y, cell_type. Scores: dataset, model, setting, seed, cells, silhouette
    of the cell types in the latents, adjusted Rand index and normalised mutual information of Leiden clusters of
    the latents with the cell types. Cells without a type are placed, but not scored; nor are latents of a run that
    diverged, if they are no numbers.
    """
    places, scores = [], []
    placed: set[str] = set()
    place_columns = ["dataset", "model", "setting", "cell", "x", "y", "cell_type"]
    for data, latents in pairs:
        with np.load(latents) as arrays:
            by_seed = dict(zip(arrays["seeds"].tolist(), arrays["latents"], strict=True))
            setting, model = str(arrays["setting"]), str(arrays["likelihood"]).upper()
        obs = ad.read_h5ad(data, backed="r").obs
        types = obs["cell_type"] if "cell_type" in obs else pd.Series(np.nan, index=obs.index)
        identity = {"dataset": read_pedigree(data)["id"], "model": model, "setting": setting}
        typed = types.notna().to_numpy()
        for run_seed, values in by_seed.items():
            if not np.isfinite(values).all():
                continue
            if setting not in placed:
                placed.add(setting)
                x, y = tsne(values, seed).T
                columns = {"cell": obs.index, "x": x, "y": y, "cell_type": types.to_numpy()}
                places.append(pd.DataFrame(identity | columns))
            if types[typed].nunique() > 1:
                agreements = agreement(values[typed], types[typed].astype(str).to_numpy(), seed)
                scores.append(identity | {"seed": run_seed, "cells": int(typed.sum())} | agreements)
    named = ["dataset", "model", "setting", "seed", "cells", "silhouette", "ari", "nmi"]
    if not places:
        return pd.DataFrame(columns=place_columns), pd.DataFrame(columns=named)
    return pd.concat(places, ignore_index=True), pd.DataFrame(scores, columns=named)
