"""Agreement of clusters of the denoised counts, in their principal components, with known cell types."""

from zipo.metrics.shared.case import Case
from zipo.metrics.shared.clusters import agreement_with_types
from zipo.metrics.shared.components import COMPONENTS, principal_components

title = "Clusters of the denoised counts"
measures = {"denoised_ari": "high", "denoised_nmi": "high", "denoised_silhouette": "high"}
purpose = {"denoised_ari": "to find cell types in the denoised counts"}
needs = ("cell_types",)


def score(case: Case) -> dict[str, float]:
    """ARI and NMI of Leiden clusters with the types, and silhouette of the types."""
    coordinates = principal_components(case.denoised, COMPONENTS, case.seed)
    scores = agreement_with_types(coordinates, case.cell_types, case.seed)
    return {f"denoised_{name}": value for name, value in scores.items()}
