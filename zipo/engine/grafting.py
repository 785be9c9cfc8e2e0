"""The weights of a trained network in one that knows more genes or covariates, or fewer genes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zipo.engine.model import Network


@torch.no_grad()
def graft(network: Network, earlier: Network, sources: Sequence[Sequence[int]]) -> None:
    """Give a network the weights, buffers included, of an earlier one, whose genes are its first.

    Further genes keep the weights that the network has. `sources` lists for each covariate column of the network the
    columns of the earlier one whose mean it starts from: its own, or, for a new level, those of the levels that were
    known, so that the new one begins as their average.
    """
    latents = network.encoder.latents
    inputs = [[latent] for latent in range(latents)]
    inputs += [[latents + column for column in columns] for columns in sources]
    weights = network.state_dict()
    for name, tensor in earlier.state_dict().items():
        target = weights[name]
        if target.shape != tensor.shape and tensor.ndim == 2 and target.shape[1] != tensor.shape[1]:
            tensor = _widened(tensor, inputs)
        # genes are the first dimension of all that hangs on them
        (target[: len(tensor)] if target.ndim else target).copy_(tensor)


@torch.no_grad()
def take_genes(network: Network, earlier: Network, genes: Sequence[int]) -> None:
    """Give a network of some of an earlier one's genes, by their places, the weights of these, buffers included."""
    weights = network.state_dict()
    for name, tensor in earlier.state_dict().items():
        target = weights[name]
        target.copy_(tensor if target.shape == tensor.shape else tensor[list(genes)])


def _widened(tensor: Tensor, inputs: Sequence[Sequence[int]]) -> Tensor:
    """Weights (outputs, inputs) of a layer that sees latents and covariates, for more of the latter."""
    return torch.stack([tensor[:, places].mean(dim=1) for places in inputs], dim=1)
