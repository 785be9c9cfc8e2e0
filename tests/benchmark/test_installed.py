"""A wheel of ZiPo in a clean environment: a method from outside of the package is written, listed and run."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The Python of an environment in which the wheel of this tree is installed, beside the packages it needs."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    shutil.copytree(ROOT / "zipo", source / "zipo", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    offline = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    wheel = [sys.executable, "-m", "pip", "wheel", *offline, "--no-build-isolation", "-w", folder, source]
    subprocess.run(wheel, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = (folder / "venv" / "lib").glob("python3*/site-packages")
    (wheel_file,) = folder.glob("zipo-*.whl")
    shutil.unpack_archive(wheel_file, packages, "zip")
    # after its own packages, those of the tests' environment, where no editable install is looked at
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv" / "bin" / "python"


def run(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [python, "-m", "zipo", *arguments]
    environment = kept | {"ZIPO_METHODS": str(folder / "mine")}
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)


def test_a_method_is_added_from_outside(python, awkward, tmp_path):
    new = run(python, tmp_path, "new-method", "fresh")
    assert new.stdout.startswith(f"{tmp_path / 'mine' / 'fresh.py'}: fill it in"), new.stderr
    assert "\nfresh\n    environment: zipo\n" in run(python, tmp_path, "methods").stdout
    done = run(python, tmp_path, "study", "run-method", "fresh", "{}", str(awkward), "out", "1", "1", "60")
    assert done.stderr == "fresh: ok\n"
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["status"], result["parameters"]) == ("ok", {"strength": 0.5})


def test_the_wheel_has_the_pins_of_methods(python):
    code = (
        "import zipo; print(zipo.__file__); from zipo.benchmark.running.environment import pins_of;"
        "print([file.name for name in ('dca', 'magic', 'scvi') for file in pins_of(name)])"
    )
    done = subprocess.run([python, "-P", "-c", code], env={}, capture_output=True, text=True, check=True)
    package, names = done.stdout.splitlines()
    assert Path(package).is_relative_to(python.parents[1])
    assert names == "['dca.txt', 'magic.txt', 'scvi.txt']"


def test_the_wheel_has_the_catalogue_and_the_benchmark(python):
    code = (
        "from pathlib import Path; from zipo import methods; from zipo.commands.benchmark import setup;"
        "pca = setup.method_of(Path(methods.__path__[0]) / 'pca.py');"
        "print(setup.PUBLISHED); print(*setup.setup_of(pca, [], {}, None, Path('out')).datasets)"
    )
    done = subprocess.run([python, "-P", "-c", code], env={}, capture_output=True, text=True, check=True)
    published, names = done.stdout.splitlines()
    assert Path(published).is_relative_to(python.parents[1])
    assert names == "baron baron_donors"
