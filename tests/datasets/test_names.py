"""What names give away: a transposed matrix, and genes that a spreadsheet took for dates."""

import pytest

from tests.datasets.writers import CELLS, GENES, IDS
from zipo.datasets.names import DATE, matching, refuse_lengths, refuse_transposed, warn_of_dates
from zipo.shared.errors import InputError


def test_dates_of_spreadsheets_are_told_from_genes():
    dates = ["1-Mar", "02-Sep", "Mar-01", "1-Dec-24", "2001-03-01", "2006-09-02 00:00:00", "1/3/2001", "01.03.2001"]
    genes = [
        "MARCH1",
        "SEPT2",
        "DEC1",
        "MARCHF1",
        "1-8D",
        "HLA-A",
        "7SK",
        "RP11-34P13.7",
        "AC000111.1",
        "MAR1",
        "ND1-2",
    ]
    assert matching(dates + genes, DATE) == dates


def test_dates_are_a_warning_with_their_number(capsys):
    warn_of_dates(GENES, "x.csv")
    assert capsys.readouterr().err == ""
    warn_of_dates(["A", "1-Mar", "2-Mar"], "x.csv")
    assert capsys.readouterr().err.startswith("x.csv: 2 genes have dates for names, as '1-Mar'; a spreadsheet")
    warn_of_dates(["A", "1-Mar"], "x.csv")
    assert capsys.readouterr().err.startswith("x.csv: a gene has a date for a name, as '1-Mar'")


@pytest.mark.parametrize("genes", [IDS, ["RPL3", "B"], ["MT-ND1", "B"]])
def test_cells_with_names_of_genes_are_refused(genes):
    with pytest.raises(InputError, match=rf"x\.h5ad: the cell '{genes[0]}' has the name of a gene, .* by adata\.T"):
        refuse_transposed(genes, CELLS, "x.h5ad")
    refuse_transposed(CELLS, genes, "x.h5ad")


def test_guides_that_are_named_by_their_sequence_are_no_cells():
    refuse_transposed(["cell1", "cell2"], ["ACGTACGTACGTACGTACGT", "CCGTACGTACGTACGTACGT"], "x.h5ad")


def test_lengths_of_genes_are_no_cell():
    with pytest.raises(InputError, match=r"x\.h5ad: the cell 'Length' .* by adata\[adata\.obs_names != 'Length'\]"):
        refuse_lengths([*CELLS, "Length"], "x.h5ad")
    refuse_lengths([*CELLS, "length"], "x.h5ad")
