"""Import closures against what Python loads when the modules are run."""

import subprocess
import sys

import pytest

from zipo.study.import_closure import NO_RESULT, PACKAGE, closure, submodules

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
