"""Whether clusters that disagree with known types are those of batches, and whether knowing the batch mends it.

    python benchmarks/batch_clusters.py COUNTS.h5ad [--seeds 1 2 3]

Compared are counts, and denoised counts and latents of the preset `denoise`, as it is and with the batch as a covariate
(denoised counts then as if all cells were of one batch).

Clusters are those of the benchmark (`zipo.shared.embedding`): of Leiden, at the resolution nearest to the types.
Agreement (ARI) is given with the types of all cells, with the types among the cells of each batch, in the mean, and
with the batches among the cells of the largest type. Clusters that part a type's batches lower the first alone.
"""

import argparse
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

COLUMNS = {
    "types": "ARI with types",
    "types_within_batches": "with types, within batches",
    "batches_within_type": "with batches, within the largest type",
}


def agreement(clusters: np.ndarray, types: np.ndarray, batches: np.ndarray) -> dict[str, float]:
    """ARI of clusters with types, with types within batches, and with batches within the largest type."""
    from sklearn.metrics import adjusted_rand_score

    names, sizes = np.unique(types, return_counts=True)
    largest = types == names[np.argmax(sizes)]
    members = [batches == name for name in np.unique(batches)]
    by_batch = [adjusted_rand_score(types[cells], clusters[cells]) for cells in members]
    return {
        "types": adjusted_rand_score(types, clusters),
        "types_within_batches": float(np.mean(by_batch)),
        "batches_within_type": adjusted_rand_score(batches[largest], clusters[largest]),
    }


def representations(data: ad.AnnData, seed: int) -> dict[str, np.ndarray]:
    """Coordinates of the cells, (cells, dimensions) each, in which clusters are sought, by name."""
    from zipo.metrics.shared.components import COMPONENTS, principal_components
    from zipo.model.estimator import ZiPo

    plain = ZiPo.for_data(data, seed=seed, device="cpu").fit(data)
    informed = ZiPo.for_data(data, seed=seed, device="cpu", covariates=["batch"]).fit(data)
    counts = {
        "counts": data.X,
        "denoised": plain.denoise(data),
        "denoised, to one batch": informed.denoise(data, {"batch": data.obs["batch"].iloc[0]}),
    }
    coordinates = {name: principal_components(each, COMPONENTS, seed) for name, each in counts.items()}
    return coordinates | {"latents": plain.latent(data), "latents, batch known": informed.latent(data)}


def compared(data: ad.AnnData, seed: int) -> pd.DataFrame:
    """A row for each representation of the cells: the number of clusters, and what they agree with."""
    from zipo.shared.embedding import nearest_clusters

    types, batches = (data.obs[name].astype(str).to_numpy() for name in ("cell_type", "batch"))
    rows = []
    for name, each in representations(data, seed).items():
        clusters, _ = nearest_clusters(each.astype(np.float32), types, seed)
        rows.append({"of": name, "clusters": len(np.unique(clusters)), **agreement(clusters, types, batches)})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("counts", type=Path, help='raw counts with obs["cell_type"] and obs["batch"]')
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    options = parser.parse_args()
    data = ad.read_h5ad(options.counts)
    table = pd.concat([compared(data, seed).assign(seed=seed) for seed in options.seeds])
    means = table.drop(columns="seed").groupby("of", sort=False).mean()
    print(means.rename(columns=COLUMNS).round(3).to_string())


if __name__ == "__main__":
    main()
