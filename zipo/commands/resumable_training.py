"""Training of a command: with checkpoints beside the output, from which --resume continues."""

import shlex
from pathlib import Path
from typing import Any

import anndata as ad
import torch

from zipo import __version__
from zipo.commands.inputs import files_of
from zipo.commands.outputs import checkpoints_beside
from zipo.commands.progress import Reporter
from zipo.commands.stopping import Stop
from zipo.engine.checkpoints import Checkpoints
from zipo.model.covariates import Covariates, likely_batches
from zipo.model.estimator import ZiPo
from zipo.presets import in_words
from zipo.shared.digest import digest
from zipo.shared.errors import InputError

EVERY = 120.0  # seconds between two checkpoints


def model_for(adata: ad.AnnData, values: dict[str, Any], reporter: Reporter) -> ZiPo:
    """A model with the parameters of a preset, but for `values`, which may be any keyword of ZiPo.for_data; reported
    in one line. Raises InputError for values that do not fit together."""
    model = ZiPo.for_data(adata, **values)
    words = in_words(model.parameters.model_dump())
    reporter.say(f"{adata.n_obs:,} cells x {adata.n_vars:,} genes, preset {model.preset}: {words}")
    for name, words in Covariates(adata.obs, model.parameters.covariates).in_words.items():
        reporter.say(f"covariate {name}: {words}")
    if not model.parameters.covariates and (batches := likely_batches(adata.obs)):
        named = ", ".join(f"{name} ({levels} levels)" for name, levels in batches.items())
        reporter.say(
            f"obs has what may be batches: {named}; the latents hold how they differ, unless the model knows them, by "
            f"--covariate {shlex.quote(next(iter(batches)))}"
        )
    return model


def checkpoints_of(
    model: ZiPo, adata: ad.AnnData, source: Path, reading: list[Any], target: Path, resume: bool, reporter: Reporter
) -> Checkpoints:
    """The checkpoints of a training in a folder beside its target.

    `reading` is whatever shaped the counts on their way from the source. Without `resume`, earlier checkpoints are
    removed; with it, InputError if those that are there belong to another training.
    """
    about = [__version__, torch.__version__, model.parameters.model_dump(mode="json"), model.seed, model.device.type]
    identity = digest(files_of(source), [about, model.empty_cells, reading, list(adata.var_names)])
    checkpoints = Checkpoints(checkpoints_beside(target), identity, EVERY)
    if not resume:
        checkpoints.remove()
    elif not checkpoints.folder.exists():
        reporter.say(f"{checkpoints.folder}: there are no checkpoints, so the training begins anew")
    elif (state := checkpoints.latest()) is None:
        raise InputError(
            f"{checkpoints.folder}: its checkpoints are of other counts, options or versions, or damaged; give the "
            "interrupted command as it was, or leave --resume out to begin anew"
        )
    else:
        reporter.say(f"going on after epoch {len(state.rest['outcome']['history'])}")
    return checkpoints


def train(model: ZiPo, adata: ad.AnnData, checkpoints: Checkpoints, reporter: Reporter, stop: Stop) -> None:
    """Fit a model, with a checkpoint when a signal ends it, and report the result.

    Raises InputError if the training diverged.
    """
    stop.advice = "nothing is written; the same command with --resume goes on"
    stop.checkpoints = checkpoints
    with reporter.epochs(model.parameters.max_epochs) as on_epoch:
        model.fit(adata, on_epoch=on_epoch, checkpoints=checkpoints)
    stop.checkpoints = None
    training = model.training
    if training.diverged:
        checkpoints.remove()
        raise InputError(
            f"the training diverged in epoch {len(training.history)}; lower the learning rate, as by "
            f"--set learning_rate={model.parameters.learning_rate / 4:.2g}"
        )
    nll = training.history[training.best_epoch - 1]["validation_nll"]
    reporter.say(
        f"trained {len(training.history)} epochs in {training.seconds:.1f} s; kept the weights of epoch "
        f"{training.best_epoch}, validation NLL {nll:.4f} nats per entry"
    )
