"""The kernels in their order, for a batch."""

from contextlib import nullcontext
from typing import NamedTuple

import torch
import triton
from torch import Tensor

from zipo.engine.batches import Batch
from zipo.engine.triton_kernels import likelihood

BLOCK = 1024  # genes of a program
ENTRIES = 128  # positive counts that a program takes at a time; more would not fit into its registers
WARPS = 4


class Scored(NamedTuple):
    """What the kernels give, on the device that the batch is on."""

    loss: Tensor
    """The weighted sum of the sums."""
    sums: Tensor
    """(6,) over all entries, in the order of zipo.engine.loss.Sums."""
    by_cell: Tensor
    """(B,) NLL of each cell."""
    gradients: list[Tensor | None]
    """By log library (B, 1), logits, zero logits and dispersion; empty if they are not wanted."""


def nll_and_gradients(
    batch: Batch,
    decoded: tuple[Tensor, Tensor, Tensor | None, Tensor | None],
    by_rate: bool,
    weights: tuple[float, float, float, float],
    learn: bool,
) -> Scored:
    """Sums over the entries of a batch, and the gradients of their weighted sum, without waiting for the device.

    decoded: log library, logits, zero logits and dispersion, as zipo.engine.model.Prediction has them. weights: of
    nll, z_squared, dispersion_squared and rates_error.
    """
    log_library, logits, zero_logits, dispersion = (None if each is None else each.contiguous() for each in decoded)
    assert log_library is not None
    assert logits is not None
    cells, genes = logits.shape
    blocks = triton.cdiv(genes, BLOCK)
    sizes = {"BLOCK": BLOCK, "BLOCKS": triton.next_power_of_2(blocks)}
    tops, totals = logits.new_empty(cells, blocks), logits.new_empty(cells, blocks)
    sums = logits.new_empty(cells, blocks + 1, likelihood.SUMS.value)
    unused = logits  # in the place of what a likelihood has not, or is not wanted
    absent = (zero_logits is None, dispersion is None)
    zero_logits, dispersion = (unused if each is None else each for each in (zero_logits, dispersion))
    by_logits, by_zero, by_dispersion = (
        torch.empty_like(logits) if learn and not missing else unused for missing in (False, *absent)
    )
    by_library = logits.new_empty(cells, 1)
    outputs = log_library, logits, zero_logits, dispersion, tops, totals, sums, by_logits, by_zero, by_dispersion
    numbers = genes, blocks, *weights
    shared = not absent[1] and len(dispersion) == 1  # by the cells
    options = {"INFLATED": not absent[0], "OVERDISPERSED": not absent[1], "SHARED": shared, "BY_RATE": by_rate}
    options["LEARN"] = learn
    loss = logits.new_empty(())
    with torch.cuda.device(logits.device) if logits.is_cuda else nullcontext():
        grid = (cells, blocks)
        likelihood.block_exponentials[grid](logits, tops, totals, genes, blocks, BLOCK=BLOCK, num_warps=WARPS)
        likelihood.score_as_zeros[grid](*outputs, *numbers, **options, **sizes, num_warps=WARPS)
        counts = batch.starts, batch.columns, batch.values, batch.constant
        likelihood.correct_positive[(cells,)](
            *counts, *outputs, *numbers, **options, ENTRIES=ENTRIES, BLOCKS=sizes["BLOCKS"], num_warps=WARPS
        )
        if learn:
            likelihood.through_softmax[grid](
                logits, tops, totals, sums, by_logits, by_library, genes, blocks, **sizes, num_warps=WARPS
            )
        of_cells = sums[:, :, :-1].sum(dim=1, dtype=torch.float64)
        of_all = of_cells.sum(dim=0)
        likelihood.weigh[(1,)](of_all, loss, *weights, num_warps=1)
    gradients: list[Tensor | None] = []
    if learn:
        if shared:
            by_dispersion = by_dispersion.sum(dim=0, keepdim=True)
        gradients = [by_library, by_logits, None if absent[0] else by_zero, None if absent[1] else by_dispersion]
    return Scored(loss, of_all.float(), of_cells[:, 0].float(), gradients)


def scale(gradients: list[Tensor | None], factor: Tensor) -> None:
    """Multiply gradients by a factor, in place, without waiting for the device to know whether it is 1."""
    for each in gradients:
        if each is not None:
            with torch.cuda.device(each.device) if each.is_cuda else nullcontext():
                programs = triton.cdiv(each.numel(), BLOCK)
                likelihood.scale[(programs,)](each, factor, each.numel(), BLOCK=BLOCK, num_warps=WARPS)
