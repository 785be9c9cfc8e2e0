"""Agreement of clusters of the latent variables with known cell types."""

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.clusters import agreement_with_types

title = "Clusters of the latents"
measures = {"latent_ari": "high", "latent_nmi": "high", "latent_silhouette": "high"}
purpose = {"latent_ari": "to find cell types in latent variables"}
needs = ("latent", "cell_types")


def score(case: Case) -> dict[str, float]:
    """ARI and NMI of Leiden clusters with the types, and silhouette of the types."""
    scores = agreement_with_types(case.latent, case.cell_types, case.seed)
    return {f"latent_{name}": value for name, value in scores.items()}
