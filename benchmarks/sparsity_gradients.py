"""How large the penalty's gradient is beside the noise of the likelihood's, in networks that a study trained.

`python benchmarks/sparsity.py results/sparsity` takes it from here for docs/sparsity/gradients.tsv.
"""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from zipo.datasets import filters
from zipo.datasets.catalogue import Filters
from zipo.engine.batches import AnyCounts, Counts
from zipo.engine.gene_totals import start_at_gene_means
from zipo.engine.loss import TermWeights, entry_terms
from zipo.engine.model import Network
from zipo.model.estimator import ZiPo
from zipo.model.split import split
from zipo.parameters import Parameters, ParameterValues
from zipo.shared.validation import check
from zipo.shared.yaml_files import read_yaml
from zipo.study.config import DATASETS

CATALOGUE = Path(__file__).parents[1] / "config" / "datasets.yaml"
BATCHES, BATCHES_BY_SIZE = 40, 8
# most variable genes, all that three cells have if None; encoder; cells of a batch
SIZES = (
    (500, "64-16", 64),
    (500, "64-16", 256),
    (500, "1024-16", 64),
    (None, "64-16", 64),
    (None, "2048-1024-512-256-128", 256),
)
PARAMETERS = [name for name in ParameterValues.model_fields if name != "covariates"]  # of which there are none


def pull(weights: Tensor, alpha_w: float) -> Tensor:
    """(neurons,) size of the penalty's gradient by a small weight, which points to zero; weights (genes, neurons)."""
    return alpha_w / (weights.numel() * weights.square().mean(dim=0).sqrt())


def noise(network: Network, counts: AnyCounts, batches: int) -> Tensor:
    """(genes, neurons) standard deviation over mini-batches of the gradient of the loss without that penalty.

    Batch norms see each batch as in training, and keep their statistics.
    """
    weight, generator = network.encoder.first.weight, torch.Generator().manual_seed(1)
    statistics = {name: each.clone() for name, each in network.state_dict().items() if "running_" in name}
    network.train()
    network.kernels = False  # with which the gradient is never made
    mean, squares, done = torch.zeros_like(weight.data), torch.zeros_like(weight.data), 0  # by Welford's updates
    while done < batches:
        for batch in counts.batches(network.hyper.batch_size, counts.order(generator)):
            if done < batches and batch.cells == network.hyper.batch_size:
                network.zero_grad()
                entry_terms(network(batch), batch, TermWeights.of(network.hyper, batch), use_kernel=False)[0].backward()
                assert weight.grad is not None
                done += 1
                difference = weight.grad - mean
                mean += difference / done
                squares += difference * (weight.grad - mean)
    network.kernels = True
    network.zero_grad()
    network.load_state_dict(statistics, strict=False)
    return (squares / (done - 1)).sqrt().detach()


def measure(results: Path, runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each penalty among these runs of the study in `results`, which is trained again with the first seed.

    Medians over the weights of neurons that the likelihood still moves, those whose noise is larger than the penalty's
    gradient: the others are `silent`, a share. `steps_per_rate` are those that the plateau rule spends on a learning
    rate without a gain, and `largest` the median of the neurons' largest weights.
    """
    rows = []
    for run in runs[(runs["seed"] == 1) & (runs["alpha_w"] > 0)].sort_values(["dataset", "alpha_w"]).to_dict("records"):
        adata = ad.read_h5ad(results / "data" / f"{run['dataset']}.h5ad")
        model = ZiPo(seed=1, device="cpu", empty_cells="keep", **{name: run[name] for name in PARAMETERS})
        parts = split(adata.n_obs, 1, model.parameters.validation_share, model.parameters.test_share)
        training = adata[parts.training]
        model.fit(training, adata[parts.validation])
        rows.append({"dataset": run["dataset"], "alpha_w": run["alpha_w"]} | summary(model, training))
    return pd.DataFrame(rows)


def summary(model: ZiPo, training: ad.AnnData) -> dict[str, float]:
    """The numbers of a row, of a trained model and the counts that it was trained on."""
    counts = Counts(training.X, np.zeros((training.n_obs, 0)), torch.device("cpu"))
    weights, p = model.network.encoder.first.weight.detach(), model.parameters
    size, spread = pull(weights, p.alpha_w), noise(model.network, counts, BATCHES)
    moved = spread.square().mean(dim=0).sqrt() > size
    some = moved if moved.any() else ~moved
    ratio = size[some] / spread[:, some].clamp(min=1e-30)
    return {
        "rate": model.training.history[model.training.best_epoch - 1]["learning_rate"],
        "penalty": float(f"{size[some].median().item():.3g}"),
        "noise": float(f"{spread[:, some].median().item():.3g}"),
        "ratio": float(f"{ratio.median().item():.3g}"),
        "silent": float(f"{1 - moved.float().mean().item():.3g}"),
        "largest": float(f"{weights.abs().amax(dim=0).median().item():.3g}"),
        "steps_per_rate": (p.plateau_patience + 1) * -(-training.n_obs // p.batch_size),
    }


def by_size(downloads: Path) -> pd.DataFrame:
    """A row for networks of several sizes before any training, on the cells of Baron and on some of its genes or all.

    Medians over the weights; the last is of the paper's sizes, but for the genes.
    """
    cells, _ = check(DATASETS, read_yaml(CATALOGUE), str(CATALOGUE))["baron"].source.read(downloads)
    rows = []
    for most_variable, encoder, batch_size in SIZES:
        adata = filters.apply(cells.copy(), Filters(min_cells=3, most_variable=most_variable))
        counts = Counts(adata.X, np.zeros((adata.n_obs, 0)), torch.device("cpu"))
        p = Parameters(encoder=encoder, batch_size=batch_size)
        network = Network(counts.genes, p, median_library=counts.library_size.median().item(), seed=1)
        start_at_gene_means(network, counts)
        size = pull(network.encoder.first.weight.detach(), p.alpha_w)
        ratio = size / noise(network, counts, BATCHES_BY_SIZE).clamp(min=1e-30)
        row = {"genes": counts.genes, "neurons": p.encoder_widths[0], "batch_size": batch_size}
        rows.append(row | {"encoder": encoder, "ratio": float(f"{ratio.flatten().nanmedian().item():.3g}")})
    return pd.DataFrame(rows)
