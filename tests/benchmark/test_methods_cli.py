"""The commands about methods, and files dropped into the folder of methods."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.methods.fixtures import is_gone, wait_for
from zipo import methods
from zipo.benchmark import methods_cli as cli
from zipo.shared.errors import InputError


def zipo(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "zipo", *arguments], capture_output=True, text=True)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of methods of a clone at hand, which comes before that of the package."""
    actual = clone(tmp_path / "clone")
    monkeypatch.chdir(tmp_path / "clone")
    monkeypatch.setattr(methods, "__path__", [str(actual), *methods.__path__])
    return actual


def clone(root: Path) -> Path:
    """The folder of methods of an empty clone."""
    actual = root / "zipo" / "methods"
    actual.mkdir(parents=True)
    (actual / "__init__.py").touch()
    (root / "Snakefile").touch()
    return actual


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    """What a test imports from its folder is gone after it."""
    for name in ("fresh", "broken", "silent", "misnamed"):
        monkeypatch.setitem(sys.modules, f"zipo.methods.{name}", None)
        monkeypatch.delitem(sys.modules, f"zipo.methods.{name}")


def test_methods_are_listed_with_what_they_declare():
    listed = zipo("methods").stdout
    assert "\npca\n    environment: zipo\n    parameters:  components=20\n    output:      log1p of norm" in listed
    assert "\ndca\n    environment: dca\n" in listed
    assert "dca 0.3.4" in listed
    assert "by hand:     install R and, in R, install.packages('SAVER')" in listed
    assert "commercial use needs a" in listed[listed.index("screcode 2.2.0; patented") :]
    names = [line for line in listed.splitlines() if not line.startswith(" ")]
    assert names == methods.known()
    assert {"zipo", "dca", "scvi", "magic", "alra", "knn_smoothing", "pca"} <= set(names)


def test_listing_methods_loads_no_heavy_package():
    code = (
        "import sys; from zipo.methods import discover; discover();"
        "print(sorted({'torch', 'scanpy', 'sklearn', 'pygsp', 'scvi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_new_method_is_a_method_at_once(folder, awkward, tmp_path, capsys):
    cli.new_method("fresh")
    assert str(folder / "fresh.py") in capsys.readouterr().out
    assert "fresh" in methods.known()
    actual = methods.method("fresh")
    assert (actual.fault, actual.file, actual.parameters) == (None, folder / "fresh.py", {"strength": 0.5})

    from zipo.benchmark.running.launch import run

    result = run(actual, awkward, tmp_path / "out", seed=1, threads=1, seconds=60)
    assert (result.status, result.reason) == ("ok", "")


def test_a_new_method_goes_into_the_clone_at_hand_and_never_into_an_installed_package(tmp_path, monkeypatch, capsys):
    at_hand, ours = clone(tmp_path / "at hand"), Path(methods.__path__[0])
    (tmp_path / "at hand" / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "at hand" / "docs")
    cli.new_method("fresh")
    printed = capsys.readouterr().out
    assert printed.startswith(f"{at_hand / 'fresh.py'}: fill it in, then run .venv/bin/zipo benchmark /")
    assert ".venv/bin/pytest" in printed
    assert f"the zipo in {ours}, which does not have it" in printed  # the tests' own package is another
    assert not (ours / "fresh.py").exists()
    # outside of any clone: that of the package, if it lies in one
    monkeypatch.chdir(tmp_path)
    package = clone(tmp_path / "other")
    monkeypatch.setattr(methods, "__path__", [str(package)])
    cli.new_method("fresh")
    assert capsys.readouterr().out.count("\n") == 2
    assert (package / "fresh.py").exists()


def test_a_new_method_goes_into_the_working_folder_where_there_is_no_clone(tmp_path, monkeypatch, capsys):
    installed = tmp_path / "site-packages" / "zipo" / "methods"
    installed.mkdir(parents=True)
    (installed / "__init__.py").touch()
    (installed / "pca.py").touch()
    monkeypatch.setattr(methods, "__path__", [str(installed)])
    monkeypatch.chdir(tmp_path)
    cli.new_method("fresh")
    file = tmp_path / "fresh.py"
    assert capsys.readouterr().out == f"{file}: fill it in, then run zipo benchmark fresh.py --datasets baron\n"
    assert methods.method_of_file(file).fault is None
    assert not (installed / "fresh.py").exists()
    with pytest.raises(InputError, match=r"methods/pca\.py is there already"):
        cli.new_method("pca")


def test_a_new_method_goes_into_the_users_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ZIPO_METHODS", f"{tmp_path / 'mine'}:{tmp_path / 'theirs'}")
    cli.new_method("fresh")
    file = tmp_path / "mine" / "fresh.py"
    assert capsys.readouterr().out.startswith(f"{file}: fill it in, then run zipo benchmark {file}")
    assert (methods.method("fresh").file, methods.method("fresh").fault) == (file, None)
    with pytest.raises(InputError, match=r"methods/pca\.py is there already"):
        cli.new_method("pca")


@pytest.mark.parametrize("other", ["pca", "fresh"])
def test_two_methods_of_one_name_are_refused(other, tmp_path, monkeypatch):
    folders = [tmp_path / "mine", tmp_path / "theirs"]
    for folder, name in zip(folders, ("fresh", other), strict=True):
        folder.mkdir()
        (folder / f"{name}.py").touch()
    monkeypatch.setenv("ZIPO_METHODS", ":".join(map(str, folders)))
    with pytest.raises(
        InputError, match=rf"ZIPO_METHODS: .*theirs/{other}\.py has the name of the method in .*{other}"
    ):
        methods.known()


@pytest.mark.parametrize("name", ["Fresh", "9lives", "my-method", "a.b", "", "shared", "class"])
def test_a_new_method_needs_a_name_that_will_do(name, folder):
    with pytest.raises(InputError, match="not a name for a method"):
        cli.new_method(name)


def test_a_method_is_not_written_over(folder):
    cli.new_method("fresh")
    (folder / "fresh.py").write_text("mine")
    with pytest.raises(InputError, match=r"fresh\.py is there already"):
        cli.new_method("fresh")
    assert (folder / "fresh.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("broken", "import nosuch\n", "broken.py cannot be imported (ModuleNotFoundError: No module named 'nosuch')"),
        ("broken", "def :\n", "broken.py cannot be imported (SyntaxError: invalid syntax (broken.py, line 1))"),
        (
            "silent",
            "name = 'silent'\nenv = None\nparameters = {}\nseeded = True\n",
            "silent.py does not declare keeps_library, scale, source, denoise or command",
        ),
        (
            "misnamed",
            "name = 'pca'\nenv = None\nparameters = {}\nseeded = keeps_library = 1\nscale = source = ''\ncommand = []",
            "misnamed.py declares the name 'pca'; expected that of the file",
        ),
    ],
)
def test_a_bad_file_is_a_method_that_fails(name, text, fault, folder, awkward, tmp_path):
    (folder / f"{name}.py").write_text(text)
    assert methods.discover()[name].fault == fault

    from zipo.benchmark.running.launch import run

    result = run(methods.method(name), awkward, tmp_path / "out", seed=1, threads=1, seconds=60, parameters={"x": 1})
    assert (result.status, result.reason) == ("failed", fault)


