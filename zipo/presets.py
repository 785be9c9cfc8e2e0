"""Presets: parameters for users' own counts, by what they are for and by the numbers of cells and genes; free of torch.

The study names all its parameters itself, and takes none of these.
"""

from collections.abc import Iterable, Mapping
from typing import Any

PAPER = (2048, 1024, 512, 256, 128)  # the paper's encoder, whose data sets have some 50,000 cells and more
# From how many cells on the encoder has which part of those widths, and how many cells a batch has. Few cells cannot
# tell many neurons apart, and few steps an epoch are made up for by small batches. An eighth is what the study's demo
# uses on some 2,000 cells; between it and the paper each doubling takes about three times the cells.
STEPS = ((0, 8, 64), (5_000, 4, 128), (15_000, 2, 256), (50_000, 1, 256))
EPOCHS = 60  # enough for 50,000 cells and less: the rate decays in half of them, and patience ends most before
# Of an encoder whose guesses are refined, and the decoder with them: on data sets of 100 to 3,005 cells ten epochs and
# sixty denoise alike, to 0.1 % of the deviance of held-out molecules.
REFINED_EPOCHS = 20
MANY_CELLS = 50_000
FEWEST_EPOCHS = 12

# What denoises best: latents and a linear decoder that are refined after training are a model of latent factors.
OBJECTIVE: dict[str, Any] = {
    "likelihood": "nb",  # counts vary more than a Poisson has it, and zero inflation adds nothing that data can tell
    "dispersion": "gene_cell",  # a gene may come in bursts in some cells alone (NLL of brain .645 for .650)
    "library": "observed",  # a sum of counts is known better than a network predicts it
    "input": "normalised_log1p",  # so that latents tell of the cell and not of how deeply it was sequenced
    "inference": "refined",  # an encoder only guesses at a cell's latents
    "denoised": "posterior",  # a cell's own count of a gene tells something that no other gene does
    "rate_penalty": "none",
    "alpha_theta": 0.0,  # a gene's size has many counts to be estimated from
    "gene_totals": "trained",  # refined regressions have the genes' totals right already
}
LINEAR = {"decoder": "linear"}  # the default of Parameters; no other is refined
# The paper's, but for two things that users of their own counts are better off with.
PAPERS = {
    # a squared error outweighs the likelihood of high counts: with it NB and ZINB denoise human pancreas worse than not
    # denoising at all (Poisson deviance of held-out molecules 2.3 against 0.3)
    "rate_penalty": "none",
    "gene_totals": "fitted",  # a training that is stopped leaves the genes' totals beside their counts
}
# Latents need cells for their weights to be known by, and grow with the root of the cells up to a number of these. On
# 1,500 simulated cells 14 denoised better than 8, 12 and 20 did; on 1,937 and 3,005 real ones 16 to 32 denoised alike,
# and clusters of fewer agreed better with cell types. Few cells still have a few types.
LATENTS, CELLS_OF_LATENTS = 32, 8_000
FEWEST_LATENTS, FEWEST_CELLS_PER_LATENT = 8, 4
# For tries, with a shallower encoder on smaller batches: the latents that it guesses at are refined all the same.
FAST_HIDDEN, FAST_LATENTS = (128, 32), 16
FAST = {"batch_size": 32}

# For programs that can be read: each neuron of the first layer is one.
PROGRAMS = {
    "sparsity": "factors",  # trained weights mix types in a neuron, at any number of zeros
    # 20 genes of a thousand: fewer leave genes out by which a type is known, more are no list that anyone reads
    "weights_kept": 0.02,
}
FACTORS = 32  # more than most tissues have types; on human pancreas 20 to 32 give each type that is asked for one

NONE_CHOSEN: Mapping[str, Any] = {}
PRESETS = ("denoise", "fast", "paper", "programs")
DEFAULT = "denoise"


