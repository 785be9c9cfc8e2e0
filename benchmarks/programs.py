"""Gene programs of ZiPo and of its peers: do they find the markers of cell types, and do they come back in other seeds?

    python benchmarks/programs.py DATA.h5ad [...] [--methods NAME ...] [--set NAME=VALUE ...] [--python NAME=PYTHON ...]

DATA.h5ad is as the study prepares it: counts, obs["cell_type"], and the markers of the catalogue in uns. Every method
gives contributions of genes to programs, for as many seeds as --seeds says. Printed are, for each,

- types: how many of the cell types with 20 cells and more, and markers among the genes, lead a program: their markers
  are its set of the lowest p-value, with q < .01 over all programs and sets, and at least half of them are among its
  first 30 genes; mean over the seeds;
- shared: of the first 20 genes, the median share that matched programs have in common, mean over pairs of seeds;
- similarity: the median cosine of matched programs.

A direction whose sign means nothing counts as two programs, one for each end (PCA, LDVAE); those of ZiPo count as
`zipo programs` gives them, by their active end. The more programs, the more tests are corrected for. cNMF and LDVAE run
with a Python of their own that --python names (`programs_peer.py`). Seeds change what a method draws and not the cells:
of PCA, and of NMF that starts from an SVD (`nmf`), they change next to nothing.
"""

import argparse
import itertools
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
FACTORS = 20  # of methods that have to be told: as many as PCA has by default
PRESETS = {"zipo": "denoise", "zipo_programs": "programs", "zipo_fast": "fast", "zipo_paper": "paper"}
PEERS = ("cnmf", "ldvae")
METHODS = (*PRESETS, "nmf", "nmf_random", "pca", *PEERS)
FEWEST_CELLS, FIRST, LARGEST_Q = 20, 30, 0.01


def zipo(data: ad.AnnData, seed: int, preset: str, parameters: dict) -> np.ndarray:
    """(G, P) contributions of ZiPo's programs."""
    from zipo.model.estimator import ZiPo
    from zipo.model.programs.contributions import contributions

    counts = ad.AnnData(data.X, obs=data.obs[[]], var=data.var[[]])
    return contributions(ZiPo.for_data(counts, preset, seed=seed, **parameters).fit(counts), counts).contribution


def nmf(data: ad.AnnData, seed: int, init: str) -> np.ndarray:
    """(G, P) share of each gene's expected counts that a factor explains; loadings alone put a few genes first."""
    from sklearn.decomposition import NMF

    options = {"solver": "mu", "beta_loss": "kullback-leibler", "max_iter": 200, "random_state": seed}
    model = NMF(FACTORS, init=init, **options)
    amounts = model.fit_transform(data.X.toarray()).sum(axis=0)[:, None] * model.components_
    return (amounts / np.maximum(amounts.sum(axis=0), 1e-12)).T


def pca(data: ad.AnnData, seed: int) -> np.ndarray:
    """(G, 2 P) both ends of the loadings of the components of log counts."""
    from sklearn.decomposition import PCA

    from zipo.methods.shared.library import normalised

    loadings = PCA(FACTORS, svd_solver="randomized", random_state=seed).fit(np.log1p(normalised(data.X))).components_.T
    return both_ends(loadings)


def peer(name: str, python: str, data: ad.AnnData, seed: int) -> np.ndarray:
    """(G, P) of a peer in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        ad.AnnData(data.X, obs=data.obs[[]], var=data.var[[]]).write_h5ad(f"{folder}/counts.h5ad")
        command = [python, str(HERE / "programs_peer.py"), name, folder, str(seed), str(FACTORS)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        table = pd.read_csv(f"{folder}/programs.csv", index_col=0).reindex(data.var_names, fill_value=0.0)
    return both_ends(table.to_numpy()) if name == "ldvae" else table.to_numpy()


def both_ends(loadings: np.ndarray) -> np.ndarray:
    """(G, 2 P) a program for each end of a direction."""
    return np.concatenate([loadings, -loadings], axis=1)


def markers_of(data: ad.AnnData) -> dict[str, list[str]]:
    """The markers of the types with enough cells, as far as they are among the genes."""
    cells = data.obs["cell_type"].value_counts() if "cell_type" in data.obs else {}
    known = {
        name: [gene for gene in genes if gene in data.var_names] for name, genes in data.uns.get("markers", {}).items()
    }
    return {name: genes for name, genes in known.items() if genes and cells.get(name, 0) >= FEWEST_CELLS}


def led(contribution: np.ndarray, genes: pd.Index, markers: dict[str, list[str]]) -> list[str]:
    """The types whose markers lead a program."""
    from zipo.model.programs.gene_sets import over_representation

    leading = {}
    for program, column in enumerate(contribution.T):
        order = np.argsort(-column, kind="stable")[:FIRST]
        leading[str(program)] = list(genes[order[column[order] > 0]])
    table = over_representation({name: first for name, first in leading.items() if first}, markers, list(genes))
    best = table[table["p_value"] == table.groupby("program")["p_value"].transform("min")]
    best = best[(best["q_value"] < LARGEST_Q) & (best["shared"] >= best["size"] / 2)]
    return sorted(best["set"].unique())


def scores(by_seed: list[np.ndarray], genes: pd.Index, markers: dict[str, list[str]]) -> dict:
    """A row of the report."""
    from zipo.model.programs.matching import matched, shares_of_first

    shared, similarity = [], []
    for one, other in itertools.permutations(by_seed, 2):
        partners, cosine = matched(one, other)
        has_partner = partners >= 0
        shared.append(np.median(shares_of_first(one, other, partners)[has_partner]))
        similarity.append(np.median(cosine[has_partner]))
    types = [led(each, genes, markers) for each in by_seed]
    return {
        "programs": round(float(np.mean([each.shape[1] for each in by_seed]))),
        "types": float(np.mean([len(each) for each in types])) if markers else None,
        "of": len(markers),
        "missed": sorted(set(markers) - set(types[0]).union(*types)),
        "shared": float(np.mean(shared)) if shared else None,
        "similarity": float(np.mean(similarity)) if similarity else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*PRESETS, "nmf", "nmf_random", "pca"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="parameters of ZiPo")
    parser.add_argument("--python", nargs="+", default=[], metavar="NAME=PYTHON", help="of cnmf and ldvae")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    arguments = parser.parse_args()
    parameters = dict(each.split("=", 1) for each in arguments.set)
    pythons = dict(each.split("=", 1) for each in arguments.python)
    run: dict[str, Callable[[ad.AnnData, int], np.ndarray]] = {
        **{
            name: lambda data, seed, preset=preset: zipo(data, seed, preset, parameters)
            for name, preset in PRESETS.items()
        },
        "nmf": lambda data, seed: nmf(data, seed, "nndsvdar"),
        "nmf_random": lambda data, seed: nmf(data, seed, "random"),
        "pca": pca,
        **{name: lambda data, seed, name=name: peer(name, pythons[name], data, seed) for name in pythons},
    }
    rows = []
    for file in arguments.data:
        data = ad.read_h5ad(file)
        for name in arguments.methods:
            if name not in run:
                raise SystemExit(f"{name}: give its Python by --python {name}=PYTHON")
            by_seed = [run[name](data, seed) for seed in range(1, arguments.seeds + 1)]
            rows.append({"data": file.stem, "method": name, **scores(by_seed, data.var_names, markers_of(data))})
            print(json.dumps(rows[-1]), flush=True)
    print(pd.DataFrame(rows).to_string(index=False))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
