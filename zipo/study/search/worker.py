"""A worker of the search for hyper-parameters: takes trials and trains them until all are finished."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import anndata as ad
import optuna
import torch
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from zipo.datasets.prepared import checksum_file, read
from zipo.shared.atomic_files import atomic_write
from zipo.shared.digest import digest
from zipo.study.config import parameters_of
from zipo.study.run import run
from zipo.study.search.journal import BEAT, GRACE, Watch, beating, claim, finished, open_study
from zipo.study.search.space import Tuning, warm_up
from zipo.study.settings import Setting

RECORDED = (
    "setting", "validation_nll", "test_nll", "test_mse_rates", "test_mse_means", "best_epoch", "stopped_by", "weights",
    "seconds", "device", "torch", "zipo", "git_commit",
)  # fmt: skip
"""What a finished trial keeps of its row of a run; of these the search itself sees the validation NLL alone."""


def search_name(tuning: Tuning, data: Path, code: list[Path]) -> str:
    """Name of a search in its journal: whatever shapes a trial's result is in it, the number of trials is not.

    So more trials continue a search, while other counts, another space or another model begin a new one.
    """
    found = digest([checksum_file(data), *sorted(code)], tuning.model_dump(mode="json", exclude={"trials", "workers"}))
    return f"{tuning.dataset}-{found[:12]}"


def work(
    tuning: Tuning,
    data: Path,
    code: list[Path],
    journal: Path,
    device: str,
    threads: int,
    target: Path,
    beat: float = BEAT,
    grace: float = GRACE,
) -> None:
    """Train trials until as many are finished as asked for, then write the search's name to `target`.

    `tuning` has its data set and, in `set`, all that the base setting sets. Seconds between signs of life are `beat`;
    a worker without one for `grace` seconds counts as dead, and its trial is tried again.
    """
    torch.set_num_threads(threads)
    name = search_name(tuning, data, code)
    study = open_study(journal, name)
    if tuning.prune:
        epochs = warm_up(parameters_of(tuning.set.model_dump(exclude_unset=True), "tuning.set"))
        study.pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=epochs + 1)
    else:
        study.pruner = optuna.pruners.NopPruner()
    adata: ad.AnnData | None = None
    watch = Watch(grace)
    while not finished(study, tuning.trials):
        trial = claim(study, journal, tuning.trials, watch, tuning.seed)
        if trial is None:  # others still work, and may die
            time.sleep(min(1.0, grace / 4))
            continue
        with beating(trial, beat):
            adata = read(data) if adata is None else adata
            outcome = try_one(study, trial, adata, tuning, device)
        print(f"trial {trial.user_attrs['slot']}: {outcome}; {trial.params}", flush=True)
    with atomic_write(target) as part:
        part.write_text(f"{name}\n")


def try_one(study: optuna.Study, trial: Trial, adata: ad.AnnData, tuning: Tuning, device: str) -> str:
    """Train one trial and tell the search how it went; returns that in words.

    A diverged trial is ended as hopeless, like one that the pruner ends. Any error ends the trial as failed and the
    worker with it.
    """

    def report(epoch: int, validation_nll: float) -> None:
        trial.report(validation_nll, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        _, row, _ = run(adata, _setting(trial, tuning), tuning.seed, [], device, on_epoch=report)
        if row["status"] == "diverged":
            _end(study, trial, TrialState.PRUNED, "diverged")
            return "diverged"
        trial.set_user_attr("row", {measure: row[measure] for measure in RECORDED})
        study.tell(trial, row["validation_nll"])
        return f"validation NLL {row['validation_nll']:.4f} after {row['epochs']} epochs"
    except optuna.TrialPruned:
        _end(study, trial, TrialState.PRUNED, "pruned")
        return "pruned"
    except UpdateFinishedTrialError:
        return "given to another worker, since this one was silent for too long"
    except BaseException as error:
        reason = "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
        _end(study, trial, TrialState.FAIL, reason)
        raise


def _end(study: optuna.Study, trial: Trial, state: TrialState, reason: str) -> None:
    with suppress(UpdateFinishedTrialError, ValueError):  # another worker ended it, since this one was silent
        trial.set_user_attr("reason", reason)
        study.tell(trial, state=state)


def _setting(trial: Trial, tuning: Tuning) -> dict[str, Any]:
    """The resolved setting of a trial, with its id."""
    searched = {
        "encoder": trial.suggest_categorical("encoder", tuning.encoders),
        "alpha_z": trial.suggest_float("alpha_z", *tuning.alpha_z, log=True),
        "alpha_w": trial.suggest_float("alpha_w", *tuning.alpha_w, log=True),
    }
    parameters = parameters_of(
        tuning.set.model_dump(exclude_unset=True) | searched, f"tuning at {json.dumps(searched)}"
    )
    assert tuning.dataset is not None
    setting = Setting(tuning.dataset, "zipo", parameters)
    return {"id": setting.id} | setting.resolved
