"""The leaderboard as a page for a practitioner: which method for what, where each fails, its cost, and all numbers.

Every sentence is derived from the table by a rule; none is written for one result.
"""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zipo import metrics
from zipo.benchmark import answers
from zipo.benchmark.answers import NO_DENOISING, NONE, purposes, words
from zipo.benchmark.leaderboard import FEWEST, LEVEL
from zipo.benchmark.openproblems import NOTE
from zipo.shared import page

STYLE = ".best { font-weight: 600; } .bad { color: #b00020; }"
FOLDED_FROM = 4
"""Data sets from which on what is shown for each of them is folded."""
MOST_ROWS = 1500
"""Rows up to which the page holds the whole leaderboard: a larger page opens slowly, or not at all in a report."""


def write_page(table: pd.DataFrame, ranks: pd.DataFrame, benchmark: dict, target: Path) -> None:
    """The page of zipo.benchmark.leaderboard.leaderboard and zipo.benchmark.ranks.ranks, whole or absent.

    `benchmark` holds the facts of zipo.study.facts.LeaderboardFacts.
    """
    title = f"Methods compared in the study “{benchmark['title']}”"
    page.write_page(target, title, body(table, ranks, benchmark), STYLE)


def body(table: pd.DataFrame, ranks: pd.DataFrame, benchmark: dict) -> str:
    """The page's content as HTML."""
    reference = escape(benchmark["reference"])
    sections = {
        "Which method for what": which(table, ranks, benchmark),
        "Where each method fails": FAILS + page.table(answers.fails(table, ranks, benchmark), "fails.tsv"),
        "Cost beside quality": COST + page.table(answers.cost(table, ranks), "cost.tsv"),
        "What went wrong": failures(table),
        "How it was run": introduction(benchmark),
        "Which methods beat the controls": against_controls(table, benchmark),
        f"Where {reference} loses": losses(table, benchmark),
        "All ranks": mean_ranks(ranks) + by_dataset(table, benchmark, all_ranks),
        "Scaled between controls": SCALED + by_dataset(table, benchmark, scaled),
        "Shown, not ranked": by_dataset(table, benchmark, not_ranked) or page.paragraph("All measures taken rank."),
        "Beside openproblems": page.paragraph(NOTE),
        "The methods": methods_table(benchmark),
        "All numbers": all_numbers(table),
    }
    return "\n".join(f"<h2>{title}</h2>\n{content}" for title, content in sections.items())


FAILS = f"""<p>Chief measures of quality and data sets by which a method is no better, in the mean, than the best
control that does not see the truth. Worse than <em>{NO_DENOISING}</em> is harm. A control may be hard to beat by
construction: one that makes all cells alike makes up nothing between genes or groups.</p>"""
COST = """<p>Ranks are means over the chief measures of quality that all methods have, each in the mean over data sets;
a method without a number, as it failed, took too long or was refused, has the place after the last there. Seconds are
means on the fastest and the slowest data set.</p>"""
SCALED = """<p>Means on a scale that depends on no other method: 0 at the worst and 1 at the best of the controls,
which is the truth where counts are simulated. Above 1 is better than all controls, below 0 worse than all.</p>"""


def which(table: pd.DataFrame, ranks: pd.DataFrame, benchmark: dict) -> str:
    """The answer in the mean over data sets, and on each of them."""
    over_all = page.table(answers.by_purpose(table, ranks, benchmark), "which.tsv")
    explained = f"""<p>Mean ranks over data sets, with the standard deviation where there are several. Methods that the
runs do not tell apart from the best on a data set count as first there: their paired difference from it, split by
split, has an interval that includes zero, which is the range of the differences where there are fewer than {FEWEST}
runs; where a method ran once, the first alone counts.</p>"""
    return (
        page.paragraph(answers.headline(ranks, benchmark))
        + explained
        + over_all
        + by_dataset(table, benchmark, lambda part, dataset, benchmark: choices(part))
    )


