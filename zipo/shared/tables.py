"""How tables are written: TSV to read by eye and by any program, Parquet to keep the types."""

from pathlib import Path

import pandas as pd

from zipo.shared.atomic_files import atomic_write


def write_tsv(table: pd.DataFrame, target: Path) -> None:
    """A table as TSV, whole or absent; NA marks what is missing."""
    with atomic_write(target) as part:
        table.to_csv(part, sep="\t", index=False, na_rep="NA")


def write_parquet(table: pd.DataFrame, target: Path) -> None:
    """A table as Parquet, whole or absent."""
    with atomic_write(target) as part:
        table.to_parquet(part)
