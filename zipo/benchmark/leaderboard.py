"""The leaderboard: mean, interval and rank of each method by each metric on each data set."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from zipo import metrics

DRAWS = 9999
LEVEL = 0.95
FEWEST = 4
"""Fewest runs with a bootstrap interval: of 3, 1 / 3^3 of the draws have the least mean, so it is only their range."""
DECIMALS = 6
"""Decimals of the means that are ranked: a difference beyond these may be rounding of float32, and is a tie."""
RUN = ["split", "seed"]
WORST = ["unavailable", "timeout", "failed", "invalid", "ok"]
"""Statuses of a run, the worst first; a row of several runs has the worst of theirs."""
COLUMNS = [
    "method",
    "dataset",
    "metric",
    "better",
    "mean",
    "low",
    "high",
    "n",
    "rank",
    "ranked",
    "group",
    "scaled",
    "seconds",
    "peak_mb",
    "status",
    "reason",
    "difference",
    "difference_low",
    "difference_high",
    "pairs",
    "beats",
    "remark",
]


def leaderboard(scores: pd.DataFrame, reference: str, controls: list[str]) -> pd.DataFrame:
    """A row for each method, data set and metric, with the columns COLUMNS, from the scores of all runs.

    - mean, low, high: over n runs (splits and seeds), with a 95 % bootstrap interval of the mean.
    - rank: from 1, the best by the metric's better end, among `ranked` methods; ties share the better rank. Controls
      are not ranked, and nothing is by a metric that is fixed by construction (zipo.metrics.unranked).
    - group: from 1, methods that the runs do not tell apart; see `groups`. None where a method ran once.
    - scaled: 0 at the worst and 1 at the best of the controls, which is the truth where counts are simulated: above 1
      is better than all controls, below 0 worse than all. It depends on no other method. NaN by a metric that does
      not rank, of time or memory, which controls hardly take, and where fewer than two controls differ.
    - seconds, peak_mb: means over the runs.
    - difference: of the value less the reference's on the same split and seed, with a bootstrap interval, over pairs.
    - beats: names of the controls whose mean is worse, by a metric that ranks.
    - status, reason: of the runs behind the metric. If any went wrong there are no numbers and there is no rank.
    - remark: control, why a metric does not rank, and what the interval is where runs are too few for one.
    """
    better = metrics.measures()
    kinds, unranked = metrics.kinds(), metrics.unranked()
    rows: list[dict] = []
    for (dataset, kind), part in scores.groupby(["dataset", "kind"], sort=False):
        scored = [m for m in better if kinds[m] == kind and (part["metric"] == m).any()]
        for metric in scored:
            values = part[part["metric"] == metric]
            reference_values = values[values["method"] == reference].set_index(RUN)["value"]
            metric_rows = []
            for method, runs in part.groupby("method", sort=False):
                row = {"method": method, "dataset": dataset, "metric": metric, "better": better[metric]}
                row |= _outcome(runs)
                if row["status"] == "ok":
                    method_values = runs[runs["metric"] == metric].set_index(RUN)["value"].dropna()
                    if method_values.empty:  # a number that the method does not have
                        continue
                    row |= _summary(method_values) | _difference(
                        method_values, reference_values if method != reference else reference_values[:0]
                    )
                    row["remark"] = _remark(row["n"], method in controls, unranked.get(metric))
                metric_rows.append(row)
            if metric not in unranked:
                metric_rows = _ranked(metric_rows, better[metric], controls)
                _add_groups(metric_rows, values.pivot(index=RUN, columns="method", values="value"))
                if metric not in metrics.costs():
                    _add_scaled(metric_rows, better[metric], controls)
            rows += metric_rows
    table = pd.DataFrame(rows, columns=COLUMNS)
    types = dict.fromkeys(("n", "rank", "ranked", "group", "pairs"), "Int64") | {"scaled": "float64"}
    return table.astype(types).fillna({"reason": "", "beats": "", "remark": ""})


def groups(values: pd.DataFrame, order: list[str]) -> dict[str, int]:
    """Groups of methods that the runs do not tell apart, from 1, by method; none where they ran less than twice.

    `values` has a row for each run and a column for each method; `order` lists the methods from the best on. The first
    opens a group, to which the next ones belong as long as the interval of their paired difference from it includes
    zero; the first whose interval does not opens the next group. Intervals of few runs are their range.
    """
    by_method: dict[str, int] = {}
    for method in order:
        if not by_method:
            first, by_method[method] = method, 1
            continue
        differences = (values[method] - values[first]).dropna().to_numpy()
        if len(differences) < 2:
            return {}
        low, high = np.round(bootstrap(differences), DECIMALS)
        apart = low > 0 or high < 0
        by_method[method] = max(by_method.values()) + apart
        first = method if apart else first
    return by_method


def bootstrap(values: np.ndarray) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of some values (n,); NaN for a single one."""
    if len(values) < 2:
        return float("nan"), float("nan")
    drawn = np.random.default_rng(1).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _outcome(runs: pd.DataFrame) -> dict:
    """Status and reason of a method's runs, and what they cost."""
    once = runs.drop_duplicates(RUN)
    status = min(once["status"], key=WORST.index)
    bad = once[once["status"] == status]
    reason = bad["reason"].iloc[0] if status != "ok" else ""
    if reason and len(bad) < len(once):
        reason = f"{len(bad)} of {len(once)} runs: {reason}"
    cost = {name: once[name].mean() for name in ("seconds", "peak_mb")} if status == "ok" else {}
    return {"status": status, "reason": reason, "n": len(once) if status == "ok" else 0} | cost


