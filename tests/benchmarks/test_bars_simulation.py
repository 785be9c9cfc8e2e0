"""The simulation of error bars: its parts against statsmodels and arithmetic by hand, and the page made from it."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols


@pytest.fixture
def simulation(import_script):
    return import_script("bars_simulation")


def test_the_page_has_the_tables_that_the_simulation_makes(simulation):
    page = simulation.PAGE.read_text()
    made = simulation.tables()
    assert simulation.with_tables(page, made) == page
    assert page.count("<!-- table ") == len(made)


def test_the_page_says_of_the_demos_losses_what_they_are(simulation):
    page = " ".join(simulation.PAGE.read_text().split())
    share = {}
    for measure in ("test_nll", "test_mse_rates"):
        seeds, left = simulation.components(measure)
        share[measure] = seeds**2 / (seeds**2 + np.mean(left**2))
    sentence = "The demo's seeds share {:.0f} % of the variance of NLL and {:.0f} % of that of MSE."
    assert sentence.format(*(100 * value for value in share.values())) in page
    assert f"(excess kurtosis {stats.kurtosis(simulation.components('test_nll')[1]):.1f} in NLL)" in page
    table = pd.read_table(simulation.LOSSES)
    assert f"from {table['setting'].nunique()} settings and three seeds" in page
    assert set(table["seed"]) == {1, 2, 3}


def test_bars_apart_by_hand(simulation):
    one, other = np.array([1.0, 2.0, 3.0]), np.array([5.0, 5.0, 5.0])  # the first bar reaches 2 + 1.645 / sqrt(3)
    end = 2 + 1.6449763 / np.sqrt(3)
    for shift, apart in ((end - 5 + 1e-3, True), (end - 5 - 1e-3, False)):
        assert simulation.bars_apart(np.stack([one, other + shift], axis=1)[None]).tolist() == [apart]
        assert simulation.bars_apart(np.stack([other + shift, one], axis=1)[None]).tolist() == [apart]
    # of three settings, any two that are apart
    assert simulation.bars_apart(np.stack([one, one, other], axis=1)[None]).tolist() == [True]


def test_bars_of_many_seeds_keep_what_the_paper_promises(simulation, monkeypatch):
    monkeypatch.setattr(simulation, "SEEDS", 300)
    losses = simulation.study(np.random.default_rng(1), simulation.normal, 1.0, paired=False, studies=5000)
    assert stats.binomtest(int(simulation.bars_apart(losses).sum()), 5000, 0.02).pvalue > 1e-3


@pytest.mark.parametrize("paired", [False, True])
def test_settings_share_the_seeds_effects_only_if_paired(simulation, paired):
    losses = simulation.study(np.random.default_rng(2), simulation.normal, 2.0, paired, studies=4000)
    correlation = np.corrcoef(losses.reshape(-1, 2).T)[0, 1]
    assert correlation == pytest.approx(0.8 if paired else 0.0, abs=0.02)
    assert losses.var() == pytest.approx(5.0, rel=0.02)


def test_components_are_those_of_an_analysis_of_variance(simulation):
    table = pd.read_table(simulation.LOSSES).assign(y=lambda rows: np.log(rows["test_nll"]))
    fit = ols("y ~ C(setting) + C(seed)", table).fit()
    seeds, left = simulation.components("test_nll")
    assert np.mean(left**2) == pytest.approx(fit.mse_resid)
    of_seeds = table.groupby("seed")["y"].mean().var() * table["setting"].nunique()
    assert seeds**2 == pytest.approx((of_seeds - fit.mse_resid) / table["setting"].nunique())
