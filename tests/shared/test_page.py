"""Pages of the report: what a reader sees in them, and that they need no other file."""

import base64
import io
import re

import numpy as np
import pandas as pd
from PIL import Image

from zipo.shared.page import content, paragraph, table, write_page


def cells(html: str) -> list[list[str]]:
    """Texts of the cells of a page's table, row by row."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]


def test_a_table_is_read_with_four_digits_and_saved_with_all():
    frame = pd.DataFrame(
        {"data_set": ["a & b", "c"], "cells": [12345, 7], "nll": [0.123456789, np.nan], "paper": [31240.0, np.nan]}
    )
    html = table(frame, "table-1.tsv")
    dash = "\N{EN DASH}"
    assert cells(html) == [
        ["data set", "cells", "nll", "paper"],
        ["a &amp; b", "12,345", "0.1235", "31,240"],
        ["c", "7", dash, dash],
    ]
    (saved,) = re.findall(r'<a download="table-1.tsv" href="data:[^,]*,([^"]*)">', html)
    read = pd.read_csv(io.BytesIO(base64.b64decode(saved)), sep="\t")
    pd.testing.assert_frame_equal(read, frame)


def test_a_table_of_few_rows_and_many_columns_lies_on_its_side():
    frame = pd.DataFrame([range(9), range(10, 19)], columns=[f"c{i}" for i in range(9)])
    assert cells(table(frame, "t.tsv")) == [[f"c{i}", str(i), str(10 + i)] for i in range(9)]
    tall = pd.DataFrame([range(9)] * 7, columns=[f"c{i}" for i in range(9)])
    assert len(cells(table(tall, "t.tsv"))) == 8


def test_a_picture_keeps_every_pixel(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    html = content(tmp_path / "p.png")
    (data,) = re.findall(r'src="data:image/webp;base64,([^"]*)"', html)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), pixels)
    assert 'alt="p"' in html


def test_texts_become_html_and_nothing_else_does(tmp_path):
    (tmp_path / "t.rst").write_text("Half\n====\n\n* ``input: log1p``\n\nOther\n=====\n\n<b>\n")
    html = content(tmp_path / "t.rst")
    assert re.findall(r"<h2>(.*?)</h2>", html) == ["Half", "Other"]
    assert "<b>" not in html
    assert re.search(r"<li>.*input:.*log1p.*</li>", html, flags=re.DOTALL)
    (tmp_path / "best.yaml").write_text("encoder: <64-8>\n")
    assert "<pre>encoder: &lt;64-8&gt;\n</pre>" in content(tmp_path / "best.yaml")
    write_page(tmp_path / "page.html", "A < B", paragraph("c & d"), "h1 { color: red; }")
    page = (tmp_path / "page.html").read_text()
    assert "<title>A &lt; B</title>" in page
    assert "<h1>A &lt; B</h1>\n<p>c &amp; d</p>" in page
    assert "h1 { color: red; }</style>" in page
    assert "http" not in page
