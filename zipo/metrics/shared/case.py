"""The case that metrics score: denoised counts, and everything they can be compared with."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from zipo.metrics.shared.distribution import Distribution

if TYPE_CHECKING:
    from anndata import AnnData

Rows = slice | np.ndarray
KINDS = ("permuted", "shallow", "rare")
"""Counts that a method denoises beside the training molecules of a split: those permuted within cell types, a tenth of
the molecules, and the training molecules with few cells of one type. Only metrics that need them score them."""
ABSENT: Any = None  # what a metric reads without a check, since it names it in its needs
LEAST = 0.01
"""Share of a gene's mean training count to which lower expected counts are raised where held-out counts are scored.

Where nothing is expected, a single molecule would cost infinitely much; with a millionth of a count as the least, that
bound alone would order the methods that give zeros, though a zero comes from few molecules and is no certainty. At this
share a zero costs as much as an error of a hundredfold. The deviance of no_denoising depends on the choice (.246,
.217, .201 at .1 %, 1 %, 10 % on the human pancreas); the order of the other methods there does not.
"""


@dataclass(frozen=True)
class OtherDonors:
    """Counts of donors whose cells a method did not see, with the genes that they share with those it did."""

    counts: csr_matrix
    """Raw counts, (cells, shared genes)."""
    genes: np.ndarray
    """Columns that the shared genes have among those of the case."""
    cell_types: np.ndarray
    """Names, "" where a cell's type is not known."""
    donors: np.ndarray
    """Name of each cell's donor."""

    @classmethod
    def of(cls, donors: "AnnData", data: "AnnData") -> "OtherDonors":
        """From the donors' data set, with obs["cell_type"] and obs["batch"], and the one that is denoised."""
        columns = donors.var_names.get_indexer(data.var_names)
        shared = np.flatnonzero(columns >= 0)
        return cls(
            counts=csr_matrix(donors.X)[:, columns[shared]],
            genes=shared,
            cell_types=_names(donors.obs["cell_type"]),
            donors=donors.obs["batch"].to_numpy().astype(str),
        )


