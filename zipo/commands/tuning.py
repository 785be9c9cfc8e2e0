"""A search by Optuna for the encoder and penalties that fit a user's own data best (paper, section III-H)."""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import anndata as ad
import optuna

from zipo.model.estimator import ZiPo
from zipo.parameters import Parameters
from zipo.presets import DEFAULT, parameters_for
from zipo.shared.errors import InputError
from zipo.study.search.space import SEARCHED
from zipo.study.search.trial import Train, median_pruner, suggest, train_trial

ENDS = 0.01, 1.0  # of alpha_z and alpha_w, on a logarithmic scale, as the paper searches them


class TrialResult(NamedTuple):
    """A trial that ended."""

    number: int
    """From 1."""
    values: dict[str, Any]
    """The parameters that were tried."""
    nll: float
    """Validation NLL in nats per entry; NaN if the trial was cut short or diverged."""
    best: bool
    """Whether it is the lowest so far."""


def encoders(widths: list[int]) -> list[str]:
    """Encoders to choose from: the one that fits the data's size, and shallower and narrower ones, as the paper has
    them for its sizes."""
    narrow = max(2, widths[-1] // 2)
    options = [widths, widths[1:], [*widths[1:], narrow], widths[2:], [*widths[2:], narrow]]
    return list(dict.fromkeys("-".join(map(str, option)) for option in options if option))


def search(
    adata: ad.AnnData, fixed: dict[str, Any], trials: int, *, seed: int, preset: str = DEFAULT, **keywords: Any
) -> Iterator[TrialResult]:
    """Train trial after trial, all on the same split from the same seed, and yield each as it ends.

    `fixed` are parameters that all trials share; encoder, alpha_z and alpha_w are searched for unless they are among
    them; alpha_z only for a zero-inflated likelihood. The first trial takes the values of the preset, so the best is no
    worse. The validation NLL is that of training, before anything is refined. A trial whose validation NLL is worse
    than the median of earlier trials at the same epoch is cut short. `keywords` are others of ZiPo. Raises InputError
    if nothing is left to search for.
    """
    base = Parameters(**parameters_for(preset, adata.n_obs, adata.n_vars, fixed) | fixed)
    free = [name for name in SEARCHED if name not in fixed]
    if not base.zero_inflated and "alpha_z" in free:
        free.remove("alpha_z")
    if not free:
        raise InputError("encoder, alpha_z and alpha_w are all given, so nothing is left to search for; give fewer")
    choices = encoders(base.encoder_widths) if "encoder" in free else []
    penalties = {name: ENDS for name in free if name != "encoder"}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=median_pruner(base))
    study.enqueue_trial({name: getattr(base, name) for name in free})
    lowest = math.inf
    # what is refined after a training changes nothing in its losses
    shared = base.model_dump() | keywords | {"seed": seed, "inference": "amortised"}
    for number in range(1, trials + 1):
        trial = study.ask()
        values = {name: _rounded(value) for name, value in suggest(trial, choices, penalties).items()}
        outcome = train_trial(study, trial, _training(adata, shared | values))
        nll = math.nan if outcome.nll is None else outcome.nll
        best = nll < lowest
        lowest = nll if best else lowest
        yield TrialResult(number, values, nll, best)


def _rounded(value: str | float) -> str | float:
    """A value that is easily typed: numbers to three digits."""
    return value if isinstance(value, str) else float(f"{value:.3g}")


def _training(adata: ad.AnnData, values: dict[str, Any]) -> Train:
    """A function that trains ZiPo with these keywords, as `train_trial` calls it."""

    def train(on_epoch: Callable[[int, float], None]) -> float | None:
        training = ZiPo(**values).fit(adata, on_epoch=on_epoch).training
        return None if training.diverged else training.history[training.best_epoch - 1]["validation_nll"]

    return train
