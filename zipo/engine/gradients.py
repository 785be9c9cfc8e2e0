"""The loss of a training step and its gradients on a processor, written out: `objective` and its backward pass without
autograd.

A step of a small network is some hundred short operations, and recording each for autograd and coming back to it takes
as long as many of them do. Here the layers are gone through forward, the likelihood's kernel gives the gradients by the
decoder's outputs, and the layers are gone through backward. Products of matrices are torch's; what is between them are
the loops of zipo.engine.kernels.blocks. Tests hold losses and gradients to those of autograd.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zipo.engine.batches import Batch
from zipo.engine.blocks import Block, Done, set_gradient
from zipo.engine.layers import Layers
from zipo.engine.likelihoods import BASES
from zipo.engine.loss import Decoded, TermWeights, penalises_library, penalty_weight, scored, sparsity_of_sums
from zipo.engine.model import Network, SharedByCells


def are_written_out(network: Network, batch: Batch) -> bool:
    """Whether `leave_gradients` knows the network's options; else autograd is needed."""
    p = network.hyper
    return (
        network.uses_kernels
        and network.median_library.dtype == torch.float32
        and p.precision != "bfloat16"
        and BASES[p.family.base].has_kernel
        and not penalises_library(p)
        and batch.cells > 1  # batch norm refuses a single cell
        and network.layers is not None
    )


@torch.no_grad()
def leave_gradients(network: Network, batch: Batch) -> Tensor:
    """The loss of a batch; its gradients are left with the weights, in place of those that they had."""
    assert network.layers is not None
    first, p = network.encoder.first, network.hyper
    values = network.transform(batch)
    passes = Passes(network, network.layers)
    outputs, by_rate = passes.forward(batch, first.product(batch, values)), p.dispersion == "logits"
    result = scored(outputs, by_rate, batch, TermWeights.of(p, batch), learn=True, overwrite=True)
    by_product = passes.backward(result.gradients)
    if first.weight.requires_grad:
        first.leave_gradient(batch, values, by_product)
    loss, penalty = result.loss, penalty_weight(p)
    if penalty:
        loss += penalty * float(sparsity_of_sums(first.sums(), len(first.weight)))
        first.by_sparsity = penalty
    return torch.tensor(loss)


@dataclass
class Passes:
    """A forward pass through a network's layers, and the backward pass that follows it."""

    network: Network
    layers: Layers

    def forward(self, batch: Batch, product: Tensor) -> Decoded:
        """The decoder's outputs, from the product (B, neurons) of the first layer without its bias."""
        network, layers = self.network, self.layers
        self.encoder = _through(layers.encoder, product)
        latent = self.encoder[-1].outputs
        projected = self.encoder[len(self.encoder) - 1 - len(layers.projections) : -1]
        for projection, done in zip(layers.projections, projected, strict=True):
            latent = torch.addmm(latent, done.outputs, projection.t())
        if network.latent_prior is not None:
            latent = network.latent_prior(latent)
        known = torch.cat([latent, batch.covariates], dim=1) if batch.covariates.shape[1] else latent
        self.library = _through(layers.library, known)
        if layers.library_output is None:
            log_library = torch.log(batch.library_size.clamp(min=1))
        else:
            log_library = _product(layers.library_output, self.library[-1].outputs)
        if network.log_excess is not None:
            log_library = log_library + network.log_excess
        self.decoder = _through(layers.decoder, known)
        counters = [each.num_batches_tracked for each in layers.norms if each.training]
        if seen := [each for each in counters if each is not None]:
            torch._foreach_add_(seen, 1)
        self.hidden = self.decoder[-1].outputs if self.decoder else known
        zero_logits = None if network.zero_logits is None else _product(network.zero_logits, self.hidden)
        dispersion = None if network.dispersion is None else _product(network.dispersion, self.hidden)
        return log_library, _product(network.log_proportions, self.hidden), zero_logits, dispersion

    def backward(self, gradients: list[Tensor]) -> Tensor:
        """Gradients by the product of the first layer (B, neurons) from those by the decoder's outputs.

        Those by its bias and by all later weights are set.
        """
        network, layers = self.network, self.layers
        by_library, by_logits, by_zero_logits, by_dispersion = gradients
        by_hidden = _back_through(network.log_proportions, self.hidden, by_logits)
        if network.zero_logits is not None:
            by_hidden += _back_through(network.zero_logits, self.hidden, by_zero_logits)
        if isinstance(network.dispersion, SharedByCells):
            set_gradient(network.dispersion.bias, by_dispersion.sum(dim=0))
        elif network.dispersion is not None:
            by_hidden += _back_through(network.dispersion, self.hidden, by_dispersion)
        by_known = _back(layers.decoder, self.decoder, by_hidden)
        if network.log_excess is not None:
            set_gradient(network.log_excess, by_library.sum())
        if layers.library_output is not None:
            by_last = _back_through(layers.library_output, self.library[-1].outputs, by_library[:, None])
            by_known += _back(layers.library, self.library, by_last)
        by_latent = by_known[:, : network.encoder.latents].contiguous()
        if network.latent_prior is not None:
            by_latent = torch.mm(by_latent, network.latent_prior.start.t())
        return self._encoder_backward(by_latent)

    def _encoder_backward(self, by_latent: Tensor) -> Tensor:
        """Gradients by the product of the first layer from those by the latents, which each block that is projected
        changes directly, and by the block after it."""
        layers, last = self.layers, len(self.encoder) - 1
        gradient = by_latent.clone()
        for number in range(last, -1, -1):
            place = number - (last - len(layers.projections))
            if 0 <= place < len(layers.projections):
                projection = layers.projections[place]
                set_gradient(projection, torch.mm(by_latent.t(), self.encoder[number].outputs))
                gradient.addmm_(by_latent, projection)
            gradient = layers.encoder[number].backward(self.encoder[number], gradient)
        return gradient


def _through(blocks: list[Block], inputs: Tensor) -> list[Done]:
    """What a sequence of blocks leaves."""
    passed: list[Done] = []
    for block in blocks:
        passed.append(block.forward(inputs))
        inputs = passed[-1].outputs
    return passed


def _back(blocks: list[Block], passed: list[Done], gradient: Tensor) -> Tensor:
    """Gradients by the inputs of a sequence of blocks from those by its outputs."""
    for block, done in zip(reversed(blocks), reversed(passed), strict=True):
        gradient = block.backward(done, gradient)
    return gradient


def _product(layer: nn.Linear | SharedByCells, inputs: Tensor) -> Tensor:
    """A layer's outputs, without what a module does around its product."""
    return layer(inputs) if isinstance(layer, SharedByCells) else torch.addmm(layer.bias, inputs, layer.weight.t())


def _back_through(layer: nn.Linear, inputs: Tensor, gradient: Tensor) -> Tensor:
    """Set the gradients of a layer's weights; the gradients by its inputs."""
    set_gradient(layer.bias, gradient.sum(dim=0))
    if layer.weight.requires_grad:
        layer.weight.grad = torch.mm(gradient.t(), inputs)
    return torch.mm(gradient, layer.weight)
