"""A search ends with exactly the asked trials, whoever works on it and is killed, and by the validation NLL alone."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import optuna
import pandas as pd
import pytest
import yaml
from optuna.trial import TrialState

from zipo.datasets.prepared import write
from zipo.errors import InputError
from zipo.parameters import Parameters, ParameterValues
from zipo.study import tune
from zipo.study.config import load
from zipo.study.journal import Journal, Watch, claim, open_study, slots
from zipo.study.settings import plan
from zipo.study.trials import best_of, finished_search, importances, trials_table
from zipo.study.tuning import Tuning, warm_up

CONFIG = Path(__file__).parents[2] / "config"
SPACE = {"encoders": ["16-8-4", "8-4", "16-4"], "dataset": "toy"}
SHARED = {"batch_size": 64, "max_epochs": 3, "learning_rate_decay": 1}
VARIES = ["seconds", "worker", "git_commit"]

WORKER = """
import sys, time
from pathlib import Path
from zipo.study.tune import work
from zipo.study.tuning import Tuning
folder, data, name, tuning = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Tuning.model_validate_json(sys.argv[4])
(folder / f"{name}.ready").touch()
while len(list(folder.glob("*.ready"))) < 2:  # both begin at once
    time.sleep(0.01)
work(tuning, data, [], folder / "trials.journal", "cpu", 1, folder / name, beat=0.2, grace=float(sys.argv[5]))
"""


@pytest.fixture(scope="module")
def data(simulated, tmp_path_factory) -> Path:
    """A small data set as a file."""
    path = tmp_path_factory.mktemp("data") / "toy.h5ad"
    write(simulated[:200].copy(), path)
    return path


def search(folder: Path, data: Path, **options) -> pd.DataFrame:
    """The trials of a search by one worker of this process."""
    tuning = Tuning(**SPACE | {"set": SHARED, "trials": 12} | options)
    tune.work(tuning, data, [], folder / "trials.journal", "cpu", 1, folder / "worker.txt", beat=60, grace=0.05)
    name = (folder / "worker.txt").read_text().strip()
    return trials_table("s", tuning, finished_search(tuning, folder / "trials.journal", name))


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory) -> pd.DataFrame:
    """The trials of one worker that nothing disturbs."""
    return search(tmp_path_factory.mktemp("alone"), data)


def pretend(monkeypatch, value, epochs: int = 3) -> list[dict]:
    """Let trials train in no time: `value(setting, epoch)` is the validation NLL; returns the settings as they run."""
    asked: list[dict] = []

    def run(adata, setting, seed, thresholds, device, on_epoch):
        asked.append(setting)
        for epoch in range(1, epochs + 1):
            on_epoch(epoch, value(setting, epoch))
        row = dict.fromkeys(tune.RECORDED, 0.0) | {"status": "ok", "epochs": epochs, "setting": setting["id"]}
        return None, row | {"validation_nll": value(setting, epochs)}, []

    monkeypatch.setattr(tune, "run", run)
    return asked


def by_penalty(setting: dict, epoch: int) -> float:
    """A validation NLL that is lowest at alpha_z = 0.1."""
    return 1 + np.log(setting["alpha_z"] / 0.1) ** 2 + 1 / epoch


# processes


@contextmanager
def working(folder: Path, data: Path, name: str, tuning: Tuning, grace: float):
    """One of two workers, as a process of its own."""
    command = [sys.executable, "-c", WORKER, str(folder), str(data), name, tuning.as_json(), str(grace)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(found, seconds: float = 150):
    """What a function finds once it finds something; a failure when it takes too long."""
    end = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return result


def test_two_workers_at_once_end_with_the_asked_number(data, tmp_path):
    tuning = Tuning(**SPACE, set=SHARED | {"max_epochs": 8}, trials=10, prune=False)
    with ExitStack() as stack:
        workers = [stack.enter_context(working(tmp_path, data, name, tuning, 60)) for name in ("1", "2")]
        assert [worker.wait(120) for worker in workers] == [0, 0], workers[0].stdout.read()
    assert (tmp_path / "1").read_text() == (tmp_path / "2").read_text()
    study = open_study(tmp_path / "trials.journal", (tmp_path / "1").read_text().strip())
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 10
    assert sorted(trial.user_attrs["slot"] for trial in study.trials) == list(range(10))
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 10
    assert len({trial.user_attrs["worker"] for trial in study.trials}) == 2
    assert sorted(file.name for file in tmp_path.glob("*[!y]")) == ["1", "2", "trials.journal"]


def test_a_worker_killed_in_a_trial_loses_that_trial_only(data, tmp_path):
    journal = tmp_path / "trials.journal"
    tuning = Tuning(**SPACE, set=SHARED | {"max_epochs": 30}, trials=6, prune=False)
    name = tune.search_name(tuning, data, [])
    with working(tmp_path, data, "1", tuning, 12) as victim, working(tmp_path, data, "2", tuning, 12) as survivor:
        wait_for(journal.exists)
        study = open_study(journal, name)

        def caught() -> list:
            """The victim's running trial, once something is finished; the victim is stopped outside of any lock."""
            if not study.get_trials(states=(TrialState.COMPLETE,)):
                return []
            victim.send_signal(signal.SIGSTOP)
            running = study.get_trials(states=(TrialState.RUNNING,))
            mine = [t for t in running if t.user_attrs.get("worker", "").endswith(f":{victim.pid}")]
            if mine and mine[0].intermediate_values and not list(tmp_path.glob("*.lock")):
                return mine
            victim.send_signal(signal.SIGCONT)
            return []

        (lost,) = wait_for(caught)
        victim.send_signal(signal.SIGKILL)
        before = {t.number: (t.params, t.value) for t in study.get_trials(states=(TrialState.COMPLETE,))}
        assert survivor.wait(240) == 0, survivor.stdout.read()

    assert before
    after = {trial.number: trial for trial in study.get_trials()}
    assert {number: (after[number].params, after[number].value) for number in before} == before
    assert after[lost.number].state == TrialState.FAIL
    assert [t.number for t in after.values() if t.state == TrialState.FAIL] == [lost.number]
    complete = [trial for trial in after.values() if trial.state == TrialState.COMPLETE]
    assert sorted(trial.user_attrs["slot"] for trial in complete) == list(range(6))
    again = next(trial for trial in complete if trial.user_attrs["slot"] == lost.user_attrs["slot"])
    assert again.params == lost.params
    assert len(trials_table("s", tuning, finished_search(tuning, journal, name))) == 6


