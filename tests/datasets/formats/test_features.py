"""Features that are no genes are left out of every format that tells their types, and of all that a file holds."""

import warnings

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import io
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix

from tests.datasets.writers import CELLS, COUNTS, OBS, UNIQUE, annotated, read, write_loom
from zipo.commands import inputs
from zipo.datasets.formats.features import warn_of_others
from zipo.shared.errors import InputError

MIXED = ["Gene Expression", "Antibody Capture", None, "Peaks"] * 2
GENES = [0, 2, 4, 6]


def typed(x=None, types=MIXED) -> ad.AnnData:
    adata = annotated(csr_matrix(COUNTS) if x is None else x)
    adata.var["feature_types"] = types
    return adata


@pytest.mark.parametrize("kind", ["string", "category"])
def test_an_h5ad_of_a_study_keeps_its_genes(tmp_path, capsys, kind):
    adata = typed()
    adata.var["feature_types"] = adata.var["feature_types"].astype(kind)
    adata.write_h5ad(tmp_path / "own.h5ad")
    actual = read(tmp_path / "own.h5ad")
    np.testing.assert_array_equal(actual.X.toarray(), COUNTS[:, GENES])
    assert list(actual.var_names) == [UNIQUE[i] for i in GENES]
    assert actual.uns["left_out_features"] == {"Antibody Capture": 2, "Peaks": 2}
    assert "own.h5ad: left out 2 features of type 'Antibody Capture', which are no genes" in capsys.readouterr().err


@pytest.mark.parametrize("x", [csr_matrix(COUNTS), csc_matrix(COUNTS), COUNTS])
@pytest.mark.parametrize("layer", [None, "mine", "raw"])
def test_all_of_an_h5ad_is_cut(tmp_path, capsys, x, layer):
    adata = typed(x)
    adata.raw = adata.copy()
    adata.layers["mine"] = csr_matrix(COUNTS + 1)
    adata.varm["loadings"], adata.varp["graph"] = np.arange(16).reshape(8, 2), csr_matrix(np.diag(np.arange(8.0)))
    adata.obsm["protein"], adata.uns["title"] = np.ones((6, 3)), "mine"
    adata.write_h5ad(tmp_path / "x.h5ad")
    data, counts, _ = inputs.read(tmp_path / "x.h5ad", layer=layer)
    expected = COUNTS[:, GENES] + (layer == "mine")
    for part in (data, counts):
        assert list(part.var_names) == [UNIQUE[i] for i in GENES]
    np.testing.assert_array_equal(counts.to_memory().X.toarray(), expected)
    np.testing.assert_array_equal(data.layers["mine"].toarray(), COUNTS[:, GENES] + 1)
    np.testing.assert_array_equal(data.varm["loadings"][:, 0], [0, 4, 8, 12])
    np.testing.assert_array_equal(data.varp["graph"].toarray(), np.diag([0.0, 2, 4, 6]))
    assert (data.obsm["protein"].shape, data.uns["title"], data.raw.n_vars) == ((6, 3), "mine", 8)
    assert data.uns["left_out_features"] == {"Antibody Capture": 2, "Peaks": 2}
    assert capsys.readouterr().err.count("left out 2 features of type") == 2


def test_features_of_raw_have_the_types_of_raw(tmp_path):
    adata = typed()[:, [1, 2]].copy()
    adata.raw = typed()
    adata.write_h5ad(tmp_path / "x.h5ad")
    counts = inputs.read(tmp_path / "x.h5ad", layer="raw").counts
    np.testing.assert_array_equal(counts.X.toarray(), COUNTS[:, GENES])


def test_a_protein_may_have_the_name_of_a_gene(tmp_path):
    adata = typed()
    del adata.var["gene_ids"]
    adata.var_names = ["CD4", "CD4", *UNIQUE[2:]]
    adata.write_h5ad(tmp_path / "x.h5ad")
    assert list(inputs.read(tmp_path / "x.h5ad").counts.var_names) == ["CD4", "NA", "HLA-A", "1"]


