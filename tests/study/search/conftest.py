"""The data set and the undisturbed search that the tests of a search share."""

from pathlib import Path

import pandas as pd
import pytest

from tests.study.search.searching import search
from zipo.datasets.prepared import write


@pytest.fixture(scope="module")
def data(simulated, tmp_path_factory) -> Path:
    """A small data set as a file."""
    path = tmp_path_factory.mktemp("data") / "toy.h5ad"
    write(simulated[:200].copy(), path)
    return path


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory) -> pd.DataFrame:
    """The trials of one worker that nothing disturbs."""
    return search(tmp_path_factory.mktemp("alone"), data)
