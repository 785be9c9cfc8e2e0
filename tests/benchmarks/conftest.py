"""Scripts of benchmarks/, imported as those that start them have them."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def import_script(monkeypatch) -> Callable[[str], ModuleType]:
    """A function that imports a script of benchmarks/ by name."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module
