"""One run: a setting trained at a seed, and its row of the runs table."""

import math
import platform
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import anndata as ad
import torch

from zipo import __version__
from zipo.engine.checkpoints import Checkpoints
from zipo.engine.threads import threads_for
from zipo.model.estimator import ZiPo
from zipo.model.split import split
from zipo.shared.memory import peak_mb
from zipo.study.code_version import git_commit

LOSS_NAMES = ("nll", "nll_observed_library", "mse_rates", "mse_means", "mean_zero_probability", "library_error")


def run(
    adata: ad.AnnData,
    setting: dict[str, Any],
    seed: int,
    thresholds: list[float],
    device: str,
    on_epoch: Callable[[int, float], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> tuple[ZiPo, dict[str, Any], list[dict[str, float]]]:
    """One run: the trained model, its row of the runs table, and its training history.

    A diverged run has NaN for its losses. `on_epoch` is called after each epoch with its number, from 1, and its
    validation NLL; what it raises ends the run. With checkpoints a run that was cut off goes on from its latest.
    """
    identity = {name: setting[name] for name in ("dataset", "method")}
    parameters = {name: value for name, value in setting.items() if name not in ("id", *identity)}
    # whether a data set may have empty cells was decided when it was prepared
    model = ZiPo(seed=seed, device=device, empty_cells="keep", **parameters)
    p = model.parameters
    parts = split(adata.n_obs, seed, p.validation_share, p.test_share)
    training, validation = adata[parts.training], adata[parts.validation]

    model.fit(training, validation, on_epoch, checkpoints)
    history, seconds = model.training.history, model.training.seconds
    compute_seconds = model.training.compute_seconds
    epochs = len(history)

    row = identity | {"setting": setting["id"]} | p.model_dump()
    row |= {
        "covariates": ",".join(p.covariates),
        "residuals": str(p.residuals),
        **p.encoder_shape,
        "seed": seed,
        "status": "diverged" if model.training.diverged else "ok",
        "genes": adata.n_vars,
        "training_cells": len(parts.training),
        "validation_cells": len(parts.validation),
        "test_cells": len(parts.test),
        "epochs": epochs,
        "best_epoch": model.training.best_epoch,
        "stopped_by": model.training.stopped_by,
    }
    row |= _scores(model, training, validation, adata[parts.test], thresholds)
    row |= {
        "weights": sum(weights.numel() for weights in model.network.parameters()),
        "seconds": seconds,
        "seconds_per_epoch": seconds / epochs,
        "compute_seconds": compute_seconds,
        "cells_per_second": len(parts.training) * epochs / compute_seconds,
        "peak_memory_mb": peak_mb(),
        "device": _device_name(model.device),
        "threads": threads_for(model.network, min(p.batch_size, len(parts.training))),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "zipo": __version__,
        "git_commit": git_commit(),
    }
    return model, row, history


def _scores(
    model: ZiPo, training: ad.AnnData, validation: ad.AnnData, test: ad.AnnData, thresholds: list[float]
) -> dict[str, Any]:
    """Losses on each part of the split and after pruning, and what is not plausible of the expected counts.

    Beside them stands the NLL of a trivial prediction, by the genes' means.
    """
    scores: dict[str, Any] = {}
    diverged = model.training.diverged
    # each part is read once, the test cells only here, after training
    for name, part in (("training", training), ("validation", validation), ("test", test)):
        values = asdict(model.losses(part))
        for loss in LOSS_NAMES if name == "test" else LOSS_NAMES[:1]:
            scores[f"{name}_{loss}"] = math.nan if diverged else values[loss]
        if name == "training":
            penalties = {key: value for key, value in values.items() if key.startswith("penalty_")}
            scores |= {key: math.nan if diverged else value for key, value in penalties.items()}
    check = model.check(test)
    scores["test_nll_gene_poisson"] = check.gene_poisson_nll
    scores["test_total_ratio"] = math.nan if diverged else check.total_ratio
    scores["test_median_cell_ratio"] = math.nan if diverged else check.cell_ratio[1]
    scores["not_plausible"] = "" if diverged else "; ".join(check.problems)
    for threshold in thresholds:
        with model.pruned(threshold) as share_left:
            values = asdict(model.losses(test))
        for name, value in (
            ("kept", share_left),
            ("test_nll", values["nll"]),
            ("test_mse_rates", values["mse_rates"]),
        ):
            scores[f"pruned_{threshold:g}_{name}"] = math.nan if diverged else value
    return scores


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or "cpu"
