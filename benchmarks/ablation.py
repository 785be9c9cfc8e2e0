"""What each choice of the default denoiser brings: the tables of docs/ablation.md.

    python benchmarks/ablation.py                     # from the scores in docs/ablation/, in a second
    python benchmarks/ablation.py results/ablation    # these first, from the study config/ablation.yaml

In each row of the study one choice is taken back. Losses are given as the share by which they are above the default's,
on the same molecules; measures that have no scale of their own as they are.
"""

import sys
from pathlib import Path

import pandas as pd
from page_tables import rows, with_tables

from zipo.shared.tables import write_tsv
from zipo.study.publish import merged

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "ablation.md"
SCORES = DOCS / "ablation" / "scores.tsv"
DEFAULT = "zipo"
CHANGES = {
    "amortised": "latents as the encoder guesses them",
    "means": "means of the likelihood, without the cell's own count",
    "poisson": "Poisson",
    "zinb": "ZINB",
    "library_predicted": "library sizes predicted",
    "input_log1p": "counts not normalised for the encoder",
    "size_by_gene": "one NB size a gene",
    "size_by_rate": "NB sizes that follow the rates, as in the paper",
    "latents_8": "8 latents",
    "latents_32": "32 latents",
    "latents_64": "64 latents",
    "epochs_10": "10 epochs at most",
    "epochs_60": "60 epochs at most, and a slower decay of the learning rate",
    "zipo_paper": "the preset `paper`",
    "shrinkage": "*counts shrunk gene by gene, no model*",
}
"""What is in place of the default's choice, by the study's rows."""
LOSSES = {"poisson_deviance": "deviance", "held_out_nll": "NLL", "mse_counts": "squared error"}
MEASURES = {
    "latent_ari": "ARI of latents",
    "denoised_ari": "ARI of denoised counts",
    "zero_calibration": "zeros off by",
    "false_module_amplitude": "made-up module",
    "gene_totals": "gene totals off by",
}


def collected(results: Path) -> pd.DataFrame:
    """Means over the splits of the measures of the tables, a row for each of the study's rows, data set and measure."""
    table = pd.read_parquet(results / "leaderboard.parquet")
    chosen = table["metric"].isin([*LOSSES, *MEASURES]) & table["method"].isin([DEFAULT, *CHANGES])
    columns = ["method", "dataset", "metric", "mean"]
    return table.loc[chosen & table["mean"].notna(), columns]


def changes(scores: pd.DataFrame, loss: str) -> pd.DataFrame:
    """Share by which a loss is above the default's, by row of the study and data set, and in the mean of these."""
    values = _by_dataset(scores, loss)
    table = values / values.loc[DEFAULT] - 1
    return table.assign(mean=table.mean(axis=1, skipna=False))


def by_dataset(scores: pd.DataFrame) -> str:
    """The deviance of the default, and by how many per cent it rises with each choice taken back."""
    values = _by_dataset(scores, "poisson_deviance")
    table = changes(scores, "poisson_deviance")
    datasets = list(values.columns)
    body = [["the default", *(f"{values.loc[DEFAULT, name]:.4f}" for name in datasets), ""]]
    body += [[words, *map(_percent, table.loc[row])] for row, words in CHANGES.items() if row in table.index]
    return rows(["in place of the default's choice", *datasets, "mean"], body)


def by_measure(scores: pd.DataFrame) -> str:
    """By how many per cent losses rise, and other measures as they are: means over the data sets that have them."""
    means = scores.pivot_table(index="method", columns="metric", values="mean", aggfunc="mean")
    tables = [changes(scores, loss)["mean"] for loss in LOSSES]
    body = []
    for row, words in {DEFAULT: "the default", **CHANGES}.items():
        if row not in means.index:
            continue
        losses = ["" if row == DEFAULT else _percent(table.get(row)) for table in tables]
        others = [_number(means.loc[row].get(measure)) for measure in MEASURES]
        body.append([words, *losses, *others])
    return rows(["in place of the default's choice", *LOSSES.values(), *MEASURES.values()], body)


def tables() -> dict[str, str]:
    """Every table of the page, by name."""
    scores = pd.read_table(SCORES)
    return {"datasets": by_dataset(scores), "measures": by_measure(scores)}


def _by_dataset(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    return scores[scores["metric"] == metric].pivot_table(index="method", columns="dataset", values="mean")


def _percent(share: float | None) -> str:
    return "" if share is None or pd.isna(share) else f"{100 * share:+.1f} %"


def _number(value: float | None) -> str:
    return "" if value is None or pd.isna(value) else f"{value:.3f}"


def main() -> None:
    if len(sys.argv) > 1:
        SCORES.parent.mkdir(exist_ok=True)
        scores = collected(Path(sys.argv[1]))
        if SCORES.exists():
            scores = merged(pd.read_table(SCORES), scores)
        write_tsv(scores.sort_values(["method", "dataset", "metric"]), SCORES)
    PAGE.write_text(with_tables(PAGE.read_text(), tables()))


if __name__ == "__main__":
    main()
