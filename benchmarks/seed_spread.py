"""How much denoised genes differ from seed to seed: means within known types of models that differ in nothing else.

    python benchmarks/seed_spread.py COUNTS.h5ad [--preset denoise paper] [--seeds 1 2 3] [--gene MAFA --type beta]

Trains each preset once with each seed and takes the mean denoised value of each gene within each type. Over the seeds
it has a coefficient of variation (standard deviation, of n - 1, by mean), which is printed as its median and 90 %
quantile over the genes of all types, and for one gene and type by name. Types of few cells, and genes of few molecules
in a type, are left out by the bounds of the metric `gene_totals`.
"""

import argparse
import json
import time
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from zipo.metrics import gene_totals
from zipo.presets import PRESETS


def type_means(denoised: np.ndarray, types: np.ndarray) -> pd.DataFrame:
    """Mean of each column over the cells of each type that has enough of them, (types, genes)."""
    names, sizes = np.unique(types[types != ""], return_counts=True)
    enough = names[sizes >= gene_totals.CELLS]
    return pd.DataFrame([denoised[types == name].mean(axis=0, dtype=np.float64) for name in enough], index=enough)


def variation(means: list[np.ndarray]) -> np.ndarray:
    """Coefficient of variation over seeds of means within types, (types, genes) each; 0 where all are 0."""
    stacked = np.stack(means)
    mean = stacked.mean(axis=0)
    return np.divide(stacked.std(axis=0, ddof=1), mean, out=np.zeros_like(mean), where=mean > 0)


def spread(data: ad.AnnData, preset: str, seeds: list[int], gene: str, cell_type: str) -> dict:
    """Train with each seed; a row of the report."""
    from zipo.model.estimator import ZiPo

    types = data.obs["cell_type"].astype(object).fillna("").to_numpy().astype(str)
    mean_counts = type_means(data.X.toarray(), types)
    molecules = mean_counts.mul([np.sum(types == name) for name in mean_counts.index], axis=0)
    started = time.perf_counter()
    means = []
    for seed in seeds:
        model = ZiPo.for_data(data, preset, seed=seed, device="cpu").fit(data)
        means.append(type_means(model.denoise(data), types).to_numpy())
    by_gene = pd.DataFrame(variation(means), index=molecules.index, columns=data.var_names)
    compared = by_gene.to_numpy()[molecules.to_numpy() >= gene_totals.MOLECULES]
    row = {"preset": preset, "seeds": seeds, "genes": len(compared), "seconds": time.perf_counter() - started}
    row |= {"median": float(np.median(compared)), "quantile_90": float(np.quantile(compared, 0.9))}
    if gene in by_gene.columns and cell_type in by_gene.index:
        place = by_gene.index.get_loc(cell_type), by_gene.columns.get_loc(gene)
        row["named"] = {"variation": float(by_gene.iloc[place]), "means": [float(part[place]) for part in means]}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("counts", type=Path, help='raw counts as prepared by the study, with obs["cell_type"]')
    parser.add_argument("--preset", nargs="+", choices=PRESETS, default=["denoise", "paper"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], help="two or more")
    parser.add_argument("--gene", default="MAFA", help="a gene that is reported by name, if the counts have it")
    parser.add_argument("--type", default="beta", help="the type in which it is")
    parser.add_argument("--json", type=Path, help="write the rows there, too")
    options = parser.parse_args()
    if len(options.seeds) < 2:
        parser.error("--seeds: two or more are expected, since one has no spread")
    data = ad.read_h5ad(options.counts)
    print(f"{options.counts.stem}: {data.n_obs} cells x {data.n_vars} genes; means within types vary over seeds by")
    rows = []
    for preset in options.preset:
        rows.append(spread(data, preset, options.seeds, options.gene, options.type))
        row = rows[-1]
        print(f"  {preset:8} {row['seconds']:6.0f} s, {row['genes']} genes of types: ", end="")
        print(f"median {row['median']:.1%}, 90 % quantile {row['quantile_90']:.1%}", end="")
        if named := row.get("named"):
            values = ", ".join(f"{value:.3g}" for value in named["means"])
            print(f"; {options.gene} in {options.type} {named['variation']:.1%} ({values})", end="")
        print(flush=True)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
