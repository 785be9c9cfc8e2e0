"""Error bars against numpy."""

import numpy as np
import pandas as pd
import pytest

from zipo.figures.shared.statistics import BAR, summary


def test_the_bar_is_the_papers():
    assert pytest.approx(1.645, abs=5e-4) == BAR


def test_summary_is_mean_and_standard_error_of_the_converged_runs():
    runs = pd.DataFrame(
        {
            "alpha": [0, 0, 0, 1, 1, 2],
            "nll": [1.0, 2.0, 4.0, 3.0, np.nan, np.nan],
            "status": ["ok", "ok", "ok", "ok", "diverged", "diverged"],
        }
    )
    table = summary(runs, ["alpha"], "nll").set_index("alpha")
    values = np.array([1.0, 2.0, 4.0])
    sem = np.sqrt(((values - values.mean()) ** 2).sum() / 2 / 3)
    assert table.loc[0, "mean"] == pytest.approx(7 / 3)
    assert table.loc[0, "sem"] == pytest.approx(sem)
    assert table.loc[0, "bar"] == pytest.approx(1.6449763571 * sem, rel=1e-4)
    assert table["runs"].tolist() == [3, 2, 1]
    assert table["diverged"].tolist() == [0, 1, 1]
    assert table.loc[1, "mean"] == 3
    assert np.isnan(table.loc[1, "sem"])
    assert np.isnan(table.loc[2, "mean"])
