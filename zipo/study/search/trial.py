"""One trial of a search: suggests encoder and penalties, trains unless pruned, and records the outcome."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import Trial, TrialState

from zipo.parameters import ParameterValues
from zipo.study.search.space import warm_up

FIRST = 5  # trials that end before any is pruned

Train = Callable[[Callable[[int, float], None]], float | None]
"""Trains and returns the validation NLL of the weights kept, or None if the training diverged. It calls its
argument after each epoch with the epoch's number, from 1, and its validation NLL."""


class Outcome(NamedTuple):
    """How a trial ended."""

    status: Literal["ok", "pruned", "diverged", "lost"]
    """Lost is a trial that was given to another worker, since this one gave no sign of life for too long."""
    nll: float | None = None
    """Validation NLL in nats per entry of a trial that is ok."""


def median_pruner(parameters: ParameterValues) -> optuna.pruners.BasePruner:
    """Prunes trials that are worse than the median of the earlier ones at the same epoch, after the warm-up."""
    return optuna.pruners.MedianPruner(n_startup_trials=FIRST, n_warmup_steps=warm_up(parameters) + 1)


def suggest(trial: Trial, encoders: Sequence[str], penalties: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Values to try, by name: one of the encoders, if there are any, and of each penalty one between its ends, on a
    logarithmic scale."""
    values = {"encoder": trial.suggest_categorical("encoder", encoders)} if encoders else {}
    return values | {name: trial.suggest_float(name, *ends, log=True) for name, ends in penalties.items()}


def train_trial(study: optuna.Study, trial: Trial, train: Train) -> Outcome:
    """Train a trial and record in the study how it ended.

    A diverged trial is ended as pruned, since it is as hopeless. Any error ends the trial as failed and is raised; the
    trial's attribute `reason` says why it did not end well.
    """

    def report(epoch: int, validation_nll: float) -> None:
        trial.report(validation_nll, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        nll = train(report)
        if nll is None:
            _end(study, trial, TrialState.PRUNED, "diverged")
            return Outcome("diverged")
        study.tell(trial, nll)
        return Outcome("ok", nll)
    except optuna.TrialPruned:
        _end(study, trial, TrialState.PRUNED, "pruned")
        return Outcome("pruned")
    except UpdateFinishedTrialError:
        return Outcome("lost")
    except BaseException as error:
        reason = "interrupted" if isinstance(error, KeyboardInterrupt) else f"{type(error).__name__}: {error}"
        _end(study, trial, TrialState.FAIL, reason)
        raise


def _end(study: optuna.Study, trial: Trial, state: TrialState, reason: str) -> None:
    """End a trial without a value, unless another worker ended it since this one was silent."""
    with suppress(UpdateFinishedTrialError, ValueError):
        trial.set_user_attr("reason", reason)
        study.tell(trial, state=state)
