"""A model goes on with other cells: it helps where these are few, and what was to stay stays."""

import warnings

import numpy as np
import pytest
import torch

from tests.model.two_batches import in_two_batches
from zipo import ZiPo
from zipo.model.fine_tuning import aligned, fine_tuned
from zipo.shared.errors import InputError

SMALL = {"encoder": "64-16", "batch_size": 32, "max_epochs": 40, "stop_patience": 8}
FEW = {"batch_size": 16, "max_epochs": 20}
TINY = {"encoder": "6-3", "batch_size": 4, "max_epochs": 2, "covariates": ("cell_type", "age")}


@pytest.fixture(scope="module")
def cells(simulated):
    return in_two_batches(simulated)


@pytest.fixture(scope="module")
def pretrained(cells):
    return ZiPo(seed=1, **SMALL).fit(cells[cells.obs["batch"] == "A"])


@pytest.fixture(scope="module")
def target(cells):
    """100 cells of the other batch to learn from, and 170 to be judged by."""
    others = cells[cells.obs["batch"] == "B"].copy()
    return others[:100].copy(), others[100:130].copy(), others[130:].copy()


@pytest.fixture
def tiny(counts):
    return ZiPo(seed=3, **TINY).fit(counts[:8], counts[8:])


def weights_of(model, part):
    modules = model.network.parts[part]
    return [tensor.clone() for module in modules for tensor in module.state_dict().values()]


def test_few_cells_are_learned_better_from_a_trained_model_than_from_scratch(pretrained, target):
    few, validation, test = target
    scratch = ZiPo(seed=1, **SMALL | FEW).fit(few, validation)
    before = pretrained.loss(test)
    tuned, alignment = fine_tuned(pretrained, few, validation, **FEW)
    assert alignment.message == "150 of the model's 150 genes are in the data"
    assert tuned.loss(test) < scratch.loss(test) - 0.05  # measured: 1.66 and 1.76 after 20 epochs
    assert tuned.loss(test) < before - 0.5  # measured: 2.68
    assert pretrained.loss(test) == before  # the model that was gone on from stays
    assert tuned.training.history[0]["learning_rate"] == tuned.parameters.learning_rate_floor


def test_genes_that_only_the_target_has_are_learned(pretrained, target):
    few, validation, test = target
    few.var_names = validation.var_names = test.var_names = [*few.var_names[:-10], *(f"new-{j}" for j in range(10))]
    tuned, alignment = fine_tuned(pretrained, few, validation, genes="union", **FEW)
    assert alignment.message == (
        "140 of the model's 150 genes are in the data, 10 are not and count as zeros, "
        "10 others of the data are added to the model"
    )
    assert list(tuned.genes) == [*pretrained.genes, *test.var_names[-10:]]
    seen, _ = aligned(test, tuned.genes)
    denoised = tuned.denoise(seen)[:, -10:].mean(axis=0)
    counted = np.asarray(test.X[:, -10:].mean(axis=0)).ravel()
    assert np.corrcoef(np.log(denoised), np.log(counted + 0.01))[0, 1] > 0.9
    left_out, alignment = fine_tuned(pretrained, few, validation, **FEW | {"max_epochs": 1})
    assert alignment.message.endswith("10 others of the data are left out")
    assert left_out.genes.equals(pretrained.genes)


@pytest.mark.parametrize("freeze", [["first_layer"], ["encoder"], ["decoder"], ["library"], ["encoder", "library"]])
def test_frozen_parts_are_the_same_to_the_bit(tiny, counts, freeze):
    tuned, _ = fine_tuned(tiny, counts, freeze=freeze)
    for part in tiny.network.parts:
        same = all(map(torch.equal, weights_of(tiny, part), weights_of(tuned, part)))
        assert same == (part in freeze or (part == "first_layer" and "encoder" in freeze)), part


def test_levels_are_added_and_start_as_the_average_of_those_known(tiny, counts):
    more = counts.copy()
    more.obs["cell_type"] = ["0", "b"] * 6
    tuned, _ = fine_tuned(tiny, more, freeze=["decoder"])
    assert tuned.covariates.levels == {"cell_type": ["a", "b", "c", "0"]}
    assert tuned.covariates.scales == tiny.covariates.scales
    before, after = tiny.network.log_proportions.weight, tuned.network.log_proportions.weight
    torch.testing.assert_close(after, torch.cat([before, before[:, 4:].mean(dim=1, keepdim=True)], dim=1))
    moved, _ = fine_tuned(tiny, more)
    assert not torch.equal(moved.network.log_proportions.weight[:, -1], after[:, -1])
    assert np.isfinite(tuned.denoise(counts, {"cell_type": "0"})).all()


