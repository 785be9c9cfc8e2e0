"""Import closures against what Python loads when the modules are run."""

import subprocess
import sys

import pytest

from zipo.study import import_closure
from zipo.study.import_closure import NO_RESULT, PACKAGE, closure, imported_by_command, submodules

RUN = ["zipo.study.block", "zipo.datasets.geo.series", "zipo.study.claims.verdicts", "zipo.figures.figure_08"]


@pytest.mark.parametrize("module", RUN)
def test_whatever_python_loads_is_in_the_closure(module):
    code = (
        f"import sys, {module}; "
        "print(*(m.__file__ for name, m in sys.modules.items() if name.split('.')[0] == 'zipo'), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=PACKAGE.parent)
    assert done.returncode == 0, done.stderr
    names = {str(file): name for name in submodules("zipo") if (file := _file(name))}
    unrelated = {file for file, name in names.items() if name in NO_RESULT} | {str(PACKAGE / "__init__.py")}
    missing = set(done.stdout.split()) - set(map(str, closure(module))) - unrelated
    assert missing == set()


def _file(name):
    return PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")


def test_imports_in_functions_count_and_those_for_type_checkers_do_not():
    names = [file.name for file in closure("zipo.methods.zipo")]
    assert "estimator.py" in names  # imported where it runs
    assert "estimator.py" not in [file.name for file in closure("zipo.model.slots")]


def test_modules_that_a_package_loads_by_name_are_in_the_closure():
    kernels = {file for file in closure("zipo.engine.batches") if file.parent.name == "kernels"}
    assert kernels == set((PACKAGE / "engine" / "kernels").glob("*.py"))


def test_what_changes_no_result_exists_and_is_left_out():
    for name in NO_RESULT - {"zipo"}:
        assert _file(name).exists(), name
    files = closure(*submodules("zipo"))
    assert not {_file(name) for name in NO_RESULT} & set(files)


def test_a_module_that_does_not_exist_is_an_error():
    with pytest.raises(ValueError, match=r"zipo\.study\.nothing: no such module"):
        closure("zipo.study.nothing")


def test_a_file_that_is_not_python_is_in_its_closure(tmp_path, monkeypatch):
    (tmp_path / "zipo").mkdir()
    (tmp_path / "zipo" / "broken.py").write_text("(")
    monkeypatch.setattr(import_closure, "PACKAGE", tmp_path / "zipo")
    monkeypatch.setattr(import_closure, "_file_of", import_closure._file_of.__wrapped__)
    assert closure("zipo.broken") == [tmp_path / "zipo" / "broken.py"]


def test_a_command_depends_on_what_its_function_imports():
    modules = imported_by_command("runs-table")
    assert {"zipo.study.runs_table", "zipo.shared.tables"} <= modules
    assert "zipo.study.table_1" not in modules  # which another command of the same file imports
    assert "zipo.benchmark.views" in imported_by_command("benchmark-views")
    assert "zipo.benchmark.running.launch" in imported_by_command("run-method")
    with pytest.raises(ValueError, match="nothing: no command of zipo study"):
        imported_by_command("nothing")


def test_a_file_outside_of_the_package_counts_with_what_it_imports(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def denoise(counts):\n    from zipo.datasets import thinning\n")
    assert set(closure(file)) == {file, *closure("zipo.datasets.thinning")}
