"""Figures and metrics that were added to the package are refused by file and fault where they will not do."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from zipo import figures, metrics
from zipo.shared.errors import InputError
from zipo.study.check import check

CONFIG = Path(__file__).parents[2] / "config"
FIGURE = """
title, caption, experiments = "mine", "Mine.", ("alpha_w",)
numbers = draw = print
"""
METRIC = """
title, measures, needs = "Mine", {"mine": "low"}, ()
score = print
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "print",
            "(",
            r"cannot be imported \(SyntaxError: '\(' was never closed \(figure_mine\.py, line 3\)\); correct",
        ),
        ("print", "missing.draw", r"cannot be imported \(NameError: name 'missing' is not defined\)"),
        ("numbers = draw", "draw", "there is no numbers; expected title, caption, experiments, numbers, draw in it"),
        ("alpha_w", "alpha_ww", r"experiments: 'alpha_ww' is not in .*experiments\.yaml; expected a tuple of names"),
        ('("alpha_w",)', '("alpha_w")', r"experiments: 'a' is not in .*experiments\.yaml; expected a tuple of names"),
    ],
)
def test_a_figure_with_a_fault_is_refused(tmp_path, monkeypatch, old, new, problem):
    file = add(figures, tmp_path / "figure_mine.py", FIGURE.replace(old, new), monkeypatch)
    with pytest.raises(InputError, match=f"{file}: {problem}"):
        check([CONFIG / "verdicts.yaml"], [])


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("print", "(", r"cannot be imported \(SyntaxError: '\(' was never closed"),
        ("score", "scores", "there is no score; expected title, measures, needs, score in it"),
    ],
)
def test_a_metric_with_a_fault_is_refused_where_methods_are_compared(tmp_path, monkeypatch, old, new, problem):
    file = add(metrics, tmp_path / "mine.py", METRIC.replace(old, new), monkeypatch)
    with pytest.raises(InputError, match=f"{file}: {problem}"):
        check([CONFIG / "demo.yaml"], [])
    assert "good" in check([CONFIG / "verdicts.yaml"], [])


def test_what_is_as_it_should_be_is_taken(tmp_path, monkeypatch):
    add(figures, tmp_path / "figure_mine.py", FIGURE, monkeypatch)
    (tmp_path / "metrics").mkdir()
    add(metrics, tmp_path / "metrics" / "mine.py", METRIC, monkeypatch)
    assert "good" in check([CONFIG / "demo.yaml"], [])
    assert "figure-mine" in figures.discover()


def add(package: ModuleType, file: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a package find a file with a text among its own."""
    file.write_text(text)
    folders = [*package.__path__, str(file.parent)]
    monkeypatch.setattr(package, "__path__", folders)
    monkeypatch.setattr(package.__spec__, "submodule_search_locations", folders)
    sys.modules.pop(f"{package.__name__}.{file.stem}", None)  # that of another test
    return file
