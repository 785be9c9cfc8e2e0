"""Checks of the names of genes and cells: swapped axes, and genes that a spreadsheet has turned into dates."""

import re
import sys
from collections.abc import Sequence

from zipo.shared.errors import InputError

# names that only this axis has: accessions, some gene families, and barcodes of ten bases and more
GENE = re.compile(
    r"ENS[A-Z]{0,6}G\d{9,}(\.\d+)?|ERCC-\d{5}|(MT|mt)-(ND|CO|Nd|Co)\d|(RP[LS]|Rp[ls])\d+[AaXx]?|ACTB|Actb"
)
CELL = re.compile(r"(.*[_.:#-])?[ACGT]{10,}([_.:#-].*)?")
# what spreadsheets make of MARCH1, SEPT2 and DEC1
MONTH = r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DATE = re.compile(rf"\d{{1,2}}-{MONTH}(-\d{{2,4}})?|{MONTH}-\d{{1,2}}|\d{{4}}-\d\d-\d\d( .*)?|\d+[/.]\d+[/.]\d{{2,4}}")

LENGTH = "Length"  # column of featureCounts beside those of the cells
OF_DATES = "a spreadsheet makes dates of MARCH1 and SEPT2: take the names from a file that none has saved"


def matching(names: Sequence[str], pattern: re.Pattern) -> list[str]:
    """The names that match the pattern as a whole."""
    return [name for name in map(str, names) if pattern.fullmatch(name)]


def refuse_transposed(cells: Sequence[str], genes: Sequence[str], place: str) -> None:
    """Raise InputError where more cells than genes have the names of genes.

    Genes with the names of cells are no sign: guides of a screen are named by their sequences.
    """
    wrong = matching(cells, GENE)
    if len(wrong) > len(matching(genes, GENE)):
        raise InputError(
            f"{place}: the cell {wrong[0]!r} has the name of a gene, so the matrix seems to be transposed; turn it, in "
            "Python by adata.T, and write it again"
        )


def refuse_lengths(cells: Sequence[str], place: str, remedy: str = "") -> None:
    """Raise InputError where a cell has the name under which featureCounts writes the lengths of genes.

    `remedy` is how to take it out; in Python if it is not given.
    """
    if LENGTH in cells:
        remedy = remedy or f"in Python by adata[adata.obs_names != {LENGTH!r}], and write it again"
        raise InputError(
            f"{place}: the cell {LENGTH!r} has the name of featureCounts' column of lengths of genes, which are no "
            f"counts; take it out, {remedy}"
        )


def warn_of_dates(genes: Sequence[str], place: str) -> None:
    """Print a warning where genes have dates for names."""
    if dates := matching(genes, DATE):
        number = f"{len(dates)} genes have dates for names" if len(dates) > 1 else "a gene has a date for a name"
        print(f"{place}: {number}, as {dates[0]!r}; {OF_DATES}", file=sys.stderr)
