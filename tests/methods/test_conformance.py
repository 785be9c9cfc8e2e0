"""Every discovered method, run as the study runs it: what its file declares is what it does.

Methods of environments of their own take minutes: `pytest -m "" tests/methods` runs them too. They are skipped where
their environment was not made, and say how to make it; ZIPO_ENVIRONMENTS is the folder of environments if not the
user's. So are those of programs in other languages where these are not installed.
"""

import os
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

from tests.methods.fixtures import CELLS, EMPTY_CELL, EMPTY_GENE, GENES, LONE_CELL, LONE_GENE
from zipo.benchmark.running import environment, launch
from zipo.methods import Method, known, method

ENVIRONMENTS = Path(os.environ.get("ZIPO_ENVIRONMENTS") or environment.default_folder())
# little training, since what is tested is not how well it goes
QUICK = {
    "dca": {"epochs": 20},
    "deepimpute": {"max_epochs": 20},
    "ldvae": {"max_epochs": 200, "samples": 2},
    "magic": {"n_pca": 20},
    "pca": {"components": 5},
    "scvi": {"max_epochs": 150, "samples": 2},
    "zipo": {"encoder": "32-8", "library": "observed", "batch_size": 50, "max_epochs": 15},
}
OTHERS = {  # parameters that change which arrays a method gives
    "dca": [{"ae_type": "zinb-conddisp"}],
    "glmpca": [],
    "ldvae": [{"likelihood": "zinb"}],
    "nmf": [],
    "scvi": [{"likelihood": "nb"}],
    "zipo": [{"likelihood": "zinb"}, {"likelihood": "nb"}, {"likelihood": "poisson"}],
}
DISTRIBUTIONS = {
    "poisson": {"rates"},
    "zip": {"rates", "zero_probability"},
    "nb": {"rates", "size"},
    "zinb": {"rates", "zero_probability", "size"},
}
Answer = dict[str, np.ndarray]
Run = Callable[..., Answer]


def marks(name: str) -> list:
    """All tests of a method in one process, which runs it once for all; a foreign environment takes minutes."""
    return [pytest.mark.xdist_group(f"method-{name}"), *([pytest.mark.slow] if method(name).env else [])]


EACH = [pytest.param(name, marks=marks(name)) for name in known()]
each_method = pytest.mark.parametrize("name", EACH)


@pytest.fixture(scope="module")
def dense(awkward, tmp_path_factory) -> Path:
    """The same counts as a dense matrix."""
    counts = ad.read_h5ad(awkward)
    counts.X = counts.X.toarray()
    file = tmp_path_factory.mktemp("dense") / "dense.h5ad"
    counts.write_h5ad(file)
    return file


@pytest.fixture(scope="module")
def answer_of(awkward, tmp_path_factory) -> Run:
    """Runs a method and gives its arrays; runs alike are made once."""
    made: dict[str, tuple[launch.Result, Answer]] = {}

    def answer(name: str, counts: Path = awkward, seed: int = 1, threads: int = 1, **parameters) -> Answer:
        run = repr((name, counts, seed, threads, parameters))
        if run not in made:
            if reason := environment.missing(method(name).env, ENVIRONMENTS):
                pytest.skip(reason)
            folder = tmp_path_factory.mktemp(name) / "answer"
            quick = QUICK.get(name, {}) | parameters
            limits = {"seed": seed, "threads": threads, "seconds": 300}
            result = launch.run(method(name), counts, folder, parameters=quick, environments=ENVIRONMENTS, **limits)
            made[run] = result, {word: np.array(values) for word, values in launch.arrays(folder).items()}
        result, arrays = made[run]
        if result.status == "unavailable":
            pytest.skip(result.reason)
        assert (result.status, result.reason) == ("ok", "")
        return arrays

    return answer


@each_method
def test_it_declares_what_a_method_declares(name):
    actual: Method = method(name)
    assert actual.fault is None
    assert actual.scale
    assert actual.source


@each_method
def test_shape_and_values(name, answer_of):
    answer = answer_of(name)
    for word, values in answer.items():
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        assert values.shape == (CELLS, values.shape[1] if word == "latent" else GENES)
        assert word == "latent" or (values >= 0).all()


@each_method
def test_genes_are_in_their_order(name, answer_of, awkward):
    """Means of genes before and after go together, as they would not if genes were in another order."""
    before, after = ad.read_h5ad(awkward).X.toarray().mean(0), answer_of(name)["denoised"].mean(0)
    little = name in ("dca", "ldvae", "scvi", "zipo")  # a few epochs of training only begin to tell genes apart
    assert np.corrcoef(before, after)[0, 1] > (0.3 if little else 0.8)


@each_method
def test_a_cell_adds_up_to_its_counts(name, answer_of, awkward):
    if not method(name).keeps_library:
        pytest.skip("it declares that it does not keep library sizes")
    before = ad.read_h5ad(awkward).X.toarray().sum(1)
    counted = before > 1
    ratio = answer_of(name)["denoised"].sum(1)[counted] / before[counted]
    assert 0.5 < np.median(ratio) < 2


@each_method
def test_the_same_seed_gives_the_same_and_a_dense_matrix_too(name, answer_of, dense):
    sparse, again = answer_of(name), answer_of(name, dense)
    assert sparse.keys() == again.keys()
    for word, values in sparse.items():
        np.testing.assert_array_equal(values, again[word])


@each_method
def test_another_seed_changes_the_result_if_the_method_says_so(name, answer_of):
    one, other = answer_of(name)["denoised"], answer_of(name, seed=2)["denoised"]
    assert np.array_equal(one, other) == (not method(name).seeded)


@each_method
def test_two_threads_give_the_same_but_for_rounding(name, answer_of):
    one, two = answer_of(name)["denoised"], answer_of(name, threads=2)["denoised"]
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.999


@each_method
def test_cells_and_genes_with_little_or_nothing(name, answer_of):
    if method(name).sees_truth:
        pytest.skip("the truth does not hang on the counts")
    denoised = answer_of(name)["denoised"]
    if method(name).keeps_library:
        assert denoised[LONE_CELL].sum() < 10  # of one count, where others have hundreds
    assert denoised[:, LONE_GENE].max() < 10
    assert not denoised[EMPTY_CELL].any()
    assert not denoised[:, EMPTY_GENE].any()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        pytest.param(name, parameters, marks=marks(name))
        for name, others in OTHERS.items()
        for parameters in [{}, *others]
    ],
)
def test_its_own_distribution_has_the_denoised_counts_as_its_mean(name, parameters, answer_of):
    # expectations of ZiPo that take the entry's own count in are no means of its distribution
    means = {"denoised": "mean"} if name == "zipo" else {}
    answer = answer_of(name, **parameters, **means)
    asked = {**method(name).parameters, **parameters}
    # the likelihood of ZiPo without one is that of its preset
    likelihood = (asked.get("likelihood", asked.get("ae_type", "poisson")) or "nb").split("-")[0]
    assert answer.keys() == {"denoised", "latent"} | DISTRIBUTIONS[likelihood]
    mean = answer["rates"] * (1 - answer.get("zero_probability", 0.0))
    np.testing.assert_allclose(answer["denoised"], mean, rtol=1e-4, atol=1e-6)
    if "size" in answer:
        assert (np.delete(np.delete(answer["size"], EMPTY_CELL, 0), EMPTY_GENE, 1) > 0).all()
