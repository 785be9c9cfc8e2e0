"""The share of true rates that intervals hold, against one counted by hand."""

import anndata as ad
import numpy as np
import pytest

from zipo.model.estimator import ZiPo


@pytest.fixture
def script(import_script):
    return import_script("interval_coverage")


def test_true_rates_are_counted_by_gene(script):
    truth = np.array([[0.05, 2.0, 3.0], [0.05, 2.0, 5.0]])
    data = ad.AnnData(np.zeros((2, 3)), layers={"true_rates": truth})
    denoised = np.array([[0.06, 2.3, 3.0], [0.00, 2.2, 3.0]])
    error = np.array([[0.01, 0.2, 1.0], [0.02, 0.1, 1.0]])
    # off by 1, 2.5; 1.5, 2 and 0, 2 standard errors
    assert script.coverage(data, denoised, error) == pytest.approx([3 / 6, 1 / 2, np.nan, 2 / 4], nan_ok=True)


def test_a_row_is_printed_for_each_data_set(script, monkeypatch, capsys):
    class Exact:
        """Knows the true rates, but for a tenth of the cells."""

        def fit(self, data):
            return self

        def denoise(self, data):
            rates = np.asarray(data.layers["true_rates"]).copy()
            rates[: data.n_obs // 10] += 2
            return rates

        def denoised_se(self, data):
            return np.ones(data.shape)

    monkeypatch.setattr(ZiPo, "for_data", lambda data, seed, device: Exact())
    monkeypatch.setattr("sys.argv", ["interval_coverage.py", "--datasets", "simulated_programs", "--cells", "60"])
    script.main()
    header, _, row = capsys.readouterr().out.splitlines()
    assert header.count("|") == row.count("|") == 7
    assert row.startswith("| simulated_programs | 60 | 90.0% |")
