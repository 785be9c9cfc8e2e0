"""The page of verdicts under each reading: HTML that needs no other file."""

import math
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from zipo.shared import page
from zipo.shared.verdicts import SIGNS, amount
from zipo.study.readings.verdicts import FAILS, HANGS, KEY, NOT_COMPARED, ROBUST, UNDECIDED

STYLE = """
td.cell { text-align: center; white-space: nowrap; font-size: 12px; }
th.cell { font-size: 12px; text-align: center; }
td.same { color: #777; }
"""
OF_SEVERAL = {
    ROBUST: "robust",
    HANGS: "hang on a reading",
    FAILS: "fail under every reading",
    UNDECIDED: "undecided",
    NOT_COMPARED: "not compared",
}
"""The classes of claims as a sentence counts them."""


def write_page(table: pd.DataFrame, title: str, target: Path) -> None:
    """Write the page of a table of zipo.study.readings.verdicts.decide_under_readings; it appears complete or not."""
    page.write_page(target, f"Claims under other readings in the study “{title}”", body(table), STYLE)


def body(table: pd.DataFrame) -> str:
    """The page's content as HTML: the number of claims in each class, the questions, and a table of verdicts."""
    claims = table.drop_duplicates(KEY)
    counts = ", ".join(f"{(claims['class'] == name).sum()} {words}" for name, words in OF_SEVERAL.items())
    readings = table.drop_duplicates("reading")
    questions = "".join(
        f"<li><b>{escape(name)}</b>: {escape(text)} {escape(', '.join(answers))}</li>"
        for (name, text), answers in readings[readings["question"] != ""].groupby(["question", "text"], sort=False)[
            "reading"
        ]
    )
    head = "".join(f'<th class="cell">{escape(name).replace("=", "=<wbr>")}</th>' for name in readings["reading"])
    rows = "\n".join(_row(rows) for _, rows in table.groupby(KEY, sort=False))
    return f"""<p>{counts}, counting each data set by itself.</p>
<p>The paper is open in places, and a verdict may rest on how it is read. Each column but the first changes one reading
of the study's own (<em>as_run</em>) and decides the claims on runs trained so. A claim is <em>robust</em> if it is
reproduced under every reading, <em>fails under every reading</em> if under none, <em>hangs on</em> readings if some
reproduce it and others show that it does not hold, and is <em>undecided</em> if a verdict is open and none contradicts
the others. &asymp; marks settings that a reading leaves as they are: they were trained once, and count once.</p>
<ul>{questions}</ul>
<div class="wide"><table><thead><tr><th>Claim</th><th>Class</th>{head}</tr></thead><tbody>
{rows}
</tbody></table></div>"""


def _row(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    figure = "" if pd.isna(first["figure"]) else f"Figure {first['figure']}. "
    places = f"{first['id']}, {first['dataset']}"
    name = f"{escape(figure)}{escape(first['claim'])}<br><small>{escape(places)}</small>"
    described = f"{first['class']} {first['because_of']}" if first["class"] == HANGS else first["class"]
    cells = "".join(_cell(row) for row in rows.to_dict("records"))
    return f"<tr><td>{name}</td><td>{escape(described)}</td>{cells}</tr>"


def _cell(row: dict[str, Any]) -> str:
    """A verdict's sign and effect in its colour; the whole sentence appears where the pointer rests."""
    if row["same_runs"]:
        return '<td class="cell same">&asymp;</td>'
    sign, colour, ink = SIGNS[row["verdict"]]
    numbers = ""
    if not math.isnan(row["effect"]):
        low, high = (amount(row[end], row["scale"]) for end in ("ci_low", "ci_high"))
        numbers = f" {amount(row['effect'], row['scale'])}<br><small style='color:inherit'>{low} to {high}</small>"
    style = f"background:{colour};color:{ink}"
    return f'<td class="cell" style="{style}" title="{escape(row["sentence"])}">{sign}{numbers}</td>'
