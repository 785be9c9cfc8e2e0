"""Order, colours and markers of the benchmark's methods, the same in every figure and panel."""

from collections.abc import Iterable

import pandas as pd

from zipo.figures.shared import style

MARKERS = "osDv^<>pPX"
SHIFT = 3  # so that a colour and its darker shade have different markers
DARKER = 0.55  # shade of the colours beyond the palette's own
CONTROL = "0.45"
CONTROL_MARKERS = "*xd+"


def in_order(leaderboard: pd.DataFrame) -> list[str]:
    """The methods by name, those of the reference's family first; controls last."""
    names = sorted(leaderboard["method"].unique())
    controls = set(of_controls(leaderboard))
    return sorted(names, key=lambda name: (name in controls, not name.startswith("zipo"), name))


def of_controls(leaderboard: pd.DataFrame) -> list[str]:
    """The methods that are controls."""
    remark = leaderboard["remark"].fillna("")
    return sorted(leaderboard.loc[remark.str.startswith("control"), "method"].unique())


def looks(methods: Iterable[str], controls: Iterable[str]) -> dict[str, dict]:
    """Colour, marker and line style of each method, as keywords for matplotlib; controls are grey."""
    from matplotlib.colors import to_rgb

    palette = [colour for colour in map(to_rgb, style.PALETTE) if len({*colour}) > 1]  # without its grey
    shades = [*palette, *(tuple(DARKER * part for part in colour) for colour in palette)]
    controls, styles = list(controls), {}
    for place, name in enumerate(methods):
        control = name in controls
        styles[name] = {
            "color": CONTROL if control else shades[place % len(shades)],
            "marker": CONTROL_MARKERS[controls.index(name) % len(CONTROL_MARKERS)]
            if control
            else MARKERS[(place + SHIFT * (place // len(palette))) % len(MARKERS)],
            "linestyle": ":" if control else "-",
        }
    return styles