def _summary(values: pd.Series) -> dict:
    low, high = bootstrap(values.to_numpy())
    return {"mean": values.mean(), "low": low, "high": high, "n": len(values)}


def _difference(values: pd.Series, reference_values: pd.Series) -> dict:
    """Paired difference of a method's values from the reference's on the same splits and seeds, with its interval.

    A method without randomness ran with one seed, so it is paired with the first seed of the reference.
    """
    paired = (values - reference_values).dropna()
    if paired.empty:
        return {}
    low, high = bootstrap(paired.to_numpy())
    return {"difference": paired.mean(), "difference_low": low, "difference_high": high, "pairs": len(paired)}


def _remark(n: int, control: bool, unranked: str | None) -> str:
    few = {1: "one run: no interval"}.get(n, f"{n} runs: the interval is their range" if n < FEWEST else "")
    return "; ".join(filter(None, ["control" if control else "", unranked and f"not ranked: {unranked}", few]))


def _ranked(rows: list[dict], better: str, controls: list[str]) -> list[dict]:
    """The rows with their ranks, the number of ranked methods, and the controls that each beats."""
    sign = 1 if better == "low" else -1
    signed_means = {row["method"]: round(sign * row["mean"], DECIMALS) for row in rows if row["status"] == "ok"}
    ranked_rows = [row for row in rows if row["method"] in signed_means and row["method"] not in controls]
    ranks = rankdata([signed_means[row["method"]] for row in ranked_rows], "min")
    for row, rank in zip(ranked_rows, ranks, strict=True):
        row |= {"rank": int(rank), "ranked": len(ranked_rows)}
    for row in rows:
        own_value = signed_means.get(row["method"], np.inf)
        row["beats"] = ", ".join(name for name in controls if own_value < signed_means.get(name, -np.inf))
    return rows


def _add_groups(rows: list[dict], values: pd.DataFrame) -> None:
    """Add their groups to the rows that have a rank."""
    in_order = sorted((row for row in rows if "rank" in row), key=lambda row: (row["rank"], row["method"]))
    by_method = groups(values, [row["method"] for row in in_order])
    for row in in_order:
        row["group"] = by_method.get(row["method"])


def _add_scaled(rows: list[dict], better: str, controls: list[str]) -> None:
    """Add to the rows their means scaled between the worst and the best control."""
    means = sorted(
        (row["mean"] for row in rows if row["method"] in controls and "mean" in row), reverse=better == "low"
    )
    if len(means) < 2 or round(means[-1] - means[0], DECIMALS) == 0:
        return
    for row in rows:
        row["scaled"] = (row["mean"] - means[0]) / (means[-1] - means[0]) if "mean" in row else np.nan
