"""The layers of a network in the order in which they compute, for passes without autograd."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import nn

from zipo.engine.blocks import Block

Modules = Iterable[Any]


@dataclass
class Layers:
    """Blocks of encoder, library network and decoder, and the linear layers beside them."""

    encoder: list[Block]
    projections: list[nn.Parameter]  # of the last blocks before the latents
    library: list[Block]
    library_output: nn.Linear | None  # None where library sizes are observed
    decoder: list[Block]
    norms: list[nn.BatchNorm1d]

    @classmethod
    def of(
        cls, first: nn.Module, encoder: Modules, projections: Modules, library: Modules, decoder: Modules
    ) -> "Layers | None":
        """Those of a network's modules; None where there are blocks that zipo.engine.blocks does not know."""
        start, *others = ([*each.children()] for each in encoder)
        *hidden, output = [*library] or [None]
        blocks = [Block.of(first, start, has_product=False), *map(_block, others)]
        in_library = [_block(each) for each in _sequences(hidden)]
        in_decoder = [_block([*each.children()]) for each in decoder]
        if None in blocks or None in in_library or None in in_decoder:
            return None
        norms = [block.norm for block in [*blocks, *in_library, *in_decoder] if block.norm is not None]
        weights = [each.weight for each in projections]
        return cls(blocks, weights, in_library, output, in_decoder, norms)


def _block(modules: list[Any]) -> Any:
    """The block of a linear layer, the first of these modules, and what follows it; None if it is not known."""
    return Block.of(modules[0], modules[1:])


def _sequences(modules: list[Any]) -> list[list[Any]]:
    """The modules of each block, which begin with a linear layer."""
    blocks: list[list[Any]] = []
    for module in modules:
        if isinstance(module, nn.Linear):
            blocks.append([])
        blocks[-1].append(module)
    return blocks
