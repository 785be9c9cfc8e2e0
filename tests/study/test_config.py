"""A configuration that will not do is refused by one sentence naming file, key, value and what is allowed."""

import json
from copy import deepcopy
from pathlib import Path

import jsonschema
import pytest
import yaml
from snakemake.common.configfile import load_configfile

from zipo.shared.errors import InputError
from zipo.study.config import load, resolved
from zipo.study.layers import layers
from zipo.study.schemas import SCHEMAS, schema
from zipo.study.settings import settings_of

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
        ("study", None, r"s\.yaml: study: None will not do: expected text"),
        ("seeds", 0, r"seeds: 0 will not do"),
        # true and false are no numbers, nor is what YAML takes for a number or a mapping text
        ("seeds", True, r"s\.yaml: seeds: True will not do: expected a number, not true or false"),
        ("prune_thresholds", [True], r"prune_thresholds: \[True\] will not do: expected a number"),
        ("parameters/alpha_z", False, r"parameters\.alpha_z: False will not do: expected a number"),
        ("seeds", "1_0", r"^s\.yaml: seeds: '1_0' will not do: expected a number without _"),
        ("seeds", "on", r"^s\.yaml: seeds: 'on' will not do: expected a whole number$"),
        ("seeds", 2.5, r"^s\.yaml: seeds: 2\.5 will not do: expected a whole number$"),
        ("checkpoint_seconds", "often", r"checkpoint_seconds: 'often' will not do: expected a number$"),
        ("prune_thresholds", [1e-3, "1_0e-5"], r"prune_thresholds: .* will not do: expected a number without _"),
        ("prune_thresholds", [], r"^s\.yaml: prune_thresholds: \[\] will not do: expected at least one$"),
        ("checkpoint_seconds", float("inf"), r"checkpoint_seconds: inf will not do"),
        ("title", 2026, r"title: 2026 will not do: expected text, so put it in quotes"),
        (
            "datasets",
            ["baron"],
            r"datasets: \['baron'\] will not do: expected keys and their values, as in \{key: value\}",
        ),
        (
            "datasets/baron",
            None,
            r"datasets\.baron: None will not do: expected keys and their values, .* \{\} for none",
        ),
        ("prune_thresholds", 0.1, r"prune_thresholds: 0\.1 will not do: expected a list"),
        # what is named twice would be counted twice
        (
            "experiments/latents/datasets",
            ["baron", "pbmc68k_reduced", "baron"],
            r"^s\.yaml: experiments\.latents\.datasets: \['baron', .*\] will not do: baron stands here more than once",
        ),
        ("benchmark/datasets", ["baron", "baron"], r"benchmark\.datasets: .* baron stands here more than once"),
        ("benchmark/shallow", ["baron", "baron"], r"benchmark\.shallow: .* baron stands here more than once"),
        ("tuning/encoders", ["8-4", 8, "8"], r"tuning\.encoders: .* will not do: 8 stands here more than once"),
        ("prune_thresholds", [1e-4, 1.0000001e-4], r"prune_thresholds: .*: 0\.0001 stands here more than once"),
        # names, in words
        (
            "datasets/My-Cells",
            {},
            r"datasets\.My-Cells: 'My-Cells' will not do: expected a name of small letters, digits",
        ),
        ("experiments/Depth", {}, r"experiments\.Depth: 'Depth' will not do: .*such as my_cells"),
        ("study", "My Study", r"study: 'My Study' will not do: expected a name of small .*such as my_study"),
        (
            "study",
            "slurm",
            r"study: 'slurm' will not do: results/slurm holds the logs of SLURM's jobs; give .*my_study",
        ),
        ("study", "downloads", r"study: 'downloads' will not do: results/downloads holds what is fetched"),
        ("study", "environments", r"study: 'environments' will not do: results/environments holds the env"),
        ("benchmark/methods", {"My Method": {}}, r"benchmark\.methods\.My Method: .*a letter first, such as my_method"),
        ("device", "gpu", r"device: 'gpu' will not do: .*'auto', 'cpu' or 'cuda'"),
        ("geo_url", "ftp.ncbi.nlm.nih.gov", r"geo_url: 'ftp.*' will not do: expected an address without / at its end"),
        ("max_minutes", 0, r"max_minutes: 0 will not do"),
        ("max_minutes", 14, r"s\.yaml: max_minutes: 14 would cut off runs of benchmark, which may take 15 "),
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


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"sha256": "abc"}, r"own\.source\.file\.sha256: 'abc' will not do: expected 64 hexadecimal digits"),
        (
            {"url": "host/x.h5ad", "path": None},
            r"own\.source\.file\.url: .*expected the address of a file, such as https",
        ),
        ({"url": "https://h/x.h5ad"}, r"own\.source\.file: give either path or url, and not both"),
        ({"kind": "synapse"}, r"own\.source\.synapse\.counts: this key is required"),
    ],
)
def test_bad_data_sets_are_refused_in_words(demo, tmp_path, entry, problem):
    source = {"kind": "file", "path": "x.h5ad"} | entry
    folder = catalogue(tmp_path)
    (folder / "datasets.yaml").write_text(yaml.safe_dump({"own": {"title": "t", "source": source}}))
    with pytest.raises(InputError, match=rf"datasets\.yaml: {problem}") as raised:
        load(demo, "s.yaml", folder)
    assert "^" not in str(raised.value)  # a regular expression