@pytest.mark.parametrize("types", [["Gene Expression"] * 8, [np.nan] * 8, ["protein_coding", "lncRNA"] * 4, range(8)])
def test_other_types_change_nothing(tmp_path, capsys, types):
    typed(types=types).write_h5ad(tmp_path / "x.h5ad")
    data = inputs.read(tmp_path / "x.h5ad").data
    assert data.shape == COUNTS.shape
    assert "left_out_features" not in data.uns
    note = "is none of 10x; all features are taken as genes" in capsys.readouterr().err
    assert note == (types[0] in ("protein_coding", 0))


def test_a_file_of_proteins_alone_is_refused(tmp_path):
    typed(types=["Antibody Capture"] * 8).write_h5ad(tmp_path / "x.h5ad")
    with pytest.raises(InputError, match=r"no feature is of type 'Gene Expression'; there are Antibody Capture; give"):
        inputs.read(tmp_path / "x.h5ad")


def test_a_loom_keeps_its_genes(tmp_path):
    write_loom(tmp_path / "x.loom", h5py.string_dtype())
    with h5py.File(tmp_path / "x.loom", "a") as file:
        file["row_attrs/feature_types"] = [kind or "Gene Expression" for kind in MIXED]
    for adata in (inputs.read(tmp_path / "x.loom").counts, read(tmp_path / "x.loom")):
        np.testing.assert_array_equal(adata.X.toarray(), COUNTS[:, GENES])


UNASSIGNED = [  # as the manuals of htseq-count and STAR list them
    ("__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned", "__alignment_not_unique"),
    ("N_unmapped", "N_multimapping", "N_noFeature", "N_ambiguous"),
]


@pytest.mark.parametrize("names", UNASSIGNED)
def test_unassigned_reads_are_left_out_of_every_format(tmp_path, capsys, names):
    table = pd.DataFrame(COUNTS.T, UNIQUE, CELLS)
    table = pd.concat([pd.DataFrame(50_000, list(names), CELLS), table])
    table.to_csv(tmp_path / "rows.csv")
    table.T.to_csv(tmp_path / "columns.csv")
    ad.AnnData(csr_matrix(table.T), OBS.copy(), pd.DataFrame(index=table.index)).write_h5ad(tmp_path / "own.h5ad")
    (tmp_path / "own").mkdir()
    io.mmwrite(tmp_path / "own" / "matrix.mtx", coo_matrix(table))
    (tmp_path / "own" / "genes.tsv").write_text("\n".join(table.index))
    (tmp_path / "own" / "barcodes.tsv").write_text("\n".join(CELLS))
    for name, genes_in in (("rows.csv", "rows"), ("columns.csv", "columns"), ("own.h5ad", None), ("own", None)):
        for adata in (inputs.read(tmp_path / name, genes_in=genes_in).data, read(tmp_path / name, genes_in=genes_in)):
            np.testing.assert_array_equal(adata.to_memory().X.toarray(), COUNTS)
            assert list(adata.var_names) == UNIQUE
            assert adata.uns["left_out_features"] == {"unassigned reads": len(names)}
        message = f"{name}: left out {len(names)} features of type 'unassigned reads', which are no genes"
        assert capsys.readouterr().err.count(message) == 2


def test_a_warning_names_what_is_no_gene_and_how_to_leave_it_out():
    adata = typed()
    adata.var_names = ["A", "B", "C", "D", "__ambiguous", "F", "G", "H"]
    with pytest.warns(UserWarning, match="the 8 features 2 of type 'Antibody Capture' and 2 of type 'Peaks'") as warned:
        warn_of_others(adata)
    cut = eval(str(warned[0].message).partition("out by ")[2], {"adata": adata})
    with pytest.warns(UserWarning, match="of the 2 features 1 of type 'unassigned reads' are no genes") as warned:
        warn_of_others(cut)
    cut = eval(str(warned[0].message).partition("out by ")[2], {"adata": cut})
    assert list(cut.var_names) == ["A"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for silent in (cut, typed(types=["Peaks"] * 8), typed(types=["GEX", "ADT"] * 4), annotated(COUNTS)):
            warn_of_others(silent)