def by_dataset(table: pd.DataFrame, benchmark: dict, show: Callable[[pd.DataFrame, str, dict], str]) -> str:
    """What `show` gives for the rows of each data set, below its title; folded where there are many."""
    parts = []
    for dataset, title in benchmark["datasets"].items():
        shown = show(table[table["dataset"] == dataset], dataset, benchmark)
        if shown and len(benchmark["datasets"]) >= FOLDED_FROM:
            parts.append(page.folded(title, shown))
        elif shown:
            parts += [f"<h3>{escape(title)}</h3>", shown]
    return "\n".join(parts)


def introduction(benchmark: dict) -> str:
    """How the methods were run and scored, and how to read the page."""
    how = benchmark["how"]
    controls = escape(", ".join(benchmark["controls"])) or "none here"
    return f"""<p>{answers.how_it_ran(how)}
Ranks go by means; methods with the same mean share a rank. Intervals hold {LEVEL:.0%} of bootstrap means over the runs,
or are their range where there are fewer than {FEWEST}: they tell how much splits and seeds matter, and nothing about
other data sets. Controls ({controls}) are shown and never ranked; nor does a measure rank that comes out alike by
construction. A method that does worse than <em>{NO_DENOISING}</em> does harm by that measure.</p>"""


def failures(table: pd.DataFrame) -> str:
    """The methods without numbers, with their reasons."""
    bad = table[table["status"] != "ok"]
    if bad.empty:
        return "<p>Every method ran to its end on every data set and gave counts that could be scored.</p>"
    lines = []
    for (method, dataset, status, reason), rows in bad.groupby(["method", "dataset", "status", "reason"], sort=False):
        own = table[(table["method"] == method) & (table["dataset"] == dataset)]
        affected = f" (concerns {', '.join(map(words, rows['metric']))} alone)" if (own["status"] == "ok").any() else ""
        lines.append(
            f"<li><b>{escape(method)}</b> on {escape(dataset)}: <span class='bad'>{status}</span>: "
            f"{escape(reason)}{escape(affected)}</li>"
        )
    return f"<p>These have no numbers and no rank:</p><ul>{''.join(lines)}</ul>"


def choices(part: pd.DataFrame) -> str:
    """For each purpose: the methods that are not told apart from the best, the next two, and no_denoising."""
    rows: list[list[str]] = []
    for measure, purpose in purposes().items():
        scored = part[(part["metric"] == measure) & (part["status"] == "ok")]
        ranked = scored[scored["rank"].notna()].sort_values(["rank", "method"])
        if ranked.empty:
            continue
        is_best = answers.is_first(ranked)
        best, second = ranked[is_best], ranked[~is_best].head(2)
        no_denoising = scored[scored["method"] == NO_DENOISING]
        better = best["better"].iloc[0]
        cells = [
            f"{escape(purpose)}<br><small>{escape(words(measure))}, {better} is better</small>",
            f"<span class='best'>{_list(best)}</span>",
            _list(second) or NONE,
            _list(no_denoising) or NONE,
            escape(_verdict(best, scored)),
        ]
        rows.append(cells)
    return _html(["If you want", "best, and not told apart from it", "next", "no denoising", ""], rows)


def prediction() -> list[str]:
    """Measures of held-out molecules, by which a method has to beat the controls."""
    unranked = metrics.unranked()
    modules = [module for module in metrics.discover().values() if "held_out" in module.needs]
    return [measure for module in modules for measure in module.measures if measure not in unranked]


def _verdict(best: pd.DataFrame, scored: pd.DataFrame) -> str:
    """The controls that even the best method does not beat: any for measures of prediction, else no_denoising alone."""
    measure, beaten = best["metric"].iloc[0], best["beats"].iloc[0].split(", ")
    if measure in metrics.costs():
        return ""
    controls = scored.loc[scored["rank"].isna(), "method"]
    ahead = [name for name in controls if name not in beaten and (name == NO_DENOISING or measure in prediction())]
    return f"no method beats {', '.join(ahead)}" if ahead else ""


