"""How tables are written for reading by eye and by other programs."""

import os
from pathlib import Path

import pandas as pd


def write_tsv(table: pd.DataFrame, target: Path) -> None:
    """A table as TSV, whole or absent; NA marks what is missing."""
    part = target.with_name(f"{target.name}.part")
    table.to_csv(part, sep="\t", index=False, na_rep="NA")
    os.replace(part, target)
