"""Results of a search for hyper-parameters: the table of its trials, the best one, and importances."""

import math
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from optuna.trial import FrozenTrial, TrialState

from zipo.shared.atomic_files import atomic_write
from zipo.shared.errors import InputError
from zipo.shared.yaml_files import dump_yaml
from zipo.study.search.journal import finished, open_study, slots
from zipo.study.search.space import SEARCHED, Tuning


def finished_search(tuning: Tuning, journal: Path, name: str) -> optuna.Study:
    """The finished trials of a search, in the order of their slots; InputError if any is missing."""
    study = open_study(journal, name)
    if not finished(study, tuning.trials):
        number = sum(trial.state.is_finished() for trial in slots(study, tuning.trials).values())
        raise InputError(
            f"{journal}: {number} of {tuning.trials} trials of the search {name} are finished; remove {journal.parent} "
            "to search again"
        )
    search = optuna.create_study()
    search.add_trials([trial for _, trial in sorted(slots(study, tuning.trials).items())])
    return search


def trials_table(study: str, tuning: Tuning, search: optuna.Study) -> pd.DataFrame:
    """A row per trial, with NaN for the losses of one that did not end.

    `status` is ok, pruned (worse than the median of earlier trials), diverged, or failed (its worker died or met an
    error each time it was tried); `reason` says more.
    """
    rows = []
    for trial in search.get_trials(deepcopy=False):
        row: dict[str, Any] = {
            "study": study,
            "dataset": tuning.dataset,
            "trial": trial.number,
            "status": _status(trial),
        }
        row |= {"reason": trial.user_attrs.get("reason", "its worker stopped" if row["status"] == "failed" else "")}
        row |= {name: trial.params.get(name) for name in SEARCHED}
        row |= {"epochs": len(trial.intermediate_values), "validation_nll": math.nan, "test_nll": math.nan}
        row |= {"test_mse_rates": math.nan, "test_mse_means": math.nan}
        if row["status"] == "ok":
            row |= trial.user_attrs["row"]
        rows.append(row | {"worker": trial.user_attrs.get("worker")})
    return pd.DataFrame(rows)


def best_of(tuning: Tuning, table: pd.DataFrame) -> str:
    """The hyper-parameters of the trial of lowest validation NLL, in the form of a study's `parameters`, as YAML.

    Those searched for, and those that all trials shared but max_epochs: it is the search's budget, no finding, and
    would cut short whatever starts from the best.
    """
    if table["validation_nll"].isna().all():
        raise InputError(
            f"tuning: none of the {len(table)} trials came to its end; see status and reason in trials.tsv"
        )
    best = table.loc[table["validation_nll"].idxmin()]
    values = {"encoder": best["encoder"], "alpha_z": float(best["alpha_z"]), "alpha_w": float(best["alpha_w"])}
    comment = (
        f"# Trial {best['trial']} of the study {best['study']}, the best of {len(table)} on {best['dataset']}: "
        f"validation NLL {best['validation_nll']:.6f} nats per entry.\n"
    )
    shared = tuning.set.model_dump(mode="json", exclude_unset=True, exclude={"max_epochs"})
    return comment + dump_yaml(values | shared)


def write_best(text: str, target: Path) -> None:
    """Write best.yaml, whole or not at all."""
    with atomic_write(target) as part:
        part.write_text(text)


def importances(search: optuna.Study) -> dict[str, float]:
    """Optuna's share of the validation NLL's variance that each hyper-parameter explains; empty if too few ended."""
    ended = search.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    varied = [name for name in SEARCHED if len({trial.params[name] for trial in ended}) > 1]
    if len(ended) < 4 or not varied:
        return {}
    return optuna.importance.get_param_importances(
        search, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0), params=varied
    )


def _status(trial: FrozenTrial) -> str:
    if trial.state == TrialState.PRUNED:
        return trial.user_attrs.get("reason", "pruned")
    return "ok" if trial.state == TrialState.COMPLETE else "failed"
