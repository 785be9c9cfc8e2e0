"""The leaderboard as a page for a practitioner: which method for what, which do better than the controls, where the
reference loses, what went wrong.

Every sentence is derived from the table by a rule; none is written for one result.
"""

from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zipo import metrics
from zipo.benchmark.leaderboard import FEWEST, LEVEL
from zipo.shared import page

ORDER = [
    "poisson_deviance",
    "deep_gene_correlation",
    "deep_correlation_distance",
    "truth_mse",
    "denoised_ari",
    "latent_ari",
    "rare_f1",
    "marker_auroc",
    "donors_ranking",
    "donors_false_calls",
    "false_correlations",
    "null_differences_worst",
    "zero_calibration",
    "seconds",
]
"""Measures in the order in which the page lists purposes; those of other metrics follow."""
NO_DENOISING = "no_denoising"
PREDICTION = ("poisson_deviance", "mse_counts")
"""Measures by which a method has to beat the controls."""
NONE = "\N{EN DASH}"
STYLE = ".best { font-weight: 600; } .bad { color: #b00020; }"


def write_page(table: pd.DataFrame, benchmark: dict, target: Path) -> None:
    """The page of zipo.benchmark.leaderboard.leaderboard, whole or absent.

    `benchmark` holds the study's title, the reference's name, the data sets' titles, how it was run, and facts of
    every row.
    """
    page.write_page(target, f"Methods compared in the study “{benchmark['title']}”", body(table, benchmark), STYLE)


def body(table: pd.DataFrame, benchmark: dict) -> str:
    """The page's content as HTML."""
    parts = [introduction(benchmark), failures(table), "<h2>Which method for what</h2>"]
    for dataset, title in benchmark["datasets"].items():
        part = table[table["dataset"] == dataset]
        parts += [f"<h3>{escape(title)}</h3>", choices(part)]
    parts += ["<h2>Which methods beat the controls</h2>", against_controls(table, benchmark)]
    reference = benchmark["reference"]
    parts += [f"<h2>Where {escape(reference)} loses</h2>", losses(table, benchmark)]
    parts += ["<h2>All ranks</h2>", ranks(table, benchmark)]
    parts += ["<h2>Shown, not ranked</h2>", not_ranked(table, benchmark)]
    parts += ["<h2>The methods</h2>", methods_table(benchmark)]
    parts += ["<h2>All numbers</h2>", page.folded("The leaderboard", page.table(table, "leaderboard.tsv"))]
    return "\n".join(parts)


def introduction(benchmark: dict) -> str:
    """How the methods were run and scored, and how to read the page."""
    how = benchmark["how"]
    controls = escape(", ".join(benchmark["controls"])) or "none here"
    return f"""<p>Each method was given {how["share"]:.0%} of the molecules of every cell, in
{_count(how["splits"], "random split")} with {_count(how["seeds"], "seed")}, on {_count(how["threads"], "thread")}, for
at most {how["seconds"]:g} seconds, and its denoised counts are scored on what it did not see: the other molecules, the
cell types, the truth where counts are simulated. Ranks go by means; methods with the same mean share a rank. Intervals
hold {LEVEL:.0%} of bootstrap means over the runs, or are their range where there are fewer than {FEWEST}: they tell how
much splits and seeds matter, and nothing about other data sets. Controls ({controls}) are shown and never ranked; nor
does a measure rank that comes out alike by construction. A method that
does worse than <em>{NO_DENOISING}</em> does harm by that measure.</p>"""


def failures(table: pd.DataFrame) -> str:
    """The methods without numbers, with their reasons."""
    bad = table[table["status"] != "ok"]
    if bad.empty:
        return "<p>Every method ran to its end on every data set and gave counts that could be scored.</p>"
    lines = []
    for (method, dataset, status, reason), rows in bad.groupby(["method", "dataset", "status", "reason"], sort=False):
        own = table[(table["method"] == method) & (table["dataset"] == dataset)]
        affected = (
            f" (concerns {', '.join(map(_words, rows['metric']))} alone)" if (own["status"] == "ok").any() else ""
        )
        lines.append(
            f"<li><b>{escape(method)}</b> on {escape(dataset)}: <span class='bad'>{status}</span>: "
            f"{escape(reason)}{escape(affected)}</li>"
        )
    return f"<h2>What went wrong</h2><p>These have no numbers and no rank:</p><ul>{''.join(lines)}</ul>"


