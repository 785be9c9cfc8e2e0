"""A worker of the search for hyper-parameters: takes trials and trains them until all are finished."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata as ad
import optuna
import torch
from optuna.trial import Trial

from zipo.datasets.prepared import contents_digest, read
from zipo.shared.atomic_files import atomic_write
from zipo.shared.digest import digest
from zipo.study.config import parameters_of
from zipo.study.run import run
from zipo.study.search.journal import BEAT, GRACE, Watch, beating, finished, open_study, start_trial
from zipo.study.search.space import Tuning
from zipo.study.search.trial import median_pruner, suggest, train_trial
from zipo.study.settings import Setting

RECORDED = (
    "setting", "validation_nll", "test_nll", "test_mse_rates", "test_mse_means", "best_epoch", "stopped_by", "weights",
    "seconds", "device", "torch", "zipo", "git_commit",
)  # fmt: skip
"""What a finished trial keeps of its row of a run; of these the search itself sees the validation NLL alone."""


def search_name(tuning: Tuning, data: Path, code: list[Path]) -> str:
    """Name of a search in its journal: a digest of all that affects a trial's result, and not of the number of trials.

    So more trials continue a search, while other counts, another space or another model begin a new one.
    """
    space = tuning.model_dump(mode="json", exclude={"trials", "workers"})
    identity = digest(sorted(code), [contents_digest(data), space])
    return f"{tuning.dataset}-{identity[:12]}"


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
        study.pruner = median_pruner(parameters_of(tuning.set.model_dump(exclude_unset=True), "tuning.set"))
    else:
        study.pruner = optuna.pruners.NopPruner()
    adata: ad.AnnData | None = None
    watch = Watch(grace)
    while not finished(study, tuning.trials):
        trial = start_trial(study, journal, tuning.trials, watch, tuning.seed)
        if trial is None:  # others still work, and may die
            time.sleep(min(1.0, grace / 4))
            continue
        with beating(trial, beat):
            adata = read(data) if adata is None else adata
            outcome = _train_and_describe(study, trial, adata, tuning, device)
        print(f"trial {trial.user_attrs['slot']}: {outcome}; {trial.params}", flush=True)
    with atomic_write(target) as part:
        part.write_text(f"{name}\n")


def _train_and_describe(study: optuna.Study, trial: Trial, adata: ad.AnnData, tuning: Tuning, device: str) -> str:
    """Train a trial, record in the study how it ended, and return the outcome in words.

    What RECORDED names is kept in the trial's attribute `row`. Any error ends the worker, too.
    """

    row: dict[str, Any] = {}

    def train(on_epoch: Callable[[int, float], None]) -> float | None:
        row.update(run(adata, _setting(trial, tuning), tuning.seed, [], device, on_epoch=on_epoch)[1])
        if row["status"] == "diverged":
            return None
        trial.set_user_attr("row", {measure: row[measure] for measure in RECORDED})
        return row["validation_nll"]

    outcome = train_trial(study, trial, train)
    if outcome.status == "lost":
        return "given to another worker, since this one was silent for too long"
    return (
        f"validation NLL {outcome.nll:.4f} after {row['epochs']} epochs" if outcome.status == "ok" else outcome.status
    )


def _setting(trial: Trial, tuning: Tuning) -> dict[str, Any]:
    """The resolved setting of a trial, with its id."""
    searched = suggest(trial, tuning.encoders, {"alpha_z": tuning.alpha_z, "alpha_w": tuning.alpha_w})
    parameters = parameters_of(
        tuning.set.model_dump(exclude_unset=True) | searched, f"tuning at {json.dumps(searched)}"
    )
    assert tuning.dataset is not None
    setting = Setting(tuning.dataset, "zipo", parameters)
    return {"id": setting.id} | setting.resolved
