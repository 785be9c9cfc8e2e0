"""The pages of the leaderboard say what its tables hold: their columns, and every number of the published page."""

import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from zipo.benchmark import leaderboard, ranks, scores
from zipo.shared.tables import write_parquet
from zipo.study.publish import RUN_COLUMNS
from zipo.study.published_page import text

DOCS = Path(__file__).parents[2] / "docs"
PUBLISHED = [DOCS / "leaderboard", DOCS / "leaderboard-full"]
COLUMNS = {
    "leaderboard.parquet": leaderboard.COLUMNS,
    "ranks.tsv": ranks.COLUMNS,
    "scores.parquet": list(scores.COLUMNS),
}


def described(name: str) -> dict[str, str]:
    """Columns that the page of the schema describes for a table, with their types."""
    section = (DOCS / "leaderboard-schema.md").read_text().split(f"\n## {name}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (\w+) \| .+ \|$", section, re.M)
    return dict(rows[1:])  # without its head


def made() -> dict[str, pd.DataFrame]:
    """The tables of two methods with one run each."""
    row = {"study": "s", "dataset": "d", "method": "a", "parameters": "{}", "kind": "split", "split": 1, "seed": 1}
    row |= {"metric": "poisson_deviance", "value": 0.5, "seconds": 1.0, "peak_mb": 9.0, "status": "ok", "reason": ""}
    table = pd.DataFrame([row, row | {"method": "b", "value": 0.7}], columns=list(scores.COLUMNS)).astype(
        scores.COLUMNS
    )
    board = leaderboard.leaderboard(table, "a", [])
    return {"leaderboard.parquet": board, "ranks.tsv": ranks.ranks(board, []), "scores.parquet": table}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_schema_names_every_column_in_order_with_its_type(name, tmp_path):
    assert list(described(name)) == list(COLUMNS[name])
    write_parquet(made()[name], tmp_path / "table.parquet")
    types = {field.name: str(field.type).replace("large_", "") for field in pq.read_schema(tmp_path / "table.parquet")}
    assert {column: types[column] for column in described(name)} == described(name)


def test_the_schema_names_every_column_of_the_runs():
    assert list(described("runs.tsv")) == RUN_COLUMNS


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_the_published_page_is_the_one_that_its_tables_make(folder):
    assert (folder / "index.md").read_text() == text(folder)
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2_000_000