# one worker


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


# the journal


def test_only_silent_trials_are_taken_from_their_workers(tmp_path):
    journal = tmp_path / "j"
    study = open_study(journal, "s")
    watch = Watch(grace=0.2)
    silent, loud = (claim(study, journal, 3, watch, 1) for _ in range(2))
    silent.suggest_float("x", 0, 1)
    for count in range(3):
        time.sleep(0.15)
        loud.set_user_attr("beat", count)
        assert {t.number for t in watch.silent(study)} <= {silent.number}
    third, again = (claim(study, journal, 3, watch, 1) for _ in range(2))
    assert (third.user_attrs["slot"], again.user_attrs["slot"]) in [(0, 2), (2, 0)]
    retried = third if third.user_attrs["slot"] == 0 else again
    assert retried.suggest_float("x", 0, 1) == silent.params["x"]
    assert claim(study, journal, 3, watch, 1) is None
    assert {slot: trial.number for slot, trial in slots(study, 3).items()}[1] == loud.number


def test_half_a_line_in_the_journal_is_dropped(tmp_path):
    journal = tmp_path / "j"
    study = open_study(journal, "s")
    study.tell(claim(study, journal, 3, Watch(60), 1), 1.0)
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"worker_')
    again = open_study(journal, "s")
    again.tell(claim(again, journal, 3, Watch(60), 1), 2.0)
    assert journal.read_bytes().startswith(whole)
    assert all(json.loads(line) for line in journal.read_text().splitlines())
    assert [trial.value for trial in study.get_trials()] == [1.0, 2.0]


def test_a_long_line_is_written_as_optuna_reads_it(tmp_path):
    backend = Journal(tmp_path / "j")
    logs = [{"op_code": 4, "text": "x" * 10_000}, {"op_code": 5}]
    for log in logs:
        backend.append_logs([log])
    stock = optuna.storages.journal.JournalFileBackend(str(tmp_path / "j"))
    assert list(stock.read_logs(0)) == logs


# what comes of it