def test_a_category_without_cells_is_refused_until_cells_of_it_are_trained_on(counts):
    with_d = counts.copy()
    with_d.obs["cell_type"] = counts.obs["cell_type"].cat.add_categories("d")
    model = ZiPo(seed=3, **TINY).fit(with_d)
    assert model.covariates.levels == {"cell_type": ["a", "b", "c", "d"]}
    new = counts.copy()
    new.obs["cell_type"] = "d"
    with pytest.raises(InputError, match=r"'cell_type' has the level 'd', which training did not see; it saw a, b, c$"):
        model.denoise(new)
    tuned, _ = fine_tuned(model, new)
    assert np.isfinite(tuned.denoise(new)).all()


def test_the_same_seed_gives_the_same_model_and_it_can_be_kept(tiny, counts, tmp_path):
    for name in ("one", "two"):
        tuned, _ = fine_tuned(ZiPo(seed=3, **TINY).fit(counts[:8], counts[8:]), counts, genes="union", max_epochs=3)
        tuned.save(tmp_path / name)
    for file in ("model.json", "weights.safetensors"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    np.testing.assert_array_equal(ZiPo.load(tmp_path / "one").denoise(counts), tuned.denoise(counts))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"encoder": "8-4"}, "fine-tuning: encoder belongs to the network, which is trained on"),
        ({"freeze": ["heads"]}, "the model has no part 'heads'; it has first_layer, encoder, decoder, library"),
        ({"freeze": ["encoder", "decoder", "library"]}, "nothing is left to train; freeze fewer parts"),
        ({"freeze": ["decoder"], "genes": "union"}, "decoder cannot be frozen where 1 genes are added to it"),
        ({"freeze": "heads"}, "the model has no part 'heads'"),
        ({"freeze": 3}, "freeze: names of parts are expected, not 3"),
        ({"genes": "both"}, "genes 'both': model or union is expected"),
        ({"seed": 2}, "fine-tuning: seed is that of the model"),
        ({"epochs": 2}, "epochs: unknown key 'epochs'; did you mean 'max_epochs'"),
    ],
)
def test_what_cannot_be_is_refused(tiny, counts, settings, problem):
    counts.var_names = ["other", *counts.var_names[1:]]
    with pytest.raises(InputError, match=problem):
        fine_tuned(tiny, counts, **settings)


def test_only_a_trained_model_can_be_tuned(counts):
    with pytest.raises(InputError, match="a trained ZiPo is expected, not str"):
        fine_tuned("model", counts)
    with pytest.raises(InputError, match="this model is not fitted yet"):
        fine_tuned(ZiPo(**TINY), counts)


def test_data_without_a_gene_in_common_are_refused(tiny, counts):
    counts.var_names = [f"ENSG{j}" for j in range(5)]
    with pytest.raises(InputError, match="none of the 5 genes of the data, such as 'ENSG0', is among the 5"):
        fine_tuned(tiny, counts)


def test_a_sparse_model_goes_on_with_the_zeros_that_it_has(counts, tmp_path):
    sparse = {"sparsity": "proximal", "weights_kept": 0.3, "denoised": "posterior", "likelihood": "nb"}
    model = ZiPo(seed=3, **TINY | sparse | {"max_epochs": 6}).fit(counts[:8], counts[8:])
    model.save(tmp_path / "model")
    tuned, _ = fine_tuned(ZiPo.load(tmp_path / "model"), counts[:8], counts[8:])
    before, after = (each.network.encoder.first.weight for each in (model, tuned))
    assert 0 < model.network.encoder.first.share() <= 0.3
    assert torch.equal(after != 0, before != 0)
    assert not torch.equal(after, before)


def test_only_features_that_are_added_to_the_model_are_warned_of(tiny, counts):
    counts.var_names = [*counts.var_names[:4], "CD4"]
    counts.var["feature_types"] = ["Gene Expression"] * 4 + ["Antibody Capture"]
    with pytest.warns(UserWarning, match="1 of type 'Antibody Capture' are no genes"):
        fine_tuned(tiny, counts, genes="union")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fine_tuned(tiny, counts)
