"""Settings: what experiments share is trained once, ids depend on values alone."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from zipo.figures.shared.comparison import select
from zipo.shared.errors import InputError
from zipo.shared.validation import check
from zipo.study.claims.catalogue import CLAIMS
from zipo.study.config import load
from zipo.study.settings import Setting, block_name, blocks_of, seeds_of_block, settings_of

CONFIG = Path(__file__).parents[2] / "config"


def planned(tmp_path, experiments: dict, choices: dict, **study):
    (tmp_path / "datasets.yaml").write_text((CONFIG / "datasets.yaml").read_text())
    (tmp_path / "experiments.yaml").write_text(yaml.safe_dump(experiments))
    config = {
        "study": "s",
        "title": "t",
        "datasets": {"baron": {}, "simulated": {}},
        "default_dataset": "baron",
        "experiments": choices,
        "parameters": {"encoder": "32-8"},
        "seeds": 2,
    }
    return settings_of(load(config | study, "s.yaml", tmp_path))


CATALOGUE = {
    "alpha": {"title": "a", "grid": {"alpha_z": [0, 0.1], "alpha_w": [0.1, 1]}},
    "width": {"title": "w", "points": [{"encoder": "32-8"}, {"encoder": "64-8", "residuals": 1}]},
}


def test_a_grid_is_every_combination_over_the_base(tmp_path):
    settings = planned(tmp_path, CATALOGUE, {"alpha": {}}).values()
    assert {(s.parameters.alpha_z, s.parameters.alpha_w) for s in settings} == {
        (0, 0.1),
        (0, 1),
        (0.1, 0.1),
        (0.1, 1),
    }
    assert {s.parameters.encoder for s in settings} == {"32-8"}
    assert {s.dataset for s in settings} == {"baron"}


def test_shared_settings_are_planned_once_with_all_their_experiments_and_seeds(tmp_path):
    settings = planned(tmp_path, CATALOGUE, {"alpha": {}, "width": {"seeds": 5}})
    assert len(settings) == 4 + 2 - 1
    (shared,) = [s for s in settings.values() if len(s.experiments) == 2]
    assert shared.experiments == ["alpha", "width"]
    assert shared.seeds == [1, 2, 3, 4, 5]


def test_residuals_of_all_layers_have_one_name(tmp_path):
    settings = planned(tmp_path, CATALOGUE, {"width": {"points": [{"residuals": 1}, {"residuals": "full"}]}})
    assert len(settings) == 1


def test_a_study_replaces_points_and_adds_fixed_values(tmp_path):
    choice = {"grid": {"alpha_w": [3]}, "set": {"likelihood": "zinb"}, "datasets": ["baron", "simulated"]}
    settings = planned(tmp_path, CATALOGUE, {"width": choice}).values()
    assert sorted(s.dataset for s in settings) == ["baron", "simulated"]
    assert {(s.parameters.alpha_w, s.parameters.likelihood) for s in settings} == {(3, "zinb")}


def test_ids_name_the_layers_and_change_with_any_value(tmp_path):
    (one,) = planned(tmp_path, CATALOGUE, {"width": {"points": [{"encoder": "32-8"}]}})
    (other,) = planned(tmp_path, CATALOGUE, {"width": {"points": [{"encoder": "32-8", "batch_size": 99}]}})
    (again,) = planned(tmp_path, {"width": {"title": "x"}}, {"width": {}}, title="else")
    assert one.startswith("zipo-32x8-")
    assert one != other
    assert one == again


NAMED = {
    "sparsity": {"title": "s", "points": [{"name": "paper"}, {"name": "no penalty", "alpha_w": 0}]},
    "methods": {"title": "m", "points": [{"name": "ZiPo"}, {"name": "DCA", "library": "observed"}]},
}


@pytest.mark.parametrize("order", [("sparsity", "methods"), ("methods", "sparsity")])
def test_each_experiment_has_its_own_names_for_what_they_share(tmp_path, order):
    settings = planned(tmp_path, NAMED, {name: {} for name in order})
    rows = [
        {"setting": name, "experiments": ",".join(s.experiments), "variant": s.variant} for name, s in settings.items()
    ]
    runs = pd.DataFrame(rows).assign(likelihood="zip", rate_penalty="none", alpha_rate=0, dataset="baron")
    assert set(select(runs, "methods")["variant"]) == {"ZiPo", "DCA"}
    assert set(select(runs, "sparsity")["variant"]) == {"paper", "no penalty"}
    claim = {"section": "s", "claim": "c", "data": ["baron"], "experiment": "methods", "kind": "divergence"}
    catalogue = check(CLAIMS, {"it": claim | {"of": {"variant": "ZiPo"}}}, "claims.yaml")
    study = {"experiments": {"methods": {"datasets": ["baron"], "base": {}}}}
    assert set(catalogue["it"].source({"runs": runs}, study).rows["variant"]) == {"ZiPo", "DCA"}


def test_two_names_for_one_setting_of_an_experiment_are_refused(tmp_path):
    points = [{"name": "paper"}, {"name": "ours", "alpha_w": 0.1}]
    with pytest.raises(InputError, match=r"^s\.yaml: experiments\.width at .*'ours' is the same setting as 'paper'"):
        planned(tmp_path, CATALOGUE, {"width": {"points": points}})
    with pytest.raises(InputError, match=r"width\.points\.0\.name: 'a, b' will not do: expected a name without commas"):
        planned(tmp_path, CATALOGUE, {"width": {"points": [{"name": "a, b"}]}})


def test_two_settings_of_one_id_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Setting, "id", property(lambda setting: f"zipo-{setting.parameters.alpha_w:.0f}"))
    points = {"points": [{"alpha_w": 0}, {"alpha_w": 1}, {"alpha_w": 1.25}]}
    problem = r"^s\.yaml: experiments\.width at \{'alpha_w': 1\.25\}: its id zipo-1 is by chance .* with alpha_w 1\.0; "
    with pytest.raises(InputError, match=problem):
        planned(tmp_path, CATALOGUE, {"width": points})


def test_blocks_cover_the_seeds():
    assert blocks_of([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
    assert blocks_of([1, 2, 3], None) == [[1, 2, 3]]
    assert [block_name(block) for block in blocks_of([1, 2, 3, 4, 5], 2)] == ["1-2", "3-4", "5"]
    assert [seeds_of_block(name) for name in ("1-2", "9-11", "5")] == [[1, 2], [9, 10, 11], [5]]


def test_a_setting_keeps_its_latents_where_any_of_its_experiments_looks_at_them(tmp_path):
    catalogue = {
        "width": {"title": "w", "grid": {"encoder": ["32-8", "64-8"]}},
        "places": {"title": "p", "grid": {"encoder": ["64-8"]}, "keep_latents": True},
    }
    for choices in ({"width": {}, "places": {}}, {"places": {}, "width": {}}):
        settings = planned(tmp_path, catalogue, choices).values()
        assert {s.parameters.encoder: s.keep_latents for s in settings} == {"32-8": False, "64-8": True}
