"""Series of the Gene Expression Omnibus: the files that a deposit is made of, their download and their reading."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import anndata as ad

from zipo.datasets.geo import liver, plates
from zipo.datasets.geo.soft import Series, file_name, read_file_list, read_soft, soft_path, supplement_path
from zipo.datasets.geo.soft import folder as folder_of
from zipo.datasets.transfer.fetch import Patience, fetch, web_address
from zipo.datasets.transfer.lock import Lock
from zipo.datasets.transfer.manifest import write_manifest
from zipo.datasets.transfer.request import Unavailable
from zipo.shared.errors import InputError
from zipo.shared.progress import say

FILE_LIST = "filelist.txt"  # GEO keeps one beside every RAW.tar, with the sizes of the archive and its members
NCBI, ITS_PAGES = "ftp.ncbi.nlm.nih.gov", "https://www.ncbi.nlm.nih.gov/geo"
# the small ones first, so that what is wrong shows early
NEEDED = {
    liver.ACCESSION: (liver.GENES, liver.BARCODES, liver.MATRIX),
    plates.ACCESSION: (plates.METADATA, plates.ARCHIVE),
}
OPTIONAL = {liver.ACCESSION: (liver.IDENTITIES, *liver.SUBSETS.values()), plates.ACCESSION: ()}


def fetch_series(
    accession: str, folder: Path, manifest: Path, *, url: str, lock: Lock, patience: Patience = Patience()
) -> None:
    """Fetch the SOFT file of a series and the files its deposit is assembled from into `folder`.

    `url` is GEO's root or a mirror's; `manifest`, written last, lists the files with their checksums. A file that is
    in `folder` already stays if it is complete and as the lock records it. Raises InputError where the series does not
    list a needed file, or one cannot be downloaded; labels that cannot be downloaded are left out with a warning.
    """

    def get(name: str, path: str, size: int | None = None) -> None:
        fetch(
            f"{url}/{path}",
            folder / name,
            other=_other_address(url, accession, name),
            size=size,
            lock=lock,
            patience=patience,
        )

    soft, needed, optional = file_name(soft_path(accession)), NEEDED[accession], OPTIONAL[accession]
    try:
        get(soft, soft_path(accession))
        listed = _listed(read_soft(folder / soft, accession))
        sizes = _sizes(accession, folder, url, patience) if any(name.endswith("_RAW.tar") for name in needed) else {}
        for name in needed:
            get(name, supplement_path(accession, name), sizes.get(name))
    except Unavailable as error:
        raise InputError(f"{accession}: {error.problem}; {_by_hand(accession, url, folder)}") from None
    for number, name in enumerate(optional):
        try:
            if name in listed or (folder / name).exists():
                get(name, supplement_path(accession, name))
        except Unavailable as error:
            others = () if error.gone else optional[number + 1 :]  # in vain as well, so they are not waited for
            missing = [name, *(other for other in others if not (folder / other).exists())]
            say(
                f"warning: {error.problem}; the labels of {', '.join(missing)} are left out: to have them, save these "
                f"files in {folder.resolve()}, remove {manifest.name} there and run again"
            )
            if not error.gone:
                break
    names = [name for name in (soft, *needed, *optional) if (folder / name).exists()]
    write_manifest(manifest, [folder / name for name in names])


def read_series(accession: str, folder: Path) -> ad.AnnData:
    """The counts of a fetched series; InputError naming file and line where the deposit contradicts itself."""
    return READERS[accession](folder)


def _listed(series: Series) -> set[str]:
    """Names of the series' own files; InputError if a needed one is not among them."""
    listed = {file_name(url) for url in series.files}
    missing = [name for name in NEEDED[series.accession] if name not in listed]
    if missing:
        raise InputError(
            f"{series.accession}: the series does not list {missing[0]}, which its counts are assembled from; it lists "
            f"{', '.join(sorted(listed)) or 'no files'}; the deposit has changed, and this version cannot read it"
        )
    return listed


def _sizes(accession: str, folder: Path, url: str, patience: Patience) -> dict[str, int]:
    """Sizes in bytes of the archive and its members by name; {} without the list of files, which is not needed."""
    listing = folder / f"{accession}_{FILE_LIST}"
    address = f"{url}/{supplement_path(accession, FILE_LIST)}"
    try:
        fetch(address, listing, patience=replace(patience, attempts=min(2, patience.attempts), refusals=1, rounds=1))
    except Unavailable as error:
        say(f"{error.problem}; the archive is judged without its size")
        return {}
    return read_file_list(listing)


def _other_address(url: str, accession: str, name: str) -> str:
    """Second address of a file of a series, at GEO or at a complete mirror."""
    pages = ITS_PAGES if urlsplit(url).hostname == NCBI else url
    return f"{pages}/download/?acc={accession}&format=file&file={quote(name, safe='')}"


def _by_hand(accession: str, url: str, folder: Path) -> str:
    """Advice, for an error, on how to download the missing files with a browser."""
    pages = [f"{web_address(url)}/{folder_of(accession)}/"]
    if urlsplit(url).hostname == NCBI:
        pages.append(f"{ITS_PAGES}/query/acc.cgi?acc={accession}")
    needed = (file_name(soft_path(accession)), *NEEDED[accession])
    missing = [name for name in needed if not (folder / name).exists()]
    labels = [name for name in OPTIONAL[accession] if not (folder / name).exists()]
    further = f" (for cell types also {', '.join(labels)})" if labels else ""
    return (
        f"run again later, or open {' or '.join(pages)} in a browser, save {', '.join(missing)}{further} unchanged, "
        f"not unpacked, in {folder.resolve()}, a folder to be made if it is not there, and run the same command again, "
        "which checks them and goes on"
    )


def _read_plates(folder: Path) -> ad.AnnData:
    """The counts of the myeloma deposit, checked against the samples that its SOFT file lists."""
    series = read_soft(folder / file_name(soft_path(plates.ACCESSION)), plates.ACCESSION)
    samples = [sample.accession for sample in series.samples]
    expected = series.sample_file_names() or None
    return plates.read_plates(folder / plates.ARCHIVE, folder / plates.METADATA, expected, samples)


READERS: dict[str, Callable[[Path], ad.AnnData]] = {
    liver.ACCESSION: liver.read_liver,
    plates.ACCESSION: _read_plates,
}
