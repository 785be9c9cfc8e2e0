"""The table of all methods on all data sets of docs/leaderboard.md, from the published leaderboard.

    python benchmarks/leaderboard_table.py    # after `zipo study publish-leaderboard ... docs/leaderboard-full`

Rows are in the order of their mean place over the data sets, controls counted; the places that are printed are those
among the methods that are ranked.
"""

from pathlib import Path

import pandas as pd
from page_tables import rows, with_tables

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "leaderboard.md"
PUBLISHED = DOCS / "leaderboard-full" / "leaderboard.parquet"
METRIC = "poisson_deviance"
DIGITS = 3
DATASETS = {
    "baron": "pancreas",
    "baron_donors": "other donors",
    "baron_mouse": "mouse pancreas",
    "zeisel": "brain",
    "cord_blood": "cord blood",
    "pbmc8k": "blood 8k",
    "dentate_gyrus": "dentate gyrus",
    "choroid_plexus": "choroid plexus",
    "simulated_programs": "programs",
    "simulated_trajectory": "trajectory",
    "simulated_batches": "batches",
    "designed_baron": "drawn after pancreas",
}
METHODS = {
    "zipo": "**ZiPo**",
    "zipo_fast": "ZiPo, preset `fast`",
    "zipo_paper": "ZiPo, preset `paper`",
    "zipo_paper_zinb": "the same with ZINB",
    "glmpca": "GLM-PCA",
    "nmf": "Poisson NMF",
    "magic": "MAGIC",
    "enhance": "ENHANCE",
    "scvi": "scVI (ZINB)",
    "recode": "RECODE",
    "recode_1": "RECODE, version 1",
    "dca": "DCA",
    "cellmapper": "CellMapper",
    "pca": "PCA",
    "knn_smoothing": "kNN-smoothing",
    "ldvae": "LDVAE",
    "scself": "Noise2Self",
    "alra": "ALRA",
    "deepimpute": "DeepImpute",
}
"""Names of methods; controls have their own, in italics."""


def by_dataset(board: pd.DataFrame) -> str:
    """A row for each method, a column for each data set: deviance, and its place among those that are ranked."""
    board = board[(board["metric"] == METRIC) & board["dataset"].isin(DATASETS)]
    values = board.pivot(index="method", columns="dataset", values="mean")
    places = board.pivot(index="method", columns="dataset", values="rank")
    datasets = [name for name in DATASETS if name in values.columns]
    order = values.rank().mean(axis=1).sort_values(kind="stable").index
    body = [
        [METHODS.get(method, f"*{method}*"), *(_cell(values, places, method, name) for name in datasets)]
        for method in order
    ]
    return rows(["", *(DATASETS[name] for name in datasets)], body)


def _cell(values: pd.DataFrame, places: pd.DataFrame, method: str, dataset: str) -> str:
    value, place = values.at[method, dataset], places.at[method, dataset]
    if pd.isna(value):
        return ""
    number = f"{value:.{DIGITS}f}".removeprefix("0")
    return number if pd.isna(place) else f"{number} ({place:.0f})"


def main() -> None:
    PAGE.write_text(with_tables(PAGE.read_text(), {"full": by_dataset(pd.read_parquet(PUBLISHED))}))


if __name__ == "__main__":
    main()
