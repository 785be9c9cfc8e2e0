"""Presets: the objective of each, and sizes by the numbers of cells, for few the demo's and for many the paper's."""

import subprocess
import sys

import pytest

from zipo.parameters import Parameters
from zipo.presets import OBJECTIVE, PRESETS, in_words, parameters_for, sizes_for

CELLS = [2, 600, 2_000, 5_000, 12_000, 15_000, 49_999, 50_000, 200_000, 1_000_000, 10_000_000]


def test_few_cells_have_the_sizes_of_the_demo():
    assert sizes_for(1_937, 1_000) == {
        "encoder": "256-128-64-32-16",
        "batch_size": 64,
        "learning_rate_decay": 0.9,
        "plateau_patience": 6,
        "stop_patience": 10,
        "stop_threshold": 0.001,
        "max_epochs": 60,
    }


def test_the_default_denoises_by_refined_latents_of_a_negative_binomial():
    assert parameters_for("denoise", 1_937, 1_000) == {
        "likelihood": "nb",
        "dispersion": "gene_cell",
        "library": "observed",
        "input": "normalised_log1p",
        "inference": "refined",
        "denoised": "posterior",
        "rate_penalty": "none",
        "alpha_theta": 0.0,
        "gene_totals": "trained",
        "encoder": "256-128-64-32-16",
        "batch_size": 64,
        "learning_rate_decay": 0.74,
        "plateau_patience": 6,
        "stop_patience": 10,
        "stop_threshold": 0.001,
        "max_epochs": 20,
    }


@pytest.mark.parametrize("preset", ["denoise", "fast"])
@pytest.mark.parametrize(
    ("chosen", "epochs"),
    [
        ({"likelihood": "nb", "encoder": "64-8", "seed": 3}, 20),
        ({"likelihood": "zip"}, 60),
        ({"inference": "amortised"}, 60),
        ({"decoder": "16"}, 60),
    ],
)
def test_epochs_are_fewer_where_the_decoder_is_refined(preset, chosen, epochs):
    assert parameters_for(preset, 1_937, 1_000, chosen)["max_epochs"] == epochs


def test_the_paper_s_preset_keeps_its_objective_but_for_the_rate_penalty_and_gene_totals():
    for cells in CELLS:
        sizes = sizes_for(cells, 2_000)
        assert parameters_for("paper", cells, 2_000) == sizes | {"rate_penalty": "none", "gene_totals": "fitted"}


def test_the_fast_preset_has_the_same_objective_and_cheaper_steps():
    fast, default = parameters_for("fast", 1_937, 1_000), parameters_for("denoise", 1_937, 1_000)
    assert {name: fast[name] for name in OBJECTIVE} == OBJECTIVE
    changed = {name: value for name, value in fast.items() if value != default[name]}
    assert changed == {"encoder": "128-32-16", "batch_size": 32}


def test_the_preset_for_programs_has_the_objective_of_the_default_on_few_neurons_with_few_genes():
    actual, default = parameters_for("programs", 1_937, 1_000), parameters_for("denoise", 1_937, 1_000)
    changed = {name: value for name, value in actual.items() if value != default.get(name)}
    longer = {"max_epochs": 60, "learning_rate_decay": 0.9}
    assert changed == {"encoder": "32-16", "sparsity": "factors", "weights_kept": 0.02} | longer
    assert parameters_for("programs", 1_000_000, 30_000)["encoder"] == "32-32"
    assert parameters_for("programs", 60, 30_000)["encoder"] == "15-8"
    assert parameters_for("programs", 1_937, 9)["encoder"] == "9-16"


@pytest.mark.parametrize(
    ("cells", "encoder"),
    [
        (2, "256-128-64-32-2"),
        (24, "256-128-64-32-6"),
        (60, "256-128-64-32-8"),
        (1_125, "256-128-64-32-12"),
        (2_000, "256-128-64-32-16"),
        (4_500, "256-128-64-24"),
        (5_000, "512-256-128-64-25"),
        (8_000, "512-256-128-64-32"),
        (15_000, "1024-512-256-128-32"),
        (50_000, "2048-1024-512-256-32"),
    ],
)
def test_latents_are_as_many_as_the_cells_can_tell_apart(cells, encoder):
    assert parameters_for("denoise", cells, 2_000)["encoder"] == encoder
    latents = int(parameters_for("fast", cells, 2_000)["encoder"].split("-")[-1])
    assert latents == min(16, int(encoder.split("-")[-1]))


def test_every_preset_is_one_that_a_model_can_have():
    for preset in PRESETS:
        for cells in CELLS:
            for genes in (1, 100, 30_000):
                Parameters(**parameters_for(preset, cells, genes))
    with pytest.raises(ValueError, match="preset 'papr': denoise, fast, paper or programs is expected"):
        parameters_for("papr", 100, 100)


def test_many_cells_have_the_paper_s():
    paper, actual = Parameters(), Parameters(**sizes_for(50_000, 2_000))
    for name in ("encoder", "batch_size", "learning_rate_decay"):
        assert getattr(actual, name) == getattr(paper, name)


def test_sizes_grow_with_the_cells_and_epochs_fall():
    actual = [Parameters(**sizes_for(cells, 2_000)) for cells in CELLS]
    first, batches, epochs = (
        [p.encoder_widths[0] for p in actual],
        [p.batch_size for p in actual],
        [-p.max_epochs for p in actual],
    )
    for values in (first, batches, epochs):
        assert values == sorted(values)
        assert len(set(values)) >= 3
    for p in actual:  # half of the epochs bring the learning rate to its floor
        assert 0.5 < p.learning_rate * p.learning_rate_decay ** (p.max_epochs / 2) / p.learning_rate_floor < 1.5


def test_few_genes_have_a_narrow_encoder():
    first = [Parameters(**sizes_for(10**6, genes)).encoder_widths[0] for genes in (0, 100, 256, 700, 1_024, 30_000)]
    assert first == [256, 256, 512, 1024, 2048, 2048]


def test_a_preset_is_told_in_one_line():
    default, paper = (Parameters(**parameters_for(name, 1_937, 1_000)) for name in ("denoise", "paper"))
    assert in_words(default.model_dump()) == (
        "nb, 16 latents refined on each cell's counts, the cell's own count taken in; encoder 256-128-64-32-16, "
        "batches of 64 cells, at most 20 epochs (fewer once 10 bring no gain)"
    )
    assert in_words(paper.model_dump()) == (
        "zip, 16 latents; encoder 256-128-64-32-16, batches of 64 cells, at most 60 epochs (fewer once 10 bring no "
        "gain)"
    )


def test_neither_the_package_nor_the_sizes_load_torch():
    code = "import sys, zipo, zipo.presets; print(sorted({'torch', 'anndata', 'numpy', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
