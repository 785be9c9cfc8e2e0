"""Gene programs: the genes that each neuron of the first layer reads, after its small weights are pruned."""

from pathlib import Path

import pandas as pd
import torch

from zipo.engine.pruning import weights_above
from zipo.model.estimator import ZiPo
from zipo.presets import PROGRAMS
from zipo.shared.errors import InputError

READABLE = 0.1
"""Share of weights that are not zero, at most, for neurons that can be read."""
COLUMNS = ["neuron", "rank", "gene", "weight", "genes"]


def programs(model: ZiPo, threshold: float = 1e-4, top: int | None = None) -> pd.DataFrame:
    """The genes of each neuron of the first layer, those of the largest weights first.

    Columns: neuron, from 1; rank, from 1; gene; weight, relative to the neuron's largest, in [-1, 1]; genes, how many
    the neuron keeps. Weights below `threshold` times the neuron's largest are pruned (paper, section III-E), and of
    the rest the `top` first are given. Raises InputError for a threshold outside of (0, 1] and a `top` below 1.
    """
    if not 0 < threshold <= 1:
        raise InputError(f"threshold {threshold:g}: a share of a neuron's largest weight is expected, above 0, up to 1")
    if top is not None and top < 1:
        raise InputError(f"top {top}: one gene of a neuron at least is expected")
    weights = model.network.encoder.first.weight.detach().cpu()
    kept = weights_above(weights, threshold)
    tables = []
    for neuron in range(weights.shape[1]):
        magnitudes = weights[:, neuron].abs()
        largest = magnitudes.max()
        if not largest:
            continue
        genes = int(kept[:, neuron].sum())
        order = torch.argsort(magnitudes, descending=True, stable=True)[: genes if top is None else min(genes, top)]
        tables.append(
            pd.DataFrame(
                {
                    "neuron": neuron + 1,
                    "rank": range(1, len(order) + 1),
                    "gene": model.genes[order.numpy()],
                    "weight": (weights[order, neuron] / largest).numpy(),
                    "genes": genes,
                },
                columns=COLUMNS,
            )
        )
    if not tables:
        raise InputError("all weights of the first layer are 0, so there are no programs; train with a lower alpha_w")
    return pd.concat(tables, ignore_index=True)


def how_to_read(model: ZiPo) -> str | None:
    """What to say of a model whose neurons read too many genes to be programs; None for another."""
    share = model.network.encoder.first.share()
    if share <= READABLE:
        return None
    return (
        f"{share:.0%} of the first layer's weights are not zero, so that programs mix types of cells; a model that is "
        f"fitted with --preset programs has {PROGRAMS['weights_kept']:.0%}"
    )


def is_written(file: Path) -> bool:
    """Whether this is a table of gene programs as `zipo programs` writes it."""
    with file.open("rb") as stream:
        return stream.readline(1000).decode(errors="replace").rstrip("\r\n").split("\t") == COLUMNS


def in_lines(table: pd.DataFrame) -> list[str]:
    """A line per neuron: how many genes it keeps, then the first of them with their weights."""
    lines = []
    for neuron, genes in table.groupby("neuron"):
        weights = ", ".join(
            f"{gene} {weight:+.2f}" for gene, weight in zip(genes["gene"], genes["weight"], strict=True)
        )
        number = int(genes["genes"].iloc[0])
        lines.append(f"neuron {neuron}, {number} gene{'s' * (number != 1)}: {weights}")
    return lines
