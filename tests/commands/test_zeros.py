"""Expected shares of zeros against scipy's distributions."""

import anndata as ad
import numpy as np
import pytest
from scipy import stats

from zipo import ZiPo
from zipo.commands import zeros
from zipo.commands.zeros import zero_shares


@pytest.mark.parametrize("likelihood", ["poisson", "nb", "zip", "zinb"])
def test_expected_zeros_are_the_mean_probability_of_a_zero(cells, likelihood):
    model = ZiPo(likelihood=likelihood, encoder="8-4", batch_size=32, max_epochs=2, device="cpu").fit(cells)
    actual = {name: values.astype(float) for name, values in model.distribution(cells).items()}
    zero = np.exp(-actual["rates"])
    if "size" in actual:
        zero = stats.nbinom.pmf(0, actual["size"], actual["size"] / (actual["size"] + actual["rates"]))
    z = actual.get("zero_probability", 0.0)
    mean, observed, expected = zero_shares(model, cells).values()
    np.testing.assert_allclose(mean, cells.X.toarray().mean(axis=0))
    np.testing.assert_allclose(expected, (z + (1 - z) * zero).mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(observed, (cells.X.toarray() == 0).mean(axis=0))


def test_of_many_cells_some_are_taken_and_they_may_lie_on_disk(cells, source, monkeypatch):
    model = ZiPo(encoder="8-4", batch_size=32, max_epochs=2, device="cpu").fit(cells)
    monkeypatch.setattr(zeros, "CELLS", 40)
    shares = zero_shares(model, cells)
    observed = shares[zeros.OBSERVED]
    assert set(np.round(observed * 40, 6) % 1) == {0}
    assert 0 < np.abs(observed - (cells.X.toarray() == 0).mean(axis=0)).max() < 0.3
    again = zero_shares(model, ad.read_h5ad(source, backed="r")[:, model.genes])
    assert list(again) == list(shares)
    for name, values in again.items():
        np.testing.assert_array_equal(values, shares[name])
