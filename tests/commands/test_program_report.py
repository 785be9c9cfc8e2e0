"""`zipo programs MODEL COUNTS`: what is printed, written and refused."""

import errno

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from zipo.commands import program_figure, program_report
from zipo.datasets.formats.hdf5 import is_marked
from zipo.model.estimator import ZiPo


@pytest.fixture(scope="module")
def models(cells, tmp_path_factory):
    """Folders of two models of other seeds."""
    folder = tmp_path_factory.mktemp("models")
    for seed in (1, 2):
        ZiPo(encoder="8-4", batch_size=32, max_epochs=3, seed=seed).fit(cells).save(folder / str(seed))
    return folder


def test_programs_in_cells_are_printed_and_written(models, source, cells, tmp_path, zipo):
    (tmp_path / "sets.gmt").write_text("\t".join(["some", "", *cells.var_names[:5]]) + "\n")
    options = [
        "--by",
        "cell_type",
        "--sets",
        tmp_path / "sets.gmt",
        "--with",
        models / "2",
        "--top",
        3,
        "--programs",
        2,
    ]
    written = ["--tsv", tmp_path / "p.tsv", "--figure", tmp_path / "p_map.png", "--out", tmp_path / "p.h5ad"]
    code, out, err = zipo("programs", models / "1", source, *options, *written)
    matched, note = err.splitlines()
    assert (code, matched) == (0, "60 of the model's 60 genes are in the data")
    assert "--preset programs" in note
    tables = {name: pd.read_csv(tmp_path / f"p{name}.tsv", sep="\t") for name in ("", ".summary", ".activity", ".sets")}
    types = sorted(cells.obs["cell_type"].unique())
    assert tables[".activity"]["group"].tolist() == types
    lines = out.splitlines()
    assert lines[0] == "typical of each group:"
    assert [line.split(":")[0].strip() for line in lines[1:4]] == types
    summary = tables[".summary"]
    assert lines[4] == f"the strongest of {len(summary)} programs:"
    assert [line.split()[0] for line in lines[5:7]] == summary["program"][:2].tolist()
    assert lines[7].endswith("programs come back in the other models")
    genes = tables[""]
    high = genes[(genes["program"] == summary["program"][0]) & (genes["sign"] == "+")]["gene"][:3]
    assert f"sd): {', '.join(high)}; low: " in lines[5]
    data = ad.read_h5ad(tmp_path / "p.h5ad")
    assert list(data.uns["zipo_programs"]["names"]) == summary["program"].tolist()
    assert data.obsm["X_programs"].shape == (150, len(summary))
    assert (data.X != cells.X).nnz == 0
    assert is_marked(tmp_path / "p.h5ad")
    assert {file.name for file in tmp_path.glob("p_map.*")} == {"p_map.png", "p_map.pdf", "p_map.tsv"}
    again = zipo("programs", models / "1", source, *options, *written)
    assert again[:2] == (0, out)  # what zipo wrote is replaced


def test_what_lacks_genes_of_the_model_is_named(models, cells, tmp_path, zipo):
    few = cells[:, 5:].copy()
    few.layers["log"] = few.X.log1p()
    few.write_h5ad(tmp_path / "few.h5ad")
    options = ["--by", "cell_type", "--out", tmp_path / "p.h5ad"]
    code, _, err = zipo("programs", models / "1", tmp_path / "few.h5ad", *options)
    assert (code, err.splitlines()[:2]) == (0, [
        "55 of the model's 60 genes are in the data, 5 are not and count as zeros",
        "left out, since they lack genes of the model: layers['log'], var['true_dispersion']",
    ])  # fmt: skip
    data = ad.read_h5ad(tmp_path / "p.h5ad")
    assert (data.n_vars, data.X[:, :5].nnz, list(data.layers)) == (60, 0, [])
    assert (data.X[:, 5:] != few.X).nnz == 0


def test_tables_are_written_though_no_one_reads_what_is_printed(models, source, tmp_path, zipo, monkeypatch):
    def closed(line):
        raise BrokenPipeError(errno.EPIPE, "closed")

    monkeypatch.setattr(program_report, "print", closed, raising=False)
    assert zipo("programs", models / "1", source, "--tsv", tmp_path / "p.tsv", "--out", tmp_path / "p.h5ad")[0] == 1
    assert {file.name for file in tmp_path.glob("p*")} >= {"p.tsv", "p.summary.tsv", "p.h5ad"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--by", "cell_type"], "--by: needs cells; give their counts after the model, zipo programs MODEL COUNTS"),
        (["COUNTS", "--by", "typ"], "by 'typ': no column of obs"),
        (["COUNTS", "--sets", "none.gmt"], "none.gmt: no such file"),
        (["COUNTS", "--figure", "p.jpg"], "p.jpg: a picture is expected, .png or .pdf"),
        (["COUNTS", "--figure", "mine.png"], "mine.png: exists, and is not as zipo wrote it"),
        (["COUNTS", "--tsv", "mine.png"], "mine.png: exists, and is not as zipo wrote it"),
        (["COUNTS", "--out", "p.txt"], "p.txt: the output is an .h5ad"),
        (["COUNTS", "--out", "COUNTS"], "this is the file of the counts itself; give --out another name"),
    ],
)
def test_what_will_not_do_is_refused(models, source, tmp_path, zipo, monkeypatch, options, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.png").write_text("mine")
    given = [str(source) if option == "COUNTS" else option for option in options]
    code, _, err = zipo("programs", models / "1", *given)
    assert (code, problem in err) == (2, True)
    assert (tmp_path / "mine.png").read_text() == "mine"


def test_the_heat_map_shows_each_groups_program_with_its_genes_along_the_diagonal():
    table = pd.DataFrame(
        {
            "program": ["program_4", "program_2"],
            "genes": ["A, B", ""],
            "stable": [True, False],
            "x": [2, -1],
            "y": [0, 9.0],
        }
    )
    figure = program_figure.draw(table)
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A, B  (4*)", "no gene is high  (2)"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["x", "y"]
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), [[2, 0], [-1, 9]])
    assert (image.norm.vmin, image.norm.vmax) == (-3, 3)
