"""ZiPo as a class: fit to counts, then denoise, embed, and score them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

import anndata as ad
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from zipo.datasets.counts import as_counts, check_cells_and_genes
from zipo.datasets.on_disk import on_disk, survey
from zipo.engine.batches import AnyCounts, Counts
from zipo.engine.checkpoints import Checkpoints
from zipo.engine.evaluation import Losses, gene_poisson_nll, losses
from zipo.engine.likelihoods import THETA_LIMIT
from zipo.engine.model import Network, Prediction
from zipo.engine.pruning import pruned
from zipo.engine.streamed import StreamedCounts
from zipo.engine.training import Training, train
from zipo.errors import InputError
from zipo.parameters import Parameters

T = TypeVar("T")


class ZiPo:
    """Zero-inflated Poisson autoencoder of single-cell counts (doi 10.1109/TCBBIO.2025.3572783).

    - `seed`: fixes the initial weights and the order of batches.
    - `device`: auto, cpu or cuda; auto takes a GPU where there is one.
    - `empty_cells`: refuse or keep cells without any counts.
    - `parameters`: any field of `zipo.parameters.Parameters`, by keyword.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        device: str = "auto",
        empty_cells: Literal["refuse", "keep"] = "refuse",
        **parameters,
    ):
        self.parameters = Parameters(**parameters)
        self.empty_cells = empty_cells
        self.seed = seed
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)

    def fit(
        self,
        training: ad.AnnData,
        validation: ad.AnnData,
        on_epoch: Callable[[int, float], None] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> "ZiPo":
        """Train on some cells until the loss on others stalls.

        Counts of an AnnData in backed mode, or of a view of one, stay on disk and are read as they are needed.
        Raises InputError if X holds anything but raw counts, or the genes of the two differ. Afterwards `network` is
        the trained network and `training` tells how it went. `on_epoch` is called after each epoch with its number,
        from 1, and its validation NLL; what it raises ends the training. With checkpoints a training that was cut off
        goes on where its latest stands, to the same numbers.
        """
        self.genes = training.var_names
        self.covariates = Covariates(training.obs, self.parameters.covariates)
        counts = self._counts(training, "training counts")
        held_out = self._counts(validation, "validation counts")
        library = float(np.median(counts.library_size.cpu()))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = Network(counts.genes, self.parameters, counts.covariates.shape[1], library).to(self.device)
        self.training: Training = train(self.network, counts, held_out, self.seed, on_epoch, checkpoints)
        self._trained_on = counts
        return self

    def losses(self, adata: ad.AnnData) -> Losses:
        """NLL, squared errors and penalties over these cells."""
        return losses(self.network, self._counts(adata, "counts"), self.parameters.batch_size)

    def gene_poisson_nll(self, adata: ad.AnnData) -> float:
        """NLL per entry of the trivial prediction for these cells: gene shares of the training cells times
        observed library sizes."""
        return gene_poisson_nll(self._trained_on, self._counts(adata, "counts"), self.parameters.batch_size)

    @contextmanager
    def pruned(self, threshold: float) -> Iterator[float]:
        """Within the context the first layer lacks the weights below threshold times their neuron's largest;
        gives the share of weights kept."""
        with pruned(self.network, threshold) as share:
            yield share

    def denoise(self, adata: ad.AnnData) -> np.ndarray:
        """Expected counts (1 - z) l mu, float32 (cells, genes)."""
        return self._predict(adata, lambda prediction: prediction.likelihood.mean)

    def rates(self, adata: ad.AnnData) -> np.ndarray:
        """Rates l mu, float32 (cells, genes): expected counts were nothing lost to zero inflation."""
        return self._predict(adata, lambda prediction: prediction.rates)

    def distribution(self, adata: ad.AnnData) -> dict[str, np.ndarray]:
        """The parameters of each count's likelihood, float32 (cells, genes): rates, zero_probability of the
        zero-inflated ones, and size of NB and ZINB."""
        parts = self._parts(adata, parameters_of)
        return {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}

    def latent(self, adata: ad.AnnData) -> np.ndarray:
        """Latent variables, float32 (cells, latents)."""
        return self._predict(adata, lambda prediction: prediction.latent)

    def _predict(self, adata: ad.AnnData, part: Callable[[Prediction], Tensor]) -> np.ndarray:
        return torch.cat(self._parts(adata, lambda prediction: part(prediction).cpu())).numpy()

    @torch.no_grad()
    def _parts(self, adata: ad.AnnData, part: Callable[[Prediction], T]) -> list[T]:
        """Some part of what the network says of each batch of cells."""
        self.network.eval()
        counts = self._counts(adata, "counts")
        return [part(self.network(batch)) for batch in counts.batches(self.parameters.batch_size)]

    def _counts(self, adata: ad.AnnData, place: str) -> AnyCounts:
        if not adata.var_names.equals(self.genes):
            raise InputError(f"{place}: the genes are not those of the training cells, in the same order")
        covariates = self.covariates.matrix(adata.obs)
        if (rows := on_disk(adata, place)) is not None:
            found = survey(rows, adata.obs_names, adata.var_names)
            check_cells_and_genes(adata, place, self.empty_cells, found.library)
            return StreamedCounts(rows, found, covariates, self.device)
        matrix = as_counts(adata.X, adata.obs_names, adata.var_names, place)
        check_cells_and_genes(adata, place, self.empty_cells)
        return Counts(matrix, covariates, self.device)


def parameters_of(prediction: Prediction) -> dict[str, Tensor]:
    """rates, zero_probability and size of a batch's likelihood, those that it has, on the CPU."""
    found = {"rates": prediction.rates}
    if prediction.zero_logits is not None:
        found["zero_probability"] = torch.sigmoid(prediction.zero_logits)
    if prediction.theta is not None:
        found["size"] = prediction.rates * torch.exp(-prediction.theta.clamp(-THETA_LIMIT, THETA_LIMIT))
    return {name: values.cpu() for name, values in found.items()}


class Covariates:
    """Known covariates as columns: categories one-hot, numbers standardised by the training cells."""

    def __init__(self, obs: pd.DataFrame, names: tuple[str, ...]):
        missing = [name for name in names if name not in obs]
        if missing:
            raise InputError(
                f"covariates: {missing[0]!r} is no column of obs; there are {', '.join(map(str, obs.columns))}"
            )
        self.levels: dict[str, list] = {}
        self.scales: dict[str, tuple[float, float]] = {}
        for name in names:
            column = obs[name]
            if column.isna().any():
                raise InputError(f"covariates: column {name!r} of obs has missing values")
            if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
                self.scales[name] = (float(column.mean()), float(column.std(ddof=0)) or 1.0)
            else:
                # a categorical column keeps the levels that the training cells happen to lack
                categorical = isinstance(column.dtype, pd.CategoricalDtype)
                self.levels[name] = list(column.cat.categories) if categorical else sorted(column.unique())

    def matrix(self, obs: pd.DataFrame) -> np.ndarray:
        """The covariates of these cells, (cells, columns)."""
        columns = [np.zeros((len(obs), 0))]
        for name, (mean, deviation) in self.scales.items():
            columns.append(((obs[name].to_numpy(float) - mean) / deviation)[:, None])
        for name, levels in self.levels.items():
            unknown = set(obs[name].unique()) - set(levels)
            if unknown:
                raise InputError(f"covariates: {name!r} has the level {min(unknown)!r}, which training did not see")
            columns.append(np.stack([obs[name] == level for level in levels], axis=1).astype(float))
        return np.concatenate(columns, axis=1)
