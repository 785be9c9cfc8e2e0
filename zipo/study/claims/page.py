"""The page of the verdicts on the paper's claims: HTML that needs no other file."""

import math
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from zipo.shared import page
from zipo.shared.verdicts import SIGNS, anchor_of, figure_name
from zipo.study.claims import t_tests
from zipo.study.claims.verdicts import VERDICTS

STYLE = """
table { width: 100%; table-layout: fixed; }
td { overflow-wrap: anywhere; }
.place { width: 4rem; } .claim { width: 28%; } .data { width: 5.5rem; } .verdict { width: 9.5rem; }
.badge { display: inline-block; padding: .1rem .5rem; border-radius: .3rem; font-weight: 600; white-space: nowrap; }
"""


def write_page(table: pd.DataFrame, title: str, target: Path) -> None:
    """Write the page of a table that zipo.study.claims.verdicts.decide returned; it appears complete or not at all."""
    page.write_page(target, f"The paper's claims in the study “{title}”", body(table), STYLE)


def body(table: pd.DataFrame) -> str:
    """The page's content as HTML: the number of each verdict, then a table of claims for each figure."""
    counts = ", ".join(f"{(table['verdict'] == verdict).sum()} {verdict}" for verdict in VERDICTS)
    order = table["figure"].astype("Float64").fillna(math.inf)
    sections = "\n".join(_section(figure, table[order == figure]) for figure in sorted(order.unique()))
    return f"""<p>{counts}, counting each data set by itself.</p>
<p>Claims are in our words; sections and figures are the paper's. Each is decided by a test, of runs on numbers
paired by seed, at an error rate of {t_tests.LEVEL:.0%} within a figure after Holm's correction. A claim is
<em>not reproduced</em> if the opposite is shown, or if it is shown that any difference is smaller than what matters,
and <em>undecided</em> if neither is. Effects in per cent are geometric means of the seeds' ratios; a claim about
several settings must hold for each, and the weakest comparison is shown.</p>
<p>Tests for and against have {t_tests.LEVEL:.0%} each, so that some verdict of a figure is wrong with a chance of up to
{2 * t_tests.LEVEL:.0%}. Seeds split and train anew on the cells of one data set: intervals are of such seeds, and
<code>ci_low_new_cells</code> and <code>ci_high_new_cells</code> in <code>claims.tsv</code> are of new cells. A run that
diverged counts as worse than all others where losses are compared. Where runs stopped at the cap of epochs, claims on
epochs and times are undecided. Data sets in parentheses are not those of which the paper says it.</p>
{sections}"""


def _section(figure: float, claims: pd.DataFrame) -> str:
    heading = figure_name(figure)
    rows = "\n".join(_row(row) for row in claims.to_dict("records"))
    return f"""<h2 id="{anchor_of(heading)}">{heading}</h2>
<table><thead><tr><th class="place">Section</th><th class="claim">Claim</th><th class="data">Data set</th>
<th class="verdict">Verdict</th><th>Numbers</th></tr></thead><tbody>
{rows}
</tbody></table>"""


def _row(row: dict[str, Any]) -> str:
    sign, colour, ink = SIGNS[row["verdict"]]
    badge = f'<span class="badge" style="background:{colour};color:{ink}">{sign} {row["verdict"]}</span>'
    cells = [
        escape(row["section"]), f"{escape(row['claim'])}<br><small>{escape(row['id'])}</small>",
        escape(row["dataset"] if row["papers_data"] or not row["dataset"] else f"({row['dataset']})"), badge,
        escape(row["sentence"]),
    ]  # fmt: skip
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