def purposes() -> dict[str, str]:
    """Measures to choose a method by, and what each is good for, in the order of the page."""
    purposes = metrics.purposes()
    return dict(sorted(purposes.items(), key=lambda item: ORDER.index(item[0]) if item[0] in ORDER else len(ORDER)))


def choices(part: pd.DataFrame) -> str:
    """For each purpose: the best method, the next two, and the control no_denoising."""
    rows: list[list[str]] = []
    for measure, purpose in purposes().items():
        scored = part[(part["metric"] == measure) & (part["status"] == "ok")]
        ranked = scored[scored["rank"].notna()].sort_values(["rank", "method"])
        if ranked.empty:
            continue
        best = ranked[ranked["rank"] == 1]
        second = ranked[ranked["rank"] > 1].head(2)
        no_denoising = scored[scored["method"] == NO_DENOISING]
        better = best["better"].iloc[0]
        cells = [
            f"{escape(purpose)}<br><small>{escape(_words(measure))}, {better} is better</small>",
            f"<span class='best'>{_list(best)}</span>",
            _list(second) or NONE,
            _list(no_denoising) or NONE,
            escape(_verdict(best, scored)),
        ]
        rows.append(cells)
    return _html(["If you want", "best", "next", "no denoising", ""], rows)


def _verdict(best: pd.DataFrame, scored: pd.DataFrame) -> str:
    """The controls that even the best method does not beat: any for measures of prediction, else no_denoising alone."""
    measure, beaten = best["metric"].iloc[0], best["beats"].iloc[0].split(", ")
    if measure in ("seconds", "peak_mb"):
        return ""
    controls = scored.loc[scored["rank"].isna(), "method"]
    ahead = [name for name in controls if name not in beaten and (name == NO_DENOISING or measure in PREDICTION)]
    return f"no method beats {', '.join(ahead)}" if ahead else ""


def against_controls(table: pd.DataFrame, benchmark: dict) -> str:
    """For each data set, measure of prediction and control: who does better than the control, and who does not."""
    rows = []
    for dataset, title in benchmark["datasets"].items():
        for measure in PREDICTION:
            part = table[(table["dataset"] == dataset) & (table["metric"] == measure) & (table["status"] == "ok")]
            methods = part[part["rank"].notna()].sort_values(["rank", "method"])
            controls = part[part["method"].isin(benchmark["controls"])].sort_values(["mean", "method"])
            for control in controls.itertuples():
                beats = [control.method in beaten.split(", ") for beaten in methods["beats"]]
                names = [methods.loc[np.equal(beats, outcome), "method"] for outcome in (True, False)]
                cells = [title, _words(measure), f"{control.method} {control.mean:.4g}", *map(", ".join, names)]
                rows.append([escape(cell) or NONE for cell in cells])
    if not rows:
        return page.paragraph("No control took part.")
    intro = """<p><em>oracle</em> is the truth of simulated counts, and <em>bayes</em> infers it from the counts and the
true states of the cells, which no method is expected to beat. Other controls know nothing of cells that are alike:
where a method does not predict the other molecules better than they do, its denoised counts are no gain for that.
Where it takes part, <em>shrinkage</em> is the counts themselves drawn towards the means of the genes by one
weight.</p>"""
    return intro + _html(["data set", "measure", "control", "beaten by", "not beaten by"], rows)


