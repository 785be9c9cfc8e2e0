"""How pages and figures show verdicts on claims: sign, colour and ink of each, effects in short, and headings."""

import math

SIGNS = {
    "reproduced": ("\N{CHECK MARK}", "#0072b2", "#ffffff"),
    "not reproduced": ("\N{BALLOT X}", "#e69f00", "#000000"),
    "undecided": ("?", "#f0e442", "#000000"),
    "not run": ("\N{EN DASH}", "#dddddd", "#000000"),
}
"""Colours of Okabe and Ito, distinct in every common colour blindness."""
LARGE = 9.995  # ratios from here on are given as factors, as in x12


def amount(effect: float, scale: str) -> str:
    """An effect to three digits: in per cent, or as a factor where it is large, on the relative scale."""
    if scale != "relative":
        return f"{effect:.3g}"
    return f"\N{MULTIPLICATION SIGN}{1 + effect:.3g}" if 1 + effect >= LARGE else f"{100 * effect:+.3g} %"


def figure_name(figure: float) -> str:
    """The heading of a figure of the paper; of claims of its text alone where it is no number."""
    return f"Figure {figure:.0f}" if math.isfinite(figure) else "Text"


def anchor_of(heading: str) -> str:
    """The name by which a link finds a heading within its page."""
    return heading.lower().replace(" ", "-")
