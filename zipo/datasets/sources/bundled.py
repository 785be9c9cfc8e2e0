"""PBMC 68k reduced (Zheng 2017, doi 10.1038/ncomms14049), whose counts scanpy's package holds normalised."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zipo.datasets.source import Sha256, Source
from zipo.shared.errors import InputError

if TYPE_CHECKING:
    import anndata as ad

LARGEST_ROUNDING = 0.1  # counts recovered from float32 logarithms lie within .082 of whole numbers


class ScanpySource(Source):
    """Counts recovered from the normalised data that scanpy's own package carries."""

    kind: Literal["scanpy"]
    """A data set inside scanpy's package."""
    name: Literal["pbmc68k_reduced"]
    """Which one."""
    sha256: Sha256
    """Checksum of its file."""

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The counts, with obs["cell_type"], and the checksum of scanpy's file."""
        file = self.file()
        return recover_counts(file, self), {file.name: self.sha256}

    def file(self) -> Path:
        """The data set's file, located without importing scanpy, which takes seconds."""
        package = find_spec("scanpy")
        if package is None or package.origin is None:
            raise InputError(
                f"{self.name}: scanpy is not installed here; install the study extra: pip install .[study]"
            )
        return Path(package.origin).parent / "datasets" / "10x_pbmc68k_reduced.h5ad"


def recover_counts(file: Path, source: ScanpySource) -> ad.AnnData:
    """The counts: raw.X holds log1p(1e4 x counts / library), and obs["n_counts"] the library.

    Raises InputError for a file with another checksum, and for values that are not such logarithms.
    """
    import warnings

    import anndata as ad
    import numpy as np
    from scipy.sparse import csr_matrix

    from zipo.datasets.counts import as_counts
    from zipo.datasets.transfer.integrity import check_sha256

    check_sha256(file, source.sha256, source.name)
    with warnings.catch_warnings():  # the file is of anndata's first format, which is still read
        warnings.simplefilter("ignore")
        stored = ad.read_h5ad(file)
    library = stored.obs["n_counts"].to_numpy(np.float64)[:, None]
    scaled = np.expm1(stored.raw.X.toarray().astype(np.float64)) * library / 1e4
    counts = np.rint(scaled)
    if np.abs(scaled - counts).max() > LARGEST_ROUNDING:
        raise InputError(f"{source.name}: the stored values are no counts normalised to 10,000 and logged")
    genes = stored.raw.var_names.astype(str)
    cells = stored.obs_names.astype(str)
    adata = ad.AnnData(csr_matrix(as_counts(counts, cells, genes, source.name)))
    adata.obs_names, adata.var_names = cells, genes
    adata.obs["cell_type"] = stored.obs["bulk_labels"].to_numpy()
    return adata