def losses(table: pd.DataFrame, benchmark: dict) -> str:
    """The measures by which other methods rank before the reference."""
    reference = benchmark["reference"]
    own = table[(table["method"] == reference) & table["rank"].notna()]
    if own.empty:
        return page.paragraph(f"{reference} has no rank: it did not run to its end, or nothing else did.")
    won = int((own["rank"] == 1).sum())
    rows = []
    for row in own[own["rank"] > 1].itertuples():
        same = table[(table["dataset"] == row.dataset) & (table["metric"] == row.metric)]
        ahead = same[same["rank"] < row.rank].sort_values(["rank", "method"])
        cells = [
            escape(benchmark["datasets"][row.dataset]),
            escape(_words(row.metric)),
            f"{row.rank} of {row.ranked}",
            f"{row.mean:.4g}",
            _list(ahead.head(3)),
            _with_interval_beside_zero(ahead),
        ]
        rows.append(cells)
    text = f"""<p>{escape(reference)} is first, alone or with others, in {won} of {len(own)} comparisons of a measure on
a data set. In the others it is behind; the last column counts those ahead of it whose paired difference, split by
split, has an interval without zero; fewer than {FEWEST} runs are too few for one.</p>"""
    return text + _html(["data set", "measure", "rank", escape(reference), "ahead of it", "surely"], rows)


def _with_interval_beside_zero(ahead: pd.DataFrame) -> str:
    """How many of the methods ahead differ from the reference by an interval that excludes zero."""
    if ahead["pairs"].max() < FEWEST:
        return "too few runs to tell"
    apart = (ahead["difference_low"] > 0) | (ahead["difference_high"] < 0)
    return f"{(apart & (ahead['pairs'] >= FEWEST)).sum()} of {len(ahead)}"


def ranks(table: pd.DataFrame, benchmark: dict) -> str:
    """Ranks of all methods by all measures, a table for each data set."""
    parts = []
    for dataset, title in benchmark["datasets"].items():
        part = table[table["dataset"] == dataset]
        part = part[~part["metric"].isin(list(metrics.unranked()))]
        wide = part.pivot(index="metric", columns="method", values="rank")
        wide = wide.loc[list(dict.fromkeys(part["metric"])), [n for n in benchmark["rows"] if n in wide]]
        wide = wide.dropna(axis="columns", how="all").rename(index=_words).reset_index()
        parts += [f"<h3>{escape(title)}</h3>", page.table(wide.astype(object), f"ranks-{dataset}.tsv")]
    return "\n".join(parts)


def not_ranked(table: pd.DataFrame, benchmark: dict) -> str:
    """The measures that rank no method, with the reasons and the means of all methods, a table for each data set."""
    reasons = metrics.unranked()
    parts = []
    for dataset, title in benchmark["datasets"].items():
        part = table[(table["dataset"] == dataset) & table["metric"].isin(list(reasons))]
        if part.empty:
            continue
        wide = part.pivot(index="metric", columns="method", values="mean")
        wide = wide.loc[list(dict.fromkeys(part["metric"])), [n for n in benchmark["rows"] if n in wide]]
        wide.insert(0, "why", wide.index.map(reasons))
        wide = wide.rename(index=_words).reset_index()
        parts += [f"<h3>{escape(title)}</h3>", page.table(wide, f"not-ranked-{dataset}.tsv")]
    return "\n".join(parts) or page.paragraph("All measures that were taken rank.")


def methods_table(benchmark: dict) -> str:
    """Each row's method, parameters, environment, output and source."""
    rows = [{"row": name, **facts} for name, facts in benchmark["rows"].items()]
    return page.table(pd.DataFrame(rows), "methods.tsv")


def _html(head: list[str], rows: list[list[str]]) -> str:
    """A table of cells that are HTML."""
    lines = ["".join(f"<td>{cell}</td>" for cell in cells) for cells in rows]
    titles = "".join(f"<th>{title}</th>" for title in head)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"


def _list(rows: pd.DataFrame) -> str:
    """Methods with their means and intervals, as HTML."""
    return ", ".join(f"{escape(row.method)} {row.mean:.4g}{_interval(row)}" for row in rows.itertuples())


def _interval(row: Any) -> str:
    return "" if pd.isna(row.low) else f" <small>({row.low:.4g} to {row.high:.4g})</small>"


def _words(measure: str) -> str:
    return measure.replace("_", " ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
