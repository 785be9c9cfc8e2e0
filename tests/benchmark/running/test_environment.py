"""Environments made from pins, of wheels that the tests build, without a package index."""

import json
import zipfile
from pathlib import Path

import pytest
import yaml

from zipo.benchmark.running import environment
from zipo.methods import discover
from zipo.shared import environments
from zipo.shared.errors import InputError

ENVS = Path(__file__).parents[3] / "envs"
ALL_PINS = {file.stem: file for folder in (environment.PINS, ENVS) for file in folder.glob("*.txt")}


def build_wheel(folder: Path, name: str, requires: str = "") -> None:
    """A wheel of one module that knows its version, 1.0."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": "version = '1.0'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)


@pytest.fixture
def pins(tmp_path, monkeypatch) -> Path:
    """A folder of pins in the place of the package's, with wheels at hand and no package index."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    build_wheel(wheels, "small")
    build_wheel(wheels, "greedy", "Requires-Dist: nosuch\n")
    for tool, value in (("PIP_FIND_LINKS", str(wheels)), ("PIP_NO_INDEX", "1"), ("UV_NO_INDEX", "1")):
        monkeypatch.setenv(tool, value)
    folder = tmp_path / "envs"
    folder.mkdir()
    monkeypatch.setattr(environment, "PINS", folder)
    return folder


def test_pins_may_lie_beside_a_method(pins, tmp_path):
    beside, folder = tmp_path / "mine", tmp_path / "environments" / "toy"
    beside.mkdir()
    assert environment.make("toy", folder, beside).reason == (
        f"its pins are missing: there is no toy.txt in {pins} or {beside}"
    )
    (beside / "toy.txt").write_text("small==1.0\n")
    assert environment.make("toy", folder, beside).versions["small"] == "1.0"
    (pins / "toy.txt").touch()
    with pytest.raises(InputError, match=r"environment 'toy': both .* hold its pins; rename one of the two"):
        environment.pins_of("toy", beside)


def test_an_environment_is_made_once_and_again_when_its_pins_change(pins, tmp_path):
    (pins / "toy.txt").write_text("# a comment\nsmall==1.0\n")
    folder = tmp_path / "environments" / "toy"
    assert environment.missing("toy", folder.parent).startswith("its environment is not there; `zipo study method-env")
    made = environment.make("toy", folder)
    assert (made.status, made.reason, made.versions["small"]) == ("ok", "", "1.0")
    assert environment.missing("toy", folder.parent) is None
    assert environment.python_of("toy", folder.parent) == Path(made.python)
    assert list((folder / "lib").glob("python3*/site-packages/small.py"))

    mark = folder / "mark"
    mark.touch()
    assert environment.make("toy", folder) == made
    assert mark.exists()
    (pins / "toy.txt").write_text("small==1.0\n# without their own requirements:\ngreedy==1.0\n")
    assert environment.make("toy", folder).versions["greedy"] == "1.0"
    assert not mark.exists()
    assert [path.name for path in folder.parent.iterdir()] == ["toy"]


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_environment_that_cannot_be_made_says_why(installer, pins, tmp_path, monkeypatch):
    if installer == "pip":
        monkeypatch.setattr(environments, "uv", lambda: None)
    (pins / "toy.txt").write_text("greedy==1.0\n")
    folder = tmp_path / "environments" / "toy"
    made = environment.make("toy", folder)
    assert made.status == "unavailable"
    assert "nosuch" in made.reason
    assert "\n" not in made.reason
    assert [path.name for path in folder.iterdir()] == ["environment.json"]
    assert environment.missing("toy", folder.parent) == f"its environment could not be made: {made.reason}"
    (pins / "toy.txt").write_text("small==1.0\n")
    assert environment.make("toy", folder).status == "ok"


def test_an_environment_without_pins(pins, tmp_path):
    made = environment.make("toy", tmp_path / "toy")
    reason = f"its pins are missing: there is no toy.txt in {pins}"
    assert (made.status, made.reason) == ("unavailable", reason)


def test_pins_lie_beside_a_users_methods_too(pins, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "toy.txt").write_text("small==1.0\n")
    monkeypatch.setenv("ZIPO_METHODS", str(mine))
    assert environment.pins_of("toy") == [mine / "toy.txt"]
    assert environment.make("toy", tmp_path / "toy").versions["small"] == "1.0"
    (pins / "toy.txt").write_text("small==0.9\n")
    with pytest.raises(InputError, match=r"environment 'toy': both .*envs/toy\.txt and .*mine/toy\.txt hold its pins"):
        environment.pins_of("toy")


def test_a_half_made_environment_does_not_count(pins, tmp_path):
    (pins / "toy.txt").write_text("small==1.0\n")
    folder = tmp_path / "toy"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_text("torn")
    assert environment.missing("toy", tmp_path)
    assert environment.make("toy", folder).status == "ok"
    assert json.loads((folder / "environment.json").read_text())["status"] == "ok"


def test_reasons_are_the_last_message_of_the_installer():
    output = "warning: old\n  \N{MULTIPLICATION SIGN} No solution found:\n  ╰─▶ Because x is\n      missing, no.\n"
    assert environments.reason_of(output) == "No solution found: Because x is missing, no."
    assert environments.reason_of("a\nERROR: first\nERROR: last\n") == "ERROR: last"
    assert environments.reason_of("something\nelse\n") == "else"


def test_methods_have_pins_for_their_environments():
    assert {method.env for method in discover().values()} - {None} <= ALL_PINS.keys()


@pytest.mark.parametrize("name", sorted(ALL_PINS))
def test_conda_and_pip_install_the_same_versions(name):
    first, _, last = ALL_PINS[name].read_text().partition("# without their own requirements:\n")
    pins = [line for line in first.splitlines() if not line.startswith("#")]
    assert all(pin.count("==") == 1 for pin in [*pins, *last.splitlines()])
    conda = yaml.safe_load((ENVS / f"{name}.yaml").read_text())
    assert conda["dependencies"] == ["python=3.11", "pip", {"pip": pins}]
    after = ENVS / f"{name}.post-deploy.sh"
    commands = after.read_text().splitlines()[1:] if after.exists() else []
    assert commands == [f"python -m pip install --no-deps {pin}" for pin in last.splitlines()]