def test_files_that_a_method_names_are_its_companions(tmp_path, monkeypatch):
    monkeypatch.setenv("ZIPO_METHODS", str(tmp_path))
    for file in ("my script.R", "r/helper.R", "weights.npy", "other.R", "r/other.R"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("package <- 1")
    command = "command = ['Rscript', '{here}/my script.R', '{here}/r/helper.R', '{here}/r', '{output}']\n"
    (tmp_path / "fresh.py").write_text(f'"""A method. other.R is none of it."""\nWEIGHTS = "weights.npy"\n{command}')
    named = [tmp_path / file for file in ("my script.R", "r/helper.R", "weights.npy")]
    assert methods.method("fresh").companions == named
    assert methods.method("pca").companions == []
    assert [file.name for file in methods.method("scimpute").companions] == ["run.R", "scimpute.R"]


def test_an_unknown_method():
    with pytest.raises(InputError, match="method 'nosuch' is unknown; known are alra, bayes, cellmapper, dca, "):
        methods.method("nosuch")


def test_the_steps_of_the_workflow(awkward, tmp_path):
    rest = [str(awkward), str(tmp_path / "pca"), "1", "1", "60"]
    done = zipo("study", "run-method", "pca", '{"components": 3}', *rest)
    assert (done.returncode, done.stderr) == (0, "pca: ok\n")
    result = json.loads((tmp_path / "pca" / "result.json").read_text())
    assert (result["status"], result["seed"], result["parameters"]) == ("ok", 1, {"components": 3})
    done = zipo("study", "run-method", "dca", "{}", *rest, "--environments", str(tmp_path))
    assert (done.returncode, done.stderr[:48]) == (0, "dca: unavailable its environment is not there; `")
    done = zipo("study", "method-environment", "nosuch", str(tmp_path / "nosuch"))
    missing = "nosuch: unavailable its pins are missing: there is no nosuch.txt in "
    assert (done.returncode, done.stderr[: len(missing)]) == (0, missing)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1]", "expected JSON such as"),
        ("{'a': 1}", "expected JSON, such as"),
        ('{"a": 1, "a": 2}', "a is given twice"),
    ],
)
def test_an_argument_that_is_no_json_is_refused_in_words(text, problem, tmp_path):
    done = zipo("study", "run-method", "pca", text, "c.h5ad", str(tmp_path / "out"), "1", "1", "60")
    assert done.returncode == 2
    assert problem in " ".join(done.stderr.replace("│", "").split())


def test_a_cancelled_step_takes_the_method_along(awkward, tmp_path):
    pid = tmp_path / "pid"
    code = (
        "import sys; from pathlib import Path; from zipo import methods; from zipo.benchmark import methods_cli as cli;"
        "methods.__path__.insert(0, sys.argv[1]); cli.run_method('hung', {}, *map(Path, sys.argv[2:]), 1, 1, 600)"
    )
    (tmp_path / "hung.py").write_text(
        "name = 'hung'\nenv = None\nparameters = {}\nseeded = keeps_library = True\nscale = source = ''\n"
        "def denoise(counts, *, seed):\n    import os, time\n"
        f"    open({str(pid)!r}, 'w').write(f'{{os.getpid()}}\\n')\n    time.sleep(600)\n"
    )
    step = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(awkward), str(tmp_path / "out")])
    wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"))
    step.terminate()
    assert step.wait(20) != 0
    assert is_gone(int(pid.read_text()))
    assert not (tmp_path / "out").exists()