@dataclass(frozen=True)
class Case:
    """One run of a method on a data set; matrices are (cells, genes), and dense ones may be memory-mapped."""

    counts: csr_matrix
    """The raw counts that were denoised: the training molecules where molecules are held out."""
    denoised: np.ndarray
    """Their expected values, on the same scale."""
    seed: int = 1
    """Fixes what a metric draws at random."""
    held_out: csr_matrix = ABSENT
    """Molecules of the same cells that the method did not see."""
    training_share: float = 1.0
    """Share of all molecules that it saw."""
    true_rates: np.ndarray = ABSENT
    """Known means of the counts before zero inflation."""
    true_zero_probability: np.ndarray = ABSENT
    """Known probability of loss; without it, nothing is lost."""
    cell_types: np.ndarray = ABSENT
    """Names, "" where a cell's type is not known."""
    markers: dict[str, np.ndarray] = field(default_factory=dict)
    """Known marker genes of cell types, by their columns."""
    latent: np.ndarray = ABSENT
    """Latent variables of the method, (cells, latents)."""
    rates: np.ndarray = ABSENT
    """Means under the method's own distribution, before zero inflation."""
    zero_probability: np.ndarray = ABSENT
    """Its zero inflation, if it has any."""
    size: np.ndarray = ABSENT
    """NB size of its distribution, (cells, genes) or (genes,), if it is an NB."""
    kind: str = "split"
    """What the counts are: the training molecules of a split, or one of KINDS."""
    batches: np.ndarray = ABSENT
    """Name of each cell's batch, "" where it is not known."""
    pseudotime: np.ndarray = ABSENT
    """Known place of each cell along a trajectory, from 0 to 1; NaN where a cell has none."""
    proteins: np.ndarray = ABSENT
    """Measured abundance of some proteins in the same cells, (cells, proteins)."""
    protein_genes: np.ndarray = ABSENT
    """Column of the gene that codes for each of these proteins."""
    rare_type: str = ABSENT
    """Cell type of which most cells were left out."""
    other_donors: OtherDonors = ABSENT
    """Counts of donors whose cells the method did not see."""
    seconds: float = ABSENT
    """Time of the denoising."""
    peak_mb: float = ABSENT
    """Its peak memory, in MB."""

    @classmethod
    def of(cls, data: "AnnData", result: "AnnData", **rest: Any) -> "Case":
        """From the data set that was denoised and the method's answer; `rest` are fields that neither holds.

        Of the data: obs["cell_type"], ["batch"] and ["pseudotime"], obsm["protein"] (see _proteins), uns["markers"]
        (lists of genes by cell type), layers["true_rates"] and ["true_zero_probability"]. Of the answer:
        layers["denoised"], obsm["latent"], and for a method with a distribution of its own layers["rates"],
        ["zero_probability"] and ["size"], or var["size"].
        """
        markers = {}
        for cell_type, genes in data.uns.get("markers", {}).items():
            columns = data.var_names.get_indexer(pd.Index(genes))
            markers[cell_type] = columns[columns >= 0]  # filters may have dropped a marker
        proteins, protein_genes = _proteins(data)
        size = result.var["size"].to_numpy() if "size" in result.var else result.layers.get("size")
        return cls(
            counts=data.X,
            denoised=result.layers["denoised"],
            true_rates=data.layers.get("true_rates"),
            true_zero_probability=data.layers.get("true_zero_probability"),
            cell_types=_names(data.obs["cell_type"]) if "cell_type" in data.obs else ABSENT,
            batches=_names(data.obs["batch"]) if "batch" in data.obs else ABSENT,
            pseudotime=data.obs["pseudotime"].to_numpy(np.float64) if "pseudotime" in data.obs else ABSENT,
            markers=markers,
            proteins=proteins,
            protein_genes=protein_genes,
            rare_type=data.uns.get("rare_type"),
            latent=result.obsm.get("latent"),
            rates=result.layers.get("rates"),
            zero_probability=result.layers.get("zero_probability"),
            size=size,
            **rest,
        )

    @property
    def has(self) -> set[str]:
        """What a metric can ask for: held_out, distribution (of the method's own), truth, cell_types (two or more),
        markers, latent, batches (two or more), pseudotime, proteins, other_donors, cost, and the kind of the counts."""
        availability = {
            "held_out": self.held_out is not None,
            "distribution": self.rates is not None,
            "truth": self.true_rates is not None,
            "cell_types": self.cell_types is not None and len(set(self.cell_types) - {""}) > 1,
            "markers": any(len(genes) for genes in self.markers.values()),
            "latent": self.latent is not None,
            "batches": self.batches is not None and len(set(self.batches) - {""}) > 1,
            "pseudotime": self.pseudotime is not None,
            "proteins": self.proteins is not None and self.proteins.shape[1] > 0,
            "other_donors": self.other_donors is not None,
            "cost": self.seconds is not None and self.peak_mb is not None,
        }
        return {name for name, available in availability.items() if available} | {self.kind}.intersection(KINDS)

    @property
    def odds(self) -> float:
        """Held-out molecules expected for each training molecule, (1 - p) / p."""
        return (1 - self.training_share) / self.training_share

    @property
    def least_means(self) -> np.ndarray:
        """Least training count that is taken as expected, for each gene: LEAST of its mean, float64 (genes,)."""
        return LEAST * np.asarray(self.counts.sum(axis=0, dtype=np.float64)).ravel() / self.counts.shape[0]

    def true_means(self, rows: Rows) -> np.ndarray:
        """Known expected counts of some cells, float64: rates less what is lost."""
        means = np.asarray(self.true_rates[rows], dtype=np.float64)
        if self.true_zero_probability is None:
            return means
        return means * (1 - self.true_zero_probability[rows])

    def distribution(self, rows: Rows, least: np.ndarray | float = 0.0) -> Distribution:
        """The method's own distribution of the counts of some cells, with rates of `least` (genes,) at least.

        A method that has none is taken as Poisson with the denoised counts as means.
        """
        zero, size = self.zero_probability, self.size
        rates = np.asarray((self.denoised if self.rates is None else self.rates)[rows], dtype=np.float64)
        return Distribution(
            np.maximum(rates, least),
            None if zero is None else np.asarray(zero[rows], dtype=np.float64),
            None if size is None else np.asarray(size if size.ndim == 1 else size[rows], dtype=np.float64),
        )


def _names(column: pd.Series) -> np.ndarray:
    """A column of names as text, "" where one is missing."""
    text = column.astype(object)
    return text.where(text.notna(), "").to_numpy().astype(str)


def _proteins(data: "AnnData") -> tuple[np.ndarray, np.ndarray]:
    """Abundance of proteins (cells, proteins), and the column of each one's gene; ABSENT where none were measured.

    obsm["protein"] is a table whose columns are named by the genes that code for the proteins, or an array, with these
    names in uns["protein_genes"]. A protein whose gene was filtered out is left out.
    """
    if "protein" not in data.obsm:
        return ABSENT, ABSENT
    table = data.obsm["protein"]
    names = table.columns if isinstance(table, pd.DataFrame) else data.uns["protein_genes"]
    genes = data.var_names.get_indexer(pd.Index(names))
    return np.asarray(table, dtype=np.float64)[:, genes >= 0], genes[genes >= 0]
