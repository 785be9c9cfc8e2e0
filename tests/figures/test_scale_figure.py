"""The figure of effects by size: a panel per claim, what was not run told apart from what was."""

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from zipo import figures
from zipo.figures.shared import style

PAPER = {"kind": "predicted", "cells": 63_500, "first_layer": 2048}


@pytest.fixture
def table() -> pd.DataFrame:
    measured = [
        {"kind": "measured", "population": population, "cells": cells, "first_layer": width}
        for population in ("Drawn", "Blood")
        for cells in (2000, 8000)
        for width in (64, 128)
    ]
    rows = [
        place | {"id": name, "figure": figure, "claim": f"The {name} claim.", "measure": "test_nll",
                 "scale": "relative", "effect": -0.1, "ci_low": -0.2, "ci_high": 0.1, "sign": "open"}
        for name, figure in (("first", 5), ("second", pd.NA))
        for place in [*measured, PAPER | {"population": "Drawn"}]
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"figure": "Int64"})


def test_predictions_are_hollow_and_grey_and_stand_in_the_shaded_part(table):
    figure = figures.load("figure-22").draw({"scale": table}, {})
    first, second = figure.axes
    points = [line for line in first.lines if line.get_marker() in ("o", "s")]
    filled = {(to_hex(line.get_color()), line.get_marker()) for line in points if line.get_markerfacecolor() != "white"}
    assert filled == {(colour, marker) for colour in style.colours(2) for marker in ("o", "s")}
    hollow = [line for line in points if line.get_markerfacecolor() == "white" and len(line.get_xdata())]
    assert [(to_hex(line.get_color()), list(line.get_xdata())) for line in hollow] == [("#777777", [63_500])]
    assert len(first.patches) == 1
    assert first.get_ylabel() == "Ratio: Test NLL"
    assert [tick.get_text() for tick in first.get_xticklabels()] == ["63,500", "8,000", "2,000"]
    assert second.get_title() == "Text: The second claim."
    assert {text.get_text() for text in figure.legends[0].texts} == {
        "first layer of 64", "first layer of 128", "Drawn", "Blood", "predicted, not run",
    }  # fmt: skip


def test_signs_that_differ_are_those_of_each_population(table):
    table.loc[(table["id"] == "first") & (table["population"] == "Drawn"), "sign"] = "changes sign"
    first, second = figures.load("figure-22").draw({"scale": table}, {}).axes
    assert [text.get_text() for text in (*first.texts, *second.texts)] == ["Drawn: changes sign\nBlood: open", "open"]


def test_it_is_drawn_where_a_study_has_other_widths(table, tmp_path):
    module = figures.load("figure-22")
    assert "figure-22" in figures.drawable(set(), ["scale"])
    assert "figure-22" not in figures.drawable(set(), ["runs", "readings"])
    style.write(module.draw({"scale": table}, {}), module.numbers({"scale": table}, {}), tmp_path / "figure-22")
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".pdf", ".png", ".tsv"]
    assert module.draw({"scale": table.iloc[:0]}, {}).axes


def test_a_panel_holds_all_effects_and_no_effect_but_not_the_widest_interval(table):
    wide = (table["id"] == "first") & (table["cells"] == 2000) & (table["first_layer"] == 64)
    table.loc[wide, ["ci_low", "ci_high"]] = (-0.99, 50.0)
    table.loc[table["id"] == "second", "effect"] = 0.05
    axes = figures.load("figure-22").draw({"scale": table}, {}).axes
    for ax, effect in zip(axes, (0.9, 1.05), strict=True):
        low, high = ax.get_ylim()
        assert ax.get_yscale() == "log"
        assert low < min(effect, 1) <= max(effect, 1) < high < 3
        assert 3 <= sum(low <= tick <= high for tick in ax.get_yticks()) <= 8
