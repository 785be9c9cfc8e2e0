"""Fine-tuning with other cells: genes matched by name, covariate levels added, parts frozen on request."""

from collections.abc import Callable, Collection
from typing import Any, Literal

import anndata as ad

from zipo.datasets.formats.features import warn_of_others
from zipo.datasets.raw_counts import counts_of
from zipo.engine.batches import AnyCounts
from zipo.engine.checkpoints import Checkpoints
from zipo.engine.grafting import graft
from zipo.engine.model import Network
from zipo.model.alignment import Alignment, aligned, with_genes
from zipo.model.covariates import Covariates
from zipo.model.estimator import ZiPo
from zipo.parameters import shaping_the_network
from zipo.shared.errors import InputError

__all__ = ["Alignment", "aligned", "fine_tuned"]

OF_GENES = {"first_layer", "encoder", "decoder"}  # parts with weights for each gene


def fine_tuned(
    model: ZiPo,
    adata: ad.AnnData,
    validation: ad.AnnData | None = None,
    *,
    genes: Literal["model", "union"] = "model",
    freeze: Collection[str] = (),
    on_epoch: Callable[[int, float], None] | None = None,
    checkpoints: Checkpoints | None = None,
    **training_parameters: Any,
) -> tuple[ZiPo, Alignment]:
    """A new model, trained further from a trained one on other cells, and the alignment of genes; the old one stays.

    - `genes`: model leaves out genes that the model lacks; union adds them to the first layer and the heads, with
      weights as at a first start. Genes that the data lack count as zeros.
    - `freeze`: parts that stay as they are, to the bit: first_layer, encoder (with it), decoder (with its heads),
      library.
    - `training_parameters`: fields of `zipo.parameters.Parameters` that do not shape the network; others are the
      model's. The learning rate starts at its floor, unless given: the weights are near a good place already.

    The batch norms keep the statistics of the first training, which few cells would estimate badly. Levels that a
    covariate has in `adata` alone are added, and start as the average of those known; numbers keep their scaling.
    `validation`, `on_epoch` and `checkpoints` are as of ZiPo.fit. Raises InputError where no gene is in common, for
    what cannot be frozen or changed, and as ZiPo.fit does.
    """
    if not isinstance(model, ZiPo):
        raise InputError(f"fine-tuning: a trained ZiPo is expected, not {type(model).__name__}; ZiPo.load reads one")
    if genes not in ("model", "union"):
        raise InputError(f"genes {genes!r}: model or union is expected")
    freeze = _names(freeze)
    if own := sorted({"seed", "device", "empty_cells"} & set(training_parameters)):
        raise InputError(f"fine-tuning: {own[0]} is that of the model; set it there, as in ZiPo.load, or leave it out")
    if fixed := sorted(shaping_the_network() & set(training_parameters)):
        raise InputError(
            f"fine-tuning: {fixed[0]} belongs to the network, which is trained on; fit a new model for that"
        )
    original, adata = adata, counts_of(adata, "training counts")
    if genes == "union":
        warn_of_others(original)
    alignment = Alignment.of(adata.var_names, model.genes, added=genes == "union")
    _check_frozen(model.network, freeze, alignment)

    floor = training_parameters.get("learning_rate_floor", model.parameters.learning_rate_floor)
    parameters = model.parameters.model_dump() | {"learning_rate": floor} | training_parameters
    tuned = ZiPo(seed=model.seed, device=str(model.device), empty_cells=model.empty_cells, **parameters)
    tuned.preset = model.preset
    covariates = model.covariates.extended(adata.obs)

    def start(counts: AnyCounts) -> Network:
        network = tuned.fresh_network(counts)
        graft(network, model.network, _sources(model.covariates, covariates))
        network.fine_tune(frozen=freeze)
        return network

    held_out = None if validation is None else with_genes(counts_of(validation, "validation counts"), alignment.genes)
    tuned.train_from(start, covariates, with_genes(adata, alignment.genes), held_out, on_epoch, checkpoints)
    return tuned, alignment


def _names(freeze: Any) -> Collection[str]:
    """Names of parts; a single one need not stand in a list."""
    if isinstance(freeze, str):
        return (freeze,)
    if not isinstance(freeze, Collection) or not all(isinstance(name, str) for name in freeze):
        raise InputError(f"freeze: names of parts are expected, not {freeze!r}; give them as in freeze=['encoder']")
    return freeze


def _check_frozen(network: Network, freeze: Collection[str], alignment: Alignment) -> None:
    if unknown := sorted(set(freeze) - set(network.parts)):
        raise InputError(f"freeze: the model has no part {unknown[0]!r}; it has {', '.join(network.parts)}")
    if not set(network.parts) - set(freeze) - {"first_layer"}:
        raise InputError("freeze: nothing is left to train; freeze fewer parts")
    if alignment.added and alignment.extra and (frozen := sorted(OF_GENES & set(freeze))):
        raise InputError(
            f"freeze: {frozen[0]} cannot be frozen where {alignment.extra} genes are added to it; leave them out with "
            "genes='model'"
        )


def _sources(earlier: Covariates, later: Covariates) -> list[list[int]]:
    """For each covariate column of the later, the earlier columns that it goes on from, as `graft` takes them."""
    known = earlier.columns
    of_name = {name: [place for place, column in enumerate(known) if column[0] == name] for name in later.names}
    return [[known.index(column)] if column in known else of_name[column[0]] for column in later.columns]
