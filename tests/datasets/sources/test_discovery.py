"""Kinds of sources are the files of zipo/datasets/sources, and a study is planned with them without heavy imports."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import anndata as ad
import pytest

from zipo.datasets import sources
from zipo.study.import_closure import closure

TOY = '''
from typing import Literal

from zipo.datasets.source import Source


class ToySource(Source):
    """One cell type, whose counts are those of a multiplication table."""

    kind: Literal["toy"]
    """A toy."""
    cells: int
    """Number of cells."""

    def download(self, downloads):
        return downloads / "factor.txt"

    def fetch(self, target, fetching):
        target.write_text(str(fetching.connections))

    def read(self, downloads):
        import anndata as ad
        import numpy as np
        from scipy.sparse import csr_matrix

        factor = int(self.download(downloads).read_text())
        counts = factor * np.multiply.outer(np.arange(1, self.cells + 1), np.arange(1, 6))
        return ad.AnnData(csr_matrix(counts.astype(np.float32))), {}
'''
PREPARE = """
import json, sys
from pathlib import Path

from zipo.datasets import sources

sources.__path__.append(sys.argv[1])
from zipo.datasets.catalogue import Dataset
from zipo.datasets.prepare import prepare
from zipo.datasets.source import Fetching

dataset = Dataset(**json.loads(sys.argv[2]))
folder = Path(sys.argv[3])
for file in dataset.source.inputs(folder):
    dataset.source.fetch(file, Fetching(connections=3))
prepare("toy", dataset, folder, folder / "toy.h5ad")
"""


@pytest.fixture
def toy_folder(tmp_path, monkeypatch) -> Path:
    """A folder in which kinds of sources are discovered, too."""
    folder = tmp_path / "kinds"
    folder.mkdir()
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(folder)])
    yield folder
    for name in [name for name in sys.modules if name.startswith(f"{sources.__name__}.toy")]:
        del sys.modules[name]


def test_every_file_defines_one_kind():
    kinds = [get_args(source.model_fields["kind"].annotation) for source in sources.discover()]
    assert kinds == [
        *(("scanpy",), ("file",), ("geo",), ("wheel", "sdist"), ("synapse",)),
        *(("scdesigner",), ("simulated",)),
    ]


def test_a_file_added_to_the_folder_is_a_kind_that_is_fetched_and_prepared(tmp_path):
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / "toy.py").write_text(TOY)
    dataset = json.dumps({"title": "Toy", "source": {"kind": "toy", "cells": 2}})
    subprocess.run([sys.executable, "-c", PREPARE, folder, dataset, tmp_path], check=True)
    prepared = ad.read_h5ad(tmp_path / "toy.h5ad")
    assert prepared.X.toarray().tolist() == [[3, 6, 9, 12, 15], [6, 12, 18, 24, 30]]
    assert json.loads(prepared.uns["dataset"]["source"]) == {"kind": "toy", "cells": 2}


@pytest.mark.parametrize(
    ("text", "number"), [("", 0), (f"{TOY}\nclass Other(ToySource): pass\n", 2)], ids=["none", "two"]
)
def test_a_file_without_one_kind_is_named(toy_folder, text, number):
    (toy_folder / "toy.py").write_text(text)
    with pytest.raises(TypeError, match=rf"toy\.py: {number} subclasses of Source where one is expected"):
        sources.discover()


def test_planning_loads_no_reader():
    code = (
        "import sys, zipo.datasets.catalogue; "
        "print(*{'anndata', 'h5py', 'numpy', 'pandas', 'requests', 'scipy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"


def test_the_code_of_a_data_set_is_that_of_its_own_kind():
    files = {file.name for file in closure("zipo.datasets.prepare", "zipo.datasets.sources.simulated")}
    assert "simulated.py" in files
    assert not files & {
        "package.py",
        "packages.py",
        "geo.py",
        "files.py",
        "bundled.py",
        "rosmap.py",
        "fetch.py",
        "reading.py",
    }
