"""A trained model for those of its genes that a data set has.

Genes that were not measured are no zeros: a cell's counts are spread over the proportions of the genes that were, and
latents are refined on these alone.
"""

from copy import copy

import pandas as pd

from zipo.datasets.counts import plain_names
from zipo.engine.grafting import take_genes
from zipo.engine.model import Network
from zipo.model.alignment import Alignment
from zipo.model.estimator import ZiPo


def with_shared_genes(model: ZiPo, data_genes: pd.Index, min_genes: float = 0.5) -> tuple[ZiPo, Alignment]:
    """The model for the genes, in its order, that a data set has as well, and the alignment of genes.

    Proportions are those among these genes; the encoder takes the others as zeros, as it has no other value for them.
    The model itself stays as it is, and is returned where no gene is missing. Raises InputError for no gene in common,
    and where the data have less than the share `min_genes` of the model's genes.
    """
    alignment = Alignment.of(data_genes, model.genes, zeros=False)
    alignment.check_share(model.genes, data_genes, min_genes)
    if not alignment.missing:
        return model, alignment
    places = model.genes.isin(plain_names(data_genes)).nonzero()[0]
    subset = copy(model)
    subset.genes = model.genes[places]
    subset.gene_totals = model.gene_totals[places]
    columns, library = len(model.covariates.columns), float(model.network.median_library)
    subset.network = Network(len(places), model.parameters, columns, library).to(model.device)
    take_genes(subset.network, model.network, places)
    return subset, alignment
