"""Gene programs of cNMF or LDVAE, run by `programs.py` with a Python in which cnmf or scvi-tools is installed.

    PYTHON programs_peer.py cnmf|ldvae FOLDER SEED FACTORS

Reads FOLDER/counts.h5ad and writes FOLDER/programs.csv, genes x programs.
"""

import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

REPLICATES, OUTLIERS = (
    20,
    0.5,
)  # of cNMF; its guide starts at 20 to 100 replicates and density thresholds of .5 and below


def cnmf(file: Path, seed: int, factors: int) -> pd.DataFrame:
    """Gene scores of the consensus of factors (Kotliar 2019, doi 10.7554/eLife.43803), by which it ranks genes."""
    from cnmf import cNMF

    model = cNMF(output_dir=str(file.parent), name="run")
    genes = ad.read_h5ad(file, backed="r").n_vars
    model.prepare(
        str(file),
        components=[factors],
        n_iter=REPLICATES,
        seed=seed,
        num_highvar_genes=genes,
        beta_loss="kullback-leibler",
    )
    model.factorize(worker_i=0, total_workers=1)
    model.combine()
    model.consensus(k=factors, density_threshold=OUTLIERS, show_clustering=False)
    return model.load_results(K=factors, density_threshold=OUTLIERS)[1]


def ldvae(file: Path, seed: int, factors: int) -> pd.DataFrame:
    """Loadings of the linear decoder times the spread of the latents (Svensson 2020), trained as in the benchmark."""
    import scvi
    from scvi.model import LinearSCVI

    scvi.settings.seed = seed
    counts = ad.read_h5ad(file)
    LinearSCVI.setup_anndata(counts)
    model = LinearSCVI(counts, n_latent=factors, gene_likelihood="nb", use_observed_lib_size=True)
    model.train(accelerator="cpu", plan_kwargs={"lr": 5e-3})
    return model.get_loadings() * np.asarray(model.get_latent_representation()).std(axis=0)


if __name__ == "__main__":
    name, folder, seed, factors = sys.argv[1:]
    table = {"cnmf": cnmf, "ldvae": ldvae}[name](Path(folder) / "counts.h5ad", int(seed), int(factors))
    table.to_csv(Path(folder) / "programs.csv")
