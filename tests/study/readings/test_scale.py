"""Effects by size: predictions against scipy's weighted fit, signs and rows on tables made by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.optimize import curve_fit

from zipo.study.readings.scale import CHANGES, ONE_SIGN, OPEN, effects_by_size, predict, sign_of

CELLS = np.array([2e3, 8e3, 3e4, 2e3, 8e3, 3e4])
WIDTHS = np.array([64, 64, 64, 256, 256, 256.0])
AT = (63_500, 2048)


@pytest.mark.parametrize("scatter", [0.01, 0.5])
def test_predictions_are_those_of_scipys_weighted_fit(scatter):
    rng = np.random.default_rng(1)
    errors = rng.uniform(0.05, 0.3, len(CELLS))
    effects = 0.5 - 0.1 * np.log(CELLS) + 0.05 * np.log(WIDTHS) + scatter * rng.normal(size=len(CELLS))

    def plane(sizes, level, by_cells, by_width):
        return level + by_cells * np.log(sizes[0]) + by_width * np.log(sizes[1])

    sizes = np.stack([CELLS, WIDTHS])
    values, covariance = curve_fit(plane, sizes, effects, sigma=errors, absolute_sigma=True)
    _, scaled = curve_fit(plane, sizes, effects, sigma=errors, absolute_sigma=False)
    place = np.array([1, *np.log(AT)])
    # the larger of both: intervals are widened by scatter beyond the errors, and never narrowed
    variance = max(place @ covariance @ place, place @ scaled @ place)
    half = stats.t.ppf(0.975, 3) * np.sqrt(variance)
    expected = plane(AT, *values)
    assert predict(effects, errors, CELLS, WIDTHS, AT) == pytest.approx((expected, expected - half, expected + half))


@pytest.mark.parametrize("chosen", [slice(3), slice(0, 6, 3), [0, 1, 2, 0]])
def test_nothing_is_predicted_from_sizes_that_span_no_plane(chosen):
    ones = np.ones(len(CELLS[chosen]))
    assert predict(ones, ones, CELLS[chosen], WIDTHS[chosen], AT) is None


@pytest.mark.parametrize(
    ("intervals", "sign"),
    [
        ([(0.1, 0.2), (-0.1, 0.3)], ONE_SIGN),
        ([(0.1, 0.2), (-0.3, -0.1)], CHANGES),
        ([(-0.1, 0.2), (-0.3, 0.1)], OPEN),
        ([(-0.2, -0.1), (0.0, 0.1)], ONE_SIGN),
    ],
)
def test_signs(intervals, sign):
    assert sign_of(pd.DataFrame(intervals, columns=["ci_low", "ci_high"])) == sign


def facts() -> dict:
    base = {name: {"depth": {"datasets": [], "base": {"first_layer": width}}} for name, width in
            (("as_run", 128), ("reduction=sum", 128), ("widths=0.5", 64))}  # fmt: skip
    factors = {"as_run": 1, "reduction=sum": 1, "widths=0.5": 0.5}
    readings = [{"name": name, "widths": factors[name], "experiments": base[name]} for name in base]
    return {"readings": readings, "populations": {"large": "Drawn", "small": "Drawn", "blood": "Blood"}}


def table(kind: str = "difference") -> pd.DataFrame:
    rows = [
        {
            "id": "it", "figure": 5, "claim": "It is lower.", "kind": kind, "dataset": dataset, "measure": "test_nll",
            "scale": "relative", "verdict": "reproduced", "effect": effect, "ci_low": effect - 0.1,
            "ci_high": effect + 0.1, "pairs": 4, "reading": reading,
            "question": reading.partition("=")[0] if "=" in reading else "",
        }
        for reading, effects in (
            ("as_run", (-0.3, -0.2, 0.25)), ("reduction=sum", (9, 9, 9)), ("widths=0.5", (-0.25, -0.15, 0.2)),
        )
        for dataset, effect in zip(("large", "small", "blood"), effects, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def runs() -> pd.DataFrame:
    sizes = {"large": 8000, "small": 2000, "blood": 1000}
    return pd.DataFrame(
        [
            {"dataset": name, "training_cells": cells - 200, "validation_cells": 100, "test_cells": 100}
            for name, cells in sizes.items()
            for _ in range(2)
        ]
    )


def test_rows_have_the_sizes_of_data_and_network_and_no_other_readings():
    actual = effects_by_size(table(), runs(), facts())
    measured = actual[actual["kind"] == "measured"]
    assert measured[["population", "cells", "first_layer"]].to_numpy().tolist() == [
        ["Drawn", 8000, 128], ["Drawn", 2000, 128], ["Drawn", 8000, 64], ["Drawn", 2000, 64],
        ["Blood", 1000, 128], ["Blood", 1000, 64],
    ]  # fmt: skip
    assert measured["effect"].tolist() == [-0.3, -0.2, -0.25, -0.15, 0.25, 0.2]
    assert set(actual["sign"]) == {ONE_SIGN}


def test_a_population_of_two_sizes_and_two_widths_is_predicted_and_one_of_one_size_is_not():
    actual = effects_by_size(table(), runs(), facts())
    (predicted,) = actual[actual["kind"] == "predicted"].to_dict("records")
    assert (predicted["population"], predicted["cells"], predicted["first_layer"]) == ("Drawn", 63_500, 2048)
    # ratios are .7, .8, .75 and .85: about .7 (8000 / 63500)^.09 (128 / 2048)^.09
    assert 0.3 < 1 + predicted["effect"] < 0.6
    assert predicted["ci_low"] < predicted["effect"] < predicted["ci_high"]
    assert predicted["ci_low"] > -1


def test_claims_of_other_kinds_have_no_sign():
    assert effects_by_size(table("trend"), runs(), facts()).empty
