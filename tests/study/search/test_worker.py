"""One worker ends with the asked trials whatever interrupts it, and searches by the validation NLL alone."""

import numpy as np
import pandas as pd
import pytest
from optuna.trial import TrialState

from tests.study.search.searching import SHARED, SPACE, by_penalty, pretend, search
from zipo.datasets.prepared import write
from zipo.parameters import Parameters
from zipo.shared.errors import InputError
from zipo.study.search import worker as tune
from zipo.study.search.journal import open_study
from zipo.study.search.space import Tuning, warm_up
from zipo.study.search.trials import best_of, finished_search, importances

VARIES = ["seconds", "worker", "git_commit"]


def test_one_worker_is_deterministic_however_often_it_is_cut_off(alone, data, tmp_path):
    for trials in (4, 11):
        search(tmp_path, data, trials=trials)
    table = search(tmp_path, data)
    pd.testing.assert_frame_equal(table.drop(columns=VARIES), alone.drop(columns=VARIES))


def test_a_finished_search_trains_nothing(data, tmp_path, monkeypatch):
    asked = pretend(monkeypatch, by_penalty)
    search(tmp_path, data)
    assert len(asked) == 12
    search(tmp_path, data)
    assert len(search(tmp_path, data, trials=5)) == 5
    assert len(asked) == 12
    search(tmp_path, data, trials=14)
    assert len(asked) == 14
    search(tmp_path, data, alpha_z=(0.1, 0.2), trials=2)  # another space is another search
    assert len(asked) == 16
    assert all(0.1 <= setting["alpha_z"] <= 0.2 for setting in asked[14:])


def test_a_search_is_named_after_the_counts_and_not_after_what_is_said_of_them(simulated, tmp_path):
    tuning, file, cells = Tuning(**SPACE), tmp_path / "toy.h5ad", simulated[:20].copy()
    write(cells, file)
    expected = tune.search_name(tuning, file, [])
    cells.uns["dataset"] = {"title": "Toy"}
    write(cells, file)
    assert tune.search_name(tuning, file, []) == expected
    cells.X[0, 0] += 1
    write(cells, file)
    assert tune.search_name(tuning, file, []) != expected


def test_trials_stay_in_their_space_and_share_the_rest(alone):
    assert set(alone["encoder"]) == set(SPACE["encoders"])
    assert alone["alpha_z"].between(0.01, 1).all()
    assert alone["alpha_w"].between(0.01, 1).all()
    assert alone["trial"].tolist() == list(range(12))
    assert alone["setting"].dropna().is_unique


def test_the_search_sees_the_validation_nll_alone(alone, data, tmp_path, monkeypatch):
    honest = tune.run

    def run(*arguments, **options):
        model, row, history = honest(*arguments, **options)
        wrong = {name: 1e6 / (1 + row[name]) for name in row if name.startswith(("test_", "training_"))}
        return model, row | wrong, history

    monkeypatch.setattr(tune, "run", run)
    table = search(tmp_path, data)
    same = ["status", "encoder", "alpha_z", "alpha_w", "epochs", "validation_nll"]
    pd.testing.assert_frame_equal(table[same], alone[same])
    assert (table["test_nll"].dropna() != alone["test_nll"].dropna()).all()


def test_the_sampler_learns_what_is_good(data, tmp_path, monkeypatch):
    pretend(monkeypatch, by_penalty)
    table = search(tmp_path, data, trials=40, prune=False)
    distance = np.log(table["alpha_z"] / 0.1).abs()
    assert distance[20:].median() < distance[:10].median() / 2
    shares = importances(
        finished_search(
            Tuning(**SPACE, set=SHARED, trials=40, prune=False),
            tmp_path / "trials.journal",
            (tmp_path / "worker.txt").read_text().strip(),
        )
    )
    assert max(shares, key=shares.get) == "alpha_z"
    assert sum(shares.values()) == pytest.approx(1)


# trials that do not end


def test_hopeless_trials_are_pruned_after_the_warm_up(data, tmp_path, monkeypatch):
    shared = {**SHARED, "learning_rate_decay": 0.5, "learning_rate": 0.016, "learning_rate_floor": 0.001}
    assert warm_up(Parameters(**shared)) == 4
    order: list[str] = []

    def value(setting, epoch):
        if setting["id"] not in order:
            order.append(setting["id"])
        return 1.0 if order.index(setting["id"]) < 7 else 2.0

    pretend(monkeypatch, value, epochs=9)
    table = search(tmp_path, data, trials=9, set=shared)
    assert table["status"].tolist() == ["ok"] * 7 + ["pruned"] * 2
    assert table["epochs"].tolist() == [9] * 7 + [5] * 2
    assert table["validation_nll"].isna().tolist() == [False] * 7 + [True] * 2


def test_diverged_trials_are_recorded_and_not_tried_again(data, tmp_path):
    explosive = SHARED | {"learning_rate": 1e20, "batch_norm": "none", "activation": "gelu"}
    table = search(tmp_path, data, set=explosive, trials=3)
    assert table["status"].tolist() == ["diverged"] * 3
    assert table["validation_nll"].isna().all()
    with pytest.raises(InputError, match="none of the 3 trials came to its end"):
        best_of(Tuning(**SPACE), table)


def test_an_error_ends_the_worker_and_is_given_up_after_three_attempts(data, tmp_path, monkeypatch):
    asked = pretend(monkeypatch, by_penalty)
    honest = tune.run

    def run(*arguments, **options):
        if len(asked) == 2:
            raise MemoryError("too large")
        return honest(*arguments, **options)

    monkeypatch.setattr(tune, "run", run)
    for _ in range(3):
        with pytest.raises(MemoryError):
            search(tmp_path, data, trials=4)
    asked.append({})
    table = search(tmp_path, data, trials=4)
    assert table["status"].tolist() == ["ok", "ok", "failed", "ok"]
    assert table.loc[2, "reason"] == "MemoryError: too large"


def test_an_interrupted_trial_is_tried_again_with_the_same_parameters(data, tmp_path, monkeypatch):
    asked = pretend(monkeypatch, by_penalty)
    honest = tune.run
    interrupted = []

    def run(adata, setting, *arguments, **options):
        if len(asked) == 2 and len(interrupted) < 4:
            interrupted.append(setting)
            raise KeyboardInterrupt
        return honest(adata, setting, *arguments, **options)

    monkeypatch.setattr(tune, "run", run)
    for _ in range(4):  # more often than an error may occur
        with pytest.raises(KeyboardInterrupt):
            search(tmp_path, data, trials=4)
    table = search(tmp_path, data, trials=4)
    assert table["status"].tolist() == ["ok"] * 4
    assert interrupted == [asked[2]] * 4


def test_a_worker_whose_trial_was_given_away_leaves_it(data, tmp_path, monkeypatch):
    journal = tmp_path / "trials.journal"
    tuning = Tuning(**SPACE, set=SHARED, trials=2)

    def value(setting, epoch):
        other = open_study(journal, tune.search_name(tuning, data, []))
        running = other.get_trials(states=(TrialState.RUNNING,))
        if len(other.trials) == 1:
            other.tell(running[0].number, state=TrialState.FAIL)
        return 1.0

    asked = pretend(monkeypatch, value)
    table = search(tmp_path, data, trials=2)
    assert table["status"].tolist() == ["ok", "ok"]
    assert len(asked) == 3
