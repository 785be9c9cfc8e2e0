"""The first page of a study's report: the verdicts by figure, the short answers, and the pictures that matter most."""

from collections.abc import Collection
from html import escape
from pathlib import Path

import pandas as pd

from zipo import figures
from zipo.shared.page import picture
from zipo.shared.verdicts import SIGNS, anchor_of, figure_name
from zipo.study.findings.page import picture_of
from zipo.study.findings.summary import PLACE, Answer, answers, place
from zipo.study.findings.tables import (
    CLAIMS,
    LEADERBOARD,
    RANKS,
    READINGS,
    Findings,
    by_figure,
    counts,
    methods_of,
    read_tsv,
)

LONGEST_SIDE = 1400  # pixels of a picture
BADGE = "display:inline-block;min-width:2.2rem;text-align:center;padding:0 .4rem;border-radius:.3rem;font-weight:600"


def front(files: list[Path], results: Path, drawn: Collection[str]) -> str:
    """The page as HTML that stands within the report, from files of a study that are known by their names.

    Of claims.tsv, readings.tsv, ranks.tsv and leaderboard.json those are told of that are among the files; pictures
    are shown in the order given. Links open pages of the report, of which `results` is the folder, and `drawn` are its
    figures, as figure-08.
    """
    by_name = {file.name: file for file in files}
    claims, readings, ranks = (
        read_tsv(by_name[name]) if name in by_name else pd.DataFrame() for name in (CLAIMS, READINGS, RANKS)
    )
    methods = methods_of(by_name[LEADERBOARD]) if LEADERBOARD in by_name else []
    findings = Findings(claims, readings, ranks, {"methods": methods, "questions": {}})
    parts = []
    if len(claims):
        parts.append(f"<p><strong>The paper's claims: {counts(claims)}</strong>, counting each data set by itself.</p>")
        parts.append(_overview(claims, results, drawn))
        parts.append(_answers(answers(findings)))
    else:
        parts.append(_answers([Answer(PLACE, [place(ranks, methods)])]))
    pictures = [file for file in files if file.suffix == ".png"]
    parts += [
        f"<p>{_link(escape(_title(file.stem)), _page(file.stem, results))}</p>{picture(file, LONGEST_SIDE)}"
        for file in pictures
    ]
    return "\n".join(parts)


def _overview(claims: pd.DataFrame, results: Path, drawn: Collection[str]) -> str:
    """A table of the number of claims by verdict for each figure, with links to figures and claims."""
    rows = []
    for figure, part in by_figure(claims):
        stem, numbers = Path(picture_of(figure)).stem, part["verdict"].value_counts()
        title = _title(stem) if stem else "What the text alone says"
        name = _link(escape(title), _page(stem, results)) if stem in drawn else escape(title)
        claims_of = results / "claims.html", anchor_of(figure_name(figure))
        cells = "".join(
            f"<td>{_link(_badge(verdict, numbers[verdict]), *claims_of) if verdict in numbers else ''}</td>"
            for verdict in SIGNS
        )
        rows.append(f"<tr><td>{name}</td>{cells}</tr>")
    head = "".join(f"<th>{escape(verdict)}</th>" for verdict in SIGNS)
    claims_page = _link("each claim with its numbers", results / "claims.html")
    return (
        f"<table><thead><tr><th>Figure of the paper</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p>See {claims_page}.</p>"
    )


def _answers(given: list[Answer]) -> str:
    items = (f"<li><strong>{escape(each.question)}</strong> {escape(' '.join(each.lines))}</li>" for each in given)
    return f"<ul>{''.join(items)}</ul>"


def _title(stem: str) -> str:
    """The title of a figure; `stem` is the name of its files without their endings."""
    return f"Figure {int(stem.removeprefix('figure-'))}: {figures.load(stem).title}"


def _page(stem: str, results: Path) -> Path:
    return results / "figures" / f"{stem}.html"


def _badge(verdict: str, number: int) -> str:
    """The number of claims of a verdict in its colour."""
    sign, colour, ink = SIGNS[verdict]
    return f'<span style="{BADGE};background:{colour};color:{ink}">{sign} {number}</span>'


def _link(inner: str, page: Path, place: str = "") -> str:
    """A link, around some HTML, that opens a page of the report at a place."""
    uri = f"results['{page}'].data_uri" + (f" + '#{place}'" if place else "")
    view = f"{{content: 'html', contentPath: {uri}, resultPath: '{page}'}}"
    script = f"app.setView({view}); void 0"
    return f'<a href="javascript:{escape(script)}">{inner}</a>'
