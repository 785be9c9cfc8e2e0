"""A refusal of values that are no counts says where the same data have counts, and how to take them."""

import anndata as ad
import h5py
import numpy as np
import pytest
from scipy.sparse import csc_matrix, csr_matrix

from tests.datasets.writers import COUNTS, annotated, read, write_loom
from zipo import ZiPo, pp
from zipo.commands import inputs
from zipo.datasets.formats.count_layers import holds_counts, layers_with_counts, layers_with_counts_in
from zipo.shared.errors import InputError
from zipo.shared.wording import used_by

LOGARITHMS = np.log1p(COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e4)


def processed(**layers) -> ad.AnnData:
    adata = annotated(csr_matrix(LOGARITHMS))
    for name, matrix in layers.items():
        adata.layers[name] = matrix
    return adata


@pytest.mark.parametrize("kind", [csr_matrix, csc_matrix, np.asarray])
def test_whole_numbers_are_told_from_others(kind):
    assert holds_counts(kind(COUNTS))
    assert holds_counts(kind(COUNTS.astype(np.float64)))
    for other in (LOGARITHMS, -COUNTS, COUNTS > 0, (COUNTS > 0).astype(int), np.zeros((3, 2)), COUNTS + np.nan):
        assert not holds_counts(kind(other))


def test_layers_are_named_with_those_called_counts_first(tmp_path):
    adata = processed(ambiguous=COUNTS, scaled=LOGARITHMS - 1, mask=COUNTS > 0, counts=csr_matrix(COUNTS))
    assert layers_with_counts(adata) == ["counts", "ambiguous"]
    adata.raw = annotated(csr_matrix(COUNTS))
    assert layers_with_counts(adata) == ["counts", "raw", "ambiguous"]
    adata.write_h5ad(tmp_path / "x.h5ad")
    assert layers_with_counts_in(tmp_path / "x.h5ad") == ["counts", "raw", "ambiguous"]
    adata.X = COUNTS
    adata.write_h5ad(tmp_path / "x.h5ad")
    assert layers_with_counts_in(tmp_path / "x.h5ad") == ["X", "counts", "raw", "ambiguous"]
    (tmp_path / "x.h5ad").write_text("damaged")
    assert layers_with_counts_in(tmp_path / "x.h5ad") == []


SMALL = {"encoder": "4-2", "max_epochs": 1, "device": "cpu"}


@pytest.mark.parametrize("backed", [False, True])
@pytest.mark.parametrize(
    ("layers", "raw", "advice"),
    [
        (
            ["counts"],
            False,
            "its layer counts holds whole numbers: adata.X = adata.layers['counts'], or layer='counts' in",
        ),
        (["counts"], True, "its layers counts and raw hold whole numbers: adata.X = adata.layers['counts']"),
        ([], True, "its raw holds whole numbers: adata = adata.raw.to_adata()"),
    ],
)
def test_in_python(tmp_path, backed, layers, raw, advice):
    adata = processed(**dict.fromkeys(layers, csr_matrix(COUNTS)))
    if raw:
        adata.raw = annotated(csr_matrix(COUNTS))
    if backed:
        adata.write_h5ad(tmp_path / "x.h5ad")
        adata = ad.read_h5ad(tmp_path / "x.h5ad", backed="r")
    with pytest.raises(InputError, match="not a whole number") as error:
        ZiPo(**SMALL).fit(adata)
    assert advice in str(error.value)
    if not backed:
        with pytest.raises(InputError, match="not a whole number") as error:
            pp.denoise(adata, **SMALL)
        assert advice in str(error.value)


def test_where_none_has_any_nothing_is_added():
    with pytest.raises(InputError, match=r"raw counts are needed$"):
        ZiPo(**SMALL).fit(processed(scaled=LOGARITHMS - 1))


def test_in_a_study(tmp_path):
    adata = processed(counts=csr_matrix(COUNTS), bad=LOGARITHMS)
    adata.write_h5ad(tmp_path / "x.h5ad")
    with pytest.raises(InputError, match=r"its layer counts holds whole numbers: layer: counts$"):
        read(tmp_path / "x.h5ad")
    adata.X = COUNTS
    adata.write_h5ad(tmp_path / "x.h5ad")
    with pytest.raises(InputError, match=r"its X holds whole numbers: leave layer out$"):
        read(tmp_path / "x.h5ad", layer="bad")


@pytest.mark.parametrize("layer", [None, "log"])
def test_of_a_loom(tmp_path, layer):
    write_loom(tmp_path / "x.loom", h5py.string_dtype())
    with h5py.File(tmp_path / "x.loom", "r+") as file:
        if layer is None:
            file["layers/spliced"] = file["matrix"][:]
            del file["matrix"]
        file["matrix" if layer is None else "layers/log"] = LOGARITHMS.T
    words = "its layer spliced holds whole numbers: --layer spliced" if layer is None else "leave --layer out"
    with used_by("command line"), pytest.raises(InputError, match=f"{words}$"):
        inputs.read(tmp_path / "x.loom", layer=layer)


def test_without_x_the_layer_is_named(tmp_path):
    adata = processed(counts=csr_matrix(COUNTS), log=LOGARITHMS)
    del adata.X
    adata.write_h5ad(tmp_path / "x.h5ad")
    with used_by("command line"), pytest.raises(InputError) as error:
        inputs.read(tmp_path / "x.h5ad")
    assert str(error.value).endswith(
        "there is no X; name one of the layers: counts, log; its layer counts holds whole numbers: --layer counts"
    )
    np.testing.assert_array_equal(inputs.read(tmp_path / "x.h5ad", layer="counts").counts.X.toarray(), COUNTS)


def test_an_empty_x_is_no_set_of_empty_cells(tmp_path):
    adata = processed(counts=csr_matrix(COUNTS))
    adata.X = csr_matrix(COUNTS.shape, dtype=np.float32)
    adata.write_h5ad(tmp_path / "x.h5ad")
    for data in (adata, ad.read_h5ad(tmp_path / "x.h5ad", backed="r")):
        with pytest.raises(InputError, match=r"cells have no counts, .*; its layer counts holds whole numbers"):
            ZiPo(**SMALL).fit(data)
