"""A configuration that will not do is refused by one sentence naming file, key, value and what is allowed."""

import json
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest
import yaml

from zipo.errors import InputError
from zipo.study.config import SCHEMAS, load, schema
from zipo.study.settings import plan

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"


@pytest.fixture
def demo() -> dict:
    return yaml.safe_load((CONFIG / "demo.yaml").read_text())


def changed(config: dict, path: str, value) -> dict:
    """A copy of the configuration with one key set; the path is joined by slashes."""
    config = deepcopy(config)
    *parents, last = path.split("/")
    node = config
    for key in parents:
        node = node.setdefault(key, {})
    node[last] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (
            "seedz",
            3,
            r"^s\.yaml: seedz: unknown key 'seedz'; did you mean 'seeds'\? known keys are .*datasets",
        ),
        ("parameters/alpha_zz", 1, r"parameters\.alpha_zz: unknown key 'alpha_zz'; did you mean 'alpha_z'\?"),
        ("parameters/alpha_z", -1, r"parameters\.alpha_z: -1 will not do: .*greater than or equal to 0"),
        (
            "parameters/likelihood",
            "gauss",
            r"parameters\.likelihood: 'gauss' will not do: .*'poisson', 'nb', 'zip'",
        ),
        (
            "parameters/encoder",
            "64-x",
            r"parameters\.encoder: '64-x' will not do: expected widths of layers joined",
        ),
        (
            "experiments/alpha_z/grid",
            {"alpha_z": []},
            r"experiments\.alpha_z\.grid\.alpha_z: \[\] will not do",
        ),
        (
            "experiments/alpha_z/grid",
            {"alfa_z": [1]},
            r"grid\.alfa_z: unknown key .* did you mean 'alpha_z'\?",
        ),
        ("experiments/alpha_z/grid", {"alpha_z": [0, -3]}, r"alpha_z\.grid\.alpha_z: -3 will not do"),
        ("experiments/alpha_z/gridd", {}, r"unknown key 'gridd'; did you mean 'grid'\?"),
        (
            "experiments/depths",
            {},
            r"s\.yaml: experiments: 'depths' is not in .*experiments\.yaml; there are .*depth",
        ),
        ("datasets/liver9", {}, r"s\.yaml: datasets: 'liver9' is not in .*datasets\.yaml; there are baron"),
        ("default_dataset", "simulated", r"default_dataset: 'simulated' is not in s\.yaml; there are baron"),
        (
            "experiments/latents/datasets",
            ["mouse"],
            r"experiments\.latents\.datasets: 'mouse' is not in s\.yaml",
        ),
        (
            "datasets/baron/filters",
            {"min_cels": 3},
            r"filters\.min_cels: unknown key .* did you mean 'min_cells'\?",
        ),
        ("study", None, r"s\.yaml: study: None will not do"),
        ("seeds", 0, r"seeds: 0 will not do"),
    ],
)
def test_bad_studies_are_refused(demo, path, value, problem):
    with pytest.raises(InputError, match=problem):
        load(changed(demo, path, value), "s.yaml", CONFIG)


def catalogue(tmp_path: Path, **experiments) -> Path:
    """A configuration folder whose experiments are these."""
    (tmp_path / "datasets.yaml").write_text((CONFIG / "datasets.yaml").read_text())
    (tmp_path / "experiments.yaml").write_text(yaml.safe_dump(experiments))
    return tmp_path


@pytest.mark.parametrize("method", ["zippo", "pca"])  # no method at all, and one that no experiment trains
def test_a_method_that_is_not_trained_is_refused(demo, tmp_path, method):
    folder = catalogue(tmp_path, latents={"title": "t", "method": method, "grid": {"alpha_z": [1]}})
    with pytest.raises(InputError, match=rf"experiments\.yaml: latents\.method: '{method}' will not do: .*'zipo'"):
        load(demo, "s.yaml", folder)


def test_missing_and_broken_files_are_named(demo, tmp_path):
    with pytest.raises(InputError, match=r"datasets\.yaml: no such file"):
        load(demo, "s.yaml", tmp_path)
    (tmp_path / "datasets.yaml").write_text("baron: [")
    with pytest.raises(InputError, match=r"datasets\.yaml: not valid YAML"):
        load(demo, "s.yaml", tmp_path)


def test_parameters_that_do_not_fit_together_are_refused_before_training(demo):
    study = load(changed(demo, "experiments/depth/points", [{"encoder": "64-8", "residuals": 3}]), "s.yaml", CONFIG)
    with pytest.raises(InputError, match=r"experiments\.depth at .*residuals: 3 asks for more layers than the 1"):
        plan(study)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_files_match_the_models(name):
    file = ROOT / "workflow" / "schemas" / f"{name}.schema.json"
    assert file.read_text() == schema(SCHEMAS[name]), "run: zipo study schemas workflow/schemas"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("demo.yaml", "study"),
        ("datasets.yaml", "datasets"),
        ("experiments.yaml", "experiments"),
        ("claims.yaml", "claims"),
    ],
)
def test_the_files_in_config_satisfy_their_schemas(file, name):
    jsonschema.validate(
        yaml.safe_load((CONFIG / file).read_text()),
        json.loads(schema(SCHEMAS[name])),
        jsonschema.Draft202012Validator,
    )


def test_every_field_is_described():
    for name, kind in SCHEMAS.items():
        found = json.loads(schema(kind))
        models = [found, *found["$defs"].values()]
        for model in models:
            for field, definition in model.get("properties", {}).items():
                assert definition.get("description"), f"{name}: {field}"
