"""PBMC 68k reduced: the counts recovered are whole, and normalising them again gives what scanpy stores."""

import warnings

import anndata as ad
import numpy as np
import pytest
import yaml

from zipo.datasets.catalogue import Dataset
from zipo.datasets.sources import bundled
from zipo.shared.errors import InputError


@pytest.fixture(scope="module")
def source():
    with open("config/datasets.yaml") as file:
        return Dataset(**yaml.safe_load(file)["pbmc68k_reduced"]).source


def test_counts_normalise_to_the_stored_values(source):
    path = source.file()
    adata = bundled.recover_counts(path, source)
    with warnings.catch_warnings(action="ignore"):
        stored = ad.read_h5ad(path)
    assert adata.shape == (700, 765)
    assert adata.X.nnz / adata.X.shape[0] / adata.X.shape[1] == pytest.approx(0.326, abs=1e-3)
    library = stored.obs["n_counts"].to_numpy()[:, None]
    again = np.log1p(adata.X.toarray() / library * 1e4)
    np.testing.assert_allclose(again, stored.raw.X.toarray(), atol=0.01)
    assert adata.obs["cell_type"].nunique() == 10


def test_another_file_is_refused(source, tmp_path):
    path = tmp_path / "other.h5ad"
    path.write_bytes(b"no data set")
    with pytest.raises(InputError, match=r"pbmc68k_reduced: other\.h5ad has sha256"):
        bundled.recover_counts(path, source)