@pytest.mark.parametrize(
    ("method", "parameters", "problem"),
    [
        ("zipo", {"likelihood": "zinbb"}, r"zipo\.parameters: likelihood: 'zinbb' will not do"),
        ("zipo", {"encoder": "16-8", "residuals": 3}, r"zipo\.parameters: residuals: 3 asks for more layers"),
        (
            "pca",
            {"components": "many"},
            r"pca\.parameters\.components: 'many' will not do: expected a number, as .* 20 is",
        ),
    ],
)
def test_parameters_of_methods_are_refused_before_they_run(demo, method, parameters, problem):
    choice = {"methods": {"zipo": {}, "gene_mean": {}, method: {"parameters": parameters}}}
    with pytest.raises(InputError, match=rf"s\.yaml: benchmark\.methods: {problem}"):
        _ = load(changed(demo, "benchmark", choice), "s.yaml", CONFIG).rows


def test_each_error_names_the_layer_that_it_is_from(demo, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("parameters: {alpha_z: -1}\n")
    files = [CONFIG / "demo.yaml", own]
    for options, problem in (
        ([], rf"^{own}: parameters\.alpha_z: -1 will not do"),
        (["parameters={alpha_z: 1}", "sedes=3"], r"^--config: sedes: unknown key 'sedes'; did you mean 'seeds'\?"),
        (
            ["parameters={alpha_z: 1}", "default_dataset=mouse"],
            r"^--config: default_dataset: 'mouse' is not in .*demo\.yaml",
        ),
        (
            ["parameters={alpha_z: 1}", "experiments={depth: {points: [{encoder: 8, residuals: 2}]}}"],
            r"^--config: experiments\.depth at .*residuals: 2 asks for more layers",
        ),
    ):
        actual = layers(files, options)
        with pytest.raises(InputError, match=problem):
            settings_of(load(actual.values, actual.place_of, CONFIG))
    actual = layers(files, ["parameters={alpha_z: 0.5}", "update_lock=true"])
    study = load(actual.values, actual.place_of, CONFIG)
    assert (study.file.parameters.alpha_z, study.file.update_lock) == (0.5, True)


@pytest.mark.parametrize("name", ["demo", "benchmark", "paper"])
def test_the_resolved_configuration_gives_the_same_study(name, tmp_path):
    actual = layers([CONFIG / f"{name}.yaml"], ["seeds=7", "title=1e-4: again", "parameters={encoder: 1024-64-16}"])
    study = load(actual.values, actual.place_of, CONFIG)
    file = tmp_path / "config.yaml"
    file.write_text(resolved(study.file))
    again = load(layers([file]).values, "config.yaml", CONFIG)
    assert again.file == study.file
    assert again.file.seeds == 7
    assert again.file.model_fields_set == study.file.model_fields_set
    assert settings_of(again).keys() == settings_of(study).keys()
    assert load(load_configfile(file), "config.yaml", CONFIG).file == study.file  # as Snakemake reads it


def test_parameters_that_do_not_fit_together_are_refused_before_training(demo):
    study = load(changed(demo, "experiments/depth/points", [{"encoder": "64-8", "residuals": 3}]), "s.yaml", CONFIG)
    with pytest.raises(InputError, match=r"experiments\.depth at .*residuals: 3 asks for more layers than the 1"):
        settings_of(study)


def test_a_folder_is_no_base(demo):
    study = load(changed(demo, "experiments/depth/base", "."), "s.yaml", CONFIG)
    with pytest.raises(InputError, match=r"^s\.yaml: experiments\.depth\.base: \.: no such file; a search for"):
        settings_of(study)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_files_match_the_models(name):
    file = ROOT / "workflow" / "schemas" / f"{name}.schema.json"
    assert file.read_text() == schema(SCHEMAS[name]), "run: zipo study schemas workflow/schemas"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("demo.yaml", "study"),
        ("verdicts.yaml", "study"),
        ("sparsity.yaml", "study"),
        ("scale.yaml", "study"),
        ("readings.yaml", "readings"),
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
        actual = json.loads(schema(kind))
        models = [actual, *actual["$defs"].values()]
        for model in models:
            for field, definition in model.get("properties", {}).items():
                assert definition.get("description"), f"{name}: {field}"
