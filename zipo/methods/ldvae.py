"""LDVAE: a variational autoencoder of counts whose decoder is linear, as is that of a factor model."""

import anndata as ad

from zipo.methods.shared.variational import denoised_by, trained

name = "ldvae"
env = "scvi"
parameters = {"likelihood": "nb", "max_epochs": None, "learning_rate": 5e-3, "samples": 10}
seeded = True
keeps_library = True
scale = "expected counts (1 - z) l mu of its likelihood at the observed library size: counts as they are"
source = "Svensson 2020, doi 10.1093/bioinformatics/btaa169, LinearSCVI of scvi-tools 1.4.2"
imports = ("torch", "scvi")


def denoise(
    counts: ad.AnnData, *, seed: int, likelihood: str, max_epochs: int | None, learning_rate: float, samples: int
) -> ad.AnnData:
    """LDVAE's expected counts, distribution and latents (`zipo.methods.shared.variational.denoised_by`).

    `likelihood` is nb or zinb; `max_epochs` of None leaves the number of epochs to scvi-tools. The library size is the
    observed one, as in scVI; by default LinearSCVI would predict it. The learning rate is five times the package's
    own, with which the linear decoder has not learned the genes' means when training ends.
    """
    from scvi.model import LinearSCVI

    options = {"gene_likelihood": likelihood, "use_observed_lib_size": True}
    model = trained(LinearSCVI, counts, seed, max_epochs, learning_rate, **options)
    return denoised_by(model, counts, likelihood, samples)