def parameters_for(preset: str, cells: int, genes: int, chosen: Mapping[str, Any] = NONE_CHOSEN) -> dict[str, Any]:
    """Parameters of ZiPo that a preset names for so many cells and genes; those not named keep their defaults.

    `chosen` are parameters that go before those of the preset: with another objective than its own, training has more
    epochs.

    - denoise: what predicts held-out molecules best, negative binomial with refined latents.
    - fast: the same with a shallower encoder and fewer latents.
    - programs: the objective of denoise on an encoder of few neurons that read a fiftieth of the genes each.
    - paper: the paper's objective, zero-inflated Poisson, without its rate penalty and with fitted totals of genes.

    Raises ValueError for another name.
    """
    if preset not in PRESETS:
        raise ValueError(f"preset {preset!r}: {', '.join(PRESETS[:-1])} or {PRESETS[-1]} is expected")
    if preset == "paper":
        return sizes_for(cells, genes) | PAPERS
    objective = OBJECTIVE | LINEAR
    refined = preset != "programs" and all(chosen.get(name, value) == value for name, value in objective.items())
    sizes = sizes_for(cells, genes, REFINED_EPOCHS if refined else EPOCHS)
    if preset == "fast":
        return sizes | OBJECTIVE | FAST | {"encoder": _encoder(FAST_HIDDEN, FAST_LATENTS, cells)}
    if preset == "programs":
        neurons = max(1, min(FACTORS, cells // FEWEST_CELLS_PER_LATENT, genes))
        return sizes | OBJECTIVE | PROGRAMS | {"encoder": f"{neurons}-{_latents(LATENTS, cells)}"}
    hidden = [int(width) for width in sizes["encoder"].split("-")[:-1]]
    return sizes | OBJECTIVE | {"encoder": _encoder(hidden, LATENTS, cells)}


def _encoder(hidden: Iterable[int], most_latents: int, cells: int) -> str:
    """As many latents as the cells can tell apart, behind those hidden layers that are twice as wide or more."""
    latents = _latents(most_latents, cells)
    return "-".join(str(width) for width in [*(width for width in hidden if width >= 2 * latents), latents])


def _latents(most: int, cells: int) -> int:
    """As many latents as the cells can tell apart."""
    latents = min(most, max(FEWEST_LATENTS, round(LATENTS * (cells / CELLS_OF_LATENTS) ** 0.5)))
    return min(latents, max(2, cells // FEWEST_CELLS_PER_LATENT))


def sizes_for(cells: int, genes: int, most_epochs: int = EPOCHS) -> dict[str, Any]:
    """Parameters of ZiPo that should depend on the data's size; none falls as cells or genes grow but for the epochs
    and with them the decay of the learning rate. Up to MANY_CELLS have `most_epochs` at most."""
    from zipo.parameters import ParameterValues  # takes a while to import, and the names of presets do not need it

    part, batch_size = next((part, batch) for least, part, batch in reversed(STEPS) if cells >= least)
    # more than two neurons a gene only cost time
    while part < STEPS[0][1] and PAPER[0] // part > 2 * max(genes, 1):
        part *= 2
    # an epoch of many cells has many steps: the steps in all grow with the square root of the cells
    epochs = max(FEWEST_EPOCHS, round(most_epochs * min(1.0, MANY_CELLS / max(cells, 1)) ** 0.5))
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


def in_words(values: Mapping[str, Any]) -> str:
    """All parameters of a model in one line, for whoever has not chosen them: objective, sizes, epochs."""
    latents = values["encoder"].rpartition("-")[2]
    refined = " refined on each cell's counts" if values["inference"] == "refined" else ""
    counts = ", the cell's own count taken in" if values["denoised"] == "posterior" else ""
    return (
        f"{values['likelihood']}, {latents} latents{refined}{counts}; encoder {values['encoder']}, batches of "
        f"{values['batch_size']} cells, at most {values['max_epochs']} epochs (fewer once {values['stop_patience']} "
        "bring no gain)"
    )
