"""Base class of the sources of raw counts: location of the download, fetching it, and reading the counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from zipo.shared.section import Form, Section

if TYPE_CHECKING:
    import anndata as ad

Sha256 = Annotated[str, Form("[0-9a-f]{64}", "64 hexadecimal digits, as `sha256sum FILE` prints them")]


@dataclass(frozen=True)
class Fetching:
    """Settings of a study that downloads follow; each is a key of the study's file."""

    connections: int = 4
    """Connections at once to one host."""
    update_lock: bool = False
    """Whether a download that differs from its record in the lock replaces the record; an error otherwise."""
    geo_url: str = "https://ftp.ncbi.nlm.nih.gov/geo"
    """Root of the Gene Expression Omnibus, or of a mirror with the same folders."""
    lock: Path = Path("config/data.lock.tsv")
    """File that records the checksum of each download at its first fetch."""


class Source(Section):
    """Where the raw counts of a data set come from.

    Each file of zipo/datasets/sources defines one kind of source as a subclass, whose fields are the keys of `source`
    in config/datasets.yaml. A study is planned with these classes, so their files import nothing heavy at the top:
    anndata, numpy, pandas, h5py and requests are imported by the functions that need them.
    """

    kind: str
    """Kind of source; a subclass narrows it to a Literal."""

    token: ClassVar[str | None] = None
    """Environment variable with the token that access to the data needs; None for data that anyone may have."""
    fetch_settings: ClassVar[tuple[str, ...]] = ()
    """Fields of Fetching that decide what is fetched: after a change of one, a study fetches again."""
    has_truth: ClassVar[bool] = False
    """Whether the counts are drawn, so that `read` gives their true means in layers["true_rates"]."""

    def download(self, downloads: Path) -> Path | None:
        """The file that `fetch` makes, in the folder of downloads; None for a source that is not fetched."""
        return None

    def inputs(self, downloads: Path) -> list[Path]:
        """The files that must exist before `read` is called."""
        file = self.download(downloads)
        return [] if file is None else [file]

    def size(self) -> tuple[int, int] | None:
        """Number of cells and genes, where the source itself says it."""
        return None

    def fetch(self, target: Path, fetching: Fetching) -> None:
        """Download the source, so that `target`, its `download`, exists only if all went well; InputError if not."""
        raise NotImplementedError(f"{type(self).__name__} has a download, but no fetch")

    def to_fetch(self) -> Source:
        """The same source as far as `fetch` uses it: a data set is fetched again where this changes.

        Sources of one download must agree in it.
        """
        return self

    def read(self, downloads: Path) -> tuple[ad.AnnData, dict[str, str]]:
        """The counts (cells x genes) as CSR, and the sha256 of each file that they were read from, by its name.

        obs["cell_type"] and obs["batch"] are set where the source knows them. Raises InputError for anything but raw
        counts.
        """
        raise NotImplementedError(f"{type(self).__name__} has no read")
