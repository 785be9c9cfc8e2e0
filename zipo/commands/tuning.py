"""A search by Optuna for the encoder and the penalties that suit a user's own data best (paper, section III-H)."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import anndata as ad
import optuna

from zipo.model.estimator import ZiPo
from zipo.parameters import Parameters
from zipo.presets import sizes_for
from zipo.shared.errors import InputError
from zipo.study.search.space import warm_up

ENDS = 0.01, 1.0  # of alpha_z and alpha_w, on a logarithmic scale, as the paper searches them
FIRST = 5  # trials before any is cut short


class Trial(NamedTuple):
    """A trial that ended."""

    number: int
    """From 1."""
    values: dict[str, Any]
    """The parameters that were tried."""
    nll: float
    """Validation NLL in nats per entry; NaN if the trial was cut short."""
    best: bool
    """Whether it is the lowest so far."""


def encoders(widths: list[int]) -> list[str]:
    """Encoders to choose from: the one that fits the data's size, and shallower and narrower ones, as the paper has
    them for its sizes."""
    narrow = max(2, widths[-1] // 2)
    options = [widths, widths[1:], [*widths[1:], narrow], widths[2:], [*widths[2:], narrow]]
    return list(dict.fromkeys("-".join(map(str, option)) for option in options if option))


def search(adata: ad.AnnData, given: dict[str, Any], trials: int, *, seed: int, **keywords) -> Iterator[Trial]:
    """Train trial after trial, all on the same split from the same seed, and give each as it ends.

    `given` are parameters that all trials share; those of encoder, alpha_z and alpha_w that are given are not searched
    for. The first trial is what ZiPo takes unasked, so the best is no worse. One whose validation NLL is worse than
    the median of earlier trials at the same epoch is cut short. `keywords` are others of ZiPo. Raises InputError if
    nothing is left to search for.
    """
    base = Parameters(**sizes_for(adata.n_obs, adata.n_vars) | given)
    free = [name for name in ("encoder", "alpha_z", "alpha_w") if name not in given]
    if not base.zero_inflated and "alpha_z" in free:
        free.remove("alpha_z")
    if not free:
        raise InputError("encoder, alpha_z and alpha_w are all given, so nothing is left to search for; give fewer")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST, n_warmup_steps=warm_up(base) + 1),
    )
    study.enqueue_trial({name: getattr(base, name) for name in free})
    lowest = math.inf
    for number in range(1, trials + 1):
        trial = study.ask()
        values = {name: _suggested(trial, name, base) for name in free}
        nll = _tried(trial, adata, given | values | keywords | {"seed": seed})
        if math.isnan(nll):
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, nll)
        best = nll < lowest
        lowest = nll if best else lowest
        yield Trial(number, values, nll, best)


def _suggested(trial: optuna.Trial, name: str, base: Parameters) -> Any:
    if name == "encoder":
        return trial.suggest_categorical(name, encoders(base.encoder_widths))
    return float(f"{trial.suggest_float(name, *ENDS, log=True):.3g}")  # as it can be typed


def _tried(trial: optuna.Trial, adata: ad.AnnData, values: dict[str, Any]) -> float:
    """The validation NLL of the weights that a trial kept; NaN if it was cut short or diverged."""

    def report(epoch: int, nll: float) -> None:
        trial.report(nll, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        training = ZiPo.for_data(adata, **values).fit(adata, on_epoch=report).training
    except optuna.TrialPruned:
        return math.nan
    return math.nan if training.diverged else training.history[training.best_epoch - 1]["validation_nll"]
