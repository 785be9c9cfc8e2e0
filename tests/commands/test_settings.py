"""Parameters from a file, options and assignments, in this order of precedence."""

import json
import subprocess

import pytest

from zipo.commands import settings
from zipo.shared.errors import InputError


def test_assignments_win_over_options_and_options_over_the_file(tmp_path):
    file = tmp_path / "zipo.json"
    settings.write({"alpha_w": 0.5, "likelihood": "nb", "batch_size": 32}, file)
    options = {"likelihood": "zinb", "max_epochs": 7, "covariates": None}
    merged = settings.merge(file, options, ["batch_size=64", "residuals=2", "learning_rate=1e-3"])
    expected = {"alpha_w": 0.5, "likelihood": "zinb", "batch_size": 64, "max_epochs": 7, "residuals": 2}
    assert merged == expected | {"learning_rate": 0.001}


def test_options_to_paste_give_the_same_parameters(tmp_path):
    values = {"encoder": "64-16", "alpha_z": 0.0123, "covariates": ("donor", "age")}
    text = settings.as_options(values)
    assert text == "--covariate donor --covariate age --set encoder=64-16 --set alpha_z=0.0123"
    assert settings.merge(None, {}, ["encoder=64-16", "alpha_z=0.0123"]) == {"encoder": "64-16", "alpha_z": 0.0123}
    settings.write(values, tmp_path / "zipo.json")
    assert settings.merge(tmp_path / "zipo.json", {}, []) == values


def test_options_to_paste_are_quoted_for_the_shell():
    values = {"covariates": ("Donor ID", "it's:category"), "encoder": "64-16"}
    done = subprocess.run(["sh", "-c", f"printf '%s\\n' {settings.as_options(values)}"], capture_output=True, text=True)
    expected = ["--covariate", "Donor ID", "--covariate", "it's:category", "--set", "encoder=64-16"]
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("encodr=64-16", "unknown key 'encodr'; did you mean 'encoder'"),
        ("encoder=big", "encoder: 'big' will not do: expected widths of layers joined by dashes"),
        ("alpha_w=-1", "alpha_w: '-1' will not do"),
        ("alpha_w", "--set alpha_w: not of the form NAME=VALUE"),
    ],
)
def test_parameters_that_will_not_do(assignment, problem):
    with pytest.raises(InputError, match=problem):
        settings.merge(None, {}, [assignment])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read .No such file"),
        ("{", "no JSON"),
        (json.dumps([1]), "parameters by their names were expected"),
        (json.dumps({"alpha_w": "much"}), "alpha_w: 'much' will not do"),
    ],
)
def test_files_of_settings_that_will_not_do(tmp_path, text, problem):
    file = tmp_path / "zipo.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=problem):
        settings.merge(file, {}, [])
