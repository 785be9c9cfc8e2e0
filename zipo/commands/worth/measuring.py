"""Splits the molecules, trains on nine tenths of them and of permuted counts, and measures what each predicts."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.commands.worth.by_gene import shrunk
from zipo.commands.worth.estimates import Estimate, ratio
from zipo.commands.worth.held_out import Deviances, deviances, molecules
from zipo.commands.worth.names import ZIPO
from zipo.commands.worth.permuted import library_groups, permuted_counts
from zipo.commands.worth.verdicts import judgements
from zipo.commands.worth.worth import Worth
from zipo.commands.zeros import EXPECTED, OBSERVED, zero_shares
from zipo.datasets.counts import as_counts, check_cells_and_genes
from zipo.datasets.on_disk import on_disk, some_cells
from zipo.datasets.thinning import thin
from zipo.methods import pca, shrinkage
from zipo.metrics import false_amplitude
from zipo.metrics.shared.case import Case
from zipo.model import slots
from zipo.model.estimator import ZiPo
from zipo.shared.errors import InputError

SHARE = 0.9  # of the molecules, which are trained on
TRAININGS = 2
FEWEST_CELLS = 50  # from which an interval over cells can be told
FEWEST_HELD_OUT = 1_000  # molecules in all
MOST_ENTRIES = 200_000_000  # cells x genes: 0.8 GB as float32, and a few such arrays are held at a time
QUANTILES = (0.05, 0.5, 0.95)

OnTraining = Callable[[str, int], AbstractContextManager[Callable[[int, float], None]]]
"""Called with what a training is on and its epochs at most; the context gives what is called after each epoch."""


def measure(adata: ad.AnnData, preset: str, on_training: OnTraining | None = None, **settings: Any) -> Worth:
    """What denoising is worth on the counts that `adata` has as X, in memory or on disk.

    - `preset`, `settings`: as of `ZiPo.for_data`.
    - `on_training`: reports on each of the TRAININGS.

    Where cells x genes are more than MOST_ENTRIES, as many cells as make these are drawn at random. Raises InputError
    for anything but raw counts, for too few cells or molecules, and where a training diverges.
    """
    model = ZiPo.for_data(adata, preset, **settings)
    counts = _drawn(adata, model.seed, model.empty_cells)
    trainer = _Trainer(preset, model.seed, counts.obs, counts.var, on_training, settings)
    training, held_out = _split(counts.X, model.seed)
    fitted, denoised = trainer.denoised(training, "the molecules that are not held out")
    library = np.asarray(training.sum(axis=1), dtype=np.float64).ravel()
    library_ratio = np.quantile(denoised.sum(axis=1, dtype=np.float64)[library > 0] / library[library > 0], QUANTILES)
    zeros = zero_shares(fitted, trainer.data(training))
    of_zipo = deviances(_case(training, denoised, held_out))
    by_gene = shrunk(training, model.seed)
    over_shrunk = deviances(_case(training, denoised, held_out), base=by_gene)
    del denoised
    of_shrunk = deviances(_case(training, by_gene, held_out))
    del by_gene

    def of_method(method: ModuleType) -> Deviances:
        denoised = method.denoise(trainer.bare(training), seed=model.seed).layers["denoised"]
        return deviances(_case(training, denoised, held_out))

    others = {"mixture": of_method(shrinkage), "gene by gene": of_shrunk, "PCA": of_method(pca)}
    means = of_zipo.base_by_cell
    gains = {"gene means": ratio(means - of_zipo.by_cell, means)}
    gains |= {name: gain(of_zipo, other) for name, other in others.items()}
    of_genes = molecules(held_out, axis=0)
    return Worth(
        preset=preset,
        seed=model.seed,
        cells_in_all=adata.n_obs,
        held_out=int(of_genes.sum()),
        explained={name: explained(each) for name, each in {ZIPO: of_zipo, **others}.items()},
        gains=gains,
        genes=pd.DataFrame(
            {
                "mean": np.asarray(counts.X.sum(axis=0, dtype=np.float64)).ravel() / counts.n_obs,
                "held_out": of_genes.astype(int),
                "explained": of_zipo.explained_by_gene,
                "standard_error": of_zipo.error_by_gene,
                "zeros_observed": zeros[OBSERVED],
                "zeros_expected": zeros[EXPECTED],
                "gain": over_shrunk.explained_by_gene,
                "gain_error": over_shrunk.error_by_gene,
                "judgement": judgements(
                    (of_zipo.explained_by_gene, of_zipo.error_by_gene),
                    (over_shrunk.explained_by_gene, over_shrunk.error_by_gene),
                    of_genes,
                ),
            },
            index=counts.var_names,
        ),
        cells=pd.DataFrame(
            {"held_out": molecules(held_out, axis=1).astype(int), "explained": of_zipo.explained_by_cell},
            index=counts.obs_names,
        ),
        library_ratio=tuple(library_ratio.tolist()),
        **_of_permuted(counts.X, model.seed, trainer),
    )


def explained(prediction: Deviances) -> Estimate:
    """Share of the deviance of the gene means that a prediction takes away."""
    return ratio(prediction.base_by_cell - prediction.by_cell, prediction.base_by_cell)


def gain(prediction: Deviances, other: Deviances) -> Estimate:
    """Share by which a prediction's deviance is below that of another."""
    return ratio(other.by_cell - prediction.by_cell, other.by_cell)


