"""What is known of each cell: its type, batch and covariates, by name, out of a table or the counts' own file."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from zipo.datasets.catalogue import FileSource
from zipo.datasets.formats.text import rows
from zipo.shared.errors import InputError

MISSING = ("", "NA", "nan", "NaN")  # as R and pandas write them


def read_labels(path: Path, cells: Sequence[str]) -> pd.DataFrame:
    """The rows of these cells, in their order, from a table whose first column names cells; all values are text.

    Raises InputError for cells without a row and cells with two; rows of other cells are passed over.
    """
    header, *found = rows(path)
    table = pd.DataFrame([fields[1:] for fields in found], columns=header[1:], index=[fields[0] for fields in found])
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise InputError(f"{path}: cell {twice!r} has more than one row; one row a cell is needed")
    absent = [cell for cell in cells if cell not in table.index]
    if absent:
        there = f", while the table has {table.index[0]!r}" if len(table) else ""
        raise InputError(
            f"{path}: {len(absent)} of {len(cells)} cells have no row, the first is {absent[0]!r}{there}; "
            "the first column must name every cell as the counts do"
        )
    return table.loc[list(cells)]


def obs_of(source: FileSource, columns: pd.DataFrame, cells: Sequence[str], place: str) -> pd.DataFrame:
    """obs with cell_type, batch and covariates from the columns that the source names.

    Raises InputError for a column that is not there or that is there twice.
    """
    obs = pd.DataFrame(index=pd.Index(cells, dtype=str))
    known = list(columns.columns)
    for name in source.columns:
        if known.count(name) != 1:
            problem = "more than one column" if name in known else "no column"
            there = ", ".join(map(str, known)) or "none: name a table of labels"
            raise InputError(f"{place}: {problem} {name!r} about the cells; there are {there}")
    for key, column in (("cell_type", source.cell_type), ("batch", source.batch)):
        if column is not None:
            obs[key] = _categories(columns[column])
    for name in source.covariates:
        obs[name] = _numbers_or_categories(columns[name])
    return obs


def _categories(column: pd.Series) -> pd.Categorical:
    """The values as text; what is missing stays missing."""
    return pd.Categorical(_text(column).to_numpy())


def _numbers_or_categories(column: pd.Series):
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy()
    text = _text(column)
    values = pd.to_numeric(text, errors="coerce")
    return values.to_numpy() if values.notna().equals(text.notna()) else pd.Categorical(text.to_numpy())


def _text(column: pd.Series) -> pd.Series:
    text = column.astype(str)
    return text.where(column.notna() & ~text.isin(MISSING))
