"""DeepImpute: neural networks that predict the counts of some genes from those of others, for entries that are zero."""

import os
import tempfile

import anndata as ad
from scipy.sparse import csr_matrix

name = "deepimpute"
env = "deepimpute"
parameters = {"policy": "restore", "max_epochs": 500}
seeded = True
keeps_library = False  # what replaces zeros depends little on a cell's library size
scale = "zeros replaced by predicted log1p counts, taken back by expm1, and other counts as observed: more than counted"
source = "Arisdakessian 2019, doi 10.1186/s13059-019-1837-6, deepimpute 1.2"
imports = ("tensorflow", "keras", "deepimpute.multinet")

TARGETS = 512
"""Genes that each network predicts, by default."""


def denoise(counts: ad.AnnData, *, seed: int, policy: str, max_epochs: int) -> ad.AnnData:
    """DeepImpute's counts in layers["denoised"].

    `policy` is restore, which keeps counts that are not zero, or max, which takes the larger of count and prediction;
    anything else takes predictions alone. A network predicts at most half of the genes, as it does so from the others.
    """
    import keras
    import pandas as pd
    from deepimpute.multinet import MultiNet

    keras.utils.set_random_seed(seed)  # DeepImpute leaves Python's own, which initial weights are drawn by
    table = pd.DataFrame(csr_matrix(counts.X).toarray(), counts.obs_names, counts.var_names)
    with tempfile.TemporaryDirectory() as folder:
        model = MultiNet(
            max_epochs=max_epochs,
            sub_outputdim=min(TARGETS, counts.n_vars // 2),
            ncores=int(os.environ["OMP_NUM_THREADS"]),
            output_prefix=folder,
            seed=seed,
            verbose=0,
        )
        values = model.fit(table).predict(table, policy=policy)
    denoised = counts.copy()
    denoised.layers["denoised"] = values.to_numpy()
    return denoised
