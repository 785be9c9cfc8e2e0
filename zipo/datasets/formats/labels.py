"""Columns about cells: cell type, batch and covariates, out of a table of labels or the counts' own file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from zipo.datasets.formats.text import rows
from zipo.shared.errors import InputError

# as R and pandas write them; less than in label_table, since "none" and "null" may be labels of one's own
MISSING_LABELS = ("", "NA", "nan", "NaN")


def read_labels(path: Path, cells: Sequence[str]) -> pd.DataFrame:
    """The rows of these cells, in their order, from a table whose first column names cells; all values are text.

    Raises InputError for cells without a row and cells with two; rows of other cells are passed over.
    """
    header, *lines = rows(path)
    table = pd.DataFrame([fields[1:] for fields in lines], columns=header[1:], index=[fields[0] for fields in lines])
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise InputError(f"{path}: cell {twice!r} has more than one row; one row a cell is needed")
    absent = [cell for cell in cells if cell not in table.index]
    if absent:
        example = f", while the table has {table.index[0]!r}" if len(table) else ""
        raise InputError(
            f"{path}: {len(absent)} of {len(cells)} cells have no row, the first is {absent[0]!r}{example}; "
            "the first column must name every cell as the counts do"
        )
    return table.loc[list(cells)]


def choose_columns(
    table: pd.DataFrame,
    cells: Sequence[str],
    place: str,
    *,
    cell_type: str | None = None,
    batch: str | None = None,
    covariates: Sequence[str] = (),
) -> pd.DataFrame:
    """obs of the cells: cell_type and batch from the columns of these names, and covariates under their own names.

    Raises InputError for a column that `table` does not have, or has twice; `place` names the table.
    """
    obs = pd.DataFrame(index=pd.Index(cells, dtype=str))
    columns = list(table.columns)
    for name in (cell_type, batch, *covariates):
        if name is not None and columns.count(name) != 1:
            problem = "more than one column" if name in columns else "no column"
            known = ", ".join(map(str, columns)) or "none: name a table of labels"
            raise InputError(f"{place}: {problem} {name!r} about the cells; there are {known}")
    for key, column in (("cell_type", cell_type), ("batch", batch)):
        if column is not None:
            obs[key] = _categories(table[column])
    for name in covariates:
        obs[name] = _numbers_or_categories(table[name])
    return obs


def _categories(column: pd.Series) -> pd.Categorical:
    """The values as text; what is missing stays missing."""
    return pd.Categorical(_text(column).to_numpy())


def _numbers_or_categories(column: pd.Series) -> np.ndarray | pd.Categorical:
    """Numbers where all values are numbers, otherwise text; what is missing stays missing."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy()
    text = _text(column)
    values = pd.to_numeric(text, errors="coerce")
    return values.to_numpy() if values.notna().equals(text.notna()) else pd.Categorical(text.to_numpy())


def _text(column: pd.Series) -> pd.Series:
    """The values as text, and nothing where they are missing."""
    text = column.astype(str)
    return text.where(column.notna() & ~text.isin(MISSING_LABELS))
