"""Whether expected counts agree with what was counted, and what is made of it where they do not."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

import zipo
from zipo.model.output import write_denoised
from zipo.model.plausibility import Plausibility
from zipo.shared.errors import InputError

SOUND = Plausibility(96, 1.01, (0.8, 1.0, 1.2), 0.5, 0.6, 0.1, 0.7)
LIKELIHOODS = ["poisson", "nb", "zip", "zinb"]


def plate(cells: int, genes: int, library: float) -> ad.AnnData:
    """Counts of three types of cells whose library sizes have this median."""
    rng = np.random.default_rng(cells)
    profiles = rng.gamma(0.5, 1, (3, genes))[rng.integers(0, 3, cells)]
    rates = profiles / profiles.sum(axis=1, keepdims=True) * rng.lognormal(np.log(library), 0.4, cells)[:, None]
    counts = rng.poisson(rates).astype(np.float32)
    counts[counts.sum(axis=1) == 0, 0] = 1
    return ad.AnnData(csr_matrix(counts))


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize(("cells", "library"), [(50, 1e2), (50, 1e5), (96, 1e5), (200, 5e3), (384, 3e3)])
def test_few_cells_are_denoised_on_the_scale_of_their_counts(cells, library, likelihood):
    adata = plate(cells, 150, library)
    zipo.pp.denoise(adata, likelihood=likelihood)
    counts, denoised = adata.X.toarray(), adata.layers["denoised"]
    # refined regressions end within some rounds, and those of shallow counts are shrunk
    assert denoised.sum() == pytest.approx(counts.sum(), rel=0.05)
    ratios = denoised.sum(axis=1) / counts.sum(axis=1)
    assert 0.8 < np.median(ratios) < 1.25
    check = adata.uns["zipo"]["check"]
    assert check["total_ratio"] == pytest.approx(denoised.sum() / counts.sum(), rel=1e-5)
    np.testing.assert_allclose(check["cell_ratio"], np.quantile(ratios, [0.05, 0.5, 0.95]), rtol=1e-4)
    assert check["zero_share"] == pytest.approx((adata.X.toarray() == 0).mean())
    assert check["nll"] < check["gene_poisson_nll"]
    assert check["plausible"]


def test_a_sound_result_is_told_as_such():
    assert SOUND.problems == []
    assert SOUND.in_words.startswith("plausible: the expected counts add up to 1.010 of the counts")
    SOUND.refuse()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"total_ratio": 0.85}, "the expected counts add up to 0.85 times the counts"),
        ({"cell_ratio": (0.1, 0.6, 1.0)}, "those of the median cell add up to 0.6 times its counts"),
        ({"nll": 0.61}, "the counts are predicted worse than by the genes' means alone (NLL 0.61 against 0.6"),
        ({"mean_zero_probability": 0.8}, "zero inflation explains 80% of the entries as zeros, of which there are 70%"),
    ],
)
def test_what_is_off_is_told(fault, words):
    off = replace(SOUND, **fault)
    assert words in off.in_words
    assert off.in_words.startswith("NOT PLAUSIBLE")
    assert not off.state()["plausible"]
    off.refuse()  # a warning is enough


@pytest.mark.parametrize("fault", [{"total_ratio": 1 / 60_000}, {"total_ratio": 2.5}, {"total_ratio": float("nan")}])
def test_a_wrong_scale_is_refused(fault):
    with pytest.raises(InputError, match=r"not on the scale of the counts: the expected counts add up to .* times the"):
        replace(SOUND, **fault).refuse()


def test_a_result_of_a_wrong_scale_is_written_nowhere(tmp_path):
    adata = plate(60, 40, 500)
    model = zipo.ZiPo(encoder="8-4", max_epochs=2).fit(adata)
    with torch.no_grad():
        model.network.library[-1].bias -= 5
    with pytest.raises(InputError, match="not on the scale of the counts"):
        write_denoised(model, adata, tmp_path / "denoised.h5ad")
    assert not any(tmp_path.iterdir())


def test_single_shallow_cells_are_as_plausible_as_their_denoised_counts():
    adata = plate(200, 150, 60)
    model = zipo.ZiPo.for_data(adata, max_epochs=5).fit(adata)
    for cell in range(5):  # most genes have no count in a single cell
        one = adata[[cell]]
        expected = model.denoise(one).sum() / one.X.sum()
        assert model.check(one).total_ratio == pytest.approx(expected, rel=1e-4)
        assert 0.9 < expected < 1.1


def test_of_many_cells_some_are_looked_at(monkeypatch):
    adata = plate(60, 40, 500)
    model = zipo.ZiPo(encoder="8-4", max_epochs=2).fit(adata)
    assert model.check(adata).cells == 60
    monkeypatch.setattr("zipo.model.estimator.CELLS", 20)
    assert model.check(adata).cells == 20
