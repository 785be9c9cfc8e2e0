"""A small example, by which the kernels are tried on a device before they are used there."""

import numpy as np
import torch
from scipy.sparse import csr_matrix

from zipo.engine.batches import Counts
from zipo.engine.likelihoods import NegativeBinomial, ZeroInflated
from zipo.engine.triton_kernels.launch import BLOCK, nll_and_gradients

CELLS, GENES = 3, BLOCK + 5
TOLERANCE = 1e-3  # of a result's size: far above rounding, far below what a wrong kernel would miss by


def check_example(device: torch.device) -> None:
    """Raise ArithmeticError where the kernels and torch's own operations disagree on NLL or a gradient of ZINB."""
    rng = np.random.default_rng(1)
    counts = rng.poisson(0.3, (CELLS, GENES)) * rng.integers(1, 40, (CELLS, GENES))
    batch = Counts(csr_matrix(counts), np.zeros((CELLS, 0)), device).batch(torch.arange(CELLS))
    library, logits, zero_logits, theta = (
        torch.tensor(rng.normal(mean, size=(CELLS, genes)), dtype=torch.float32, device=device)
        for mean, genes in ((6, 1), (0, GENES), (0, GENES), (0, GENES))
    )
    decoded = library, logits, zero_logits, theta
    mine = nll_and_gradients(batch, decoded, True, (1.0, 0.0, 0.0, 0.0), learn=True)
    with torch.enable_grad():
        for each in decoded:
            each.requires_grad_()
        base = NegativeBinomial(library + torch.log_softmax(logits, dim=1), theta)
        nll = -ZeroInflated(base, zero_logits).log_prob(batch.dense).sum()
        gradients = torch.autograd.grad(nll, decoded)
    names = "NLL", "library", "logits", "zero logits", "theta"
    for name, actual, expected in zip(names, (mine.loss, *mine.gradients), (nll, *gradients), strict=True):
        assert actual is not None
        error = ((actual - expected).abs().max() / expected.abs().max()).item()
        if not error < TOLERANCE:
            raise ArithmeticError(f"{name} of an example differ by {error:.1e} from torch's")
