"""A model for the genes that the data have: proportions among these, and denoised counts as if it knew no others."""

import numpy as np
import pytest

from zipo import ZiPo
from zipo.model.alignment import aligned
from zipo.model.gene_subset import with_shared_genes
from zipo.shared.errors import InputError

MODELS = {
    "zip": {"likelihood": "zip", "library": "observed"},
    "nb": {"likelihood": "nb", "dispersion": "gene", "library": "observed"},
    "predicted": {"likelihood": "zinb"},
}


@pytest.mark.parametrize("name", MODELS)
def test_proportions_are_those_among_the_shared_genes(counts, name):
    model = ZiPo(encoder="6-3", batch_size=4, max_epochs=2, covariates=("cell_type",), **MODELS[name])
    model.fit(counts[:8], counts[8:])
    before = {key: tensor.clone() for key, tensor in model.network.state_dict().items()}
    data = counts[:, [4, 0, 2]]
    subset, alignment = with_shared_genes(model, data.var_names)
    assert alignment.message == "3 of the model's 5 genes are in the data, 2 are not and have no part in the result"
    assert list(subset.genes) == ["gene-0", "gene-2", "gene-4"]
    shared, padded = aligned(data, subset.genes)[0], aligned(data, model.genes)[0]
    np.testing.assert_allclose(subset.latent(shared), model.latent(padded), rtol=1e-5, atol=1e-6)
    # rates of the whole model, brought to what they add up to over all genes
    rates = model.rates(padded)[:, [0, 2, 4]]
    expected = rates / rates.sum(axis=1, keepdims=True) * model.library_size(padded)[:, None]
    np.testing.assert_allclose(subset.rates(shared), expected, rtol=1e-5)
    np.testing.assert_array_equal(subset.gene_totals, model.gene_totals[[0, 2, 4]])
    assert all((before[key] == tensor).all() for key, tensor in model.network.state_dict().items())


def test_refined_counts_of_genes_that_are_there_do_not_fall_with_those_missing(simulated):
    model = ZiPo.for_data(simulated, max_epochs=10).fit(simulated)
    expected = model.denoise(simulated)
    totals = np.asarray(simulated.X.sum(axis=0)).ravel()
    kept = np.argsort(totals)[:-5]  # without the five highest
    assert totals[kept].sum() < 0.9 * totals.sum()
    data = simulated[:, np.sort(kept)].copy()
    subset, _ = with_shared_genes(model, data.var_names)
    actual = subset.denoise(data)
    assert actual.sum() == pytest.approx(data.X.sum(), rel=0.01)
    assert actual.sum() == pytest.approx(expected[:, np.sort(kept)].sum(), rel=0.01)
    assert subset.check(data).problems == []
    padded = model.denoise(aligned(data, model.genes)[0])[:, np.sort(kept)]
    assert padded.sum() < 0.95 * data.X.sum()  # zeros that were not counted take their share


def test_a_model_of_which_no_gene_is_missing_is_the_model_itself(counts):
    model = ZiPo(encoder="6-3", batch_size=4, max_epochs=1).fit(counts[:8], counts[8:])
    assert with_shared_genes(model, counts.var_names[::-1])[0] is model
    with pytest.raises(InputError, match=r"1 of the model's 5 genes .* do without the others with min_genes=0\.2$"):
        with_shared_genes(model, counts.var_names[:1])
