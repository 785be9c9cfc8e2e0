"""The figure of verdicts under readings: a cell for each claim and reading, told apart without colours."""

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from zipo import figures
from zipo.figures.shared import style
from zipo.shared.verdicts import amount

VERDICTS = {
    ("first", "as_run"): ("reproduced", -0.03), ("first", "reduction=sum"): ("not reproduced", 0.05),
    ("first", "input=raw"): ("undecided", 0.001),
    ("second", "as_run"): ("not run", float("nan")), ("second", "reduction=sum"): ("reproduced", 11.0),
    ("second", "input=raw"): ("reproduced", 11.0),
}  # fmt: skip


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [
        {
            "id": claim, "dataset": "a", "figure": 5 if claim == "first" else pd.NA, "section": "III",
            "claim": f"The {claim} claim of all.", "class": "hangs on" if claim == "first" else "robust",
            "because_of": "reduction=sum" if claim == "first" else "", "reading": reading, "verdict": verdict,
            "same_runs": (claim, reading) == ("second", "input=raw"), "measure": "test_nll", "scale": "relative",
            "effect": effect, "ci_low": effect - 0.01, "ci_high": effect + 0.01, "pairs": 12,
        }
        for (claim, reading), (verdict, effect) in VERDICTS.items()
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"figure": "Int64"})


def test_cells_have_sign_effect_and_colour_of_the_verdict(table):
    ax = figures.load("figure-21").draw({"readings": table}, {}).axes[0]
    texts = {text.get_text(): text for text in ax.texts}
    assert {"✓ -3 %", "✗ +5 %", "? +0.1 %", "\N{EN DASH}", "✓ \N{MULTIPLICATION SIGN}12", "≈"} <= set(texts)
    cells = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    colours = [to_hex(cell.get_facecolor()) for cell in cells]
    assert colours == ["#0072b2", "#e69f00", "#f0e442", "#dddddd", "#0072b2", "#f4f4f4"]
    assert [cell.get_xy() for cell in cells] == [(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1)]
    assert texts["✗ +5 %"].get_position() == (1.5, 0.5)


def test_rows_and_columns_are_named_and_classed(table):
    texts = {text.get_text() for text in figures.load("figure-21").draw({"readings": table}, {}).axes[0].texts}
    assert {"Fig. 5: The first claim of all.", "Text: The second claim of all."} <= texts
    assert {"as run", "reduction:\nsum", "input:\nraw"} <= texts
    assert {"hangs on reduction=sum", "robust"} <= texts


def test_it_is_drawn_where_a_study_has_other_readings(table, tmp_path):
    assert "figure-21" in figures.drawable(set(), ["readings"])
    assert "figure-21" not in figures.drawable(set(), ["runs"])
    module = figures.load("figure-21")
    numbers = module.numbers({"readings": table}, {})
    assert numbers["effect"].tolist()[:2] == [-0.03, 0.05]
    style.write(module.draw({"readings": table}, {}), numbers, tmp_path / "figure-21")
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".pdf", ".png", ".tsv"]


@pytest.mark.parametrize(
    ("effect", "scale", "shown"),
    [
        (0.0123, "relative", "+1.23 %"), (-0.5, "relative", "-50 %"), (8.9, "relative", "+890 %"),
        (9.0, "relative", "\N{MULTIPLICATION SIGN}10"), (0.6123, "absolute", "0.612"),
    ],
)  # fmt: skip
def test_effects_in_short(effect, scale, shown):
    assert amount(effect, scale) == shown
