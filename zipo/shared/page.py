"""HTML pages of the report: tables, pictures and texts, in files that need no other file."""

import base64
import io
from html import escape
from pathlib import Path

import pandas as pd

from zipo.shared.atomic_files import atomic_write

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; margin: 1.5rem auto; max-width: 80rem; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0 0 .8rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
p { max-width: 60rem; } td p { margin: 0; } img { display: block; max-width: 100%; margin: 1rem 0; }
table { border-collapse: collapse; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid #ddd; }
th { font-weight: 600; border-bottom: 2px solid #888; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.wide { overflow: auto; max-height: 85vh; width: fit-content; max-width: 100%; font-size: 13px; }
.wide thead th { position: sticky; top: 0; z-index: 2; background: #fff; box-shadow: inset 0 -2px #888; border: 0; }
.wide td:first-child, .wide th:first-child { position: sticky; left: 0; z-index: 1; background: #fff; }
.wide thead th:first-child { z-index: 3; } .wide th, .wide td { padding: .25rem .5rem; }
.wide td { max-width: 22rem; overflow-wrap: break-word; }
.side td { overflow-wrap: anywhere; text-align: left; } .side td:first-child { white-space: nowrap; }
summary { cursor: pointer; color: #0072b2; } pre, .literal { background: #f2f2f2; border-radius: .2rem; }
.literal { font: 13px monospace; padding: .05rem .2rem; } pre { padding: .6rem; } small { color: #555; }
"""
FEW_ROWS = 6
LONGEST_SIDE = 3000  # pixels of a picture; Chromium shows no page of more than 1.5 MB inside a report
SCREEN_SCALE = 0.6  # pixels on the screen for one of a picture, which is drawn for paper


def write_page(target: Path, title: str, body: str, style: str = "") -> None:
    """Write a page with a title and a body of HTML; the file appears complete or not at all.

    `style` is CSS for this page alone, beside that of all pages.
    """
    with atomic_write(target) as part:
        part.write_text(page(title, body, style), encoding="utf-8")


def page(title: str, body: str, style: str = "") -> str:
    """The HTML of a whole page; `body` is HTML, too."""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{escape(title)}</title><style>{STYLE}{style}</style></head><body>
<h1>{escape(title)}</h1>
{body}
</body></html>
"""


def paragraph(text: str) -> str:
    """Plain text as an HTML paragraph."""
    return f"<p>{escape(text)}</p>"


def content(source: Path) -> str:
    """A file of the study as HTML: .tsv as a table, .png as a picture, .rst as formatted text, others as plain text."""
    if source.suffix == ".tsv":
        return table(pd.read_csv(source, sep="\t", keep_default_na=False, na_values=["NA"]), source.name)
    if source.suffix == ".png":
        return picture(source)
    if source.suffix == ".rst":
        from docutils.core import publish_parts

        return publish_parts(source.read_text(), writer="html5", settings_overrides=RST)["body"]
    return f"<h2>{escape(source.name)}</h2><pre>{escape(source.read_text())}</pre>"


RST = {"initial_header_level": 2, "doctitle_xform": False, "file_insertion_enabled": False, "raw_enabled": False}


def table(frame: pd.DataFrame, name: str) -> str:
    """A table as HTML with numbers to four digits, below a link that saves all digits as the TSV file `name`.

    A table of few rows and more columns is transposed.
    """
    tsv = base64.b64encode(frame.to_csv(sep="\t", index=False, na_rep="NA").encode()).decode()
    rows = [[column.replace("_", " ") for column in frame.columns], *frame.itertuples(index=False)]
    css = "wide"
    if len(frame) <= FEW_ROWS < len(frame.columns):
        rows, css = list(zip(*rows, strict=True)), "wide side"
    head, *body = ["<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows]
    head = head.replace("td", "th")
    return f"""<p><a download="{escape(name)}" href="data:text/tab-separated-values;base64,{tsv}">{escape(name)}</a></p>
<div class="{css}"><table><thead>{head}</thead><tbody>
{"".join(body)}
</tbody></table></div>"""


def folded(summary: str, body: str) -> str:
    """HTML that is hidden below a summary until a click on it."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def picture(png: Path, longest_side: int = LONGEST_SIDE) -> str:
    """A picture as HTML that holds it: as WebP without loss, a third of the size of the PNG."""
    from PIL import Image

    image, webp = Image.open(png), io.BytesIO()
    width = round(SCREEN_SCALE * image.width)
    image.thumbnail((longest_side, longest_side))
    image.convert("RGB").save(webp, "WEBP", lossless=True)
    data = base64.b64encode(webp.getvalue()).decode()
    return f'<img alt="{escape(png.stem)}" width="{width}" src="data:image/webp;base64,{data}">'


def _cell(value: object) -> str:
    """A cell of a table as HTML; numbers are set flush right."""
    number = isinstance(value, int | float) and not pd.isna(value)
    return f'<td class="number">{_text(value)}</td>' if number else f"<td>{escape(_text(value))}</td>"


def _text(value: object) -> str:
    """A value as text: floats to four digits, a dash for missing values."""
    if pd.isna(value):
        return "\N{EN DASH}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
