"""Annotation of the wells of the myeloma deposit, out of its table of metadata."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from zipo.datasets.formats.label_table import counted, is_missing, read_label_table
from zipo.datasets.geo.soft import read_lines

COLUMNS = {  # columns of the table, by their names in obs
    "well": "well",
    "experiment": "Experiment_ID",
    "batch": "Amp_batch_ID",
    "number_of_cells": "Number_of_cells",
}
# prefix_subject_[postRx_]tissue[#n], as in study01_SMM02_postRx_circPC#2
EXPERIMENT = re.compile(r"^[^_]+_(?P<subject>[^_]+)(?:_postRx[^_]*)?_(?P<tissue>[^_#]+)(?:#[0-9]+)?$")


def read_wells(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """The fields experiment, batch and number_of_cells, as far as there are such columns, as text by well; and remarks.

    Fields are blank where rows are ragged or contradict each other. Raises InputError where no header names the wells.
    """
    table = read_label_table(read_lines(path), COLUMNS, path.name)
    fields: dict[str, dict[str, str]] = {}
    contradicted = []
    for well, values in zip(table.names, table.values, strict=True):
        if well and fields.setdefault(well, values) != values:
            contradicted.append(well)
            fields[well] = {}
    remarks = []
    for problem, wells in (
        ("rows without a well, which are passed over", [name for name in table.names if not name]),
        ("rows with more or fewer fields than others, which are left missing", table.ragged),
        ("wells whose rows contradict each other, which are left missing", contradicted),
    ):
        if wells:
            remarks.append(f"{path.name}: {problem}: {counted(wells, len(table.names))}")
    text = [[values.get(column, "") for column in table.columns] for values in fields.values()]
    return pd.DataFrame(text, index=list(fields), columns=table.columns, dtype=object), remarks


def describe(table: pd.DataFrame, place: str) -> tuple[pd.DataFrame, list[str]]:
    """obs of these wells: batch, experiment, subject, condition, tissue, number_of_cells; and remarks on the missing.

    A subject named hip.. is a control. `place` names the table in remarks.
    """
    text = table.reindex(columns=list(COLUMNS)[1:])
    text = text.where(~text.map(lambda value: is_missing(str(value))))
    parts = text["experiment"].astype(object).str.extract(EXPERIMENT)
    condition = np.where(parts["subject"].str.startswith("hip", na=False), "control", "patient")
    cells = pd.to_numeric(text["number_of_cells"], errors="coerce").astype(np.float64)
    cells = cells.where((cells >= 0) & (cells == np.rint(cells)) & np.isfinite(cells))
    obs = pd.DataFrame(
        {
            "batch": text["batch"],
            "experiment": text["experiment"],
            "subject": parts["subject"],
            "condition": pd.Series(condition, table.index).where(parts["subject"].notna()),
            "tissue": parts["tissue"],
        }
    ).astype("category")
    obs["number_of_cells"] = cells if cells.isna().any() else cells.astype(np.int64)
    remarks = []
    for column, values, form, lost in (
        ("experiment", parts["subject"], "read prefix_subject_[postRx_]tissue[#n]", "subject, condition and tissue"),
        ("batch", text["batch"], "name a batch", "batch"),
        ("number_of_cells", cells, "hold a whole number", "number_of_cells"),
    ):
        missing = values.isna()
        if column not in table:
            remarks.append(f"{place}: there is no column {COLUMNS[column]!r}; {lost} missing")
        elif missing.any():
            first = missing.idxmax()
            remarks.append(
                f"{place}: {lost} missing where {COLUMNS[column]} does not {form}: {missing.sum():,} of {len(table):,} "
                f"wells, the first is {first!r} with {table.loc[first, column]!r}"
            )
    return obs, remarks
