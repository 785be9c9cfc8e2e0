"""The genes of several tables of counts, aligned by name."""

import re

import numpy as np
from scipy.sparse import csr_matrix

from zipo.datasets.formats.label_table import counted
from zipo.shared.errors import InputError

SPIKE_IN = re.compile(r"ERCC[-_.][0-9]{5}")  # ERCC1 and others of these letters are genes


class GeneRows:
    """The genes of all tables so far, in the order of the first one; spike-ins that it lacks come last."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._spike_ins: dict[str, frozenset[str]] = {}  # of each table
        self._reordered: list[str] = []

    def aligned(self, counts: csr_matrix, genes: list[str], name: str, place: str) -> csr_matrix:
        """The counts of a table (cells x `genes`) with the genes so far as columns.

        Raises InputError where anything but spike-ins is in this table or the first one alone: whether a gene that
        is not there was not seen or not looked for, only the deposit's authors know.
        """
        if not self.names:
            self.names = list(genes)
        before = set(self.names)
        self._spike_ins[name] = frozenset(filter(SPIKE_IN.fullmatch, genes))
        if genes == self.names:
            return counts
        first = next(iter(self._spike_ins))
        for having, lacking, extra in ((name, first, set(genes) - before), (first, name, before - set(genes))):
            if beyond := _without_spike_ins(sorted(extra)):
                raise InputError(
                    f"{place}: gene {beyond[0]!r}, one of {len(beyond)}, is in {having} but not in {lacking}; all "
                    "plates must have the same genes, in any order: fetch the tar again"
                )
        if _without_spike_ins(genes) != _without_spike_ins(self.names):
            self._reordered.append(name)
        self.names = self.names + [gene for gene in genes if gene not in before]
        column = {gene: at for at, gene in enumerate(self.names)}
        columns = np.array([column[gene] for gene in genes], dtype=counts.indices.dtype)
        shape = (counts.shape[0], len(self.names))
        aligned = csr_matrix((counts.data, columns[counts.indices], counts.indptr), shape)
        aligned.sort_indices()
        return aligned

    def remarks(self, place: str) -> list[str]:
        """Remarks on tables whose genes differ from the first table's in order or spike-ins."""
        remarks = []
        if self._reordered:
            remarks.append(
                f"{place}: plates with their genes in another order than the first plate, which are aligned by name: "
                f"{counted(self._reordered, len(self._spike_ins))}"
            )
        every = frozenset().union(*self._spike_ins.values())
        lacking = [name for name, spike_ins in self._spike_ins.items() if spike_ins != every]
        if lacking:
            missing = every - self._spike_ins[lacking[0]]
            remarks.append(
                f"{place}: plates without all rows of spike-ins, which are taken as zero there: "
                f"{counted(lacking, len(self._spike_ins))}, without {min(missing)}"
            )
        return remarks


def _without_spike_ins(names: list[str]) -> list[str]:
    return [name for name in names if not SPIKE_IN.fullmatch(name)]
