"""The paper's series of the Gene Expression Omnibus: which files make a deposit, fetching and reading them."""

from collections.abc import Callable
from pathlib import Path

import anndata as ad

from zipo.datasets import liver, plates
from zipo.datasets.fetch import Patience, fetch
from zipo.datasets.lock import Lock
from zipo.datasets.manifest import write_manifest
from zipo.datasets.soft import Series, file_name, read_file_list, read_soft, soft_path, supplement_path
from zipo.errors import InputError

FILE_LIST = "filelist.txt"  # GEO keeps one beside every RAW.tar, with the sizes of the archive and its members
NEEDED = {
    liver.ACCESSION: (liver.MATRIX, liver.GENES, liver.BARCODES, liver.IDENTITIES),
    plates.ACCESSION: (plates.ARCHIVE, plates.METADATA),
}
OPTIONAL = {liver.ACCESSION: tuple(liver.SUBSETS.values()), plates.ACCESSION: ()}


def fetch_series(
    accession: str, folder: Path, manifest: Path, *, url: str, lock: Lock, patience: Patience = Patience()
) -> None:
    """Fetch the SOFT file of a series and the files its deposit is assembled from into `folder`.

    `url` is GEO's root or a mirror's; `manifest`, written last, lists the files with their checksums. Raises
    InputError where the series does not list a file that is needed, or a file cannot be had whole.
    """
    soft = folder / soft_path(accession).rsplit("/", 1)[-1]
    fetch(f"{url}/{soft_path(accession)}", soft, lock=lock, patience=patience)
    names = _wanted(read_soft(soft, accession))
    sizes = {}
    if any(name.endswith("_RAW.tar") for name in names):
        listing = folder / f"{accession}_{FILE_LIST}"
        fetch(f"{url}/{supplement_path(accession, FILE_LIST)}", listing, lock=lock, patience=patience)
        sizes = read_file_list(listing)
    for name in names:
        address = f"{url}/{supplement_path(accession, name)}"
        fetch(address, folder / name, size=sizes.get(name), lock=lock, patience=patience)
    write_manifest(manifest, [soft, *(folder / name for name in names)])


def read_series(accession: str, folder: Path) -> ad.AnnData:
    """The counts of a fetched series; InputError naming file and line where the deposit contradicts itself."""
    return READERS[accession](folder)


def _wanted(series: Series) -> list[str]:
    listed = {file_name(url) for url in series.files}
    missing = [name for name in NEEDED[series.accession] if name not in listed]
    if missing:
        raise InputError(
            f"{series.accession}: the series does not list {missing[0]}, which its counts are assembled from; it lists "
            f"{', '.join(sorted(listed)) or 'no files'}"
        )
    return [name for name in (*NEEDED[series.accession], *OPTIONAL[series.accession]) if name in listed]


def _read_plates(folder: Path) -> ad.AnnData:
    series = read_soft(folder / soft_path(plates.ACCESSION).rsplit("/", 1)[-1], plates.ACCESSION)
    return plates.read_plates(folder / plates.ARCHIVE, folder / plates.METADATA, series.sample_file_names())


READERS: dict[str, Callable[[Path], ad.AnnData]] = {
    liver.ACCESSION: liver.read_liver,
    plates.ACCESSION: _read_plates,
}
