"""Public name of `zipo.model.fine_tuning`, and of models for the genes that other data have."""

from zipo.model.alignment import Alignment, aligned
from zipo.model.fine_tuning import fine_tuned
from zipo.model.gene_subset import with_shared_genes

__all__ = ["Alignment", "aligned", "fine_tuned", "with_shared_genes"]
