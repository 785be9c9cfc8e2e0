"""ZiPo as a class: fit to counts, then denoise, embed, and score them."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import anndata as ad
import numpy as np
import pandas as pd
import torch
from torch import Tensor

from zipo.datasets.counts import as_counts, check_cells_and_genes, plain_names
from zipo.datasets.formats.count_layers import layers_with_counts, pointing_to_counts
from zipo.datasets.formats.features import warn_of_others
from zipo.datasets.on_disk import on_disk, some_cells, survey
from zipo.datasets.raw_counts import check_anndata, counts_of, same_names
from zipo.engine.batches import AnyCounts, Counts
from zipo.engine.checkpoints import Checkpoints
from zipo.engine.devices import device_named
from zipo.engine.evaluation import Losses, gene_poisson_nll, losses
from zipo.engine.factor_model import fit_prior
from zipo.engine.gene_totals import fit_gene_totals, start_at_gene_means
from zipo.engine.model import Network
from zipo.engine.prediction import Prediction
from zipo.engine.pruning import pruned
from zipo.engine.streamed import StreamedCounts
from zipo.engine.switches import engine_switches
from zipo.engine.training import Training, train
from zipo.engine.uncertainty import Uncertainty
from zipo.model import saved
from zipo.model.arguments import check_batch, check_standard_errors, check_zero_inflation, checked_parameters, seed_of
from zipo.model.covariates import Covariates
from zipo.model.plausibility import CELLS, Plausibility
from zipo.model.predictions import stacked
from zipo.model.split import split
from zipo.presets import DEFAULT, parameters_for
from zipo.shared.errors import InputError, NotFitted

TRAINED = ("network", "training", "genes", "covariates", "gene_totals")  # attributes that a training sets


class ZiPo:
    """Zero-inflated Poisson autoencoder of single-cell counts (doi 10.1109/TCBBIO.2025.3572783).

    - `seed`: fixes the initial weights, the order of batches, and the cells kept for validation.
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
        **parameters: Any,
    ) -> None:
        self.parameters = checked_parameters(parameters)
        if empty_cells not in ("refuse", "keep"):
            raise InputError(f"empty_cells {empty_cells!r}: refuse or keep is expected")
        self.empty_cells = empty_cells
        self.seed = seed_of(seed)
        self.device = device_named(device)
        self.preset: str | None = None

    def __getattr__(self, name: str) -> Any:
        if name in TRAINED:
            raise NotFitted(f"{name}: this model is not fitted yet; call its fit, or ZiPo.load one that was saved")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @classmethod
    def for_data(cls, adata: ad.AnnData, preset: str = DEFAULT, **settings: Any) -> "ZiPo":
        """A model with the parameters that a preset names for so many cells and genes.

        - `preset`: denoise, fast, paper or programs; see `zipo.presets.parameters_for`. The model keeps it as `preset`.
        - `settings`: as of ZiPo; they go before those of the preset.
        """
        check_anndata(adata, "counts")
        try:
            defaults = parameters_for(preset, adata.n_obs, adata.n_vars, settings)
        except ValueError as error:
            raise InputError(str(error)) from None
        model = cls(**defaults | settings)
        model.preset = preset
        return model

    def fit(
        self,
        adata: ad.AnnData,
        validation: ad.AnnData | None = None,
        on_epoch: Callable[[int, float], None] | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> "ZiPo":
        """Train on some cells until the loss on others stalls.

        Without validation cells the seed chooses them among `adata`: `validation_share` of them, which are then not
        trained on. Counts of an AnnData in backed mode, or of a view of one, stay on disk and are read as they are
        needed. Raises InputError if X holds anything but raw counts, the genes of the two differ, or there are too few
        cells. Afterwards `network` is the trained network and `training` its record. `on_epoch` is called after
        each epoch with its number, from 1, and its validation NLL; what it raises ends the training. With checkpoints
        a training that was cut off goes on where its latest stands, to the same numbers. Until it is trained, and
        where that fails or is interrupted, the model is as it was before.
        """
        counts = counts_of(adata, "training counts")
        warn_of_others(adata)
        covariates = Covariates(counts.obs, self.parameters.covariates)
        trained = copy(self)
        with pointing_to_counts(lambda: layers_with_counts(adata)):
            trained.train_from(self.fresh_network, covariates, counts, validation, on_epoch, checkpoints)
        vars(self).update({name: getattr(trained, name) for name in TRAINED})
        return self

    @engine_switches()
    def train_from(
        self,
        start: Callable[[AnyCounts], Network],
        covariates: Covariates,
        adata: ad.AnnData,
        validation: ad.AnnData | None,
        on_epoch: Callable[[int, float], None] | None,
        checkpoints: Checkpoints | None,
    ) -> None:
        """Train on `adata`, with these covariates; `start` makes the network for the training counts."""
        self.genes, self.covariates = plain_names(adata.var_names), covariates
        if validation is None:
            parts = split(adata.n_obs, self.seed, self.parameters.validation_share, test_share=0)
            adata, validation = some_cells(adata, parts.training), some_cells(adata, parts.validation)
        if adata.n_obs < 2:
            raise InputError(f"training counts: {adata.n_obs} cell is too few to learn from; at least 2 must train")
        counts = self._counts(adata, "training counts")
        held_out = self._counts(validation, "validation counts")
        self.network = start(counts)
        if self.network.latent_prior is not None:
            self.network.latent_prior.fitted.fill_(False)  # of a network that was refined: its training is of guesses
        self.training: Training = train(self.network, counts, held_out, self.seed, on_epoch, checkpoints)
        if not self.training.diverged:
            if self.parameters.gene_totals == "fitted":
                fit_gene_totals(self.network, [counts, held_out])
            if self.parameters.inference == "refined":
                fit_prior(self.network, [counts, held_out], self.seed)
        self.gene_totals = counts.gene_totals()

    def fresh_network(self, counts: AnyCounts) -> Network:
        """An untrained network for such counts, its weights fixed by the seed."""
        library = float(np.median(counts.library_size.cpu()))
        covariates = counts.covariates.shape[1]
        network = Network(counts.genes, self.parameters, covariates, library, self.seed).to(self.device)
        start_at_gene_means(network, counts)
        return network

    def save(self, folder: Path) -> None:
        """Save the trained model in a folder, which appears complete or not at all; an earlier model there is replaced.

        Raises InputError if the folder cannot be written, or holds anything else.
        """
        saved.save(self, folder)

    @staticmethod
    @engine_switches()
    def load(folder: Path, device: str = "auto") -> "ZiPo":
        """Load the model saved in a folder; nothing in it is executed.

        Raises InputError for a folder or file that is missing, for damage, and for a model written by a newer zipo.
        """
        contents = saved.read(folder)
        settings, tensors = contents.settings, contents.tensors
        empty_cells, parameters = settings["empty_cells"], settings["parameters"]
        model = ZiPo(seed=settings["seed"], device=device, empty_cells=empty_cells, **parameters)
        model.preset = settings.get("preset")  # models of earlier versions have none
        model.genes = pd.Index(settings["genes"], dtype=object)
        model.covariates = Covariates.from_state(settings["covariates"])
        model.training = Training(**settings["training"])
        model.gene_totals = tensors.pop(saved.GENE_TOTALS).to(model.device)
        columns = len(model.covariates.columns)
        network = Network(len(model.genes), model.parameters, columns, settings["median_library"])
        try:
            network.load_state_dict(tensors)
        except RuntimeError as error:
            raise saved.other_tensors(folder) from error
        model.network = network.to(model.device)
        return model

    def loss(self, adata: ad.AnnData) -> float:
        """Negative log-likelihood of these counts in nats per entry, without penalties."""
        return self.losses(adata).nll

    def losses(self, adata: ad.AnnData) -> Losses:
        """NLL, squared errors and penalties over these cells."""
        with engine_switches():
            return losses(self.network, self._counts(adata, "counts"), self.network.cells_at_once)

    def gene_poisson_nll(self, adata: ad.AnnData) -> float:
        """NLL per entry of the trivial prediction for these cells: gene shares of the training cells times
        observed library sizes."""
        with engine_switches():
            return gene_poisson_nll(self.gene_totals, self._counts(adata, "counts"), self.network.cells_at_once)

    @contextmanager
    def pruned(self, threshold: float) -> Iterator[float]:
        """Context in which first-layer weights below threshold times their neuron's largest are zero.

        It gives the share of weights that remain.
        """
        if not (isinstance(threshold, Real) and 0 <= threshold <= 1):
            raise InputError(f"threshold {threshold!r}: a share of each neuron's largest weight, 0 to 1, is expected")
        with pruned(self.network, float(threshold)) as share:
            yield share

    @engine_switches(gradients=False)
    def check(self, adata: ad.AnnData) -> Plausibility:
        """How the expected counts of these cells agree with what was counted in them; see `Plausibility`.

        All cells are looked at, or 10,000 drawn at random by the model's seed.
        """
        adata = counts_of(adata, "counts")
        if adata.n_obs > CELLS:
            chosen = np.random.default_rng(self.seed).choice(adata.n_obs, CELLS, replace=False)
            adata = some_cells(adata, np.sort(chosen))
        counts = self._counts(adata, "counts")
        self.network.eval()
        batches = counts.batches(self.network.cells_at_once)
        sums = torch.cat([self.network(batch).denoised.sum(dim=1) for batch in batches]).double().cpu().numpy()
        library = counts.library_size.flatten().double().cpu().numpy()
        ratios = (sums / library.clip(min=1))[library > 0]
        values = losses(self.network, counts, self.network.cells_at_once)
        return Plausibility(
            cells=counts.cells,
            total_ratio=float(sums.sum() / library.sum()) if library.any() else math.nan,
            cell_ratio=tuple(np.quantile(ratios, [0.05, 0.5, 0.95]).tolist()) if len(ratios) else (math.nan,) * 3,
            nll=values.nll,
            gene_poisson_nll=gene_poisson_nll(self.gene_totals, counts, self.network.cells_at_once),
            mean_zero_probability=values.mean_zero_probability,
            zero_share=1 - counts.gene_cells().mean().item() / counts.cells,
        )

    def denoise(self, adata: ad.AnnData, batch: Mapping[str, Any] | None = None) -> np.ndarray:
        """Expected counts, float32 (cells, genes): means (1 - z) l mu of the likelihood or, where `denoised` is
        posterior, expectations given the cell's own count of the gene as well.

        `batch` names a value for some of the covariates, {"donor": "A"}, that the decoder and the library network then
        take for every cell's own: as if all had been measured there. Latents are of the cells as they are.
        """
        return self._predict(adata, lambda prediction: prediction.denoised, batch)

    def rates(self, adata: ad.AnnData) -> np.ndarray:
        """Rates l mu, float32 (cells, genes): expected counts were nothing lost to zero inflation."""
        return self._predict(adata, lambda prediction: prediction.rates)

    def latent(self, adata: ad.AnnData) -> np.ndarray:
        """Latent variables, float32 (cells, latents)."""
        return self._predict(adata, lambda prediction: prediction.latent)

    def denoised_se(self, adata: ad.AnnData, batch: Mapping[str, Any] | None = None) -> np.ndarray:
        """Standard errors of `denoise`, float32 (cells, genes). InputError unless `inference` is refined."""
        check_standard_errors(self.parameters)
        return self._predict(adata, lambda prediction: Uncertainty(self.network, prediction).denoised, batch)

    def latent_se(self, adata: ad.AnnData) -> np.ndarray:
        """Standard errors of `latent`, float32 (cells, latents). InputError unless `inference` is refined."""
        check_standard_errors(self.parameters)
        return self._predict(adata, lambda prediction: Uncertainty(self.network, prediction).latent)

    def library_size(self, adata: ad.AnnData) -> np.ndarray:
        """Library sizes l in counts, float32 (cells,): predicted, or observed where the setting has it so."""
        return self._predict(adata, lambda prediction: prediction.library_size)

    def zero_probability(self, adata: ad.AnnData) -> np.ndarray:
        """Probabilities z that a count was lost to zero inflation, float32 (cells, genes).

        Raises InputError for likelihoods without zero inflation.
        """
        check_zero_inflation(self.parameters)
        return self._predict(adata, lambda prediction: prediction.likelihood.parameters["zero_probability"])

    def distribution(self, adata: ad.AnnData) -> dict[str, np.ndarray]:
        """The parameters of each count's likelihood, float32 (cells, genes): rates, zero_probability of the
        zero-inflated ones, and an extra parameter by its own name, such as size of NB and ZINB."""
        return self._arrays(adata, lambda prediction: prediction.likelihood.parameters)

    def sample(self, adata: ad.AnnData, seed: int = 1) -> np.ndarray:
        """Counts drawn once for every entry from its likelihood, float32 (cells, genes): as the model expects another
        measurement of the same cells to look."""
        generator = torch.Generator(self.device).manual_seed(seed_of(seed))
        return self._predict(adata, lambda prediction: prediction.likelihood.sample(generator))

    def predictions(self, adata: ad.AnnData, batch: Mapping[str, Any] | None = None) -> Iterator[Prediction]:
        """The network's outputs for each batch of cells, in their order, one at a time; `batch` as in `denoise`."""
        check_batch(batch)
        self.network.eval()
        adata = counts_of(adata, "counts")
        batches = self._counts(adata, "counts").batches(self.network.cells_at_once)
        given = None
        if batch:
            values = self.covariates.matrix(self.covariates.with_values(adata.obs, batch))
            given = torch.as_tensor(values, dtype=torch.float32, device=self.device)
        done = 0
        while True:
            with engine_switches(gradients=False):  # between two batches the caller's own hold
                cells = next(batches, None)
                if cells is None:
                    return
                prediction = self.network(cells, None if given is None else given[done : done + cells.cells])
                done += cells.cells
            yield prediction

    def _predict(
        self,
        adata: ad.AnnData,
        values_of: Callable[[Prediction], Tensor],
        batch: Mapping[str, Any] | None = None,
    ) -> np.ndarray:
        """Values (cells, ...) that are computed from the prediction for each batch of cells."""
        return self._arrays(adata, lambda prediction: {"values": values_of(prediction)}, batch)["values"]

    def _arrays(
        self,
        adata: ad.AnnData,
        values_of: Callable[[Prediction], Mapping[str, Tensor]],
        batch: Mapping[str, Any] | None = None,
    ) -> dict[str, np.ndarray]:
        """Named values (cells, ...) that are computed from the prediction for each batch of cells."""
        check_anndata(adata, "counts")
        return stacked(map(engine_switches(gradients=False)(values_of), self.predictions(adata, batch)), adata.n_obs)

    @engine_switches()
    def _counts(self, adata: ad.AnnData, place: str) -> AnyCounts:
        """The counts, checked, with the covariates of the cells."""
        original, adata = adata, counts_of(adata, place)
        if not same_names(adata.var_names, self.genes):
            raise InputError(
                f"{place}: the genes are not those of the training cells, in the same order; match them by name, "
                "zipo.fine_tuning.aligned(adata, model.genes), where none is missing, or with_shared_genes before"
            )
        covariates = self.covariates.matrix(adata.obs)
        with pointing_to_counts(lambda: layers_with_counts(original)):
            if (rows := on_disk(adata, place)) is not None:
                totals = survey(rows, adata.obs_names, adata.var_names)
                check_cells_and_genes(adata, place, self.empty_cells, totals.library)
                return StreamedCounts(rows, totals, covariates, self.device)
            matrix = as_counts(adata.X, adata.obs_names, adata.var_names, place)
            check_cells_and_genes(adata, place, self.empty_cells, np.asarray(matrix.sum(axis=1)).ravel())
        return Counts(matrix, covariates, self.device)
