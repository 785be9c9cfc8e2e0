"""Slots of an AnnData that denoising fills, and their meanings; importing this does not load torch."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from zipo.shared.errors import InputError

if TYPE_CHECKING:
    import anndata as ad
    from torch import Tensor

    from zipo.engine.model import Network
    from zipo.engine.prediction import Prediction
    from zipo.model.estimator import ZiPo
    from zipo.model.plausibility import Plausibility
    from zipo.parameters import Parameters

DENOISED, RATES, LATENT, LIBRARY = "layers/denoised", "layers/rates", "obsm/X_zipo", "obs/zipo_library_size"
DENOISED_SE, LATENT_SE = "layers/denoised_se", "obsm/X_zipo_se"
ABOUT = "zipo"  # of uns
SLOTS = (DENOISED, DENOISED_SE, RATES, LATENT, LATENT_SE, LIBRARY)


def slots(rates: bool, standard_errors: bool = False) -> list[str]:
    """The slots that are filled, as group/name; with or without rates and standard errors."""
    left_out = ({RATES} if not rates else set()) | ({DENOISED_SE, LATENT_SE} if not standard_errors else set())
    return [slot for slot in SLOTS if slot not in left_out]


def meanings(parameters: Parameters) -> dict[str, str]:
    """What the values of each slot mean, for a model with these parameters."""
    mean = "(1 - z) l mu" if parameters.zero_inflated else "l mu"
    expected = {
        "mean": f"expected counts {mean} of each cell and gene",
        "posterior": f"expected counts of each cell and gene, from {mean} and the cell's own count of the gene",
    }
    lost = "expected counts were nothing lost to zero inflation" if parameters.zero_inflated else "the counts' means"
    known = "the sum of its counts (1 for a cell without any)" if parameters.library == "observed" else "in counts"
    truth = {
        "mean": "the true expected counts of cells of the same state: those of one cell differ more",
        "posterior": "the cell's own true expected counts, in which it differs from cells of the same state",
    }
    errors = {
        "amortised": "not filled: standard errors need inference: refined",
        "refined": f"standard errors of the denoised counts, about {truth[parameters.denoised]}",
    }
    of_latents = "standard errors of the latent variables, the decoder taken as known"
    return {
        DENOISED_SE: errors[parameters.inference],
        LATENT_SE: of_latents if parameters.inference == "refined" else errors["amortised"],
        DENOISED: f"{expected[parameters.denoised]}: on the scale of the counts given, never negative, neither "
        "normalised to a common library size nor logarithms",
        RATES: f"rates l mu of each cell and gene: {lost}, in counts",
        LATENT: "latent variables of each cell, for neighbours, clusters and plots: no unit, without the covariates",
        LIBRARY: f"library size l of each cell, to which its rates add up, {known}",
    }


def values(network: Network, prediction: Prediction, names: Iterable[str]) -> dict[str, Tensor]:
    """Values of these slots for a batch of B cells, each (B, ...)."""
    from zipo.engine.uncertainty import Uncertainty

    uncertainty = Uncertainty(network, prediction)
    compute = {
        DENOISED: lambda: prediction.denoised,
        DENOISED_SE: lambda: uncertainty.denoised,
        LATENT_SE: lambda: uncertainty.latent,
        RATES: lambda: prediction.rates,
        LATENT: lambda: prediction.latent,
        LIBRARY: lambda: prediction.library_size,
    }
    return {name: compute[name]() for name in names}


def checked(model: ZiPo, adata: ad.AnnData) -> Plausibility:
    """How plausible a trained model's expected counts of these cells are; called before any slot is filled.

    Raises InputError for a model whose training diverged, and where the scale is wrong: the numbers would mislead.
    """
    refuse_diverged(model)
    check = model.check(adata)
    check.refuse()
    return check


def refuse_diverged(model: ZiPo) -> None:
    """Raise InputError for a model whose training diverged."""
    training = model.training
    if training.diverged:
        raise InputError(
            f"the training diverged in epoch {len(training.history)}, so there is nothing to denoise with; lower "
            f"learning_rate (now {model.parameters.learning_rate:g}) and fit again"
        )


def about(
    model: ZiPo, names: Iterable[str], check: Plausibility, batch: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Contents of uns["zipo"]: plain values that describe how the slots were made, without dates and times."""
    training = model.training
    settings = model.parameters.model_dump(mode="json")
    best = training.history[training.best_epoch - 1]
    of_groups: dict[str, dict[str, str]] = {}
    of_slots = meanings(model.parameters)
    for name in names:
        group, slot = name.split("/")
        of_groups.setdefault(group, {})[slot] = of_slots[name]
    description = {
        "settings": settings | {"covariates": ",".join(model.parameters.covariates)},
        "seed": model.seed,
        "device": str(model.device),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in ("zipo", "torch", "numpy")},
        "training": {
            "epochs": len(training.history),
            "best_epoch": training.best_epoch,
            "stopped_by": training.stopped_by,
        },
        "losses": {name: value for name, value in best.items() if name != "learning_rate"},
        "history": {name: np.array([epoch[name] for epoch in training.history]) for name in best},
        "slots": of_groups,
        "check": check.state(),
    }
    if model.preset:
        description["preset"] = model.preset
    if covariates := model.covariates.in_words:
        description["covariates"] = covariates
    return description | ({"batch": dict(batch)} if batch else {})
