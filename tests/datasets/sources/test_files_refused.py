"""Files, labels and entries of the catalogue that cannot be used are refused in one sentence that names the place."""

import pandas as pd
import pytest
from pydantic import ValidationError
from scipy.sparse import csr_matrix

from tests.datasets.writers import CELLS, COUNTS, IDS, OBS, PAGE, UNIQUE, annotated, read, refused, write_v3
from zipo.datasets.sources.files import FileSource
from zipo.shared.errors import InputError


@pytest.mark.parametrize("name", ["own.h5ad", "own.h5", "own.loom", "own.csv", "own.tsv.gz"])
def test_files_that_are_none(tmp_path, name):
    table = {"genes_in": "rows"} if "sv" in name else {}
    path = tmp_path / name
    refused(path, "no such file", **table)
    path.touch()
    refused(path, r"the file is empty \(0 bytes\)", **table)
    path.write_bytes(PAGE)
    refused(path, "this is a web page, not data", **table)
    path.unlink()
    path.mkdir()
    refused(path, "this is a folder, but a file was expected", **table)


def test_suffixes_and_folders_that_are_not_known(tmp_path):
    (tmp_path / "own.xlsx").write_bytes(b"PK")
    refused(
        tmp_path / "own.xlsx", r"unknown suffix '\.xlsx'; known are \.h5ad, \.h5, \.csv, \.tsv, \.txt, \.loom .*folders"
    )
    refused(tmp_path / "absent", "no such folder", format="10x_mtx")
    refused(tmp_path, r"exactly one of matrix\.mtx, matrix\.mtx\.gz is needed, there is none")
    refused(tmp_path, "sha256 is the checksum of one file, but this is a folder", sha256="0" * 64)


def test_a_file_with_another_checksum(tmp_path):
    (tmp_path / "own.h5").write_bytes(b"other")
    refused(tmp_path / "own.h5", "has sha256 [0-9a-f]{64}, but the catalogue expects 0{64}", sha256="0" * 64)


def test_transposed_data_with_names_of_genes(tmp_path):
    adata = annotated(csr_matrix(COUNTS)).T
    adata.obs_names = IDS
    adata.write_h5ad(tmp_path / "own.h5ad")
    refused(tmp_path / "own.h5ad", r"the cell 'ENSG00000000000' has the name of a gene, .* by adata\.T")


def test_genes_that_a_spreadsheet_took_for_dates(tmp_path, capsys):
    table = pd.DataFrame(COUNTS.T, ["1-Mar", "2-Mar", *UNIQUE[2:]], CELLS)
    table.to_csv(tmp_path / "own.csv")
    assert list(read(tmp_path / "own.csv", genes_in="rows").var_names[:2]) == ["1-Mar", "2-Mar"]
    assert "own.csv: 2 genes have dates for names, as '1-Mar'" in capsys.readouterr().err
    table.index = ["1-Mar", "1-Mar", *UNIQUE[2:]]
    table.to_csv(tmp_path / "own.csv")
    refused(tmp_path / "own.csv", "gene '1-Mar' occurs more than once; .* dates of MARCH1 and SEPT2", genes_in="rows")


def test_labels_that_do_not_fit(tmp_path):
    path, own = tmp_path / "labels.csv", tmp_path / "own.h5"
    write_v3(own)
    options = {"labels": str(path), "cell_type": "type"}

    def labels_refused(table: pd.DataFrame, problem: str) -> None:
        table.to_csv(path)
        with pytest.raises(InputError, match=rf"^{path}: {problem}"):
            read(own, **options)

    labels_refused(OBS.iloc[[0, 2, 3, 5]], "2 of 6 cells have no row, the first is 'AAACCTGAGC-1'")
    labels_refused(OBS.set_axis(range(6)), "6 of 6 cells have no row, .* while the table has '0'")
    labels_refused(pd.concat([OBS, OBS[:1]]), "cell 'AAACCTGAGA-1' has more than one row")
    labels_refused(OBS.rename(columns={"type": "kind"}), "no column 'type' about the cells; there are kind, donor, age")
    OBS.to_csv(path)
    path.write_text(path.read_text().replace("AAACCTGAGC-1,alpha", "AAACCTGAGC-1"))
    with pytest.raises(InputError, match=rf"^{path}: line 3 has 3 fields, but 4 were expected"):
        read(own, **options)
    refused(own, "no column 'type' about the cells; there are none: name a table of labels", cell_type="type")


SHA = {"sha256": "0" * 64}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "give either path or url"),
        ({"path": "a.h5", "url": "https://host/a.h5"} | SHA, "give either path or url"),
        ({"url": "https://host/a.h5"}, "a url needs the sha256 of its file"),
        ({"url": "https://host/get?file=3"} | SHA, r"suffix must be one of \.h5ad, .* or format must be given"),
        ({"url": "https://host/a.h5", "format": "10x_mtx"} | SHA, "the url's suffix must be one of"),
        ({"url": "ftp://host/a.h5"} | SHA, "expected the address of a file"),
        ({"path": "https://host/a.h5"}, "path is a file on disk; give https://host/a.h5 as url, with its sha256"),
        ({"path": "a.csv.gz"}, "a table needs genes_in"),
        ({"path": "a.h5ad", "genes_in": "rows"}, "genes_in is for tables; h5ad says itself"),
        ({"path": "a.h5", "layer": "raw"}, "layer is for h5ad and loom; 10x_h5 has no layers"),
        ({"path": "my {x}.h5"}, r"my \{x\}\.h5 will not do, as Snakemake fills in .* braces; rename"),
        ({"path": "a.h5", "labels": "{x}.csv", "cell_type": "c"}, r"\{x\}\.csv will not do"),
        ({"url": "https://h/%7Bx%7D.csv", "genes_in": "rows"} | SHA, r"/\{x\}\.csv will not do"),
        ({"path": "a.h5", "labels": "b.csv"}, "labels needs the columns to take from it"),
        ({"path": "a.h5", "covariates": ["batch"]}, "a covariate may not be called cell_type or batch"),
    ],
)
def test_entries_that_do_not_fit_together(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        FileSource(kind="file", **fields)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"path": "a/b.H5AD"}, "h5ad"),
        ({"path": "a/b.txt.gz", "genes_in": "rows"}, "table"),
        ({"path": "a/b.h5.gz"}, None),
        ({"path": "a/filtered_feature_bc_matrix"}, None),
        ({"path": "a/counts", "format": "loom"}, "loom"),
        ({"url": "https://host/GSM1%2Etsv.gz?x=1.h5", "genes_in": "rows"} | SHA, "table"),
    ],
)
def test_formats_by_suffix(fields, kind):
    assert FileSource(kind="file", **fields).known_format == kind


def test_files_of_one_name_lie_apart_among_the_downloads(tmp_path):
    one, other = (FileSource(kind="file", url="https://host/a/my%20b.h5?v=2", sha256=c * 64) for c in "ab")
    assert one.download(tmp_path) == tmp_path / "aaaaaaaaaaaa-my b.h5"
    assert other.download(tmp_path) == tmp_path / "bbbbbbbbbbbb-my b.h5"
