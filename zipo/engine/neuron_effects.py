"""What the neurons of the first layer compute, and how much the predicted rates hang on each of them."""

from collections.abc import Iterable

import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from zipo.engine.batches import Batch
from zipo.engine.model import Network
from zipo.engine.refinement import log_rate_slopes, unit_directions

SLOPES_AT_ONCE = 1 << 24
"""Derivatives of log rates by latents that are held: 64 MB as float32."""


def cells_for_effects(network: Network) -> int:
    """Cells of a batch for `neuron_effects`."""
    return max(1, SLOPES_AT_ONCE // (network.log_proportions.out_features * network.encoder.latents))


@torch.no_grad()
def seen_by_encoder(network: Network, batch: Batch) -> csr_matrix:
    """(B, G) float64 values of the genes as the encoder sees them."""
    parts = [each.cpu().numpy() for each in (network.transform(batch).double(), batch.columns, batch.starts)]
    return csr_matrix(tuple(parts), shape=(batch.cells, batch.genes))


@torch.no_grad()
def neurons_of(network: Network, batch: Batch) -> tuple[Tensor, Tensor]:
    """(B, K) inputs of the first layer's neurons, the weighted sums of a cell's genes, and (B, K) their outputs after
    activation and batch norm; of a network in evaluation mode."""
    inputs = network.encoder.first(batch, network.transform(batch), network.uses_kernels)
    return inputs, network.encoder.blocks[0](inputs)


def neuron_effects(network: Network, batches: Iterable[Batch]) -> Tensor:
    """(K,) root mean square derivative of the log rates by each neuron's output, over cells and their molecules.

    A gene counts by its share mu of the cell's expected molecules: half the square of the effect, times that of a small
    change of the output, is the Kullback-Leibler divergence, in nats a molecule, of the profile before from that after.
    The latents are those that the encoder gives: where they are refined afterwards, the ones it starts from, fitted to
    come close to the refined ones. A neuron does not move those at all once their refinement has converged.
    """
    network.eval()
    total = torch.zeros(network.encoder.first.weight.shape[1], dtype=torch.float64)
    cells = 0
    for batch in batches:
        outputs = neurons_of(network, batch)[1].requires_grad_()
        with torch.enable_grad():
            latent = network.encoder.after_first(outputs)
            if network.latent_prior is not None:
                latent = network.latent_prior(latent)
            gradients = [torch.autograd.grad(each.sum(), outputs, retain_graph=True)[0] for each in latent.unbind(1)]
        by_neuron = torch.stack(gradients, dim=1)  # (B, L, K)
        with torch.no_grad():
            prediction = network.decode(latent.detach(), batch)
            shares = torch.exp(prediction.log_proportions)
            directions = unit_directions(prediction)
            slopes = torch.stack([*log_rate_slopes(network, batch, prediction, directions)], dim=1)  # (B, L, G)
            metric = (slopes * shares[:, None]) @ slopes.transpose(1, 2)
            total += (by_neuron * (metric @ by_neuron)).sum(dim=(0, 1)).cpu().double()
        cells += batch.cells
    return (total / max(cells, 1)).clamp(min=0).sqrt().float()
