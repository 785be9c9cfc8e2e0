"""Ranks over data sets: the mean place of each method by each chief measure, and by all of them."""

import pandas as pd

from zipo import metrics

OVERALL = "overall"
OPTIONAL_NEEDS = {"latent", "distribution"}
"""What a metric may need that a method gives or not; others need things of the data set, which are there for all."""
COLUMNS = ["method", "metric", "mean_rank", "sd", "lowest", "highest", "measures", "datasets", "last"]
"""Columns before those of the data sets."""


def chief_measures() -> list[str]:
    """The measure of each metric that methods are chosen by, unless it does not rank."""
    unranked = metrics.unranked()
    return [measure for measure in metrics.purposes() if measure not in unranked]


def optional_measures() -> set[str]:
    """The measures that not every method has, such as those of latents."""
    modules = metrics.discover().values()
    return {measure for module in modules if OPTIONAL_NEEDS & set(module.needs) for measure in module.measures}


def overall_measures() -> list[str]:
    """The chief measures of quality that every method has, which the overall mean is taken over."""
    left_out = optional_measures() | set(metrics.costs())
    return [measure for measure in chief_measures() if measure not in left_out]


def ranks(table: pd.DataFrame, controls: list[str]) -> pd.DataFrame:
    """Ranks by the chief measures of a table of zipo.benchmark.leaderboard.leaderboard, the best methods first.

    A row for each method and chief measure, with the columns COLUMNS and a column of ranks for each data set:

    - mean_rank, sd, lowest, highest: over so many `datasets` on which the measure was taken.
    - last: on how many of them the method has no number, since it failed, took too long or was refused. It has the
      place after the last of the others there. A measure that not every method has counts those alone that have it.

    The rows with the metric OVERALL hold means over all of overall_measures: on each data set, and in mean_rank that
    of the measures' mean ranks, with sd, lowest and highest over `measures`.
    """
    table = table[~table["method"].isin(controls)]
    rows = [row for measure in chief_measures() for row in _ranks_by(table, measure)]
    datasets = list(table["dataset"].unique())
    by_measure = pd.DataFrame(rows, columns=[*COLUMNS, *datasets])
    shared = by_measure[by_measure["metric"].isin(overall_measures())]
    means = []
    for method, part in shared.groupby("method"):
        row = {"method": method, "metric": OVERALL} | _summary(part["mean_rank"])
        row |= {"measures": len(part), "datasets": int(part[datasets].notna().any().sum()), "last": part["last"].sum()}
        means.append(row | part[datasets].mean().to_dict())
    whole = pd.DataFrame([*means, *rows], columns=[*COLUMNS, *datasets])
    whole = whole.astype(dict.fromkeys(("measures", "datasets", "last"), "int64"))
    whole["metric"] = pd.Categorical(whole["metric"], [OVERALL, *chief_measures()])
    return whole.sort_values(["metric", "mean_rank", "method"], ignore_index=True).astype({"metric": "string"})


def _ranks_by(table: pd.DataFrame, measure: str) -> list[dict]:
    """A row for each method that is ranked by a measure on any data set, or would have been."""
    scored = table[(table["metric"] == measure) & table["rank"].notna()]
    methods = scored["method"] if measure in optional_measures() else table["method"]
    by_method: dict[str, dict[str, int]] = {name: {} for name in methods.unique()}
    last = dict.fromkeys(by_method, 0)
    for dataset, part in scored.groupby("dataset", sort=False):
        rank = part.set_index("method")["rank"]
        for method in set(table.loc[table["dataset"] == dataset, "method"]) & set(by_method):
            by_method[method][str(dataset)] = int(rank.get(method, len(rank) + 1))
            last[method] += method not in rank.index
    return [
        {"method": method, "metric": measure, "measures": 1, "datasets": len(places), "last": last[method]}
        | _summary(pd.Series(places, dtype=float))
        | places
        for method, places in by_method.items()
        if places
    ]


def _summary(places: pd.Series) -> dict[str, float]:
    """Mean, standard deviation and range of ranks; the deviation of a single one is NaN."""
    return {"mean_rank": places.mean(), "sd": places.std(), "lowest": places.min(), "highest": places.max()}
