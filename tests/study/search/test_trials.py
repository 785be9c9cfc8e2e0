"""What is searched as a study asks for it, and what a finished search leaves."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.study.search.searching import SHARED, SPACE, by_penalty, pretend, search
from zipo.parameters import ParameterValues
from zipo.shared.errors import InputError
from zipo.study.config import load
from zipo.study.search import worker as tune
from zipo.study.search.space import Tuning, warm_up
from zipo.study.search.trials import best_of, finished_search
from zipo.study.settings import settings_of

CONFIG = Path(__file__).parents[3] / "config"


def test_best_yaml_is_the_minimum_of_the_table(alone, tmp_path):
    tuning = Tuning(**SPACE, set=SHARED, trials=12)
    best = yaml.safe_load(best_of(tuning, alone))
    row = alone.sort_values("validation_nll").iloc[0]
    assert row["validation_nll"] == alone["validation_nll"].min()
    assert {name: best.pop(name) for name in ("encoder", "alpha_z", "alpha_w")} == {
        name: row[name] for name in ("encoder", "alpha_z", "alpha_w")
    }
    assert best == {name: value for name, value in SHARED.items() if name != "max_epochs"}


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
    paper["parameters"]["plateau_patience"] = 3
    paper["experiments"] = {"latents": {"base": str(best), "grid": {"alpha_w": [0.5]}, "set": {"stop_patience": 7}}}
    with pytest.raises(InputError, match=r"p\.yaml: experiments\.latents\.base: .*best\.yaml: no such file; a search"):
        settings_of(load(paper, "p.yaml", CONFIG))
    best.write_text(best_of(Tuning(**SPACE, set=SHARED), alone))
    (setting,) = settings_of(load(paper, "p.yaml", CONFIG)).values()
    values = yaml.safe_load(best.read_text())
    study = {"alpha_w": 0.5, "stop_patience": 7, "plateau_patience": 3, "residuals": "none"}
    assert setting.parameters.model_dump() == ParameterValues(**values | study).model_dump()
    assert setting.parameters.batch_size == SHARED["batch_size"]  # the search's, over the study's 32
    # the search stopped after 3 epochs at the latest, which is no reason for an experiment to
    assert setting.parameters.max_epochs == ParameterValues().max_epochs > SHARED["max_epochs"]
    paper["parameters"]["max_epochs"] = 11
    (setting,) = settings_of(load(paper, "p.yaml", CONFIG)).values()
    assert setting.parameters.max_epochs == 11
    best.write_text("alpha_zz: 1\n")
    with pytest.raises(InputError, match=r"best\.yaml: alpha_zz: unknown key"):
        settings_of(load(paper, "p.yaml", CONFIG))
