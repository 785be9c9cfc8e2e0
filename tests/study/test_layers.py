"""Files over files, and options over them: merged as Snakemake merges them, with the place that each key is from."""

import copy
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from zipo.shared.errors import InputError
from zipo.study.layers import layers

FILES = [
    {"study": "a", "datasets": {"x": {}, "y": {"filters": {"min_cells": 3}}}, "seeds": 2, "parameters": {"alpha_z": 1}},
    {"title": "t", "datasets": {"y": {"filters": {"min_genes": 5}}, "z": {}}, "parameters": None},
]


@pytest.fixture
def files(tmp_path, monkeypatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    for number, values in enumerate(FILES):
        Path(f"{number}.yaml").write_text(yaml.safe_dump(values))
    return [Path(f"{number}.yaml") for number in range(len(FILES))]


def test_layers_are_merged_as_snakemake_does(files):
    expected = copy.deepcopy(FILES[0])
    update_config(expected, FILES[1])
    update_config(expected, {"seeds": 7, "parameters": {"alpha_w": 1e-4}})
    assert layers(files, ["seeds=7", "parameters={alpha_w: 1e-4}"]).values == expected
    assert FILES[0]["datasets"]["y"] == {"filters": {"min_cells": 3}}


def test_each_key_has_the_place_that_says_it(files):
    configuration = layers(files, ["datasets={z: {filters: {min_cells: 1}}}"])
    assert configuration.places == "0.yaml, 1.yaml, --config"
    assert configuration.place_of("seeds") == "0.yaml"
    assert configuration.place_of("title") == "1.yaml"
    assert configuration.place_of("datasets", "y", "filters", "min_cells") == "0.yaml"
    assert configuration.place_of("datasets", "y", "filters", "min_genes") == "1.yaml"
    assert configuration.place_of("datasets", "z", "filters", "missing") == "--config"
    assert configuration.place_of("parameters") == "1.yaml"  # the last of two that say it
    assert configuration.place_of("missing") == configuration.place_of() == configuration.places


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("k=true", True),
        ("k=True", True),
        ('k="true"', "true"),
        ("k=3", 3),
        ("k=1e-4", 1e-4),
        ("k=a=b", "a=b"),
        ("k=", None),
        ("k=[a", "[a"),  # no YAML: the text as it is, as Snakemake takes it
        ("k=ZiPo: a title", "ZiPo: a title"),
        ("k=1024-64-16", "1024-64-16"),
        ("k={'a': 1, b: [x, 2]}", {"a": 1, "b": ["x", 2]}),
    ],
)
def test_options_are_read_as_files_are(option, value):
    (read,) = layers([], [option]).values.values()
    assert (read, type(read)) == (value, type(value))


def test_options_are_strict_too():
    with pytest.raises(InputError, match="--config parameters: line 1: the key 'a' stands here a second time"):
        layers([], ["parameters={a: 1, a: 2}"])


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n"])
def test_a_file_of_no_keys_is_refused(tmp_path, text):
    (tmp_path / "f.yaml").write_text(text)
    with pytest.raises(InputError, match=r"f\.yaml: expected keys and their values"):
        layers([tmp_path / "f.yaml"])
