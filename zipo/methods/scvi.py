"""scVI: a variational autoencoder of counts."""

import anndata as ad

from zipo.methods.shared.variational import denoised_by, trained

name = "scvi"
env = "scvi"
parameters = {"likelihood": "zinb", "max_epochs": None, "samples": 10}
seeded = True
keeps_library = True
scale = "expected counts (1 - z) l mu of its likelihood at the observed library size: counts as they are"
source = "Lopez 2018, doi 10.1038/s41592-018-0229-2, scvi-tools 1.4.2"
imports = ("torch", "scvi")


def denoise(counts: ad.AnnData, *, seed: int, likelihood: str, max_epochs: int | None, samples: int) -> ad.AnnData:
    """scVI's expected counts, distribution and latents (`zipo.methods.shared.variational.denoised_by`).

    `likelihood` is nb or zinb; `max_epochs` of None leaves the number of epochs to scVI.
    """
    from scvi.model import SCVI

    model = trained(SCVI, counts, seed, max_epochs, gene_likelihood=likelihood)
    return denoised_by(model, counts, likelihood, samples)