def test_best_yaml_is_the_minimum_of_the_table(alone, tmp_path):
    tuning = Tuning(**SPACE, set=SHARED, trials=12)
    best = yaml.safe_load(best_of(tuning, alone))
    row = alone.sort_values("validation_nll").iloc[0]
    assert row["validation_nll"] == alone["validation_nll"].min()
    assert {name: best.pop(name) for name in ("encoder", "alpha_z", "alpha_w")} == {
        name: row[name] for name in ("encoder", "alpha_z", "alpha_w")
    }
    assert best == SHARED


def test_a_missing_trial_is_no_finished_search(data, tmp_path, monkeypatch):
    pretend(monkeypatch, by_penalty)
    search(tmp_path, data, trials=3)
    name = (tmp_path / "worker.txt").read_text().strip()
    with pytest.raises(InputError, match=r"3 of 4 trials of the search toy-[0-9a-f]{12} are finished"):
        finished_search(Tuning(**SPACE, trials=4), tmp_path / "trials.journal", name)


# configuration


@pytest.fixture
def paper() -> dict:
    return yaml.safe_load((CONFIG / "paper.yaml").read_text())


def test_the_papers_search_is_the_papers(paper):
    tuning = load(paper, "paper.yaml", CONFIG).tuning
    assert tuning.trials == 96
    assert tuning.dataset == "liver"
    assert tuning.encoders == [
        "2048-1024-512-256-128", "1024-512-256-128", "1024-512-256-128-64", "512-256-128", "512-256-128-64",
    ]  # fmt: skip
    drawn: dict[str, object] = {}
    trial = SimpleNamespace(
        suggest_categorical=lambda name, choices: drawn.setdefault(name, choices)[0],
        suggest_float=lambda name, low, high, log: drawn.setdefault(name, (low, high, log))[0],
    )
    setting = tune._setting(trial, tuning)
    assert drawn == {"encoder": tuning.encoders, "alpha_z": (0.01, 1, True), "alpha_w": (0.01, 1, True)}
    assert (setting["residuals"], setting["decoder"], setting["likelihood"]) == ("full", "linear", "zip")
    assert warm_up(tuning.set) == 29  # "decrease it by a factor of 0.9 to reach 0.001 at epoch 30"
    defaults = Tuning(dataset="liver")
    assert (defaults.encoders, defaults.alpha_z, defaults.alpha_w, defaults.trials) == (
        tuning.encoders, tuning.alpha_z, tuning.alpha_w, 96,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"alpha_z": [1, 0.01]}, r"tuning\.alpha_z: \[1, 0\.01\] will not do: expected the lower end"),
        ({"alpha_w": [0, 1]}, r"tuning\.alpha_w\.0: 0 will not do: .*greater than 0"),
        ({"set": {"encoder": "8-4"}}, r"encoder is searched for, so it cannot stand in set"),
        ({"dataset": "mouse"}, r"tuning\.dataset: 'mouse' is not in p\.yaml; there are liver"),
        ({"trails": 3}, r"tuning\.trails: unknown key 'trails'; did you mean 'trials'\?"),
        (
            {"encoders": ["16-8-4", "8-4"], "set": {"residuals": 2}},
            r"p\.yaml: tuning\.encoders at 8-4: residuals: 2 asks",
        ),
    ],
)
def test_a_search_that_will_not_do_is_refused(paper, change, problem):
    paper["tuning"] |= change
    with pytest.raises(InputError, match=problem):
        load(paper, "p.yaml", CONFIG)


def test_an_experiment_starts_from_the_best(paper, alone, tmp_path):
    best = tmp_path / "best.yaml"
    paper["parameters"]["batch_size"] = 32
    paper["experiments"] = {"latents": {"base": str(best), "grid": {"alpha_w": [0.5]}, "set": {"max_epochs": 7}}}
    with pytest.raises(InputError, match=r"paper: experiments\.latents\.base: .*best\.yaml: no such file; a search"):
        plan(load(paper, "p.yaml", CONFIG))
    best.write_text(best_of(Tuning(**SPACE, set=SHARED), alone))
    (setting,) = plan(load(paper, "p.yaml", CONFIG)).values()
    values = yaml.safe_load(best.read_text())
    expected = ParameterValues(**values | {"alpha_w": 0.5, "max_epochs": 7, "residuals": "none"})
    assert setting.parameters.model_dump() == expected.model_dump()
    best.write_text("alpha_zz: 1\n")
    with pytest.raises(InputError, match=r"best\.yaml: alpha_zz: unknown key"):
        plan(load(paper, "p.yaml", CONFIG))
