"""Settings under readings: one change at a time, what the readings leave alone trained once."""

from pathlib import Path

import pytest
import yaml

from zipo.shared.errors import InputError
from zipo.study.config import load
from zipo.study.readings.facts import ReadingFacts
from zipo.study.readings.planning import AS_RUN, all_settings, check_claims, readings_of
from zipo.study.settings import Setting, settings_of

CONFIG = Path(__file__).parents[3] / "config"
EXPERIMENTS = {
    "alpha_z": {"title": "a", "grid": {"alpha_z": [0, 0.1]}},
    "norm": {"title": "n", "grid": {"batch_norm": ["after", "none"]}},
    "likelihood": {
        "title": "l",
        "points": [{"likelihood": "zip"}, {"likelihood": "zinb"}, {"likelihood": "zinb", "rate_penalty": "none"}],
    },
    "methods": {"title": "m", "points": [{"name": "ZiPo"}, {"name": "DCA", "library": "observed", "input": "raw"}]},
}
QUESTIONS = {
    "reduction": {"readings": {"mean": {"set": {"reduction": "mean"}}, "sum": {"set": {"reduction": "sum"}}}},
    "norm": {"readings": {"before": {"set": {"batch_norm": "before"}}}},
    "input": {"readings": {"normalised": {"set": {"input": "normalised_log1p"}}}},
    "rates": {"readings": {"library": {"set": {"rate_penalty": "library"}}}},
    "early": {"readings": {"without": {"set": {"alpha_w": 0}}}, "experiments": ["norm"]},
    "dca": {"readings": {"predicted": {"points": {"DCA": {"library": "predicted"}}}}},
}


def study_of(folder: Path, experiments: dict | None = None, **changes):
    (folder / "datasets.yaml").write_text((CONFIG / "datasets.yaml").read_text())
    (folder / "experiments.yaml").write_text(yaml.safe_dump(EXPERIMENTS))
    entries = {name: {"question": f"{name}?", "anchor": f"open-{name}"} | entry for name, entry in QUESTIONS.items()}
    (folder / "readings.yaml").write_text(yaml.safe_dump(entries, sort_keys=False))
    repeated = experiments or {name: {} for name in EXPERIMENTS}
    config = {
        "study": "s", "title": "t", "datasets": {"baron": {}, "simulated": {}}, "default_dataset": "baron", "seeds": 3,
        "parameters": {"encoder": "32-8"}, "experiments": {name: {} for name in EXPERIMENTS},
        "readings": {"experiments": repeated} | changes.pop("readings", {}),
    }  # fmt: skip
    return load(config | changes, "s.yaml", folder)


def values(study, reading: str, experiment: str, *names: str) -> list[tuple]:
    (chosen,) = [each for each in readings_of(study) if each.name == reading]
    return [tuple(getattr(setting.parameters, name) for name in names) for setting in chosen.settings[experiment]]


def test_the_own_reading_comes_first_and_those_that_change_nothing_are_left_out(tmp_path):
    study = study_of(tmp_path)
    assert [reading.name for reading in readings_of(study)] == [
        AS_RUN, "reduction=sum", "norm=before", "input=normalised", "rates=library", "early=without", "dca=predicted",
    ]  # fmt: skip
    other = study_of(tmp_path, parameters={"encoder": "32-8", "reduction": "sum"})
    assert [reading.name for reading in readings_of(other)][:2] == [AS_RUN, "reduction=mean"]


def test_number_of_settings_and_what_is_shared(tmp_path):
    study = study_of(tmp_path)
    # the base setting is in every experiment: alpha_z 1 more, norm 1, likelihood 2, methods 1
    assert len(settings_of(study)) == 6
    # sum 6; batch norm 6 but that without; input 6 but DCA, which has its own; rates 1 of ZINB; early 2; DCA 1
    assert len(all_settings(study)) == 6 + 6 + 5 + 5 + 1 + 2 + 1
    of_own = [s for name, s in all_settings(study).items() if name in settings_of(study)]
    assert all(s.experiments[-1] == "readings" and len(s.experiments) > 1 for s in of_own)
    added = [s for name, s in all_settings(study).items() if name not in settings_of(study)]
    assert all(s.experiments == ["readings"] and s.seeds == [1, 2, 3] for s in added)


def test_a_setting_under_a_reading_that_has_the_id_of_another_is_refused(tmp_path, monkeypatch):
    study = study_of(tmp_path, readings={"questions": [], "widths": [2]})
    monkeypatch.setattr(Setting, "id", property(lambda s: str(s.resolved | {"encoder": "", "library_network": ""})))
    with pytest.raises(InputError, match=r"^s\.yaml: readings under widths=2: its id .* with encoder 32-8"):
        all_settings(study)


def test_one_reading_is_changed_at_a_time(tmp_path):
    study = study_of(tmp_path)
    base, _ = values(study, AS_RUN, "alpha_z", *type(study.file.parameters).model_fields)[::-1]
    changed, _ = values(study, "reduction=sum", "alpha_z", *type(study.file.parameters).model_fields)[::-1]
    assert [(old, new) for old, new in zip(base, changed, strict=True) if old != new] == [("mean", "sum")]


def test_a_reading_replaces_the_value_of_the_base_and_no_other(tmp_path):
    study = study_of(tmp_path)
    assert values(study, "norm=before", "norm", "batch_norm") == [("before",), ("none",)]
    assert values(study, "input=normalised", "methods", "input") == [("normalised_log1p",), ("raw",)]
    assert values(study, "dca=predicted", "methods", "library") == [("predicted",), ("predicted",)]
    # ZIP has no rate penalty, whatever its name, and is not trained twice
    assert values(study, "rates=library", "likelihood", "rate_penalty") == [("entrywise",), ("library",), ("none",)]