def against_controls(table: pd.DataFrame, benchmark: dict) -> str:
    """For each data set, measure of prediction and control: who does better than the control, and who does not."""
    rows = []
    for dataset, title in benchmark["datasets"].items():
        for measure in prediction():
            part = table[(table["dataset"] == dataset) & (table["metric"] == measure) & (table["status"] == "ok")]
            methods = part[part["rank"].notna()].sort_values(["rank", "method"])
            controls = part[part["method"].isin(benchmark["controls"])].sort_values(["mean", "method"])
            for control in controls.itertuples():
                beats = [control.method in beaten.split(", ") for beaten in methods["beats"]]
                names = [methods.loc[np.equal(beats, outcome), "method"] for outcome in (True, False)]
                cells = [title, words(measure), f"{control.method} {control.mean:.4g}", *map(", ".join, names)]
                rows.append([escape(cell) or NONE for cell in cells])
    if not rows:
        return page.paragraph("No control took part.")
    intro = """<p><em>oracle</em> is the truth of simulated counts, and <em>bayes</em> infers it from the counts and the
true states of the cells, which no method is expected to beat. Other controls know nothing of cells that are alike:
where a method does not predict the other molecules better than they do, its denoised counts are no gain for that.
Where it takes part, <em>shrinkage</em> is the counts themselves drawn towards the means of the genes by one
weight.</p>"""
    shown = _html(["data set", "measure", "control", "beaten by", "not beaten by"], rows)
    return intro + (page.folded("Every control", shown) if len(benchmark["datasets"]) >= FOLDED_FROM else shown)


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
            escape(words(row.metric)),
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


def mean_ranks(ranks: pd.DataFrame) -> str:
    """Mean ranks over the data sets: a row for each method, a column for each chief measure."""
    wide = ranks.pivot(index="method", columns="metric", values="mean_rank")
    wide = wide[list(dict.fromkeys(ranks["metric"]))].round(2)
    wide = wide.loc[list(dict.fromkeys(ranks["method"]))].reset_index()
    return "<h3>Mean ranks over data sets</h3>" + page.table(wide, "mean-ranks.tsv")


def all_ranks(part: pd.DataFrame, dataset: str, benchmark: dict) -> str:
    """Ranks of all methods by all measures on a data set."""
    part = part[~part["metric"].isin(list(metrics.unranked()))]
    wide = _wide(part, "rank", benchmark).dropna(axis="columns", how="all")
    return page.table(wide.astype(object), f"ranks-{dataset}.tsv")


def scaled(part: pd.DataFrame, dataset: str, benchmark: dict) -> str:
    """Scaled means of all rows by the measures that have them on a data set."""
    part = part[part["scaled"].notna()]
    return page.table(_wide(part, "scaled", benchmark), f"scaled-{dataset}.tsv") if len(part) else ""


def not_ranked(part: pd.DataFrame, dataset: str, benchmark: dict) -> str:
    """The measures that rank no method on a data set, with the reasons and the means of all methods."""
    reasons = {words(measure): why for measure, why in metrics.unranked().items()}
    part = part[part["metric"].isin(list(metrics.unranked()))]
    if part.empty:
        return ""
    wide = _wide(part, "mean", benchmark)
    wide.insert(1, "why", wide["metric"].map(reasons))
    return page.table(wide, f"not-ranked-{dataset}.tsv")


def _wide(part: pd.DataFrame, column: str, benchmark: dict) -> pd.DataFrame:
    """A column of the leaderboard on a data set: a row for each measure, a column for each row of the leaderboard."""
    wide = part.pivot(index="metric", columns="method", values=column)
    wide = wide.loc[list(dict.fromkeys(part["metric"])), [name for name in benchmark["rows"] if name in wide]]
    return wide.rename(index=words).reset_index()


def all_numbers(table: pd.DataFrame) -> str:
    """The leaderboard itself, unless it is too long for a page."""
    if len(table) > MOST_ROWS:
        return page.paragraph(
            f"The {len(table):,} rows are in leaderboard.tsv and leaderboard.parquet beside this page."
        )
    return page.folded("The leaderboard", page.table(table, "leaderboard.tsv"))


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
