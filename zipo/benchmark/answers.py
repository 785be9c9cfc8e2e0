"""What the leaderboard answers, as tables and sentences for pages: which method for what, where each fails, its cost.

Every sentence and cell is derived from the numbers by a rule; none is written for one result.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from zipo import metrics
from zipo.benchmark.ranks import OVERALL, chief_measures, overall_measures

FIRST = [
    "poisson_deviance",
    "deep_gene_correlation",
    "deep_correlation_distance",
    "truth_mse",
    "denoised_ari",
    "latent_ari",
    "rare_f1",
    "marker_auroc",
    "trajectory_order",
    "protein_correlation",
    "batch_share",
    "donors_ranking",
    "donors_false_calls",
    "false_correlations",
    "false_module_amplitude",
    "null_differences_worst",
    "zero_calibration",
]
"""Chief measures in the order in which pages list them; those of other metrics follow, and those of cost come last."""
NO_DENOISING = "no_denoising"
NONE = "\N{EN DASH}"
AT_MOST = 5
"""Methods that a cell names; of more it gives the number."""


def purposes() -> dict[str, str]:
    """Measures to choose a method by, and what each is good for, in the order of pages."""
    by_measure, costs = metrics.purposes(), metrics.costs()
    names = [*(name for name in FIRST if name in by_measure), *sorted(by_measure, key=costs.__contains__)]
    return {name: by_measure[name] for name in names}


def words(measure: str) -> str:
    """The name of a measure as text."""
    return measure.replace("_", " ")


def headline(ranks: pd.DataFrame, benchmark: dict) -> str:
    """The best methods in the mean over measures and data sets, and what the mean is taken over."""
    overall = ranks[ranks["metric"] == OVERALL].sort_values(["mean_rank", "method"])
    if overall.empty:
        return "No method was ranked."
    datasets = list(benchmark["datasets"])
    taken = [name for name in purposes() if name in overall_measures() and (ranks["metric"] == name).any()]
    best = overall[overall["mean_rank"] == overall["mean_rank"].min()]
    rest = overall.drop(best.index).head(2)
    text = (
        f"Of {count(len(overall), 'method')}, {listed(best['method'])} {'has' if len(best) == 1 else 'have'} the best "
    )
    text += f"mean rank ({best['mean_rank'].iloc[0]:.1f})"
    if len(rest):
        text += ", before " + listed(f"{row.method} ({row.mean_rank:.1f})" for row in rest.itertuples())
    text += f": over {count(len(taken), 'chief measure')} ({', '.join(map(words, taken))}) and "
    text += f"{count(len(datasets), 'data set')}, each measure counting once. "
    if len(datasets) == 1:
        return text + "On one data set, that says nothing about others."
    return text + "A mean over measures hides what each method is good for, which the table says."


def by_purpose(table: pd.DataFrame, ranks: pd.DataFrame, benchmark: dict) -> pd.DataFrame:
    """For each purpose the methods of the best mean rank, the next two, and on how many data sets each is first."""
    rows = []
    unbeaten = _unbeaten(table, benchmark)
    for measure, purpose in purposes().items():
        places = ranks[ranks["metric"] == measure].sort_values(["mean_rank", "method"])
        if places.empty:
            continue
        best = places[places["mean_rank"] == places["mean_rank"].min()]
        scored = table[(table["metric"] == measure) & table["rank"].notna()]
        first = scored[is_first(scored)]
        number = scored["dataset"].nunique()
        rows.append({
            "if you want": purpose,
            "measure": f"{words(measure)}, {scored['better'].iloc[0]} is better",
            "best mean rank": ", ".join(map(_place, best.itertuples())),
            "next": ", ".join(map(_place, places.drop(best.index).head(2).itertuples())) or NONE,
            "first, or not told apart from it": _shares(first["method"].value_counts(), number),
            "no method beats": unbeaten.get(measure, NONE),
        })  # fmt: skip
    return pd.DataFrame(rows)


def fails(table: pd.DataFrame, ranks: pd.DataFrame, benchmark: dict) -> pd.DataFrame:
    """For each method the chief measures and data sets by which it is no better than a control, or has no result."""
    behind = behind_controls(table, benchmark)
    chief = ranks[ranks["metric"] == OVERALL].sort_values(["mean_rank", "method"])["method"]
    scored_on = table[table["rank"].notna()].groupby("metric")["dataset"].nunique()
    rows = []
    for method in chief:
        own = behind[behind["method"] == method]
        harm, no_gain = own[own["harm"]], own[~own["harm"]]
        bad = table[(table["method"] == method) & (table["status"] != "ok")].drop_duplicates(["dataset", "status"])
        rows.append({
            "method": method,
            f"worse than {NO_DENOISING}": _by_measure(harm, harm["metric"].map(words), scored_on),
            "no better than the best control": _by_measure(
                no_gain, no_gain["metric"].map(words) + " against " + no_gain["control"], scored_on
            ),
            "without a result": "; ".join(f"{row.status} on {row.dataset}" for row in bad.itertuples()) or NONE,
        })  # fmt: skip
    return pd.DataFrame(rows)


def behind_controls(table: pd.DataFrame, benchmark: dict) -> pd.DataFrame:
    """The ranked rows by chief measures of quality whose mean is not better than that of the best control.

    Columns method, dataset, metric, control (the best one that does not see the truth), and harm, whether the control
    no_denoising is better than the method.
    """
    controls = [name for name in benchmark["controls"] if name not in benchmark["bounds"]]
    chief = [name for name in chief_measures() if name not in metrics.costs()]
    ok = table[(table["status"] == "ok") & table["metric"].isin(chief)]
    rows = []
    for (dataset, metric), part in ok.groupby(["dataset", "metric"], sort=False):
        sign = 1 if part["better"].iloc[0] == "low" else -1
        means = (sign * part[part["method"].isin(controls)].set_index("method")["mean"]).sort_values(kind="stable")
        if means.empty:
            continue
        control, floor = means.index[0], means.get(NO_DENOISING, np.inf)
        for row in part[part["rank"].notna()].itertuples():
            if control not in row.beats.split(", "):
                rows.append((row.method, dataset, metric, control, sign * row.mean > floor))
    return pd.DataFrame(rows, columns=["method", "dataset", "metric", "control", "harm"]).astype({"harm": bool})


def cost(table: pd.DataFrame, ranks: pd.DataFrame) -> pd.DataFrame:
    """Cost beside quality: mean rank over the chief measures, seconds and peak memory, the best rank first."""
    kinds = metrics.kinds()
    own = table[table["metric"].map(kinds).eq("split") & table["seconds"].notna()]
    per_dataset = own.groupby(["method", "dataset"])[["seconds", "peak_mb"]].max()
    rows = []
    for row in ranks[ranks["metric"] == OVERALL].sort_values(["mean_rank", "method"]).itertuples():
        cells = {"method": row.method, "mean rank": round(row.mean_rank, 2), "SD over measures": row.sd}
        cells |= {"best": row.lowest, "worst": row.highest, "counted as last": row.last}
        if row.method in per_dataset.index:
            spent = per_dataset.loc[row.method]
            low, high = spent["seconds"].min(), spent["seconds"].max()
            cells["seconds"] = f"{low:.3g}" if len(spent) == 1 else f"{low:.3g} to {high:.3g}"
            cells["most MB"] = round(spent["peak_mb"].max())
        rows.append(cells)
    return pd.DataFrame(rows)


def how_it_ran(how: dict) -> str:
    """What the methods were given, how often and under which limits they ran, and what scored them."""
    runs = f"{count(how['splits'], 'random split')} with {count(how['seeds'], 'seed')} ({splits(how)})"
    limits = f"on {count(how['threads'], 'thread')}, for at most {how['seconds']:g} seconds"
    return (
        f"Each method was given {how['share']:.0%} of the molecules of every cell, in {runs}, {limits}, and its "
        "denoised counts are scored on what it did not see: the other molecules, the cell types, the truth where "
        "counts are simulated."
    )


def splits(how: dict) -> str:
    """The splits that were used, and what it means if the first was not 1."""
    first, last = how["first_split"], how["first_split"] + how["splits"] - 1
    text = f"split {first}" if first == last else f"splits {first} to {last}"
    if first == 1:
        return f"{text}, by which methods and parameters may have been chosen as well"
    return f"{text}; earlier ones are left to the choice of methods and parameters"


def count(number: int, noun: str) -> str:
    """A number with its noun, as in 3 splits."""
    return f"{number} {noun}{'s' * (number != 1)}"


def listed(names: Iterable[str]) -> str:
    """Names as in a, b and c."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def is_first(scored: pd.DataFrame) -> pd.Series:
    """Whether each ranked row is in the first group, or first where its measure has no groups."""
    return scored["group"].eq(1).where(scored["group"].notna(), scored["rank"].eq(1)).astype(bool)


