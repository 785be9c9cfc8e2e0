"""Sizes that fit the data: the demo's for few cells, the paper's for many, in steps between."""

import subprocess
import sys

from zipo.parameters import Parameters
from zipo.presets import in_words, sizes_for

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


def test_many_cells_have_the_paper_s():
    paper, found = Parameters(), Parameters(**sizes_for(50_000, 2_000))
    for name in ("encoder", "batch_size", "learning_rate_decay"):
        assert getattr(found, name) == getattr(paper, name)


def test_sizes_grow_with_the_cells_and_epochs_fall():
    found = [Parameters(**sizes_for(cells, 2_000)) for cells in CELLS]
    first, batches, epochs = (
        [p.encoder_widths[0] for p in found],
        [p.batch_size for p in found],
        [-p.max_epochs for p in found],
    )
    for values in (first, batches, epochs):
        assert values == sorted(values)
        assert len(set(values)) >= 3
    for p in found:  # half of the epochs bring the learning rate to its floor
        assert 0.5 < p.learning_rate * p.learning_rate_decay ** (p.max_epochs / 2) / p.learning_rate_floor < 1.5


def test_few_genes_have_a_narrow_encoder():
    first = [Parameters(**sizes_for(10**6, genes)).encoder_widths[0] for genes in (0, 100, 256, 700, 1_024, 30_000)]
    assert first == [256, 256, 512, 1024, 2048, 2048]


def test_the_sizes_are_one_line():
    assert in_words(sizes_for(1_937, 1_000)) == (
        "encoder 256-128-64-32-16, batches of 64 cells, at most 60 epochs (fewer once 10 bring no gain)"
    )


def test_neither_the_package_nor_the_sizes_load_torch():
    code = "import sys, zipo, zipo.presets; print(sorted({'torch', 'anndata', 'numpy', 'pandas'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
