"""The paper's two series of the Gene Expression Omnibus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zipo.datasets.source import Fetching, Source

if TYPE_CHECKING:
    import anndata as ad


class GeoSource(Source):
    """A series of the Gene Expression Omnibus whose deposit zipo/datasets/geo knows how to assemble."""

    kind: Literal["geo"]
    """A series of GEO."""
    accession: Literal["GSE125188", "GSE117156"]
    """Its accession."""

    fetch_settings = ("geo_url", "lock")

    def download(self, downloads: Path) -> Path:
        """The manifest, which is written beside the files of the deposit once they are complete."""
        return downloads / self.accession / "manifest.tsv"

    def fetch(self, target: Path, fetching: Fetching) -> None:
        """Download the SOFT file of the series and the files that its deposit is assembled from."""
        from zipo.datasets.geo.series import fetch_series
        from zipo.datasets.transfer.fetch import Patience
        from zipo.datasets.transfer.lock import Lock

        fetch_series(
            self.accession,
            target.parent,
            target,
            url=fetching.geo_url,
            lock=Lock(fetching.lock, fetching.update_lock),
            patience=Patience(connections=fetching.connections),
        )

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The assembled counts, and the checksums of all files of the deposit."""
        from zipo.datasets.geo.series import read_series
        from zipo.datasets.transfer.manifest import checksums

        manifest = self.download(downloads)
        return read_series(self.accession, manifest.parent), checksums(manifest)