def _place(row: tuple) -> str:
    """A method with its mean rank and standard deviation over data sets."""
    spread = "" if pd.isna(row.sd) else f" \N{PLUS-MINUS SIGN} {row.sd:.1f}"  # type: ignore[attr-defined]
    return f"{row.method} ({row.mean_rank:.1f}{spread})"  # type: ignore[attr-defined]


def _shares(counts: pd.Series, number: int) -> str:
    """How often each method is first, the most frequent first."""
    in_order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    text = ", ".join(f"{name} {times} of {number}" for name, times in in_order[:AT_MOST])
    return text + (f", and {len(in_order) - AT_MOST} more" if len(in_order) > AT_MOST else "")


def _unbeaten(table: pd.DataFrame, benchmark: dict) -> dict[str, str]:
    """By measure, the best controls that no method beats, with the data sets."""
    behind = behind_controls(table, benchmark)
    ranked = table[table["rank"].notna()].groupby(["metric", "dataset"])["method"].size()
    by_measure: dict[str, list[str]] = {}
    for (metric, control), part in behind.groupby(["metric", "control"], sort=False):
        sizes = part["dataset"].value_counts(sort=False)
        datasets = [name for name, size in sizes.items() if size == ranked[metric, name]]
        if datasets:
            by_measure.setdefault(metric, []).append(f"{control} on {', '.join(datasets)}")
    return {metric: "; ".join(parts) for metric, parts in by_measure.items()}


def _by_measure(rows: pd.DataFrame, labels: pd.Series, scored_on: pd.Series) -> str:
    """Rows as measures with how many of their data sets, and which."""
    parts = []
    for label, part in rows.groupby(labels, sort=False):
        number = scored_on[part["metric"].iloc[0]]
        which = "" if len(part) == number > 1 else f": {', '.join(part['dataset'])}"
        parts.append(f"{label} ({len(part)} of {number}{which})")
    return "; ".join(parts) or NONE
