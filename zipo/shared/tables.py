"""Writes tables: as TSV to read by eye and by any program, as Parquet to keep the types."""

from pathlib import Path

import pandas as pd

from zipo.shared.atomic_files import atomic_write


def write_tsv(table: pd.DataFrame, target: Path) -> None:
    """Write a table as TSV, complete or not at all; NA marks missing values."""
    with atomic_write(target) as part:
        table.to_csv(part, sep="\t", index=False, na_rep="NA")


def write_parquet(table: pd.DataFrame, target: Path) -> None:
    """Write a table as Parquet, complete or not at all."""
    with atomic_write(target) as part:
        table.to_parquet(part)