def test_a_question_concerns_its_experiments_alone(tmp_path):
    study = study_of(tmp_path)
    assert values(study, "early=without", "norm", "alpha_w") == [(0,), (0,)]
    assert values(study, "early=without", "alpha_z", "alpha_w") == [(0.1,), (0.1,)]
    early = ReadingFacts.of(study).readings[5]
    assert early.same_as_run == ["alpha_z", "likelihood", "methods"]
    assert ReadingFacts.of(study).readings[0].same_as_run == []


def test_a_study_chooses_questions_points_data_sets_and_seeds(tmp_path):
    chosen = {"alpha_z": {"grid": {"alpha_z": [0.1, 7]}, "datasets": ["simulated"]}}
    study = study_of(tmp_path, chosen, readings={"questions": ["reduction"], "seeds": 2})
    assert [reading.name for reading in readings_of(study)] == [AS_RUN, "reduction=sum"]
    assert values(study, "reduction=sum", "alpha_z", "alpha_z") == [(0.1,), (7.0,)]
    (setting, _) = readings_of(study)[1].settings["alpha_z"]
    assert (setting.dataset, setting.seeds) == ("simulated", [1, 2])
    (shared, *_) = [s for s in all_settings(study).values() if s.experiments == ["alpha_z"]]
    assert shared.seeds == [1, 2, 3]


def test_other_widths_are_those_of_every_setting_and_of_the_base(tmp_path):
    study = study_of(tmp_path, {"methods": {}}, readings={"questions": [], "widths": [0.5, 2]})
    assert [reading.name for reading in readings_of(study)] == [AS_RUN, "widths=0.5", "widths=2"]
    assert values(study, "widths=2", "methods", "encoder", "library") == [("64-8", "predicted"), ("64-8", "observed")]
    facts = ReadingFacts.of(study)
    assert [reading.widths for reading in facts.readings] == [1, 0.5, 2]
    assert [reading.experiments["methods"].base["first_layer"] for reading in facts.readings] == [32, 16, 64]
    assert facts.populations == {"baron": "Human pancreas, donor 1", "simulated": "Simulated, zero-inflated"}


def test_the_base_of_a_reading_changes_as_its_points_do(tmp_path):
    readings = {reading.name: reading for reading in ReadingFacts.of(study_of(tmp_path)).readings}
    assert readings["reduction=sum"].experiments["alpha_z"].base["reduction"] == "sum"
    # ZIP has no rate penalty, but claims find ZINB's runs by the base's; experiments of ZIP alone are as they were
    assert readings["rates=library"].experiments["likelihood"].base["rate_penalty"] == "library"
    assert readings["rates=library"].experiments["alpha_z"].base["rate_penalty"] == "entrywise"
    assert readings["early=without"].experiments["norm"].base["alpha_w"] == 0
    assert readings["early=without"].experiments["alpha_z"].base["alpha_w"] == 0.1


@pytest.mark.parametrize(
    ("readings", "problem"),
    [
        ({"questions": ["reductoin"]}, "readings.questions: 'reductoin' is not in .*did you mean 'reduction'"),
        ({"experiments": {"depth": {}}}, "readings.experiments: 'depth' is not in s.yaml; there are alpha_z"),
        ({"experiments": {}}, "readings.experiments"),
        ({"experiments": {"norm": {"datasets": ["zeisel"]}}}, "readings.experiments.norm.datasets: 'zeisel'"),
        ({"seeds": 0}, "readings.seeds"),
        ({"widths": [0]}, r"readings.widths.*greater than 0"),
        ({"widths": [2, 2.0000001]}, r"s\.yaml: readings\.widths: .* will not do: 2 stands here more than once"),
        ({"widths": [2, 1]}, r"s\.yaml: readings\.widths\.1: 1 will not do: .*the study's own .*leave it out"),
        ({"questions": ["reduction"] * 2}, r"readings\.questions: .* reduction stands here more than once"),
        ({"claims": ["one", "one"]}, r"readings\.claims: .* one stands here more than once"),
        (
            {"experiments": {"norm": {"datasets": ["baron"] * 2}}},
            r"norm\.datasets: .* baron stands here more than once",
        ),
        ({"questions": []}, "nothing is changed: name questions or widths"),
    ],
)
def test_refusals(tmp_path, readings, problem):
    with pytest.raises(InputError, match=problem):
        study_of(tmp_path, readings=readings)


def test_claims_that_are_not_in_the_catalogue_are_refused(tmp_path):
    study = study_of(tmp_path, readings={"claims": ["one", "another"]})
    with pytest.raises(InputError, match=r"s\.yaml: readings\.claims: 'another' is not in claims\.yaml"):
        check_claims(study, ["one"], "claims.yaml")
    check_claims(study, ["one", "another"], "claims.yaml")


def test_every_question_of_the_catalogue_is_explained_where_it_points_to():
    text = (CONFIG.parent / "docs" / "open-questions.rst").read_text()
    for name, question in yaml.safe_load((CONFIG / "readings.yaml").read_text()).items():
        assert f".. _{question['anchor']}:" in text, name


def test_every_reading_of_the_catalogue_is_of_its_question():
    """Readings of one question set the same hyper-parameters, so that each replaces the other."""
    for name, question in yaml.safe_load((CONFIG / "readings.yaml").read_text()).items():
        answers = question["readings"].values()
        assert len({str([sorted(answer.get(part, {})) for part in ("set", "points")]) for answer in answers}) == 1, name
