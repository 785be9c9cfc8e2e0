"""Which claims change with the number of cells and the width of the network: tables and figure of docs/sizes.md.

    python benchmarks/sizes.py                  # from the table in docs/sizes/, in seconds
    python benchmarks/sizes.py results/scale    # this first, from the study config/scale.yaml

Effects at data sets and widths that the study did not run stay, so that it can be run in parts; predictions are made of
all.
"""

import sys
from pathlib import Path

import pandas as pd
from page_tables import rows, with_tables

from zipo.figures import load
from zipo.shared.tables import write_tsv
from zipo.shared.verdicts import amount, figure_name
from zipo.study.publish import merged
from zipo.study.readings.scale import with_predictions

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "sizes.md"
EFFECTS = DOCS / "sizes" / "effects.tsv"
FIGURE = DOCS / "sizes" / "figure-22.png"
SIZE = ["dataset", "first_layer"]
DPI = 100
"""Of a picture that a repository keeps."""


def joined(earlier: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """The effects measured later, and the earlier ones at other sizes, with what all of them predict."""
    earlier, later = (table[table["kind"] == "measured"] for table in (earlier, later))
    measured = merged(earlier, later, SIZE).drop(columns="sign")
    return with_predictions(measured.sort_values(["figure", "id", "population", "cells", "first_layer"]))


def by_claim(table: pd.DataFrame) -> str:
    """A row per claim and population: effects at the smallest and largest sizes, and at the paper's, predicted."""
    body = []
    for (_, population), part in table.groupby(["id", "population"], sort=False):
        first = part.iloc[0]
        measured = part[part["kind"] == "measured"].sort_values(["cells", "first_layer"])
        predicted = part[part["kind"] == "predicted"]
        body.append([
            f"{figure_name(first['figure'])}: {first['claim'].rstrip('.')}",
            population,
            _with_interval(measured.iloc[0]),
            _with_interval(measured.iloc[-1]),
            _with_interval(predicted.iloc[0]) if len(predicted) else "",
            first["sign"],
        ])  # fmt: skip
    return rows(["claim", "cells of", "smallest", "largest", "*predicted at the paper's*", "sign"], body)


def by_size(table: pd.DataFrame) -> str:
    """A row per claim and width of the first layer, a column per data set: effects, bold without zero."""
    measured = table[table["kind"] == "measured"]
    datasets = list(measured.sort_values(["population", "cells"])["dataset"].unique())
    body = []
    for name, of_claim in measured.groupby("id", sort=False):
        for width, part in of_claim.groupby("first_layer"):
            effects = part.set_index("dataset")
            cells = [_decided(effects.loc[each]) if each in effects.index else "" for each in datasets]
            body.append([name, f"{width:.0f}", *cells])
    return rows(["claim", "first layer", *datasets], body)


def tables() -> dict[str, str]:
    """Every table of the page, by name."""
    table = pd.read_table(EFFECTS)
    return {"claims": by_claim(table), "sizes": by_size(table)}


def _with_interval(row: pd.Series) -> str:
    effect, low, high = (amount(row[name], row["scale"]) for name in ("effect", "ci_low", "ci_high"))
    return f"{effect} ({low} to {high})"


def _decided(row: pd.Series) -> str:
    effect = amount(row["effect"], row["scale"])
    return effect if row["ci_low"] <= 0 <= row["ci_high"] else f"**{effect}**"


def main() -> None:
    if len(sys.argv) > 1:
        EFFECTS.parent.mkdir(exist_ok=True)
        later = pd.read_parquet(Path(sys.argv[1]) / "scale.parquet")
        write_tsv(joined(pd.read_table(EFFECTS) if EFFECTS.exists() else later, later), EFFECTS)
    load("figure-22").draw({"scale": pd.read_table(EFFECTS)}, {}).savefig(FIGURE, dpi=DPI)
    PAGE.write_text(with_tables(PAGE.read_text(), tables()))


if __name__ == "__main__":
    main()
