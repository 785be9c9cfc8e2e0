"""Every public method of a model under every combination of likelihood, dispersion, library and input."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from zipo import InputError, ZiPo

INFLATED, OVERDISPERSED = {"zip", "zinb"}, {"nb", "zinb"}
COMBINATIONS = [
    (likelihood, dispersion, library, seen)
    for likelihood, dispersion, library, seen in product(
        ["poisson", "nb", "zip", "zinb"],
        ["logits", "gene", "gene_cell"],
        ["predicted", "observed"],
        ["raw", "log1p", "normalised_log1p"],
    )
    if likelihood in OVERDISPERSED or dispersion == "logits"
]


@pytest.mark.parametrize(("likelihood", "dispersion", "library", "seen"), COMBINATIONS)
def test_all_methods_agree(counts, tmp_path, likelihood, dispersion, library, seen):
    parameters = {"likelihood": likelihood, "dispersion": dispersion, "library": library, "input": seen}
    model = ZiPo(seed=1, encoder="4-2", batch_size=8, max_epochs=2, covariates=["cell_type"], **parameters).fit(counts)
    x = counts.X.toarray()
    parts = model.distribution(counts)
    means, rates, z = model.denoise(counts), model.rates(counts), parts.get("zero_probability", np.zeros_like(x))
    assert set(parts) == {"rates"} | ({"zero_probability"} if likelihood in INFLATED else set()) | (
        {"size"} if likelihood in OVERDISPERSED else set()
    )
    for values in [means, *parts.values()]:
        assert (values.shape, values.dtype) == (x.shape, np.float32)
        assert np.isfinite(values).all()
        assert (values >= 0).all()
    np.testing.assert_array_equal(parts["rates"], rates)
    np.testing.assert_allclose(means, (1 - z) * rates, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(rates.sum(axis=1), model.library_size(counts), rtol=1e-4)
    if likelihood in INFLATED:
        np.testing.assert_array_equal(model.zero_probability(counts), z)
    else:
        with pytest.raises(InputError, match="has no zero inflation"):
            model.zero_probability(counts)

    m, z = rates.astype(float), z.astype(float)
    if likelihood in OVERDISPERSED:
        size = parts["size"].astype(float)
        base = stats.nbinom.pmf(x, size, size / (size + m))
    else:
        base = stats.poisson.pmf(x, m)
    nll = -np.log(z * (x == 0) + (1 - z) * base).mean()
    losses = model.losses(counts)
    assert losses.nll == pytest.approx(nll, rel=1e-4)
    assert losses.mse_means == pytest.approx(np.square(means - x).mean(), rel=1e-4)
    assert losses.mse_rates == pytest.approx(np.square(rates - x).mean(), rel=1e-4)
    assert model.loss(counts) == losses.nll
    check = model.check(counts)
    assert check.total_ratio == pytest.approx(means.sum() / x.sum(), rel=1e-5)
    assert check.gene_poisson_nll == pytest.approx(model.gene_poisson_nll(counts))

    assert model.latent(counts).shape == (12, 2)
    assert model.denoise(counts, batch={"cell_type": "a"}).shape == x.shape
    assert (model.sample(counts) >= 0).all()
    with model.pruned(0.5) as share:
        assert 0 < share < 1
    assert model.loss(counts) == losses.nll
    model.save(tmp_path / "model")
    again = ZiPo.load(tmp_path / "model")
    np.testing.assert_array_equal(again.denoise(counts), means)
    np.testing.assert_array_equal(again.distribution(counts)["rates"], rates)
