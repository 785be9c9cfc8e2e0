"""Sizes of network, batches and training that fit a number of cells and genes; free of torch."""

from collections.abc import Mapping
from typing import Any

from zipo.parameters import ParameterValues

PAPER = (2048, 1024, 512, 256, 128)  # the paper's encoder, whose data sets have some 50,000 cells and more
# From how many cells on the encoder has which part of those widths, and how many cells a batch has. Few cells cannot
# tell many neurons apart, and few steps an epoch are made up for by small batches. An eighth is what the study's demo
# uses on some 2,000 cells; between it and the paper each doubling takes about three times the cells.
STEPS = ((0, 8, 64), (5_000, 4, 128), (15_000, 2, 256), (50_000, 1, 256))
EPOCHS = 60  # enough for 50,000 cells and less: the rate decays in half of them, and patience ends most before
MANY_CELLS = 50_000
FEWEST_EPOCHS = 12


def sizes_for(cells: int, genes: int) -> dict[str, Any]:
    """Parameters of ZiPo that should depend on the data's size; none falls as cells or genes grow but for the epochs
    and with them the decay of the learning rate."""
    part, batch_size = next((part, batch) for least, part, batch in reversed(STEPS) if cells >= least)
    # more than two neurons a gene only cost time
    while part < STEPS[0][1] and PAPER[0] // part > 2 * max(genes, 1):
        part *= 2
    # an epoch of many cells has many steps: the steps in all grow with the square root of the cells
    epochs = max(FEWEST_EPOCHS, round(EPOCHS * min(1.0, MANY_CELLS / max(cells, 1)) ** 0.5))
    defaults = ParameterValues()
    decay_in_all = defaults.learning_rate_floor / defaults.learning_rate
    return {
        "encoder": "-".join(str(width // part) for width in PAPER),
        "batch_size": batch_size,
        "learning_rate_decay": round(decay_in_all ** (2 / epochs), 2),  # the floor is reached in half the epochs
        "plateau_patience": 6,  # the paper waits for 15 and 30 epochs, and for any gain at all: much time for a user
        "stop_patience": 10,
        "stop_threshold": 0.001,
        "max_epochs": epochs,
    }


def in_words(sizes: Mapping[str, Any]) -> str:
    """The sizes in one line, for whoever has not chosen them."""
    return (
        f"encoder {sizes['encoder']}, batches of {sizes['batch_size']} cells, at most {sizes['max_epochs']} epochs "
        f"(fewer once {sizes['stop_patience']} bring no gain)"
    )