class _Trainer:
    """Trains ZiPo, and makes the AnnData that methods take, for matrices of the same cells and genes."""

    def __init__(
        self,
        preset: str,
        seed: int,
        obs: pd.DataFrame,
        var: pd.DataFrame,
        on_training: OnTraining | None,
        settings: dict[str, Any],
    ) -> None:
        self.preset, self.seed, self.obs, self.var = preset, seed, obs, var
        self.on_training = on_training
        # a cell of few molecules can lose all of them to those held out
        self.settings = settings | {"empty_cells": "keep"}

    def data(self, matrix: csr_matrix) -> ad.AnnData:
        """Counts with the covariates of the cells."""
        return ad.AnnData(matrix, obs=self.obs, var=self.var)

    def bare(self, matrix: csr_matrix) -> ad.AnnData:
        """Counts alone."""
        return ad.AnnData(matrix, obs=pd.DataFrame(index=self.obs.index), var=pd.DataFrame(index=self.var.index))

    def denoised(self, matrix: csr_matrix, counts: str) -> tuple[ZiPo, np.ndarray]:
        """A model trained on counts, which `counts` names, and its denoised counts of them."""
        data = self.data(matrix)
        model = ZiPo.for_data(data, self.preset, **self.settings)
        report = self.on_training(counts, model.parameters.max_epochs) if self.on_training else nullcontext()
        with report as on_epoch:
            model.fit(data, on_epoch=on_epoch)
        slots.refuse_diverged(model)
        return model, model.denoise(data)


def _of_permuted(counts: csr_matrix, seed: int, trainer: _Trainer) -> dict[str, Any]:
    """Fields of Worth that are measured on permuted counts."""
    groups = library_groups(counts)
    training, held_out = _split(permuted_counts(counts, groups, seed), seed)
    _, denoised = trainer.denoised(training, "permuted counts")
    cases = [
        _case(training, prediction, held_out, cell_types=groups, seed=seed)
        for prediction in (denoised, shrunk(training, seed))
    ]
    of_zipo, by_gene = map(deviances, cases)
    modules, modules_by_gene = (false_amplitude.score(case)["false_module_amplitude"] for case in cases)
    return {
        "permuted_explained": explained(of_zipo),
        "permuted_gain": gain(of_zipo, by_gene),
        "false_module": modules,
        "false_module_by_gene": modules_by_gene,
    }


def _case(training: csr_matrix, denoised: np.ndarray, held_out: csr_matrix, **rest: Any) -> Case:
    return Case(training, denoised, held_out=held_out, training_share=SHARE, **rest)


def _split(counts: csr_matrix, seed: int) -> tuple[csr_matrix, csr_matrix]:
    return thin(counts, SHARE, seed)


def _drawn(adata: ad.AnnData, seed: int, empty_cells: Any) -> ad.AnnData:
    """The counts of all cells, or of as many as make MOST_ENTRIES, drawn at random; checked, and in memory."""
    most = max(FEWEST_CELLS, MOST_ENTRIES // max(adata.n_vars, 1))
    if adata.n_obs > most:
        chosen = np.random.default_rng(seed).choice(adata.n_obs, most, replace=False)
        adata = some_cells(adata, np.sort(chosen))
    rows = on_disk(adata, "counts")
    matrix = adata.X if rows is None else rows.read(np.arange(adata.n_obs))
    counts = ad.AnnData(
        as_counts(matrix, adata.obs_names, adata.var_names, "counts"),
        obs=adata.obs.copy(),
        var=pd.DataFrame(index=adata.var_names),
    )
    check_cells_and_genes(counts, "counts", empty_cells)
    if counts.n_obs < FEWEST_CELLS:
        raise InputError(
            f"counts: {counts.n_obs} cells are too few to tell what denoising is worth; give {FEWEST_CELLS} at least"
        )
    held_out = (1 - SHARE) * counts.X.sum(dtype=np.float64)
    if held_out < FEWEST_HELD_OUT:
        raise InputError(
            f"counts: a tenth of the molecules is {held_out:.0f}, too few to tell what denoising is worth; "
            f"{FEWEST_HELD_OUT:,} at least are needed, so give more cells or genes"
        )
    return counts
