"""The verdicts as one HTML page that needs no other file."""

import math
from html import escape
from pathlib import Path

import pandas as pd

from zipo.study import paired
from zipo.study.claims import VERDICTS
from zipo.whole import whole

# Okabe and Ito's colours, told apart in every common colour blindness; with a sign and a word beside them
LOOKS = {
    "reproduced": ("&#10003;", "#0072b2", "#ffffff"),
    "not reproduced": ("&#10007;", "#e69f00", "#000000"),
    "undecided": ("?", "#f0e442", "#000000"),
    "not run": ("&ndash;", "#dddddd", "#000000"),
}
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; border-bottom: 1px solid #ddd; }
td { overflow-wrap: anywhere; }
th { font-weight: 600; border-bottom: 2px solid #888; }
.place { width: 7rem; } .claim { width: 30%; } .data { width: 7rem; } .verdict { width: 9.5rem; }
.badge { display: inline-block; padding: .1rem .5rem; border-radius: .3rem; font-weight: 600; white-space: nowrap; }
small { color: #555; }
"""


def write_page(table: pd.DataFrame, title: str, target: Path) -> None:
    """The page of the verdicts of zipo.study.claims.decide, whole or absent."""
    with whole(target) as part:
        part.write_text(page(table, title), encoding="utf-8")


def page(table: pd.DataFrame, title: str) -> str:
    """The page as text: how many of each verdict, then the claims figure by figure."""
    counts = ", ".join(f"{(table['verdict'] == verdict).sum()} {verdict}" for verdict in VERDICTS)
    order = table["figure"].astype("Float64").fillna(math.inf)
    sections = "\n".join(_section(figure, table[order == figure]) for figure in sorted(order.unique()))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Claims: {escape(title)}</title><style>{STYLE}</style></head><body>
<h1>The paper's claims in the study &ldquo;{escape(title)}&rdquo;</h1>
<p>{counts}, counting each data set by itself. Claims are in our words; sections and figures are the paper's.
Each is decided by a test on numbers paired by seed, at an error rate of {paired.LEVEL:.0%} within a figure after
Holm's correction. A claim is <em>not reproduced</em> if the opposite is shown, or if it is shown that any difference
is smaller than what matters, and <em>undecided</em> if neither is. Effects in per cent are geometric means of the
seeds' ratios; a claim about several settings must hold for each, and the weakest comparison is shown.</p>
{sections}
</body></html>
"""


def _section(figure: float, claims: pd.DataFrame) -> str:
    heading = "Text" if math.isinf(figure) else f"Figure {figure:.0f}"
    rows = "\n".join(_row(row) for row in claims.to_dict("records"))
    return f"""<h2>{heading}</h2>
<table><thead><tr><th class="place">Section</th><th class="claim">Claim</th><th class="data">Data set</th>
<th class="verdict">Verdict</th><th>Numbers</th></tr></thead><tbody>
{rows}
</tbody></table>"""


def _row(row: dict) -> str:
    sign, colour, ink = LOOKS[row["verdict"]]
    badge = f'<span class="badge" style="background:{colour};color:{ink}">{sign} {row["verdict"]}</span>'
    place = row["section"] if pd.isna(row["figure"]) else f"{row['section']}, Fig. {row['figure']:.0f}"
    cells = [
        escape(place), f"{escape(row['claim'])}<br><small>{escape(row['id'])}</small>", escape(row["dataset"]), badge,
        escape(row["sentence"]),
    ]  # fmt: skip
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
